"""Sending to servers that refuse, wait, hang up or hang, that DNS leads astray from, or that a route names."""
import contextlib
import email
import email.policy
import threading
import time
import unittest

from dns import Dns
from harness import Case, have_ipv6_loopback, message, new_address, wait_until
from sink import Sink

SHORT = {name: "1s" for name in ("greeting", "ehlo", "tls", "auth", "mail", "rcpt", "data", "block", "final_dot")}
# What everybody's rules for replies say, with waits that a test can sit out.
SOON = """
[any.replies.greylisted]
patterns = ['greylisted']
action = "retry_in"
time = "1s"
note = "greylisting"

[any.replies.shutting_down]
patterns = ['^421 4\\.3\\.2']
action = "suspend_site"
time = "1s"
note = "it is going down"
"""
STAGES = ("connect", "ehlo", "mail", "rcpt", "data", "final")


class DeliveryCase(Case):
    """A tapal with short waits, and domains d0.example, d1.example, …, each with an address of its own."""
    domains = 24
    settings = {}

    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example", settings={"delivery": {"timeouts": SHORT}, **cls.settings})
        (cls.tapal.config / "providers.toml").write_text(SOON)
        cls.dns = Dns(cls).add(cls.tapal.dns_records())
        cls.free = []
        for i in range(cls.domains):
            address = new_address()
            cls.dns.add(f"d{i}.example. 60 IN MX 10 mx.d{i}.example.\nmx.d{i}.example. 60 IN A {address}")
            cls.free.append((f"d{i}.example", address))
        cls.records()
        cls.dns.start()
        cls.tapal.start(cls.dns)

    @classmethod
    def records(cls):
        """More for DNS."""

    def new_sink(self, **options):
        domain, address = self.free.pop(0)
        sink = Sink(self, address, self.delivery_port, **options)
        sink.domain = domain
        return sink

    def notice_about(self, recipient):
        """The report to the sender, as a message."""
        raw = self.tapal.wait_for_mail_with("ann", f"Final-Recipient: rfc822; {recipient}".encode())
        return email.message_from_bytes(raw, policy=email.policy.default)

    def status_about(self, recipient):
        return list(self.notice_about(recipient).iter_parts())[1].get_payload()[1]

    def waits_for(self, queue_id, text, seconds=None):
        """Waits until `tapal why` says so; the explanation."""
        def ask():
            said = self.tapal.command("why", queue_id).stdout
            return said if text in said else None
        return wait_until(ask, f"why {queue_id} says {text!r}; it says: {self.tapal.command('why', queue_id).stdout}", seconds)

    def drop(self, queue_id):
        done = self.tapal.command("queue", "drop", queue_id)
        self.assertEqual(0, done.returncode, done.stderr)


