#!/usr/bin/python3
"""The Debian packages of build/packages in a Debian of their own that runs (machine.py): installed over an older
version, set up, used, broken, upgraded, removed, purged. As root.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import sys

from machine import Machine, make_debian, must, run, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "build/packages"
WORK = ROOT / "build/package-root"
UNIT = "/lib/systemd/system/tapal.service"
EXPOSURE_MAX = 2.0  # of 10, as `systemd-analyze security` counts
OLD = "0.0.1"


def package(name):
    found = list(PACKAGES.glob(f"{name}_*.deb"))
    assert len(found) == 1, f"{found}: one {name} in build/packages is wanted; ./dev package"
    return found[0]


class Trial:
    """The steps, in the order they stand in; each finds what those before it left."""

    def __init__(self, machine):
        self.machine, self.root = machine, machine.root
        for name in ("tapal", "tapal-mta"):
            shutil.copy(package(name), self.root / f"{name}.deb")

    # ---- how it is asked

    def ask(self, *words, **options):
        return must(self.machine(*words, **options))

    def systemctl(self, *words):
        return self.ask("systemctl", *words)

    def shown(self, property_):
        return self.machine("systemctl", "show", "-P", property_, "tapal").stdout.strip()

    def journal_tells(self, pattern, since):
        def look():
            told = self.ask("journalctl", "-o", "cat", "-u", "tapal", f"--since=@{since}")
            return re.search(pattern, told)
        wait_for(look, f"the journal tells: {pattern}")

    def now(self):
        return self.ask("date", "+%s").strip()

    def is_active(self):
        wait_for(lambda: self.shown("ActiveState") == "active", "tapal.service is active")

    def wait_for_mail(self, text):
        def look():
            return any(text.encode() in file.read_bytes() for file in (self.root / "var/lib/tapal/mail").rglob("new/*"))
        wait_for(look, f"mail with {text} is in the mailbox")

    def facts(self, path):
        return self.ask("stat", "-c", "%a %U:%G", f"/{path}").strip()

    @contextlib.contextmanager
    def changed_unit(self, text):
        """The unit with `text` in its service section."""
        changes = self.root / "etc/systemd/system/tapal.service.d"
        changes.mkdir(parents=True)
        (changes / "trial.conf").write_text(f"[Service]\n{text}")
        self.systemctl("daemon-reload")
        try:
            yield
        finally:
            shutil.rmtree(changes)
            self.systemctl("daemon-reload")
            self.machine("systemctl", "restart", "tapal")
            self.is_active()

    def greeting(self, port):
        return self.machine("timeout", "10", "bash", "-c", f"read -r line </dev/tcp/127.0.0.1/{port}; echo $line").stdout

    # ---- the steps

    def installs_an_older_version_and_starts_nothing(self):
        folder = self.root / "older"
        must(run("dpkg-deb", "-R", package("tapal"), folder))
        control = folder / "DEBIAN/control"
        control.write_text(re.sub(r"(?m)^Version: .*", f"Version: {OLD}", control.read_text()))
        must(run("dpkg-deb", "-b", "--root-owner-group", folder, self.root / "older.deb"))
        self.machine.apt("update")
        said = self.machine.apt("install", "/older.deb")
        assert "tapal up" in said, said
        for path, wanted in (("etc/tapal", "750 tapal:tapal"), ("var/lib/tapal", "700 tapal:tapal"),
                             ("var/spool/tapal", "1733 tapal:tapal")):
            assert self.facts(path) == wanted, (path, self.facts(path))
        assert (self.shown("ActiveState"), self.shown("UnitFileState")) == ("inactive", "disabled")

    def has_units_that_systemd_likes(self):
        told = self.machine("systemd-analyze", "verify", UNIT, UNIT.replace("service", "socket"))
        assert told.returncode == 0 and "tapal" not in told.stderr, told.stderr
        told = self.ask("systemd-analyze", "security", "--offline=true", UNIT)
        exposure = float(re.search(r"exposure level for tapal.service: ([\d.]+)", told)[1])
        print(f"      exposure {exposure} of 10")
        assert exposure <= EXPOSURE_MAX, told

    def shows_its_demo(self):
        assert "All of it holds." in self.ask("tapal", "demo", user="nobody")

    def is_set_up_by_root_and_runs_as_its_own_user(self):
        self.ask("tapal", "init", "a.example", "--hostname", "mail.a.example")
        strangers = self.ask("find", "/etc/tapal", "!", "-user", "tapal")
        assert strangers == "", strangers
        assert self.facts("etc/tapal/tapal.toml") == "600 tapal:tapal", self.facts("etc/tapal/tapal.toml")
        self.systemctl("enable", "--now", "tapal")
        self.is_active()
        status = json.loads(self.ask("tapal", "status", "--json"))
        assert status["service"]["listening"]["smtp"] == ["0.0.0.0:25", "[::]:25"], status
        assert self.shown("MainPID") == str(status["service"]["process"]), status
        assert self.facts(f"proc/{self.shown('MainPID')}").endswith("tapal:tapal")
        wait_for(lambda: self.shown("StatusText") == "running; 0 messages in the queue", "systemd knows how it is")
        assert self.greeting(25).startswith("220 mail.a.example"), self.greeting(25)

    def is_upgraded_while_it_runs_and_keeps_everything(self):
        before = (self.root / "etc/tapal/tapal.toml").read_bytes(), self.shown("MainPID")
        self.machine.apt("install", "/tapal.deb")
        assert self.ask("dpkg-query", "-W", "-f", "${Version}", "tapal") != OLD
        self.is_active()
        assert (self.root / "etc/tapal/tapal.toml").read_bytes() == before[0]
        assert self.shown("MainPID") != before[1], "the new program runs"

    def leaves_another_mail_server_where_it_is_and_waits_for_its_port(self):
        self.systemctl("stop", "tapal")
        self.machine.apt("install", "postfix")
        assert self.ask("dpkg-query", "-W", "-f", "${db:Status-Status}", "tapal") == "installed"
        wait_for(lambda: "Postfix" in self.greeting(25), "Postfix has port 25")
        since = self.now()
        assert self.machine("systemctl", "start", "tapal").returncode != 0
        self.journal_tells(r"0\.0\.0\.0:25: Address already in use by .*`ss -ltnp`", since)
        shown = self.machine("tapal", "status").stdout  # to root, who may know the process
        assert re.search(r"(?m)^port +25 IN USE by master \(process \d+\)$", shown), shown
        refused = self.machine("tapal", "serve").stderr
        assert "root must not run a server there" in refused, refused
        self.systemctl("stop", "postfix")
        self.is_active()

    def is_the_machines_sendmail(self):
        self.machine.apt("install", "/tapal-mta.deb")
        assert "installed" not in self.machine("dpkg-query", "-W", "-f", "${db:Status-Status}", "postfix").stdout
        with open(self.root / "letter", "w+") as letter:
            letter.write("Subject: by nobody\n\nwritten by nobody\n")
            letter.seek(0)
            self.ask("/usr/sbin/sendmail", "-t", "-i", "root", user="nobody", stdin=letter)
        self.wait_for_mail("written by nobody")
        assert self.machine("ls", "/var/spool/tapal", user="nobody").returncode != 0
        assert "0 messages in the queue" in self.ask("mailq")
        self.ask("newaliases")

    def has_crons_mail_while_it_is_down(self):
        self.systemctl("stop", "tapal")
        (self.root / "etc/cron.d").mkdir(exist_ok=True)
        (self.root / "etc/cron.d/trial").write_text("@reboot nobody echo said by cron itself\n")
        self.machine.apt("install", "cron")
        wait_for(lambda: self.machine("find", "/var/spool/tapal", "-type", "f").stdout, "cron has left its mail")
        self.systemctl("start", "tapal")
        self.wait_for_mail("said by cron itself")

    def is_restarted_by_the_watchdog(self):
        with self.changed_unit("WatchdogSec=2s\nTimeoutStopSec=2s\n"):
            self.systemctl("restart", "tapal")
            self.is_active()
            since, process = self.now(), self.shown("MainPID")
            self.systemctl("kill", "-s", "STOP", "tapal")
            self.journal_tells("Watchdog timeout", since)
            wait_for(lambda: self.shown("NRestarts") == "1", "it is restarted")
            self.is_active()
            assert self.shown("MainPID") != process

    def tells_that_it_may_not_have_its_ports(self):
        since = self.now()
        with self.changed_unit("AmbientCapabilities=\nCapabilityBoundingSet=\n"):
            assert self.machine("systemctl", "restart", "tapal").returncode != 0
            self.journal_tells(":25: Permission denied .*CAP_NET_BIND_SERVICE", since)

    def has_its_sockets_from_systemd_if_asked(self):
        self.systemctl("stop", "tapal")
        self.systemctl("start", "tapal.socket")
        assert self.shown("ActiveState") == "inactive"
        assert self.greeting(25).startswith("220 mail.a.example")
        self.is_active()
        self.systemctl("stop", "tapal.socket", "tapal.service")
        self.systemctl("start", "tapal")

    def has_its_pages_and_completions(self):
        for page in ("tapal", "tapal-queue", "tapal-up", "tapal.toml", "tapal-aliases", "sendmail", "mailq", "newaliases"):
            assert "tapal" in self.ask("man", "-P", "cat", page), page
        shown = self.ask("bash", "-c", ". /usr/share/bash-completion/completions/tapal; complete -p tapal")
        assert "_tapal" in shown, shown

    def is_removed_and_keeps_mail_and_settings(self):
        self.machine.apt("remove", "tapal", "tapal-mta")
        for gone in ("usr/bin/tapal", "usr/sbin/sendmail", "lib/systemd/system/tapal.service"):
            assert not os.path.lexists(self.root / gone), gone
        assert "tapal" not in self.ask("find", "/proc", "-maxdepth", "1", "-printf", "%u "), "nothing of it runs"
        assert (self.root / "etc/tapal/tapal.toml").exists() and (self.root / "var/lib/tapal/mail").exists()

    def is_purged_and_leaves_mail_alone(self):
        said = self.machine.apt("purge", "tapal", "tapal-mta")
        assert not (self.root / "etc/tapal").exists() and not (self.root / "var/spool/tapal").exists()
        assert (self.root / "var/lib/tapal/mail").exists() and "/var/lib/tapal stays" in said, said
        left = self.ask("find", "/usr", "/etc", "/lib", "-xdev", "-iname", "*tapal*")
        assert left == "", left


STEPS = [step for name, step in vars(Trial).items() if name.startswith(("installs", "has_", "shows", "is_", "leaves", "tells"))
         and name != "is_active"]


def main():
    if os.geteuid() != 0:
        print("package: needs root (namespaces, mount)", file=sys.stderr)
        return 1
    clean = WORK / "bookworm"
    make_debian("bookworm", clean)
    passed, machine = 0, Machine(clean, WORK / "archives")
    try:
        machine.start()
        trial = Trial(machine)
        for step in STEPS:
            name = step.__name__.replace("_", " ")
            try:
                step(trial)
            except (AssertionError, OSError) as wrong:
                print(f"FAIL  {name}\n{wrong}\n{machine('journalctl', '-n', '40').stdout}")
                break
            passed += 1
            print(f"ok    {name}", flush=True)
    finally:
        machine.stop()
    print(f"{passed} passed, {len(STEPS) - passed} failed, 0 skipped")
    return 0 if passed == len(STEPS) else 1


if __name__ == "__main__":
    sys.exit(main())
