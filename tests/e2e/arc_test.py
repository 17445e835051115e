"""ARC chains that pass from hand to hand between tapal, dkimpy and mailauth, and DKIM keys as real
DNS has them. dkimpy's arc_sign wants python3-authres."""
import base64
import json
import random
import re
import subprocess
import unittest

import dkim

from dns import Dns
from harness import NODE, TAPAL, Case, ask_tool

BODY = b"Hello  there \r\n\r\n.\r\nEnd\r\n\r\n"
HEADER = (b"Received: from a by b; Mon, 2 Mar 2026 10:00:00 +0000\r\nFrom: Ann <ann@d1.example>\r\n"
          b"To: bob@d2.example\r\nSubject:  =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n and  more\r\n"
          b"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nMessage-ID: <1@d1.example>\r\n")
MESSAGE = HEADER + b"\r\n" + BODY
NAMES = ["From", "to", "date", "Subject", "x-absent", "arc-authentication-results"]


def canonical(field):
    """The relaxed form, with white space inside b= gone."""
    name, value = field.split(b":", 1)
    value = re.sub(rb"[ \t\r\n]+", b" ", value).strip()
    return name.lower() + b":" + re.sub(rb"(; b=)([^;]*)", lambda m: m[1] + m[2].replace(b" ", b""), value)


def top_fields(message, count):
    return re.split(rb"\r\n(?![ \t])", message, maxsplit=count)[:count]


def record(public_der):
    text = "v=DKIM1; k=rsa; p=" + base64.b64encode(public_der).decode()
    return " ".join(f'"{text[i:i + 250]}"' for i in range(0, len(text), 250))


class ArcCase(Case):
    @classmethod
    def prepare(cls):
        cls.dns, cls.keys = Dns(cls), {}
        for domain, form in (("d1.example", "-traditional"), ("d2.example", "-traditional"), ("d3.example", None)):
            cls.add_key("s", domain, form=form)
        cls.dns.start()

    @classmethod
    def add_key(cls, selector, domain, bits=2048, form="-traditional"):
        """Makes an RSA key, PKCS#1 or PKCS#8, and publishes it."""
        key = cls.folder / f"{selector}.{domain}.pem"
        made = ask_tool("openssl", "genrsa", *([form] if form else []), "-out", key, bits)
        assert made.returncode == 0, made.stderr
        der = cls.folder / "public.der"
        ask_tool("openssl", "rsa", "-in", key, "-pubout", "-outform", "DER", "-out", der)
        cls.keys[selector, domain] = key
        cls.dns.add(f"{selector}._domainkey.{domain}. 60 IN TXT {record(der.read_bytes())}")

    def txt(self, name, timeout=5):
        return (self.dns.text_of(name.decode() if isinstance(name, bytes) else name) or "").encode()

    def file(self, message):
        path = self.folder / "message.eml"
        path.write_bytes(message)
        return path

    def tapal(self, *words, message):
        return ask_tool(TAPAL, *words, "--dns-server", self.dns.endpoint, self.file(message))

    def arrived(self, message, domain, results):
        """As mx.DOMAIN has it after its checks: with its own results, and no others of that name."""
        name = f"Authentication-Results: mx.{domain};"
        older = re.sub(rb"(?m)^" + name.encode() + rb".*\r\n([ \t].*\r\n)*", b"", message)
        return f"{name} {results}\r\n".encode() + older

    def ours(self, message):
        done = self.tapal("arc", "verify", message=message)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout.split("\n")[0]

    def dkimpy(self, message):
        try:
            # It gives nothing where a seal says fail.
            return (dkim.arc_verify(message, dnsfunc=self.txt)[0] or b"fail").decode()
        except IndexError:  # its way to miss a field
            return "fail"

    def mailauth(self, message):
        done = ask_tool("node", NODE / "arc.mjs", "verify", self.dns.endpoint, self.file(message))
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout.split()[0]

    def ask_seal(self, message, domain, *options):
        return subprocess.run([TAPAL, "arc", "seal", "--domain", domain, "--selector", "s", "--key", self.keys["s", domain],
                               "--authserv-id", f"mx.{domain}", *options, "--dns-server", self.dns.endpoint,
                               self.file(message)], capture_output=True, timeout=60)

    def seal_by_us(self, message, domain="d1.example", *options):
        done = self.ask_seal(message, domain, *options)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertTrue(done.stdout.endswith(message))
        return done.stdout

    def seal_by_dkimpy(self, message, domain="d2.example", **options):
        fields = dkim.arc_sign(message, b"s", domain.encode(), self.keys["s", domain].read_bytes(),
                               f"mx.{domain}".encode(), **options)
        return b"".join(fields) + message

    def seal_by_mailauth(self, message, domain="d3.example"):
        done = ask_tool("node", NODE / "arc.mjs", "seal", self.dns.endpoint, self.file(message), f"mx.{domain}", domain, "s",
                        self.keys["s", domain])
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout.encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


