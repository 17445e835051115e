"""The queue in an operator's hands: filters, orders, hold rules, and why mail waits."""
import json
import pathlib
import re
import shlex
import unittest

import delivery_test
from harness import wait_until

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "docs/operations/queue.md"


class Queue(delivery_test.DeliveryCase):
    """Nobody listens where the mail of these tests shall go."""
    domains = 40
    settings = {"queue": {"retry": ["1h"], "retry_then_every": "1h"}}

    def dead(self):
        domain, _ = self.free.pop(0)
        return domain

    def wait(self, *recipients, **options):
        """A message that was tried in vain; its id."""
        queue_id = self.tapal.submit(list(recipients), **options)
        for recipient in recipients:
            self.tapal.server.wait_for(rf"message deferred queue_id={queue_id} to=<{recipient}>")
        return queue_id

    def ask(self, *words, code=0):
        done = self.tapal.command("queue", *words, "--json")
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else None

    def listed(self, *words):
        return [message["id"] for message in self.ask("list", *words)["messages"]]

    def reasons(self, queue_id):
        return [wait["reason"] for wait in self.ask("show", queue_id)["waits"]]

    def test_filters_mean_some_messages_and_recipients(self):
        one, other = self.dead(), self.dead()
        both = self.wait(f"bob@{one}", f"eve@{other}")
        single = self.wait(f"eve@{other}")
        self.assertEqual([both], self.listed("--domain", one))
        self.assertEqual([both, single], self.listed("--recipient", f"EVE@{other}"))
        self.assertEqual([both], self.listed("--site", f"mx.{one}", "--user", "ann@a.example"))
        self.assertEqual([single], self.listed(single, "--reason", "refused"))
        self.assertEqual([], self.listed("--domain", other, "--older", "1h"))
        self.assertEqual([], self.listed("--domain", other, "--sender", "<>"))
        counted = self.ask("count", "--domain", other)
        self.assertEqual((2, 2), (counted["messages"], counted["recipients"]))
        explained = self.ask("list", "--domain", one, "--why")["messages"][0]
        self.assertEqual([f"bob@{one}"], explained["matching"])
        self.assertIn("next attempt", explained["why"])
        self.assertIn("tapal queue retry", explained["waits"][0]["change"])
        sites = {site["site"]: site for site in self.ask("sites", "--limit", "1000")["sites"]}
        self.assertEqual(2, sites[f"mx.{other}"]["waiting"])
        wrong = self.tapal.command("queue", "list", "--older", "yesterday")
        self.assertEqual(1, wrong.returncode)
        self.assertIn("older", wrong.stderr)

    def test_hold_release_and_retry_by_filter(self):
        domain = self.dead()
        ids = [self.wait(f"bob@{domain}") for _ in range(3)]
        self.assertEqual(3, self.ask("hold", "--domain", domain)["messages"])
        self.assertEqual(ids, self.listed("--domain", domain, "--held"))
        self.assertEqual(["held"], self.reasons(ids[0]))
        self.assertEqual(0, self.ask("retry", "--domain", domain)["messages"], "what is held stays")
        self.assertEqual(1, self.ask("release", ids[0])["messages"])
        self.waits_for(ids[0], "after 2 attempts")
        self.assertEqual(2, self.ask("release", "--held", "--domain", domain)["recipients"])
        self.waits_for(ids[2], "after 2 attempts")
        self.assertEqual(3, self.ask("retry", "--domain", domain)["messages"])
        self.waits_for(ids[1], "after 3 attempts")

    def test_drop_takes_one_recipient_and_tells_nobody(self):
        one, other = self.dead(), self.dead()
        queue_id = self.wait(f"bob@{one}", f"eve@{other}")
        seen = self.tapal.command("queue", "drop", "--domain", one, "--dry-run")
        self.assertIn(queue_id, seen.stdout)
        self.assertIn("1 recipients: nothing was done", seen.stdout)
        asked = self.tapal.command("queue", "drop", "--domain", one)
        self.assertEqual(1, asked.returncode)
        self.assertIn("--yes", asked.stderr)
        self.assertEqual([queue_id], self.listed("--domain", one))
        self.ask("drop", "--domain", one, "--yes")
        self.assertEqual([], self.listed("--domain", one))
        self.assertEqual([queue_id], self.listed("--domain", other))
        self.ask("drop", queue_id)
        self.assertEqual([], self.listed(queue_id))
        self.assertFalse([mail for mail in self.tapal.mailbox("ann") if f"bob@{one}".encode() in mail])
        for order in ("drop", "bounce"):
            refused = self.tapal.command("queue", order, "--yes")
            self.assertEqual(1, refused.returncode)
            self.assertIn("--all", refused.stderr)

    def test_bounce_tells_the_sender_with_the_text(self):
        domain = self.dead()
        queue_id = self.wait(f"bob@{domain}")
        self.ask("bounce", "--domain", domain, "--text", "that company has closed", "--yes")
        notice = self.notice_about(f"bob@{domain}")
        self.assertIn("that company has closed", notice.as_string())
        self.assertEqual("failed", self.status_about(f"bob@{domain}")["Action"])
        self.assertEqual([], self.listed(queue_id))

    def test_move_sends_by_another_host_also_after_a_restart(self):
        domain, sink = self.dead(), self.new_sink(tls=False)
        closed, _ = self.free.pop(0)
        queue_id = self.wait(f"bob@{domain}")
        self.assertEqual(1, self.ask("move", queue_id, "--route", f"mx.{closed}")["messages"])
        self.waits_for(queue_id, "after 2 attempts")
        self.tapal.stop()
        self.tapal.start()
        self.assertIn(closed, self.ask("show", queue_id)["waits"][0]["site"])
        self.assertEqual(1, self.ask("move", "--domain", domain, "--route", f"{sink.address}:{sink.port}")["messages"])
        wait_until(lambda: sink.messages, "the other host has it")
        self.assertEqual([f"bob@{domain}"], sink.messages[0].recipients)
        wait_until(lambda: not self.listed(queue_id), "it is gone")
        wrong = self.tapal.command("queue", "move", "--all", "--route", "no place")
        self.assertEqual(1, wrong.returncode)
        self.assertIn("no place to send to", wrong.stderr)

    def test_a_rule_holds_what_comes_over_a_restart_until_it_ends(self):
        sink = self.new_sink(tls=False)
        rule = self.ask("rule", "add", "--domain", sink.domain, "--note", "they move house")["rule"]
        queue_id = self.tapal.submit(f"bob@{sink.domain}")
        wait_until(lambda: self.reasons(queue_id) == ["rule"], "the rule holds it")
        self.tapal.stop()
        self.tapal.start()
        said = self.waits_for(queue_id, f"held by rule {rule} (they move house)")
        self.assertIn(f"tapal queue rule del {rule}", said)
        self.assertEqual([queue_id], self.listed("--held", "--domain", sink.domain))
        self.assertEqual(0, self.ask("release", queue_id)["messages"])
        self.assertIn(f"--domain {sink.domain}", self.tapal.command("queue", "rule", "list").stdout)
        self.assertFalse(sink.messages)
        self.assertEqual(1, self.ask("rule", "del", str(rule))["recipients"])
        wait_until(lambda: sink.messages, "it went on")
        self.ask("rule", "add", "--domain", sink.domain, "--for", "3s")
        self.tapal.submit(f"eve@{sink.domain}")
        wait_until(lambda: len(sink.messages) == 2, "the rule ended by itself")
        self.assertEqual([], [rule for rule in self.ask("rule", "list")["rules"] if sink.domain in rule["options"]])

    def test_the_commands_of_the_guide_work(self):
        lines = re.findall(r"^    tapal ((?:queue|why) .*?)(?:\s+#.*)?$", GUIDE.read_text(), re.M)
        self.assertGreater(len(lines), 15)
        domain = self.dead()
        for line in lines:
            with self.subTest(line):
                queue_id = self.wait(f"bob@{domain}")
                words = [word.replace("ID", queue_id) if word == "ID" else word for word in shlex.split(line)]
                if words[:3] == ["queue", "rule", "del"]:
                    words[3] = str(self.ask("rule", "list")["rules"][0]["rule"])
                more = ["--yes"] if words[1] in ("drop", "bounce") else []
                done = self.tapal.command(*words, *more)
                nothing_there = words[0] == "why"
                self.assertEqual(1 if nothing_there else 0, done.returncode, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
