"""A small DNS server (knot) that leads every domain below "example." and any other to the sink's address; and what it says
of those whose mail is forwarded."""
import atexit
import os
import pathlib
import shutil
import subprocess
import tempfile

import author
from programs import ROOT, Trouble, wait_until

ZONE = """$ORIGIN {zone}
$TTL 3600
@ IN SOA ns.sink.example. hostmaster.sink.example. 1 3600 600 86400 60
@ IN NS ns.sink.example.
{records}"""
RECORDS = """ns.sink IN A {address}
mx.sink IN A 127.0.0.1
sink IN MX 10 mx.sink.example.
* IN MX 10 mx.sink.example.
bench IN MX 10 mx.sink.example.
bench IN TXT "v=spf1 ip4:127.0.0.0/8 -all"
*.bench IN MX 10 mx.sink.example.
"""


class LocalDns:
    """One for the whole run; on port 53 of a loopback address, for servers that know no other port, and of one that
    the loopback interface has for the run, for those that ask nobody in 127/8."""
    address, other_address = "127.53.53.53", "198.51.100.53"

    def __init__(self):
        self.process = None

    def available(self):
        return bool(self.binary())

    def binary(self):
        return shutil.which("knotd", path=f"{ROOT}/build/peers/knot/usr/sbin:/usr/sbin:/usr/bin:/sbin")

    def start(self):
        if self.process:
            return self.address
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tapal-bench-dns-"))
        records = RECORDS.format(address=self.address) + author.records()
        (folder / "example.zone").write_text(ZONE.format(zone="example.", records=records))
        (folder / "root.zone").write_text(ZONE.format(zone=".", records="ns.sink.example. IN A " + self.address + "\n"))
        (folder / "db").mkdir()
        (folder / "knot.conf").write_text(f"""server:
    listen: [ {self.address}@53, {self.other_address}@53 ]
    rundir: {folder}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: warning
database:
    storage: {folder}/db
    journal-db-max-size: 16M
    kasp-db-max-size: 16M
    timer-db-max-size: 4M
template:
  - id: default
    storage: {folder}
    zonefile-sync: -1
zone:
  - domain: example.
    file: example.zone
""")
        if os.geteuid() != 0:
            raise Trouble("the DNS server needs root for port 53")
        self.give_address("replace")
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen([self.binary(), "-c", folder / "knot.conf"], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        atexit.register(self.end, folder)
        wait_until(self.answers, "knot answers", 20)
        return self.address

    def give_address(self, verb):
        subprocess.run(["ip", "address", verb, f"{self.other_address}/32", "dev", "lo"], check=True, capture_output=True)

    def answers(self):
        if self.process.poll() is not None:
            raise Trouble("knot does not start")
        done = subprocess.run(["kdig", f"@{self.address}", "+short", "+timeout=1", "+retry=0", "sink.example", "MX"],
                              capture_output=True, text=True)
        return "mx.sink" in done.stdout

    def end(self, folder):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.give_address("delete")
        shutil.rmtree(folder, ignore_errors=True)


LOCAL_DNS = LocalDns()
