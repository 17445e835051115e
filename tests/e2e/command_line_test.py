"""The command line as scripts use it: help, exit codes, JSON."""
import json
import os
import pathlib
import re
import tempfile
import unittest

from dns import Dns
from harness import PASSWORD, TAPAL, Case, ask_tool, message, new_address

COMMANDS = (
    "serve", "demo", "reload", "version", "init", "send", "why",
    "user add", "user passwd", "user authenticate", "user del", "user list",
    "user app-password add", "user app-password list", "user app-password del", "gmail",
    "alias add", "alias del", "alias list", "alias test", "srs forward", "srs reverse", "forward plan",
    "dkim keygen", "dkim dns", "dkim sign", "dkim verify", "spf check", "dmarc check", "arc seal", "arc verify",
    "address check", "idna to-ascii", "psl", "filter test",
    "queue list", "queue show", "queue retry", "queue hold", "queue release", "queue drop",
    "queue count", "queue sites", "queue bounce", "queue move", "queue rule add", "queue rule list", "queue rule del",
    "cert issue", "cert renew", "cert revoke", "cert account-key", "cert list", "cert show",
    "config check", "config reference", "config sample", "backup save", "backup verify", "restore")


class WithoutServer(Case):
    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example")

    def run_ok(self, *words, **options):
        done = self.tapal.command(*words, **options)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def test_every_command_has_help_with_an_example(self):
        for command in COMMANDS:
            with self.subTest(command):
                done = ask_tool(TAPAL, *command.split(), "--help")
                self.assertEqual(0, done.returncode)
                self.assertRegex(done.stdout, rf"Example:\s+tapal {command}")

    def test_a_folder_that_is_not_there_is_named_itself(self):
        done = ask_tool(TAPAL, "config", "set", "delivery.port", "2525", "--config", self.folder / "absent")
        self.assertEqual(1, done.returncode)
        self.assertIn(f"there is no folder {self.folder}/absent", done.stderr)
        self.assertNotIn(".lock", done.stderr)

    def test_wrong_usage_is_exit_code_2(self):
        for words in ((), ("nonsense",), ("queue",), ("user", "add"), ("queue", "list", "--limit", "many"), ("serve", "--x")):
            with self.subTest(words):
                self.assertEqual(2, ask_tool(TAPAL, *words).returncode)

    def test_wrong_options_of_up_are_told_before_it_looks_around(self):
        for options, told in ((("--dns", "nobody"), "--dns nobody: `tapal dns providers` lists what is known"),
                              (("--dns", "cloudflare", "--token-file", "/absent"), "cannot open /absent")):
            with self.subTest(options):
                done = ask_tool(TAPAL, "up", "a.example", "--plan", "--config", self.folder / "new", *options)
                self.assertEqual((1, ""), (done.returncode, done.stdout))
                self.assertIn(told, done.stderr)
                self.assertNotIn("go on here", done.stderr)

    def test_version_as_text_and_json(self):
        self.assertRegex(self.run_ok("version"), r"\d+\.\d+")
        self.assertTrue(json.loads(self.run_ok("version", "--json")))

    def test_commands_that_need_a_server_exit_with_3_without_one(self):
        for words in (("queue", "list"), ("queue", "retry", "--all"), ("why", "ann@a.example"), ("reload",)):
            with self.subTest(words):
                done = self.tapal.command(*words)
                self.assertEqual(3, done.returncode, done.stdout + done.stderr)
                self.assertTrue(done.stderr.strip())

    def test_users_come_and_go_and_passwords_are_checked(self):
        listed = lambda: json.loads(self.run_ok("user", "list", "--json"))["users"]
        self.run_ok("user", "add", "eve@a.example", "--password-file", self.tapal.password_file)
        self.assertIn("eve@a.example", listed())
        self.assertEqual(1, self.tapal.command("user", "add", "eve@a.example", "--password-file",
                                               self.tapal.password_file).returncode)
        check = lambda password: self.tapal.command("user", "authenticate", "eve@a.example", "--password-file", "-",
                                                    input=password + "\n").returncode
        self.assertEqual(0, check(PASSWORD))
        self.assertEqual(1, check("wrong"))
        self.run_ok("user", "passwd", "eve@a.example", "--password-file", "-", input="another one 77\n")
        self.assertEqual(1, check(PASSWORD))
        self.assertEqual(0, check("another one 77"))
        made = json.loads(self.run_ok("user", "passwd", "eve@a.example", "--generate", "--json"))
        self.assertEqual(0, check(made["password"]))
        self.run_ok("user", "del", "eve@a.example")
        self.assertNotIn("eve@a.example", listed())
        self.assertEqual(1, check(PASSWORD))
        self.assertEqual(1, self.tapal.command("user", "del", "eve@a.example").returncode)
        stranger = self.tapal.command("user", "add", "x@other.example", "--password-file", self.tapal.password_file)
        self.assertEqual(1, stranger.returncode)
        self.assertIn("other.example", stranger.stderr)

    def test_init_does_not_overwrite_what_is_there(self):
        keys = {p: p.read_bytes() for p in self.tapal.config.rglob("*.pem")}
        self.tapal.command("init", "a.example", "--hostname", self.tapal.host, "--state-folder", self.tapal.state)
        self.assertEqual(keys, {p: p.read_bytes() for p in self.tapal.config.rglob("*.pem") if p in keys})

    def test_secrets_are_readable_by_their_owner_only(self):
        for path in (*self.tapal.config.rglob("privkey.pem"), *self.tapal.config.rglob("dkim/*.pem"),
                     *self.tapal.config.rglob("users"), self.tapal.config / "srs.keys"):
            self.assertEqual(0, path.stat().st_mode & 0o077, path)

    def test_dkim_sign_and_verify(self):
        for algorithm in ("rsa", "ed25519"):
            self.run_ok("dkim", "keygen", "a.example", "--selector", f"t-{algorithm}", "--algorithm", algorithm)
        dns = Dns(type(self)).add(self.run_ok("dkim", "dns", "a.example")).start()
        original = self.folder / "plain.eml"
        original.write_bytes(message("ann@a.example", "bob@b.example"))
        for algorithm in ("rsa", "ed25519"):
            with self.subTest(algorithm):
                key = self.tapal.config / f"domains/a.example/dkim/t-{algorithm}.pem"
                signed = self.run_ok("dkim", "sign", "--domain", "a.example", "--selector", f"t-{algorithm}", "--key", key,
                                     original)
                verify = lambda text, *more: self.tapal.command(
                    "dkim", "verify", "--dns-server", dns.endpoint, "-", *more, input=text)
                good = verify(signed)
                self.assertEqual((0, "pass"), (good.returncode, good.stdout.split(" ")[0]), good.stdout + good.stderr)
                self.assertEqual("pass", json.loads(verify(signed, "--json").stdout)["signatures"][0]["result"])
                bad = verify(signed.replace("Hello.", "Hullo."))
                self.assertEqual("fail", bad.stdout.split()[0])
                self.assertEqual(0, bad.returncode, "an answer was reached; the first word tells which")
                lost = verify(signed.replace(f"s=t-{algorithm}", "s=nokey"))
                self.assertIn(lost.stdout.split()[0], ("permerror", "fail"))
        none = self.tapal.command("dkim", "verify", "--dns-server", dns.endpoint, original)
        self.assertTrue(none.stdout.startswith("none"), none.stdout)

    def test_config_check_names_file_and_line_of_a_wrong_key(self):
        self.assertEqual(0, self.tapal.command("config", "check").returncode)
        path = self.tapal.config / "tapal.toml"
        good = path.read_text()
        self.addCleanup(path.write_text, good)
        path.write_text(good + "[delivry]\nport = 25\n")
        line = good.count("\n") + 2  # that of the key
        for words in (("config", "check"), ("serve",)):
            done = self.tapal.command(*words)
            self.assertEqual(1, done.returncode)
            self.assertRegex(done.stdout + done.stderr, rf"tapal\.toml:{line}\b.*delivry")
        path.write_text(good.replace('hostname = ', 'hostnam = ', 1))
        done = self.tapal.command("config", "check")
        self.assertRegex(done.stdout + done.stderr, r"tapal\.toml:1\b.*hostnam")
        self.assertIn("hostname", done.stdout + done.stderr, "what was meant")

    def test_the_sample_and_the_reference_are_whole(self):
        sample = self.run_ok("config", "sample", "mail.a.example")
        for setting in ("retry", "final_dot", "trust_anchor_file"):
            self.assertIn(setting, sample)
        reference = self.run_ok("config", "reference")
        for setting in ("`queue.retry`", "`delivery.timeouts.final_dot`", "`resolver.trust_anchor_file`"):
            self.assertIn(setting, reference)


