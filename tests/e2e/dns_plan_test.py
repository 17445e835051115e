"""A domain's records at a real DNS server: planned, written, written again, taken back, exported."""
import json
import re
import unittest

from dns import Dns, UpdateKey
from harness import PEERS, TAPAL, Case, Tapal, ask_tool, free_port, new_address

CHECKZONE = PEERS / "bind9/usr/bin/named-checkzone"


class DnsPlanCase(Case):
    """example.com at knot, which takes updates, and a secondary that stands still."""
    published = ""

    @classmethod
    def prepare(cls):
        cls.key = UpdateKey()
        cls.dns = Dns(cls, update_key=cls.key)
        cls.still = Dns(cls)  # shows what it began with
        cls.still.port = cls.dns.port
        cls.dns.add("", zone="example.com").add(cls.published, zone="example.com")
        cls.tapal = Tapal(cls, "example.com")
        cls.options = ["--provider", "rfc2136", "--credentials-file",
                       cls.key.credentials(cls.folder / "key", cls.dns.endpoint), "--dns-server", cls.dns.endpoint,
                       "--authority-port", cls.dns.port, "--address", "192.0.2.1", "--address", "2001:db8::1"]
        cls.serve()

    @classmethod
    def serve(cls):
        cls.dns.start()

    def run_dns(self, *words, options=None):
        return self.tapal.command(*words, *(self.options if options is None else options))

    def answer(self, *words, code=0, **more):
        ran = self.run_dns(*words, "--json", **more)
        self.assertEqual(code, ran.returncode, ran.stdout + ran.stderr)
        self.assertNotIn(self.key.secret, ran.stdout + ran.stderr)
        return json.loads(ran.stdout)

    def actions(self, answer):
        return {(c["name"], c["type"]): c["action"] for c in answer["changes"]}

    def snapshot(self, answer):
        """Every set the plan is about, with its time to live, as the server has it."""
        lines = []
        for change in answer["changes"]:
            done = ask_tool("kdig", f"@{self.dns.address}", "-p", self.dns.port, "+noall", "+answer", "+tcp",
                            change["name"], change["type"])
            lines += [line for line in done.stdout.splitlines() if line and not line.startswith(";")]
        return sorted(set(lines))


class FromNothing(DnsPlanCase):
    def test_everything_is_written_once_and_taken_back(self):
        plan = self.answer("dns", "plan", "example.com")
        self.assertEqual({"create"}, set(self.actions(plan).values()))
        before = self.snapshot(plan)
        asked = self.answer("dns", "apply", "example.com", code=1)
        self.assertFalse(asked["written"])
        self.assertEqual(before, self.snapshot(plan), "nothing is written without --yes")
        self.assertEqual(1, self.run_dns("dns", "check", "example.com").returncode)

        done = self.answer("dns", "apply", "example.com", "--yes")
        self.assertTrue(done["written"])
        self.assertEqual([], done["behind"])
        self.assertEqual(["10 mail.example.com."], self.dns.ask("example.com", "MX"))
        self.assertEqual("v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ~all", self.dns.text_of("example.com"))
        self.assertEqual("v=DMARC1; p=none; rua=mailto:postmaster@example.com", self.dns.text_of("_dmarc.example.com"))
        selector = next(c["name"] for c in plan["changes"] if "_domainkey" in c["name"])
        self.assertRegex(self.dns.text_of(selector), r"^v=DKIM1; k=rsa; p=[A-Za-z0-9+/=]{300,}$")
        self.assertEqual(0, self.run_dns("dns", "check", "example.com").returncode)
        self.assertEqual(0, self.run_dns("dns", "diff", "example.com").returncode)

        again = self.answer("dns", "apply", "example.com", "--yes")
        self.assertFalse(again["written"])
        self.assertEqual({"keep"}, set(self.actions(again).values()))

        # The policy goes on by what was reported.
        not_yet = self.answer("dmarc", "advance", "example.com", "--yes")
        self.assertFalse(not_yet["written"])
        self.assertIn("wants reports of 14 days", not_yet["changes"][0]["why"])
        reports = ["--days", "20", "--messages", "500", "--failed", "1"]
        step = self.answer("dmarc", "advance", "example.com", *reports, "--yes")
        self.assertTrue(step["written"])
        self.assertEqual("v=DMARC1; p=quarantine; rua=mailto:postmaster@example.com",
                         self.dns.text_of("_dmarc.example.com"))

        shown = self.answer("dns", "rollback", "example.com", code=1)
        self.assertFalse(shown["restored"])
        self.answer("dns", "rollback", "example.com", "--yes")
        self.assertEqual("v=DMARC1; p=none; rua=mailto:postmaster@example.com", self.dns.text_of("_dmarc.example.com"))
        self.answer("dns", "rollback", "example.com", "--yes")
        self.assertEqual(before, self.snapshot(plan))
        self.assertEqual(1, self.run_dns("dns", "rollback", "example.com", "--yes").returncode)


