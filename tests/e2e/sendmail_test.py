"""Mail from programs of this machine, by the names sendmail, mailq and newaliases."""
import email
import email.policy
import os
import subprocess
import unittest

from dns import Dns
from harness import PATIENCE, PEERS, TAPAL, Case, header_of, wait_until

NOBODY = 65534
AT_ONCE = 20  # seconds: well below the minute after which it would be looked for anyway


class SendmailCase(Case):
    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example", users=("ann", "bob"))
        cls.drop = cls.tapal.state / "drop"
        cls.tapal.set({"resolver": {"servers": [Dns(cls).add(cls.tapal.dns_records()).start().endpoint]}})
        cls.bin = cls.folder / "bin"
        cls.bin.mkdir()
        for name in ("sendmail", "mailq", "newaliases"):
            (cls.bin / name).symlink_to(TAPAL)
        cls.sendmail = cls.bin / "sendmail"
        # What a user who may not read the server's settings would find.
        cls.everybodys = cls.folder / "everybodys"
        cls.everybodys.mkdir()
        (cls.everybodys / "tapal.toml").write_text(f'hostname = "x.example"\nstate_folder = "{cls.tapal.state}"\n')
        cls.everybodys.chmod(0o755)
        (cls.everybodys / "tapal.toml").chmod(0o644)
        cls.tapal.start()
        for folder in (cls.tapal.folder, cls.tapal.state):  # the usual folder is in nobody's way
            folder.chmod(0o711)

    def environment(self, **more):
        return {**os.environ, "TAPAL_CONFIG": str(self.tapal.config), "HOME": str(self.folder),
                "PATH": f"{self.bin}:{os.environ['PATH']}", **more}

    def run_program(self, *words, text="", **options):
        environment = self.environment(**options.pop("more", {}))
        return subprocess.run([str(w) for w in words], input=text.encode(), capture_output=True, timeout=PATIENCE * 2,
                              env=environment, **options)

    def send(self, *words, text, **options):
        done = self.run_program(self.sendmail, *words, text=text, **options)
        self.assertEqual((0, b""), (done.returncode, done.stderr))

    def mail_with(self, user, text):
        raw = self.tapal.wait_for_mail_with(user, text.encode(), AT_ONCE)
        return email.message_from_bytes(raw, policy=email.policy.default)


