"""The world that the guide speaks of: a rented machine with the package on it and example.com at Cloudflare, and
outside what a newcomer meets: Gmail, Let's Encrypt, Cloudflare, the registries, each by its own name."""
import datetime
import http.server
import ipaddress
import itertools
import json
import shutil
import smtplib
import ssl
import subprocess
import threading
import unittest
import urllib.parse
import urllib.request

import dkim

from authorities import Pebble
from filter_peers import CheckingOpendkim
from harness import ROOT, TAPAL, ask_tool, message
from peers import Postfix
from sandbox import AUTHORITY, MACHINE, NAMES, PROVIDER, Machine, Names, Outside

DOMAIN = "example.com"
USER_NUMBER = 64556
NEW_MACHINE = ("20.30.40.11", "2a0f:1::11")
TOKEN = "t0ken-of-cloudflare"
BLOCK_LISTS = ("spamhaus.org", "spamcop.net", "barracudacentral.org", "surriel.com", "surbl.org", "uribl.com")
WEB_NAMES = ("api.cloudflare.com", "acme-v02.api.letsencrypt.org", "data.iana.org", "rdap.example.org")

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
cat /var/log/tapal.journal
"""


class Web:
    """api.cloudflare.com for one zone, Let's Encrypt's directory, and the registries of names and addresses."""

    def __init__(self, case, names, pebble):
        self.names, self.pebble, self.records, self.numbers = names, pebble, {}, itertools.count(1)
        certificate, key = case.folder / "web.pem", case.folder / "web.key"
        made = ask_tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=web", "-addext", "subjectAltName=" + ",".join(f"DNS:{n}" for n in WEB_NAMES),
                        "-keyout", key, "-out", certificate)
        if made.returncode:
            raise AssertionError(made.stderr)
        self.certificate = certificate.read_text()
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                status, answer = web.answer(self.headers["Host"], self.command, self.path, body, self.headers)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer((AUTHORITY[0], 443), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        case.addClassCleanup(server.shutdown)

    def answer(self, host, method, target, body, headers):
        path, _, query = target.partition("?")
        if host == "api.cloudflare.com":
            if headers["Authorization"] != f"Bearer {TOKEN}":
                return 403, {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}
            result = self.cloudflare(method, path.removeprefix("/client/v4/").split("/"), dict(urllib.parse.parse_qsl(query)), body)
            return 200, {"success": True, "errors": [], "result": result}
        if host.startswith("acme"):
            port = urllib.parse.urlsplit(self.pebble.directory).port
            return 200, json.loads(self.pebble.get(urllib.request.Request(
                self.pebble.own_directory, headers={"Host": f"{host}:{port}"})))
        return self.registry(path)

    def registry(self, path):
        registered = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=700)
        pages = {
            "/rdap/dns.json": {"services": [[["com"], ["https://rdap.example.org/names/"]]]},
            f"/names/domain/{DOMAIN}": {"events": [{"eventAction": "registration",
                                                    "eventDate": registered.strftime("%Y-%m-%dT%H:%M:%SZ")}]},
            "/rdap/ipv4.json": {"services": [[["20.0.0.0/8"], ["https://rdap.example.org/numbers/"]]]},
            **{f"/numbers/ip/{address}": {"entities": [{"vcardArray": ["vcard", [["fn", {}, "text", "Hetzner Online GmbH"]]]}]}
               for address in (MACHINE[0], NEW_MACHINE[0])}}
        return (200, pages[path]) if path in pages else (404, {})

    def cloudflare(self, method, path, query, body):
        if path == ["zones"]:
            return [{"id": "z1", "name": DOMAIN}] if query["name"] == DOMAIN else []
        if method == "GET":
            return [{"content": self.data_of(record), **record, "id": number} for number, record in self.records.items()
                    if (record["name"], record["type"]) == (query["name"], query["type"])]
        number = path[3] if len(path) > 3 else f"r{next(self.numbers)}"
        if old := self.records.pop(number, None):
            self.names.update(f"del {old['name']}. {old['type']} {self.data_of(old)}")
        if body:
            self.records[number] = body
            self.names.update(f"add {body['name']}. {body['ttl']} {body['type']} {self.data_of(body)}")
        return {"id": number}

    @staticmethod
    def data_of(record):
        data, kind = record.get("data"), record["type"]
        if kind == "SRV":
            return f"{data['priority']} {data['weight']} {data['port']} {data['target'].rstrip('.')}."
        if kind == "CAA":
            return f"{data['flags']} {data['tag']} \"{data['value']}\""
        if kind == "TLSA":
            return f"{data['usage']} {data['selector']} {data['matching_type']} {data['certificate']}"
        content = record["content"]
        return {"MX": f"{record.get('priority')} {content.rstrip('.')}.", "CNAME": f"{content.rstrip('.')}."}.get(kind, content)


class Gmail:
    """gmail.com, which takes mail for me@ and checks it, and writes as google.com."""

    def __init__(self, case, names):
        self.folder = case.folder
        self.key = case.folder / "google.pem"
        ask_tool("openssl", "genrsa", "-traditional", "-out", self.key, "2048", check=True)
        public = ask_tool("openssl", "rsa", "-in", self.key, "-pubout").stdout
        text = "v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1])
        names.zones["gmail.com"] = "@ 60 IN MX 5 gmail-smtp-in.l.google.com.\n"
        names.zones["google.com"] = (f"gmail-smtp-in.l 60 IN A {PROVIDER[0]}\ngmail-smtp-in.l 60 IN AAAA {PROVIDER[1]}\n"
                                     f'test._domainkey 60 IN TXT "{text[:200]}" "{text[200:]}"\n'
                                     f'bounces 60 IN TXT "v=spf1 ip4:{PROVIDER[0]} -all"\n')
        self.box = None

    def open(self, case):
        milter = CheckingOpendkim(case, "mx.google.com", "20.30.40.53")
        self.box = Postfix(case, "gmail.com", 25, users=("me",), addresses=PROVIDER,
                           settings={"smtpd_milters": milter.milter, "milter_default_action": "tempfail",
                                     "myhostname": "mx.google.com"})

    def confirm(self, address):
        """The message that Gmail sends when somebody wants to send mail as that address."""
        text = message("gmail-noreply@google.com", address, f"(#482913077) Gmail Confirmation - Send Mail as {address}",
                       "Please click the link below:\n\nhttps://mail.google.com/mail/f-%5BANGjdJ-abc%5D-XYZ\n",
                       "Message-ID: <1@mail.gmail.com>\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n")
        text = dkim.sign(text, b"test", b"google.com", self.key.read_bytes(), include_headers=[b"from", b"to", b"subject"]) + text
        with smtplib.SMTP(MACHINE[0], 25, local_hostname="mail-sor-f41.google.com", source_address=(PROVIDER[0], 0)) as session:
            session.sendmail("x@bounces.google.com", address, text)


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
                             "example.net": f"_spf 60 IN TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n@ 60 IN MX 10 mail\nmail 60 IN A {AUTHORITY[0]}\n",
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
        """What the package puts there."""
        done = self.machine.run("mount", "-t", "tmpfs", "tmpfs", "/root")
        assert done.returncode == 0, done.stderr
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
        done = self.machine.run("mount", "--bind", TAPAL, "/usr/bin/tapal")
        if done.returncode:
            raise AssertionError(done.stderr)
        self.write("/var/log/tapal.journal", "")
        self.write("/usr/local/bin/systemctl", SYSTEMCTL, 0o755)
        self.write("/usr/local/bin/journalctl", JOURNALCTL, 0o755)
        self.write("/usr/local/bin/editor", "#!/bin/sh\n", 0o755)
        self.write("/root/cf.token", f"{TOKEN}\n", 0o600)

    def move(self):
        """From here on it is another machine at another place, and empty."""
        commands = ["rm -rf /etc/tapal /var/lib/tapal"]
        for old, new, prefix in zip(MACHINE, NEW_MACHINE, ("24", "64 nodad")):
            commands += [f"ip address del {old}/{prefix.split()[0]} dev uplink",
                         f"ip address add {new}/{prefix} dev uplink"]
        # The way out goes with the last address of its network.
        commands += [f"ip route replace default via {NAMES[0]}", f"ip -6 route replace default via {NAMES[1]}"]
        code, said = self.run("\n".join(commands))
        assert code == 0, said

    def journal(self):
        return self.run("journalctl | tail -20")[1]

    def write(self, place, text, mode=0o644):
        path = self.machine.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def run(self, commands):
        """A block's commands, typed by root: the exit code and what they print."""
        typed = subprocess.run([*self.machine.enter, "sh", "-ec", f"cd /root\n{commands}"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
                               env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                                    "LANG": "C.UTF-8"})
        return typed.returncode, typed.stdout