class Stale(DnsPlanCase):
    """What we wrote ourselves, and that is of no use any more."""
    published = ('@ 300 TXT "v=spf1 include:_spf.other.example -all"\n'
                 '_dmarc 300 TXT "v=DMARC1; p=reject; rua=mailto:a@x.example"\n')

    @classmethod
    def serve(cls):
        cls.dns.add('_spf.other 60 TXT "v=spf1 ip4:198.51.100.0/24 -all"')
        super().serve()

    def test_old_addresses_and_an_unused_policy_go_and_reports_come_when_asked_for(self):
        self.tapal.set({"listen": {"https": [f"{self.tapal.address}:{free_port(self.tapal.address)}"]}})
        self.answer("dns", "apply", "example.com", "--yes")
        self.assertEqual(1, len(self.dns.ask("_mta-sts.example.com", "TXT")))
        self.assertEqual(["mail.example.com."], self.dns.ask("mta-sts.example.com", "CNAME"))

        self.tapal.set({"listen": {"https": []}})
        moved = [*self.options[:-4], "--address", "192.0.2.2", "--take-host"]
        plan = self.answer("dns", "plan", "example.com", options=moved)
        actions = self.actions(plan)
        self.assertEqual("remove", actions["_mta-sts.example.com", "TXT"])
        self.assertEqual("remove", actions["mta-sts.example.com", "CNAME"])
        self.assertEqual("keep", actions["_dmarc.example.com", "TXT"])
        self.answer("dns", "apply", "example.com", "--yes", "--join-reports", options=moved)
        self.assertEqual([], self.dns.ask("_mta-sts.example.com", "TXT"))
        self.assertEqual([], self.dns.ask("mta-sts.example.com", "CNAME"))
        self.assertEqual("v=spf1 include:_spf.other.example ip4:192.0.2.2 -all", self.dns.text_of("example.com"))
        self.assertEqual("v=DMARC1; p=reject; rua=mailto:a@x.example,mailto:postmaster@example.com",
                         self.dns.text_of("_dmarc.example.com"))
        again = self.answer("dns", "plan", "example.com", options=moved)
        self.assertEqual({"keep"}, set(self.actions(again).values()))


class AmongOthers(DnsPlanCase):
    published = ('@ 300 TXT "v=spf1 include:_spf.other.example -all"\n@ 300 TXT "site-verification=1"\n'
                 '_spf.other 60 TXT "unused"\n@ 300 MX 1 aspmx.other.example.\n'
                 '@ 300 CAA 0 issue "other.example"\n_dmarc 300 TXT "v=DMARC1; p=reject"\n')

    @classmethod
    def serve(cls):
        cls.dns.add('_spf.other 60 TXT "v=spf1 ip4:198.51.100.0/24 -all"')
        super().serve()

    def test_what_others_made_stays(self):
        plan = self.answer("dns", "plan", "example.com")
        actions = self.actions(plan)
        self.assertEqual("conflict", actions["example.com", "MX"])
        self.assertEqual("merge", actions["example.com", "TXT"])
        self.assertEqual("keep", actions["_dmarc.example.com", "TXT"])
        before = self.snapshot(plan)

        refused = self.answer("dns", "apply", "example.com", "--yes", code=1)
        self.assertTrue(refused["blocked"])
        self.assertEqual(before, self.snapshot(plan), "a conflict about what is needed stops all of it")

        self.addCleanup(self.run_dns, "dns", "rollback", "example.com", "--yes")  # whatever happens here
        self.answer("dns", "apply", "example.com", "--yes", "--take-mx")
        self.assertEqual(["10 mail.example.com."], self.dns.ask("example.com", "MX"))
        self.assertEqual(sorted(['"site-verification=1"',
                                 '"v=spf1 include:_spf.other.example ip4:192.0.2.1 ip6:2001:db8::1 -all"']),
                         sorted(self.dns.ask("example.com", "TXT")))
        self.assertEqual(['"v=DMARC1; p=reject"'], self.dns.ask("_dmarc.example.com", "TXT"))
        self.assertEqual(['0 issue "other.example"'], [line.strip() for line in self.dns.ask("example.com", "CAA")])

        self.answer("dns", "rollback", "example.com", "--yes")
        self.assertEqual(before, self.snapshot(plan))

    def test_without_an_account_dns_is_asked(self):
        ways = ["--dns-server", self.dns.endpoint, "--address", "192.0.2.1"]
        plan = self.answer("dns", "plan", "example.com", options=ways)
        self.assertEqual("dns", plan["published_by"])
        self.assertEqual("conflict", self.actions(plan)["example.com", "MX"])
        ran = self.run_dns("dns", "apply", "example.com", "--yes", options=ways)
        self.assertEqual(1, ran.returncode)
        self.assertIn("no DNS provider is set", ran.stderr)

    def test_a_domain_that_is_not_ours_is_refused(self):
        ran = self.run_dns("dns", "plan", "example.net")
        self.assertEqual(1, ran.returncode)
        self.assertIn("example.net is no domain of ours", ran.stderr)


