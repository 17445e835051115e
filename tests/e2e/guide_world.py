"""The world that the guide speaks of: a rented machine with the package on it, example.com at Cloudflare, and whom a
newcomer meets outside."""
import ipaddress
import shutil
import subprocess
import unittest

from authorities import Pebble
from guide_peers import DOMAIN, NEW_MACHINE, TOKEN, WEB_NAMES, Gmail, Web
from harness import ROOT, TAPAL
from sandbox import AUTHORITY, MACHINE, NAMES, Machine, Names, Outside

USER_NUMBER = 64556
BLOCK_LISTS = ("spamhaus.org", "spamcop.net", "barracudacentral.org", "surriel.com", "surbl.org", "uribl.com")

# What systemd does of the units' commands, and its journal.
SYSTEMCTL = """#!/bin/sh
unit=/usr/lib/systemd/system/tapal.service
running() { [ -f /run/tapal.pid ] && kill -0 "$(cat /run/tapal.pid)" 2>/dev/null; }
start() {
  seen=$(grep -c ready /var/log/tapal.journal)
  user=$(sed -n 's/^User=//p' $unit)
  setsid setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=-all,+net_bind_service \\
    --ambient-caps=-all,+net_bind_service --bounding-set=-all,+net_bind_service \\
    $(sed -n 's/^ExecStart=//p' $unit) >>/var/log/tapal.journal 2>&1 </dev/null &
  echo $! >/run/tapal.pid
  while running && [ "$(grep -c ready /var/log/tapal.journal)" = "$seen" ]; do sleep 0.05; done
}
stop() { running && kill "$(cat /run/tapal.pid)"; while running; do sleep 0.05; done; rm -f /run/tapal.pid; }
case "$1 $2" in
  "enable --now" | "start "*) running || start ;;
  "restart "*) stop; start ;;
  "stop "* | "disable --now") stop ;;
  "is-active "*) running && echo active ;;
  *) exit 0 ;;
esac
"""
JOURNALCTL = """#!/bin/sh
sed 's/^[^ ]* //' /var/log/tapal.journal  # as -o cat
"""


class GuideWorld:
    user = USER_NUMBER  # the service's

    def __init__(self, case):
        for program in ("setpriv", "nft"):
            if not shutil.which(program):
                raise unittest.SkipTest(f"{program} is not installed: ./dev setup test")
        Outside()
        self.machine = Machine(case, laid_over=("/etc", "/run", "/usr", "/var"))
        self.names = Names(case, DOMAIN)
        self.gmail = Gmail(case, self.names)
        self.names.zones |= dict.fromkeys(BLOCK_LISTS, "")  # which list nobody
        self.names.zones |= {"cloudflare.com": f"api 60 IN A {AUTHORITY[0]}\n", "iana.org": f"data 60 IN A {AUTHORITY[0]}\n",
                             "letsencrypt.org": f"acme-v02.api 60 IN A {AUTHORITY[0]}\n",
                             # Where nobody takes mail at the moment.
                             "example.net": f"@ 60 IN MX 10 mail\nmail 60 IN A {AUTHORITY[0]}\n"
                                            '_spf 60 IN TXT "v=spf1 ip4:198.51.100.0/24 -all"\n',
                             "example.org": f"rdap 60 IN A {AUTHORITY[0]}\n"}
        for place, zone in ((NEW_MACHINE[0], "20.in-addr.arpa"), (NEW_MACHINE[1], "1.0.0.0.f.0.a.2.ip6.arpa")):
            self.names.add(f"{ipaddress.ip_address(place).reverse_pointer}. 60 IN PTR mail.{DOMAIN}.\n", zone)
        self.names.add('bank 60 IN TXT "v=spf1 ip4:198.51.100.7 -all"\n_dmarc.bank 60 IN TXT "v=DMARC1; p=reject"\n')
        self.names.start()
        self.machine.root_key.write_text(self.names.anchor())
        pebble = Pebble(case, self.names, 80, 443, address=AUTHORITY[0], name=WEB_NAMES[1], validity=90 * 86400)
        web = Web(case, self.names, pebble)
        self.machine.trust(pebble.own_certificate.read_text(), pebble.root.read_text(), web.certificate)
        self.gmail.open(case)
        self.install()

    def install(self):
        """What the package puts there, and nothing of the machine that the test runs on."""
        self.run_ok("rm -rf /etc/tapal /var/lib/tapal /usr/local/bin/tapal; mount -t tmpfs tmpfs /root\n"
                    "[ ! -d /sys/class/dmi ] || mount -t tmpfs tmpfs /sys/class/dmi")
        etc, at = self.machine.path("/etc"), self.machine.path
        with (etc / "passwd").open("a") as users, (etc / "group").open("a") as groups:
            users.write(f"tapal:x:{USER_NUMBER}:{USER_NUMBER}::/var/lib/tapal:/usr/sbin/nologin\n")
            groups.write(f"tapal:x:{USER_NUMBER}:\n")
        for folder, mode in (("/run/systemd/system", 0o755), ("/usr/lib/systemd/system", 0o755), ("/var/spool/tapal", 0o1733)):
            at(folder).mkdir(parents=True, exist_ok=True)
            at(folder).chmod(mode)
        shutil.chown(at("/var/spool/tapal"), USER_NUMBER, USER_NUMBER)
        shutil.copy(ROOT / "debian/tapal.service", at("/usr/lib/systemd/system/tapal.service"))
        at("/usr/bin/tapal").touch(0o755)
        self.run_ok(f"mount --bind {TAPAL} /usr/bin/tapal")
        self.write("/var/log/tapal.journal", "")
        self.write("/usr/local/bin/systemctl", SYSTEMCTL, 0o755)
        self.write("/usr/local/bin/journalctl", JOURNALCTL, 0o755)
        self.write("/root/cf.token", f"{TOKEN}\n", 0o600)

    def move(self):
        """From here on it is another machine at another place, and empty."""
        commands = ["rm -rf /etc/tapal /var/lib/tapal",
                    "install -d -o tapal -g tapal -m 0750 /etc/tapal /var/lib/tapal"]  # as the package does
        for old, new, prefix in zip(MACHINE, NEW_MACHINE, ("24", "64 nodad")):
            commands += [f"ip address del {old}/{prefix.split()[0]} dev uplink",
                         f"ip address add {new}/{prefix} dev uplink"]
        # The way out goes with the last address of its network.
        commands += [f"ip route replace default via {NAMES[0]}", f"ip -6 route replace default via {NAMES[1]}"]
        self.run_ok("\n".join(commands))

    def journal(self):
        return self.run("journalctl | tail -20")[1]

    def write(self, place, text, mode=0o644):
        path = self.machine.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def run_ok(self, commands):
        code, said = self.run(commands)
        if code:
            raise AssertionError(f"{commands}: {said}")

    def run(self, commands):
        """A block's commands, typed by root: the exit code and what they print."""
        typed = subprocess.run([*self.machine.enter, "sh", "-ec", f"cd /root\n{commands}"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
                               env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                                    "LANG": "C.UTF-8"})
        return typed.returncode, typed.stdout
