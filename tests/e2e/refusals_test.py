"""What is not allowed ends in the right code and a clear text, and nothing of it is accepted."""
import base64
import smtplib
import unittest

from harness import PASSWORD, Case, message, raw_session


def plain(user, password):
    return "AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode()


class RefusalCase(Case):
    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example", users=("ann", "bob"), settings={"limits": {"message_bytes": "100KB"}})
        cls.tapal.write("aliases", "info: ann\n")
        users = cls.tapal.config / "domains/a.example/users"
        text = users.read_text().splitlines()
        users.write_text("".join(line + (" may-send-as=team@a.example" if line.startswith("bob:") else "") + "\n" for line in text))
        cls.tapal.start()

    def tearDown(self):
        self.assertTrue(self.tapal.server.running())

    def port25(self):
        wire = raw_session(self.tapal.address, self.tapal.smtp_port)
        self.addCleanup(wire.close)
        self.assertTrue(wire.read_reply().startswith("220 "))
        return wire

    def port587(self):
        wire = raw_session(self.tapal.address, self.tapal.submission_port)
        self.addCleanup(wire.close)
        self.assertTrue(wire.read_reply().startswith("220 "))
        return wire

    def logged_in(self, user="ann"):
        session = self.tapal.client(user)
        self.addCleanup(session.close)
        session.ehlo_or_helo_if_needed()
        return session

    def assert_reply(self, reply, *starts):
        text = reply if isinstance(reply, str) else f"{reply[0]} {reply[1].decode()}"
        self.assertTrue(text.replace("-", " ", 1).startswith(starts), text)


class Authentication(RefusalCase):
    def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(self):
        answers = []
        for user, password in (("ann@a.example", "wrong"), ("nobody@a.example", PASSWORD), ("ann@other.example", PASSWORD)):
            with self.tapal.client(login=False) as session:
                session.ehlo()
                answers.append(session.docmd(plain(user, password)))
        self.assert_reply(answers[0], "535 5.7.8")
        self.assertEqual(1, len(set(answers)), answers)
        self.tapal.server.wait_for(r"login failed.*nobody@a\.example")

    def test_many_wrong_passwords_end_the_session(self):
        with raw_session(self.tapal.address, self.tapal.submissions_port, self.tapal.tls()) as wire:
            wire.read_reply()
            wire.say("EHLO client.example")
            replies = [wire.say(plain("ann@a.example", f"wrong {i}")) for i in range(3)]
            self.assertTrue(any("421" in r for r in (*replies, wire.read_reply())), replies)

    def test_auth_is_neither_offered_nor_taken_before_tls(self):
        wire = self.port587()
        self.assertNotIn("AUTH", wire.say("EHLO client.example"))
        self.assert_reply(wire.say(plain("ann@a.example", PASSWORD)), "538 5.7.11", "530 5.7.0")

    def test_auth_is_never_on_port_25(self):
        wire = self.port25()
        self.assertNotIn("AUTH", wire.say("EHLO client.example"))
        wire.say("STARTTLS")
        wire.start_tls(self.tapal.tls())
        self.assertNotIn("AUTH", wire.say("EHLO client.example"))
        self.assert_reply(wire.say(plain("ann@a.example", PASSWORD)), "503", "502", "504")

    def test_nothing_is_submitted_without_a_password(self):
        wire = self.port587()
        wire.say("EHLO client.example")
        self.assert_reply(wire.say("MAIL FROM:<ann@a.example>"), "530 5.7.0")
        with self.tapal.client(login=False) as session:
            session.ehlo()
            self.assert_reply(session.docmd("MAIL FROM:<ann@a.example>"), "530 5.7.0")

    def test_the_password_is_never_in_the_log(self):
        with self.tapal.client() as session:
            session.noop()
        with self.tapal.client(login=False) as session:
            session.ehlo()
            session.docmd(plain("ann@a.example", "a-wrong-secret"))
        self.tapal.server.wait_for("login failed")
        for secret in (PASSWORD, "a-wrong-secret", base64.b64encode(PASSWORD.encode()).decode()):
            self.assertNotIn(secret, self.tapal.server.log())


