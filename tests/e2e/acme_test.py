"""Certificates that the server and `tapal cert` get by themselves: from Pebble, and from a small authority
for what Debian's Pebble lacks."""
import base64
import contextlib
import json
import os
import smtplib
import socket
import ssl
import unittest
from datetime import datetime, timedelta, timezone

from authorities import Pebble, SmallAuthority
from dns import Dns, UpdateKey
from harness import Case, ask_tool, free_port, new_address, wait_until

ISSUED = "a certificate was issued"


def stamp(days):
    """A moment, so many days from now, as openssl's ca takes it."""
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


class AcmeCase(Case):
    @classmethod
    def new_world(cls, domain="example", **pebble):
        """A tapal that listens for the web, Pebble and a DNS server that both ask."""
        tapal = cls.new_tapal(domain)
        tapal.http_port, tapal.https_port = free_port(tapal.address), free_port(tapal.address)
        dns = Dns(cls)
        for name in ("mail", "mta-sts", "autoconfig"):
            dns.add(f"{name}.{domain}. 60 IN A {tapal.address}", domain)
        dns.add(f"other.{domain}. 60 IN A {new_address()}", domain)
        dns.start()
        tapal.set({"listen": {"http": [f"{tapal.address}:{tapal.http_port}"],
                              "https": [f"{tapal.address}:{tapal.https_port}"]},
                   "resolver": {"servers": [dns.endpoint]}})
        authority = Pebble(cls, dns, tapal.http_port, tapal.https_port, **pebble)
        tapal.set({"acme": {"directory": authority.directory, "trusted_ca_file": str(authority.own_certificate)}})
        return tapal, dns, authority

    def listed(self, tapal):
        done = tapal.command("cert", "list", "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        return {one["name"]: one for one in json.loads(done.stdout)["certificates"]}

    def shown(self, tapal, name):
        done = tapal.command("cert", "show", name, "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def served(self, tapal, root, host, port=None):
        """The certificate that a client which trusts `root` gets, as ssl tells it."""
        trust = ssl.create_default_context(cafile=root)
        with socket.create_connection((tapal.address, port or tapal.submissions_port), 20) as plain:
            with trust.wrap_socket(plain, server_hostname=host) as tls:
                return tls.getpeercert()


class PebbleTest(AcmeCase):
    @classmethod
    def prepare(cls):
        cls.tapal, cls.dns, cls.pebble = cls.new_world()
        cls.tapal.set({"acme": {"names": ["mail.example", "mta-sts.example"], "challenges": ["tls-alpn-01"],
                                "contact": "postmaster@example.com"}})
        cls.tapal.start()
        cls.tapal.server.wait_for(ISSUED)

    def test_the_server_gets_what_its_settings_want_by_tls_alpn_01(self):
        wait_until(lambda: "CN=mail.example" not in str(self.listed(self.tapal)["mail.example"]["issuer"]), "it is in place")
        for port in (self.tapal.submissions_port, self.tapal.https_port):
            names = self.served(self.tapal, self.pebble.root, "mail.example", port)["subjectAltName"]
            self.assertEqual({("DNS", "mail.example"), ("DNS", "mta-sts.example")}, set(names))
        folder = self.tapal.config / "certs/mail.example"
        for name in ("fullchain.pem", "privkey.pem", "next.pem", ".order.json"):
            self.assertEqual(0o600, (folder / name).stat().st_mode & 0o777, name)
        one = self.listed(self.tapal)["mail.example"]
        self.assertTrue(one["renewed_by_tapal"])
        self.assertEqual(self.pebble.directory, one["authority"])

    def test_a_command_has_the_server_get_one_by_http_01(self):
        # The running server keeps to its own list: tls-alpn-01.
        done = self.tapal.command("cert", "issue", "autoconfig.example")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("autoconfig.example", done.stdout)
        self.served(self.tapal, self.pebble.root, "autoconfig.example")

    def test_a_renewal_by_command_uses_the_key_that_was_announced(self):
        before = self.shown(self.tapal, "mail.example")
        done = self.tapal.command("cert", "renew", "mail.example", "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        after = self.shown(self.tapal, "mail.example")
        self.assertNotEqual(before["sha256"], after["sha256"])
        self.assertEqual(before["next_key_sha256"], after["key_sha256"])
        self.assertNotEqual(after["key_sha256"], after["next_key_sha256"])

    def test_a_new_key_is_made_where_the_announced_one_is_not_to_be_trusted(self):
        self.assertEqual(0, self.tapal.command("cert", "issue", "autoconfig.example").returncode)
        before = self.shown(self.tapal, "autoconfig.example")
        done = self.tapal.command("cert", "renew", "autoconfig.example", "--new-key", "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        after = json.loads(done.stdout)
        self.assertNotIn(after["key_sha256"], (before["key_sha256"], before["next_key_sha256"]))
        self.assertNotEqual(before["next_key_sha256"], after["next_key_sha256"])

    def test_a_revoked_certificate_is_replaced_by_one_with_a_new_key(self):
        self.assertEqual(0, self.tapal.command("cert", "issue", "autoconfig.example").returncode)
        before = self.shown(self.tapal, "autoconfig.example")
        serial = int(self.served(self.tapal, self.pebble.root, "autoconfig.example")["serialNumber"], 16)
        done = self.tapal.command("cert", "revoke", "autoconfig.example", "--reason", "superseded", "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        after = json.loads(done.stdout)
        self.assertNotIn(after["key_sha256"], (before["key_sha256"], before["next_key_sha256"]))
        self.assertEqual("Revoked", self.pebble.status_of(serial)["Status"])
        self.assertEqual(2, self.tapal.command("cert", "revoke", "autoconfig.example", "--reason", "mood").returncode)
        self.assertEqual(1, self.tapal.command("cert", "revoke", "absent.example").returncode)

    def test_the_account_gets_another_key_and_stays_the_same_account(self):
        folder = next((self.tapal.config / "acme").iterdir())
        key, note = (folder / "account.pem").read_text(), (folder / "account.json").read_text()
        done = self.tapal.command("cert", "account-key", "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(folder.name, json.loads(done.stdout)["account"])
        self.assertNotEqual(key, (folder / "account.pem").read_text())
        self.assertEqual(note, (folder / "account.json").read_text())
        done = self.tapal.command("cert", "renew", "mail.example")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual([folder], list((self.tapal.config / "acme").iterdir()))

    def test_a_name_that_leads_elsewhere_is_refused_with_what_to_do(self):
        done = self.tapal.command("cert", "issue", "other.example")
        self.assertEqual(1, done.returncode)
        self.assertIn("other.example", done.stderr)
        self.assertIn("Failed to connect", done.stderr)
        self.assertIn("something else answers in our place", done.stderr)
        self.assertNotIn("other.example", self.listed(self.tapal))

    def test_a_wildcard_without_a_dns_account_is_refused_with_what_to_do(self):
        done = self.tapal.command("cert", "issue", "*.example", "--json")
        self.assertEqual(1, done.returncode)
        self.assertIn("a wildcard takes dns-01, which needs a DNS account", json.loads(done.stdout)["error"])

    def test_a_certificate_of_another_client_is_left_alone(self):
        folder = self.tapal.config / "certs/mta-sts.example"
        folder.mkdir()
        chain = (self.tapal.config / "certs/mail.example/fullchain.pem").read_text()
        (folder / "fullchain.pem").write_text(chain)
        (folder / "privkey.pem").write_text((self.tapal.config / "certs/mail.example/privkey.pem").read_text())
        done = self.tapal.command("cert", "issue", "mta-sts.example")
        self.assertEqual(1, done.returncode)
        self.assertIn("another program looks after", done.stderr)
        self.assertEqual(chain, (folder / "fullchain.pem").read_text())
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()

    def test_an_account_is_made_once(self):
        accounts = list((self.tapal.config / "acme").iterdir())
        self.assertEqual(1, len(accounts))
        self.assertEqual(0o600, (accounts[0] / "account.pem").stat().st_mode & 0o777)
        note = json.loads((accounts[0] / "account.json").read_text())
        self.assertIn(f"https://localhost:{self.pebble.port}/", note["url"])


class CommandTest(AcmeCase):
    """Without a running server."""
    @classmethod
    def prepare(cls):
        cls.tapal, cls.dns, cls.pebble = cls.new_world(accounts={"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"})
        cls.tapal.set({"acme": {"challenges": ["http-01"]}})

    def test_a_customer_gets_one_by_http_01_and_others_do_not(self):
        done = self.tapal.command("cert", "issue", "mail.example")
        self.assertEqual(1, done.returncode)
        self.assertIn("acme.external_account_id", done.stderr)
        key = self.tapal.config / "external.key"
        key.write_text("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\n")
        key.chmod(0o644)
        self.tapal.set({"acme": {"external_account_id": "kid-1", "external_account_key_file": "external.key"}})
        done = self.tapal.command("cert", "issue", "mail.example")
        self.assertEqual(1, done.returncode)
        self.assertIn("chmod 600", done.stderr)
        key.chmod(0o600)
        done = self.tapal.command("cert", "issue", "mail.example")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertTrue(self.listed(self.tapal)["mail.example"]["renewed_by_tapal"])
        self.assertNotIn("zWNDZM6eQ", done.stdout + done.stderr)
        self.tapal.start()
        self.served(self.tapal, self.pebble.root, "mail.example")


class ChainTest(AcmeCase):
    """An authority with two roots."""
    @classmethod
    def prepare(cls):
        cls.tapal, cls.dns, cls.pebble = cls.new_world(environment={"PEBBLE_ALTERNATE_ROOTS": "1", "PEBBLE_CHAIN_LENGTH": "2"})
        cls.tapal.set({"acme": {"challenges": ["http-01"]}})

    def root_name(self, number):
        root = self.folder / "root.pem"
        root.write_bytes(self.pebble.get(f"https://127.0.0.1:{self.pebble.management_port}/roots/{number}"))
        done = ask_tool("openssl", "x509", "-in", root, "-noout", "-subject", "-nameopt", "multiline")
        return done.stdout.split("commonName")[1].strip(" =\n")

    def test_the_preferred_chain_is_taken(self):
        for number in (1, 0):
            name = self.root_name(number)
            done = self.tapal.command("cert", "issue", "mail.example", "--chain", name)
            self.assertEqual(0, done.returncode, done.stderr)
            chain = (self.tapal.config / "certs/mail.example/fullchain.pem").read_text()
            last = self.folder / "last.pem"
            last.write_text("-----BEGIN" + chain.split("-----BEGIN")[-1])
            self.assertIn(name, ask_tool("openssl", "x509", "-in", last, "-noout", "-issuer").stdout)


class FailedTest(AcmeCase):
    """A certificate that cannot be had."""
    @classmethod
    def prepare(cls):
        cls.tapal, cls.dns, cls.pebble = cls.new_world()
        cls.tapal.set({"acme": {"names": ["other.example"], "challenges": ["http-01"]}})

    def test_its_next_try_is_kept_over_a_restart(self):
        self.tapal.start()
        self.tapal.server.wait_for("a certificate was not issued")
        self.assertEqual(0, self.tapal.stop())
        first = self.listed(self.tapal)["other.example"]["failure"]
        self.assertIn("connection refused", first["what"])
        asked = self.pebble.server.log().count("/order-plz")
        self.assertLess(0, asked)
        self.tapal.start()
        done = self.tapal.command("doctor", "example", "--only", "tls.renewal", "--json", "--dns-server", self.dns.endpoint)
        finding = next(f for f in json.loads(done.stdout)["domains"][0]["findings"] if f["subject"] == "other.example")
        self.assertEqual("error", finding["severity"])
        self.assertIn("connection refused", finding["seen"])
        self.assertEqual(first, self.listed(self.tapal)["other.example"]["failure"])
        self.assertEqual(asked, self.pebble.server.log().count("/order-plz"))
        self.assertEqual(0, self.tapal.stop())


class ExpiryTest(AcmeCase):
    """A certificate of another program's that nears its end."""
    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("example")
        cls.tapal.write("aliases", "postmaster: ann\n")
        cls.dns = Dns(cls).add(cls.tapal.dns_records(), "example").start()

    def near_its_end(self):
        """As openssl's ca makes it: 90 days long, 10 of them left."""
        folder = self.tapal.config / "certs/theirs.example"
        folder.mkdir(parents=True)
        (self.folder / "index").write_text("")
        (self.folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=own\n[own]\ndatabase={self.folder}/index\nserial={self.folder}/serial\nnew_certs_dir={self.folder}\n"
            "default_md=sha256\npolicy=any\nx509_extensions=names\n[any]\ncommonName=supplied\n"
            "[names]\nsubjectAltName=DNS:theirs.example\n")
        steps = (["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=theirs.example",
                  "-keyout", folder / "privkey.pem", "-out", self.folder / "theirs.csr"],
                 ["ca", "-batch", "-config", self.folder / "ca.cnf", "-selfsign", "-create_serial", "-notext",
                  "-keyfile", folder / "privkey.pem", "-in", self.folder / "theirs.csr", "-out", folder / "fullchain.pem",
                  "-startdate", stamp(-80), "-enddate", stamp(10)])
        for words in steps:
            made = ask_tool("openssl", *words)
            self.assertEqual(0, made.returncode, made.stderr)

    def test_the_owner_gets_a_mail_and_only_one(self):
        self.near_its_end()
        self.tapal.start(self.dns)
        raw = self.tapal.wait_for_mail_with("ann", b"theirs.example: the certificate ends in 9 days")
        self.assertIn(b"Another program renews it", raw)
        self.tapal.server.wait_for("a certificate is near its end.*days=14.*renewed_by=.*another program")
        self.assertEqual(0, self.tapal.stop())
        self.tapal.start(self.dns)
        self.tapal.submit("ann@example", b"From: <ann@example>\r\nTo: <ann@example>\r\nSubject: later\r\n\r\nHello.\r\n")
        self.tapal.wait_for_mail_with("ann", b"Subject: later")
        self.assertNotIn("a certificate is near its end", self.tapal.server.log())


class RenewalTest(AcmeCase):
    """Certificates that live for half a minute."""
    @classmethod
    def prepare(cls):
        cls.tapal, cls.dns, cls.pebble = cls.new_world(validity=30)
        hooks = cls.tapal.config / "reload.d"
        hooks.mkdir()
        cls.told = cls.folder / "told"
        (hooks / "10-note").write_text(f'#!/bin/sh\ncat "$2" >>{cls.told}.pem\necho "$1 $2 $3" >>{cls.told}\n')
        (hooks / "10-note").chmod(0o700)
        (hooks / "20-fails").write_text("#!/bin/sh\necho no >&2\nexit 3\n")
        (hooks / "20-fails").chmod(0o700)
        cls.tapal.set({"acme": {"names": ["mail.example"], "challenges": ["http-01"]}})

    def test_each_is_renewed_in_time_without_a_restart(self):
        self.tapal.start()
        self.tapal.server.wait_for(ISSUED)
        self.tapal.server.wait_for("configuration reloaded")
        first = self.served(self.tapal, self.pebble.root, "mail.example")["serialNumber"]
        trust = ssl.create_default_context(cafile=self.pebble.root)
        trust.check_hostname = False
        with contextlib.closing(smtplib.SMTP_SSL(self.tapal.address, self.tapal.submissions_port, context=trust)) as session:
            serials = {first}

            def renewed():
                serials.add(self.served(self.tapal, self.pebble.root, "mail.example")["serialNumber"])
                return len(serials) >= 3
            wait_until(renewed, "two renewals", 90)
            self.assertEqual(250, session.noop()[0])  # it began with the first one
        lines = wait_until(lambda: len(told := self.told.read_text().splitlines()) >= 3 and told, "hooks are told")
        folder = self.tapal.config / "certs/mail.example"
        self.assertEqual({f"mail.example {folder}/fullchain.pem {folder}/privkey.pem"}, set(lines))
        self.tapal.server.wait_for("a reload hook failed.*20-fails.*exit code 3: no")


class InterruptedTest(AcmeCase):
    @classmethod
    def prepare(cls):
        cls.tapal, cls.dns, cls.pebble = cls.new_world(environment={"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "3"})
        cls.tapal.set({"acme": {"names": ["mail.example"], "challenges": ["http-01", "tls-alpn-01"]}})

    def test_an_order_that_is_cut_short_is_made_again(self):
        self.tapal.set({"acme": {"names": ["mail.example"]}})
        before = self.tapal.certificate.read_text()
        for _ in range(2):
            self.tapal.start()
            self.tapal.server.wait_for("a certificate is ordered")
            wait_until(lambda: "Pulled a task" in self.pebble.server.log(), "Pebble begins to validate")
            self.tapal.kill()
            self.assertEqual(before, self.tapal.certificate.read_text())
        self.tapal.start()
        self.tapal.server.wait_for(ISSUED, 60)
        self.served(self.tapal, self.pebble.root, "mail.example")
        self.assertEqual(1, len(list((self.tapal.config / "acme").iterdir())))
        self.assertEqual(0, self.tapal.stop())

    def test_a_server_that_is_stopped_gives_its_order_up_at_once(self):
        tapal = self.tapal
        tapal.set({"acme": {"names": ["autoconfig.example"]}})
        tapal.start()
        tapal.server.wait_for("a certificate is ordered")
        self.assertEqual(0, tapal.server.stop(15))


class DnsTest(AcmeCase):
    """dns-01, with records written by RFC 2136 into knot, which is asked at port 53 whether it shows them."""
    @classmethod
    def prepare(cls):
        if os.getuid() != 0:
            raise unittest.SkipTest("port 53 is for root only")
        cls.update_key = update_key = UpdateKey()
        cls.dns = Dns(cls, update_key=update_key)
        cls.dns.port = 53
        cls.tapal = cls.new_tapal("example")
        cls.dns.add(f"mail.example. 60 IN A {cls.tapal.address}\n"
                    "_acme-challenge.alias.example. 60 IN CNAME elsewhere.example.").start()
        update_key.credentials(cls.tapal.config / "dns.key", cls.dns.address)
        cls.pebble = Pebble(cls, cls.dns, free_port(), free_port())
        cls.tapal.set({"dns": {"provider": "rfc2136"}, "resolver": {"servers": [cls.dns.endpoint]},
                       "acme": {"directory": cls.pebble.directory, "trusted_ca_file": str(cls.pebble.own_certificate), "challenges": ["dns-01"]}})

    def test_a_name_and_its_wildcard_are_proven_at_one_record(self):
        done = self.tapal.command("cert", "issue", "example", "*.example")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual({"example", "*.example"}, set(self.listed(self.tapal)["example"]["names"]))
        self.assertEqual([], self.dns.ask("_acme-challenge.example", "TXT"))

    def test_an_alias_is_followed(self):
        done = self.tapal.command("cert", "issue", "alias.example")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(["elsewhere.example."], self.dns.ask("_acme-challenge.alias.example", "TXT"))

    def digests(self, name):
        """TLSA data of the key in use and of the one that comes next."""
        shown = self.shown(self.tapal, name)
        return [f"3 1 1 {shown[key]}" for key in ("key_sha256", "next_key_sha256")]

    def pin(self, *data):
        """By DNS UPDATE, as a person would write it."""
        lines = [f"server {self.dns.address}", "zone example.", "update delete _25._tcp.mail.example. TLSA",
                 *(f"update add _25._tcp.mail.example. 1 TLSA {one}" for one in data), "send"]
        key = self.update_key
        done = ask_tool("knsupdate", "-y", f"{key.algorithm}:{key.name}:{key.secret}", input="\n".join(lines) + "\n")
        self.assertEqual(0, done.returncode, done.stderr)

    def test_a_key_is_used_once_every_server_shows_its_tlsa_record(self):
        self.assertEqual(0, self.tapal.command("cert", "issue", "mail.example").returncode)
        self.addCleanup(self.pin)
        now, following = self.digests("mail.example")
        self.pin(now)
        done = self.tapal.command("cert", "renew", "mail.example")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("a certificate keeps its key: DNS does not show the next one", done.stderr)
        self.assertEqual([now, following], self.digests("mail.example"))
        self.pin(now, following)
        done = self.tapal.command("cert", "renew", "mail.example")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertNotIn("keeps its key", done.stderr)
        self.assertEqual(following, self.digests("mail.example")[0])
        self.assertEqual(set(self.digests("mail.example")), self.pinned(), "the last key's is gone, the next one's is there")

        done = self.tapal.command("cert", "renew", "mail.example", "--new-key")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertNotIn(following, self.digests("mail.example"))
        self.assertEqual(set(self.digests("mail.example")), self.pinned())

    def pinned(self):
        return {one.lower() for one in self.dns.ask("_25._tcp.mail.example", "TLSA")}

    def test_a_challenge_that_a_killed_server_left_is_taken_away(self):
        # Pebble is asked to wait before it looks, so that the record is there for a while.
        slow = Pebble(type(self), self.dns, free_port(), free_port(),
                      environment={"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "5"})
        before = self.tapal.settings["acme"]
        self.tapal.set({"acme": {"directory": slow.directory, "trusted_ca_file": str(slow.own_certificate),
                                 "names": ["killed.example"]}})
        self.tapal.start()
        left = wait_until(lambda: self.dns.ask("_acme-challenge.killed.example", "TXT"), "the challenge is shown")
        self.tapal.kill()
        self.assertEqual(left, self.dns.ask("_acme-challenge.killed.example", "TXT"))
        self.tapal.set({"acme": {**before, "names": []}})
        self.tapal.start()
        self.tapal.server.wait_for("challenges of an earlier run are taken away")
        self.assertEqual([], self.dns.ask("_acme-challenge.killed.example", "TXT"))
        self.assertEqual("", (self.tapal.state / "challenges-in-dns").read_text())
        self.assertEqual(0, self.tapal.stop())

    def test_a_record_that_stays_is_written(self):
        authority = SmallAuthority(type(self), new_address(), kinds=("dns-persist-01",))
        before = self.tapal.settings["acme"]
        self.tapal.set({"acme": {"directory": authority.directory, "challenges": ["dns-persist-01"]}})
        self.addCleanup(self.tapal.set, {"acme": before})
        done = self.tapal.command("cert", "issue", "stays.example")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(f"ca.example; accounturi={authority.url}/account/1",
                         self.dns.text_of("_validation-persist.stays.example"))

    def test_a_key_that_may_not_write_is_told(self):
        wrong = UpdateKey()  # of the same name
        key = wrong.credentials(self.tapal.config / "wrong.key", self.dns.address)
        self.tapal.set({"dns": {"credentials_file": str(key)}})
        done = self.tapal.command("cert", "issue", "mail.example")
        self.tapal.set({"dns": {"credentials_file": str(self.tapal.config / "dns.key")}})
        self.assertEqual(1, done.returncode)
        self.assertIn("_acme-challenge.mail.example cannot be written", done.stderr)
        self.assertNotIn(wrong.secret, done.stderr)


class SmallAuthorityTest(AcmeCase):
    """Renewal information, what a certificate replaces, records that stay, CAA."""
    @classmethod
    def prepare(cls):
        cls.dns = Dns(cls)
        cls.dns.add('@ 60 IN CAA 0 issue "other.example"\nmail 60 IN A 127.0.0.1', "refused.example")
        cls.dns.add("mail 60 IN A 127.0.0.1", "renewed.example")
        cls.dns.add("mail 60 IN A 127.0.0.1", "persistent.example")
        cls.dns.start()

    def one(self, domain, **options):
        tapal = self.new_tapal(domain)
        authority = SmallAuthority(type(self), new_address(), **options)
        tapal.set({"acme": {"directory": authority.directory}, "resolver": {"servers": [self.dns.endpoint]},
                   "listen": {"http": [f"{tapal.address}:{free_port(tapal.address)}"],
                              "https": [f"{tapal.address}:{free_port(tapal.address)}"]}})
        return tapal, authority

    def test_the_authority_may_have_a_certificate_renewed_early(self):
        tapal, authority = self.one("renewed.example", window=(-7200, -3600))
        tapal.set({"acme": {"names": ["mail.renewed.example"]}})
        tapal.start()
        wait_until(lambda: len(authority.orders) >= 2, "a renewal that the authority suggests")
        first, second = authority.orders[:2]
        self.assertNotIn("replaces", first)
        key, serial = second["replaces"].split(".")
        self.assertEqual(20, len(base64.urlsafe_b64decode(key + "==")))
        self.assertEqual(second["replaces"], authority.asked_windows[0])
        self.assertEqual(0, tapal.stop())

    def test_a_record_that_stays_is_enough(self):
        tapal, authority = self.one("persistent.example", kinds=("dns-persist-01",))
        tapal.set({"acme": {"challenges": ["dns-persist-01"]}})
        done = tapal.command("cert", "issue", "mail.persistent.example")
        self.assertEqual(1, done.returncode)
        wanted = f'_validation-persist.mail.persistent.example. TXT "ca.example; accounturi={authority.url}/account/1"'
        self.assertIn(wanted, done.stderr)
        dns = Dns(type(self))
        name, _, value = wanted.partition(". TXT ")
        dns.add(f"{name}. 60 IN TXT {value}", "persistent.example").start()
        tapal.set({"resolver": {"servers": [dns.endpoint]}})
        done = tapal.command("cert", "issue", "mail.persistent.example")
        self.assertEqual(0, done.returncode, done.stderr)

    def test_caa_is_looked_at_before_anything_is_shown(self):
        tapal, authority = self.one("refused.example")
        done = tapal.command("cert", "issue", "mail.refused.example")
        self.assertEqual(1, done.returncode)
        self.assertIn('add: refused.example. CAA 0 issue "ca.example"', done.stderr)
        self.assertEqual(set(), authority.orders[0]["proven"])


if __name__ == "__main__":
    unittest.main()
