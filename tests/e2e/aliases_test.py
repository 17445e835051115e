"""Who gets the mail: aliases edited by hand and by command while the server runs, roles of domains, and
bounces to rewritten return paths."""
import json
import smtplib
import unittest

from dns import Dns
from harness import PATIENCE, Case, header_of, message, wait_until
from sink import Sink


def rcpt(tapal, to, sender="x@far.example"):
    """What port 25 answers to RCPT from a stranger."""
    with smtplib.SMTP(tapal.address, tapal.smtp_port, local_hostname="client.example", timeout=PATIENCE) as session:
        session.ehlo()
        code, reply = session.docmd(f"MAIL FROM:<{sender}>")
        assert code == 250, reply
        code, reply = session.docmd(f"RCPT TO:<{to}>")
        return f"{code} {reply.decode()}"


class LiveAliases(Case):
    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example", users=("ann", "bob"))
        cls.write("# who reads what\ninfo: ann\n")
        cls.tapal.start()

    @classmethod
    def write(cls, text):
        return cls.tapal.write("aliases", text)

    def run_ok(self, *words):
        done = self.tapal.command(*words)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def wait_for_answer(self, to, start):
        wait_until(lambda: rcpt(self.tapal, to).startswith(start), f"{to} is answered {start}")

    def test_a_file_edited_by_hand_is_taken_in_and_a_bad_edit_is_not(self):
        self.write("info: ann\nteam: ann, bob\n/sales-(.*)/: \\1\n")
        self.wait_for_answer("team@a.example", "250")
        self.assertTrue(rcpt(self.tapal, "sales-bob@a.example").startswith("250"))
        self.assertTrue(rcpt(self.tapal, "sales-eve@a.example").startswith("550 5.1.1"))

        mark = self.tapal.server.mark()
        self.write("info: ann\nteam: an, bob\n")
        told = self.tapal.server.wait_for("the changed configuration is not used", after=mark)
        self.assertRegex(told, r"aliases:2: an@a\.example is neither a user nor an alias")
        self.assertTrue(rcpt(self.tapal, "team@a.example").startswith("250"), "the last good state stays")

        self.write("info: ann\nteam: :reject: The team has gone home\n")
        self.wait_for_answer("team@a.example", "550 5.2.1 The team has gone home")

    def test_an_included_file_and_a_role_are_taken_in_at_once(self):
        self.tapal.write("staff", "ann\n")
        self.write("all: :include: staff\n")
        self.wait_for_answer("all@a.example", "250")
        self.tapal.write("staff", "nobody\n")
        self.tapal.server.wait_for(r"aliases:1: nobody@a\.example is neither")
        self.assertTrue(rcpt(self.tapal, "all@a.example").startswith("250"))
        self.tapal.write("staff", "bob\n")
        role = self.tapal.write("domain.toml", 'role = "send"\n')
        self.addCleanup(lambda: (role.unlink(), self.wait_for_answer("ann@a.example", "250")))
        self.wait_for_answer("ann@a.example", "550 5.7.1")
        self.assertTrue(rcpt(self.tapal, "postmaster@a.example").startswith("250"))

    def test_commands_edit_the_file_and_keep_its_comments(self):
        path = self.write("# who reads what\ninfo: ann   # for now\n")
        self.run_ok("alias", "add", "info@a.example", "bob", "me@gmail.example")
        self.run_ok("alias", "add", "*@a.example", "ann")
        self.assertEqual("# who reads what\ninfo: ann, bob, me@gmail.example   # for now\n*: ann\n", path.read_text())
        self.wait_for_answer("anything@a.example", "250")
        listed = json.loads(self.run_ok("alias", "list", "--json"))["aliases"]
        self.assertEqual({"alias": "info@a.example", "targets": ["ann", "bob", "me@gmail.example"], "line": 2}, listed[0])
        self.assertIn("*@a.example: ann", self.run_ok("alias", "list", "a.example"))
        self.run_ok("alias", "del", "info@a.example", "bob")
        self.run_ok("alias", "del", "*@a.example")
        self.assertEqual("# who reads what\ninfo: ann, me@gmail.example   # for now\n", path.read_text())
        self.wait_for_answer("anything@a.example", "550")
        before = path.read_text()
        for words, told in ((("add", "x@a.example", "nobody"), "nobody@a.example is neither a user nor an alias"),
                            (("add", "info@a.example", "info"), "leads back to itself"),
                            (("add", "x@a.example", "| relative"), "absolute path"),
                            (("add", "x@b.example", "ann"), "not a domain of this server"),
                            (("add", "info@a.example", "ANN"), "leads there already"),
                            (("del", "x@a.example"), "there is no alias x")):
            with self.subTest(words):
                done = self.tapal.command("alias", *words)
                self.assertEqual(1, done.returncode)
                self.assertIn(told, done.stderr)
                self.assertEqual(before, path.read_text())

    def test_alias_test_shows_the_way_and_what_mail_meets(self):
        self.write("info: ann, sales\nsales: bob, me@gmail.example\nold: :reject: gone\ndesk: | /bin/desk x\n")
        text = self.run_ok("alias", "test", "info+x@a.example")
        self.assertRegex(text, r"(?m)^info\+x@a\.example  alias, without the suffix, \S*aliases:1$")
        self.assertRegex(text, r"(?m)^  sales@a\.example  alias, \S*aliases:2$")
        self.assertRegex(text, r"(?m)^    me@gmail\.example  by SMTP to its MX$")
        self.assertIn("accepted, for 3 recipients", text)
        self.assertIn("to me@gmail.example under a return path at a.example", text)
        answer = json.loads(self.run_ok("alias", "test", "sales@a.example", "--json"))
        self.assertTrue(answer["accepted"])
        self.assertEqual([{"address": "bob@a.example", "by": "mailbox"},
                          {"address": "me@gmail.example", "by": "smtp", "via_alias": "sales@a.example"}],
                         answer["recipients"])
        self.assertEqual("| /bin/desk x",
                         json.loads(self.run_ok("alias", "test", "desk@a.example", "--json"))["recipients"][0]["handover"])
        for address, reply in (("old@a.example", "550 5.2.1 gone"), ("nobody@a.example", "550 5.1.1"),
                               ("x@far.example", "550 5.7.1")):
            with self.subTest(address):
                done = self.tapal.command("alias", "test", address, "--json")
                self.assertEqual(1, done.returncode)
                self.assertTrue(json.loads(done.stdout)["reply"].startswith(reply), done.stdout)


