"""Receivers with limits, with moods and without answers: each gets what it bears, and holds up nobody else."""
import re
import threading
import time

from delivery_test import SHORT
from dns import Dns
from harness import Case, message, new_address, wait_until
from peers import Postfix
from sink import Sink

LIST = "List-Id: <news.a.example>\n"


class Counter:
    """Counts what a sink is asked for at once and in a time."""

    def __init__(self):
        self.lock, self.sessions, self.most = threading.Lock(), set(), 0
        self.mails = []

    def __call__(self, stage, text, session):
        with self.lock:
            if stage == "connect":
                # The sink's own count of connections that are still open.
                self.sessions = {s for s in self.sessions if s.connection.fileno() >= 0} | {session}
                self.most = max(self.most, len(self.sessions))
            if stage == "mail":
                self.mails.append(time.monotonic())

    def most_within(self, seconds):
        return max(sum(1 for t in self.mails if 0 <= t - first < seconds) for first in self.mails)


class ShapingCase(Case):
    settings = {}
    providers = ""

    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example", settings={"delivery": {"timeouts": SHORT}, **cls.settings})
        (cls.tapal.config / "providers.toml").write_text(cls.providers)
        cls.dns = Dns(cls).add(cls.tapal.dns_records())
        cls.places = {}
        for i in range(12):
            address = new_address()
            cls.dns.add(f"d{i}.example. 60 IN MX 10 mx.d{i}.example.\nmx.d{i}.example. 60 IN A {address}")
            cls.places[f"d{i}.example"] = address
        for i in range(6):  # tenants of one provider: their mail goes to the host of d0
            cls.dns.add(f"t{i}.example. 60 IN MX 10 mx.d0.example.")
        cls.records()
        cls.dns.start()
        cls.tapal.start(cls.dns)

    @classmethod
    def records(cls):
        """More for DNS."""

    def sink(self, domain, **options):
        return Sink(self, self.places[domain], self.delivery_port, **options)

    def submit_many(self, to, count, extra=""):
        with self.tapal.client() as session:
            for i in range(count):
                session.sendmail("ann@a.example", [to], message("ann@a.example", to, subject=f"number {i}", extra=extra))

    def why(self, queue_id):
        return self.tapal.command("why", queue_id).stdout

    def waits_for(self, queue_id, text):
        return wait_until(lambda: text in self.why(queue_id) and self.why(queue_id),
                          f"why {queue_id} says {text!r}; it says {self.why(queue_id)}")


