"""Full disks, taken ports, unreadable files: nothing acknowledged is lost, and the reason is told. Crashes are in tests/crash."""
import contextlib
import os
import re
import signal
import smtplib
import subprocess
import time
import unittest

from dns import Dns
from harness import TAPAL, Case, Server, message, raw_session, wait_until
from sink import Sink


def serials(sink):
    """How often each numbered message arrived."""
    found = {}
    for got in list(sink.messages):
        number = re.search(rb"^Subject: number (\S+)\r$", got.data, re.M)[1].decode()
        found[number] = found.get(number, 0) + 1
    return found


class FullDisk(Case):
    """The state folder on a small file system of its own: that takes root."""

    @classmethod
    def prepare(cls):
        if os.getuid() != 0:
            raise unittest.SkipTest("mounting a small file system takes root")
        cls.small = cls.folder / "small"
        cls.small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", cls.small], capture_output=True, text=True)
        if mounted.returncode:
            raise unittest.SkipTest(f"this system lets us mount nothing: {mounted.stderr.strip()}")
        cls.addClassCleanup(subprocess.run, ["umount", "-l", cls.small])
        cls.tapal = cls.new_tapal("a.example", settings={
            "state_folder": str(cls.small / "state"), "queue": {"disk_reserve": "8MiB", "retry": ["1s"]}})
        cls.tapal.state = cls.small / "state"
        cls.sink = Sink(cls, port=cls.delivery_port)
        cls.dns = Dns(cls).add(cls.tapal.dns_records())
        cls.dns.add(f"sink.example. 60 IN MX 10 mx.sink.example.\nmx.sink.example. 60 IN A {cls.sink.address}").start()
        cls.tapal.start(cls.dns)

    def test_a_full_disk_is_452_and_mail_goes_on_when_there_is_room(self):
        self.tapal.submit("bob@sink.example", message("ann@a.example", "bob@sink.example", "number before"))
        self.sink.wait_for(1)
        filler = self.small / "filler"
        free = os.statvfs(self.small).f_bavail * os.statvfs(self.small).f_frsize
        filler.write_bytes(b"\0" * max(0, free - (6 << 20)))  # less than the reserve is left

        def refusal():
            try:
                self.tapal.submit("bob@sink.example", message("ann@a.example", "bob@sink.example", "number during"))
            except smtplib.SMTPResponseException as error:
                return error
            except smtplib.SMTPRecipientsRefused as error:
                return smtplib.SMTPResponseException(*next(iter(error.recipients.values())))
            return None
        error = wait_until(refusal, "a refusal while the disk is full")
        self.assertEqual(452, error.smtp_code)
        self.assertTrue(error.smtp_error.startswith(b"4.3.1"), error.smtp_error)
        filler.unlink()
        wait_until(lambda: refusal() is None, "mail is taken when there is room")
        self.tapal.wait_for_empty_queue()
        self.assertIn("before", serials(self.sink))
        self.assertIn("during", serials(self.sink))
        self.assertTrue(self.tapal.server.running())

    def test_a_message_larger_than_the_room_is_refused_and_leaves_no_rest(self):
        with self.assertRaises((smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected)) as refused:
            self.tapal.submit("bob@sink.example", message("ann@a.example", "bob@sink.example", "number huge",
                                                          ("z" * 75 + "\n") * 620_000))  # 47 MB, not declared
        if isinstance(refused.exception, smtplib.SMTPResponseException):
            self.assertEqual(452, refused.exception.smtp_code)
        self.tapal.submit("bob@sink.example", message("ann@a.example", "bob@sink.example", "number after"))
        wait_until(lambda: "after" in serials(self.sink), "the next message goes")
        self.assertNotIn("huge", serials(self.sink))