class Chains(ArcCase):
    def test_a_chain_passes_from_hand_to_hand(self):
        message = MESSAGE
        self.assertEqual("none", self.ours(message))
        us, dkimpy, mailauth = (self.seal_by_us, "d1.example"), (self.seal_by_dkimpy, "d2.example"), (
            self.seal_by_mailauth, "d3.example")
        for hop, (seal, domain) in enumerate((us, dkimpy, mailauth, us, mailauth, dkimpy, us)):
            message = seal(self.arrived(message, domain, f"arc={'pass' if hop else 'none'}; spf=pass"))
            with self.subTest(hop=hop + 1, by=seal.__name__):
                self.assertEqual(["pass"] * 3, [self.ours(message), self.dkimpy(message), self.mailauth(message)])

    def test_our_seal_is_dkimpys_byte_for_byte(self):
        chain = MESSAGE
        for hop, said in enumerate(("none", "pass", "pass", "fail")):
            message = self.arrived(chain, "d2.example", f"arc={said};\r\n\tspf=pass (a  b) smtp.mfrom=x;dkim=pass")
            theirs = self.seal_by_dkimpy(message, standardize=True, timestamp=1000 + hop,
                                         include_headers=[n.encode() for n in NAMES])
            chain = self.seal_by_us(message, "d2.example", "--headers", ":".join(NAMES), "--time", str(1000 + hop))
            self.assertEqual([canonical(f) for f in top_fields(theirs, 3)], [canonical(f) for f in top_fields(chain, 3)])
        self.assertEqual("fail", self.ours(chain))
        done = self.ask_seal(self.arrived(chain, "d1.example", "arc=pass"), "d1.example")
        self.assertEqual((1, b""), (done.returncode, done.stdout))
        self.assertIn(b"nobody may add to it", done.stderr)

    def test_a_seal_tells_what_the_chain_is_where_the_results_do_not(self):
        chain = self.seal_by_us(self.arrived(MESSAGE, "d1.example", "spf=pass"))
        self.assertIn(b" cv=none; d=d1.example; i=1;", canonical(top_fields(chain, 1)[0]))
        for message, said in ((chain, b"pass"), (chain.replace(b"Hello", b"Hallo"), b"fail")):
            sealed = self.seal_by_us(self.arrived(message, "d2.example", "spf=pass"), "d2.example")
            self.assertIn(b" cv=" + said + b"; d=d2.example; i=2;", canonical(top_fields(sealed, 1)[0]))

    def test_a_changed_message_fails_everywhere(self):
        sealed = self.seal_by_us(self.arrived(MESSAGE, "d1.example", "spf=pass"))
        for name, changed in (("body", sealed.replace(b"Hello", b"Hallo")), ("field", sealed.replace(b"and  more", b"")),
                              ("results", sealed.replace(b"i=1; mx.d1.example; spf=pass", b"i=1; mx.d1.example; spf=fail"))):
            with self.subTest(name):
                self.assertNotEqual(sealed, changed)
                self.assertEqual(["fail"] * 3, [self.ours(changed), self.dkimpy(changed), self.mailauth(changed)])

    def test_odd_chains_are_judged_as_dkimpy_judges_them(self):
        # But for fields in another order and folds before i=, which it does not find its way through.
        chain = MESSAGE
        for said in ("none", "pass", "pass"):
            chain = self.seal_by_us(self.arrived(chain, "d1.example", f"arc={said}"))
        header, body = chain.split(b"\r\n\r\n", 1)
        fields = re.split(rb"\r\n(?![ \t])", header)
        seed = random.SystemRandom().randrange(10**6)
        dice = random.Random(seed)
        verdicts = {}
        for number in range(20):
            odd = list(fields)
            places = [i for i, f in enumerate(odd) if f.startswith(b"ARC-")]
            place = dice.choice(places)
            change = dice.choice(("drop", "double", "i", "cv", "letter", "tag", "space"))
            if change == "drop":
                del odd[place]
            elif change == "double":
                odd.insert(dice.choice(places), odd[place])
            elif change == "i":
                odd[place] = re.sub(rb"i=\d", b"i=%d" % dice.choice((0, 1, 2, 3, 4, 51)), odd[place], count=1)
            elif change == "cv":
                odd[place] = re.sub(rb"cv=\w+", dice.choice((b"cv=none", b"cv=pass", b"cv=fail", b"cv=x", b"")), odd[place])
            elif change == "letter":
                at = dice.randrange(odd[place].index(b":") + 1, len(odd[place]))
                odd[place] = odd[place][:at] + b"q" + odd[place][at + 1:]
            elif change == "tag":
                odd[place] = odd[place].replace(b"; ", dice.choice((b"; h=from; ", b";zz=1;", b"; t=x; ")), 1)
            else:
                odd[place] = odd[place].replace(b" ", b"  ")
            message = b"\r\n".join(odd) + b"\r\n\r\n" + body
            ours = self.ours(message)
            verdicts[ours] = verdicts.get(ours, 0) + 1
            with self.subTest(seed=seed, number=number, change=change, field=odd[min(place, len(odd) - 1)]):
                self.assertEqual(self.dkimpy(message), ours)
        self.assertLessEqual(2, len(verdicts), f"seed {seed}: {verdicts}")

    def test_it_tells_the_chain_as_text_and_json(self):
        message = self.seal_by_us(self.arrived(MESSAGE, "d1.example", "spf=pass smtp.mfrom=a"))
        message = self.seal_by_us(self.arrived(message, "d2.example", "arc=pass"), "d2.example")
        told = self.tapal("arc", "verify", message=message).stdout.splitlines()
        self.assertEqual(["pass", "i=1 domain=d1.example selector=s cv=none results: mx.d1.example; spf=pass smtp.mfrom=a",
                          "i=2 domain=d2.example selector=s cv=pass results: mx.d2.example; arc=pass"], told)
        told = json.loads(self.tapal("arc", "verify", "--json", message=message.replace(b"Hello", b"Hallo")).stdout)
        self.assertEqual("fail", told["result"])
        self.assertEqual("ARC-Message-Signature with i=2: the body has changed", told["reason"])
        self.assertEqual([1, 2], [s["instance"] for s in told["sets"]])

    def test_without_results_of_that_name_there_is_nothing_to_seal(self):
        done = self.ask_seal(self.arrived(MESSAGE, "other.example", "spf=pass"), "d1.example")
        self.assertEqual((1, b""), (done.returncode, done.stdout))
        self.assertIn(b"no Authentication-Results of mx.d1.example", done.stderr)