class Sites(ShapingCase):
    settings = {"shaping": {"down_at_first": "2s", "down_max": "1m"}}
    providers = """
[strict]
mx = ["mx.d0.example"]
connections_per_source = 2

[paced]
mx = ["mx.d1.example"]
message_rate_per_source = "5/2s"

[moody]
mx = ["mx.d2.example"]
connections_per_source = 3
[moody.replies.rate]
patterns = ['^421 4\\.7\\.28\\b']
action = "suspend_source"
time = "3s"
note = "They see too much of us: send less."

[slow]
mx = ["mx.d4.example"]
connections_per_source = 1

[far]
mx = ["mx.d7.example"]
[far.replies.closed]
patterns = ['^421 4\\.3\\.2\\b']
action = "suspend_site"
time = "40m"
note = "They are closed: come back in an hour."
"""

    def test_all_domains_of_a_provider_share_its_connections(self):
        counter = Counter()
        sink = self.sink("d0.example", reply=counter)
        for i in range(6):
            self.submit_many(f"bob@t{i}.example", 5)
        sink.wait_for(30)
        self.assertLessEqual(counter.most, 2)

    def test_a_rate_of_the_table_is_never_exceeded(self):
        counter = Counter()
        sink = self.sink("d1.example", reply=counter)
        self.submit_many("bob@d1.example", 16)
        sink.wait_for(16)
        self.assertLessEqual(counter.most_within(2), 5)

    def test_a_reply_that_asks_for_a_pause_gets_one_and_why_says_what_it_means(self):
        refused_at, seen = [], []

        def moody(stage, text, session):
            if stage == "mail":
                seen.append(time.monotonic())
                if not refused_at:
                    refused_at.append(time.monotonic())
                    return "421 4.7.28 Our system has detected an unusual rate of unsolicited mail"
            return None
        sink = self.sink("d2.example", reply=moody)
        first = self.tapal.submit("bob@d2.example")
        self.tapal.server.wait_for(r"site left alone site=moody .*They see too much of us")
        second = self.tapal.submit("bob@d2.example")
        self.waits_for(second, "is not used at moody, which said: They see too much of us: send less.")
        sink.wait_for(2)
        self.assertEqual([], [t for t in seen if 0 < t - refused_at[0] < 2.9], "nothing in the pause")
        self.assertNotEqual(first, second)

    def test_a_dead_site_delays_no_other_and_is_asked_with_one_message(self):
        attempts = []

        def dead(stage, text, session):
            if stage == "connect":
                attempts.append(time.monotonic())
                return Sink.DROP
            return None
        self.sink("d3.example", reply=dead)
        alive = self.sink("d5.example")
        self.submit_many("bob@d3.example", 40)
        self.tapal.server.wait_for(r"site left alone site=mx\.d3\.example ")
        began = time.monotonic()
        self.tapal.submit("bob@d5.example")
        alive.wait_for(1)
        self.assertLess(time.monotonic() - began, 5)
        before = len(attempts)
        queued = self.tapal.submit("bob@d3.example")
        self.waits_for(queued, "is left alone: attempts failed")
        time.sleep(5)  # two waits of 2 and 4 s, each ended by one question
        self.assertLessEqual(len(attempts) - before, 3)
        self.assertEqual(0, self.tapal.command("queue", "drop", "--all", "--yes").returncode)

    def test_a_site_is_left_alone_after_a_restart_too_until_somebody_knows_better(self):
        attempts = []

        def closed(stage, text, session):
            if stage != "connect":
                return None
            attempts.append(text)
            return "421 4.3.2 closed" if len(attempts) == 1 else None
        sink = self.sink("d7.example", reply=closed)
        queued = self.tapal.submit("bob@d7.example")
        self.tapal.server.wait_for(r"site left alone site=far .*They are closed")
        self.assertEqual(0, self.tapal.stop())
        self.tapal.start()
        self.waits_for(queued, "They are closed: come back in an hour.")
        self.assertEqual(1, len(attempts))
        self.assertEqual(0, self.tapal.command("queue", "retry", queued).returncode)
        sink.wait_for(1)

    def test_mail_of_people_goes_before_bulk(self):
        order = []

        def slow(stage, text, session):
            if stage == "rcpt":
                order.append(text)
                time.sleep(0.2)
        sink = self.sink("d4.example", reply=slow)
        self.submit_many("everybody@d4.example", 30, extra=LIST)
        wait_until(lambda: len(order) >= 3, "the bulk is on its way")
        at = len(order)
        self.tapal.submit("one@d4.example")
        sink.wait_for(31)
        place = next(i for i, text in enumerate(order) if "one@" in text)
        self.assertLessEqual(place - at, 3)

    def test_greylisting_is_met_again_in_five_minutes(self):
        self.sink("d6.example", reply=lambda stage, *_: "450 4.2.0 You are greylisted, come back later" if stage == "rcpt"
                  else None)
        queued = self.tapal.submit("bob@d6.example")
        said = self.waits_for(queued, "greylisted")
        self.assertRegex(said, r"the next attempt is in (4m5\d|5m)")
        self.assertRegex(self.tapal.server.log(), r"meaning=.*Greylisting")


class FinalDot(ShapingCase):
    settings = {"delivery": {"timeouts": {**SHORT, "final_dot": "60s"}, "retry_after_lost_reply": "4s"}}

    def test_a_kill_between_the_message_and_its_reply_does_not_send_it_again_at_once(self):
        finals = []

        def hang_once(stage, text, session):
            if stage != "final":
                return None
            finals.append(time.monotonic())
            return Sink.HANG if len(finals) == 1 else None
        sink = self.sink("d0.example", reply=hang_once)
        queued = self.tapal.submit("bob@d0.example")
        wait_until(lambda: finals, "the message is there, and no reply")
        self.tapal.kill()
        began = time.monotonic()
        self.tapal.start()
        self.tapal.server.wait_for(rf"message may have been delivered queue_id={queued}")
        self.waits_for(queued, "it may have been delivered")
        sink.wait_for(1)
        self.assertGreater(finals[1] - began, 3)


class Anvil(ShapingCase):
    """Postfix counts connections and messages of a client, as anvil(8) does."""

    @classmethod
    def records(cls):
        cls.postfix = Postfix(cls, "b.example", cls.delivery_port, settings={
            "smtpd_client_connection_count_limit": "3", "smtpd_client_message_rate_limit": "1000",
            "smtpd_client_event_limit_exceptions": ""})
        cls.dns.add(f"b.example. 60 IN MX 10 mx.b.example.\nmx.b.example. 60 IN A {cls.postfix.address}")

    def refusals(self):
        return len(re.findall(r"Connection concurrency limit exceeded", self.postfix.server.log()))

    def test_a_limit_that_was_met_is_not_met_again(self):
        self.submit_many("bob@b.example", 60)
        self.postfix.wait_for_mail("bob", 60)
        met = self.refusals()
        self.assertGreater(met, 0)
        self.assertLess(met, 12, "those that were opened before the first refusal was read, and no more")
        self.submit_many("bob@b.example", 60)
        self.postfix.wait_for_mail("bob", 120)
        self.assertEqual(met, self.refusals())