class StartAndStop(Case):
    def setUp(self):
        self.number = getattr(type(self), "number", 0) + 1
        type(self).number = self.number
        self.tapal = self.new_tapal(f"s{self.number}.example")

    def fails_to_start(self):
        server = Server(self.tapal.host, [TAPAL, "serve", "--config", self.tapal.config])
        self.addCleanup(server.stop)
        wait_until(lambda: not server.running(), "it gives up")
        server.stop()
        self.assertEqual(1, server.process.returncode)
        return server.log()

    def test_a_certificate_that_cannot_be_read_is_named(self):
        key = self.tapal.certificate.parent / "privkey.pem"
        for name, spoil in {"broken": lambda: self.tapal.certificate.write_text("no certificate\n"),
                            "no key": key.unlink}.items():
            with self.subTest(name):
                spoil()
                said = self.fails_to_start()
                self.assertRegex(said, r"fullchain\.pem|privkey\.pem")

    def test_a_wrong_user_line_is_named_with_file_and_line(self):
        path = self.tapal.config / "domains" / self.tapal.domain / "users"
        path.write_text(path.read_text() + "this is no user line\n")
        self.assertRegex(self.fails_to_start(), r"users:2\b")

    def test_a_port_in_use_is_told_with_the_process_that_has_it(self):
        holder = Sink(self, self.tapal.address, self.tapal.smtp_port)
        said = self.fails_to_start()
        self.assertIn(str(self.tapal.smtp_port), said)
        self.assertIn("in use", said)
        self.assertRegex(said, rf"python|{os.getpid()}", "the process that has the port")
        holder.close()

    def test_two_servers_do_not_share_a_state_folder(self):
        self.tapal.start()
        port = self.tapal.smtp_port
        self.tapal.set({"listen": {"smtp": [f"{self.tapal.address}:0"], "submission": [], "submissions": []}})
        self.assertTrue(self.fails_to_start())
        self.assertTrue(self.tapal.server.running())
        with raw_session(self.tapal.address, port) as wire:
            self.assertTrue(wire.read_reply().startswith("220"))

    def test_sigterm_finishes_cleanly_and_keeps_what_waits(self):
        sink_hangs = Sink(self, reply=lambda s, *_: Sink.HANG if s == "final" else None)
        self.tapal.set({"routes": {"slow.example": f"{sink_hangs.address}:{sink_hangs.port}"}})
        self.tapal.start()
        ann = f"ann@{self.tapal.domain}"
        queue_id = self.tapal.submit("bob@slow.example", message(ann, "bob@slow.example"))
        wait_until(lambda: "DATA" in sink_hangs.commands or any(c.startswith("BDAT") for c in sink_hangs.commands),
                   "the message is on its way")
        began = time.monotonic()
        self.assertEqual(0, self.tapal.server.stop(60), self.tapal.server.log())
        self.assertLess(time.monotonic() - began, 45)
        self.assertIn("stopped", self.tapal.server.log())
        self.tapal.start()
        self.assertIn(queue_id, self.tapal.command("queue", "list").stdout, "still to be delivered")

    def test_sigterm_lets_a_session_under_way_know(self):
        self.tapal.start()
        with raw_session(self.tapal.address, self.tapal.smtp_port) as wire:
            wire.read_reply()
            wire.say("EHLO client.example")
            os.kill(self.tapal.pid(), signal.SIGTERM)
            self.assertIn(wire.read_reply()[:3], ("421", ""))
        self.assertEqual(0, self.tapal.server.stop())

    def test_sighup_reloads_users_and_keeps_the_old_ones_when_the_new_are_wrong(self):
        self.tapal.start()
        self.tapal.add_user(f"new@{self.tapal.domain}")
        mark = self.tapal.server.mark()
        os.kill(self.tapal.pid(), signal.SIGHUP)

        def can_log_in():
            with contextlib.suppress(smtplib.SMTPAuthenticationError):
                with self.tapal.client("new"):
                    return True
        wait_until(can_log_in, "the new user logs in")
        path = self.tapal.config / "tapal.toml"
        path.write_text("nonsense = 1\n" + path.read_text())
        os.kill(self.tapal.pid(), signal.SIGHUP)
        said = self.tapal.server.wait_for("changed configuration is not used", after=mark)
        self.assertIn("tapal.toml:1", said)
        self.assertTrue(can_log_in())

    def test_a_renewed_certificate_is_served_without_a_restart(self):
        self.tapal.start()
        before = self.peer_certificate()
        other = self.new_tapal(f"other{self.number}.example")  # another name's: what counts is that it changes
        folder = self.tapal.certificate.parent
        for name in ("fullchain.pem", "privkey.pem"):
            fresh = folder / f".{name}"
            fresh.write_bytes((other.certificate.parent / name).read_bytes())
            fresh.rename(folder / name)
        wait_until(lambda: self.peer_certificate() != before, "the new certificate is served")

    def peer_certificate(self):
        context = self.tapal.tls()
        context.verify_mode = 0
        with raw_session(self.tapal.address, self.tapal.submissions_port, context) as wire:
            return wire.socket.getpeercert(binary_form=True)


if __name__ == "__main__":
    unittest.main()
