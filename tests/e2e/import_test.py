"""tapal import: what chasquid's and Postfix's own tools have made comes along, and people log in as before."""
import json
import os
import re
import shutil
import smtplib
import unittest

from harness import PATIENCE, PEERS, TAPAL, Case, ask_tool, message, wait_until

CHASQUID = PEERS / "chasquid/usr/bin/chasquid-util"
POSTFIX = PEERS / "postfix"
DOVECOT = PEERS / "dovecot"


def openssl(*words):
    done = ask_tool("openssl", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_key(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    openssl("genrsa", "-out", path, "2048")


def make_certificate(folder, name):
    """One that a small authority of its own signed: fullchain.pem and privkey.pem."""
    folder.mkdir(parents=True, exist_ok=True)
    ca, request = folder / "ca", folder / "request"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9", "-subj", "/CN=a CA",
            "-keyout", f"{ca}.key", "-out", ca)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-addext",
            f"subjectAltName=DNS:{name}", "-keyout", folder / "privkey.pem", "-out", request)
    leaf = openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", "8",
                   "-copy_extensions", "copy")
    (folder / "fullchain.pem").write_text(leaf + ca.read_text())


def contents(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*"))
            if f.is_file() and not f.name.endswith(".lock") and f.name != "lock"}


class ImportCase(Case):
    """A tapal that runs, with a domain of its own, which another server's domains come to."""

    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("here.example")
        cls.make_old()
        cls.tapal.start()

    def run_import(self, *words, code=0, config=None):
        done = ask_tool(TAPAL, "import", self.kind, self.old, "--config", config or self.tapal.config, *words)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def import_here(self, **options):
        return self.run_import("--hostname", self.tapal.host, *self.options, **options)

    def session(self, timeout=None):
        return smtplib.SMTP_SSL(self.tapal.address, self.tapal.submissions_port, local_hostname="client.example",
                                context=self.tapal.tls(), timeout=timeout or PATIENCE)

    def log_in(self, user, password):
        """The reply's code."""
        with self.session() as session:
            try:
                return session.login(user, password, initial_response_ok=True)[0]
            except smtplib.SMTPAuthenticationError as refused:
                return refused.smtp_code

    def scram(self, user, password):
        configuration = self.folder / "msmtprc"
        configuration.write_text(
            f"account default\nhost {self.tapal.address}\nport {self.tapal.submissions_port}\nfrom {user}\nauth scram-sha-256\n"
            f"user {user}\npassword {password}\ntls on\ntls_starttls off\ntls_trust_file {self.tapal.certificate}\n"
            f"tls_host_override {self.tapal.host}\ntimeout 20\n")
        configuration.chmod(0o600)
        done = ask_tool("msmtp", "-C", configuration, "ann@here.example", input=message(user, "ann@here.example").decode())
        return done.returncode == 0

    def users_file(self, domain):
        return (self.tapal.config / "domains" / domain / "users").read_text()

    def line_of(self, user, domain):
        return re.search(rf"^{user}: .*$", self.users_file(domain), re.M)[0]

    def check_upgrade(self, user, password, old_hash):
        """PLAIN with the old password works before and after; SCRAM only after."""
        name, domain = user.split("@")
        self.assertIn(old_hash, self.line_of(name, domain))
        self.assertNotIn("SCRAM", self.line_of(name, domain))
        self.assertFalse(self.scram(user, password), "SCRAM has no keys yet")
        self.assertEqual(535, self.log_in(user, password + "x"))
        self.assertIn(old_hash, self.line_of(name, domain), "a wrong password changes nothing")
        with self.session() as open_one:
            open_one.login(user, password)
            wait_until(lambda: "$argon2id$" in self.line_of(name, domain), "the password is kept in our own form")
            self.assertNotIn(old_hash, self.line_of(name, domain))
            wait_until(lambda: self.scram(user, password), "SCRAM works, once the file is read again")
            open_one.sendmail(user, ["ann@here.example"], message(user, "ann@here.example", "still in"))
        self.assertEqual(235, self.log_in(user, password))
        self.assertEqual(535, self.log_in(user, password + "x"))
        self.assertIn("password kept in our own form", self.tapal.server.log())
        self.assertNotIn(password, self.tapal.server.log())


