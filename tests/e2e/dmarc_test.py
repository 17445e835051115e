"""DMARC, public suffixes, addresses and names by the command line, DNS by knot; mailauth judges beside us."""
import json
import os
import pathlib
import re
import unittest
import xml.etree.ElementTree

from dns import Dns
from harness import NODE, ROOT, TAPAL, Case, ask_tool

CORPORA = pathlib.Path(os.environ.get("TAPAL_CORPORA") or ROOT / "../shared/corpora")


def tapal(*words):
    return ask_tool(TAPAL, *words)


class Dmarc(Case):
    @classmethod
    def prepare(cls):
        cls.dns = Dns(cls)
        for domain, record in {
            "strong": "v=DMARC1; p=reject; sp=quarantine; np=none; rua=mailto:a@strong.example",
            "soft": "v=DMARC1; p=quarantine",
            "watch": "v=DMARC1; p=none",
            "strict": "v=DMARC1; p=reject; adkim=s; aspf=s",
            "test": "v=DMARC1; p=reject; t=y",
            "old": "v=DMARC1; p=reject; pct=0; rua=mailto:a@old.example!10m",
            "broken": "v=DMARC1; p=maybe",
            "bank": "v=DMARC1; p=reject; psd=y",
            "own.strong": "v=DMARC1; p=none; psd=n",
        }.items():
            cls.dns.add(f'_dmarc.{domain} IN TXT "{record[:20]}" "{record[20:]}"')
        cls.dns.add('_dmarc.two IN TXT "v=DMARC1; p=reject"\n_dmarc.two IN TXT "v=DMARC1; p=none"')
        cls.dns.add("there.strong IN A 192.0.2.1")
        cls.dns.start()

    def check(self, author, *words):
        done = tapal("dmarc", "check", "--header-from", author, *words, "--dns-server", self.dns.endpoint)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def first_lines(self, *words):
        result, disposition = self.check(*words).split("\n")[:2]
        return result, disposition.removeprefix("disposition=")

    def test_every_kind_of_answer(self):
        dkim = lambda domain, result="pass": ("--dkim", result, "--dkim-domain", domain)
        spf = lambda domain, result="pass": ("--spf", result, "--spf-domain", domain)
        for expected, words in {
            ("pass", "none"): [
                ("strong.example", *dkim("strong.example")),
                ("strong.example", *spf("bounce.strong.example")),
                ("there.strong.example", *dkim("strong.example"), *spf("other.example", "fail")),
                ("strict.example", *spf("strict.example")),
                ("strong.example", *dkim("a.example", "fail"), *dkim("strong.example")),
                ("STRONG.example", *dkim("Strong.EXAMPLE")),
            ],
            ("fail", "reject"): [
                ("strong.example",),
                ("strong.example", "--spf", "none", "--spf-domain", "", "--dkim", "none"),
                ("strong.example", *dkim("strong.example", "fail"), *spf("strong.example", "softfail")),
                ("strict.example", *dkim("a.strict.example"), *spf("a.strict.example")),
                ("giant.bank.example", *dkim("mega.bank.example")),
            ],
            ("fail", "quarantine"): [
                ("there.strong.example",), ("soft.example",), ("test.example",), ("old.example",),
            ],
            ("fail", "none"): [
                ("gone.strong.example",), ("watch.example",), ("own.strong.example", *dkim("strong.example")),
            ],
            ("none", "none"): [
                ("nothing.example", *dkim("nothing.example")), ("two.example",), ("broken.example",),
            ],
            ("temperror", "none"): [
                ("strong.example", *spf("strong.example", "temperror")),
                ("refused.invalid-zone.test",),
            ],
            ("permerror", "none"): [("not..a.name",)],
        }.items():
            for one in words:
                with self.subTest(one):
                    self.assertEqual(expected, self.first_lines(*one))

    def test_tells_the_reason_the_record_and_where_it_was(self):
        answer = self.check("there.strong.example", "--dkim", "pass", "--dkim-domain", "soft.example")
        self.assertIn("reason: passed, but not aligned with there.strong.example: DKIM soft.example", answer)
        self.assertIn("record: v=DMARC1; p=reject; sp=quarantine; np=none", answer)
        self.assertIn("found at: _dmarc.strong.example, the organizational domain", answer)
        found = json.loads(self.check("old.example", "--json"))
        self.assertEqual(["fail", "quarantine", "old.example", ["mailto:a@old.example"]],
                         [found[k] for k in ("result", "disposition", "policy_domain", "rua")])
        self.assertEqual(2, len(found["notes"]))

    def test_several_authors_are_held_to_the_strictest(self):
        words = ("dmarc", "check", "--header-from", "watch.example", "--header-from", "soft.example", "--header-from",
                 "strong.example", "--dkim", "pass", "--dkim-domain", "strong.example", "--dns-server", self.dns.endpoint)
        self.assertEqual(["fail", "disposition=quarantine"], tapal(*words).stdout.split("\n")[:2])

    def test_wrong_usage(self):
        for words in ((), ("--header-from", "a.example", "--spf", "maybe"),
                      ("--header-from", "a.example", "--dkim", "pass"),
                      ("--header-from", "a.example", "--dkim-domain", "a.example")):
            with self.subTest(words):
                self.assertEqual(2, tapal("dmarc", "check", *words).returncode)

    def test_mailauth_agrees_where_rfc_7489_and_9989_do(self):
        cases = [{"from": author, "spf": spf, "dkim": dkim}
                 for author in ("strong.example", "there.strong.example", "soft.example", "watch.example", "nothing.example")
                 for spf in ([], ["strong.example"], ["bounce.soft.example"], ["else.example"])
                 for dkim in ([], ["watch.example"], ["there.strong.example"])]
        done = ask_tool("node", NODE / "dmarc.mjs", self.dns.endpoint, json.dumps(cases))
        self.assertEqual(0, done.returncode, done.stderr)
        for case, theirs in zip(cases, json.loads(done.stdout), strict=True):
            words = [w for d in case["spf"] for w in ("--spf", "pass", "--spf-domain", d)]
            words += [w for d in case["dkim"] for w in ("--dkim", "pass", "--dkim-domain", d)]
            result, disposition = self.first_lines(case["from"], *words)
            with self.subTest(case):
                self.assertEqual(theirs["result"], result)
                if result == "fail":
                    self.assertEqual(theirs["policy"], disposition)