class DkimKeys(ArcCase):
    @classmethod
    def prepare(cls):
        cls.dns, cls.keys = Dns(cls), {}
        cls.add_key("s", "d1.example")
        cls.add_key("small", "d1.example", bits=512)
        cls.add_key("other", "d1.example", bits=1024)
        cls.add_key("large", "d1.example", bits=4096)
        text = cls.dns.zones["example"]
        good = re.search(r"^s\._domainkey\.d1\.example\. 60 IN TXT (.*)$", text, re.M)[1]
        other = re.search(r"^other\._domainkey\.d1\.example\. 60 IN TXT (.*)$", text, re.M)[1]
        cls.dns.add("alias._domainkey.d1.example. 60 IN CNAME far.d1.example.\n"
                    "far.d1.example. 60 IN CNAME s._domainkey.d1.example.\n"
                    f"two._domainkey.d1.example. 60 IN TXT {other}\ntwo._domainkey.d1.example. 60 IN TXT {good}\n"
                    "revoked._domainkey.d1.example. 60 IN TXT \"v=DKIM1; p=\"\n"
                    "noise._domainkey.d1.example. 60 IN TXT \"hello\"\n"
                    f"s._domainkey.xn--bcher-kva.example. 60 IN TXT {good}")
        cls.dns.start()

    def sign(self, selector, domain="d1.example", key="s", message=MESSAGE, **options):
        return dkim.sign(message, selector.encode(), domain.encode(), self.keys[key, "d1.example"].read_bytes(),
                         include_headers=[b"from", b"subject", b"from"], **options) + message

    def verdicts(self, message):
        done = self.tapal("dkim", "verify", message=message)
        self.assertEqual(0, done.returncode, done.stderr)
        return [line.split()[0] for line in done.stdout.splitlines()]

    def test_keys_as_dns_has_them(self):
        for name, message, verdict in (
                ("plain", self.sign("s"), "pass"),
                ("4096 bits", self.sign("large", key="large"), "pass"),
                ("behind two CNAMEs", self.sign("alias"), "pass"),
                ("one of two records", self.sign("two"), "pass"),
                ("another key", self.sign("s", key="other"), "fail"),
                ("too small", self.sign("small", key="small"), "permerror"),
                ("revoked", self.sign("revoked"), "permerror"),
                ("no key record", self.sign("noise"), "permerror"),
                ("no such name", self.sign("missing"), "permerror"),
                ("a domain that is not ASCII", self.sign("s", "xn--bcher-kva.example").replace(
                    b"xn--bcher-kva", "bücher".encode()), "fail"),
                ("l= of the whole", self.sign("s", length=True), "pass"),
                ("l= and text added", self.sign("s", length=True) + b"more\r\n", "neutral"),
                ("simple", self.sign("s", canonicalize=(b"simple", b"simple")), "pass"),
                ("simple and relaxed", self.sign("s", canonicalize=(b"simple", b"relaxed")), "pass"),
                ("empty body", self.sign("s", message=HEADER + b"\r\n", canonicalize=(b"simple", b"simple")), "pass"),
                ("no final line end", self.sign("s", message=HEADER + b"\r\nx"), "pass"),
                ("From added", b"From: x@y.example\r\n" + self.sign("s"), "fail"),
                ("no signature", MESSAGE, "none")):
            with self.subTest(name):
                self.assertEqual([verdict], self.verdicts(message))

    def test_lines_are_in_the_order_of_the_header(self):
        message = self.sign("s", message=self.sign("revoked", message=self.sign("s", key="other")))
        self.assertEqual(["pass", "permerror", "fail"], self.verdicts(message))


if __name__ == "__main__":
    unittest.main()
