"""Filters that judge incoming mail, asked by `tapal filter test`: DNS lists in a real zone, rspamd, opendkim
and rspamd as milters, and filters that break every rule."""
import json
import struct
import time
import unittest

import dkim

from dns import Dns
from filter_peers import OddHttp, OddMilter, Rspamd, SigningOpendkim
from harness import Case, free_port, new_address, raw_session

GTUBE = "JS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
MAIL = ("From: <ann@sender.example>\r\nTo: <bob@rcpt.example>\r\nX-Secret: 1\r\nSubject:  two  spaces\r\n"
        " folded\r\n\r\nHello.\r\n")


class FilterCase(Case):
    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("rcpt.example")

    def verdict(self, filters, text=MAIL, **options):
        """What the filters say; options as the command has them: peer=, helo=, user=, dns_server=."""
        self.tapal.set({"filters": {"milters": [], "rspamd": "", "dnsbl": [], "hooks": [], **filters}})
        file = self.folder / "mail.eml"
        file.write_bytes(text.encode())
        options = {"peer": "192.0.2.1", "from": "ann@sender.example", "to": "bob@rcpt.example", **options}
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        done = self.tapal.command("filter", "test", file, *words, "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout) | {"log": done.stderr}


class WithRspamd(FilterCase):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.rspamd = Rspamd(cls)

    def test_its_actions_are_followed(self):
        for letter, action, header in (("X", "refuse", ""), ("Y", "keep aside", "X-Spam: Yes\r\n"),
                                       ("Z", "keep aside", "Subject: *** SPAM *** two"), ("A", "accept", "")):
            with self.subTest(letter):
                said = self.verdict({"rspamd": self.rspamd.url}, MAIL + letter + GTUBE + "\r\n")
                self.assertEqual(action, said["action"])
                self.assertIn(header, said["header"])
        self.assertEqual("", said["by"])

    def test_it_refuses_and_puts_off_in_its_own_words(self):
        said = self.verdict({"rspamd": self.rspamd.url}, MAIL + "X" + GTUBE + "\r\n")
        self.assertEqual(("rspamd", "554 5.7.1 Gtube pattern"), (said["by"], said["reply"]))
        said = self.verdict({"rspamd": self.rspamd.url}, helo="later.example")
        self.assertEqual(("defer", "451 4.7.1 come back later"), (said["action"], said["reply"]))

    def test_it_is_told_the_facts_and_its_fields_are_taken_over(self):
        facts = {"peer_name": "mx.sender.example", "helo": "helo.example", "user": "ann"}
        for filters in ({"rspamd": self.rspamd.url}, {"milters": [self.rspamd.milter]}):
            with self.subTest(filters):
                said = self.verdict(filters, **facts)
                self.assertEqual("accept", said["action"])
                top = ("X-Facts: 192.0.2.1 helo.example mx.sender.example ann@sender.example bob@rcpt.example ann\r\n"
                       "From: ")
                self.assertEqual(top, said["header"][:len(top)])
                self.assertNotIn("X-Secret", said["header"])
                self.assertIn("Subject:  two  spaces\r\n folded\r\n", said["header"])

    def test_as_a_milter_it_refuses_and_puts_off(self):
        milters = {"milters": [self.rspamd.milter]}
        said = self.verdict(milters, MAIL + "X" + GTUBE + "\r\n")
        self.assertEqual(("refuse", "554 5.7.1 Gtube pattern"), (said["action"], said["reply"]))
        said = self.verdict(milters, helo="later.example")
        self.assertEqual(("defer", "451 4.7.1 come back later"), (said["action"], said["reply"]))
        said = self.verdict(milters, MAIL + "Y" + GTUBE + "\r\n")
        self.assertIn("X-Spam: Yes\r\n", said["header"])

    def test_a_large_message_passes(self):
        said = self.verdict({"rspamd": self.rspamd.url, "milters": [self.rspamd.milter]}, MAIL + "x" * 70 + "\r\n"
                            + ("y" * 70 + "\r\n") * 20000)
        self.assertEqual("accept", said["action"])
        self.assertEqual(2, said["header"].count("X-Facts: "))


class InSession(FilterCase):
    """A running server asks its filters while the sender is still connected."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.rspamd = Rspamd(cls)
        cls.dns = Dns(cls).add("mx.sender 60 IN A 127.0.0.1\n").start()
        cls.tapal.set({"filters": {"rspamd": cls.rspamd.url, "milters": [cls.rspamd.milter]}})
        cls.tapal.start(cls.dns)

    def send(self, text, helo="mx.sender.example"):
        with raw_session(self.tapal.address, self.tapal.smtp_port) as wire:
            wire.read_reply()
            for line in (f"EHLO {helo}", "MAIL FROM:<ann@sender.example>", "RCPT TO:<ann@rcpt.example>", "DATA"):
                self.assertIn(wire.say(line)[0], "23")
            return wire.say(text.encode() + b".\r\n")

    def test_spam_is_refused_before_it_is_accepted(self):
        self.assertIn("554 5.7.1 Gtube pattern", self.send(MAIL + "X" + GTUBE + "\r\n"))
        self.assertIn("451 4.7.1 come back later", self.send(MAIL, helo="later.example"))

    def test_each_message_of_a_session_is_judged(self):
        with raw_session(self.tapal.address, self.tapal.smtp_port) as wire:
            wire.read_reply()
            wire.say("EHLO mx.sender.example")
            for subject in ("session-one", "session-two"):
                for line in ("MAIL FROM:<ann@sender.example>", "RCPT TO:<ann@rcpt.example>", "DATA"):
                    self.assertIn(wire.say(line)[0], "23")
                self.assertIn("250 2.0.0", wire.say(MAIL.replace("two", subject).encode() + b".\r\n"))
        for subject in (b"session-one", b"session-two"):
            self.assertEqual(2, self.tapal.wait_for_mail_with("ann", subject).count(b"X-Facts: "))

    def test_the_rest_arrives_with_what_the_filters_added(self):
        self.assertIn("250 2.0.0", self.send(MAIL.replace("two", "arrives")))
        mail = self.tapal.wait_for_mail_with("ann", b"arrives")
        self.assertEqual(2, mail.count(b"X-Facts: "))
        self.assertNotIn(b"X-Secret", mail)
        self.assertTrue(mail.endswith(b"\n\nHello.\n"), mail)  # a Maildir has lines as this system has them


class WithOpendkim(FilterCase):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.opendkim = SigningOpendkim(cls, "sender.example")

    def test_its_signature_holds(self):
        said = self.verdict({"milters": [self.opendkim.milter]})
        self.assertTrue(said["header"].startswith("DKIM-Signature: "), said["header"])
        whole = (said["header"] + "\r\nHello.\r\n").encode()
        self.assertTrue(dkim.verify(whole, dnsfunc=lambda *_, **__: self.opendkim.record.encode()))

    def test_another_milter_sees_what_it_added(self):
        rspamd = Rspamd(type(self))
        said = self.verdict({"milters": [self.opendkim.milter, rspamd.milter], "rspamd": rspamd.url})
        first = [line.split(":")[0] for line in said["header"].splitlines() if line[0] not in " \t"][:3]
        self.assertEqual(["X-Facts", "X-Facts", "DKIM-Signature"], first)


class WithDnsLists(FilterCase):
    @classmethod
    def prepare(cls):
        super().prepare()
        nibbles = "1" + ".0" * 23 + ".0.6.8.4.6.0.6.2"
        cls.dns = Dns(cls).add(
            "4.4.8.8.bad 60 IN A 127.0.0.4\n4.4.8.8.bad 60 IN TXT \"see https://bad.example/\"\n"
            f"{nibbles}.bad 60 IN A 127.0.0.2\n"
            "4.4.8.8.odd 60 IN A 127.255.255.254\n*.all 60 IN A 127.0.0.2\n*.web 60 IN A 198.51.100.1\n").start()

    def test_the_listed_are_refused_with_the_lists_words(self):
        said = self.verdict({"dnsbl": ["odd.example", "bad.example"]}, peer="8.8.4.4", dns_server=self.dns.endpoint)
        self.assertEqual(("refuse", "dnsbl"), (said["action"], said["by"]))
        self.assertEqual("554 5.7.1 8.8.4.4 is listed by bad.example: see https://bad.example/", said["reply"])
        self.assertIn("odd.example refuses our questions", said["log"])
        for peer, action in (("2606:4860::1", "refuse"), ("2606:4860::2", "accept"), ("8.8.4.5", "accept"),
                             ("10.4.4.8", "accept")):
            with self.subTest(peer):
                said = self.verdict({"dnsbl": ["bad.example"]}, peer=peer, dns_server=self.dns.endpoint)
                self.assertEqual(action, said["action"])

    def test_lists_that_are_none_are_not_believed(self):
        said = self.verdict({"dnsbl": ["odd.example", "all.example", "web.example"]}, peer="8.8.4.4",
                            dns_server=self.dns.endpoint)
        self.assertEqual("accept", said["action"])
        self.assertIn("all.example lists everybody", said["log"])


class WithHooks(FilterCase):
    def hook(self, script):
        path = self.folder / "hook"
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        return {"hooks": [f"{path} one two"], "hook_timeout": "2s", "hooks_when_down": "defer"}

    def test_its_exit_code_is_its_judgement(self):
        for script, action, reply in (("exit 0", "accept", ""), ("echo no thanks; exit 20", "refuse", "554 5.7.1 no thanks"),
                                      ("echo later >&2; exit 75", "defer", "451 4.7.1 later"),
                                      ("exit 21", "keep aside", "")):
            with self.subTest(script):
                said = self.verdict(self.hook(script))
                self.assertEqual((action, reply), (said["action"], said["reply"]))

    def test_one_that_is_broken_does_not_judge(self):
        for script, reason in (("exit 1", "exit code 1"), ("kill -9 $$", "signal 9"), ("sleep 60", "too long"),
                               ("echo hello", "expected up to 50 header fields")):
            with self.subTest(script):
                said = self.verdict(self.hook(script))
                self.assertEqual("defer", said["action"])
                self.assertIn(reason, said["log"])

    def test_it_is_given_the_message_and_the_facts(self):
        seen, facts = self.folder / "seen", self.folder / "facts"
        said = self.verdict(self.hook(f"cat >{seen}; (echo $*; env) >{facts}; echo X-Hook: yes"), user="ann@rcpt.example")
        self.assertEqual("accept", said["action"])
        self.assertTrue(said["header"].startswith("X-Hook: yes\r\nFrom: "), said["header"])
        self.assertEqual(MAIL.encode(), seen.read_bytes())
        told = facts.read_text().splitlines()
        self.assertEqual("one two", told[0])
        for fact in ("REMOTE_ADDR=192.0.2.1", "MAIL_FROM=ann@sender.example", "RCPT_TO=bob@rcpt.example",
                     "AUTH_AS=ann@rcpt.example", "ON_TLS=0"):
            self.assertIn(fact, told)
        self.assertEqual([], [line for line in told if line.startswith("HOME=")])

    def test_it_need_not_read_a_large_message(self):
        said = self.verdict(self.hook("exit 20"), MAIL + ("x" * 70 + "\r\n") * 50000)
        self.assertEqual("refuse", said["action"])


class WithOddFilters(FilterCase):
    def test_a_filter_that_is_down_does_what_the_settings_say(self):
        address = new_address()
        nobody = f"{address}:{free_port(address)}"
        for filters, action in (({"milters": [nobody]}, "defer"), ({"rspamd": f"http://{nobody}"}, "accept"),
                                ({"milters": [nobody], "milters_when_down": "accept"}, "accept"),
                                ({"milters": [f"unix:{self.folder}/none"]}, "defer"),
                                ({"rspamd": f"http+unix://{self.folder}/none:/x", "rspamd_when_down": "defer"}, "defer")):
            with self.subTest(filters):
                said = self.verdict({"milters_when_down": "defer", "rspamd_when_down": "accept", **filters})
                self.assertEqual(action, said["action"])
                self.assertIn("a filter cannot judge", said["log"])

    def test_a_milter_may_break_any_rule_at_any_stage(self):
        milter = OddMilter(type(self))
        answers = {"hangs up": None, "no length": b"\0\0\0\0", "huge": b"\xff\xff\xff\xff\x00", "text": b"220 hello\r\n",
                   "unknown": struct.pack("!Ic", 1, b"Z"), "change": struct.pack("!Ic", 5, b"h") + b"X\0y\0",
                   "two": struct.pack("!IcIc", 1, b"c", 1, b"c"), "reply": struct.pack("!Ic", 3, b"y") + b"no"}
        for stage in "OCHMRTLNBE":
            for name, said in answers.items():
                with self.subTest((stage, name)):
                    milter.stage, milter.says = stage, said
                    verdict = self.verdict({"milters": [milter.place], "milters_when_down": "defer"})
                    if (stage, name) == ("E", "two"):  # what comes behind the last answer is nobody's business
                        continue
                    self.assertEqual("defer", verdict["action"], verdict["log"])

    def test_a_silent_milter_costs_no_more_than_its_time(self):
        milter = OddMilter(type(self))
        milter.stage, milter.says = "M", b""
        before = time.monotonic()
        said = self.verdict({"milters": [milter.place], "milter_timeout": "1s", "milters_when_down": "defer"})
        self.assertEqual("defer", said["action"])
        self.assertIn("no answer to MAIL in time", said["log"])
        self.assertLess(time.monotonic() - before, 20)

    def test_another_http_server_is_understood(self):
        url = OddHttp.start(type(self))
        OddHttp.answer = b'{"action": "reject", "score": 20, "required_score": 15, "symbols": {"BAD": {"score": 20}}}'
        said = self.verdict({"rspamd": url + "/r/"})
        self.assertEqual(("refuse", "score 20.00 of 15.00: BAD"), (said["action"], said["reason"]))
        path, headers, body = OddHttp.asked[-1]
        self.assertEqual(("/r/checkv2", "192.0.2.1", MAIL.encode()), (path, headers["IP"], body))
        OddHttp.answer = b"no JSON at all"
        said = self.verdict({"rspamd": url, "rspamd_when_down": "defer"})
        self.assertEqual("defer", said["action"])


if __name__ == "__main__":
    unittest.main()
