"""What ports 80 and 443 serve, asked by curl and openssl; certificates that come and change while the
server runs."""
import contextlib
import hashlib
import json
import os
import shutil
import smtplib
import socket
import ssl
import threading
import unittest
import xml.etree.ElementTree as xml

from harness import TAPAL, Case, Server, ask_tool, free_port, raw_session, wait_until

ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31"  # RFC 8737 section 6.1


class WebCase(Case):
    @classmethod
    def new_web(cls, domain, settings=None, **options):
        """A tapal that listens for the web too."""
        tapal = cls.new_tapal(domain, **options)
        tapal.http_port, tapal.https_port = free_port(tapal.address), free_port(tapal.address)
        tapal.set({"listen": {"http": [f"{tapal.address}:{tapal.http_port}"],
                              "https": [f"{tapal.address}:{tapal.https_port}"]}, "log": {"level": "debug"}})
        tapal.set(settings or {})
        return tapal

    @classmethod
    def make_certificate(cls, path, *names, extra=()):
        """A self-signed certificate and its key: path.pem and path.key."""
        made = ask_tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "30", "-subj", f"/CN={names[0]}", "-keyout", f"{path}.key", "-out", f"{path}.pem",
                        "-addext", "subjectAltName=" + ",".join(f"DNS:{n}" for n in names), *extra)
        if made.returncode:
            raise AssertionError(made.stderr)

    def put_certificate(self, tapal, path):
        """As ACME clients do: a new folder takes the old one's place."""
        folder = tapal.certificate.parent
        fresh = tapal.folder / "fresh"
        fresh.mkdir(parents=True)
        shutil.copy(f"{path}.pem", fresh / "fullchain.pem")
        shutil.copy(f"{path}.key", fresh / "privkey.pem")
        os.chmod(fresh / "privkey.pem", 0o600)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)

    def curl(self, tapal, url, *options, ca=None):
        """Status, headers and body, with the name in the URL led to the server."""
        scheme, rest = url.split("://", 1)
        host = rest.split("/", 1)[0]
        port = {"http": tapal.http_port, "https": tapal.https_port}[scheme]
        got = ask_tool("curl", "--silent", "--show-error", "--max-time", "20", "--include", "--noproxy", "*",
                       "--cacert", ca or tapal.certificate, "--connect-to", f"{host}::{tapal.address}:{port}", *options, url)
        self.assertEqual(0, got.returncode, got.stderr)
        head, _, body = got.stdout.partition("\n\n")
        lines = head.split("\n")
        fields = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        return int(lines[0].split()[1]), fields, body

    def shown(self, tapal, host, *options):
        """What `openssl s_client` says of the web port."""
        return ask_tool("openssl", "s_client", "-connect", f"{tapal.address}:{tapal.https_port}", "-servername", host,
                        *options, input="")

    def fingerprint_shown(self, address, port, host="mail.a.example"):
        pem = ssl.create_default_context()
        pem.check_hostname, pem.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((address, port), 20) as plain, pem.wrap_socket(plain, server_hostname=host) as tls:
            return self.fingerprint(tls.getpeercert(True))

    @staticmethod
    def fingerprint(der):
        return hashlib.sha256(der).hexdigest()

    def fingerprint_of(self, path):
        with open(path) as file:
            return self.fingerprint(ssl.PEM_cert_to_DER_cert(file.read()))

    def order(self, tapal, **request):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(20)
            control.connect(str(tapal.state / "control.sock"))
            control.sendall((json.dumps(request) + "\n").encode())
            answer = json.loads(control.makefile().readline())
        self.assertTrue(answer["ok"], answer)


