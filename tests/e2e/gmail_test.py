"""Gmail's "Send mail as": passwords for applications, limits on guessing that let owners in, and `tapal gmail`."""
import base64
import email
import json
import re
import signal
import smtplib
import subprocess
import unittest

import dkim

from dns import Dns
from harness import PASSWORD, TAPAL, Case, Server, ask_tool, header_of, message, raw_session, wait_until
from sink import Sink

APP_PASSWORD = re.compile(r"\b(?:[a-z0-9]{5}-){4}[a-z0-9]{5}\b")


class GmailCase(Case):
    """A tapal for a.example: ann and bob, and addresses that lead to them."""
    settings = {}

    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example", users=("ann", "bob"), settings=cls.settings)
        cls.tapal.write("aliases", "sales: ann\ninfo: bob\nall: ann, bob\n")
        users = cls.tapal.config / "domains/a.example/users"
        users.write_text("# people\n" + users.read_text().replace("\nbob:", "  may-send-as=info@a.example  # boss\nbob:"))
        cls.users = users
        cls.sink = Sink(cls, port=cls.delivery_port)
        cls.key = cls.folder / "google.pem"
        ask_tool("openssl", "genrsa", "-traditional", "-out", cls.key, "2048", check=True)
        public = subprocess.run(["openssl", "rsa", "-in", cls.key, "-pubout", "-outform", "DER"], check=True,
                                capture_output=True).stdout
        text = "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()
        cls.dns = Dns(cls).add(cls.tapal.dns_records())
        cls.dns.add(f"sink.example. 60 IN MX 10 mx.sink.example.\nmx.sink.example. 60 IN A {cls.sink.address}")
        cls.dns.add(f'test._domainkey 60 IN TXT "{text[:200]}" "{text[200:]}"', zone="google.com")
        cls.dns.start()
        cls.tapal.start(cls.dns)

    def tearDown(self):
        self.assertTrue(self.tapal.server.running())

    def run_ok(self, *words, **options):
        done = self.tapal.command(*words, **options)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def app_password(self, name, user="ann"):
        made = self.run_ok("user", "app-password", "add", f"{user}@a.example", "--name", name, "--json")
        self.addCleanup(self.tapal.command, "user", "app-password", "del", f"{user}@a.example", "--name", name)
        return json.loads(made)["password"]

    def connect(self, source="127.0.0.1"):
        session = smtplib.SMTP_SSL(self.tapal.address, self.tapal.submissions_port, local_hostname="client.example",
                                   context=self.tapal.tls(), source_address=(source, 0), timeout=30)
        self.addCleanup(session.close)
        session.ehlo()
        return session

    def log_in(self, user, password, source="127.0.0.1"):
        """The reply to AUTH PLAIN, and the session."""
        session = self.connect(source)
        plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        code, text = session.docmd("AUTH", "PLAIN " + plain)
        return code, session


