"""`tapal up` on an empty machine, in a world of its own: from nothing to a message in a mailbox elsewhere."""
import json
import re
import shutil
import time

from authorities import Pebble
from filter_peers import CheckingOpendkim
from harness import TAPAL, Case, ask_tool, header_of, wait_until
from peers import Postfix
from sandbox import AUTHORITY, MACHINE, NAMES, PROVIDER, Machine, Names, Outside

DOMAIN = "shop.example"
HOST = f"mail.{DOMAIN}"
FORWARD = "me@box.example"


class World(Case):
    """The machine, DNS, the authority, and box.example, which checks what it gets."""
    credentials = True

    @classmethod
    def publish(cls, names):
        """More of DNS, before it starts."""

    @classmethod
    def prepare(cls):
        Outside()
        cls.machine = Machine(cls)
        cls.root = cls.folder / "root"  # stands in for the machine's own files with --root
        cls.root.mkdir()
        cls.names = Names(cls, DOMAIN)
        cls.publish(cls.names)
        cls.names.start()
        cls.machine.root_key.write_text(cls.names.anchor())
        cls.pebble = Pebble(cls, cls.names, 80, 443, address=AUTHORITY[0], name="acme.example")
        cls.machine.trust(cls.pebble.own_certificate.read_text(), cls.pebble.root.read_text())
        milter = CheckingOpendkim(cls, "mx.box.example", NAMES[0])
        cls.box = Postfix(cls, "box.example", 25, users=("me",), addresses=PROVIDER,
                          settings={"smtpd_milters": milter.milter, "milter_default_action": "tempfail"})
        cls.config, cls.state = cls.folder / "etc", cls.folder / "state"
        cls.key = cls.folder / "dns.key"
        cls.key.write_text(f"server = \"{NAMES[0]}:53\"\nkey_name = \"{Names.KEY}\"\n"
                           f"algorithm = \"hmac-sha256\"\nsecret = \"{cls.names.secret}\"\n")
        cls.key.chmod(0o600)

    def words(self, *more):
        words = [TAPAL, "up", DOMAIN, "--config", self.config, "--state-folder", self.state, "--forward", FORWARD,
                 "--acme-directory", self.pebble.directory, "--wait", "60"]
        if self.credentials:
            words += ["--dns", "rfc2136", "--token-file", self.key]
        return [*words, *more]

    def up(self, *more):
        return self.machine.run(*self.words(*more), timeout=300)

    def file(self, path, text):
        """One of the machine's own files."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def json_lines(self, done):
        return [json.loads(line) for line in done.stdout.splitlines()]


class FromNothing(World):
    def test_1_a_plan_shows_everything_and_changes_nothing(self):
        before = self.names.zone()
        done = self.up("--plan")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for expected in ("MX", "_dmarc", "_domainkey", "v=spf1", "certificate", "user me@shop.example"):
            self.assertIn(expected, done.stdout)
        self.assertIn(f"plan  {self.config}/tapal.toml\n", done.stdout)
        self.assertIn("nothing was changed", done.stdout)
        self.assertEqual(self.names.zone(), before)
        self.assertFalse(self.config.exists())

    def test_2_from_nothing_to_a_message_in_the_mailbox_elsewhere(self):
        began = time.monotonic()
        done = self.up("--yes")
        print(f"note: tapal up took {time.monotonic() - began:.1f} s in the sandbox")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        mail = self.box.wait_for_mail("me", 2)
        ours = next(m for m in mail if b"Mail from shop.example works" in m)
        head = re.sub(r"\n[ \t]+", " ", header_of(ours))
        self.assertRegex(head, r"Authentication-Results: mx.box.example;.*dkim=pass.*header.d=shop.example")
        self.assertRegex(head, r"Received: from mail.shop.example \(\S+ \[IPv6:2a0f:1::10\]\).*using TLSv1.3")
        self.assertIn("SPF pass, DKIM pass shop.example", done.stdout)
        self.assertIn("DMARC pass", done.stdout)
        self.assertIn("Done: mail works.", done.stdout)

    def test_3_what_is_published_is_what_was_planned(self):
        zone = "\n".join(self.names.zone())
        for line in (rf"^{DOMAIN}\. \d+ IN MX 10 {HOST}\.$", rf"^{HOST}\. \d+ IN A {MACHINE[0]}$", rf"^{HOST}\. \d+ IN AAAA {MACHINE[1]}$",
                     rf"^{DOMAIN}\. \d+ IN TXT \"v=spf1 ip4:{MACHINE[0]} ip6:{MACHINE[1]} [-~]all\"$",
                     rf"^_dmarc\.{DOMAIN}\. \d+ IN TXT \"v=DMARC1; p=none; rua=mailto:reports@{DOMAIN}\"$",
                     rf"^_25\._tcp\.{HOST}\. \d+ IN TLSA 3 1 1 "):
            self.assertRegex(zone, re.compile(line, re.M))

    def test_4_a_second_run_changes_nothing(self):
        before, files = self.names.zone(), self.snapshot()
        done = self.up("--yes", "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual([line for line in self.json_lines(done) if line.get("mark") == "made"], [])
        self.assertEqual(self.names.zone(), before)
        self.assertEqual(self.snapshot(), files)

    def test_5_nothing_secret_is_told_or_kept_in_the_log(self):
        logs = [self.state / "up.log", self.state / "tapal.log"]
        told = "".join(log.read_text(errors="replace") for log in logs)
        self.assertIn("made", told)
        self.assertNotIn(self.names.secret, told)
        self.assertNotIn("PRIVATE KEY", told)

    def test_6_what_was_changed_by_hand_is_committed_and_pushed(self):
        bare = self.folder / "remote.git"
        git = ("git", "-c", "safe.directory=*", "-C", bare)
        self.assertEqual(ask_tool("git", "init", "-q", "--bare", "-b", "main", bare).returncode, 0)
        named = self.machine.run(TAPAL, "backup", "remote", bare, "--config", self.config)
        self.assertEqual(named.returncode, 0, named.stderr)
        with (self.config / "tapal.toml").open("a") as settings:
            settings.write("# mine\n")
        done = self.up("--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"all of it is at {bare}", done.stdout)
        self.assertIn("edited by hand", ask_tool(*git, "log", "--format=%s").stdout)
        self.assertIn("# mine", ask_tool(*git, "show", "main:tapal.toml").stdout)

    def snapshot(self):
        """The configuration folder's files but git's own and the users' (a password is made and taken back)."""
        return {str(p): p.read_bytes() for p in sorted(self.config.rglob("*"))
                if p.is_file() and ".git" not in p.parts and not p.name.endswith(".lock")}