class Senders(RefusalCase):
    def test_mail_from_somebody_else_is_refused(self):
        self.assert_reply(self.logged_in().mail("bob@a.example"), "550 5.7.1")
        self.assert_reply(self.logged_in().mail("ann@other.example"), "550 5.7.1")

    def test_a_from_field_of_somebody_else_is_refused(self):
        for author in ("bob@a.example", "ceo@other.example"):
            session = self.logged_in()
            session.mail("ann@a.example")
            session.rcpt("bob@a.example")
            reply = session.data(message(author, "bob@a.example"))
            self.assert_reply(reply, "550 5.7.1")
            self.assertIn(author.encode(), reply[1])

    def test_an_alias_and_a_granted_address_may_be_used(self):
        for user, sender in (("ann", "info@a.example"), ("bob", "team@a.example")):
            with self.tapal.client(user) as session:
                session.sendmail(sender, "ann@a.example", message(sender, "ann@a.example", f"from {sender}"))
            self.tapal.wait_for_mail_with("ann", f"from {sender}".encode())

    def test_two_from_fields_none_and_an_unreadable_one_are_refused(self):
        for name, text in {
            "two": b"From: <ann@a.example>\r\nFrom: <ann@a.example>\r\nTo: <bob@a.example>\r\n\r\nx\r\n",
            "none": b"To: <bob@a.example>\r\nSubject: x\r\n\r\nx\r\n",
            "unreadable": b"From: @@@\r\nTo: <bob@a.example>\r\n\r\nx\r\n",
            "hidden in a group": b"From: a:;\r\nTo: <bob@a.example>\r\n\r\nx\r\n",
        }.items():
            with self.subTest(name):
                session = self.logged_in()
                session.mail("ann@a.example")
                session.rcpt("bob@a.example")
                self.assert_reply(session.data(text), "550 5.6.0", "550 5.7.1")


class Recipients(RefusalCase):
    def test_strangers_cannot_relay(self):
        wire = self.port25()
        wire.say("EHLO client.example")
        self.assert_reply(wire.say("MAIL FROM:<x@far.example>"), "250")
        self.assert_reply(wire.say("RCPT TO:<y@other.example>"), "550 5.7.1")
        for trick in ("y%other.example@a.example", '"y@other.example"@a.example', "y@other.example@a.example",
                      "@a.example:y@other.example", "y!other@a.example"):
            reply = wire.say(f"RCPT TO:<{trick}>")
            self.assertTrue(reply.startswith("5"), f"{trick}: {reply}")

    def test_an_unknown_user_is_refused_at_rcpt(self):
        wire = self.port25()
        wire.say("EHLO client.example")
        wire.say("MAIL FROM:<x@far.example>")
        self.assert_reply(wire.say("RCPT TO:<ghost@a.example>"), "550 5.1.1")
        self.assert_reply(wire.say("RCPT TO:<ann@a.example>"), "250")
        self.assert_reply(wire.say("RCPT TO:<Postmaster>"), "250")

    def test_malformed_addresses_are_refused_with_501_or_553(self):
        wire = self.port25()
        wire.say("EHLO client.example")
        for bad in ("x y@far.example", "x@", "@far.example", "x@far..example", "x", "x@" + "a" * 300):
            self.assert_reply(wire.say(f"MAIL FROM:<{bad}>"), "501", "553", "550")
            wire.say("RSET")
        wire.say("MAIL FROM:<x@far.example>")
        self.assert_reply(wire.say("RCPT TO:<>"), "501", "553", "550")

    def test_an_over_size_message_is_refused_when_declared_and_when_sent(self):
        session = self.logged_in()
        self.assert_reply(session.mail("ann@a.example", ["SIZE=100001"]), "552 5.3.4")
        session.mail("ann@a.example")
        session.rcpt("bob@a.example")
        self.assert_reply(session.data(message("ann@a.example", "bob@a.example", body="x" * 70 + "\n" + ("y" * 70 + "\n") * 2000)),
                          "552 5.3.4")
        # The session goes on.
        session.sendmail("ann@a.example", "bob@a.example", message("ann@a.example", "bob@a.example", "small after large"))
        self.tapal.wait_for_mail_with("bob", b"small after large")