class Refusals(DeliveryCase):
    def test_a_5xx_at_mail_rcpt_data_and_end_comes_back_with_its_code(self):
        for stage in ("mail", "rcpt", "data", "final"):
            with self.subTest(stage):
                sink = self.new_sink(reply=lambda s, *_, stage=stage: "550 5.7.99 not this one" if s == stage else None)
                self.tapal.submit(f"bob@{sink.domain}")
                status = self.status_about(f"bob@{sink.domain}")
                self.assertEqual("5.7.99", status["Status"])
                self.assertIn("not this one", status["Diagnostic-Code"])
                self.assertEqual(0, len(sink.messages))

    def test_a_4xx_at_each_stage_waits_and_is_delivered_once_later(self):
        for stage in STAGES:
            with self.subTest(stage):
                refused = []

                def later(at, _text, _session, stage=stage, refused=refused):
                    if at != stage or refused:
                        return None
                    refused.append(at)
                    return "421 4.3.2 come back" if at in ("connect", "ehlo") else "450 4.2.0 come back"
                sink = self.new_sink(reply=later)
                self.tapal.submit(f"bob@{sink.domain}")
                sink.wait_for(1)
                self.tapal.server.wait_for(rf"message delivered.*bob@{sink.domain}")
                self.assertEqual(1, len(sink.messages))
                self.assertTrue(refused)

    def test_greylisting_is_waited_out_for_each_recipient(self):
        first = {}

        def grey(stage, text, _session):
            if stage != "rcpt":
                return None
            return None if time.monotonic() - first.setdefault(text, time.monotonic()) > 1.5 else \
                "450 4.7.1 greylisted, come back in a moment"
        sink = self.new_sink(reply=grey)
        self.tapal.submit([f"bob@{sink.domain}", f"cyd@{sink.domain}"])
        wait_until(lambda: {r for m in sink.messages for r in m.recipients} ==
                   {f"bob@{sink.domain}", f"cyd@{sink.domain}"}, "both recipients have it")
        self.tapal.wait_for_empty_queue()
        self.assertEqual(2, sum(len(m.recipients) for m in sink.messages), "each once")

    def test_one_refused_recipient_does_not_keep_the_others_from_their_mail(self):
        sink = self.new_sink(reply=lambda s, text, _: "550 5.1.1 unknown" if s == "rcpt" and "ghost" in text else None)
        self.tapal.submit([f"bob@{sink.domain}", f"ghost@{sink.domain}"])
        self.assertEqual([f"bob@{sink.domain}"], sink.wait_for(1)[0].recipients)
        self.assertEqual("5.1.1", self.status_about(f"ghost@{sink.domain}")["Status"])

    def test_a_peer_without_ehlo_gets_the_mail_by_helo(self):
        sink = self.new_sink(reply=lambda s, *_: "502 what?" if s == "ehlo" else None)
        self.tapal.submit(f"bob@{sink.domain}")
        self.assertFalse(sink.wait_for(1)[0].tls)

    def test_refused_starttls_goes_in_clear_text(self):
        sink = self.new_sink(reply=lambda s, *_: "454 4.7.0 no TLS today" if s == "starttls" else None)
        self.tapal.submit(f"bob@{sink.domain}")
        self.assertFalse(sink.wait_for(1)[0].tls)

    def test_a_report_itself_is_never_bounced(self):
        sink = self.new_sink()
        with self.tapal.client() as session:
            session.sendmail("", f"bob@{sink.domain}", message("ann@a.example", f"bob@{sink.domain}"))
        self.assertEqual("", sink.wait_for(1)[0].sender)
        refusing = self.new_sink(reply=lambda s, *_: "550 5.1.1 no" if s == "rcpt" else None)
        before = len(self.tapal.mailbox("ann"))
        with self.tapal.client() as session:
            session.sendmail("", f"bob@{refusing.domain}", message("ann@a.example", f"bob@{refusing.domain}"))
        self.tapal.wait_for_empty_queue()
        self.assertEqual(before, len(self.tapal.mailbox("ann")))


class Faults(DeliveryCase):
    settings = {"queue": {"retry": ["20s"], "retry_then_every": "20s"},
                "delivery": {"timeouts": SHORT, "retry_after_lost_reply": "20s"}}

    def test_a_peer_that_hangs_at_any_stage_is_left_in_time_and_the_mail_waits(self):
        waiting = {}
        for stage in STAGES:
            sink = self.new_sink(reply=lambda s, *_, stage=stage: Sink.HANG if s == stage else None)
            waiting[stage] = self.tapal.submit(f"bob@{sink.domain}")
        for stage, queue_id in waiting.items():
            with self.subTest(stage):
                self.waits_for(queue_id, "after 1 attempt")
                self.drop(queue_id)

    def test_a_peer_that_hangs_in_the_tls_handshake_gets_the_mail_in_clear_or_it_waits(self):
        sink = self.new_sink()
        sink.context = _NeverShakesHands()
        queue_id = self.tapal.submit(f"bob@{sink.domain}")
        self.tapal.server.wait_for(rf"queue_id={queue_id} to=")
        if not sink.messages:
            self.waits_for(queue_id, "after 1 attempt")
            self.drop(queue_id)

    def test_a_peer_that_hangs_up_at_any_stage_makes_the_mail_wait(self):
        waiting = {}
        for stage in STAGES:
            sink = self.new_sink(reply=lambda s, *_, stage=stage: Sink.DROP if s == stage else None)
            waiting[stage] = self.tapal.submit(f"bob@{sink.domain}")
        for stage, queue_id in waiting.items():
            with self.subTest(stage):
                self.waits_for(queue_id, "after 1 attempt")
                self.drop(queue_id)

    def test_nobody_listening_makes_the_mail_wait(self):
        domain, _ = self.free.pop(0)
        queue_id = self.tapal.submit(f"bob@{domain}")
        said = self.waits_for(queue_id, "after 1 attempt")
        self.assertIn("refused", said.lower())
        retried = self.tapal.command("queue", "retry", queue_id)
        self.assertEqual(0, retried.returncode, retried.stderr)
        self.waits_for(queue_id, "after 2 attempts")
        self.drop(queue_id)


