"""OpenSMTPD from an unpacked package. Its paths and users are built in: it runs in a view of the file
system of its own, in which /var/spool, /var/lib, /run and the list of users are the benchmark's.
"""
import os
import pathlib

from peers.peer import DOMAIN, HOST, TREES, Peer, own_view, root_needed, tree_needed

TREE = TREES / "opensmtpd"
DAEMON, QUEUE = 61001, 61002  # user numbers that nobody has


class OpenSmtpd(Peer):
    name, title = "opensmtpd", "OpenSMTPD"
    idle_max = 5000
    greeting_patience = 5  # now and then it leaves a new connection without one

    def missing(self):
        return root_needed() or tree_needed("opensmtpd")

    def cannot(self, case):
        if case == "submission":
            return "Debian 12's build cannot serve TLS (its key process fails under OpenSSL 3)"
        return "cannot serve TLS" if case == "idle-tls" else ""

    def start(self, work):
        work.group.start(own_view(self.make_view(work), [*work.trace, TREE / "usr/sbin/smtpd", "-d", "-f",
                                                         work.folder / "smtpd.conf"]), work.folder / "log")

    def make_view(self, work):
        folder = work.folder
        (folder / "lib/opensmtpd/empty").mkdir(parents=True, exist_ok=True)
        spool = folder / "spool/smtpd"
        for name, user, group, mode in (("", 0, 0, 0o711), ("queue", QUEUE, 0, 0o700), ("purge", QUEUE, 0, 0o700),
                                        ("corrupt", QUEUE, 0, 0o700), ("temporary", QUEUE, 0, 0o700),
                                        ("incoming", QUEUE, 0, 0o700), ("offline", 0, QUEUE, 0o770)):
            (spool / name).mkdir(parents=True, exist_ok=True)
            os.chown(spool / name, user, group)
            os.chmod(spool / name, mode)
        (folder / "run").mkdir(exist_ok=True)
        users = {"opensmtpd": DAEMON, "opensmtpq": QUEUE}
        for name, row in (("passwd", "{0}:x:{1}:{1}::/var/lib/opensmtpd/empty:/bin/false\n"), ("group", "{0}:x:{1}:\n")):
            existing = pathlib.Path("/etc", name).read_text()
            (folder / name).write_text(existing + "".join(row.format(*u) for u in users.items()))
        (folder / "smtpd.conf").write_text(self.configuration(work))
        return {folder / "spool": "/var/spool", folder / "lib": "/var/lib", folder / "run": "/run",
                folder / "passwd": "/etc/passwd", folder / "group": "/etc/group"}

    def configuration(self, work):
        return (f"smtp limit max-mails 1000000\nsmtp max-message-size 50M\n{self.limits()}"
                f"listen on 127.0.0.1 port {work.port} hostname {HOST}\n"
                f'action "onward" relay host "smtp://127.0.0.1:{work.sink_port}"\n'
                f'match from any for any action "onward"\n')

    def limits(self):
        return ""

    def flush(self, work):
        control = own_view(self.make_view(work), [TREE / "usr/sbin/smtpctl", "schedule", "all"])
        work.group.start(control, work.folder / "log.control")


class TunedOpenSmtpd(OpenSmtpd):
    """Without its default courtesies: a pause between connections, a hundred messages on each."""
    name, title = "opensmtpd-tuned", "OpenSMTPD, tuned"

    def cannot(self, case):
        return super().cannot(case) or ("as OpenSMTPD" if case.startswith("idle") else "")

    def limits(self):
        limits = {f"max-conn-per-{what}": 20 for what in ("connector", "domain", "host", "relay", "route", "source")}
        limits |= {f"conn-delay-{what}": 0 for what in ("connector", "domain", "host", "relay", "route", "source")}
        limits |= {"reconn-delay-route": 0, "session-mail-max": 100000, "session-transaction-delay": 0}
        return "".join(f"mta limit {name} {value}\n" for name, value in limits.items())