class AppPasswords(GmailCase):
    def test_they_are_made_listed_and_taken_back_and_the_file_keeps_its_comments(self):
        before = self.users.read_text()
        made = self.run_ok("user", "app-password", "add", "ann@a.example", "--name", "phone")
        password = APP_PASSWORD.search(made)[0]
        self.assertIn("app-password del ann@a.example --name phone", made)
        text = self.users.read_text()
        self.assertNotIn(password, text)
        self.assertRegex(text, r"(?m)^ann: .*app-password=phone,\d{4}-\d\d-\d\d,sha256:\S+  # boss$")
        self.assertEqual(["phone"], [p["name"] for p in json.loads(
            self.run_ok("user", "app-password", "list", "ann@a.example", "--json"))["app_passwords"]])
        self.assertEqual(1, self.tapal.command("user", "app-password", "add", "ann@a.example", "--name", "phone").returncode)
        self.assertIn("right", self.run_ok("user", "authenticate", "ann@a.example", "--password-file", "-",
                                           input=password + "\n"))
        self.run_ok("user", "app-password", "del", "ann@a.example", "--name", "phone")
        self.assertEqual(before, self.users.read_text())
        for words in (("del", "ann@a.example", "--name", "phone"), ("add", "eve@a.example", "--name", "x"),
                      ("add", "ann@a.example", "--name", "No Name"), ("add", "ann@other.example", "--name", "x")):
            with self.subTest(words):
                done = self.tapal.command("user", "app-password", *words)
                self.assertEqual(1, done.returncode)
                self.assertTrue(done.stderr)

    def test_swaks_submits_with_one_by_plain_and_login_and_not_by_scram(self):
        password = self.app_password("swaks")
        for auth in ("PLAIN", "LOGIN"):
            with self.subTest(auth):
                self.sink.messages.clear()
                done = ask_tool("swaks", "--from", "sales@a.example", "--to", "x@sink.example", "--server", self.tapal.address,
                                "--auth-user", "ann@a.example", "--auth-password", password, "--auth", auth, "--timeout", "20",
                                "--port", self.tapal.submission_port, "--tls", "--tls-ca-path", self.tapal.certificate,
                                "--ehlo", "mail-sor-f41.google.com", "--header", "Message-Id: <kept@mail.gmail.com>")
                self.assertEqual(0, done.returncode, done.stdout + done.stderr)
                got = self.sink.wait_for(1)[0]
                self.assertEqual("sales@a.example", got.sender)
                fields = email.message_from_bytes(got.data)
                self.assertEqual("<kept@mail.gmail.com>", fields["Message-Id"])
                self.assertRegex(fields["DKIM-Signature"].replace("\n", ""), r"\bd=a\.example;")
        configuration = self.folder / "msmtprc"
        configuration.write_text(
            f"account default\nhost {self.tapal.address}\nport {self.tapal.submissions_port}\nfrom ann@a.example\n"
            f"auth scram-sha-256\nuser ann@a.example\npassword {password}\ntls on\ntls_starttls off\n"
            f"tls_trust_file {self.tapal.certificate}\ntls_host_override {self.tapal.host}\ntimeout 20\n")
        configuration.chmod(0o600)
        refused = ask_tool("msmtp", "-C", configuration, "x@sink.example",
                           input=message("ann@a.example", "x@sink.example").decode())
        self.assertNotEqual(0, refused.returncode)
        self.assertIn("535", refused.stdout + refused.stderr)

    def test_one_that_is_taken_back_ends_with_its_session_and_others_go_on(self):
        first, second = self.app_password("first"), self.app_password("second")
        code, taken = self.log_in("ann@a.example", first)
        self.assertEqual(235, code)
        code, kept = self.log_in("ann@a.example", second)
        self.assertEqual(235, code)
        for session in (taken, kept):
            self.assertEqual({}, session.sendmail("ann@a.example", "x@sink.example", message("ann@a.example", "x@sink.example")))
        self.run_ok("user", "app-password", "del", "ann@a.example", "--name", "first")
        # No waiting: the command has had the server take it in.
        code, text = taken.mail("ann@a.example")
        self.assertEqual((530, b"5.7.0"), (code, text[:5]))
        self.assertEqual(535, self.log_in("ann@a.example", first)[0])
        self.assertEqual({}, kept.sendmail("ann@a.example", "x@sink.example", message("ann@a.example", "x@sink.example")))
        self.assertEqual(235, self.log_in("ann@a.example", PASSWORD)[0])

    def test_a_sender_must_still_be_allowed(self):
        code, session = self.log_in("ann@a.example", self.app_password("sender"))
        self.assertEqual(235, code)
        self.assertEqual(250, session.mail("info@a.example")[0])  # by may-send-as alone
        session.rset()
        self.assertEqual(550, session.mail("bob@a.example")[0])