class _NeverShakesHands:
    """In place of an SSL context: reads what comes and never answers."""

    @staticmethod
    def wrap_socket(connection, server_side):
        with contextlib.suppress(OSError):
            while connection.recv(4096):
                pass
        raise OSError("gone")


class CutConnections(DeliveryCase):
    domains = 1

    def test_a_connection_cut_at_every_byte_loses_nothing(self):
        """Session n ends after n bytes of replies. Every message arrives in the end; twice only those
        whose last reply was cut, which SMTP cannot tell apart (RFC 1047)."""
        sink = self.new_sink(tls=False)
        longest = 220  # the sink's whole share of a dialogue with one message is shorter
        arrived = threading.Lock()
        state = {"n": 0}

        def cut(stage, _text, session):
            if stage == "connect":
                with arrived:
                    state["n"] += 1
                    session.limit = state["n"] if state["n"] <= longest else None
            return None
        sink.reply = cut
        sink.cut_of = lambda session: getattr(session, "limit", None)
        count = 50
        for i in range(count):
            self.tapal.submit(f"bob@{sink.domain}", message("ann@a.example", "bob@x.example", f"number {i}"))

        def nothing_waits():  # a site that cuts every connection would be left alone for a second each time
            self.tapal.command("queue", "retry", "--all")
            return self.tapal.queue()["total"] == 0
        wait_until(nothing_waits, "everything is delivered", 120)
        subjects = [line for m in sink.messages for line in m.data.split(b"\r\n") if line.startswith(b"Subject: number")]
        self.assertEqual(count, len(set(subjects)), "each message arrived")
        print(f"\nnote: connections cut at every byte: duplicates {len(subjects) - count} of {count}, {sink.sessions} sessions")
        self.assertEqual([], self.tapal.mailbox("ann"), "nothing bounced")


