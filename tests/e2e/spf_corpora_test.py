"""SPF cases that others made (../shared/corpora or TAPAL_CORPORA), through `tapal spf check`.

Where a case and RFC 7208 differ, or a case is about something else as well, it is mended here, and why is said.
"""
import copy
import ipaddress
import os
import pathlib
import re
import unittest
from concurrent.futures import ThreadPoolExecutor

import yaml

from fake_dns import FakeDns
from harness import ROOT, Case
from spf_test import spf

CORPORA = pathlib.Path(os.environ.get("TAPAL_CORPORA") or ROOT.parent / "shared/corpora")


class Corpus(Case):
    corpus = ""

    @classmethod
    def prepare(cls):
        if cls.corpus and not (CORPORA / cls.corpus).is_dir():
            raise unittest.SkipTest("the corpora are absent: set TAPAL_CORPORA")

    def run_all(self, tests):
        """`tests` are (name, zone, function of a server giving (expected, verdict and explanation, output))."""
        def run(test):
            name, zone, ask = test
            with FakeDns(zone) as dns:
                return name, *ask(dns)
        with ThreadPoolExecutor(4) as pool:
            for name, expected, got, output in pool.map(run, tests):
                with self.subTest(name):
                    self.assertEqual(expected, got[:len(expected)], output)


class Blitiri(Corpus):
    """The openspf form of YAML."""
    corpus = "spf/blitiri"

    def documents(self):
        text = (CORPORA / self.corpus / "testdata/blitirispf-tests.yml").read_text()
        for document in text.split("\n---\n")[1:]:
            # Its domains of one label can have no policy (section 4.3), nor stand in a record (section 7.1).
            bare = [name for name in map(str, yaml.safe_load(document)["zonedata"]) if "." not in name]
            for name in (*bare, *(["doesnotexist"] if bare else [])):
                document = re.sub(rf"(?<![\w.-]){name}(?![\w.-])", f"{name}.tld", document)
            yield yaml.safe_load(document)

    def test_all_cases(self):
        tests = []
        for document in self.documents():
            zone = {name: [("TXT" if kind == "SPF" else kind, value) for record in records for kind, value in record.items()]
                    for name, records in document["zonedata"].items()}
            for name, case in document["tests"].items():
                def ask(dns, case=case):
                    got, done = spf(dns, case["host"], case["mailfrom"], case.get("helo", ""))
                    return (case["result"],), got, done.stdout + done.stderr
                tests.append((f"{document['description']}: {name}", zone, ask))
        self.assertEqual(21, len(tests))
        self.run_all(tests)


class MailAuth(Corpus):
    corpus = "mail-auth/resources/spf"
    # (name, domain, ip): what RFC 7208 says instead.
    DIFFERENT = {
        ("All test", "test.org", "10.0.0.1"): "permerror",     # "ip:" is no mechanism, wherever it stands (4.6)
        ("Exists", "ip6.test.org", "167.1.2.3"): "fail",  # exists asks for A, whatever the client (5.7)
        ("Macro expansion 2", "mx.example.org", "2001:db8::cb01"): "fail",  # the same
        ("IPv6 match", "test.org", "10.1.2.3"): "fail",   # a mapped address is IPv4: ip6 does not match (5)
        ("DNS Lookup Limits", "ptr.test.org", "10.0.0.11"): None,  # which ten of eleven names are tried is open
    }

    @staticmethod
    def add_records(zone, kind, text):
        name, _, rest = text.partition(" ")
        name, values = name.rstrip("."), [value.strip() for value in rest.split(",")]
        records = zone.setdefault(name, [])
        if kind in ("spf", "exp"):
            records[:] = [record for record in records if record[0] != "TXT"] + [("TXT", rest)]
        elif kind == "mx":
            for i, ip in enumerate(values):
                records.append(("MX", (i, f"mx{i}.{name}")))
                zone[f"mx{i}.{name}"] = [("AAAA" if ":" in ip else "A", ip)]
        elif kind == "ptr":
            zone[ipaddress.ip_address(name).reverse_pointer] = [("PTR", value) for value in values]
        else:
            records += [(kind.upper(), value) for value in values]

    def cases(self, document):
        """(domain, sender, ip, what is expected, zone) each; a test says only what is new, and may bring records."""
        # Names that a case lets fail, and addresses for ten names: it is not about void lookups.
        shared = {name: [("SERVFAIL", None)] for name in ("_dns_error.org", "_dns_error.test.org")}
        shared |= {f"t{i}.org": [("A", "203.0.113.1")] for i in range(12)}
        zone, said = shared, {}
        for begins, key, value in re.findall(r"^ *(- )?(\w+):(.*)$", document, re.M):
            if begins:
                zone = copy.deepcopy(shared)
            if key in ("spf", "exp", "a", "aaaa", "mx", "ptr"):
                self.add_records(zone, key, value[1:])
            elif key == "expect":
                yield said["domain"], said["sender"], said["ip"], value.strip(), copy.deepcopy(zone)
            else:
                said[key] = value.strip()

    def test_all_cases(self):
        tests = []
        for path in sorted((CORPORA / self.corpus).glob("*.yml")):
            for document in re.split(r"^---\s*$", path.read_text(), flags=re.M):
                title = re.search(r"^name: *(.*)$", document, re.M)
                for domain, sender, ip, expected, zone in self.cases(document):
                    expected = self.DIFFERENT.get((title and title[1], domain, ip), expected)
                    if expected is None:
                        continue

                    def ask(dns, domain=domain, sender=sender, ip=ip, expected=expected):
                        # They check HELO, and MAIL FROM when that does not settle it.
                        only = sender.endswith(f"@{domain}")
                        got, done = spf(dns, ip, sender if only else "", domain)
                        if got[0] in ("pass", "none") and sender and not only:
                            got, done = spf(dns, ip, sender, domain)
                        return tuple(expected.split(" ", 1)), got, done.stdout + done.stderr
                    tests.append((f"{path.stem}: {domain} {sender} {ip}", zone, ask))
        self.assertGreater(len(tests), 120)
        self.run_all(tests)


if __name__ == "__main__":
    unittest.main()
