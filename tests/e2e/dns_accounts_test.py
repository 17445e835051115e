"""Accounts at DNS providers that run here: RFC 2136 by BIND and by knot with a signed zone, and PowerDNS's API."""
import json
import os
import sqlite3
import unittest
import urllib.request

from dns import Dns, UpdateKey
from harness import PEERS, TAPAL, Case, Server, ask_tool, free_port, new_address, wait_until

NAMED = PEERS / "bind9/usr/sbin/named"
PDNS = PEERS / "pdns/usr/sbin/pdns_server"
LONG = "v=DKIM1; k=rsa; p=" + "AbC+/" * 100  # 518 bytes

# Type, name, what is written first and instead of it (TXT as bare text), and what `kdig +short` shows of each.
SETS = [
    ("A", "host", ["192.0.2.1", "192.0.2.2"], ["192.0.2.3"], None),
    ("AAAA", "host", ["2001:db8::1"], ["2001:db8::2", "2001:db8::3"], None),
    ("MX", "mx", ["10 mail.example.com."], ["0 ."], None),
    ("TXT", "key._domainkey", [LONG], ['v=spf1 "quoted" \\ -all', "a; b"], [
        [" ".join(f'"{LONG[i:i + 255]}"' for i in range(0, len(LONG), 255))],
        ['"v=spf1 \\"quoted\\" \\\\ -all"', '"a; b"']]),
    ("CAA", "caa", ['0 issue "letsencrypt.org; accounturi=https://a.example/1"'], ['0 issuewild ";"'], None),
    ("SRV", "_submissions._tcp", ["0 1 465 mail.example.com."], ["0 0 0 ."], None),
    ("TLSA", "_25._tcp.mail", ["3 1 1 " + "ab" * 32], ["3 1 1 " + "ab" * 32, "3 1 1 " + "cd" * 32], [
        ["3 1 1 " + "AB" * 32], ["3 1 1 " + "AB" * 32, "3 1 1 " + "CD" * 32]]),
    ("CNAME", "autoconfig", ["mail.example.com."], ["other.example.net."], None),
]


class AccountCase(Case):
    """What every account must come to: `cls.options` open it, ask() asks its server."""

    def ask(self, name, kind, *more):
        done = ask_tool("kdig", f"@{self.address}", "-p", self.port, "+short", "+timeout=2", "+retry=1", "+bufsize=4096",
                        *more, name, kind)
        return sorted(" ".join(line.split()) for line in done.stdout.splitlines() if line and not line.startswith(";"))

    def tapal_dns(self, *words, options=None, environment=None):
        return ask_tool(TAPAL, "--config", self.folder / "none", "dns", *words, *(options or self.options),
                        env={**os.environ, **(environment or {})})

    def done(self, *words, **more):
        ran = self.tapal_dns(*words, "--json", **more)
        self.assertEqual(0, ran.returncode, ran.stdout + ran.stderr)
        return json.loads(ran.stdout)

    def refused(self, *words, **more):
        ran = self.tapal_dns(*words, **more)
        self.assertEqual(1, ran.returncode, ran.stdout + ran.stderr)
        self.assertNotIn(self.secret, ran.stdout + ran.stderr)
        return ran.stderr

    def shown(self, name, kind, wanted):
        """The server answers so; some take a moment after they said yes."""
        wait_until(lambda: self.ask(name, kind) == sorted(wanted) or None,
                   f"{name} {kind} is {wanted}, now {self.ask(name, kind)}", 10)

    def check_every_type(self):
        for kind, label, first, second, answers in SETS:
            with self.subTest(kind):
                name = f"{label}.example.com"
                shown = answers or [first, second]
                self.assertEqual([], self.done("get", name, kind)["data"])
                set_first = self.done("set", name, kind, *first, "--ttl", "300")
                self.assertEqual(("example.com", []), (set_first["zone"], set_first["before"]))
                self.shown(name, kind, shown[0])
                got = self.done("get", name, kind)
                self.assertEqual((sorted(set_first["data"]), 300), (sorted(got["data"]), got["ttl"]))
                self.assertEqual(sorted(got["data"]), sorted(self.done("set", name, kind, *second)["before"]))
                self.shown(name, kind, shown[1])
                serial = self.ask("example.com", "SOA")
                self.done("set", name, kind, *second)  # is there: nothing to do
                self.assertEqual(serial, self.ask("example.com", "SOA"))
                self.done("remove", name, kind)
                self.shown(name, kind, [])

    def check_neighbours_are_left_alone(self):
        self.done("set", "two.example.com", "TXT", "mine")
        self.done("set", "two.example.com", "A", "192.0.2.7")
        self.done("remove", "two.example.com", "TXT")
        self.shown("two.example.com", "A", ["192.0.2.7"])

    def check_foreign_names(self):
        self.assertRegex(self.refused("set", "example.org", "A", "192.0.2.1"), r"no zone|primary of no zone")