class Chasquid(ImportCase):
    kind = "chasquid"
    options = ()

    @classmethod
    def make_old(cls):
        if not CHASQUID.exists():
            raise unittest.SkipTest("chasquid is not unpacked: ./dev setup test")
        cls.old = cls.folder / "chasquid"
        domain = cls.old / "domains/old.example"
        domain.mkdir(parents=True)
        (cls.old / "hooks").mkdir()
        (cls.old / "hooks/post-data").write_text("#!/bin/sh\n")
        (cls.old / "chasquid.conf").write_text(
            f'hostname: "mx.old.example"\nmax_data_size_mb: 20\nsuffix_separators: "+-"\ndata_dir: "{cls.folder}/data"\n')
        cls.util("user-add", "cleo@old.example", "--password=nile 1")
        cls.util("user-add", "marc@old.example", "--password=rome 2")
        cls.util("aliases-add", "info@old.example", "cleo@old.example")
        with (domain / "aliases").open("a") as aliases:
            aliases.write("robot: | /bin/true --x\ngone: nobody\nshell: | cat\n*: marc\n")
        make_key(domain / "dkim:s2024.pem")
        make_certificate(cls.old / "certs/mx.old.example", "mx.old.example")

    @classmethod
    def util(cls, *words):
        done = ask_tool(CHASQUID, f"-C={cls.old}", *words)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_1_a_plan_tells_all_and_changes_nothing(self):
        fresh = self.folder / "fresh"
        told = self.run_import("--plan", config=fresh)
        self.assertFalse(fresh.exists())
        for line in ("plan  user cleo@old.example", "plan  info@old.example: cleo@old.example", "plan  DKIM key s2024 of old.example",
                     "plan  certificate mx.old.example, a copy", "plan  domain old.example",
                     'plan  limits.message_bytes = "20MiB"', "hooks/post-data: hooks speak another language"):
            self.assertIn(line, told)
        self.assertRegex(told, r"you   domains/old.example/aliases:\d+: shell: a program is named by its absolute path")
        *lines, last = [json.loads(line) for line in self.run_import("--plan", "--json", config=fresh).splitlines()]
        marks = [line["mark"] for line in lines]
        self.assertEqual({"left": marks.count("you"), "conflicts": 0}, {k: last[k] for k in ("left", "conflicts")})
        self.assertEqual(last["carried"], marks.count("plan"))

    def test_2_a_fresh_server_is_complete(self):
        fresh, state = self.folder / "fresh", self.folder / "fresh-state"
        self.run_import("--state-folder", state, config=fresh)
        checked = ask_tool(TAPAL, "config", "check", "--config", fresh)
        self.assertEqual(0, checked.returncode, checked.stdout + checked.stderr)
        before = contents(fresh)
        again = self.run_import("--state-folder", state, config=fresh)
        self.assertEqual(before, contents(fresh), "a second run changes nothing")
        self.assertNotRegex(again, r"\n    (made|plan|!) ")
        self.assertIn("0 carried over, 0 in conflict", again)
        self.assertEqual((self.old / "certs/mx.old.example/fullchain.pem").read_text(),
                         (fresh / "certs/mx.old.example/fullchain.pem").read_text())
        key = ask_tool("openssl", "rsa", "-in", fresh / "domains/old.example/dkim/s2024.pem", "-pubout").stdout
        self.assertEqual(openssl("rsa", "-in", self.old / "domains/old.example/dkim:s2024.pem", "-pubout"), key)
        self.assertEqual(1, len(list((fresh / "domains/old.example/dkim").glob("*.pem"))), "no key beside the old one")
        for secret in ("nile 1", "PRIVATE KEY", "$scrypt$"):
            self.assertNotIn(secret, again)
        for file in (fresh / "domains/old.example").rglob("*"):
            self.assertEqual(0, file.stat().st_mode & 0o077, file)

    def test_3_people_log_in_as_before_and_their_mail_goes_where_it_went(self):
        told = self.import_here()
        self.assertIn("made  user cleo@old.example", told)
        wait_until(lambda: self.log_in("marc@old.example", "rome 2") == 235, "marc logs in")
        for address, reached in (("info@old.example", "cleo@old.example"), ("else@old.example", "marc@old.example"),
                                 ("cleo-x@old.example", "cleo@old.example"), ("c.leo@old.example", "cleo@old.example")):
            tested = self.tapal.command("alias", "test", address)
            self.assertEqual(0, tested.returncode, tested.stdout + tested.stderr)
            self.assertIn(reached, tested.stdout)
        self.check_upgrade("cleo@old.example", "nile 1", "$scrypt$ln=14,r=8,p=1$")
        self.util("authenticate", "cleo@old.example", "--password=nile 1")
        again = self.import_here()
        self.assertIn("ok    user cleo@old.example, with the password that was set here", again)
        self.assertIn("0 carried over, 0 in conflict", again)

    def test_4_what_differs_is_a_conflict_and_stays(self):
        self.import_here()
        aliases = self.tapal.config / "domains/old.example/aliases"
        aliases.write_text(aliases.read_text().replace("info: cleo@old.example", "info: marc"))
        before = contents(self.tapal.config)
        told = self.import_here(code=1)
        self.assertIn("here it is info@old.example: marc", told)
        self.assertEqual(before, contents(self.tapal.config))

    def test_5_a_folder_that_is_none_is_told(self):
        done = self.tapal.command("import", "chasquid", self.folder / "nowhere")
        self.assertEqual(1, done.returncode)
        self.assertIn("nowhere is no configuration folder of chasquid: ", done.stderr)
        self.assertIn("chasquid.conf: No such file", done.stderr)

    def test_6_what_may_not_be_read_stops_it(self):
        copy, fresh = self.folder / "copy", self.folder / "unread"
        shutil.copytree(self.old, copy)
        users = copy / "domains/old.example/users"
        for file in copy.rglob("*"):
            file.chmod(0o755)
        users.chmod(0)
        nobody = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
        done = ask_tool(TAPAL, "import", "chasquid", copy, "--config", fresh, **nobody)
        self.assertEqual(1, done.returncode, done.stdout)
        self.assertIn(f"cannot open {users}: Permission denied; nothing was imported", done.stderr)
        self.assertFalse(fresh.exists())

    def test_7_a_mistake_in_our_own_folder_stops_it(self):
        broken = self.folder / "broken"
        shutil.copytree(self.tapal.config, broken)
        with (broken / "tapal.toml").open("a") as settings:
            settings.write("\nhostnames = 1\n")
        self._assert_is_refused(broken, r"mended first: \S*tapal\.toml:\d+:1: unknown setting \S*hostnames")
        shutil.copy(self.tapal.config / "tapal.toml", broken)
        (broken / "domains/here.example/aliases").write_text("info no colon\n")
        self._assert_is_refused(broken, r"mended first: \S*aliases:1: ")

    def _assert_is_refused(self, config, why):
        before = contents(config)
        self.assertRegex(self.import_here(code=1, config=config), why)
        self.assertEqual(before, contents(config))


