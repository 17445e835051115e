"""`tapal doctor` beside a running server, a real DNS server and Postfix as one of the big receivers: once with all in
order, then with one thing broken at a time."""
import json
import os
import shutil
import subprocess
import unittest

from dns import Dns, UpdateKey
from harness import Case, Tapal, ask_tool, TAPAL, wait_until
from peers import Postfix

DOMAIN = "a.example"
HOST = f"mail.{DOMAIN}"


# All but ptr: libunbound answers about the names of 127.0.0.0/8 by itself and asks nobody.
FAMILIES = ("host", "port", "smtp", "dns", "mx", "spf", "dkim", "dmarc", "tls", "list", "domain", "alias", "forward",
            "server", "queue", "files", "backup")


def reversed_name(address):
    return ".".join(reversed(address.split(".")))


class Doctor(Case):
    @classmethod
    def prepare(cls):
        cls.big = Postfix(cls, "big.example", cls.delivery_port)
        cls.tapal = Tapal(cls, DOMAIN, delivery_port=cls.delivery_port)
        cls.tapal.set({
            "delivery": {"source_ipv4": cls.tapal.address},
            "tls": {"trusted_ca_file": str(cls.tapal.certificate)},
            "doctor": {"big_domains": ["big.example"], "address_lists": ["zen.list.example"],
                       "domain_lists": ["dbl.list.example"], "clock_pages": [], "daily": False}})
        cls.tapal.write("aliases", "dmarc: ann\ntls: ann\n")
        cls.key = cls.tapal.dns_records().splitlines()[-1]
        cls.dns = Dns(cls)
        cls.serve_names(cls.dns)
        cls.tapal.start(cls.dns)

    @classmethod
    def records(cls):
        """Each by the name that a test breaks it by."""
        address = cls.tapal.address
        return {
            "host": f"{HOST}. 60 IN A {address}",
            "mx": f"{DOMAIN}. 60 IN MX 10 {HOST}.",
            "spf": f'{DOMAIN}. 60 IN TXT "v=spf1 ip4:{address} -all"',
            "helo": f'{HOST}. 60 IN TXT "v=spf1 a -all"',
            "dkim": cls.key,
            "dmarc": f'_dmarc.{DOMAIN}. 60 IN TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@{DOMAIN}"',
            "tlsrpt": f'_smtp._tls.{DOMAIN}. 60 IN TXT "v=TLSRPTv1; rua=mailto:tls@{DOMAIN}"',
            "big": f"big.example. 60 IN MX 5 mx.big.example.\nmx.big.example. 60 IN A {cls.big.address}",
            "null": "null.example. 60 IN MX 0 .",
        }

    @classmethod
    def serve_names(cls, dns, **changes):
        for records in {**cls.records(), **changes}.values():
            dns.add(records)
        return dns.start()

    def doctor(self, *words, dns=None, **options):
        done = self.tapal.command("doctor", DOMAIN, "--json", "--dns-server", (dns or self.dns).endpoint, *words,
                                  **options)
        self.assertIn(done.returncode, (0, 1, 4), done.stderr)
        return done.returncode, json.loads(done.stdout)["domains"][0]

    def findings(self, *words, dns=None):
        return self.doctor(*words, dns=dns)[1]["findings"]

    def assert_broken(self, check, severity, seen, words=(), dns=None):
        code, report = self.doctor("--only", check, *words, dns=dns)
        self.assertTrue(any(f["severity"] == severity and seen in f["seen"] for f in report["findings"]),
                        json.dumps(report["findings"], indent=1))
        self.assertEqual({"error": 1, "warning": 4}.get(report["worst"], 0), code)

    def assert_broken_names(self, check, severity, seen, **changes):
        dns = self.serve_names(Dns(type(self)), **changes)
        self.assert_broken(check, severity, seen, dns=dns)
        dns.server.stop()

    def test_finds_nothing_where_all_is_in_order(self):
        code, report = self.doctor("--only", *FAMILIES)
        bad = [f for f in report["findings"] if f["severity"] in ("warning", "error")]
        self.assertEqual([], bad, json.dumps(bad, indent=1))
        self.assertEqual(0, code)
        fine = {f["id"] for f in report["findings"] if f["severity"] == "ok"}
        self.assertLessEqual({"port.25-out", "port.in", "smtp.auth", "smtp.relay", "smtp.greeting", "spf.egress",
                              "spf.helo", "dkim.published", "dmarc.record", "dmarc.reports", "dns.servers",
                              "tls.starttls", "tls.certificate", "tls.disk", "list.address", "alias.roles",
                              "server.running", "queue.health", "files.owner", "mx.target"}, fine)
        self.assertNotIn("broken", {r["state"] for r in report["requirements"]})

    def test_tells_people_in_few_lines(self):
        done = self.tapal.command("doctor", DOMAIN, "--dns-server", self.dns.endpoint, "--bulk", "--only", *FAMILIES)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn("0 errors, 0 warnings", done.stdout)
        self.assertIn("one-click unsubscribe", done.stdout)
        self.assertNotIn("spf.egress ", done.stdout.split("What Gmail")[0])

    def test_no_mx(self):
        self.assert_broken_names("mx.record", "error", "no MX", mx="")

    def test_mx_elsewhere(self):
        self.assert_broken_names("mx.target", "error", "not this one", mx=f"{DOMAIN}. 60 IN MX 10 mx.big.example.")

    def test_spf_without_our_address(self):
        self.assert_broken_names("spf.egress", "error", "fail", spf=f'{DOMAIN}. 60 IN TXT "v=spf1 -all"')

    def test_a_dkim_key_that_lost_its_plus_signs(self):
        self.assertIn("+", self.key)
        self.assert_broken_names("dkim.published", "error", "got lost", dkim=self.key.replace("+", " "))

    def test_a_dkim_key_below_a_doubled_domain(self):
        name = self.key.split()[0].rstrip(".")
        self.assert_broken_names("dkim.published", "error", "adds the domain",
                                 dkim=self.key.replace(f"{name}.", f"{name}.{DOMAIN}.", 1))

    def test_two_dmarc_records(self):
        self.assert_broken_names("dmarc.record", "error", "2 records",
                                 more=f'_dmarc.{DOMAIN}. 60 IN TXT "v=DMARC1; p=none"')

    def test_a_block_list(self):
        entry = f"{reversed_name(self.tapal.address)}.zen.list.example. 60 IN A "
        self.assert_broken_names("list.address", "error", "listed by", listed=entry + "127.0.0.4")
        self.assert_broken_names("list.address", "info", "do not answer", listed=entry + "127.255.255.254")

    def test_no_way_out(self):
        self.assert_broken_names("port.25-out", "error", "no mail server can be reached",
                                 big="big.example. 60 IN MX 5 mx.big.example.\nmx.big.example. 60 IN A 127.255.0.1")

    def test_a_forward_to_who_takes_no_mail(self):
        self.tapal.write("aliases", "dmarc: ann\ntls: ann\nout: me@null.example\n")
        self.addCleanup(self.tapal.write, "aliases", "dmarc: ann\ntls: ann\n")
        self.assert_broken("forward.target", "error", "takes no mail")

    def test_mends_what_is_safe(self):
        key = next((self.tapal.config / "domains" / DOMAIN / "dkim").glob("*.pem"))
        os.chmod(key, 0o644)
        self.tapal.write("aliases", "tls: ann\n")
        self.addCleanup(self.tapal.write, "aliases", "dmarc: ann\ntls: ann\n")
        self.assert_broken("files.owner", "error", "others may read")
        self.assert_broken("dmarc.reports", "error", "would be refused")
        code, report = self.doctor("--fix", "--only", *FAMILIES)
        self.assertEqual(0, code, json.dumps(report, indent=1))
        self.assertEqual(0o600, key.stat().st_mode & 0o777)
        self.assertIn("dmarc: ann@a.example", (self.tapal.config / "domains" / DOMAIN / "aliases").read_text())

    def test_a_backup_that_is_behind(self):
        remote = self.folder / "remote.git"
        subprocess.run(["git", "init", "--quiet", "--bare", remote], check=True)
        self.addCleanup(shutil.rmtree, self.tapal.config / ".git")
        for words in (["init"], ["remote", remote], ["now"]):
            done = self.tapal.command("backup", *words)
            self.assertEqual(0, done.returncode, done.stderr)
        _, report = self.doctor("--only", "backup.state")
        self.assertEqual("ok", report["worst"], json.dumps(report["findings"], indent=1))
        self.tapal.write("aliases", "dmarc: ann\ntls: ann\nnew: ann\n")
        self.addCleanup(self.tapal.write, "aliases", "dmarc: ann\ntls: ann\n")
        self.assert_broken("backup.state", "warning", "1 files changed since the last commit: domains/a.example/aliases")

    def test_an_account_at_a_dns_provider_that_does_not_work(self):
        update_key = UpdateKey()
        dns = Dns(type(self), update_key=update_key)
        self.serve_names(dns.add("", zone=DOMAIN))
        right = update_key.credentials(self.tapal.config / "dns.key", dns.endpoint)
        wrong = UpdateKey().credentials(self.tapal.config / "wrong.key", dns.endpoint)
        self.addCleanup(self.tapal.set, {"dns": {"provider": ""}})
        self.tapal.set({"dns": {"provider": "rfc2136", "credentials_file": str(right)}})
        _, report = self.doctor("--only", "dns.credentials", dns=dns)
        self.assertEqual([("ok", f"reaches the zone {DOMAIN}")], [(f["severity"], f["seen"]) for f in report["findings"]])
        self.tapal.set({"dns": {"credentials_file": str(wrong)}})
        self.assert_broken("dns.credentials", "error", "", dns=dns)
        wrong.chmod(0o644)
        self.assert_broken("dns.credentials", "error", "chmod 600", dns=dns)

    def test_a_key_that_only_waits_is_of_no_matter(self):
        folder = self.tapal.config / "domains" / DOMAIN / "dkim"
        key = next(folder.glob("*.pem"))
        states = folder / "state.toml"
        self.addCleanup(states.unlink)
        (folder / "later.pem").write_text(key.read_text())
        (folder / "later.pem").chmod(0o600)
        self.addCleanup((folder / "later.pem").unlink)
        states.write_text(f'[{key.stem}]\nstage = "signing"\nsince = "2026-01-01T00:00:00Z"\ndns = "ours"\n'
                          f'[later]\nstage = "published"\nsince = "2026-01-01T00:00:00Z"\ndns = "absent"\n')
        _, report = self.doctor("--only", "dkim.published", "dkim.signing")
        self.assertEqual("ok", report["worst"], json.dumps(report["findings"], indent=1))
        states.write_text(states.read_text().replace('"ours"', '"other"'))
        self.assert_broken("dkim.signing", "error", "unsigned: DNS shows no key of ours")

    def test_another_domain_and_another_check_are_refused(self):
        self.assertEqual(1, self.tapal.command("doctor", "b.example").returncode)
        done = self.tapal.command("doctor", DOMAIN, "--only", "nonsense")
        self.assertEqual(2, done.returncode)
        self.assertIn("spf.egress", done.stderr)

    def test_reads_what_is_pasted(self):
        text = ("Authentication-Results: mx.google.com; dkim=pass header.d=a.example; spf=softfail "
                "smtp.mailfrom=ann@a.example;\n dmarc=pass header.from=a.example\nFrom: ann@a.example\n\n")
        done = ask_tool(TAPAL, "doctor", "--paste", "--json", input=text)
        self.assertEqual(4, done.returncode, done.stderr)
        graded = {f["id"]: f["severity"] for f in json.loads(done.stdout)["findings"]}
        self.assertEqual(("warning", "ok", "ok"), (graded["paste.spf"], graded["paste.dkim"], graded["paste.dmarc"]))
        self.assertEqual(1, ask_tool(TAPAL, "doctor", "--paste", input="hello").returncode)