class Messages(SendmailCase):
    def test_cron_reaches_the_postmaster_whom_nobody_named(self):
        self.send("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root",
                  text="From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> true\n\n.\nout of paper\n")
        mail = self.mail_with("ann", "out of paper")  # the first user is the postmaster
        self.assertEqual("root@a.example", mail["From"].addresses[0].addr_spec)
        self.assertEqual("root@a.example", mail["To"].addresses[0].addr_spec)
        for name in ("Date", "Message-ID", "DKIM-Signature", "Received"):
            self.assertIn(name, mail)

    def test_recipients_of_the_header_and_no_bcc(self):
        self.send("-t", text="To: ann\nBcc: bob@a.example\nSubject: hidden\n\nbcc test\n")
        for user in ("ann", "bob"):
            self.assertNotIn("Bcc", self.mail_with(user, "bcc test"))
        self.assertNotIn("bob", header_of(bytes(self.mail_with("ann", "bcc test"))))

    def test_text_without_a_header_and_lines_without_end(self):
        self.send("ann", text="no header here\n" + "long " * 1000 + "\n")
        body = self.mail_with("ann", "no header here").get_content()
        self.assertEqual(1000, body.replace("\n ", "").count("long"))
        self.assertLess(max(map(len, body.splitlines())), 999)

    def test_a_dot_ends_the_message_unless_it_is_text(self):
        self.send("ann", text="Subject: dots\n\nfirst part\n.\nsecond part\n")
        self.assertNotIn("second part", self.mail_with("ann", "first part").get_content())
        self.send("-oi", "ann", text="Subject: dots\n\nthird part\n.\nfourth part\n")
        self.assertIn("fourth part", self.mail_with("ann", "third part").get_content())

    def test_what_is_refused_comes_back_to_the_sender(self):
        self.send("-f", "bob@a.example", "nobody-at-all@a.example", text="Subject: lost\n\nlost one\n")
        notice = self.mail_with("bob", "nobody-at-all@a.example")
        self.assertIn("multipart/report", notice["Content-Type"])

    def test_a_dialogue_on_standard_input(self):
        said = "EHLO x\r\nMAIL FROM:<bob@a.example>\r\nRCPT TO:<ann@a.example>\r\nDATA\r\n" \
               "Subject: talk\r\n\r\ntalked over\r\n.\r\nQUIT\r\n"
        done = self.run_program(self.sendmail, "-bs", text=said)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn(b"\r\n250 2.0.0 left for the server\r\n221", done.stdout)
        self.assertIn("Return-Path: <bob@a.example>", header_of(bytes(self.mail_with("ann", "talked over"))))

    @unittest.skipUnless(os.geteuid() == 0, "only root can be another user")
    def test_another_user_may_leave_mail_and_sees_nothing(self):
        self.send("ann", text="Subject: by nobody\n\nby nobody at all\n", user=NOBODY, group=NOBODY,
                  extra_groups=[], more={"TAPAL_CONFIG": str(self.everybodys)})
        mail = self.mail_with("ann", "by nobody at all")
        self.assertEqual("nobody@a.example", mail["From"].addresses[0].addr_spec)
        for words in (("ls", self.drop), ("cat", self.tapal.config / "tapal.toml")):
            self.assertNotEqual(0, subprocess.run(words, user=NOBODY, group=NOBODY, extra_groups=[],
                                                  capture_output=True).returncode)
        self.tapal.server.wait_for(r"message accepted.*user=nobody")

    def test_mailq_and_newaliases(self):
        listed = self.run_program("mailq")
        self.assertEqual(0, listed.returncode, listed.stderr)
        self.assertRegex(listed.stdout, rb"messages in the queue")
        self.assertEqual(listed.stdout.split()[-4:], self.run_program(self.sendmail, "-bp").stdout.split()[-4:])
        self.assertEqual(0, self.run_program("newaliases").returncode)
        self.tapal.server.wait_for("configuration reloaded")

    def test_exit_codes_are_those_of_sysexits(self):
        for code, words, text in ((64, (), "x\n"), (64, ("-t",), "Subject: x\n\nx\n"), (64, ("-bd",), ""),
                                  (65, ("two words",), "x\n"), (65, ("-t",), "To: a b c\n\nx\n")):
            with self.subTest(words):
                done = self.run_program(self.sendmail, *words, text=text)
                self.assertEqual(code, done.returncode, done.stderr)
                self.assertTrue(done.stderr.startswith(b"sendmail: "), done.stderr)
        (self.everybodys / "nowhere").mkdir()
        (self.everybodys / "nowhere/tapal.toml").write_text('hostname="x.example"\nstate_folder="/nonexistent/state"\n')
        done = self.run_program(self.sendmail, "ann", text="x\n", more={"TAPAL_CONFIG": str(self.everybodys / "nowhere")})
        self.assertEqual(69, done.returncode)
        self.assertIn(b"/nonexistent/state", done.stderr)


class Down(SendmailCase):
    def test_mail_is_kept_while_the_server_is_down_and_sent_when_it_is_back(self):
        self.tapal.stop()
        for number in range(20):
            self.send("bob", text=f"Subject: waiting\n\nkept number {number};\n")
        kept = list(self.drop.iterdir())
        self.assertEqual(20, len(kept))
        self.assertEqual({0o544}, {f.stat().st_mode & 0o7777 for f in kept})
        (self.drop / ("0" * 32)).write_text("litter")
        self.assertEqual(69, self.run_program("mailq").returncode)
        self.tapal.start()
        for number in range(20):
            self.mail_with("bob", f"kept number {number};")
        wait_until(lambda: len(list(self.drop.iterdir())) == 1, "what was taken in is gone")