class WithServer(Case):
    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example", settings={
            "queue": {"retry": ["1h"], "retry_then_every": "1h"}, "resolver": {"servers": [f"{new_address()}:9"], "timeout": "1s",
                                                                            "server_timeout": "500ms"}}).start()

    def order(self, *words):
        done = self.tapal.command("queue", *words)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def test_a_waiting_message_is_listed_shown_explained_held_released_and_dropped(self):
        queue_id = self.tapal.submit("bob@far.example")
        self.tapal.server.wait_for(rf"queue_id={queue_id} to=")
        self.assertIn(queue_id, self.tapal.command("queue", "list").stdout)
        listed = self.tapal.queue()
        self.assertGreaterEqual(listed["total"], 1)
        self.assertIn(queue_id, json.dumps(listed))
        self.assertIn("bob@far.example", self.order("show", queue_id))
        self.assertTrue(json.loads(self.order("show", queue_id, "--json"))["ok"])
        for what in (queue_id, "bob@far.example", "ann@a.example"):
            why = self.tapal.command("why", what)
            self.assertEqual(0, why.returncode)
            self.assertIn("next attempt", why.stdout)
            self.assertIn("DNS", why.stdout)
        self.order("hold", queue_id)
        self.assertIn("held", self.tapal.command("why", queue_id).stdout)
        self.order("release", queue_id)
        self.assertNotIn("held", self.tapal.command("why", queue_id).stdout)
        self.order("drop", queue_id)
        gone = self.tapal.command("why", queue_id)
        self.assertEqual(1, gone.returncode)
        self.assertEqual(1, self.tapal.command("queue", "show", queue_id).returncode)
        self.assertEqual(1, self.tapal.command("queue", "drop", "nonsense").returncode)

    def test_send_shows_the_talk_and_takes_its_words_from_the_environment(self):
        environment = {**os.environ, "user": "ann@a.example", "pass": PASSWORD, "to": "ann@a.example",
                       "smtp": f"{self.tapal.address}:{self.tapal.submission_port}", "subject": "by hand"}
        done = ask_tool(TAPAL, "send", "--insecure", env=environment)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertRegex(done.stdout + done.stderr, r"EHLO[\s\S]*MAIL FROM")
        self.assertNotIn(PASSWORD, done.stdout + done.stderr)
        self.tapal.wait_for_mail_with("ann", b"Subject: by hand")
        wrong = ask_tool(TAPAL, "send", "--insecure", env={**environment, "pass": "wrong"})
        self.assertEqual(1, wrong.returncode)
        unsafe = ask_tool(TAPAL, "send", env=environment)
        self.assertEqual(1, unsafe.returncode, "a self-signed certificate does not hold")
        self.assertRegex(unsafe.stderr, r"not sent: .*certificate verify failed[\s\S]*--ca-file FILE")

    def test_reload_takes_new_users_without_a_restart(self):
        self.tapal.add_user("new@a.example")
        done = self.tapal.command("reload")
        self.assertEqual(0, done.returncode, done.stderr)
        with self.tapal.client("new") as session:
            self.assertEqual(250, session.noop()[0])


class Demo(unittest.TestCase):
    def test_the_demo_holds_and_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            done = ask_tool(TAPAL, "demo", env={**os.environ, "TMPDIR": folder})
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            for line in ("TLS ", "DKIM ", "IPv6 ", "queue id ", "delivered in "):
                self.assertRegex(done.stdout, rf"(?m)^\s*{line}\s*yes")
            self.assertEqual([], list(pathlib.Path(folder).iterdir()))
        self.assertIsNone(re.search(r"(?m)^\s*\w.*\sno\s", done.stdout.split("show original")[-1]))


if __name__ == "__main__":
    unittest.main()