class Names(unittest.TestCase):
    def test_an_address_comes_in_its_normal_form(self):
        for text, form in {"Ann@Example.COM": "Ann@example.com", "a@bücher.example": "a@xn--bcher-kva.example",
                           '"a"@x.example': "a@x.example"}.items():
            done = tapal("address", "check", text)
            self.assertEqual((0, form + "\n"), (done.returncode, done.stdout))
        done = tapal("address", "check", "a@@x")
        self.assertEqual(1, done.returncode)
        self.assertTrue(done.stdout.startswith("invalid: ") and done.stderr)
        self.assertFalse(json.loads(tapal("address", "check", "x", "--json").stdout)["valid"])

    def test_addresses_of_the_isemail_corpus(self):
        path = CORPORA / "address/test/tests.xml"
        if not path.exists():
            self.skipTest("the corpora are absent: set TAPAL_CORPORA")
        tests = list(xml.etree.ElementTree.parse(path).getroot().iter("test"))
        self.assertEqual(164, len(tests))
        for test in tests:
            # Control characters are written as their symbols; NUL cannot be in an argument.
            text = re.sub("[\u2401-\u2420]", lambda m: chr(ord(m[0]) - 0x2400), test.findtext("address") or "")
            category = test.findtext("category")
            if "\u2400" in text or category not in ("ISEMAIL_ERR", "ISEMAIL_VALID_CATEGORY"):
                continue
            with self.subTest(text):
                done = tapal("address", "check", "--", text)
                self.assertEqual(0 if category == "ISEMAIL_VALID_CATEGORY" else 1, done.returncode, done.stdout)

    def test_names_become_a_labels(self):
        self.assertEqual("xn--bcher-kva.example\n", tapal("idna", "to-ascii", "Bücher.example").stdout)
        for bad in ("", "a b", "-a.example", "a..example", "a" * 64 + ".example"):
            done = tapal("idna", "to-ascii", "--", bad)
            self.assertEqual(1, done.returncode, bad)
            self.assertTrue(done.stdout.startswith("invalid: "), done.stdout)

    def test_the_checks_of_the_public_suffix_list(self):
        path = CORPORA / "psl/tests/test_psl.txt"
        if not path.exists():
            self.skipTest("the corpora are absent: set TAPAL_CORPORA")
        checks = re.findall(r"^checkPublicSuffix\('([^']*)', (?:null|'([^']*)')\);", path.read_text(), re.M)
        self.assertGreater(len(checks), 70)
        for name, expected in checks:
            with self.subTest(name):
                done = tapal("psl", name, "--list", CORPORA / "psl/public_suffix_list.dat")
                self.assertEqual(0 if expected else 1, done.returncode, done.stdout)
                self.assertTrue(done.stdout == expected + "\n" if expected else re.match("none|invalid", done.stdout),
                                done.stdout)

    def test_the_systems_list_is_used_and_a_wrong_file_is_named(self):
        self.assertEqual("example.co.uk\n", tapal("psl", "www.example.co.uk").stdout)
        self.assertTrue(tapal("psl", "co.uk").stdout.startswith("none: co.uk"))
        done = tapal("psl", "x.example", "--list", "/nowhere/list")
        self.assertEqual(1, done.returncode)
        self.assertIn("/nowhere/list", done.stderr)
