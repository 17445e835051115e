"""Mail that an alias hands over: to LMTP servers, programs, Maildir folders, web servers, and hosts."""
import email
import email.policy
import hashlib
import hmac
import http.server
import pathlib
import sys
import threading
import time
import unittest

from dns import Dns
from harness import PEERS, Case, message, new_address, wait_until
from peers import Dovecot
from sink import Sink


class LocalCase(Case):
    """A tapal whose aliases the test writes; mail is submitted by its user ann."""
    settings = {}

    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example", settings=cls.settings)
        cls.bin = cls.folder / "bin"
        cls.bin.mkdir()
        cls.tapal.write("aliases", "".join(f"{name}: {target}\n" for name, target in cls.aliases().items()))
        cls.tapal.start(Dns(cls).add(cls.tapal.dns_records()).start())

    @classmethod
    def program(cls, name, script):
        path = cls.bin / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        return path

    def waits_for(self, queue_id, text):
        def ask():
            said = self.tapal.command("why", queue_id).stdout
            return said if text in said else None
        return wait_until(ask, f"why {queue_id} says {text!r}; it says: {self.tapal.command('why', queue_id).stdout}")

    def logs_once(self, queue_id, pattern):
        """What waits only until the next attempt, a second later, is seen in the log."""
        return self.tapal.server.wait_for(f"(?=.*queue_id={queue_id}).*{pattern}")

    def status_about(self, recipient):
        raw = self.tapal.wait_for_mail_with("ann", f"Final-Recipient: rfc822; {recipient}".encode())
        parts = list(email.message_from_bytes(raw, policy=email.policy.default).iter_parts())
        return parts[1].get_payload()[1]


class Lmtp(LocalCase):
    @classmethod
    def aliases(cls):
        cls.dovecot = Dovecot(cls, "a.example", users=("one", "locked"))
        target = f":lmtp: unix:{cls.dovecot.socket}"
        return {"one": target, "locked": target, "gone": target, "nowhere": ":lmtp: unix:/nonexistent/lmtp"}

    def test_each_recipient_of_a_message_has_a_fate_of_its_own(self):
        self.dovecot.lock("locked")
        queue_id = self.tapal.submit([f"{name}@a.example" for name in ("one", "locked", "gone")])
        got = self.dovecot.wait_for_mail("one")[0]
        self.assertTrue(got.startswith(b"Return-Path: <ann@a.example>"), got)
        self.assertEqual(1, got.count(b"Return-Path:"))
        status = self.status_about("gone@a.example")
        self.assertEqual("5.1.1", status["Status"])
        self.assertIn("User doesn't exist", status["Diagnostic-Code"])
        self.assertNotIn(str(self.dovecot.socket), str(status))
        said = self.waits_for(queue_id, "451 4.2.0")
        self.assertIn(f"LMTP unix:{self.dovecot.socket}", said)
        self.dovecot.unlock("locked")
        self.dovecot.wait_for_mail("locked")
        self.tapal.wait_for_empty_queue()
        self.assertEqual(1, len(self.dovecot.mailbox("one")))

    def test_mail_for_a_server_that_is_not_there_waits(self):
        queue_id = self.tapal.submit("nowhere@a.example")
        self.waits_for(queue_id, "/nonexistent/lmtp: No such file or directory")
        self.tapal.command("queue", "drop", queue_id)