class Guessing(GmailCase):
    settings = {"auth": {"guesses_per_account": 4, "guesses_per_network": 5, "cache_lifetime": "0"}}

    def test_strangers_are_stopped_and_the_owner_and_gmail_are_not(self):
        self.assertEqual(235, self.log_in("ann@a.example", PASSWORD, "127.77.1.9")[0])  # at home
        application = self.app_password("gmail")
        self.assertEqual(235, self.log_in("bob@a.example", PASSWORD, "127.209.1.1")[0])
        for user in ("ann@a.example", "bob@a.example", "nobody@a.example"):
            with self.subTest(user):
                third = {"ann": 10, "bob": 60, "nobody": 110}[user.split("@")[0]]
                answers = [self.log_in(user, f"guess {i}", f"127.{third + i}.1.1")[0] for i in range(7)]
                self.assertEqual([535] * 4 + [454] * 3, answers)
        self.tapal.server.wait_for(r"login failed.*too many wrong passwords")
        # A stranger with the right password must wait; the same from home need not.
        self.assertEqual(454, self.log_in("ann@a.example", PASSWORD, "127.150.1.1")[0])
        self.assertEqual(235, self.log_in("ann@a.example", PASSWORD, "127.77.1.9")[0])
        # An application password is let in from anywhere, and so from all of Google.
        for i in range(0, 256, 8):
            self.assertEqual(235, self.log_in("ann@a.example", application, f"127.210.{i}.{255 - i}")[0])
        # And without one: wherever else in the neighbourhood of a right login.
        for i in range(0, 256, 32):
            self.assertEqual(235, self.log_in("bob@a.example", PASSWORD, f"127.209.{i}.{255 - i}")[0])
        told = self.run_ok("user", "guesses")
        self.assertRegex(told, r"(?m)^account ann@a\.example: 4 wrong passwords; the next is looked at in \d+m")
        self.assertIn("account nobody@a.example: ", told)
        counted = json.loads(self.run_ok("user", "guesses", "--json"))["guesses"]
        self.assertIn("network 127.10.1.0/24", [c["what"] for c in counted])

    def test_one_network_is_stopped_whatever_user_it_tries(self):
        answers = [self.log_in(f"u{i}@a.example", "x", f"127.240.5.{i + 1}")[0] for i in range(7)]
        self.assertEqual([535] * 5 + [454] * 2, answers)
        self.assertEqual(535, self.log_in("u9@a.example", "x", "127.240.6.1")[0])