class Protocol(RefusalCase):
    def test_garbage_before_ehlo_is_answered_and_ended(self):
        garbage = self.port25()
        self.assert_reply(garbage.say(b"\x00\xff\x16\x03\x01garbage\r\n"), "5", "421")
        http = self.port25()
        self.assert_reply(http.say("GET / HTTP/1.1"), "5", "421")
        wire = self.port25()
        self.assert_reply(wire.say("HELLO"), "500", "502", "554")
        early = self.port25()
        self.assert_reply(early.say("RCPT TO:<ann@a.example>"), "503")

    def test_many_wrong_commands_end_the_session(self):
        wire = self.port25()
        replies = [wire.say("EHLO client.example")]
        while len(replies) < 50 and not any(r.startswith("421") for r in replies):
            replies.append(wire.say(f"NONSENSE {len(replies)}"))
        self.assert_reply(replies[-1], "421 4.7.0")
        self.assertEqual("", wire.read_reply(), "the connection is closed")

    def test_bytes_behind_starttls_are_never_interpreted(self):
        wire = self.port25()
        wire.say("EHLO client.example")
        wire.socket.sendall(b"STARTTLS\r\nEHLO injected.example\r\nMAIL FROM:<injected@far.example>\r\n")
        reply = wire.read_reply()
        if reply.startswith("220"):
            wire.start_tls(self.tapal.tls())
            self.assert_reply(wire.say("RCPT TO:<ann@a.example>"), "503")
        else:
            self.assert_reply(reply, "501", "503", "554")
            rest = wire.read_reply()
            self.assertFalse(rest.startswith("250"), rest)

    def test_bare_line_feeds_do_not_end_a_message(self):
        for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r"):
            with self.subTest(repr(end)):
                wire = self.port25()
                for line in ("EHLO client.example", "MAIL FROM:<x@far.example>", "RCPT TO:<ann@a.example>", "DATA"):
                    wire.say(line)
                reply = wire.say(b"From: x@far.example\r\n\r\nx" + end + b"MAIL FROM:<smuggled@far.example>\r\n"
                                 b"RCPT TO:<ann@a.example>\r\nDATA\r\nFrom: s@far.example\r\n\r\nsmuggled\r\n.\r\n")
                self.assert_reply(reply, "550 5.5.2", "550", "554", "501")
        self.assertFalse(any(b"smuggled" in m for m in self.tapal.mailbox("ann")))

    def test_connections_cut_at_every_byte_leave_nothing_behind(self):
        talk = (b"EHLO client.example\r\nMAIL FROM:<x@far.example>\r\nRCPT TO:<bob@a.example>\r\nDATA\r\n"
                b"From: x@far.example\r\nSubject: cut short\r\n\r\nbody\r\n.\r\n")
        before = self.tapal.server.mark()
        for length in range(len(talk)):
            with raw_session(self.tapal.address, self.tapal.smtp_port) as wire:
                wire.socket.sendall(talk[:length])
        with raw_session(self.tapal.address, self.tapal.smtp_port) as wire:
            wire.read_reply()
            wire.socket.sendall(talk.replace(b"cut short", b"whole"))
            self.tapal.wait_for_mail_with("bob", b"Subject: whole")
        self.assertFalse(any(b"cut short" in m for m in self.tapal.mailbox("bob")))
        # The daemon's rounds look at its DKIM keys meanwhile, which nobody published here.
        self.assertEqual([], [line for line in self.tapal.server.log().split("\n")[before:]
                              if " error " in line and "DKIM key in trouble" not in line])

    def test_smtplib_reads_each_refusal_as_its_own_exception(self):
        with self.tapal.client() as session:
            with self.assertRaises(smtplib.SMTPRecipientsRefused):
                session.sendmail("ann@a.example", "ghost@a.example", message("ann@a.example", "ghost@a.example"))
            with self.assertRaises(smtplib.SMTPSenderRefused):
                session.sendmail("bob@a.example", "bob@a.example", message("bob@a.example", "bob@a.example"))


if __name__ == "__main__":
    unittest.main()