class Programs(LocalCase):
    @classmethod
    def aliases(cls):
        cls.seen = cls.folder / "seen"
        cls.seen.mkdir()
        once = cls.program("once", f"""
cd {cls.seen}
if [ ! -e tried ]; then : >tried; echo "not yet" >&2; exit 75; fi
env >environment; printf '%s|' "$@" >arguments; cat >message
""")
        refuse = cls.program("refuse", "cat >/dev/null; echo first; echo 'ann moved away'; exit 67\n")
        back = cls.program("back", f"exec {sys.executable} {cls.bin}/back.py\n")
        (cls.bin / "back.py").write_text(
            "import smtplib, sys\n"
            f"with smtplib.SMTP('{cls.tapal.address}', {cls.tapal.smtp_port}) as s:\n"
            "    s.sendmail('', ['back@a.example'], sys.stdin.buffer.read().replace(b'\\n', b'\\r\\n'))\n")
        cls.mdir = cls.folder / "procmail"
        rules = cls.folder / "procmailrc"
        rules.write_text(f"MAILDIR={cls.folder}\nDEFAULT={cls.mdir}/\nLOGFILE={cls.folder}/procmail.log\n"
                         ":0\n* ^Subject: junk\n{\n  EXITCODE=77\n  :0\n  /dev/null\n}\n")
        return {"once": f"| {once} plain \"two words\" '$HOME;`id`'", "refuse": f"| {refuse}",
                "missing": "| /nonexistent/program", "back": f"| {back}",
                "sort": f"| {PEERS}/procmail/usr/bin/procmail -m {rules}",
                "mapped": "once"}

    def test_a_program_that_says_75_is_run_again_and_sees_the_mail_as_files_here_are(self):
        queue_id = self.tapal.submit("mapped@a.example", message("ann@a.example", "mapped@a.example", "for a program"))
        self.logs_once(queue_id, r"message deferred .*not yet \(the program's exit code is 75\)")
        self.tapal.wait_for_empty_queue()
        self.assertEqual("plain|two words|$HOME;`id`|", (self.seen / "arguments").read_text())
        environment = dict(line.split("=", 1) for line in (self.seen / "environment").read_text().splitlines())
        for name, value in {"SENDER": "ann@a.example", "RECIPIENT": "once@a.example", "USER": "once",
                            "ORIGINAL_RECIPIENT": "mapped@a.example", "DOMAIN": "a.example", "EXTENSION": "",
                            "QUEUE_ID": queue_id}.items():
            self.assertEqual(value, environment.get(name), name)
        self.assertNotIn("HOME", environment)
        got = (self.seen / "message").read_bytes()
        self.assertTrue(got.startswith(b"Return-Path: <ann@a.example>\nDelivered-To: once@a.example\n"), got)
        self.assertNotIn(b"\r", got)
        self.assertIn(b"Subject: for a program\n", got)

    def test_a_refusal_comes_back_with_the_last_line_the_program_said(self):
        self.tapal.submit("refuse@a.example")
        status = self.status_about("refuse@a.example")
        self.assertEqual("5.1.1", status["Status"])
        self.assertIn("ann moved away", str(status))

    def test_mail_for_a_program_that_is_not_there_waits(self):
        queue_id = self.tapal.submit("missing@a.example")
        said = self.waits_for(queue_id, "/nonexistent/program: No such file or directory")
        self.assertIn("<missing@a.example> (program /nonexistent/program) waits", said)
        self.tapal.command("queue", "drop", queue_id)

    def test_mail_that_a_program_sends_back_to_its_own_address_ends_as_a_loop(self):
        self.tapal.submit("back@a.example")
        self.tapal.server.wait_for(r"message failed .*to=<back@a.example> .*status=5\.4\.6")
        self.tapal.wait_for_empty_queue()

    @unittest.skipUnless((PEERS / "procmail/.complete").exists(), "procmail is not unpacked: ./dev setup test")
    def test_procmail_keeps_and_refuses_mail(self):
        self.tapal.submit("sort@a.example", message("ann@a.example", "sort@a.example", "keep me"))
        kept = wait_until(lambda: list((self.mdir / "new").glob("*")), "procmail keeps the message")
        self.assertIn(b"Delivered-To: sort@a.example\n", kept[0].read_bytes())
        self.tapal.submit("sort@a.example", message("ann@a.example", "sort@a.example", "junk"))
        self.assertEqual("5.7.0", self.status_about("sort@a.example")["Status"])


class Hanging(LocalCase):
    settings = {"programs": {"time_max": "1s"}}

    @classmethod
    def aliases(cls):
        hang = cls.program("hang", f"[ -e {cls.folder}/go ] && exit 0; echo $$ >{cls.folder}/hanging; sleep 1000\n")
        return {"hang": f"| {hang}"}

    def test_a_program_that_hangs_is_killed_and_run_again(self):
        queue_id = self.tapal.submit("hang@a.example")
        self.logs_once(queue_id, "message deferred .*the program took too long")
        pid = int((self.folder / "hanging").read_text())
        (self.folder / "go").touch()
        self.tapal.wait_for_empty_queue()
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())


