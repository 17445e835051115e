"""`tapal up` where systemd runs: a stand-in for systemctl starts what the unit names, as the unit's user."""
import os
import pathlib
import shutil
import stat
import unittest

from harness import TAPAL, ask_tool
from up_test import DOMAIN, World

USER, NUMBER = "tapal", 64555
SYSTEMCTL = """#!/bin/sh
echo "systemctl $*" >>"{log}"
[ "$1" = enable ] || exit 0
unit={root}/etc/systemd/system/$3
[ -f "$unit" ] || unit={root}/usr/lib/systemd/system/$3
user=$(sed -n 's/^User=//p' "$unit")
exec >>"{log}" 2>&1 </dev/null
setsid setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=-all,+net_bind_service \\
  --ambient-caps=-all,+net_bind_service --bounding-set=-all,+net_bind_service \\
  $(sed -n 's/^ExecStart=//p' "$unit") &
until [ "$(ps -o sid= -p $! | tr -d ' ')" = $! ]; do sleep 0.05; done
"""


class Systemd(World):
    @classmethod
    def prepare(cls):
        super().prepare()
        for program in ("setpriv", "systemd-analyze"):
            if not shutil.which(program):
                raise unittest.SkipTest(f"{program} is not installed")
        if not os.access(pathlib.Path(TAPAL), os.X_OK) or any(
                not p.stat().st_mode & stat.S_IXOTH for p in pathlib.Path(TAPAL).resolve().parents):
            raise unittest.SkipTest("another user cannot start the program where it lies")
        cls.folder.chmod(0o711)
        # A user that only this machine has.
        for file, line in (("passwd", f"{USER}:x:{NUMBER}:{NUMBER}::/nonexistent:/usr/sbin/nologin\n"),
                           ("group", f"{USER}:x:{NUMBER}:\n")):
            mine = cls.folder / file
            mine.write_text(pathlib.Path("/etc", file).read_text() + line)
            done = cls.machine.run("mount", "--bind", mine, f"/etc/{file}")
            assert done.returncode == 0, done.stderr
        (cls.root / "run/systemd/system").mkdir(parents=True)
        cls.log = cls.folder / "systemctl.log"
        cls.log.touch(0o666)
        programs = cls.folder / "bin"
        programs.mkdir()
        (programs / "systemctl").write_text(SYSTEMCTL.format(log=cls.log, root=cls.root))
        (programs / "systemd-sysusers").write_text(f'#!/bin/sh\necho "systemd-sysusers $*" >>"{cls.log}"\n')
        for program in programs.iterdir():
            program.chmod(0o755)
        cls.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}

    def up(self, *more):
        return self.machine.run(*self.words("--root", self.root, *more), timeout=300, env=self.environment)

    def owners(self):
        """Whose the folders' files are, but for what only commands use."""
        return {file.stat().st_uid for folder in (self.config, self.state) for file in (folder, *folder.rglob("*"))}

    def users_of_servers(self):
        return [os.stat(f"/proc/{pid}").st_uid for pid in self.machine.processes()
                if b"serve" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]

    def comes_up(self):
        done = self.up("--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + self.log.read_text())
        self.assertIn("made  tapal.service is enabled and runs", done.stdout)
        self.assertIn("systemctl enable --now tapal.service", self.log.read_text())
        self.assertEqual(self.users_of_servers(), [NUMBER])
        self.assertEqual(self.owners(), {NUMBER})
        self.box.wait_for_mail("me", 2)

    def stays_up(self):
        done = self.up("--yes", "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual([line for line in self.json_lines(done) if line.get("mark") == "made"], [])

    def other_commands_of_root_leave_the_server_its_files(self):
        done = self.machine.run(TAPAL, "alias", "add", f"sales@{DOMAIN}", "me@box.example", "--config", self.config)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.owners(), {NUMBER})
        log = ask_tool("git", "-c", "safe.directory=*", "-C", self.config, "log", "--format=%s")
        self.assertEqual(log.stdout.splitlines()[0], "tapal alias add")


class OwnUnit(Systemd):
    def test_1_it_writes_a_unit_and_the_server_runs_by_it(self):
        self.comes_up()
        self.assertEqual([line for line in self.log.read_text().splitlines() if line.startswith("systemctl")][0],
                         "systemctl daemon-reload")
        self.assertIn(f"systemd-sysusers {self.root}/etc/sysusers.d/tapal.conf", self.log.read_text())

    def test_2_again_it_changes_nothing(self):
        self.stays_up()

    def test_3_other_commands(self):
        self.other_commands_of_root_leave_the_server_its_files()

    def test_4_systemd_has_nothing_against_the_unit(self):
        unit = self.root / "etc/systemd/system/tapal.service"
        done = ask_tool("systemd-analyze", "verify", "--man=no", unit)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = ask_tool("systemd-analyze", "security", "--offline=yes", "--threshold=20", unit)
        self.assertEqual(done.returncode, 0, done.stdout)
        users = self.root / "etc/sysusers.d/tapal.conf"
        done = ask_tool("systemd-sysusers", "--dry-run", users)
        self.assertNotIn("tapal.conf:", done.stderr)

    def test_5_everybody_may_leave_mail_for_it(self):
        drop = (self.state / "drop").stat()
        self.assertEqual((drop.st_uid, stat.S_IMODE(drop.st_mode)), (NUMBER, 0o1733))


class PackageWithoutSystemd(Systemd):
    @classmethod
    def prepare(cls):
        super().prepare()
        shutil.rmtree(cls.root / "run")
        for folder in (cls.config, cls.state):
            folder.mkdir(parents=True)
            os.chown(folder, NUMBER, NUMBER)

    def test_the_server_runs_as_the_user_whose_folders_they_are(self):
        done = self.up("--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("the server runs until this machine stops", done.stdout)
        self.assertEqual(self.users_of_servers(), [NUMBER])
        self.assertEqual(self.owners(), {NUMBER})
        self.box.wait_for_mail("me", 2)


class UnitOfAPackage(Systemd):
    @classmethod
    def prepare(cls):
        super().prepare()
        unit = cls.root / "usr/lib/systemd/system/tapal.service"
        unit.parent.mkdir(parents=True)
        unit.write_text(f"[Service]\nType=notify\nUser={USER}\nExecStart={TAPAL} serve --config {cls.config}\n")

    def test_1_it_is_used_as_it_is(self):
        self.comes_up()
        self.assertFalse((self.root / "etc").exists())

    def test_2_again_it_changes_nothing(self):
        self.stays_up()
