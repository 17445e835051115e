"""What `tapal up` finds out about the machine it is on: whose it is, who lists it, what keeps mail in or out."""
import datetime
import http.server
import ipaddress
import json
import shutil
import ssl
import threading
import unittest

from harness import ask_tool
from peers import Postfix
from sandbox import AUTHORITY, MACHINE, PROVIDER
from up_test import DOMAIN, FORWARD, World

RELAY = "relay.example"


def nft(machine, *words):
    if not shutil.which("nft"):
        raise unittest.SkipTest("nft is not installed: ./dev setup test")
    done = machine.run("nft", *words)
    if done.returncode:
        raise AssertionError(done.stderr)


class Registries:
    """IANA's lists and one registry, at data.iana.org."""

    def __init__(self, case, address, pages):
        certificate, key = case.folder / "iana.pem", case.folder / "iana.key"
        made = ask_tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=data.iana.org", "-addext", "subjectAltName=DNS:data.iana.org",
                        "-keyout", key, "-out", certificate)
        if made.returncode:
            raise AssertionError(made.stderr)
        self.certificate = certificate.read_text()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(pages.get(self.path, {})).encode()
                self.send_response(200 if self.path in pages else 404)
                self.send_header("Content-Type", "application/rdap+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        server = http.server.ThreadingHTTPServer((address, 443), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        case.addClassCleanup(server.shutdown)


class Surroundings(World):
    @classmethod
    def publish(cls, names):
        names.zones["spamhaus.org"] = f"{ipaddress.ip_address(MACHINE[0]).reverse_pointer.removesuffix('.in-addr.arpa')}.zen " \
                                      "60 IN A 127.0.0.2\n"
        names.zones["iana.org"] = f"data 60 IN A {AUTHORITY[0]}\n"
        names.zones["20.in-addr.arpa"] = "25.40.30 60 IN PTR mx.box.example.\n"

    @classmethod
    def prepare(cls):
        super().prepare()
        registered = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=3, hours=1)
        registries = Registries(cls, AUTHORITY[0], {
            "/rdap/dns.json": {"services": [[["example"], ["https://data.iana.org/registry/"]]]},
            f"/registry/domain/{DOMAIN}": {"events": [
                {"eventAction": "registration", "eventDate": registered.strftime("%Y-%m-%dT%H:%M:%SZ")}]},
            "/rdap/ipv4.json": {"services": [[["20.0.0.0/8"], ["https://data.iana.org/numbers/"]]]},
            f"/numbers/ip/{MACHINE[0]}": {"name": "NET-20", "entities": [
                {"vcardArray": ["vcard", [["fn", {}, "text", "netcup GmbH"]]]}]}})
        cls.machine.trust(registries.certificate)

    def plan(self, *more):
        done = self.up("--plan", "--root", self.root, *more)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_who_lists_us_and_how_young_the_domain_is(self):
        told = self.plan()
        self.assertRegex(told, rf"!     list.address \({MACHINE[0]}\): listed by zen.spamhaus.org")
        self.assertRegex(told, rf"you   domain.age \({DOMAIN}\): registered 3 days ago")

    def test_the_maker_of_the_machine_names_its_hoster_and_so_the_steps(self):
        vendor = self.file("sys/class/dmi/id/sys_vendor", "Hetzner\n")
        told = self.plan()
        vendor.unlink()
        self.assertIn("this machine is Hetzner's", told)
        self.assertIn("https://robot.hetzner.com", told)  # of the reverse name that is missing

    def test_so_does_the_registry_of_its_address(self):
        told = self.plan()
        self.assertIn("this machine is netcup's", told)
        self.assertIn("https://www.servercontrolpanel.de", told)

    def test_what_the_person_says_counts_more(self):
        self.assertIn("my.contabo.com/rdns", self.plan("--hoster", "contabo"))
        done = self.up("--plan", "--hoster", "contaboo")
        self.assertEqual(done.returncode, 1)
        self.assertIn("known are alibaba, aws", done.stderr)


