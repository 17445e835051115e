"""tapal backup save and verify, tapal restore: the whole server in one file, and back, here or elsewhere."""
import concurrent.futures
import contextlib
import hashlib
import io
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tarfile
import time
import unittest

import delivery_test
from harness import TAPAL, Case, Server, ask_tool, message, wait_until
from sink import Sink

PASSPHRASE = "seven horses in a row"


def ask(config, *words, code=0):
    done = ask_tool(TAPAL, *words, "--config", config, "--json")
    if done.returncode != code:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout) if code == 0 and done.stdout else done.stdout + done.stderr


def subjects(messages):
    return [re.search(rb"Subject: (\S+)", m.data)[1].decode() for m in messages]


@contextlib.contextmanager
def small_disk(folder, size):
    folder.mkdir()
    if ask_tool("mount", "-t", "tmpfs", "-o", f"size={size}", "tapal-test", folder).returncode:
        raise unittest.SkipTest("needs root, to mount a small tmpfs")
    try:
        yield folder
    finally:
        ask_tool("umount", "-l", folder)


def killed_while(seen, *words):
    """Runs tapal until seen() and kills it there; False: it had ended before."""
    with subprocess.Popen([str(w) for w in (TAPAL, *words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None and not seen():
            pass
        running.kill()
        return running.wait() == -signal.SIGKILL


class Moving(delivery_test.DeliveryCase):
    """Mail under way while its server is saved, moved, lost."""
    settings = {"queue": {"retry": ["1s"], "retry_then_every": "1s"}, "spool": {"body_file_threshold": "64KiB"}}

    def setUp(self):
        type(self).count = getattr(self, "count", 0) + 1
        self.place = self.folder / f"p{self.count}"
        self.place.mkdir()
        self.file = self.place / "b.tar"
        self.new_config, self.new_state = self.place / "config", self.place / "state"
        if not self.tapal.server.running():
            (self.tapal.state / "closed").unlink(missing_ok=True)
            self.tapal.start()
        ask(self.tapal.config, "queue", "drop", "--all", "--yes")

    def send(self, domain, name, size=10):
        body = ("y" * 70 + "\r\n") * (size // 72 + 1)
        self.tapal.submit(f"bob@{domain}", message("ann@a.example", f"bob@{domain}", subject=name, body=body))

    def restore(self, *more, code=0):
        return ask(self.new_config, "restore", self.file, "--state", self.new_state, *more, code=code)

    def start_restored(self):
        server = Server("restored", [TAPAL, "serve", "--config", self.new_config])
        self.keep_log(server)
        server.wait_for(r"\bready\b")
        return server

    def test_a_server_saved_under_load_goes_on_elsewhere_and_loses_nothing(self):
        open_, (late, late_address) = self.new_sink(), self.free.pop(0)
        sent, stop = {}, False

        def sender(number):
            for count in range(1000):
                if stop:
                    return
                domain = late if count % 3 == 0 else open_.domain
                self.send(domain, f"m{number}-{count}", size=200_000 if count % 5 == 0 else 10)
                sent[f"m{number}-{count}"] = time.monotonic()

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            senders = [pool.submit(sender, number) for number in range(4)]
            wait_until(lambda: len(sent) >= 40 and len(open_.messages) >= 10, "some load")
            saving = time.monotonic()
            said = ask(self.tapal.config, "backup", "save", self.file)
            saved = time.monotonic()
            wait_until(lambda: len(sent) >= 80, "some more load")
            stop = True
            for one in senders:
                one.result()
        self.assertTrue(self.tapal.server.running())
        self.tapal.kill()
        by_old = {name: m.at for name, m in zip(subjects(open_.messages), open_.messages)}
        before = {name for name, at in sent.items() if at < saving}
        self.assertGreater(len(before), 30)
        verified = ask(self.tapal.config, "backup", "verify", self.file)
        self.assertEqual([], verified["problems"])
        self.assertEqual(said["files"], verified["files"])
        self.assertFalse((self.tapal.state / "spool/checkpoint/spool").exists())

        first = len(open_.messages)
        self.restore("--deliver")
        late_sink = Sink(self, late_address, self.delivery_port)
        server = self.start_restored()
        wait_until(lambda: ask(self.new_config, "queue", "list")["total"] == 0, "the restored queue is empty")
        server.stop()
        by_new = subjects(open_.messages[first:]) + subjects(late_sink.messages)
        self.assertEqual(sorted(set(by_new)), sorted(by_new), "the new server sends each once")
        self.assertEqual(set(), before - set(by_old) - set(by_new), "nothing acknowledged before the backup is lost")
        # What is written down of a delivery may be a second late (docs/operations/queue.md).
        again = {name for name in by_new if by_old.get(name, saved) < saving - 2}
        self.assertEqual(set(), again, "what was delivered before the backup is not delivered again")
        later = {name for name, at in sent.items() if at > saved}
        self.assertEqual(set(), later & set(by_new))

    def test_a_move_sends_everything_once_and_closes_the_old_place(self):
        done_sink, (late, late_address) = self.new_sink(), self.free.pop(0)
        for count in range(6):
            self.send(done_sink.domain, f"done{count}")
            self.send(late, f"late{count}", size=100_000 if count % 2 else 10)
        done_sink.wait_for(6)
        refused = self.tapal.command("backup", "save", self.file, "--move")
        self.assertEqual(1, refused.returncode)
        self.assertIn("stop it first", refused.stderr)
        self.assertEqual(0, self.tapal.stop())
        said = ask(self.tapal.config, "backup", "save", self.file, "--move")
        self.assertEqual("move", said["purpose"])
        again = self.tapal.command("serve")
        self.assertEqual(1, again.returncode)
        self.assertIn("was moved away", again.stdout + again.stderr)
        self.assertEqual(0, self.restore()["recipients_held"])
        late_sink = Sink(self, late_address, self.delivery_port)
        server = self.start_restored()
        late_sink.wait_for(6)
        wait_until(lambda: ask(self.new_config, "queue", "list")["total"] == 0, "the restored queue is empty")
        server.stop()
        self.assertEqual(sorted(f"late{n}" for n in range(6)), sorted(subjects(late_sink.messages)))
        self.assertEqual(6, len(done_sink.messages))

    def test_mail_of_a_server_that_went_on_is_held_until_it_is_released(self):
        late, late_address = self.free.pop(0)
        self.send(late, "held")
        ask(self.tapal.config, "backup", "save", self.file)
        self.tapal.kill()
        self.assertEqual(1, self.restore()["recipients_held"])
        sink = Sink(self, late_address, self.delivery_port)
        server = self.start_restored()
        self.assertEqual(1, ask(self.new_config, "queue", "count", "--held")["recipients"])
        self.assertEqual(0, len(sink.messages))
        ask(self.new_config, "queue", "release", "--all")
        sink.wait_for(1)
        server.stop()

    def test_killed_while_it_saves_it_leaves_nothing_that_is_taken_for_whole(self):
        late, _ = self.free.pop(0)
        for count in range(6):
            self.send(late, f"big{count}", size=3_000_000)
        part = self.place / "b.tar.part"
        killed = False
        for _ in range(20):
            self.file.unlink(missing_ok=True)
            if killed_while(lambda: part.exists() and part.stat().st_size > 1_000_000,
                            "backup", "save", self.file, "--config", self.tapal.config):
                killed = True
                break
        self.assertTrue(killed)
        self.assertFalse(self.file.exists())
        self.assertIn("cut off", self.tapal.command("backup", "verify", part).stderr)
        ask(self.tapal.config, "backup", "save", self.file)
        self.assertFalse(part.exists())
        self.assertEqual([], ask(self.tapal.config, "backup", "verify", self.file)["problems"])
        self.assertTrue(self.tapal.server.running())

        # And while it restores.
        records = self.new_state / "spool/bodies"
        for _ in range(20):
            if killed_while(records.exists, "restore", self.file, "--state", self.new_state, "--config", self.new_config):
                break
            shutil.rmtree(self.new_config)
            shutil.rmtree(self.new_state)
        self.assertFalse((self.new_config / "tapal.toml").exists())
        shutil.copytree(self.tapal.config, self.place / "other")
        done = ask_tool(TAPAL, "config", "set", "state_folder", self.new_state, "--config", self.place / "other")
        self.assertEqual(0, done.returncode, done.stderr)
        refused = ask_tool(TAPAL, "serve", "--config", self.place / "other")
        self.assertEqual(1, refused.returncode)
        self.assertIn("is not finished; run it again", refused.stdout + refused.stderr)
        self.restore()
        self.assertFalse((self.new_state / "closed").exists())
        self.tapal.kill()
        server = self.start_restored()
        self.assertGreaterEqual(ask(self.new_config, "queue", "count", "--domain", late)["messages"], 6)
        server.stop()


class File(Case):
    """Without a server."""
    @classmethod
    def prepare(cls):
        cls.count = 0

    def setUp(self):
        type(self).count += 1
        self.tapal = self.new_tapal(f"d{self.count}.example")
        self.file = self.tapal.folder / "b.tar"
        self.new_config, self.new_state = self.tapal.folder / "new/config", self.tapal.folder / "new/state"

    def save(self, *more):
        return ask(self.tapal.config, "backup", "save", self.file, *more)

    def restore(self, *more, code=0):
        return ask(self.new_config, "restore", self.file, "--state", self.new_state, *more, code=code)

    def run_once(self, config=None):
        """Starts the server and stops it; its log."""
        server = Server("once", [TAPAL, "serve", "--config", config or self.tapal.config])
        self.keep_log(server)
        server.wait_for(r"\bready\b")
        server.stop()
        return server.log()

    def files(self, folder):
        return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}

    def test_the_configuration_comes_back_as_it_was(self):
        hook = self.tapal.config / "dns-hooks/mine"
        hook.parent.mkdir()
        hook.write_text("#!/bin/sh\n")
        hook.chmod(0o700)
        (self.tapal.config / "extra").symlink_to(self.tapal.password_file)
        (self.tapal.config / "elsewhere").symlink_to("/usr")
        self.assertEqual(["elsewhere"], self.save()["left_out"])
        self.assertEqual(0o600, self.file.stat().st_mode & 0o777)
        self.restore()
        before, after = self.files(self.tapal.config), self.files(self.new_config)
        self.assertIn(f'state_folder = "{self.new_state}"'.encode(), after.pop("tapal.toml"))
        before.pop("tapal.toml")
        self.assertEqual({n: b for n, b in before.items() if not n.endswith(".lock")}, after)
        self.assertEqual(0o700, (self.new_config / "dns-hooks/mine").stat().st_mode & 0o777)
        for path in self.new_config.rglob("*"):
            self.assertEqual(0, path.stat().st_mode & 0o077, path)
        self.run_once(self.new_config)

    def test_any_tar_reads_it(self):
        self.save()
        listed = ask_tool("tar", "tf", self.file)
        self.assertEqual(0, listed.returncode, listed.stderr)
        self.assertEqual("manifest", listed.stdout.split()[0])
        self.assertIn("config/tapal.toml", listed.stdout.split())

    def test_a_sealed_one_tells_no_secret_and_opens_with_its_passphrase_alone(self):
        phrase, wrong = self.tapal.folder / "phrase", self.tapal.folder / "wrong"
        phrase.write_text(PASSPHRASE + "\n")
        wrong.write_text("eight horses in a row\n")
        self.save("--keys", "encrypted", "--passphrase-file", phrase)
        bytes_ = self.file.read_bytes()
        users = (self.tapal.config / "domains" / self.tapal.domain / "users").read_bytes()
        self.assertNotIn(b"PRIVATE KEY", bytes_)
        self.assertNotIn(users[-40:], bytes_)
        self.assertIn("passphrase is another", self.restore("--passphrase-file", wrong, code=1))
        self.assertFalse(self.new_config.exists())
        self.assertEqual([], ask(self.tapal.config, "backup", "verify", self.file, "--passphrase-file", phrase)["problems"])
        self.restore("--passphrase-file", phrase)
        self.assertEqual(users, (self.new_config / "domains" / self.tapal.domain / "users").read_bytes())

    def test_one_that_is_cut_off_or_changed_is_refused_with_the_place_and_nothing_is_written(self):
        self.run_once()
        self.save()
        whole = self.file.read_bytes()
        with tarfile.open(self.file) as tar:
            places = {m.name: (m.offset_data, m.size) for m in tar}
        table = next(n for n in places if n.startswith("spool/records/MANIFEST"))
        changes = {"tapal.toml": ("config/tapal.toml is not as it was saved", places["config/tapal.toml"][0] + 5),
                   "table": (f"{table} is not as it was saved", places[table][0]),
                   "manifest": ("manifest", places["manifest"][0] + 40),
                   "header": ("damaged", places[table][0] - 400)}
        for name, (says, at) in changes.items():
            with self.subTest(name):
                self.file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
                self.assertIn(says, ask(self.tapal.config, "backup", "verify", self.file, code=1))
                self.assertIn(says, self.restore(code=1))
                self.assertFalse(self.new_config.exists() or self.new_state.exists())
        for at in (0, 100, 600, len(whole) // 2, places[table][0] + 1):
            with self.subTest(at):
                self.file.write_bytes(whole[:at])
                self.assertIn(str(self.file), self.restore(code=1))
                self.assertFalse(self.new_config.exists() or self.new_state.exists())

    def craft(self, entries):
        """A tar with a manifest that names these, whatever they are."""
        text = "tapal backup 1 by 0.1.0\nmade 2026-01-01T00:00:00.000Z\npurpose copy\nconfiguration 1\nspool 1\n"
        for name, data, _ in entries:
            text += f"{hashlib.sha256(data).hexdigest()} {len(data)} {name}\n"
        text += f"end {hashlib.sha256(text.encode()).hexdigest()}\n"
        with tarfile.open(self.file, "w", format=tarfile.PAX_FORMAT) as tar:
            for name, data, kind in [("manifest", text.encode(), tarfile.REGTYPE), *entries]:
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, "/etc/passwd"
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))

    def test_nothing_in_it_leads_out_of_the_folders(self):
        settings = ("config/tapal.toml", b'hostname = "mail.a.example"\n', tarfile.REGTYPE)
        for name, data, kind in (("config/../../x", b"x", tarfile.REGTYPE), ("/tmp/x", b"x", tarfile.REGTYPE),
                                 ("spool/../x", b"x", tarfile.REGTYPE), ("config/x", b"", tarfile.SYMTYPE),
                                 ("config/x", b"", tarfile.LNKTYPE), ("spool/x", b"", tarfile.DIRTYPE),
                                 ("config/x", b"", tarfile.CHRTYPE)):
            with self.subTest(name=name, kind=kind):
                self.craft([settings, (name, data, kind)])
                self.assertRegex(self.restore(code=1), "no place here|cut off or damaged")
                self.assertFalse(self.new_config.exists() or self.new_state.exists())
        self.craft([settings])
        self.restore()

    def test_what_is_there_stays_unless_it_may_be_put_aside(self):
        self.run_once()
        self.save()
        self.restore()
        (self.new_config / "mine").write_text("mine")
        self.assertIn("--replace", self.restore(code=1))
        self.restore("--replace")
        self.assertFalse((self.new_config / "mine").exists())
        self.assertEqual(["mine"], [f.read_text() for f in self.new_config.glob("replaced-*/mine")])
        self.assertEqual(1, len(list(self.new_state.glob("replaced-*/spool"))))
        other = self.tapal.folder / "other.tar"
        other.write_text("mine")
        self.assertIn("not written over", ask(self.tapal.config, "backup", "save", other, code=1))
        self.assertEqual("mine", other.read_text())

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to write in another user's folders")
    def test_what_root_restores_is_the_folders_owners(self):
        self.run_once()
        self.save()
        owner = pwd.getpwnam("nobody")
        for folder in (self.new_config, self.new_state):
            folder.mkdir(parents=True)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        self.restore()
        for folder in (self.new_config, self.new_state):
            for path in (folder, *folder.rglob("*")):
                self.assertEqual(owner.pw_uid, path.stat().st_uid, path)

    def test_a_full_disk_leaves_nothing_half(self):
        (self.tapal.config / "large").write_bytes(os.urandom(3_000_000))
        self.run_once()
        with small_disk(self.tapal.folder / "small", "1m") as disk:
            said = ask(self.tapal.config, "backup", "save", disk / "b.tar", code=1)
            self.assertIn("No space left", said)
            self.assertEqual([], list(disk.iterdir()))
        self.save()
        with small_disk(self.tapal.folder / "new", "1m"):
            self.assertIn("No space left", self.restore(code=1))
            self.assertTrue((self.new_state / "closed").exists())
            half = self.tapal.folder / "half.tar"
            self.tapal.command("config", "set", "state_folder", self.new_state)
            self.assertIn("is not finished", ask(self.tapal.config, "backup", "save", half, code=1))
            self.assertFalse((self.new_config / "tapal.toml").exists())
            ask_tool("mount", "-o", "remount,size=50m", self.tapal.folder / "new")
            self.restore()
            self.assertEqual(3_000_000, (self.new_config / "large").stat().st_size)
            self.run_once(self.new_config)

    def test_what_an_older_tapal_kept_is_upgraded_and_kept(self):
        self.run_once()
        spool = self.tapal.state / "spool"
        for folder in (self.tapal.config, spool):
            self.assertEqual("1\n", (folder / "version").read_text())
            (folder / "version").unlink()
        part = pathlib.Path(f"{spool}.before-version-1.part")
        part.mkdir()  # of an upgrade that was interrupted
        (part / "half").write_text("")
        log = self.run_once()
        kept = self.tapal.config / "before-version-1.tar"
        self.assertRegex(log, f"upgraded what=configuration from_version=0 to_version=1 kept_before={kept}")
        self.assertRegex(log, f"upgraded what=spool from_version=0 to_version=1 kept_before={spool}.before-version-1")
        self.assertEqual([], ask(self.tapal.config, "backup", "verify", kept)["problems"])
        self.assertTrue((self.tapal.state / "spool.before-version-1/records/CURRENT").exists())
        self.assertFalse(part.exists())
        self.assertNotIn("upgraded", self.run_once())
        self.save()
        with tarfile.open(self.file) as tar:
            self.assertFalse([n for n in tar.getnames() if "before-version" in n])
        # Interrupted between the copy and the version: done again, and the copy stays.
        (spool / "version").unlink()
        before = kept.stat().st_mtime_ns
        self.assertIn("what=spool", self.run_once())
        self.assertEqual(before, kept.stat().st_mtime_ns)

    def test_what_a_newer_tapal_made_is_refused_with_both_versions(self):
        self.run_once()
        says = r"is of version 7, made by a newer tapal; this is tapal \S+, which knows version 1: install a newer"
        for folder, command in ((self.tapal.state / "spool", "serve"), (self.tapal.config, "serve"), (self.tapal.config, "config check")):
            with self.subTest(folder=folder, command=command):
                (folder / "version").write_text("7\n")
                done = self.tapal.command(*command.split())
                self.assertEqual(1, done.returncode)
                self.assertRegex(done.stdout + done.stderr, says)
                (folder / "version").write_text("1\n")
        (self.tapal.state / "spool/version").write_text("7\n")
        self.save()
        self.assertRegex(self.restore(code=1), says)
        self.assertFalse(self.new_config.exists())
        (self.tapal.config / "version").write_text("one\n")
        self.assertIn("is no version", self.tapal.command("config", "check").stdout)


if __name__ == "__main__":
    unittest.main()