class Folders(LocalCase):
    @classmethod
    def aliases(cls):
        cls.sink = Sink(cls)
        return {"box": f":maildir: {cls.folder}/box", "both": f"ann, :maildir: {cls.folder}/copy",
                "far": f"bob@nowhere.example via {cls.sink.address}:{cls.sink.port}"}

    def test_a_maildir_folder_gets_the_mail(self):
        self.tapal.submit("box@a.example")
        kept = wait_until(lambda: list((self.folder / "box/new").glob("*")), "the folder has the message")
        self.assertTrue(kept[0].read_bytes().startswith(b"Return-Path: <ann@a.example>\nDelivered-To: box@a.example\n"))
        self.assertEqual([], list((self.folder / "box/tmp").glob("*")))

    def test_a_user_and_a_folder_both_get_it(self):
        self.tapal.submit("both@a.example", message("ann@a.example", "both@a.example", "for both"))
        wait_until(lambda: list((self.folder / "copy/new").glob("*")), "the folder has the message")
        self.tapal.wait_for_mail_with("ann", b"Subject: for both")

    def test_via_leads_to_a_host_whatever_dns_says(self):
        self.tapal.submit("far@a.example")
        wait_until(lambda: self.sink.messages, "the host has the message")
        self.assertEqual(["bob@nowhere.example"], self.sink.messages[0].recipients)


class Receiver(http.server.ThreadingHTTPServer):
    """Takes what is posted if its signature holds, after `refusals`: statuses to answer first."""

    def __init__(self, case, key_file):
        self.key_file, self.refusals, self.posts = key_file, [], []
        super().__init__((new_address(), 0), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        case.addClassCleanup(self.shutdown)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            key, stamp = self.server.key_file.read_bytes().strip(), self.headers["X-Tapal-Timestamp"]
            right = hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
            holds = hmac.compare_digest(right, self.headers["X-Tapal-Signature"]) and abs(time.time() - int(stamp)) < 300
            self.server.posts.append((self.path, dict(self.headers), body, holds))
            status = self.server.refusals.pop(0) if self.server.refusals else 200 if holds else 403
            text = f"this is {status}\n".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass


class Web(LocalCase):
    @classmethod
    def aliases(cls):
        cls.receiver = Receiver(cls, cls.tapal.config / "webhook.key")
        return {"hook": f":http: http://{cls.receiver.server_address[0]}:{cls.receiver.server_port}/in?token=t0p"}

    def setUp(self):
        self.receiver.posts.clear()

    def test_a_web_server_gets_the_mail_signed_as_often_as_it_takes(self):
        self.receiver.refusals[:] = [503]
        queue_id = self.tapal.submit("hook@a.example")
        self.logs_once(queue_id, "message deferred .*HTTP status 503: this is 503")
        self.tapal.wait_for_empty_queue()
        self.assertEqual(2, len(self.receiver.posts))
        path, headers, body, holds = self.receiver.posts[1]
        self.assertTrue(holds)
        self.assertEqual("/in?token=t0p", path)
        self.assertEqual("message/rfc822", headers["Content-Type"])
        self.assertEqual(("ann@a.example", "hook@a.example", queue_id),
                         tuple(headers[f"X-Tapal-{name}"] for name in ("Sender", "Recipient", "Queue-Id")))
        self.assertTrue(body.startswith(b"Return-Path: <ann@a.example>\r\nDelivered-To: hook@a.example\r\n"), body)

    def test_a_refusal_comes_back(self):
        self.receiver.refusals[:] = [404]
        self.tapal.submit("hook@a.example")
        status = self.status_about("hook@a.example")
        self.assertEqual("5.1.1", status["Status"])
        self.assertIn("HTTP status 404: this is 404", str(status))
        self.assertNotIn("t0p", str(status) + self.tapal.server.log())


if __name__ == "__main__":
    unittest.main()