class ShutIn(World):
    """Port 25 is closed outwards; another server passes mail on."""

    @classmethod
    def publish(cls, names):
        names.add(f"{RELAY}. 60 IN A {AUTHORITY[0]}\n")

    @classmethod
    def prepare(cls):
        super().prepare()
        nft(cls.machine, "add", "table", "inet", "hoster")
        nft(cls.machine, "add", "chain", "inet", "hoster", "out", "{ type filter hook output priority 0; }")
        nft(cls.machine, "add", "rule", "inet", "hoster", "out", "oifname", "uplink", "tcp", "dport", "25", "reject")
        cls.relay = Postfix(cls, RELAY, 587, addresses=(AUTHORITY[0],), relay=(PROVIDER[0], 25),
                            settings={"mynetworks": f"127.0.0.0/8 {MACHINE[0]}/32"})

    def test_1_it_says_so_with_what_to_do(self):
        done = self.up("--plan", "--hoster", "vultr")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, rf"!     port 25 is closed outwards from {MACHINE[0]}")
        self.assertIn("Vultr: Closed for new accounts. Ask by ticket", done.stdout)
        self.assertIn("--relay HOST:587 --relay-user NAME --relay-password-file FILE", done.stdout)

    def test_2_half_a_login_is_refused(self):
        for words, expected in ((("--relay", RELAY, "--relay-user", "me"), "need each other"),
                                (("--relay-user", "me", "--relay-password-file", self.key), "without --relay"),
                                (("--relay", "a b"), "expected a host name")):
            done = self.up("--yes", *words)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(expected, done.stderr)

    def test_3_mail_arrives_through_the_relay(self):
        done = self.up("--yes", "--relay", RELAY)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('made  setting routes."*" = { host = "relay.example", port = 587 }', done.stdout)
        self.assertNotIn("port 25 is closed", done.stdout)
        self.assertRegex(done.stdout, rf"writes to {FORWARD}: 250 [^\n]*\n *to {RELAY} {AUTHORITY[0]}:587")
        self.box.wait_for_mail_with("me", b"by mx.relay.example")

    def test_4_a_second_run_keeps_to_it(self):
        for words in ((), ("--relay", RELAY)):
            done = self.up("--yes", "--json", *words)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual([line for line in self.json_lines(done) if line.get("mark") == "made"], [])
        done = self.up("--yes", "--relay", "other.example")
        self.assertEqual(done.returncode, 1)
        self.assertIn("goes through relay.example already", done.stderr)


class Network(World):
    IPV6_SWITCH = "etc/sysctl.d/60-tapal-ipv6.conf"

    def plan(self, *more):
        done = self.up("--plan", "--root", self.root, *more)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_a_firewall_that_keeps_mail_out_is_told_how_to_let_it_in(self):
        self.assertIn("no firewall of this machine's own keeps mail out", self.plan())
        nft(self.machine, "add", "table", "inet", "filter")
        self.addCleanup(nft, self.machine, "flush", "ruleset")
        nft(self.machine, "add", "chain", "inet", "filter", "input", "{ type filter hook input priority 0; policy drop; }")
        for rule in ("ct state established,related accept", "meta l4proto { icmp, ipv6-icmp } accept",
                     "iifname lo accept", "tcp dport { 80, 443 } accept"):
            nft(self.machine, "add", "rule", "inet", "filter", "input", rule)
        told = self.plan()
        self.assertIn("nftables keeps out what comes to port 25, 465, 587; open it with", told)
        command = next(line.strip() for line in told.splitlines() if line.strip().startswith("nft insert"))
        done = self.machine.run("sh", "-c", command)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("nftables lets mail in", self.plan())

    def test_ipv6_is_shown_and_then_written(self):
        self.file("proc/sys/net/ipv6/conf/all/disable_ipv6", "1\n")
        self.file("proc/net/route", "Iface\tDestination\tGateway\nens3\t0028141E\t0\nens3\t00000000\t35281E14\n")
        netplan = self.file("etc/netplan/50-cloud-init.yaml", "network: {version: 2}\n")
        (self.root / "etc/sysctl.d").mkdir()
        self.assertIn("IPv6 is switched off on this machine", self.plan("--address", MACHINE[0]))
        told = self.plan("--fix-ipv6", "--address", MACHINE[0], "--address", "2a0f:1::99")
        self.assertRegex(told, r"plan  /etc/netplan/60-tapal-ipv6.yaml:(\n.*)+ens3:\n +addresses: \[\"2a0f:1::99/64\"\]")
        self.assertIn("netplan try", told)
        self.assertEqual(list(netplan.parent.iterdir()), [netplan])
        self.assertFalse((self.root / self.IPV6_SWITCH).exists())
        done = self.up("--yes", "--fix-ipv6", "--root", self.root, "--address", MACHINE[0])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"made  /{self.IPV6_SWITCH}", done.stdout)
        self.assertIn("net.ipv6.conf.all.disable_ipv6 = 0\n", (self.root / self.IPV6_SWITCH).read_text())
        self.assertIn(f"/{self.IPV6_SWITCH} is written", self.plan("--fix-ipv6", "--address", MACHINE[0]))