class DnsAnswers(DeliveryCase):
    domains = 2

    @classmethod
    def records(cls):
        cls.preferred, cls.other, cls.dead = new_address(), new_address(), new_address()
        cls.dns.add(
            f"pref.example. 60 IN MX 10 mx1.pref.example.\npref.example. 60 IN MX 20 mx2.pref.example.\n"
            f"mx1.pref.example. 60 IN A {cls.preferred}\nmx2.pref.example. 60 IN A {cls.other}\n"
            f"backup.example. 60 IN MX 5 mx0.backup.example.\nbackup.example. 60 IN MX 20 mx2.pref.example.\n"
            f"mx0.backup.example. 60 IN A {cls.dead}\n"
            f"implicit.example. 60 IN A {cls.preferred}\n"
            "null.example. 60 IN MX 0 .\n"
            "noaddress.example. 60 IN MX 10 nowhere.example.\n"
            "v6.example. 60 IN MX 10 mx.v6.example.\nmx.v6.example. 60 IN AAAA ::1\n"
            "both.example. 60 IN MX 10 mx.both.example.\nmx.both.example. 60 IN AAAA ::1\n"
            f"mx.both.example. 60 IN A {cls.other}\n"
            "self.example. 60 IN MX 10 mail.a.example.\n")

    def setUp(self):
        self.sinks = {a: Sink(self, a, self.delivery_port) for a in (self.preferred, self.other)}

    def test_the_most_preferred_exchange_gets_the_mail(self):
        for _ in range(4):
            self.tapal.submit("bob@pref.example")
        self.sinks[self.preferred].wait_for(4)
        self.assertEqual([], self.sinks[self.other].messages)

    def test_the_next_exchange_is_tried_when_the_first_is_down(self):
        self.tapal.submit("bob@backup.example")
        self.sinks[self.other].wait_for(1)

    def test_a_domain_without_mx_is_reached_at_its_address(self):
        self.tapal.submit("bob@implicit.example")
        self.sinks[self.preferred].wait_for(1)

    def test_null_mx_bounces_with_5_1_10(self):
        self.tapal.submit("bob@null.example")
        self.assertEqual("5.1.10", self.status_about("bob@null.example")["Status"])

    def test_a_domain_that_does_not_exist_bounces(self):
        self.tapal.submit("bob@no-such-name.example")
        self.assertEqual("5.1.2", self.status_about("bob@no-such-name.example")["Status"])

    def test_an_exchange_without_address_bounces(self):
        self.tapal.submit("bob@noaddress.example")
        self.assertRegex(self.status_about("bob@noaddress.example")["Status"], r"^5\.[14]\.[0-9]+$")

    def test_mail_that_dns_sends_to_ourselves_bounces_as_a_loop(self):
        self.tapal.submit("bob@self.example")
        self.assertEqual("5.4.6", self.status_about("bob@self.example")["Status"])

    @unittest.skipUnless(have_ipv6_loopback(), "no IPv6 loopback on this machine")
    def test_ipv6_alone_and_ipv6_before_ipv4(self):
        sink = Sink(self, "::1", self.delivery_port)
        self.tapal.submit("bob@v6.example")
        sink.wait_for(1)
        self.tapal.submit("bob@both.example")
        sink.wait_for(2)

    @unittest.skipUnless(have_ipv6_loopback(), "no IPv6 loopback on this machine")
    def test_ipv4_is_tried_when_ipv6_is_down(self):
        self.tapal.submit("dan@both.example")
        self.sinks[self.other].wait_for(1)


class Dnssec(Case):
    def test_signed_answers_are_used_and_forged_ones_make_the_mail_wait(self):
        tapal = self.new_tapal("a.example", settings={"queue": {"retry": ["60s"]}})
        sink = Sink(self, port=self.delivery_port)
        host = f"mx 60 IN A {sink.address}\n"
        dns = Dns(type(self), signed=("example",)).add(tapal.dns_records())
        dns.add(f"good.example. 60 IN MX 10 mx.good.example.\nmx.good.example. 60 IN A {sink.address}\n"
                f"bogus.example. 60 IN NS ns.example.\nbogus.example. 60 IN DS 4711 13 2 {'ab' * 32}")
        dns.add("@ 60 IN MX 10 mx.bogus.example.\n" + host, zone="bogus.example")
        dns.start()
        tapal.set({"resolver": {"trust_anchor_file": str(dns.trust_anchor("example"))}})
        tapal.start(dns)
        tapal.submit("bob@good.example")
        sink.wait_for(1)
        queue_id = tapal.submit("bob@bogus.example")
        wait_until(lambda: "DNSSEC" in tapal.command("why", queue_id).stdout, "the reason is DNSSEC")
        self.assertEqual(1, len(sink.messages))


