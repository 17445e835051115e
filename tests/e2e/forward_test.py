"""Mail to an alias that leads to another server: what arrives there, what is refused, how bounces walk back."""
import json
import re
import smtplib
import time

import dkim

from dns import Dns
from harness import NODE, PATIENCE, Case, ask_tool, header_of, message, raw_session, wait_until
from peers import Postfix
from sink import Sink


def unfolded(raw):
    return re.sub(r"\n[ \t]+", " ", header_of(raw))


def field(raw, name):
    """The topmost field of that name, on one line."""
    found = re.search(rf"^{name}: (.*)$", unfolded(raw), re.M | re.I)
    return found[1] if found else None


def body_of(raw):
    return raw.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1]


class World(Case):
    """friend.example signs; own.example forwards; box.example is "Gmail": a tapal that checks what it gets."""
    forward_settings = {}

    @classmethod
    def prepare(cls):
        cls.friend = cls.new_tapal("friend.example", users=("fay",))
        cls.own = cls.new_tapal("own.example", settings=cls.forward_settings)
        cls.box = cls.new_tapal("box.example", users=("me", "other"))
        cls.own.write("aliases", cls.aliases())
        records = "".join(server.dns_records() for server in (cls.friend, cls.own, cls.box))
        records += "".join(f'{s.domain}. 60 IN TXT "v=spf1 mx -all"\n_dmarc.{s.domain}. 60 IN TXT "v=DMARC1; p=reject"\n'
                           for s in (cls.friend, cls.own, cls.box))
        # These sign nothing: SPF alone speaks for them, for any client of these tests.
        for name, policy in (("bank", "reject"), ("shop", "quarantine"), ("club", "none")):
            records += (f'{name}.example. 60 IN TXT "v=spf1 ip4:127.0.0.0/8 -all"\n'
                        f'_dmarc.{name}.example. 60 IN TXT "v=DMARC1; p={policy}"\n')
        records += '_dmarc.forged.example. 60 IN TXT "v=DMARC1; p=reject"\n'
        records += '_dmarc.doubtful.example. 60 IN TXT "v=DMARC1; p=quarantine"\n'
        records += cls.more_records()
        cls.dns = Dns(cls).add(records).start()
        for server in (cls.friend, cls.own, cls.box):
            server.set({"delivery": {"source_ipv4": server.address}})  # that its SPF record names
            server.start(cls.dns)

    @classmethod
    def aliases(cls):
        return "*: me@box.example\nboth: ann, other@box.example\n"

    @classmethod
    def more_records(cls):
        return ""

    def send(self, sender, to, text=None, to_server=None, helo="client.example"):
        """From outside on port 25; the reply to the end of the message, or to what was refused before."""
        server = to_server or self.own
        with smtplib.SMTP(server.address, server.smtp_port, local_hostname=helo, timeout=PATIENCE * 2) as session:
            session.ehlo()
            for code, reply in (session.mail(sender), session.rcpt(to)):
                if code != 250:
                    return code, reply.decode()
            code, reply = session.data(text or message(sender, to))
            return code, reply.decode()

    def unique(self, to, sender="fay@friend.example", **more):
        subject = f"{self.id().rsplit('.', 1)[-1]} {time.monotonic_ns()}"
        return subject, message(sender, to, subject, **more)


