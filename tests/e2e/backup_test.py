"""tapal backup: the configuration folder as a git repository, looked at with git itself."""
import concurrent.futures
import json
import os
import shutil
import subprocess
import time
import unittest

from harness import TAPAL, Case, ask_tool

GIT = ("git", "-c", "safe.directory=*")
PASSPHRASE = "seven horses in a row"


class Backup(Case):
    @classmethod
    def prepare(cls):
        cls.count = 0

    def setUp(self):
        type(self).count += 1
        self.tapal = self.new_tapal(f"d{self.count}.example")
        self.config = self.tapal.config
        self.passphrase_file = self.tapal.folder / "passphrase"
        self.passphrase_file.write_text(PASSPHRASE + "\n")

    def tell(self, *words):
        done = self.tapal.command(*words, "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def git(self, *words, folder=None):
        done = ask_tool(*GIT, "-C", folder or self.config, *words)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout.strip()

    def messages(self):
        return self.git("log", "--format=%an: %s").split("\n")

    def remote(self):
        bare = self.tapal.folder / "remote.git"
        ask_tool(*GIT, "init", "-q", "--bare", "-b", "main", bare)
        return bare

    def secrets(self):
        """Bytes that are not to be found: of each secret file, its telling part."""
        domain = self.config / "domains" / self.tapal.domain
        key = next((domain / "dkim").glob("*.pem"))
        tls = self.config / "certs" / self.tapal.host / "privkey.pem"
        users = (domain / "users").read_text()
        return {
            "DKIM key": key.read_bytes().split(b"\n")[1],
            "TLS key": tls.read_bytes().split(b"\n")[1],
            "SRS key": (self.config / "srs.keys").read_bytes().strip().split(b"\n")[-1],
            "webhook key": (self.config / "webhook.key").read_bytes().strip(),
            "password hash": next(w for w in users.split() if "argon2id" in w).encode()[-40:],
        }

    def objects(self, folder):
        """Every object that the repository holds, reachable or not, as bytes."""
        done = subprocess.run([*GIT, "-C", str(folder), "cat-file", "--batch-all-objects", "--batch", "--unordered"],
                              capture_output=True, check=True)
        self.assertIn(b"hostname", done.stdout)  # it does hold the settings
        return done.stdout

    def test_commits_every_change_and_keeps_secrets_out(self):
        said = self.tell("backup", "init")
        self.assertEqual("out", said["keys"])
        self.assertEqual([], said["changed"])
        self.assertIn(f"domains/{self.tapal.domain}/users", said["secret"])
        self.tapal.command("alias", "add", f"info@{self.tapal.domain}", "ann")
        self.tapal.add_user(f"eve@{self.tapal.domain}")
        (self.config / "tapal.toml").write_text((self.config / "tapal.toml").read_text() + "# mine\n")
        self.tapal.command("alias", "add", f"sales@{self.tapal.domain}", "ann")
        self.assertEqual(["tapal: tapal alias add", "tapal: edited by hand", "tapal: tapal alias add",
                          "tapal: tapal backup init"], self.messages())
        objects = self.objects(self.config)
        for name, secret in self.secrets().items():
            self.assertGreater(len(secret), 15, name)
            self.assertNotIn(secret, objects, name)

    def test_takes_in_the_files_that_aliases_include(self):
        (self.config / "domains" / self.tapal.domain / "staff").write_text("ann\n")
        self.tapal.write("aliases", "all: :include: staff\n")
        self.tell("backup", "init")
        self.assertIn(f"domains/{self.tapal.domain}/staff", self.git("ls-files").split("\n"))

    def test_is_pushed_and_can_be_cloned(self):
        bare = self.remote()
        said = self.tell("backup", "remote", bare)
        self.assertEqual(0, said["not_pushed"])
        self.tapal.command("alias", "add", f"info@{self.tapal.domain}", "ann")
        clone = self.tapal.folder / "clone"
        ask_tool(*GIT, "clone", "-q", bare, clone)
        self.assertIn("info", (clone / "domains" / self.tapal.domain / "aliases").read_text())

    def test_fails_no_command_when_the_remote_is_gone(self):
        bare = self.remote()
        self.tell("backup", "remote", bare)
        shutil.rmtree(bare)
        done = self.tapal.command("alias", "add", f"info@{self.tapal.domain}", "ann")
        self.assertEqual(0, done.returncode)
        self.assertIn("committed, but not pushed", done.stderr)
        self.assertEqual(1, self.tell("backup", "status")["not_pushed"])
        self.assertEqual(1, self.tapal.command("backup", "now").returncode)
        self.remote()
        self.assertEqual(0, self.tell("backup", "now")["not_pushed"])

    def test_seals_secrets_for_whoever_has_the_passphrase(self):
        bare = self.remote()
        self.tell("backup", "init", "--keys", "encrypted", "--passphrase-file", self.passphrase_file)
        self.tell("backup", "remote", bare)
        self.tapal.add_user(f"eve@{self.tapal.domain}")  # sealed again, and nobody asked for the passphrase
        before = self.git("rev-parse", "HEAD")
        self.tell("backup", "now")
        self.assertEqual(before, self.git("rev-parse", "HEAD"), "the same secrets are not sealed twice")
        objects = self.objects(bare)
        for name, secret in self.secrets().items():
            self.assertNotIn(secret, objects, name)
        self.assertNotIn(PASSPHRASE.encode(), objects)

        clone = self.tapal.folder / "clone"
        ask_tool(*GIT, "clone", "-q", bare, clone)
        wrong = self.tapal.folder / "wrong"
        wrong.write_text("eight horses in a row\n")
        done = ask_tool(*self.restore(clone, wrong))
        self.assertEqual(1, done.returncode)
        self.assertIn("passphrase is another", done.stderr)
        done = ask_tool(*self.restore(clone, self.passphrase_file))
        self.assertEqual(0, done.returncode, done.stderr)
        for name in (f"domains/{self.tapal.domain}/users", "srs.keys", f"certs/{self.tapal.host}/privkey.pem"):
            self.assertEqual((self.config / name).read_bytes(), (clone / name).read_bytes(), name)
            self.assertEqual(0o600, (clone / name).stat().st_mode & 0o777, name)
        again = ask_tool(*self.restore(clone, self.passphrase_file))
        self.assertNotIn("restored", again.stdout)
        self.assertEqual("", ask_tool(*GIT, "-C", clone, "status", "--porcelain").stdout)

    def restore(self, clone, passphrase):
        return TAPAL, "backup", "restore-keys", "--passphrase-file", passphrase, "--config", clone

    def test_holds_them_in_the_clear_only_when_the_owner_says_so(self):
        self.tell("backup", "init", "--keys", "plain")
        objects = self.objects(self.config)
        for name, secret in self.secrets().items():
            self.assertIn(secret, objects, name)
        self.tell("backup", "init", "--keys", "out")
        self.assertNotIn("srs.keys", self.git("ls-files"))

    def test_refuses_a_certificate_file_with_its_key_in_it(self):
        certs = self.config / "certs" / self.tapal.host
        (certs / "fullchain.pem").write_text((certs / "fullchain.pem").read_text() + (certs / "privkey.pem").read_text())
        done = self.tapal.command("backup", "init")
        self.assertEqual(1, done.returncode)
        self.assertIn("holds a private key", done.stderr)

    def test_loses_nothing_when_commands_run_at_once(self):
        self.tell("backup", "init")
        names = [f"info{n}@{self.tapal.domain}" for n in range(6)]
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            codes = list(pool.map(lambda n: self.tapal.command("alias", "add", n, "ann").returncode, names))
        self.assertEqual([0] * 6, codes)
        self.git("fsck", "--strict")
        self.assertEqual([], self.tell("backup", "status")["changed"])
        text = self.git("show", f"HEAD:domains/{self.tapal.domain}/aliases")
        for n in range(6):
            self.assertIn(f"info{n}", text)

    def test_mends_what_a_killed_git_left_behind(self):
        self.tell("backup", "init")
        lock = self.config / ".git" / "index.lock"
        lock.touch()
        done = self.tapal.command("alias", "add", f"info@{self.tapal.domain}", "ann")
        self.assertEqual(0, done.returncode)
        self.assertIn("git is at work", done.stderr)
        old = time.time() - 3600
        os.utime(lock, (old, old))
        self.tell("backup", "now")
        self.assertFalse(lock.exists())
        self.assertIn("info", self.git("show", f"HEAD:domains/{self.tapal.domain}/aliases"))

    def test_refuses_remotes_that_would_tell_a_secret(self):
        for url in ("https://me:secret@git.example/x.git", "ext::sh -c true", "-oProxyCommand=x"):
            done = self.tapal.command("backup", "remote", "--", url)
            self.assertNotEqual(0, done.returncode, url)
            self.assertNotIn("secret@", done.stderr + done.stdout)

    def test_is_nothing_where_nobody_asked_for_it(self):
        self.tapal.command("alias", "add", f"info@{self.tapal.domain}", "ann")
        self.assertFalse((self.config / ".git").exists())
        done = self.tapal.command("backup", "status")
        self.assertEqual(1, done.returncode)
        self.assertIn("tapal backup init", done.stderr)


if __name__ == "__main__":
    unittest.main()