class Lagging(DnsPlanCase):
    @classmethod
    def serve(cls):
        cls.dns.add(f"ns2.example. 60 IN A {cls.still.address}")
        for server in (cls.dns, cls.still):
            server.add("@ 60 NS ns2.example.", zone="example.com")
            server.start()

    def test_the_server_that_lags_is_named(self):
        done = self.answer("dns", "apply", "example.com", "--yes", "--patience", "1", code=1)
        self.assertTrue(done["written"])
        self.assertEqual(["ns2.example"], [one["server"] for one in done["behind"]])
        self.assertIn("it has nothing", done["behind"][0]["what"])
        checked = self.answer("dns", "check", "example.com", code=1)
        self.assertEqual(["ns2.example"], [one["server"] for one in checked["behind"]])


class Exports(DnsPlanCase):
    def export(self, form, *more):
        ran = self.run_dns("dns", "export", "example.com", "--format", form, "--offline", *more)
        self.assertEqual(0, ran.returncode, ran.stderr)
        return ran.stdout

    def test_a_zone_file_is_one_to_bind(self):
        if not CHECKZONE.exists():
            self.skipTest("BIND is not unpacked: tools/test_peers")
        file = self.folder / "zone"
        for form in ("bind", "cloudflare"):
            file.write_text("example.com. 60 SOA ns h 1 3600 600 86400 60\nexample.com. 60 NS mail\n" + self.export(form))
            libraries = {"LD_LIBRARY_PATH": str(PEERS / "bind9/usr/lib/x86_64-linux-gnu")}
            checked = ask_tool(CHECKZONE, "-k", "fail", "example.com", file, env=libraries)
            self.assertEqual(0, checked.returncode, checked.stdout + checked.stderr)

    def test_code_for_dnscontrol_runs(self):
        program = self.folder / "dnsconfig.js"
        stubs = "".join(f"const {name} = (...a) => ['{name}', ...a];\n" for name in
                        ("A", "AAAA", "MX", "TXT", "CNAME", "SRV", "CAA", "TLSA", "TTL"))
        program.write_text(f"const END = 'end'; const CAA_CRITICAL = 1;\n{stubs}"
                           "const D_EXTEND = (name, ...records) => console.log(JSON.stringify(records));\n"
                           + self.export("dnscontrol"))
        ran = ask_tool("node", program)
        self.assertEqual(0, ran.returncode, ran.stderr)
        records = json.loads(ran.stdout)
        self.assertEqual("end", records[-1])
        self.assertIn(["MX", "@", 10, "mail.example.com.", ["TTL", 3600]], records)

    def test_a_zone_for_octodns_is_yaml_in_order(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is not installed")
        zone = yaml.safe_load(self.export("octodns"))
        self.assertEqual(list(zone), sorted(zone))
        self.assertEqual({"exchange": "mail.example.com.", "preference": 10},
                         next(r for r in zone[""] if r["type"] == "MX")["values"][0])
        self.assertEqual("v=DMARC1\\; p=none\\; rua=mailto:postmaster@example.com", zone["_dmarc"][0]["values"][0])

    def test_terraform_has_a_resource_a_record(self):
        text = self.export("terraform-cloudflare")
        names = re.findall(r'^resource "cloudflare_dns_record" "(\w+)" \{$', text, re.M)
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(len(names), len(json.loads(self.run_dns(
            "dns", "export", "example.com", "--offline", "--json").stdout)["records"]))
        self.assertEqual(text.count("{"), text.count("}"))

    def test_the_table_has_what_a_form_asks_for(self):
        text = self.export("table")
        self.assertIn("  Type       MX\n  Host       @\n  Value      mail.example.com\n  Priority   10\n", text)


if __name__ == "__main__":
    unittest.main()
