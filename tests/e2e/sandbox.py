"""A world of its own: a machine behind a cable, with nothing on it, and outside a DNS server, a certificate
authority and a mailbox provider, each at an address that looks public. Nothing of it leaves the test.

The test's own process moves into a network namespace, which is the outside; the machine is another one. Both
vanish with their processes.
"""
import base64
import contextlib
import ctypes
import ipaddress
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import time
import unittest

import dns
from harness import PEERS, Server, ask_tool, wait_until

CLONE_NEWNET = 0x40000000
MACHINE = ("20.30.40.10", "2a0f:1::10")
NAMES = ("20.30.40.53", "2a0f:1::53")
AUTHORITY = ("20.30.40.14", "2a0f:1::14")
PROVIDER = ("20.30.40.25", "2a0f:1::25")
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
ROOT_KEY = "/usr/share/dns/root.key"


def run(*words):
    done = ask_tool(*words)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return done.stdout


class Outside:
    """The namespace of the test's process, from here on."""

    def __init__(self):
        if os.getuid() != 0:
            raise unittest.SkipTest("network namespaces are made by root only")
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise unittest.SkipTest(f"no network namespace can be made here: {os.strerror(ctypes.get_errno())}")
        run("ip", "link", "set", "lo", "up")


class Machine:
    """The empty machine. run() and start() are commands typed on it. What is written below the folders `laid_over`
    is its own and vanishes with it; elsewhere it shares the test's files."""

    def __init__(self, case, name="machine", laid_over=()):
        self.folder = case.folder / name
        self.folder.mkdir()
        self.resolv_conf, self.trusted, self.root_key = (self.folder / f for f in ("resolv.conf", "trusted.crt", "root.key"))
        self.resolv_conf.write_text(f"nameserver {NAMES[0]}\n")
        shutil.copy(TRUSTED, self.trusted)
        self.root_key.write_text("")
        self.holder = Server(name, ["unshare", "--net", "--mount", "--propagation", "private", "sleep", "infinity"])
        case.keep_log(self.holder)
        case.addClassCleanup(self.end_all)
        self.enter = ["nsenter", "--net", "--mount", "--target", str(self.holder.process.pid)]
        wait_until(lambda: os.readlink(f"/proc/{self.holder.process.pid}/ns/net") != os.readlink("/proc/self/ns/net"),
                   "the machine has a network of its own")
        if laid_over:
            self.lay_over(laid_over)
        for mine, theirs in ((self.resolv_conf, "/etc/resolv.conf"), (self.trusted, TRUSTED), (self.root_key, ROOT_KEY)):
            run(*self.enter, "mount", "--bind", mine, pathlib.Path(theirs).resolve())
        run("ip", "link", "add", "outside", "type", "veth", "peer", "name", "uplink")
        run("ip", "link", "set", "uplink", "netns", str(self.holder.process.pid))
        for address in (NAMES, AUTHORITY, PROVIDER):
            run("ip", "address", "add", f"{address[0]}/24", "dev", "outside")
            run("ip", "address", "add", f"{address[1]}/64", "dev", "outside", "nodad")
        run("ip", "link", "set", "outside", "up")
        for words in (["link", "set", "lo", "up"], ["address", "add", f"{MACHINE[0]}/24", "dev", "uplink"],
                      ["address", "add", f"{MACHINE[1]}/64", "dev", "uplink", "nodad"], ["link", "set", "uplink", "up"],
                      ["route", "add", "default", "via", NAMES[0]], ["-6", "route", "add", "default", "via", NAMES[1]]):
            run(*self.enter, "ip", *words)

    def lay_over(self, folders):
        own = self.folder / "own"
        own.mkdir()
        run(*self.enter, "mount", "-t", "tmpfs", "tmpfs", own)
        for folder in folders:
            upper, work = (own / part / folder.strip("/") for part in ("upper", "work"))
            run(*self.enter, "mkdir", "-p", upper, work)
            layers = f"lowerdir={folder},upperdir={upper},workdir={work}"
            run(*self.enter, "mount", "-t", "overlay", "overlay", "-o", layers, folder)

    def path(self, place):
        """Where the test finds a file of the machine."""
        return pathlib.Path(f"/proc/{self.holder.process.pid}/root{place}")

    def trust(self, *certificates):
        with self.trusted.open("a") as file:
            for certificate in certificates:
                file.write("\n" + certificate.strip() + "\n")

    def run(self, *words, **options):
        return ask_tool(*self.enter, *words, **options)

    def start(self, *words, **options):
        """Begun and left to itself; its process."""
        return subprocess.Popen([str(w) for w in (*self.enter, *words)], **options)

    def processes(self):
        """Who runs on the machine, but for the one that holds it."""
        mine, found = os.readlink(f"/proc/{self.holder.process.pid}/ns/net"), []
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and os.readlink(entry / "ns/net") == mine:
                    found.append(int(entry.name))
        return [pid for pid in found if pid != self.holder.process.pid]

    def end_all(self):
        """The machine is switched off, gently."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            end = time.monotonic() + 20
            while self.processes() and time.monotonic() < end:
                time.sleep(0.05)


class Names:
    """knot, for the whole of this DNS: the domain's own zone (signed, written to with a TSIG key), the zone `example`
    with everything else, and the addresses' reverse names. It is asked as a resolver, too."""
    KEY = "tapal-key"

    def __init__(self, case, domain):
        self.case, self.domain, self.secret = case, domain, base64.b64encode(secrets.token_bytes(32)).decode()
        self.folder = case.folder / "names"
        (self.folder / "db").mkdir(parents=True)
        self.zones = {
            "example": f"ns 60 IN A {NAMES[0]}\nns 60 IN AAAA {NAMES[1]}\n"
                       + (f"{domain}. 60 IN NS ns.example.\n" if domain.endswith(".example") else "") +
                       f"acme 60 IN A {AUTHORITY[0]}\nbox 60 IN MX 10 mx.box\n"
                       f"mx.box 60 IN A {PROVIDER[0]}\nmx.box 60 IN AAAA {PROVIDER[1]}\n",
            domain: "",
            "gmail.com": "@ 60 IN MX 10 mx.box.example.\n",  # whom the doctor tries port 25 at
            "20.in-addr.arpa": f"10.40.30 60 IN PTR mail.{domain}.\n25.40.30 60 IN PTR mx.box.example.\n",
            "1.0.0.0.f.0.a.2.ip6.arpa": f"{'.'.join(self.nibbles(MACHINE[1]))} 60 IN PTR mail.{domain}.\n"
                                       f"{'.'.join(self.nibbles(PROVIDER[1]))} 60 IN PTR mx.box.example.\n",
        }
        self.server = None

    @staticmethod
    def nibbles(address):
        """What stands before 1.0.0.0.f.0.a.2.ip6.arpa."""
        return ipaddress.ip_address(address).reverse_pointer.split(".")[:24]

    @property
    def endpoint(self):
        return f"{NAMES[0]}:53"

    def add(self, records, zone="example"):
        self.zones[zone] += records
        return self

    def start(self):
        lines = ["server:", f"    listen: [ {NAMES[0]}@53, {NAMES[1]}@53 ]", f"    rundir: {self.folder}",
                 "    udp-workers: 1", "    tcp-workers: 1", "    background-workers: 1",
                 "log:", "  - target: stderr", "    any: info",
                 "database:", f"    storage: {self.folder}/db", "    journal-db-max-size: 16M",
                 "    kasp-db-max-size: 16M", "    timer-db-max-size: 4M",
                 "key:", f"  - id: {self.KEY}", "    algorithm: hmac-sha256", f"    secret: {self.secret}",
                 "acl:", "  - id: owner", f"    key: {self.KEY}", "    action: [ update, transfer ]",
                 "policy:", "  - id: quick", "    algorithm: ecdsap256sha256", "    single-type-signing: on", "    nsec3: off",
                 "template:", "  - id: default", f"    storage: {self.folder}", "    zonefile-sync: -1", "    zonefile-load: whole",
                 "zone:"]
        for zone, records in self.zones.items():
            head = (f"$ORIGIN {zone}.\n$TTL 60\n@ 60 IN SOA ns.example. hostmaster.example. 1 3600 600 86400 5\n"
                    "@ 60 IN NS ns.example.\n")
            (self.folder / f"{zone}.zone").write_text(head + records)
            lines += [f"  - domain: {zone}.", f"    file: {zone}.zone"]
            lines += ["    acl: owner"]
            if zone == self.domain:
                lines += ["    dnssec-signing: on", "    dnssec-policy: quick"]
        (self.folder / "knot.conf").write_text("\n".join(lines) + "\n")
        self.server = Server("knot", [dns.KNOTD, "-c", self.folder / "knot.conf"])
        self.case.keep_log(self.server)
        for zone in self.zones:
            wait_until(lambda z=zone: self.ask(z, "SOA") or not self.server.running(), f"knot answers for {zone}")
        wait_until(lambda: self.ask(self.domain, "DNSKEY") or not self.server.running(), f"knot signs {self.domain}")
        if not self.server.running():
            raise AssertionError("knot did not start:\n" + self.server.log())
        return self

    def update(self, *commands, zone=None):
        """Lines as knsupdate takes them, sent with the owner's key."""
        text = "\n".join([f"server {NAMES[0]} 53", f"zone {zone or self.domain}.", f"key hmac-sha256:{self.KEY} {self.secret}",
                          *commands, "send", ""])
        done = ask_tool("knsupdate", input=text)
        if done.returncode or "error" in done.stderr.lower():
            raise AssertionError(f"{text}\n{done.stdout}{done.stderr}")

    def ask(self, name, kind):
        """The answer's data, a line each."""
        done = ask_tool("kdig", f"@{NAMES[0]}", "+short", "+timeout=2", "+retry=0", name, kind)
        return [line for line in done.stdout.splitlines() if line and not line.startswith(";")]

    def anchor(self):
        """The domain's keys, as a resolver trusts them."""
        return "".join(f"{self.domain}. 60 IN DNSKEY {key}\n" for key in self.ask(self.domain, "DNSKEY"))

    def zone(self):
        """Every record of the domain but what DNSSEC adds, sorted."""
        done = ask_tool("kdig", f"@{NAMES[0]}", f"{self.domain}.", "AXFR", "+noall", "+answer", "-y",
                        f"hmac-sha256:{self.KEY}:{self.secret}")
        left_out = {"SOA", "RRSIG", "NSEC", "DNSKEY", "CDS", "CDNSKEY"}
        return sorted({" ".join(line.split()) for line in done.stdout.splitlines()
                       if len(words := line.split()) > 4 and words[3] not in left_out})
