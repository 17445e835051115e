"""Notices that real servers write about refusals, read by `tapal bounce`; replies explained; the user's own rules."""
import contextlib
import json
import smtplib
import unittest

from harness import PATIENCE, TAPAL, Case, ask_tool, wait_until
from peers import Exim, Postfix
from sink import Sink

# Recipient at the refusing server: its reply to RCPT, and what is to be read of it.
REFUSALS = {
    "gone": ("550 5.1.1 User unknown", "no_such_user", "hard", "5.1.1"),
    "full": ("552 5.2.2 Mailbox full", "mailbox_full", "soft", "5.2.2"),
    "spam": ("554 5.7.1 Client host blocked using zen.spamhaus.org", "block_listed", "soft", "5.7.1"),
    "dmarc": ("550 5.7.26 Unauthenticated email is not accepted due to domain's DMARC policy", "authentication", "soft",
              "5.7.26"),
    "relay": ("554 5.7.1 Relay access denied", "relay_denied", "soft", "5.7.1"),
    "bare": ("550 account has been disabled", "user_disabled", "hard", None),
}


def refuse(stage, text, session):
    del session
    if stage != "rcpt":
        return None
    return next((reply for name, (reply, *_) in REFUSALS.items() if f"{name}@" in str(text)), None)


class Notices(Case):
    @classmethod
    def prepare(cls):
        cls.config = cls.folder / "config"
        cls.config.mkdir()
        cls.sink = Sink(cls, port=cls.delivery_port, name="mx.far.example", tls=False, reply=refuse)

    def tapal(self, *words, **options):
        return ask_tool(TAPAL, "--config", self.config, *words, **options)

    def reads_notices_of(self, peer):
        with contextlib.closing(smtplib.SMTP(peer.address, peer.port, timeout=PATIENCE)) as session:
            for name in REFUSALS:
                session.sendmail(f"bob@{peer.domain}", [f"{name}@far.example"], f"Subject: {name}\r\n\r\nhello\r\n")
        wait_until(lambda: len(peer.mailbox("bob")) >= len(REFUSALS), "all notices are there")
        files = []
        for number, notice in enumerate(peer.mailbox("bob")):
            files.append(self.folder / f"{peer.domain}-{number}.eml")
            files[-1].write_bytes(notice)
        done = self.tapal("bounce", "classify", "--json", *files)
        self.assertEqual(0, done.returncode, done.stderr)
        found = {}
        for line in done.stdout.splitlines():
            notice = json.loads(line)
            self.assertEqual("bounce", notice["kind"])
            for one in notice["returned"]:
                found[one["recipient"]] = (one["category"], one["hardness"], one["status"], one["fate"])
        for name, (_, category, hardness, status) in REFUSALS.items():
            read = found.get(f"{name}@far.example")
            self.assertIsNotNone(read, f"{name}: {found}")
            self.assertEqual((category, hardness, status or read[2], "failed"), read, name)

    def test_of_postfix(self):
        self.reads_notices_of(Postfix(self, "postfix.example", self.delivery_port, relay=(self.sink.address, self.sink.port)))

    def test_of_exim(self):
        self.reads_notices_of(Exim(self, "exim.example", self.delivery_port, relay=(self.sink.address, self.sink.port)))

    def test_explains_replies(self):
        done = self.tapal("bounce", "explain", "421 4.7.28 unusual rate of unsolicited mail", "--provider", "gmail", "--json")
        self.assertEqual(0, done.returncode, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(("rate", "soft", "4.7.28", "suspend_source", 3600),
                         tuple(answer[k] for k in ("category", "hardness", "status", "action", "action_seconds")))
        self.assertIn("Postmaster Tools", answer["note"])
        done = self.tapal("bounce", "explain", "550 no", "--stage", "recipient")
        self.assertTrue(done.stdout.startswith("no_such_user (hard): "), done.stdout)
        self.assertEqual(2, self.tapal("bounce", "explain", "550 no", "--provider", "gmial").returncode)
        self.assertEqual(1, self.tapal("bounce", "classify", self.folder / "absent.eml").returncode)

    def test_takes_the_users_own_rules(self):
        rules, providers = self.config / "bounce-rules.toml", self.config / "providers.toml"
        self.addCleanup(rules.unlink, missing_ok=True)
        self.addCleanup(providers.unlink, missing_ok=True)
        rules.write_text('[club]\ncategory = "rate"\npatterns = ["locker"]\n')
        providers.write_text('[gmail]\nconnections_per_source = 2\n[club]\nmx = ["mx.club.example"]\n'
                             '[club.replies.slow]\npatterns = ["locker"]\naction = "slow_down"\ntime = "30m"\n')
        answer = json.loads(self.tapal("bounce", "explain", "450 locker", "--provider", "club", "--json").stdout)
        self.assertEqual(("rate", "club", "slow_down"), (answer["category"], answer["rule"], answer["action"]))
        table = json.loads(self.tapal("providers", "--json").stdout)["providers"]
        gmail = next(p for p in table if p["name"] == "gmail")
        self.assertEqual(("2", "50"), (gmail["limits"]["connections_per_source"], gmail["limits"]["messages_per_connection"]))
        self.assertEqual("any", table[-1]["name"])
        self.assertIn("mx.club.example", self.tapal("providers", "club").stdout)
        self.assertEqual(1, self.tapal("providers", "nobody").returncode)
        rules.write_text('[club]\ncategory = "rte"\npatterns = ["x"]\n')
        refused = self.tapal("bounce", "explain", "450 x")
        self.assertEqual(1, refused.returncode)
        self.assertIn("bounce-rules.toml:2: club.category: unknown category rte; did you mean rate?", refused.stderr)


if __name__ == "__main__":
    unittest.main()