class UpdateCase(AccountCase):
    """The same for all servers that take DNS UPDATE."""

    def credentials(self, name, key):
        return ["--provider", "rfc2136", "--credentials-file", key.credentials(self.folder / name, f"{self.address}:{self.port}")]

    def check_wrong_keys(self):
        other = UpdateKey(self.key.name, self.key.algorithm)
        wrong_secret = self.credentials("wrong-secret", other)
        said = self.refused("set", "x.example.com", "A", "192.0.2.1", options=wrong_secret)
        self.assertIn(f'another secret for the key "{self.key.name}"', said)
        unknown = UpdateKey("nobody.example")
        said = self.refused("get", "x.example.com", "A", options=self.credentials("unknown", unknown))
        self.assertIn("nobody.example", said)
        self.assertEqual([], self.ask("x.example.com", "A"))

    def check_environment(self):
        place = {"RFC2136_NAMESERVER": f"{self.address}:{self.port}", "RFC2136_TSIG_KEY": self.key.name + ".",
                 "RFC2136_TSIG_SECRET": self.key.secret, "RFC2136_TSIG_ALGORITHM": self.key.algorithm}
        self.done("set", "env.example.com", "A", "192.0.2.5", options=["--provider", "rfc2136"], environment=place)
        self.shown("env.example.com", "A", ["192.0.2.5"])