class ReturnPaths(Case):
    @classmethod
    def prepare(cls):
        cls.far = Sink(cls, port=cls.delivery_port, name="mx.far.example", tls=False)
        cls.tapal = cls.new_tapal("a.example")
        cls.tapal.write("aliases", "*: ann\n")
        dns = Dns(cls).add(f"far.example. 60 IN MX 1 mx.far.example.\nmx.far.example. 60 IN A {cls.far.address}\n").start()
        cls.tapal.start(dns)

    def srs(self, *words):
        return self.tapal.command("srs", *words, "--secret-file", self.tapal.config / "srs.keys", "--alias", "a.example")

    def test_a_bounce_goes_back_to_the_sender_and_nothing_else_is_relayed(self):
        made = self.srs("forward", "orig@far.example")
        self.assertEqual(0, made.returncode, made.stderr)
        rewritten = made.stdout.strip()
        self.assertRegex(rewritten, r"^SRS0=[A-Z2-7]{12}=[A-Z2-7]{2}=far\.example=orig@a\.example$")
        self.assertEqual("orig@far.example", self.srs("reverse", rewritten).stdout.strip())

        with smtplib.SMTP(self.tapal.address, self.tapal.smtp_port, local_hostname="mx.target.example") as session:
            session.sendmail("", [rewritten.lower()], message("mailer-daemon@target.example", rewritten, "bounced"))
        got = wait_until(lambda: self.far.messages, "the bounce is at the sender's server")[0]
        self.assertEqual(("", ["orig@far.example"]), (got.sender.strip("<>"), [r.strip("<>") for r in got.recipients]))
        self.assertIn("bounced", header_of(got.data))

        forged = rewritten[:5] + ("B" if rewritten[5] == "A" else "A") + rewritten[6:]
        self.assertRegex(rcpt(self.tapal, rewritten), r"^550 5\.7\.1 .*takes bounces only")
        self.assertRegex(rcpt(self.tapal, forged, ""), r"^550 5\.7\.1 .*was not made here")
        old = self.srs("forward", "orig@far.example", "--now", "1700000000").stdout.strip()
        self.assertRegex(rcpt(self.tapal, old, ""), r"^550 5\.7\.1 .*(expired|future)")

    def test_refusals_of_the_command_are_exit_code_1_with_the_reason(self):
        keys = ("--secret", "a secret", "--alias", "a.example", "--now", "1790000000")
        run = lambda *words: self.tapal.command("srs", *words)
        made = run("forward", "orig@far.example", *keys).stdout.strip()
        self.assertEqual("orig@far.example", run("reverse", made, *keys).stdout.strip())
        for words, told in ((("reverse", made, "--secret", "another", *keys[2:]), "not made here"),
                            (("reverse", made, *keys[:4], "--now", str(1790000000 + 22 * 86400)), "expired"),
                            (("reverse", made, *keys[:4], "--now", str(1790000000 - 2 * 86400)), "in the future"),
                            (("reverse", "orig@a.example", *keys), "no rewritten address"),
                            (("reverse", made, *keys[:2], "--alias", "b.example"), "is not at b.example"),
                            (("forward", "a" * 40 + "@far.example", *keys), "more than 64 octets"),
                            (("forward", "orig@far.example", "--alias", "a.example"), "--secret")):
            with self.subTest(words):
                done = run(*words)
                self.assertEqual((1, ""), (done.returncode, done.stdout))
                self.assertIn(told, done.stderr)


if __name__ == "__main__":
    unittest.main()