class StoppedServer(Case):
    @classmethod
    def prepare(cls):
        cls.tapal = Tapal(cls, "b.example")
        cls.tapal.set({"delivery": {"source_ipv4": cls.tapal.address}, "doctor": {"clock_pages": []}})
        cls.dns = Dns(cls).add(cls.tapal.dns_records()).start()

    def test_is_told(self):
        done = self.tapal.command("doctor", "--json", "--only", "port.in", "server", "--dns-server", self.dns.endpoint)
        self.assertEqual(1, done.returncode, done.stderr)
        seen = {f["id"]: f["seen"] for f in json.loads(done.stdout)["domains"][0]["findings"]}
        self.assertEqual("nobody listens", seen["port.in"])
        self.assertIn("not running", seen["server.running"])


class EachDay(Case):
    @classmethod
    def prepare(cls):
        cls.tapal = Tapal(cls, "c.example")
        cls.tapal.set({"delivery": {"source_ipv4": cls.tapal.address},
                       "doctor": {"clock_pages": [], "first_after": "1s"}})
        cls.dns = Dns(cls).add(cls.tapal.dns_records()).start()
        cls.tapal.start(cls.dns)

    def test_the_owner_is_told_what_is_wrong(self):
        raw = self.tapal.wait_for_mail_with("ann", b"spf.record", 90)
        self.assertIn(b"Subject: c.example:", raw)
        self.assertIn(b"DKIM-Signature:", raw)
        self.tapal.server.wait_for(r"the doctor found something worse.*spf\.record")
        memory = self.tapal.state / "doctor" / "c.example"
        wait_until(memory.exists, "what was found is kept")
        self.assertIn("error spf.record c.example", memory.read_text())
        self.assertEqual(0, self.tapal.stop())


if __name__ == "__main__":
    unittest.main()