class Interrupted(World):
    def test_killed_in_the_middle_of_each_phase_and_run_again(self):
        for phase in range(1, 12):
            process = self.machine.start(*self.words("--yes", "--json"), stdout=-1, stderr=-1)
            for line in process.stdout:
                if json.loads(line).get("phase", 0) >= phase:
                    process.kill()
                    break
            process.stdout.close()
            process.stderr.close()
            process.wait()
        done = self.up("--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        zone = "\n".join(self.names.zone())
        self.assertEqual(len(re.findall(r"v=spf1 ip4", zone)), 1, zone)
        self.assertEqual(len(re.findall(r"v=DMARC1; p=", zone)), 1, zone)
        again = self.up("--yes", "--json")
        self.assertEqual([line for line in self.json_lines(again) if line.get("mark") == "made"], [])


class Conflicts(World):
    def test_mail_that_goes_elsewhere_is_not_taken_without_being_asked(self):
        self.names.update("add shop.example. 60 MX 5 mx.elsewhere.example.",
                          'add shop.example. 60 TXT "v=spf1 include:_spf.elsewhere.example -all"')
        self.names.update('add _spf.elsewhere.example. 60 TXT "v=spf1 ip4:192.0.2.0/24 -all"', zone="example")
        done = self.up("--yes")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--take-mx", done.stdout + done.stderr)
        self.assertIn("5 mx.elsewhere.example.", self.names.ask(f"{DOMAIN}.", "MX"))
        done = self.up("--yes", "--take-mx")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.names.ask(f"{DOMAIN}.", "MX"), [f"10 {HOST}."])
        spf = next(line for line in self.names.ask(f"{DOMAIN}.", "TXT") if "spf1" in line)
        self.assertIn("include:_spf.elsewhere.example", spf)
        self.assertIn(f"ip4:{MACHINE[0]}", spf)
        self.assertTrue(spf.rstrip('"').endswith("-all"), spf)

    def test_a_second_run_at_once_is_refused(self):
        first = self.machine.start(*self.words("--plan"), stdout=-1)
        first.stdout.readline()
        second = self.up("--plan")
        first.communicate()
        self.assertIn(second.returncode, (0, 1))
        if second.returncode:
            self.assertIn("another", second.stderr)


class ByHand(World):
    credentials = False

    def test_without_credentials_it_tells_what_to_enter_and_goes_on_when_that_is_seen(self):
        process = self.machine.start(*self.words("--yes", "--json"), stdout=-1, stderr=-1)
        lines = []
        for line in process.stdout:
            lines.append(json.loads(line))
            if lines[-1].get("mark") == "you" and "_domainkey" in lines[-1].get("text", ""):
                break
        zone = self.machine.run(TAPAL, "dns", "export", DOMAIN, "--config", self.config, "--format", "bind")
        self.assertEqual(zone.returncode, 0, zone.stderr)
        self.names.update(*(f"add {line}" for line in zone.stdout.splitlines() if line and not line.startswith((";", "$"))))
        rest, errors = process.communicate(timeout=240)
        self.assertEqual(process.returncode, 0, rest.decode() + errors.decode() + str(lines))
        self.box.wait_for_mail("me", 2)