class DnsDoesNotAnswer(Case):
    def test_mail_waits_until_dns_answers(self):
        tapal = self.new_tapal("a.example", settings={"resolver": {"timeout": "1s", "server_timeout": "500ms"}})
        sink = Sink(self, port=self.delivery_port)
        dns = Dns(type(self)).add(tapal.dns_records())
        dns.add(f"late.example. 60 IN MX 10 mx.late.example.\nmx.late.example. 60 IN A {sink.address}")
        tapal.start(dns)  # and DNS not yet
        queue_id = tapal.submit("bob@late.example")
        wait_until(lambda: "DNS did not answer" in tapal.command("why", queue_id).stdout, "the reason is DNS")
        dns.start()
        sink.wait_for(1, 150)


class Routes(Case):
    def test_a_smarthost_with_login_takes_all_other_mail(self):
        hub = self.new_tapal("hub.example", users=("relay", "ann"))
        sink = Sink(self, port=self.delivery_port)
        dns = Dns(type(self)).add(hub.dns_records())
        dns.add(f"far.example. 60 IN MX 10 mx.far.example.\nmx.far.example. 60 IN A {sink.address}")
        dns.start()
        leaf = self.new_tapal("a.example")
        (leaf.config / "hub.password").write_text("correct horse 9\n")
        # The hub lets its user send for the leaf's domain.
        users = (hub.config / "domains/hub.example/users")
        users.write_text(users.read_text().replace("\n", " may-send-as=*@a.example\n", 1))
        leaf.set({"tls": {"trusted_ca_file": str(hub.certificate)},
                  "routes": {"*": {"host": hub.host, "port": hub.submission_port, "tls": "required",
                                   "user": "relay@hub.example", "password_file": "hub.password"}}})
        hub.start(dns)
        leaf.start(dns)
        leaf.submit("bob@far.example", message("ann@a.example", "bob@far.example", "over the hub"))
        self.assertIn(b"over the hub", sink.wait_for(1)[0].data)
        hub.server.wait_for(r"login user=relay@hub\.example")

    def test_a_wrong_smarthost_password_makes_mail_wait_and_says_so(self):
        hub = self.new_tapal("hub2.example", users=("relay",)).start()
        leaf = self.new_tapal("c.example", settings={"queue": {"retry": ["60s"]}})
        (leaf.config / "hub.password").write_text("wrong\n")
        leaf.set({"tls": {"trusted_ca_file": str(hub.certificate)},
                  "routes": {"*": {"host": hub.address, "port": hub.submission_port,
                                   "user": "relay@hub2.example", "password_file": "hub.password"}}})
        leaf.start()
        queue_id = leaf.submit("bob@far.example", message("ann@c.example", "bob@far.example"))
        wait_until(lambda: "535" in leaf.command("why", queue_id).stdout, "why tells the hub's 535")

    def test_an_lmtp_route_answers_for_each_recipient(self):
        sink = Sink(self, lmtp=True, tls=False,
                    reply=lambda s, text, _: "550 5.2.2 full" if s == "final" and text.startswith("full@") else None)
        tapal = self.new_tapal("b.example")
        tapal.set({"routes": {"boxes.example": {"host": sink.address, "port": sink.port, "protocol": "lmtp", "tls": "never"}}})
        tapal.start()
        tapal.submit(["bob@boxes.example", "full@boxes.example"], message("ann@b.example", "bob@boxes.example"))
        sink.wait_for(1)
        self.assertTrue(any(c.startswith("LHLO ") for c in sink.commands), sink.commands)
        tapal.wait_for_mail_with("ann", b"Final-Recipient: rfc822; full@boxes.example")
        tapal.wait_for_empty_queue()

    def test_without_a_route_private_addresses_are_refused(self):
        tapal = self.new_tapal("e.example", settings={"delivery": {"allow_private_addresses": False}})
        dns = Dns(type(self)).add(f"inner.example. 60 IN MX 10 mx.inner.example.\nmx.inner.example. 60 IN A {new_address()}")
        dns.start()
        tapal.start(dns)
        tapal.submit("bob@inner.example", message("ann@e.example", "bob@inner.example"))
        tapal.wait_for_mail_with("ann", b"Status: 5.4.4")


if __name__ == "__main__":
    unittest.main()