class TapalGmail(GmailCase):
    def gmail(self, *words, **options):
        return self.tapal.command("gmail", *words, "--ca-file", self.tapal.certificate, **options)

    def watch(self, address, *words):
        """`tapal gmail` on its way to wait for the confirmation."""
        watching = Server("tapal gmail", [TAPAL, "gmail", address, "--config", self.tapal.config, "--ca-file",
                                          self.tapal.certificate, *words])
        self.keep_log(watching)
        return watching

    def confirmation(self, address, code, link, sign=True, subject="Gmail Confirmation - Send Mail as"):
        text = message("Gmail Team <gmail-noreply@google.com>", address, f"(#{code}) {subject} {address}",
                       f"Please click the link below:\n\n{link}\n\nTo cancel: https://mail.google.com/mail/u-no\n",
                       "Message-ID: <1@mail.gmail.com>\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n").replace(
                           b"<Gmail Team <gmail-noreply@google.com>>", b"Gmail Team <gmail-noreply@google.com>")
        if sign:
            text = dkim.sign(text, b"test", b"google.com", self.key.read_bytes(), include_headers=[b"from", b"to", b"subject"]) + text
        with smtplib.SMTP(self.tapal.address, self.tapal.smtp_port, local_hostname="mail-sor-f41.google.com") as session:
            session.sendmail("x@bounces.google.com", address, text)

    def forget(self, user="ann@a.example"):
        self.tapal.command("user", "app-password", "del", user, "--name", "gmail")

    def test_the_form_is_told_and_what_it_says_works(self):
        self.addCleanup(self.forget)
        done = self.gmail("sales@a.example", "--wait", "0")
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        for line in (r"Email address +sales@a\.example", rf"SMTP Server +{re.escape(self.tapal.host)}", r"Username +ann@a\.example",
                     rf"Port +{self.tapal.submissions_port}, secured connection using SSL",
                     r"user app-password del ann@a\.example --name gmail"):
            self.assertRegex(done.stdout, line)
        code, session = self.log_in("ann@a.example", APP_PASSWORD.search(done.stdout)[0])
        self.assertEqual(235, code)
        self.assertEqual(250, session.mail("sales@a.example")[0])

        again = self.gmail("sales@a.example", "--wait", "0")
        self.assertIsNone(APP_PASSWORD.search(again.stdout), "the first one goes on")
        self.assertEqual(250, session.rset()[0])
        self.assertEqual(250, session.mail("sales@a.example")[0])
        other = json.loads(self.gmail("sales@a.example", "--wait", "0", "--new-password", "--json").stdout)
        self.assertEqual(("ann@a.example", self.tapal.host, "SSL"), (other["user"], other["host"], other["security"]))
        self.assertEqual([[], []], [port["problems"] for port in other["ports"]])
        self.assertEqual(235, self.log_in("ann@a.example", other["password"])[0])
        session.rset()
        self.assertEqual(530, session.mail("sales@a.example")[0])

    def test_it_finds_out_who_may_send_or_says_what_to_do(self):
        self.addCleanup(self.forget)
        self.addCleanup(self.forget, "bob@a.example")
        for address, words, user in (("ann@a.example", (), "ann"), ("sales@a.example", (), "ann"), ("bob@a.example", (), "bob"),
                                     ("all@a.example", ("--user", "bob@a.example"), "bob"),
                                     ("info@a.example", ("--user", "ann@a.example"), "ann")):
            with self.subTest(address):
                done = self.gmail(address, *words, "--wait", "0", "--json")
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertEqual(f"{user}@a.example", json.loads(done.stdout)["user"])
        for address, words, told in (("all@a.example", (), "2 users may send as all@a.example: name one with --user"),
                                     ("sales@a.example", ("--user", "bob@a.example"), "may-send-as=sales@a.example"),
                                     ("sales@a.example", ("--user", "eve@a.example"), "there is no user eve@a.example"),
                                     ("nobody@a.example", (), "is refused here"),
                                     ("ann@other.example", (), "tapal init other.example"), ("ann", (), "ann")):
            with self.subTest(address):
                done = self.gmail(address, *words, "--wait", "0")
                self.assertEqual(1, done.returncode, done.stdout)
                self.assertIn(told, done.stderr)

    def test_the_confirmation_is_shown_as_it_passes_and_a_forged_one_is_not(self):
        self.addCleanup(self.forget)
        watching = self.watch("sales@a.example", "--wait", "60")
        watching.wait_for("Waiting 1m for")
        self.confirmation("sales@a.example", "666666666", "https://mail.google.com/mail/f-forged", sign=False)
        watching.wait_for("Ignored: a message .* no signature of google.com")
        self.confirmation("info@a.example", "555555555", "https://mail.google.com/mail/f-other")
        link = "https://mail.google.com/mail/f-%5BANGjdJ-abc%5D-XYZ"
        self.confirmation("sales@a.example", "123456789", link)
        watching.wait_for(r"Code +123456789")
        self.assertEqual(0, watching.process.wait(30))
        self.assertRegex(watching.log(), rf"Link +{re.escape(link)}")
        self.assertIn("It is signed by google.com.", watching.log())
        for wrong in ("666666666", "forged", "555555555", "mail/u-no"):
            self.assertNotIn(wrong, watching.log())
        self.tapal.wait_for_mail_with("ann", b"(#123456789)")

    def test_a_forwarding_confirmation_is_shown_as_json(self):
        self.addCleanup(self.forget)
        watching = self.watch("ann@a.example", "--wait", "60", "--json")
        watching.wait_for('"password"')
        wait_until(lambda: "confirmation" in watching.log() or self.confirmation(
            "ann@a.example", "777777777", "https://mail.google.com/mail/f-x"), "the confirmation is seen")
        self.assertEqual(0, watching.process.wait(30))
        seen = json.loads(watching.log().splitlines()[-1])["confirmation"]
        self.assertEqual(("777777777", "send mail as", True), (seen["code"], seen["kind"], seen["signed_by_google"]))

    def test_it_waits_no_longer_than_told_and_ends_at_ctrl_c(self):
        self.addCleanup(self.forget)
        done = self.gmail("ann@a.example", "--wait", "1")
        self.assertEqual(1, done.returncode)
        self.assertIn("It has not come.", done.stdout)
        watching = self.watch("ann@a.example", "--wait", "600")
        watching.wait_for("Waiting 10m for")
        watching.process.send_signal(signal.SIGINT)
        self.assertEqual(-signal.SIGINT, watching.process.wait(30))
        self.assertEqual(0, self.tapal.queue()["total"])
        self.assertIn("gmail", self.run_ok("user", "app-password", "list", "ann@a.example"))

    def test_a_password_is_made_only_once_gmail_could_use_it(self):
        before = self.users.read_text()
        done = self.tapal.command("gmail", "ann@a.example", "--wait", "0")  # the system does not trust it
        self.assertEqual(1, done.returncode)
        self.assertIn("self-signed: get one from a public authority", done.stdout)
        self.assertIn("Nothing was changed.", done.stdout)
        found = json.loads(self.tapal.command("gmail", "ann@a.example", "--wait", "0", "--json").stdout)
        self.assertTrue(all(port["problems"] for port in found["ports"]))
        self.assertNotIn("password", found)
        self.assertEqual(before, self.users.read_text())


