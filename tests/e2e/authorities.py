"""Certificate authorities: Pebble, from the package that tools/test_peers unpacked, and a small one of our
own for what Debian's Pebble lacks: renewal information, `replaces`, dns-persist-01, issuer names.
"""
import base64
import http.server
import json
import os
import ssl
import subprocess
import threading
import unittest
import urllib.request
from datetime import datetime, timedelta, timezone

from harness import PEERS, Server, ask_tool, free_port, wait_until


class Pebble:
    """One Pebble; it looks names up at `dns` and comes to the web ports given. Others reach it as `name` at `address`."""

    def __init__(self, case, dns, http_port, https_port, validity=None, accounts=None, environment=None,
                 address="127.0.0.1", name="localhost"):
        program = PEERS / "pebble/usr/bin/pebble"
        if not program.exists():
            raise unittest.SkipTest("Pebble is not unpacked: ./dev setup test")
        self.port, self.management_port = free_port(), free_port()
        folder = case.folder / f"pebble-{self.port}"
        folder.mkdir()
        self.own_certificate = folder / "own.pem"
        made = ask_tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:{address}",
                        "-keyout", folder / "own.key", "-out", self.own_certificate)
        if made.returncode:
            raise AssertionError(made.stderr)
        settings = {"listenAddress": f"{address}:{self.port}", "managementListenAddress": f"{address}:{self.management_port}",
                    "certificate": str(self.own_certificate), "privateKey": str(folder / "own.key"),
                    "httpPort": http_port, "tlsPort": https_port, "externalAccountBindingRequired": bool(accounts)}
        if validity:
            settings["certificateValidityPeriod"] = validity
        if accounts:
            settings["externalAccountMACKeys"] = accounts
        (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
        self.server = Server("pebble", [program, "-config", folder / "pebble.json", "-dnsserver", dns.endpoint, "-strict"],
                             env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "20",
                                  "PEBBLE_AUTHZREUSE": "0", **(environment or {})})
        case.keep_log(self.server)
        self.directory = f"https://{name}:{self.port}/dir"
        self.own_directory = f"https://{address}:{self.port}/dir"
        self.tls = ssl.create_default_context(cafile=self.own_certificate)
        wait_until(self.answers, "Pebble answers")
        self.root = folder / "root.pem"
        self.root.write_bytes(self.get(f"https://{address}:{self.management_port}/roots/0"))

    def get(self, url):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.tls))
        with opener.open(url, timeout=10) as answer:
            return answer.read()

    def status_of(self, serial):
        """What it tells of a certificate that it issued."""
        return json.loads(self.get(f"https://127.0.0.1:{self.management_port}/cert-status-by-serial/{serial:x}"))

    def answers(self):
        try:
            return self.get(self.own_directory)
        except OSError:
            if not self.server.running():
                raise AssertionError("Pebble did not start:\n" + self.server.log())
            return None


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SmallAuthority:
    """Issues whatever is asked for, over HTTP, and keeps what it was told. Checks no proof: `kinds` are what it
    offers for each name."""

    def __init__(self, case, address, kinds=("http-01",), issuer="ca.example", window=None, days=90):
        self.folder = case.folder / f"authority-{address}"
        self.folder.mkdir()
        self.kinds, self.issuer, self.window, self.days = kinds, issuer, window, days
        self.orders, self.asked_windows = [], []
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "100",
                     "-subj", "/CN=small authority", "-keyout", self.folder / "ca.key", "-out", self.folder / "ca.pem")
        (self.folder / "leaf.cnf").write_text("authorityKeyIdentifier=keyid\nbasicConstraints=CA:FALSE\n")
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, status, body, **headers):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Replay-Nonce": os.urandom(9).hex(), "Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            def do_HEAD(self):
                self.reply(200, b"")

            def do_GET(self):
                authority.get(self)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                authority.post(self, decoded(body["payload"]).decode())
        self.http = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.url = f"http://{address}:{self.http.server_address[1]}"
        self.directory = self.url + "/directory"
        thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        thread.start()
        case.addClassCleanup(thread.join, 5)
        case.addClassCleanup(self.http.server_close)
        case.addClassCleanup(self.http.shutdown)

    def openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def get(self, request):
        if request.path == "/directory":
            return request.reply(200, {
                "newNonce": self.url + "/nonce", "newAccount": self.url + "/new-account", "newOrder": self.url + "/new-order",
                "renewalInfo": self.url + "/renewal", "meta": {"caaIdentities": [self.issuer]}})
        if request.path.startswith("/renewal/") and self.window:
            self.asked_windows.append(request.path.removeprefix("/renewal/"))
            start, end = (datetime.now(timezone.utc) + timedelta(seconds=s) for s in self.window)
            return request.reply(200, {"suggestedWindow": {"start": start.isoformat(), "end": end.isoformat()}},
                                 Retry_After="3600")
        return request.reply(404, {"type": "urn:ietf:params:acme:error:malformed", "detail": "no such place"})

    def post(self, request, payload):
        kind, _, number = request.path.removeprefix("/").partition("/")
        if kind == "new-account":
            return request.reply(201, {"status": "valid"}, Location=self.url + "/account/1")
        if kind == "new-order":
            self.orders.append({**json.loads(payload), "status": "pending", "proven": set()})
            return request.reply(201, self.order(len(self.orders) - 1), Location=f"{self.url}/order/{len(self.orders) - 1}")
        if kind == "order":
            return request.reply(200, self.order(int(number)))
        if kind == "authorization":
            return request.reply(200, self.authorization(number))
        if kind == "challenge":
            order, name = map(int, number.split("-"))
            self.orders[order]["proven"].add(name)
            return request.reply(200, {"status": "processing"})
        if kind == "finalize":
            order = self.orders[int(number)]
            order["chain"] = self.sign(decoded(json.loads(payload)["csr"]), number)
            order["status"] = "valid"
            return request.reply(200, self.order(int(number)))
        return request.reply(200, self.orders[int(number)]["chain"], Content_Type="application/pem-certificate-chain")

    def order(self, number):
        order = self.orders[number]
        if order["status"] == "pending" and len(order["proven"]) == len(order["identifiers"]):
            order["status"] = "ready"
        answer = {"status": order["status"], "finalize": f"{self.url}/finalize/{number}",
                  "authorizations": [f"{self.url}/authorization/{number}-{i}" for i in range(len(order["identifiers"]))]}
        return answer | ({"certificate": f"{self.url}/certificate/{number}"} if order["status"] == "valid" else {})

    def authorization(self, place):
        order, index = map(int, place.split("-"))
        name = self.orders[order]["identifiers"][index]["value"]
        status = "valid" if index in self.orders[order]["proven"] else "pending"
        challenges = [{"type": kind, "url": f"{self.url}/challenge/{place}", "status": status, "token": "t" * 43,
                       "issuer-domain-names": [self.issuer]} for kind in self.kinds]
        return {"status": status, "identifier": {"type": "dns", "value": name.removeprefix("*.")},
                "wildcard": name.startswith("*."), "challenges": challenges}

    def sign(self, csr, number):
        (self.folder / f"{number}.csr").write_bytes(csr)
        leaf = self.folder / f"{number}.pem"
        self.openssl("x509", "-req", "-inform", "DER", "-in", self.folder / f"{number}.csr", "-CA", self.folder / "ca.pem",
                     "-CAkey", self.folder / "ca.key", "-days", self.days, "-copy_extensions", "copy",
                     "-extfile", self.folder / "leaf.cnf", "-out", leaf)
        return leaf.read_bytes() + (self.folder / "ca.pem").read_bytes()