@unittest.skipUnless(NAMED.exists(), "BIND is not unpacked: tools/test_peers")
class Bind(UpdateCase):
    @classmethod
    def prepare(cls):
        cls.address = "127.0.0.1"  # it listens on addresses of interfaces only
        cls.port = free_port(cls.address)
        cls.key = UpdateKey(algorithm="hmac-sha512")
        cls.secret = cls.key.secret
        home = cls.folder / "bind"
        home.mkdir()
        (home / "example.com.zone").write_text(
            "$TTL 60\n@ SOA ns.example.com. h.example.com. 1 3600 600 86400 60\n@ NS ns\n"
            f"ns A {cls.address}\nmail A 192.0.2.25\n")
        (home / "locked.example.zone").write_text(
            "$TTL 60\n@ SOA ns.example.com. h.example.com. 1 3600 600 86400 60\n@ NS ns.example.com.\n")
        (home / "named.conf").write_text(f"""
options {{ directory "{home}"; listen-on port {cls.port} {{ {cls.address}; }}; listen-on-v6 {{ none; }};
  pid-file none; session-keyfile none; lock-file none; recursion no; notify no; dnssec-validation no;
  managed-keys-directory "{home}"; }};
controls {{ }};
key "{cls.key.name}" {{ algorithm {cls.key.algorithm}; secret "{cls.key.secret}"; }};
zone "example.com" {{ type primary; file "example.com.zone"; dnssec-policy default; inline-signing yes;
  update-policy {{ grant {cls.key.name} zonesub ANY; }}; }};
zone "locked.example" {{ type primary; file "locked.example.zone"; }};
""")
        libraries = PEERS / "bind9/usr/lib/x86_64-linux-gnu"
        named = Server("named", [NAMED, "-c", home / "named.conf", "-g", "-n", "1"],
                       env={**os.environ, "LD_LIBRARY_PATH": str(libraries)})
        cls.keep_log(named)
        named.wait_for("running$")
        cls.options = cls.credentials(cls, "key", cls.key)

    def test_every_type_is_written_read_replaced_and_removed(self):
        self.check_every_type()

    def test_other_records_of_the_name_are_left_alone(self):
        self.check_neighbours_are_left_alone()

    def test_names_of_other_zones_are_refused(self):
        self.check_foreign_names()

    def test_wrong_keys_are_told_apart(self):
        self.check_wrong_keys()

    def test_a_zone_that_the_key_may_not_change_is_refused(self):
        said = self.refused("set", "a.locked.example", "A", "192.0.2.1")
        self.assertIn("REFUSED, its log says why: may the key", said)

    def test_what_only_the_server_checks_is_told(self):
        said = self.refused("set", "bad.example.com", "MX", "10 nowhere.example.com.")
        self.assertIn("has the target of every MX in it an address?", said)

    def test_credentials_come_from_the_environment(self):
        self.check_environment()

    def test_a_file_that_others_may_read_is_refused(self):
        path = self.key.credentials(self.folder / "open", f"{self.address}:{self.port}")
        path.chmod(0o640)
        said = self.refused("get", "x.example.com", "A", options=["--provider", "rfc2136", "--credentials-file", path])
        self.assertIn(f"chmod 600 {path}", said)

    def test_a_server_that_is_not_there_is_told(self):
        path = self.key.credentials(self.folder / "away", f"{self.address}:{free_port(self.address)}")
        said = self.refused("get", "x.example.com", "A", options=["--provider", "rfc2136", "--credentials-file", path])
        self.assertIn("DNS server", said)

    def test_settings_name_the_account_of_each_zone(self):
        config = self.folder / "config"
        config.mkdir()
        path = self.key.credentials(config / "bind.key", f"{self.address}:{self.port}")
        (config / "tapal.toml").write_text(
            'hostname = "mail.example.com"\n[dns]\nprovider = "powerdns"\nurl = "http://127.0.0.1:1"\n'
            f'[dns.zones."example.com"]\nprovider = "rfc2136"\ncredentials_file = "{path.name}"\n')
        ran = ask_tool(TAPAL, "--config", config, "dns", "set", "set.example.com", "A", "192.0.2.6", "--json")
        self.assertEqual(0, ran.returncode, ran.stderr)
        self.shown("set.example.com", "A", ["192.0.2.6"])


class Knot(UpdateCase):
    @classmethod
    def prepare(cls):
        cls.key = UpdateKey()
        cls.secret = cls.key.secret
        cls.dns = Dns(cls, signed=["example.com"], update_key=cls.key)
        cls.dns.add("", zone="example.com").start()
        cls.address, cls.port = cls.dns.address, cls.dns.port
        cls.options = cls.credentials(cls, "key", cls.key)

    def test_every_type_is_written_read_replaced_and_removed(self):
        self.check_every_type()

    def test_what_is_written_is_signed(self):
        self.done("set", "signed.example.com", "A", "192.0.2.1")
        wait_until(lambda: any(line.startswith("A 13 ") for line in self.ask("signed.example.com", "A", "+dnssec")),
                   "the new record is signed")

    def test_names_of_other_zones_are_refused(self):
        self.check_foreign_names()

    def test_wrong_keys_are_told_apart(self):
        self.check_wrong_keys()


