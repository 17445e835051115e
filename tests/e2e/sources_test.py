"""What mail leaves from: sources and pools, sources that cannot be used, warm-up."""
import datetime
import json
import unittest

from delivery_test import DeliveryCase
from harness import new_address

FIRST, SECOND, NEW = new_address(), new_address(), new_address()


class Sources(DeliveryCase):
    settings = {
        "sources": {"first": {"ipv4": FIRST, "ehlo_name": "out1.a.example"},
                    "second": {"ipv4": SECOND, "ehlo_name": "out2.a.example"},
                    "elsewhere": {"ipv4": "203.0.113.9"},
                    "fresh": {"ipv4": NEW, "new_since": datetime.date.today().isoformat()}},
        "pools": {"people": {"sources": ["first"]},
                  "news": {"sources": ["second", "elsewhere"], "users": ["news@a.example"]},
                  "gone": {"sources": ["elsewhere"], "users": ["gone@a.example"]},
                  "new": {"sources": ["fresh"], "users": ["new@a.example"]}},
        "sending": {"pool": "people"},
    }

    @classmethod
    def records(cls):
        for user in ("news", "gone", "new"):
            cls.tapal.add_user(f"{user}@a.example")
        (cls.tapal.config / "providers.toml").write_text("[any]\ndaily_warm_up_start = 2\n")

    def sources(self):
        answer = json.loads(self.tapal.command("sources", "--json").stdout)["result"]
        return {source["name"]: source for source in answer["sources"]}

    def test_mail_leaves_from_the_pool_of_its_user_with_its_name(self):
        sink = self.new_sink()
        for user, address, name in (("ann", FIRST, "out1.a.example"), ("news", SECOND, "out2.a.example")):
            with self.subTest(user):
                self.tapal.submit(f"bob@{sink.domain}", sender=f"{user}@a.example")
                got = sink.wait_for(len(sink.messages) + 1)[-1]
                self.assertEqual((address, name), (got.peer, got.helo))

    def test_mail_waits_for_a_source_that_is_on_another_machine_and_why_says_so(self):
        sink = self.new_sink()
        queue_id = self.tapal.submit(f"bob@{sink.domain}", sender="gone@a.example")
        self.waits_for(queue_id, "source elsewhere cannot be used: 203.0.113.9 is not an address of this machine")
        self.assertEqual(0, len(sink.messages))
        self.assertFalse(self.sources()["elsewhere"]["ipv4_used"])
        self.assertIn("203.0.113.9, not used", self.tapal.command("sources").stdout)
        self.drop(queue_id)

    def test_a_new_source_sends_no_more_than_its_ceiling_and_remembers_over_a_restart(self):
        sink = self.new_sink()
        for _ in range(2):
            self.tapal.submit(f"bob@{sink.domain}", sender="new@a.example")
        sink.wait_for(2)
        waiting = self.tapal.submit(f"bob@{sink.domain}", sender="new@a.example")
        self.waits_for(waiting, "source fresh is new to")
        self.assertEqual([{"provider": "", "ceiling": 2, "accepted_today": 2, "under_way": 0}],
                         self.sources()["fresh"]["warm_up"])
        self.tapal.stop()
        self.tapal.start()
        self.waits_for(waiting, "source fresh is new to")
        self.assertEqual(2, len(sink.messages))
        self.drop(waiting)


if __name__ == "__main__":
    unittest.main()
