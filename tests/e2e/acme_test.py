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

from authorities import Pebble, SmallAuthority
from dns import Dns, UpdateKey
from harness import Case, free_port, new_address, wait_until

ISSUED = "a certificate was issued"


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
        self.assertIn("challenge tls-alpn-01", self.pebble.server.log().replace("Challenge", "challenge").lower() or "")

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

    def test_a_name_that_leads_elsewhere_is_refused_with_what_to_do(self):
        done = self.tapal.command("cert", "issue", "other.example")
        self.assertEqual(1, done.returncode)
        self.assertIn("other.example", done.stderr)
        self.assertIn("do the A and AAAA records lead here", done.stderr)
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
        with contextlib.closing(smtplib.SMTP_SSL(self.tapal.address, self.tapal.submissions_port,
                                                 context=self.tapal.tls())) as session:
            serials = {first}

            def renewed():
                serials.add(self.served(self.tapal, self.pebble.root, "mail.example")["serialNumber"])
                return len(serials) >= 3
            wait_until(renewed, "two renewals", 90)
            self.assertEqual(250, session.noop()[0])  # it began with the first one
        lines = self.told.read_text().splitlines()
        folder = self.tapal.config / "certs/mail.example"
        self.assertGreaterEqual(len(lines), 3)
        self.assertEqual({f"mail.example {folder}/fullchain.pem {folder}/privkey.pem"}, set(lines))
        self.tapal.server.wait_for("a reload hook failed.*20-fails.*exit code 3: no")


class InterruptedTest(AcmeCase):
    @classmethod
    def prepare(cls):
        cls.tapal, cls.dns, cls.pebble = cls.new_world(environment={"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "3"})
        cls.tapal.set({"acme": {"names": ["mail.example"], "challenges": ["http-01", "tls-alpn-01"]}})

    def test_an_order_that_is_cut_short_is_made_again(self):
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
        update_key = UpdateKey("tapal")
        cls.dns = Dns(cls, update_key=update_key)
        cls.dns.port = 53
        cls.tapal = cls.new_tapal("example")
        cls.dns.add(f"mail.example. 60 IN A {cls.tapal.address}\n"
                    "_acme-challenge.alias.example. 60 IN CNAME elsewhere.example.").start()
        update_key.credentials(cls.tapal.config / "dns.key", cls.dns.address)
        cls.pebble = Pebble(cls, cls.dns, free_port(), free_port())
        cls.tapal.set({"dns": {"provider": "rfc2136"}, "resolver": {"servers": [cls.dns.endpoint]},
                       "acme": {"directory": cls.pebble.directory, "trusted_ca_file": str(cls.pebble.own_certificate)}})

    def test_a_name_and_its_wildcard_are_proven_at_one_record(self):
        done = self.tapal.command("cert", "issue", "example", "*.example")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual({"example", "*.example"}, set(self.listed(self.tapal)["example"]["names"]))
        self.assertEqual([], self.dns.ask("_acme-challenge.example", "TXT"))

    def test_an_alias_is_followed(self):
        done = self.tapal.command("cert", "issue", "alias.example")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(["elsewhere.example."], self.dns.ask("_acme-challenge.alias.example", "TXT"))

    def test_a_key_that_may_not_write_is_told(self):
        key = self.tapal.config / "wrong.key"
        secret = base64.b64encode(bytes(32)).decode()
        key.write_text(f"server = {self.dns.address}\nkey_name = tapal\nsecret = {secret}\n")
        key.chmod(0o600)
        self.tapal.set({"dns": {"credentials_file": str(key)}})
        done = self.tapal.command("cert", "issue", "mail.example")
        self.tapal.set({"dns": {"credentials_file": str(self.tapal.config / "dns.key")}})
        self.assertEqual(1, done.returncode)
        self.assertIn("_acme-challenge.mail.example cannot be written", done.stderr)
        self.assertNotIn(secret, done.stderr)


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
