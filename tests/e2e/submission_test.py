"""Mail programs that are not ours submit; what arrives is signed, complete and tells no secrets."""
import base64
import email
import email.policy
import json
import os
import re
import unittest
from email.message import EmailMessage

import dkim

from dns import Dns
from harness import NODE, PASSWORD, TAPAL, Case, ask_tool, header_of, message
from sink import Sink


class SubmissionCase(Case):
    """A tapal for a.example, a sink for sink.example, DNS for both."""

    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example", users=("ann", "änne"),
                                   settings={"delivery": {"idle_connection": "0s"}})  # tests change what the sink offers
        cls.sink = Sink(cls, port=cls.delivery_port)
        made = cls.tapal.command("dkim", "keygen", "a.example", "--selector", "ed", "--algorithm", "ed25519")
        assert made.returncode == 0, made.stderr
        cls.dns = Dns(cls).add(cls.tapal.dns_records())
        cls.dns.add(f"sink.example. 60 IN MX 10 mx.sink.example.\nmx.sink.example. 60 IN A {cls.sink.address}")
        cls.dns.start()
        cls.tapal.start(cls.dns)

    def setUp(self):
        self.sink.messages.clear()

    def arrived(self):
        """The one message that arrived, which must be in order."""
        got = self.sink.wait_for(1)[0]
        self.assertTrue(got.tls, "the sink offers STARTTLS; it must be used")
        self.check_signatures(got.data)
        self.check_header(got.data)
        return got

    def check_header(self, raw):
        fields = email.message_from_bytes(raw, policy=email.policy.compat32)
        for name in ("Date", "Message-ID", "From"):
            self.assertEqual(1, len(fields.get_all(name, [])), f"{name} fields in:\n{header_of(raw)}")
        self.assertEqual([], fields.get_all("Bcc", []), header_of(raw))
        received = fields.get_all("Received", [])
        self.assertTrue(received, "a Received field")
        for line in received:
            self.assertNotIn("client.example", str(line))
            self.assertIsNone(re.search(r"\b127\.\d+\.\d+\.\d+", str(line)), f"the client's address is told: {line}")

    def check_signatures(self, raw):
        path = self.folder / f"{self.id().split('.')[-1]}.eml"
        path.write_bytes(raw)
        count = len(email.message_from_bytes(raw).get_all("DKIM-Signature", []))
        self.assertEqual(2, count, "an RSA and an Ed25519 signature")

        def txt(name, timeout=5):
            return (self.dns.text_of(name.decode() if isinstance(name, bytes) else name) or "").encode()
        for index in range(count):
            self.assertTrue(dkim.DKIM(raw).verify(idx=index, dnsfunc=txt), f"dkimpy on signature {index}")
        ours = ask_tool(TAPAL, "dkim", "verify", "--dns-server", self.dns.endpoint, path)
        self.assertEqual(0, ours.returncode, ours.stdout + ours.stderr)
        self.assertEqual(["pass"] * count, [line.split()[0] for line in ours.stdout.splitlines()])
        theirs = ask_tool("node", NODE / "verify.mjs", self.dns.endpoint, path)
        self.assertEqual(0, theirs.returncode, theirs.stdout + theirs.stderr)
        verdicts = {line.split()[2]: line.split()[0] for line in theirs.stdout.splitlines()}
        self.assertEqual({"rsa-sha256": "pass", "ed25519-sha256": "pass"}, verdicts, theirs.stdout)

    def swaks(self, *options):
        done = ask_tool("swaks", "--from", "ann@a.example", "--to", "bob@sink.example", "--server", self.tapal.address,
                        "--auth-user", "ann@a.example", "--auth-password", PASSWORD, "--timeout", "20",
                        "--tls-ca-path", self.tapal.certificate, "--ehlo", "client.example", *options)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout


class Swaks(SubmissionCase):
    def test_swaks_on_587_with_plain(self):
        talk = self.swaks("--port", self.tapal.submission_port, "--tls", "--auth", "PLAIN")
        self.assertIn("STARTTLS", talk)
        self.arrived()

    def test_swaks_on_465_with_login(self):
        self.swaks("--port", self.tapal.submissions_port, "--tls-on-connect", "--auth", "LOGIN")
        self.arrived()

    def test_swaks_with_an_attachment_and_bcc(self):
        attachment = self.folder / "noise.bin"
        attachment.write_bytes(os.urandom(100_000))
        self.swaks("--port", self.tapal.submissions_port, "--tls-on-connect", "--auth", "PLAIN",
                   "--attach", f"@{attachment}", "--add-header", "Bcc: <hidden@sink.example>")
        self.assertGreater(len(self.arrived().data), 100_000)


class Msmtp(SubmissionCase):
    def send(self, port, auth, starttls):
        configuration = self.folder / "msmtprc"
        configuration.write_text(
            f"account default\nhost {self.tapal.address}\nport {port}\nfrom ann@a.example\n"
            f"auth {auth}\nuser ann@a.example\npassword {PASSWORD}\ntls on\ntls_starttls {starttls}\n"
            f"tls_trust_file {self.tapal.certificate}\ntls_host_override {self.tapal.host}\ntimeout 20\n")
        configuration.chmod(0o600)
        done = ask_tool("msmtp", "-C", configuration, "--debug", "bob@sink.example",
                        input=message("ann@a.example", "bob@sink.example").decode().replace("\r\n", "\n"))
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.arrived()
        return done.stdout + done.stderr

    def test_msmtp_on_587_with_scram_sha_256(self):
        self.assertIn("AUTH SCRAM-SHA-256", self.send(self.tapal.submission_port, "scram-sha-256", "on"))

    def test_msmtp_on_465_with_plain(self):
        self.assertIn("AUTH PLAIN", self.send(self.tapal.submissions_port, "plain", "off"))