class Certificates(GmailCase):
    """Certificates of an authority of our own, as the server serves them."""

    def openssl(self, *words):
        done = ask_tool("openssl", *words, cwd=self.folder)
        self.assertEqual(0, done.returncode, done.stderr)

    def issue(self, name, issuer, extensions, days=30):
        """name.pem and name.key, signed by issuer."""
        (self.folder / f"{name}.ext").write_text(extensions)
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key",
                     "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signer = ("-signkey", f"{name}.key") if issuer is None else ("-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key",
                                                                       "-CAcreateserial")
        self.openssl("x509", "-req", "-in", f"{name}.csr", *signer, "-out", f"{name}.pem", "-days", days, "-extfile", f"{name}.ext")
        return (self.folder / f"{name}.pem").read_text()

    def serve(self, chain, name):
        folder = self.tapal.config / "certs" / self.tapal.host
        (folder / "fullchain.pem").write_text(chain)
        (folder / "privkey.pem").write_text((self.folder / f"{name}.key").read_text())
        self.run_ok("reload")

    def problems(self):
        done = self.tapal.command("gmail", "ann@a.example", "--wait", "0", "--json", "--ca-file", self.folder / "root.pem")
        found = json.loads(done.stdout)
        self.tapal.command("user", "app-password", "del", "ann@a.example", "--name", "gmail")
        self.assertEqual(1 if all(p["problems"] for p in found["ports"]) else 0, done.returncode)
        texts = [" ".join(port["problems"]) for port in found["ports"]]
        self.assertEqual(texts[0], texts[1], "465 and 587 show the same")
        return texts[0]

    def test_each_fault_is_told_with_its_remedy(self):
        authority = "basicConstraints=critical,CA:TRUE\n"
        self.issue("root", None, authority)
        middle = self.issue("middle", "root", authority)
        good = self.issue("good", "middle", f"subjectAltName=DNS:{self.tapal.host}\n")
        other = self.issue("other", "middle", "subjectAltName=DNS:www.a.example\n")
        self.serve(good + middle, "good")
        self.assertEqual("", self.problems())
        self.serve(good, "good")
        self.assertIn("it comes alone, without its issuer's (CN=middle): put the whole chain into fullchain.pem", self.problems())
        self.serve(other + middle, "other")
        self.assertIn(f"it is for www.a.example, not for {self.tapal.host}", self.problems())
        self.issue("stranger", None, authority)
        foreign = self.issue("foreign", "stranger", f"subjectAltName=DNS:{self.tapal.host}\n")
        self.serve(foreign + (self.folder / "stranger.pem").read_text(), "foreign")
        self.assertIn("its issuer (CN=stranger) is no public authority known here", self.problems())


if __name__ == "__main__":
    unittest.main()
