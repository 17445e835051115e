"""tapal and other mail servers, both ways: Postfix and Exim take its mail and hand it theirs."""
import email
import email.policy
import smtplib
import unittest

import dkim

from dns import Dns
from harness import PATIENCE, Case, message
from peers import Exim, Postfix


class Relaying:
    """What every mail server has to go through with tapal; one class below for each."""

    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example")
        cls.peer = cls.make_peer(cls, (cls.tapal.address, cls.tapal.smtp_port))
        cls.dns = Dns(cls).add(cls.tapal.dns_records())
        cls.dns.add(f"peer.example. 60 IN MX 10 mx.peer.example.\nmx.peer.example. 60 IN A {cls.peer.address}")
        cls.dns.start()
        cls.tapal.start(cls.dns)

    def txt(self, name, timeout=5):
        return (self.dns.text_of(name.decode()) or "").encode()

    def test_tapal_delivers_over_starttls_and_the_signature_survives(self):
        self.tapal.submit("bob@peer.example", message("ann@a.example", "bob@peer.example", "to the peer"))
        raw = self.peer.wait_for_mail_with("bob", b"to the peer")
        self.assertRegex(raw.decode(), r"TLS")
        self.assertTrue(dkim.verify(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), dnsfunc=self.txt), raw.decode())
        self.tapal.server.wait_for(r"message delivered.*bob@peer\.example.*TLSv1\.")

    def test_many_recipients_and_messages_share_connections(self):
        before = len(self.peer.mailbox("cyd"))
        for i in range(10):
            self.tapal.submit(["cyd@peer.example", "dan@peer.example"],
                              message("ann@a.example", "cyd@peer.example", f"number {i}"))
        self.peer.wait_for_mail("cyd", before + 10)
        self.peer.wait_for_mail("dan", 10)
        self.tapal.wait_for_empty_queue()

    def test_an_unknown_user_there_comes_back_as_a_signed_report(self):
        self.tapal.submit("nobody-here@peer.example", message("ann@a.example", "x@peer.example", "astray"))
        raw = self.tapal.wait_for_mail_with("ann", b"nobody-here")
        report = email.message_from_bytes(raw, policy=email.policy.default)
        self.assertEqual("<>", report["Return-Path"])
        self.assertEqual("multipart/report", report.get_content_type())
        self.assertEqual("delivery-status", report.get_param("report-type"))
        self.assertEqual("auto-replied", report["Auto-Submitted"].split(";")[0])
        _, status, returned = report.iter_parts()
        self.assertEqual("message/delivery-status", status.get_content_type())
        per_message, per_recipient = status.get_payload()
        self.assertTrue(per_message["Reporting-MTA"].startswith("dns;"))
        self.assertEqual("rfc822; nobody-here@peer.example", per_recipient["Final-Recipient"])
        self.assertEqual("failed", per_recipient["Action"])
        self.assertRegex(per_recipient["Status"], r"^5\.1\.1$")
        self.assertIn("550", per_recipient["Diagnostic-Code"])
        self.assertIn(returned.get_content_type(), ("message/rfc822", "text/rfc822-headers"))
        wire = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        signed = wire[wire.index(b"DKIM-Signature"):]  # below what the mailbox put on top
        self.assertTrue(dkim.verify(signed, dnsfunc=self.txt), raw.decode())

    def test_the_peer_relays_to_us(self):
        with smtplib.SMTP(self.peer.address, self.peer.port, timeout=PATIENCE) as session:
            session.sendmail("bob@peer.example", "ann@a.example", message("bob@peer.example", "ann@a.example", "to you"))
        raw = self.tapal.wait_for_mail_with("ann", b"to you")
        self.assertTrue(raw.startswith(b"Return-Path: <bob@peer.example>"), raw[:200])
        self.tapal.server.wait_for(r"message accepted.*from=<bob@peer.example>.*tls=.*TLSv1\.")

    def test_the_peer_bounces_what_we_refuse(self):
        before = len(self.peer.mailbox("dan"))
        with smtplib.SMTP(self.peer.address, self.peer.port, timeout=PATIENCE) as session:
            session.sendmail("eve@peer.example", "no-such-user@a.example",
                             message("eve@peer.example", "no-such-user@a.example"))
        raw = self.peer.wait_for_mail_with("eve", b"no-such-user")
        self.assertIn(b"5.1.1", raw)
        self.assertEqual(before, len(self.peer.mailbox("dan")))


USERS = ("bob", "cyd", "dan", "eve")


class WithPostfix(Relaying, Case):
    @staticmethod
    def make_peer(case, relay):
        return Postfix(case, "peer.example", case.delivery_port, USERS, relay)


class WithExim(Relaying, Case):
    @staticmethod
    def make_peer(case, relay):
        return Exim(case, "peer.example", case.delivery_port, USERS, relay)


if __name__ == "__main__":
    unittest.main()