class Nodemailer(SubmissionCase):
    def send(self, **job):
        job = {"host": self.tapal.address, "port": self.tapal.submissions_port, "secure": True,
               "servername": self.tapal.host, "ca": str(self.tapal.certificate), "user": "ann@a.example",
               "pass": PASSWORD, **job}
        return ask_tool("node", NODE / "submit.mjs", json.dumps(job))

    def test_nodemailer_sends_html_with_attachment_and_non_ascii_subject(self):
        done = self.send(message={"from": "Ann <ann@a.example>", "to": "bob@sink.example", "bcc": "cyd@sink.example",
                                  "subject": "Grüße aus तपाल", "text": "Hallo", "html": "<p>Hallo</p>",
                                  "attachments": [{"filename": "a.txt", "content": "x" * 5000}]})
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        got = self.arrived()
        read = email.message_from_bytes(got.data, policy=email.policy.default)
        self.assertEqual("Grüße aus तपाल", read["Subject"])
        self.assertEqual({"bob@sink.example", "cyd@sink.example"},
                         {r for m in self.sink.messages for r in m.recipients})

    def test_nodemailer_on_587_with_login(self):
        done = self.send(port=self.tapal.submission_port, secure=False, method="LOGIN",
                         message={"from": "ann@a.example", "to": "bob@sink.example", "subject": "x", "text": "y"})
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.arrived()

    def test_nodemailer_is_told_a_wrong_password(self):
        done = self.send(**{"pass": "wrong"}, message={"from": "ann@a.example", "to": "bob@sink.example", "text": "y"})
        self.assertEqual(1, done.returncode)
        self.assertIn("535", done.stdout)


class Smtplib(SubmissionCase):
    def test_smtplib_sends_five_megabytes_unchanged(self):
        content = os.urandom(5_000_000)
        made = EmailMessage()
        made["From"], made["To"], made["Subject"] = "ann@a.example", "bob@sink.example", "large"
        made.set_content("see attachment")
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename="noise.bin")
        with self.tapal.client() as session:
            session.send_message(made)
        read = email.message_from_bytes(self.arrived().data, policy=email.policy.default)
        self.assertEqual(content, next(read.iter_attachments()).get_content())

    def test_smtplib_with_smtputf8_keeps_the_address_as_it_is(self):
        made = EmailMessage(policy=email.policy.SMTPUTF8)
        made["From"], made["To"], made["Subject"] = "änne@a.example", "jürgen@sink.example", "Grüße"
        made.set_content("Schöne Grüße")
        with self.tapal.client(login=False) as session:
            # smtplib's login() takes ASCII alone: RFC 4616 by hand.
            session.ehlo()
            plain = base64.b64encode(f"\0änne@a.example\0{PASSWORD}".encode()).decode()
            self.assertEqual(235, session.docmd("AUTH", "PLAIN " + plain)[0])
            session.send_message(made)
        got = self.arrived()
        self.assertEqual(["jürgen@sink.example"], [r.encode("utf-8", "surrogateescape").decode() for r in got.recipients])
        self.assertIn("SMTPUTF8", got.options)

    def test_a_message_that_needs_smtputf8_bounces_where_the_peer_lacks_it(self):
        self.sink.extensions.remove("SMTPUTF8")
        self.addCleanup(self.sink.extensions.append, "SMTPUTF8")
        before = len(self.tapal.mailbox("ann"))
        with self.tapal.client() as session:
            session.ehlo()
            session.mail("ann@a.example", ["SMTPUTF8"])
            session.sock.sendall("RCPT TO:<jürgen@sink.example>\r\n".encode())
            self.assertEqual(250, session.getreply()[0])
            self.assertEqual(250, session.data(message("ann@a.example", "x@sink.example"))[0])
        notice = self.tapal.wait_for_mail("ann", before + 1)[-1]
        self.assertRegex(notice, rb"Status: 5\.6\.[79]")  # RFC 6531 section 3.7.4.2

    def test_an_existing_date_and_message_id_are_kept(self):
        text = message("ann@a.example", "bob@sink.example",
                       extra="Date: Mon, 02 Mar 2026 10:00:00 +0000\nMessage-ID: <mine@a.example>\n")
        self.tapal.submit("bob@sink.example", text)
        header = header_of(self.arrived().data)
        self.assertIn("Message-ID: <mine@a.example>", header)
        self.assertIn("Date: Mon, 02 Mar 2026 10:00:00 +0000", header)

    def test_bcc_is_taken_out(self):
        text = message("ann@a.example", "bob@sink.example", extra="Bcc: secret@sink.example\n")
        self.tapal.submit(["bob@sink.example", "secret@sink.example"], text)
        got = self.arrived()
        self.assertNotIn(b"Bcc:", got.data)

    def test_dots_at_line_starts_and_long_lines_come_through(self):
        body = "..two\n.one\n.\n" + "x" * 998 + "\nend\n"
        with self.tapal.client() as session:
            session.sendmail("ann@a.example", "bob@sink.example", message("ann@a.example", "bob@sink.example", body=body))
        self.assertTrue(self.arrived().data.endswith(body.replace("\n", "\r\n").encode()))


if __name__ == "__main__":
    unittest.main()