class FullDisk(SendmailCase):
    @unittest.skipUnless(os.geteuid() == 0, "mounting a small file system takes root")
    def test_what_cannot_be_kept_is_told_to_come_again_and_leaves_no_rest(self):
        self.tapal.stop()
        small = self.folder / "small"
        (small / "drop").mkdir(parents=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small / "drop"], capture_output=True)
        if mounted.returncode:
            raise unittest.SkipTest(f"this system lets us mount nothing: {mounted.stderr}")
        self.addCleanup(subprocess.run, ["umount", "-l", small / "drop"])
        config = self.folder / "full"
        config.mkdir()
        (config / "tapal.toml").write_text(f'hostname = "x.example"\nstate_folder = "{small}"\n')
        done = self.run_program(self.sendmail, "ann", text="Subject: large\n\n" + "x" * 70 * 30_000 + "\n",
                                more={"TAPAL_CONFIG": str(config)})
        self.assertEqual(75, done.returncode, done.stderr)
        self.assertIn(b"No space left on device", done.stderr)
        self.assertEqual([], list((small / "drop").iterdir()))
        done = self.run_program(self.sendmail, "ann", text="Subject: small\n\nthere is room\n",
                                more={"TAPAL_CONFIG": str(config)})
        self.assertEqual(0, done.returncode, done.stderr)


class Programs(SendmailCase):
    """Programs of Debian that send by this command."""

    def peer(self, name, *path):
        program = PEERS.joinpath(name, *path)
        if not program.exists():
            raise unittest.SkipTest(f"{program} is not there: tools/test_peers")
        return program

    def test_mutt(self):
        program = self.peer("mutt", "usr/bin/mutt")
        (self.folder / "postcard.txt").write_text("wish you were here\n")
        done = self.run_program(program, "-n", "-F", "/dev/null", "-e", f'set sendmail="{self.sendmail} -oem -oi"',
                                "-e", 'set from="bob@a.example"', "-e", "set copy=no", "-s", "from mutt", "-a",
                                self.folder / "postcard.txt", "--", "ann@a.example", text="mutt says hello\n")
        self.assertEqual(0, done.returncode, done.stderr)
        mail = self.mail_with("ann", "mutt says hello")
        self.assertEqual(["postcard.txt"], [part.get_filename() for part in mail.iter_attachments()])

    def test_mailx(self):
        program = self.peer("mailx", "usr/bin/bsd-mailx")
        (self.folder / "mailrc").write_text(f"set sendmail={self.sendmail}\n")
        done = self.run_program(program, "-s", "from mailx", "ann@a.example", text="mailx says hello\n",
                                more={"MAILRC": str(self.folder / "mailrc")})
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual("from mailx", self.mail_with("ann", "mailx says hello")["Subject"])

    def test_php(self):
        program = self.peer("php", "usr/bin/php8.2")
        script = 'exit(mail("ann@a.example", "from PHP", "php says hello\\nü\\n", "From: bob@a.example\\r\\n'\
                 'Content-Type: text/plain; charset=utf-8") ? 0 : 1);'
        done = self.run_program(program, "-n", "-d", f"sendmail_path={self.sendmail} -t -i", "-r", script)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        mail = self.mail_with("ann", "php says hello")
        self.assertEqual("from PHP", mail["Subject"])
        self.assertIn("ü", mail.get_content())

    def test_git_send_email(self):
        program = self.peer("git-email", "usr/lib/git-core/git-send-email")
        patch = self.folder / "0001-change.patch"
        patch.write_text("From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\n"
                         "From: Bob <bob@a.example>\nDate: Thu, 26 Nov 2026 11:00:00 +0000\n"
                         "Subject: [PATCH] git says hello\n\n---\n a | 1 +\n\n-- \n2.39\n")
        done = self.run_program("perl", "-I/usr/share/perl5", program, f"--smtp-server={self.sendmail}",
                                "--to=ann@a.example", "--from=bob@a.example", "--confirm=never", "--quiet", patch,
                                cwd=self.folder, more={"GIT_CONFIG_NOSYSTEM": "1", **{
            f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "Bob"), ("EMAIL", "bob@a.example"))}})
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertEqual("[PATCH] git says hello", self.mail_with("ann", "git says hello")["Subject"])


if __name__ == "__main__":
    unittest.main()
