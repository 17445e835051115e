"""A real DNS server: knot, with zones written by the test, one of them signed when asked."""
import base64
import os
import re
import signal

from harness import ROOT, Server, ask_tool, free_port, new_address, wait_until

KNOTD = ROOT / "build/peers/knot/usr/sbin/knotd"
SOA = "@ 60 IN SOA ns.example. hostmaster.example. 1 3600 600 86400 60\n@ 60 IN NS ns.example.\n"


class UpdateKey:
    """A TSIG key, and the credentials file that tapal takes for it."""

    def __init__(self, name="key.example", algorithm="hmac-sha256"):
        self.name, self.algorithm = name, algorithm
        self.secret = base64.b64encode(os.urandom(32)).decode()

    def credentials(self, path, server):
        path.touch(mode=0o600)
        path.write_text(f"server = {server}\nkey_name = {self.name}\nalgorithm = {self.algorithm}\nsecret = {self.secret}\n")
        return path


class Dns:
    """knotd on an address of its own. Records are collected, then start() serves them."""

    def __init__(self, case, signed=(), update_key=None):
        """`update_key` (see UpdateKey) may change every zone by DNS UPDATE."""
        self.address, self.case = new_address(), case
        self.port = free_port(self.address)
        self.folder = case.folder / f"dns-{self.address}"
        self.zones = {"example": f"ns.example. 60 IN A {self.address}\n"}
        self.signed, self.update_key = set(signed), update_key
        self.serial = 1
        self.server = None

    @property
    def endpoint(self):
        return f"{self.address}:{self.port}"

    def add(self, records, zone="example"):
        self.zones[zone] = self.zones.get(zone, "") + records.rstrip("\n") + "\n"
        return self

    def start(self):
        (self.folder / "db").mkdir(parents=True)
        lines = ["server:", f"    listen: {self.address}@{self.port}", f"    rundir: {self.folder}",
                 "    udp-workers: 1", "    tcp-workers: 1", "    background-workers: 1",
                 "log:", "  - target: stderr", "    any: info",
                 "database:", f"    storage: {self.folder}/db", "    journal-db-max-size: 16M",
                 "    kasp-db-max-size: 16M", "    timer-db-max-size: 4M",
                 "policy:", "  - id: quick", "    algorithm: ecdsap256sha256", "    single-type-signing: on",
                 "    nsec3: off", "template:", "  - id: default", f"    storage: {self.folder}",
                 "    zonefile-sync: -1", "zone:"]
        if self.update_key:
            key = self.update_key
            lines[-1:] = ["key:", f"  - id: {key.name}", f"    algorithm: {key.algorithm}", f"    secret: {key.secret}",
                          "acl:", "  - id: update", f"    key: {key.name}", "    action: update", "zone:"]
        for zone, records in self.zones.items():
            (self.folder / f"{zone}.zone").write_text(f"$ORIGIN {zone}.\n$TTL 60\n{SOA}{records}")
            lines += [f"  - domain: {zone}.", f"    file: {zone}.zone"]
            if zone in self.signed:
                lines += ["    dnssec-signing: on", "    dnssec-policy: quick"]
            if self.update_key:
                lines += ["    acl: update"]
        self.configuration = self.folder / "knot.conf"
        self.configuration.write_text("\n".join(lines) + "\n")
        self.server = Server(f"knot {self.endpoint}", [KNOTD, "-c", self.configuration])
        self.case.keep_log(self.server)
        for zone in self.zones:
            wait_until(lambda z=zone: self.ask(z + ".", "SOA") or not self.server.running(), f"knot answers for {zone}")
            if zone in self.signed:
                wait_until(lambda z=zone: self.ask(z + ".", "DNSKEY"), f"knot signs {zone}")
        if not self.server.running():
            raise AssertionError("knot did not start:\n" + self.server.log())
        return self

    def rewrite(self, records, zone="example"):
        """Another content for a zone, as its owner would write it. Nothing of it lives longer than a second."""
        self.serial += 1
        soa = f"@ 1 IN SOA ns.example. hostmaster.example. {self.serial} 3600 600 86400 1\n@ 60 IN NS ns.example.\n"
        if zone == "example":
            records = f"ns.example. 60 IN A {self.address}\n{records}"
        (self.folder / f"{zone}.zone").write_text(f"$ORIGIN {zone}.\n$TTL 1\n{soa}{records}\n")
        self.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any(f" {self.serial} " in line for line in self.ask(zone + ".", "SOA")),
                   f"knot serves {zone} with serial {self.serial}")

    def ask(self, name, kind):
        """The answer's data, a line each."""
        done = ask_tool("kdig", f"@{self.address}", "-p", self.port, "+short", "+timeout=2", "+retry=0", name, kind)
        return [line for line in done.stdout.splitlines() if line and not line.startswith(";")]

    def text_of(self, name):
        """A TXT record with its pieces joined, or None."""
        for line in self.ask(name, "TXT"):
            return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', line))
        return None

    def trust_anchor(self, zone):
        """A file with the zone's keys as DNSKEY records."""
        path = self.folder / f"{zone}.anchor"
        path.write_text("".join(f"{zone}. 60 IN DNSKEY {key}\n" for key in self.ask(zone + ".", "DNSKEY")))
        return path