@unittest.skipUnless(PDNS.exists(), "PowerDNS is not unpacked: tools/test_peers")
class PowerDns(AccountCase):
    @classmethod
    def prepare(cls):
        cls.address = new_address()
        cls.port, cls.web_port = free_port(cls.address), free_port(cls.address)
        cls.secret = "k3y-" + os.urandom(8).hex()
        home = cls.folder / "pdns"
        home.mkdir()
        schema = (PEERS / "pdns/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql").read_text()
        with sqlite3.connect(home / "pdns.db") as database:
            database.executescript(schema)
        (home / "pdns.conf").write_text(
            f"launch=gsqlite3\ngsqlite3-database={home}/pdns.db\nmodule-dir={PEERS}/pdns/usr/lib/x86_64-linux-gnu/pdns\n"
            f"local-address={cls.address}\nlocal-port={cls.port}\nsocket-dir={home}\nguardian=no\ndaemon=no\n"
            f"disable-syslog=yes\nzone-cache-refresh-interval=0\nquery-cache-ttl=0\ncache-ttl=0\n"
            f"api=yes\napi-key={cls.secret}\nwebserver=yes\n"
            f"webserver-address={cls.address}\nwebserver-port={cls.web_port}\nwebserver-allow-from=127.0.0.0/8\n")
        server = Server("pdns", [PDNS, f"--config-dir={home}"])
        cls.keep_log(server)
        server.wait_for("Done launching threads|ready to distribute")
        cls.url = f"http://{cls.address}:{cls.web_port}"
        zone = {"name": "example.com.", "kind": "Native", "nameservers": ["ns.example.com."], "soa_edit_api": "INCREASE"}
        request = urllib.request.Request(
            cls.url + "/api/v1/servers/localhost/zones", json.dumps(zone).encode(),
            {"X-API-Key": cls.secret, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 201
        cls.options = cls.options_with(cls, "key", cls.secret)

    def options_with(self, name, key):
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(key + "\n")
        return ["--provider", "powerdns", "--credentials-file", path, "--url", self.url]

    def test_every_type_is_written_read_replaced_and_removed(self):
        self.check_every_type()

    def test_other_records_of_the_name_are_left_alone(self):
        self.check_neighbours_are_left_alone()

    def test_names_of_other_zones_are_refused(self):
        self.check_foreign_names()

    def test_a_wrong_key_is_told(self):
        said = self.refused("get", "x.example.com", "A", options=self.options_with("wrong", "wr0ng-key"))
        self.assertIn("PowerDNS: 401", said)
        self.assertNotIn("wr0ng-key", said)

    def test_a_record_that_cannot_stand_there_is_told_in_its_words(self):
        self.done("set", "alias.example.com", "CNAME", "mail.example.com.")
        said = self.refused("set", "alias.example.com", "A", "192.0.2.1")
        self.assertIn("PowerDNS: 422", said)


class Providers(Case):
    def test_the_providers_are_listed(self):
        listed = ask_tool(TAPAL, "dns", "providers", "--json")
        self.assertEqual(0, listed.returncode, listed.stderr)
        names = [provider["name"] for provider in json.loads(listed.stdout)["providers"]]
        self.assertEqual(sorted(names), names)
        for name in ("cloudflare", "route53", "rfc2136", "powerdns", "hetzner", "desec", "digitalocean"):
            self.assertIn(name, names)
        shown = ask_tool(TAPAL, "dns", "providers")
        self.assertIn("\ncloudflare: Cloudflare\n  token: an API token", shown.stdout)

    def test_what_is_missing_is_told(self):
        for words, said in [(["dns", "get", "a.example", "A"], "tapal init"),
                            (["dns", "get", "a.example", "A", "--provider", "nobody"], "no DNS provider \"nobody\""),
                            (["dns", "get", "a.example", "A", "--provider", "cloudflare"], "CLOUDFLARE_API_TOKEN")]:
            ran = ask_tool(TAPAL, "--config", self.folder / "none", *words)
            self.assertEqual(1, ran.returncode)
            self.assertIn(said, ran.stderr)

    def test_what_is_no_record_is_wrong_usage(self):
        for words in (["set", "a.example", "A", "x"], ["get", "a..b", "A"], ["get", "a.example", "XYZ"]):
            self.assertEqual(2, ask_tool(TAPAL, "dns", *words, "--provider", "cloudflare").returncode, words)


if __name__ == "__main__":
    unittest.main()
