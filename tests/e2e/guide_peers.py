"""Whom a newcomer meets, each by its own name: Cloudflare, Let's Encrypt, the registries of names and addresses, Gmail."""
import datetime
import http.server
import itertools
import json
import smtplib
import ssl
import threading
import urllib.parse
import urllib.request

import dkim

from filter_peers import CheckingOpendkim
from harness import ask_tool, message
from peers import Postfix
from sandbox import AUTHORITY, MACHINE, NAMES, PROVIDER

DOMAIN = "example.com"
NEW_MACHINE = ("20.30.40.11", "2a0f:1::11")
TOKEN = "t0ken-of-cloudflare"
WEB_NAMES = ("api.cloudflare.com", "acme-v02.api.letsencrypt.org", "data.iana.org", "rdap.example.org")


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
        milter = CheckingOpendkim(case, "mx.google.com", NAMES[0])
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