class Pages(WebCase):
    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_web("a.example")
        cls.make_certificate(cls.folder / "all", "mail.a.example", "a.example", "mta-sts.a.example", "autoconfig.a.example",
                             "autodiscover.a.example")
        cls.tapal.write("domain.toml", 'mta_sts = "enforce"\nmta_sts_mx = ["mx2.b.example"]\nimap_server = "imap.a.example"\n')
        Pages.put_certificate(cls, cls.tapal, cls.folder / "all")
        cls.tapal.start()

    def test_the_policy_is_fetched_over_tls(self):
        status, fields, body = self.curl(self.tapal, "https://mta-sts.a.example/.well-known/mta-sts.txt")
        self.assertEqual((200, "text/plain"), (status, fields["content-type"]))
        self.assertEqual("version: STSv1\nmode: enforce\nmx: mail.a.example\nmx: mx2.b.example\nmax_age: 604800\n", body)

    def test_the_policy_has_the_line_ends_of_its_rfc(self):
        with contextlib.closing(ssl.create_default_context(cafile=str(self.tapal.certificate)).wrap_socket(
                socket.create_connection((self.tapal.address, self.tapal.https_port), 20),
                server_hostname="mta-sts.a.example")) as web:
            web.sendall(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.a.example\r\nConnection: close\r\n\r\n")
            self.assertTrue(web.makefile("rb").read().endswith(b"\r\nmax_age: 604800\r\n"))

    def test_mail_clients_are_told_the_servers(self):
        for url in ("https://autoconfig.a.example/mail/config-v1.1.xml?emailaddress=ann@a.example",
                    "https://a.example/.well-known/autoconfig/mail/config-v1.1.xml"):
            status, fields, body = self.curl(self.tapal, url)
            self.assertEqual((200, "application/xml"), (status, fields["content-type"]))
            provider = xml.fromstring(body).find("emailProvider")
            self.assertEqual("a.example", provider.get("id"))
            ways = [(s.get("type"), s.find("hostname").text, s.find("port").text, s.find("socketType").text)
                    for s in provider if s.tag.endswith("Server")]
            self.assertEqual([("imap", "imap.a.example", "993", "SSL"),
                              ("smtp", "mail.a.example", str(self.tapal.submissions_port), "SSL"),
                              ("smtp", "mail.a.example", str(self.tapal.submission_port), "STARTTLS")], ways)

    def test_outlook_is_told_the_servers(self):
        status, _, body = self.curl(self.tapal, "https://autodiscover.a.example/autodiscover/autodiscover.xml",
                                    "--data", "<Autodiscover><Request><EMailAddress>ann@a.example</EMailAddress></Request></Autodiscover>")
        self.assertEqual(200, status)
        self.assertIn(str(self.tapal.submissions_port), [e.text for e in xml.fromstring(body).iter() if e.tag.endswith("Port")])

    def test_http_leads_to_https(self):
        status, fields, _ = self.curl(self.tapal, "http://mta-sts.a.example/.well-known/mta-sts.txt")
        self.assertEqual((301, f"https://mta-sts.a.example:{self.tapal.https_port}/.well-known/mta-sts.txt"),
                         (status, fields["location"]))

    def test_foreign_names_get_nothing(self):
        for url in ("http://evil.example/", "http://mta-sts.evil.example/.well-known/mta-sts.txt"):
            self.assertEqual(404, self.curl(self.tapal, url)[0], url)
        for name in ("mta-sts.evil.example", "autoconfig.evil.example"):
            for path in ("/.well-known/mta-sts.txt", "/mail/config-v1.1.xml"):
                got = self.curl(self.tapal, f"https://a.example{path}", "--header", f"Host: {name}")
                self.assertEqual(404, got[0], name + path)

    def test_a_challenge_is_answered_in_clear(self):
        url = "http://new.a.example/.well-known/acme-challenge/"
        self.order(self.tapal, command="challenge show", token="tok-en_1", authorization="tok-en_1.thumb")
        self.assertEqual((200, "tok-en_1.thumb"), self.curl(self.tapal, url + "tok-en_1")[::2])
        self.order(self.tapal, command="challenge withdraw", token="tok-en_1")
        self.assertEqual(404, self.curl(self.tapal, url + "tok-en_1")[0])

    def test_a_challenge_is_answered_by_tls_alpn_01(self):
        self.make_certificate(self.folder / "challenge", "new.a.example",
                              extra=("-addext", f"{ACME_IDENTIFIER}=critical,DER:0420{'ab' * 32}"))
        self.order(self.tapal, command="challenge show", host="new.a.example",
                   chain=(self.folder / "challenge.pem").read_text(), key=(self.folder / "challenge.key").read_text())
        shown = self.shown(self.tapal, "new.a.example", "-alpn", "acme-tls/1")
        self.assertIn("ALPN protocol: acme-tls/1", shown.stdout)
        leaf = ask_tool("openssl", "x509", "-noout", "-text", input=shown.stdout).stdout
        self.assertIn(ACME_IDENTIFIER, leaf)
        self.tapal.server.wait_for("certificate challenge answered.*new.a.example")
        self.assertIn("ALPN protocol: http/1.1", self.shown(self.tapal, "new.a.example", "-alpn", "h2,http/1.1").stdout)
        self.order(self.tapal, command="challenge withdraw", host="new.a.example")
        refused = self.shown(self.tapal, "new.a.example", "-alpn", "acme-tls/1")
        self.assertIn("no application protocol", refused.stderr)

    def test_nonsense_ends_the_connection_with_an_answer(self):
        for text, status in ((b"nonsense\r\n\r\n", b"400"), (b"GET /" + b"x" * 20000, b"431"),
                             (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", b"413")):
            with socket.create_connection((self.tapal.address, self.tapal.http_port), 20) as web:
                web.sendall(text)
                self.assertTrue(web.makefile("rb").read().startswith(b"HTTP/1.1 " + status), text[:20])


class Certificates(WebCase):
    def test_the_first_certificate_opens_the_ports_that_need_one(self):
        tapal = self.new_web("a.example")
        shutil.rmtree(tapal.certificate.parent)
        tapal.start()
        ports = tapal.submission_port, tapal.submissions_port
        for port in ports:
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection((tapal.address, port), 20)
        with self.assertRaises(ssl.SSLError):
            self.fingerprint_shown(tapal.address, tapal.https_port)
        with raw_session(tapal.address, tapal.smtp_port) as mx:
            mx.read_reply()
            self.assertNotIn("STARTTLS", mx.say("EHLO client.example"))

        self.make_certificate(self.folder / "first", "mail.a.example")
        self.put_certificate(tapal, self.folder / "first")
        self.assertEqual(0, tapal.command("queue", "list").returncode)
        tapal.server.wait_for("the first certificate is here")
        first = self.fingerprint_of(self.folder / "first.pem")
        for port in (tapal.submissions_port, tapal.https_port):
            self.assertEqual(first, self.fingerprint_shown(tapal.address, port))
        line = tapal.server.wait_for("certificate in use")
        self.assertEqual(2, line.count(first), "on disk and served")
        with smtplib.SMTP(tapal.address, tapal.submission_port, timeout=20) as session:
            session.starttls(context=tapal.tls())
            session.login("ann@a.example", "correct horse 9")
        with raw_session(tapal.address, tapal.smtp_port) as mx:
            mx.read_reply()
            self.assertIn("STARTTLS", mx.say("EHLO client.example"))
        self.assertEqual(0, tapal.stop())

    def test_a_new_certificate_takes_over_and_no_session_is_lost(self):
        tapal = self.new_web("a.example")
        self.make_certificate(self.folder / "one", "mail.a.example", "mta-sts.a.example")
        self.make_certificate(self.folder / "two", "mail.a.example", "mta-sts.a.example")
        (self.folder / "both.pem").write_text((self.folder / "one.pem").read_text() + (self.folder / "two.pem").read_text())
        self.put_certificate(tapal, self.folder / "one")
        tapal.start()
        trusted = ssl.create_default_context(cafile=str(self.folder / "both.pem"))
        trusted.check_hostname = False
        old = smtplib.SMTP_SSL(tapal.address, tapal.submissions_port, context=trusted, timeout=20)
        self.addCleanup(old.close)
        over, troubles, visits = threading.Event(), [], []

        def visit():
            while not over.is_set():
                try:
                    with smtplib.SMTP_SSL(tapal.address, tapal.submissions_port, context=trusted, timeout=20) as session:
                        session.noop()
                    with contextlib.closing(trusted.wrap_socket(
                            socket.create_connection((tapal.address, tapal.https_port), 20),
                            server_hostname="mta-sts.a.example")) as web:
                        web.sendall(b"GET /.well-known/mta-sts.txt HTTP/1.0\r\nHost: mta-sts.a.example\r\n\r\n")
                        if not web.makefile("rb").read().startswith(b"HTTP/1.1 200"):
                            troubles.append("no policy")
                    visits.append(1)
                except (OSError, smtplib.SMTPException) as trouble:
                    troubles.append(trouble)
        visitors = [threading.Thread(target=visit) for _ in range(4)]
        for visitor in visitors:
            visitor.start()
        try:
            wait_until(lambda: len(visits) > 20, "visits before")
            mark = tapal.server.mark()
            self.put_certificate(tapal, self.folder / "two")
            second = self.fingerprint_of(self.folder / "two.pem")
            line = tapal.server.wait_for(f"certificate in use.*{second}", after=mark)
            self.assertEqual(2, line.count(second), "on disk and served")
            for port in (tapal.submissions_port, tapal.https_port):
                self.assertEqual(second, self.fingerprint_shown(tapal.address, port))
            seen = len(visits)
            wait_until(lambda: len(visits) > seen + 20, "visits after")
        finally:
            over.set()
            for visitor in visitors:
                visitor.join()
        self.assertEqual([], troubles)
        self.assertEqual(235, old.login("ann@a.example", "correct horse 9")[0], "a session from before goes on")

    def test_a_certificate_in_the_shade_of_another_is_told(self):
        tapal = self.new_web("a.example")
        self.make_certificate(self.folder / "shade", "mail.a.example")
        tapal.start()
        fresh = tapal.certificate.parent.with_name("mail.a.example-0001")
        fresh.mkdir()
        shutil.copy(self.folder / "shade.pem", fresh / "fullchain.pem")
        shutil.copy(self.folder / "shade.key", fresh / "privkey.pem")
        line = tapal.server.wait_for("another certificate is served than this one")
        self.assertIn(self.fingerprint_of(self.folder / "shade.pem"), line)
        self.assertIn(self.fingerprint_of(tapal.certificate), line)


class Ports(WebCase):
    def test_a_port_that_is_taken_is_told_with_its_owner(self):
        tapal = self.new_web("a.example")
        with socket.create_server((tapal.address, tapal.http_port)):
            server = Server("tapal", [TAPAL, "serve", "--config", tapal.config])
            self.addCleanup(server.stop)
            line = server.wait_for("cannot start")
        self.assertIn(f"{tapal.address}:{tapal.http_port}", line)
        self.assertIn(f"process {os.getpid()}", line)

    @unittest.skipIf(os.geteuid() or not shutil.which("setpriv"), "gives up root's rights by setpriv")
    def test_a_port_below_1024_is_refused_with_what_to_do(self):
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as start:
            if int(start.read()) <= 80:
                self.skipTest("this machine lets everybody have low ports")
        tapal = self.new_web("a.example", {"listen": {"http": ["127.0.0.1:80"]}})
        server = Server("tapal", ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service",
                                  TAPAL, "serve", "--config", tapal.config])
        self.addCleanup(server.stop)
        self.assertIn("CAP_NET_BIND_SERVICE", server.wait_for("cannot start"))


if __name__ == "__main__":
    unittest.main()