class PostfixCase(ImportCase):
    kind = "postfix"

    @classmethod
    def make_old(cls):
        if not (POSTFIX / ".complete").exists() or not (DOVECOT / ".complete").exists():
            raise unittest.SkipTest("Postfix and Dovecot are not unpacked: ./dev setup test")
        cls.root = cls.folder / "old-machine"
        cls.old = cls.root / "etc/postfix"
        cls.old.mkdir(parents=True)
        (cls.old / "main.cf").write_text("# as Debian has it\ncompatibility_level = 3.6\n")
        (cls.old / "master.cf").write_text(
            "smtp inet n - y - - smtpd\n127.0.0.1:submission inet n - y - - smtpd\n  -o smtpd_tls_security_level=encrypt\n"
            "pickup unix n - y 60 1 pickup\n")
        # Its tools need users that every system has.
        cls.postconf("mail_owner = nobody", "default_privs = daemon", "setgid_group = mail",
                     "myhostname = mx.old.example", "myorigin = $mydomain",
                     "mydestination = $myhostname, $mydomain, localhost.$mydomain, localhost",
                     "virtual_alias_domains = virtual.example", "virtual_alias_maps = hash:/etc/postfix/virtual",
                     "alias_maps = hash:/etc/aliases", "message_size_limit = 30720000", "recipient_delimiter = +",
                     "relayhost = [smtp.relay.example]:587", "smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd",
                     "smtpd_tls_cert_file = /etc/ssl/old/fullchain.pem", "smtpd_tls_key_file = /etc/ssl/old/privkey.pem",
                     "smtpd_sasl_type = dovecot", "transport_maps = hash:/etc/postfix/transport",
                     "mailbox_transport = lmtp:unix:private/dovecot-lmtp")
        (cls.old / "virtual").write_text("info@virtual.example cleo\n@virtual.example marc@localhost\nsales@old.example cleo,\n"
                                         "  far@far.example\n")
        (cls.old / "sasl_passwd").write_text("[smtp.relay.example]:587 account:pass:word\n")
        (cls.root / "etc/aliases").write_text("postmaster: root\nroot: cleo\nmailer-daemon: ghost\nrobot: \"|/bin/true -x\"\n"
                                              "shell: \"|cat >>/tmp/x\"\n")
        cls.tool("postmap", f"hash:{cls.old}/virtual", f"hash:{cls.old}/sasl_passwd")
        cls.tool("postalias", f"hash:{cls.root}/etc/aliases")
        make_certificate(cls.root / "etc/ssl/old", "mx.old.example")
        make_key(cls.root / "etc/dkimkeys/mail.pem")
        (cls.root / "etc/opendkim.conf").write_text("Domain old.example\nSelector mail\nKeyFile /etc/dkimkeys/mail.pem\n")
        cls.passwd_file = cls.folder / "dovecot-users"
        cls.passwd_file.write_text(f"cleo:{cls.hash('BLF-CRYPT', 'nile 1')}::::::\nmarc:{cls.hash('SHA512-CRYPT', 'rome 2')}\n"
                                   f"dido@virtual.example:{cls.hash('SSHA512', 'x')}\nhero@virtual.example:{{PLAIN}}sea 4\n")
        cls.options = ("--passwd-file", cls.passwd_file)

    @classmethod
    def tool(cls, name, *words):
        environment = {**os.environ, "LD_LIBRARY_PATH": str(POSTFIX / "usr/lib/postfix")}
        done = ask_tool(POSTFIX / "usr/sbin" / name, "-c", cls.old, *words, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @classmethod
    def postconf(cls, *settings):
        cls.tool("postconf", "-e", *settings)

    @classmethod
    def hash(cls, scheme, password):
        environment = {**os.environ, "LD_LIBRARY_PATH": str(DOVECOT / "usr/lib/dovecot")}
        done = ask_tool(DOVECOT / "usr/bin/doveadm", "-O", "pw", "-s", scheme, "-p", password, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


class Postfix(PostfixCase):
    def test_1_a_plan_tells_all_and_changes_nothing(self):
        fresh = self.folder / "fresh"
        told = self.run_import("--plan", *self.options, config=fresh)
        self.assertFalse(fresh.exists())
        for line in ("plan  user cleo@old.example", "plan  DKIM key mail of old.example", "plan  certificate mx.old.example, a copy",
                     "plan  limits.message_bytes = 30720000", 'plan  listen.submission = ["127.0.0.1:587"]',
                     "plan  sales@old.example: cleo, far@far.example",
                     "plan  cleo@old.example: :lmtp: unix:/var/spool/postfix/private/dovecot-lmtp", "plan  *@virtual.example: marc@old.example",
                     'host = "smtp.relay.example", port = 587, tls = "required", user = "account"',
                     "dido@virtual.example has a password of the scheme SSHA512",
                     "hero@virtual.example has a password in the clear: --clear-passwords",
                     "transport_maps: ways to other servers are [routes]", "shell: there is no shell for programs here",
                     "mailer-daemon: ghost@old.example is neither a user nor an alias here"):
            self.assertIn(line, told)
        for secret in ("pass:word", "sea 4", "$2y$", "PRIVATE"):
            self.assertNotIn(secret, told)

    def test_2_a_fresh_server_is_complete(self):
        fresh, state = self.folder / "fresh", self.folder / "fresh-state"
        words = ("--state-folder", state, *self.options)
        self.run_import(*words, config=fresh)
        checked = ask_tool(TAPAL, "config", "check", "--config", fresh)
        self.assertEqual(0, checked.returncode, checked.stdout + checked.stderr)
        before = contents(fresh)
        again = self.run_import(*words, config=fresh)
        self.assertEqual(before, contents(fresh), "a second run changes nothing")
        self.assertIn("0 carried over, 0 in conflict", again)
        self.assertEqual("pass:word\n", (fresh / "credentials/imported-relay").read_text())
        # Domains as Postfix itself expands them.
        names = self.tool("postconf", "-xh", "mydestination").replace(",", " ").split()
        self.assertIn("old.example", names)
        self.assertEqual({"old.example", "virtual.example"}, {f.name for f in (fresh / "domains").iterdir()})

    def test_3_people_log_in_as_before_and_their_mail_goes_where_it_went(self):
        told = self.run_import("--hostname", self.tapal.host, "--clear-passwords", *self.options, code=1)
        self.assertIn("made  user hero@virtual.example", told)
        self.assertRegex(told, r"!     listen.submission = .*: tapal.toml says otherwise")
        wait_until(lambda: self.log_in("hero@virtual.example", "sea 4") == 235, "hero logs in")
        self.assertNotIn("sea 4", self.users_file("virtual.example"))
        self.assertTrue(self.scram("hero@virtual.example", "sea 4"), "a password in the clear is taken whole")
        self.check_upgrade("cleo@old.example", "nile 1", "$2y$05$")
        self.check_upgrade("marc@old.example", "rome 2", "$6$")
        for address, reached in (("postmaster@old.example", "cleo@old.example"), ("info@virtual.example", "cleo@old.example"),
                                 ("any@virtual.example", "marc@old.example"),
                                 ("cleo+x@old.example", ":lmtp: unix:/var/spool/postfix/private/dovecot-lmtp")):
            tested = self.tapal.command("alias", "test", address)
            self.assertEqual(0, tested.returncode, tested.stdout + tested.stderr)
            self.assertIn(reached, tested.stdout)

    def test_4_a_folder_that_is_none_is_told(self):
        done = self.tapal.command("import", "postfix", self.folder)
        self.assertEqual(1, done.returncode)
        self.assertIn("is no configuration folder of Postfix: ", done.stderr)
        absent = self.tapal.command("import", "postfix", self.old, "--passwd-file", self.folder / "none")
        self.assertEqual(1, absent.returncode)
        self.assertIn(f"{self.folder}/none: No such file", absent.stderr)


if __name__ == "__main__":
    unittest.main()
