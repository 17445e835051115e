"""DKIM keys that change: a person publishes them in a zone of knot, and tapal watches. Days are seconds here."""
import json
import os
import re
import time
import unittest

from dns import Dns, UpdateKey
from harness import Case, wait_until

SETTINGS = {"dkim": {"check_every": "1s", "keep_old": "4s", "keep_revoked": "1s"}}


class KeyCase(Case):
    @classmethod
    def keys_on_disk(cls):
        return sorted(f.stem for f in (cls.tapal.config / "domains/a.example/dkim").glob("*.pem"))

    def status(self):
        done = self.tapal.command("dkim", "status", "a.example", "--json")
        return done.returncode, json.loads(done.stdout)["domains"][0]

    def key(self, selector):
        return next((k for k in self.status()[1]["keys"] if k["selector"] == selector), None)

    def signed_with(self, subject):
        """The selectors of a message that is sent now, each signature checked against DNS."""
        text = f"From: <ann@a.example>\r\nTo: <ann@a.example>\r\nSubject: {subject}\r\n\r\nHello.\r\n"
        self.tapal.submit("ann@a.example", text.encode())
        raw = self.tapal.wait_for_mail_with("ann", f"Subject: {subject}".encode())
        path = self.folder / "message.eml"
        path.write_bytes(raw)
        said = self.tapal.command("dkim", "verify", "--json", "--dns-server", self.dns.endpoint, path).stdout
        return [(s["selector"], s["result"]) for s in json.loads(said)["signatures"]]

    def wait_for_signer(self, selector, name):
        count = iter(range(1000))
        return wait_until(lambda: self.signed_with(f"{name} {next(count)}") == ([(selector, "pass")] if selector else []),
                          f"mail is signed with {selector}")


class Person(KeyCase):
    """Who enters what tapal asks for."""

    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example", settings=SETTINGS)
        cls.dns = Dns(cls).start()
        cls.first = cls.keys_on_disk()[0]
        cls.records = cls.tapal.command("dkim", "dns", "a.example").stdout
        cls.publish(cls.records)
        cls.tapal.start(cls.dns)

    @classmethod
    def publish(cls, *records):
        text = "\n".join(re.sub(r" 3600 IN ", " 1 IN ", r) for r in records)
        cls.dns.rewrite(f"a.example. 60 IN MX 10 mail.a.example.\nmail.a.example. 60 IN A {cls.tapal.address}\n{text}")

    def record(self, selector, text=None):
        """A line of a zone for what `rotate` and `status` ask to be entered."""
        name = f"{selector}._domainkey.a.example"
        text = text or next(r["text"] for r in self.status()[1]["requests"] if r["name"] == name)
        pieces = " ".join(f'"{text[at:at + 255]}"' for at in range(0, len(text), 255))
        return f"{name}. 1 IN TXT {pieces}"

    def test_a_key_gives_way_to_the_next_and_faults_are_seen(self):
        self.assertEqual([(self.first, "pass")], self.signed_with("first"))

        with self.subTest("a new key does not sign before it is published"):
            done = self.tapal.command("dkim", "rotate", "a.example")
            self.assertEqual(0, done.returncode, done.stderr)
            second = next(k for k in self.keys_on_disk() if k != self.first)
            self.assertIn(f"{second}._domainkey.a.example. 3600 IN TXT", done.stdout)
            self.assertEqual([(self.first, "pass")], self.signed_with("before"))
            self.tapal.server.wait_for(f"DNS record to be entered.*{second}._domainkey.a.example")
            self.tapal.command("dkim", "rotate", "a.example")
            self.assertEqual(2, len(self.keys_on_disk()), "the rotation under way goes on")

        with self.subTest("it survives a restart"):
            self.tapal.kill()
            self.tapal.start(self.dns)
            self.assertEqual([(self.first, "pass")], self.signed_with("restarted"))

        with self.subTest("once published it signs, and the old one is still there"):
            new_record = self.record(second)
            self.publish(self.records, new_record)
            wait_until(lambda: (self.key(second) or {}).get("stage") == "signing", "the new key signs")
            self.assertEqual("retiring", self.key(self.first)["stage"])
            self.wait_for_signer(second, "second")

        with self.subTest("the old one is to be revoked when its time is over, and goes"):
            self.tapal.server.wait_for(rf"DNS record to be entered name={self.first}\._domainkey\.a\.example")
            self.assertEqual("v=DKIM1; p=", self.status()[1]["requests"][0]["text"])
            self.publish(new_record)
            wait_until(lambda: self.keys_on_disk() == [second], "the old key is removed")

        with self.subTest("a record of another key stops the signing"):
            other = self.records.replace(self.first, second)
            self.publish(other)
            self.tapal.server.wait_for("DKIM key in trouble.*published with something else")
            code, said = self.status()
            self.assertEqual(1, code)
            self.assertFalse(said["keys"][0]["signs"])
            self.wait_for_signer(None, "unsigned")

        with self.subTest("and the right one lets it go on"):
            self.publish(new_record)
            self.wait_for_signer(second, "again")
            self.assertEqual(0, self.status()[0])

    def test_a_domain_without_keys_begins_with_one(self):
        domain = self.tapal.config / "domains" / "b.example"
        domain.mkdir()
        done = self.tapal.command("dkim", "rotate", "b.example", "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        said = json.loads(done.stdout)["domains"][0]
        self.assertEqual(["rsa"], [k["algorithm"] for k in said["keys"]])
        self.assertTrue(said["requests"][0]["text"].startswith("v=DKIM1; k=rsa; p="))

    def test_refuses_a_domain_that_is_not_ours(self):
        done = self.tapal.command("dkim", "rotate", "strange.example")
        self.assertEqual(1, done.returncode)
        self.assertIn("is not a domain of this server", done.stderr)


class Account(KeyCase):
    """DNS that tapal can write, by DNS UPDATE: nobody does anything."""

    @classmethod
    def prepare(cls):
        key = UpdateKey()
        cls.tapal = cls.new_tapal("a.example", settings=SETTINGS)
        cls.dns = Dns(cls, update_key=key).add(cls.tapal.dns_records()).start()
        credentials = key.credentials(cls.tapal.config / "dns.key", cls.dns.endpoint)
        cls.tapal.set({"dkim": {"rotate_every": "1h"},
                       "dns": {"provider": "rfc2136", "credentials_file": str(credentials)}})
        cls.first = cls.keys_on_disk()[0]
        old = time.time() - 2 * 3600
        os.utime(cls.tapal.config / "domains/a.example/dkim" / f"{cls.first}.pem", (old, old))
        cls.tapal.start(cls.dns)

    def test_an_old_key_gives_way_by_itself(self):
        wait_until(lambda: self.first not in self.keys_on_disk(), "the old key is gone")
        [second] = self.keys_on_disk()
        self.wait_for_signer(second, "second")
        self.assertIsNone(self.dns.text_of(f"{self.first}._domainkey.a.example"))
        self.assertEqual(0, self.status()[0])

    def test_a_stolen_key_is_revoked_as_soon_as_another_signs(self):
        wait_until(lambda: self.first not in self.keys_on_disk(), "the first rotation is over")
        [stolen] = self.keys_on_disk()
        done = self.tapal.command("dkim", "rotate", "a.example", "--now", "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        stages = {k["selector"]: k["stage"] for k in json.loads(done.stdout)["domains"][0]["keys"]}
        self.assertEqual("revoked", stages.pop(stolen))
        self.assertEqual(["signing"], list(stages.values()))


if __name__ == "__main__":
    unittest.main()