class Forwarding(World):
    def test_a_signed_message_passes_every_check_at_the_target(self):
        subject, text = self.unique("anything@own.example", body="First.\n\n  Second.  \n")
        self.friend.submit("anything@own.example", text, sender="fay@friend.example")
        raw = self.box.wait_for_mail_with("me", subject.encode())
        self.assertEqual(body_of(raw), b"First.\n\n  Second.  \n", "the body goes on byte for byte")
        results = field(raw, "Authentication-Results")
        self.assertTrue(results.startswith("mail.box.example;"), results)
        for verdict in ("iprev=", "spf=pass", "dkim=pass", "arc=pass", "dmarc=pass"):
            self.assertIn(verdict, results)
        self.assertRegex(field(raw, "Return-Path"), r"<SRS0=\w+=\w+=friend\.example=fay@own\.example>")
        self.assertEqual(field(raw, "X-Forwarded-To"), "me@box.example")
        self.assertEqual(field(raw, "X-Forwarded-For"), "anything@own.example me@box.example")
        self.assertIn("anything@own.example", re.findall(r"(?m)^Delivered-To: (.*)$", unfolded(raw)))

    def test_others_find_the_same(self):
        subject, text = self.unique("x@own.example")
        self.friend.submit("x@own.example", text, sender="fay@friend.example")
        raw = self.box.wait_for_mail_with("me", subject.encode())
        # What stands above our own Received field was added at the target.
        sent = raw[raw.index(b"ARC-Seal:"):].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        txt = lambda name, timeout=5: (self.dns.text_of(name.decode() if isinstance(name, bytes) else name) or "").encode()
        self.assertTrue(dkim.verify(sent, dnsfunc=txt), "dkimpy: DKIM")
        verdict, _, why = dkim.ARC(sent).verify(dnsfunc=txt)
        self.assertEqual(verdict, dkim.CV_Pass, f"dkimpy: ARC: {why}")
        path = self.folder / "forwarded.eml"
        path.write_bytes(sent)
        return_path = field(raw, "Return-Path").strip("<>")
        done = ask_tool("node", NODE / "authenticate.mjs", path, self.dns.address, self.dns.port, self.own.address,
                        self.own.host, return_path)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual(found, {"spf": "pass", "dkim": ["pass"], "arc": "pass", "dmarc": "pass"})

    def test_mail_that_only_SPF_speaks_for_is_refused_while_the_sender_is_there(self):
        code, reply = self.send("info@bank.example", "x@own.example")
        self.assertEqual(code, 550, reply)
        self.assertIn("no aligned DKIM signature of bank.example survives", reply)
        self.assertEqual(self.own.queue()["total"], 0)

    def test_mail_that_its_policy_says_nothing_against_goes_on(self):
        subject, text = self.unique("x@own.example", sender="info@club.example")
        self.assertEqual(self.send("info@club.example", "x@own.example", text)[0], 250)
        raw = self.box.wait_for_mail_with("me", subject.encode())
        self.assertIn("dmarc=fail", field(raw, "Authentication-Results"))
        self.assertIn("arc=pass", field(raw, "Authentication-Results"))

    def test_a_user_beside_the_forward_still_gets_what_would_be_refused_there(self):
        subject, text = self.unique("both@own.example", sender="info@bank.example")
        self.assertEqual(self.send("info@bank.example", "both@own.example", text)[0], 250)
        raw = self.own.wait_for_mail_with("ann", subject.encode())
        self.assertIn("From: <info@bank.example>", raw.decode())
        wrapped = self.box.wait_for_mail_with("other", subject.encode())
        self.assertIn("dmarc=pass", field(wrapped, "Authentication-Results"))
        self.assertIn("both@own.example", field(wrapped, "From"))
        self.assertEqual(field(wrapped, "Content-Type"), "message/rfc822")
        self.assertIn(text.replace(b"\r\n", b"\n").strip(), body_of(wrapped), "the original, header and all")

    def test_forged_mail_is_refused_and_doubtful_mail_is_not_passed_on(self):
        code, reply = self.send("x@friend.example", "ann@own.example", message("x@forged.example", "ann@own.example"))
        self.assertEqual(code, 550, reply)
        self.assertIn("neither SPF nor DKIM speaks for forged.example", reply)
        subject, text = self.unique("ann@own.example", sender="x@doubtful.example")
        self.assertEqual(self.send("x@doubtful.example", "ann@own.example", text)[0], 250)
        self.assertEqual(field(self.own.wait_for_mail_with("ann/.Junk", subject.encode()), "X-Spam-Flag"), "YES")
        subject, text = self.unique("x@own.example", sender="x@doubtful.example")
        code, reply = self.send("x@doubtful.example", "x@own.example", text)
        self.assertEqual(code, 250, reply)
        held = re.search(r"queued as (\S+)", reply)[1]
        shown = json.loads(self.own.command("queue", "show", held, "--json").stdout)
        self.assertEqual(shown["message"]["recipients"][0]["state"], "held")
        self.own.command("queue", "drop", held)

    def test_results_that_bear_our_name_are_removed(self):
        subject, text = self.unique("ann@own.example", sender="info@club.example",
                                    extra="Authentication-Results: MAIL.own.example; dkim=pass header.d=bank.example\n"
                                          "Authentication-Results: mx.other.example; spf=pass\n")
        self.assertEqual(self.send("info@club.example", "ann@own.example", text)[0], 250)
        raw = self.own.wait_for_mail_with("ann", subject.encode())
        fields = re.findall(r"(?m)^Authentication-Results: (\S+)", unfolded(raw))
        self.assertEqual(fields, ["mail.own.example;", "mx.other.example;"])
        self.assertNotIn("bank.example", header_of(raw))

    def test_a_bounce_walks_back_to_the_original_sender(self):
        subject, text = self.unique("x@own.example")
        self.friend.submit("x@own.example", text, sender="fay@friend.example")
        path = field(self.box.wait_for_mail_with("me", subject.encode()), "Return-Path").strip("<>")
        bounce = message("mailer-daemon@club.example", path, subject + " came back")
        self.assertEqual(self.send("", path, bounce, helo="mail.box.example")[0], 250)
        raw = self.friend.wait_for_mail_with("fay", (subject + " came back").encode())
        self.assertEqual(field(raw, "Return-Path"), "<>")

    def test_rewritten_addresses_are_no_relay(self):
        subject, text = self.unique("x@own.example")
        self.friend.submit("x@own.example", text, sender="fay@friend.example")
        path = field(self.box.wait_for_mail_with("me", subject.encode()), "Return-Path").strip("<>")
        code, reply = self.send("spam@club.example", path)
        self.assertEqual(code, 550, reply)
        hash_begin = path.index("=") + 1
        forged = path[:hash_begin] + ("A" if path[hash_begin] != "A" else "B") + path[hash_begin + 1:]
        for address in (forged, path.replace("fay", "ann"), path.replace("friend.example", "club.example"),
                        "SRS0=@own.example", "SRS1=a=b==c@own.example"):
            with self.subTest(address):
                code, reply = self.send("", address)
                self.assertEqual(code // 100, 5, reply)

    def test_a_loop_is_found(self):
        text = message("info@club.example", "x@own.example", extra="Delivered-To: X@own.example\n")
        code, reply = self.send("info@club.example", "x@own.example", text)
        self.assertEqual((code, "loop" in reply), (554, True), reply)

    def test_the_plan_explains_itself(self):
        path = self.folder / "bank.eml"
        path.write_bytes(message("info@bank.example", "x@own.example"))
        done = self.own.command("forward", "plan", path, "--to", "x@own.example", "--ip", "127.1.1.1", "--mail-from",
                                "info@bank.example", "--dns-server", self.dns.endpoint, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        plan = json.loads(done.stdout)
        self.assertEqual((plan["way"], plan["passes"], plan["spf"], plan["dmarc"]), ("refuse", False, "pass", "pass"))
        self.assertEqual(plan["targets"][0]["address"], "me@box.example")
        self.assertRegex(plan["targets"][0]["return_path"], r"SRS0=.*bank\.example=info@own\.example")


class LongSenders(World):
    """A newsletter's return path, too long for a readable rewritten one."""
    sender = "bounces+0123456789-of-a-newsletter-for-ann@friend.example"

    @classmethod
    def aliases(cls):
        return "late: late@postfix.example\n*: me@box.example\n"

    @classmethod
    def more_records(cls):
        cls.friend.write("aliases", cls.sender.split("@")[0] + ": fay\n")
        # Takes the message, and then finds that nobody is there.
        cls.postfix = Postfix(cls, "postfix.example", cls.delivery_port, relay=(cls.own.address, cls.own.smtp_port), settings={
            "virtual_alias_maps": "inline:{{late@postfix.example = nobody@gone.example}}",
            "transport_maps": "inline:{{gone.example = error:5.1.1 has left for good}}"})
        return (f"postfix.example. 60 IN MX 10 mx.postfix.example.\nmx.postfix.example. 60 IN A {cls.postfix.address}\n")

    def submit(self, to):
        """As an alias of fay's; the subject."""
        subject, text = self.unique(to, sender=self.sender)
        with self.friend.client("fay") as session:
            session.sendmail(self.sender, [to], text)
        return subject

    def forwarded(self):
        """The subject and the return path of a message that was passed on."""
        subject = self.submit("x@own.example")
        raw = self.box.wait_for_mail_with("me", subject.encode())
        self.assertIn("spf=pass", field(raw, "Authentication-Results"))
        path = field(raw, "Return-Path").strip("<>")
        self.assertRegex(path, r"^SRS0=[A-Z2-7]{12}=[A-Z2-7]{2}==[0-9A-Z]{13}@own\.example$")
        return subject, path

    def test_a_bounce_of_Postfix_walks_back(self):
        subject = self.submit("late@own.example")
        raw = self.friend.wait_for_mail_with("fay", subject.encode())
        self.assertIn("has left for good", raw.decode())
        self.assertEqual(field(raw, "Return-Path"), "<>")

    def test_a_bounce_walks_back_also_after_the_server_was_killed(self):
        subject, path = self.forwarded()
        self.own.kill()
        self.own.start(self.dns)
        bounce = message("mailer-daemon@club.example", path, subject + " came back")
        self.assertEqual(self.send("", path, bounce, helo="mail.box.example")[0], 250)
        self.friend.wait_for_mail_with("fay", (subject + " came back").encode())

    def test_such_addresses_are_no_relay(self):
        _, path = self.forwarded()
        self.assertEqual(self.send("spam@club.example", path)[0], 550)
        name = path.split("==")[1][0]
        for address in (path.replace("==" + name, "==" + ("1" if name != "1" else "2")), path.replace("==", "=club.example="),
                        path.lower().replace("srs0=", "srs0=a")):
            with self.subTest(address):
                self.assertEqual(self.send("", address)[0], 550)
        self.assertEqual(self.send("", path.lower())[0], 250, "servers may fold the case")
        asked = self.own.command("srs", "reverse", path, "--secret-file", self.own.config / "srs.keys", "--alias", "own.example")
        self.assertEqual(asked.returncode, 1)
        self.assertIn("the sender is kept by the server", asked.stderr)


class Wrapping(World):
    forward_settings = {"forward": {"when_rejected": "wrap", "when_quarantined": "rewrite-from"}}

    def test_a_wrapped_message_passes(self):
        subject, text = self.unique("x@own.example", sender="info@bank.example", body="Grüße.\n")
        self.assertEqual(self.send("info@bank.example", "x@own.example", text)[0], 250)
        raw = self.box.wait_for_mail_with("me", subject.encode())
        self.assertIn("dmarc=pass", field(raw, "Authentication-Results"))
        self.assertIn("dkim=pass", field(raw, "Authentication-Results"))
        self.assertEqual(field(raw, "Content-Type"), "message/rfc822")
        self.assertEqual(field(raw, "Reply-To"), "<info@bank.example>")

    def test_a_message_with_a_rewritten_From_passes(self):
        subject, text = self.unique("x@own.example", sender="info@shop.example")
        self.assertEqual(self.send("info@shop.example", "x@own.example", text)[0], 250)
        raw = self.box.wait_for_mail_with("me", subject.encode())
        self.assertIn("dmarc=pass", field(raw, "Authentication-Results"))
        self.assertIn("x@own.example", field(raw, "From"))
        self.assertEqual(field(raw, "Reply-To"), "<info@shop.example>")


class InSession(World):
    """The sender hears what the target says."""

    @classmethod
    def aliases(cls):
        return "gmail: me@strict.example\npostfix: bob@postfix.example\nspam: spam@postfix.example\n"

    @classmethod
    def more_records(cls):
        cls.answer = None
        cls.strict = Sink(cls, port=cls.delivery_port, reply=lambda stage, text, session: cls.answer and cls.answer(stage))
        cls.postfix = Postfix(cls, "postfix.example", cls.delivery_port, settings={
            "smtpd_recipient_restrictions": "check_recipient_access inline:{{spam@postfix.example = 550 5.7.1 smells of spam}}, "
                                            "permit_mynetworks, reject_unauth_destination"})
        return (f"strict.example. 60 IN MX 10 mx.strict.example.\nmx.strict.example. 60 IN A {cls.strict.address}\n"
                f"postfix.example. 60 IN MX 10 mx.postfix.example.\nmx.postfix.example. 60 IN A {cls.postfix.address}\n")

    def test_a_refusal_reaches_the_sender_and_makes_no_bounce(self):
        type(self).answer = lambda stage: "550 5.7.1 this looks like spam" if stage == "final" else None
        code, reply = self.send("info@club.example", "gmail@own.example")
        self.assertEqual(code, 550, reply)
        self.assertIn("this looks like spam", reply)
        self.own.wait_for_empty_queue()

    def test_postfix_refuses_and_the_sender_hears_it(self):
        code, reply = self.send("info@club.example", "spam@own.example")
        self.assertEqual(code, 550, reply)
        self.assertIn("smells of spam", reply)
        subject, text = self.unique("postfix@own.example", sender="info@club.example")
        self.assertEqual(self.send("info@club.example", "postfix@own.example", text)[0], 250)
        self.postfix.wait_for_mail_with("bob", subject.encode())

    def test_what_cannot_be_passed_on_now_is_kept(self):
        type(self).answer = lambda stage: "451 4.3.0 not now" if stage == "rcpt" else None
        subject, text = self.unique("gmail@own.example", sender="info@club.example")
        code, reply = self.send("info@club.example", "gmail@own.example", text)
        self.assertEqual(code, 250, reply)
        type(self).answer = None
        wait_until(lambda: any(subject.encode() in m.data for m in self.strict.messages), "it arrives later")
        self.own.wait_for_empty_queue()

    def test_a_refusal_that_comes_later_is_told_to_the_original_sender(self):
        subject, text = self.unique("gmail@own.example")
        type(self).answer = lambda stage: "451 4.3.0 not now" if stage == "final" else None
        self.friend.submit("gmail@own.example", text, sender="fay@friend.example")
        self.own.server.wait_for(r"message deferred .*to=<me@strict.example>")
        type(self).answer = lambda stage: "550 5.7.1 and never" if stage == "final" else None
        raw = self.friend.wait_for_mail_with("fay", b"and never")
        self.assertIn(subject, raw.decode())
        self.assertEqual(field(raw, "Return-Path"), "<>")
        type(self).answer = None
        self.own.wait_for_empty_queue()
