"""What every end-to-end test stands on: a folder of its own, addresses and ports of its own, servers
that are started, waited for and stopped, and waiting that polls and gives up.

Every wait has a bound; nothing sleeps blindly. Only processes started here are ended.
"""
import contextlib
import itertools
import json
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TAPAL = os.environ.get("TAPAL_BINARY") or str(ROOT / "build/release/tapal")
PEERS = ROOT / "build/peers"
NODE = ROOT / "tests/node"
PATIENCE = float(os.environ.get("TAPAL_TEST_PATIENCE", "30"))  # seconds; a slow machine needs more
PASSWORD = "correct horse 9"

# A job in the background is started deaf to Ctrl-C, and so would be what it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_until(ask, what, seconds=None):
    """The first true answer of ask(); fails after `seconds`."""
    end = time.monotonic() + (seconds or PATIENCE)
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds or PATIENCE:.0f} s: {what}")
        time.sleep(0.02)


# Loopback addresses and ports nobody else has. Each process of the test run draws its own network
# 127.x.y.0; ports stay below those that the kernel gives out by itself.
_random = random.SystemRandom()
_network = f"127.{_random.randint(1, 254)}.{_random.randint(0, 254)}"
_hosts = itertools.count(1)


def new_address():
    return f"{_network}.{next(_hosts)}"


def free_port(*addresses):
    for _ in range(200):
        port = _random.randint(12000, 31000)
        with contextlib.ExitStack() as stack:
            try:
                for address in addresses or ("127.0.0.1",):
                    family = socket.AF_INET6 if ":" in address else socket.AF_INET
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        probe = stack.enter_context(socket.socket(family, kind))
                        probe.bind((address, port))
            except OSError:
                continue
        return port
    raise AssertionError(f"no free port at {addresses}")


def have_ipv6_loopback():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def ask_tool(*words, **options):
    """Runs a program to its end; its result with text output."""
    options.setdefault("timeout", PATIENCE * 4)
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, **options)


class Server:
    """A child process whose output is kept and can be waited for."""

    def __init__(self, name, command, **options):
        self.name, self.lines, self._lock = name, [], threading.Lock()
        options.setdefault("stdin", subprocess.DEVNULL)
        self.process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True, **options)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._lock:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))

    def log(self):
        with self._lock:
            return "\n".join(self.lines)

    def running(self):
        return self.process.poll() is None

    def wait_for(self, pattern, seconds=None, after=0):
        """The first log line, from number `after` on, that the pattern is found in."""
        seen = re.compile(pattern)

        def look():
            with self._lock:
                lines = self.lines[after:]
            found = next((line for line in lines if seen.search(line)), None)
            if found is None and not self.running():
                self._reader.join(2)
                found = next((line for line in self.log().split("\n")[after:] if seen.search(line)), None)
                if found is None:
                    raise AssertionError(f"{self.name} ended ({self.process.returncode}) before: {pattern}")
            return found
        return wait_until(look, f"{self.name} logs {pattern}", seconds)

    def mark(self):
        with self._lock:
            return len(self.lines)

    def kill(self):
        if self.running():
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(5)

    def stop(self, seconds=30):
        """SIGTERM; its exit code. Killed, and None, when that takes too long."""
        if self.running():
            self.process.terminate()
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        # Children that outlived it (Postfix, knot's workers) are of its session.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(5)
        return code


def toml(settings):
    """A nested dict as TOML: plain values first, then tables."""
    def value(v):
        return json.dumps(v)  # the two agree on what is used here

    lines = [f"{k} = {value(v)}" for k, v in settings.items() if not isinstance(v, dict)]

    def table(path, content):
        lines.append("[" + ".".join(path) + "]")
        lines.extend(f"{json.dumps(k)} = {value(v)}" for k, v in content.items() if not isinstance(v, dict))
        for k, v in content.items():
            if isinstance(v, dict):
                table([*path, json.dumps(k)], v)
    for k, v in settings.items():
        if isinstance(v, dict):
            table([k], v)
    return "\n".join(lines) + "\n"


def merged(base, over):
    out = dict(base)
    for k, v in over.items():
        out[k] = merged(out[k], v) if isinstance(v, dict) and isinstance(out.get(k), dict) else v
    return out


class Mailboxes:
    """What a receiving server keeps: mailbox(user) gives the messages as bytes."""

    def wait_for_mail(self, user, count=1, seconds=None):
        return wait_until(lambda: len(box := self.mailbox(user)) >= count and box,
                          f"{count} messages for {user} at {self.host}", seconds)

    def wait_for_mail_with(self, user, text, seconds=None):
        return wait_until(lambda: next((m for m in self.mailbox(user) if text in m), None),
                          f"a message with {text} for {user} at {self.host}", seconds)


class Tapal(Mailboxes):
    """One tapal: its folders, its settings, and the process while it runs."""

    def __init__(self, case, domain, users=("ann",), settings=None, delivery_port=25, address=None):
        self.domain, self.host = domain, f"mail.{domain}"
        self.folder = case.folder / domain
        self.config, self.state = self.folder / "config", self.folder / "state"
        self.address = address or new_address()
        self.smtp_port = delivery_port if delivery_port > 1024 else free_port(self.address)
        self.submission_port = free_port(self.address)
        self.submissions_port = free_port(self.address)
        self.server, self._case = None, case
        self.folder.mkdir()
        self.password_file = self.folder / "password"
        self.password_file.write_text(PASSWORD + "\n")
        made = self.command("init", domain, "--hostname", self.host, "--user", users[0], "--state-folder", self.state,
                            "--password-file", self.password_file)
        if made.returncode:
            raise AssertionError(f"tapal init failed: {made.stdout}{made.stderr}")
        self.settings = {
            "hostname": self.host,
            "state_folder": str(self.state),
            "listen": {"smtp": [f"{self.address}:{self.smtp_port}"],
                       "submission": [f"{self.address}:{self.submission_port}"],
                       "submissions": [f"{self.address}:{self.submissions_port}"]},
            "delivery": {"port": delivery_port, "allow_private_addresses": True,
                         "timeouts": {"connect": "5s"}, "retry_after_lost_reply": "1s"},
            "shaping": {"down_at_first": "1s", "down_max": "1s"},
            "queue": {"retry": ["1s"], "retry_then_every": "1s", "jitter": 0, "disk_reserve": "1MiB"},
            "resolver": {"trust_anchor_file": "", "timeout": "5s", "server_timeout": "1s"},
            "auth": {"password_memory": "64KiB", "password_passes": 1},
            "programs": {"user": pwd.getpwuid(os.geteuid()).pw_name},
        }
        self.set(settings or {})
        for user in users[1:]:
            self.add_user(f"{user}@{domain}")

    @property
    def certificate(self):
        return self.config / "certs" / self.host / "fullchain.pem"

    def set(self, settings):
        self.settings = merged(self.settings, settings)
        (self.config / "tapal.toml").write_text(toml(self.settings))

    def command(self, *words, **options):
        return ask_tool(TAPAL, *words, "--config", self.config, **options)

    def add_user(self, address):
        done = self.command("user", "add", address, "--password-file", self.password_file)
        if done.returncode:
            raise AssertionError(done.stderr)

    def write(self, name, text):
        path = self.config / "domains" / self.domain / name
        path.write_text(text)
        return path

    def dns_records(self):
        """What this domain publishes, as zone text."""
        dkim = self.command("dkim", "dns", self.domain)
        if dkim.returncode:
            raise AssertionError(dkim.stderr)
        return (f"{self.domain}. 60 IN MX 10 {self.host}.\n{self.host}. 60 IN A {self.address}\n"
                + dkim.stdout)

    def start(self, dns=None):
        if dns is not None:
            self.set({"resolver": {"servers": [dns.endpoint]}})
        self.server = Server(self.host, [TAPAL, "serve", "--config", self.config])
        self._case.keep_log(self.server)
        self.server.wait_for(r"\bready\b")
        return self

    def stop(self):
        if self.server is None:
            return 0
        return self.server.stop()

    def kill(self):
        self.server.kill()

    def pid(self):
        return self.server.process.pid

    def mailbox(self, user):
        """The messages in a user's mailbox, as bytes."""
        folder = self.state / "mail" / self.domain / user
        return [f.read_bytes() for part in ("new", "cur") for f in sorted((folder / part).glob("*"))]

    def queue(self):
        listed = self.command("queue", "list", "--json")
        if listed.returncode:
            raise AssertionError(listed.stderr)
        return json.loads(listed.stdout)

    def wait_for_empty_queue(self, seconds=None):
        wait_until(lambda: self.queue()["total"] == 0, f"the queue of {self.host} is empty", seconds)

    def tls(self):
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.check_hostname = False  # the tests reach it by its address
        return context

    def client(self, user="ann", timeout=None, login=True):
        """smtplib, connected over TLS and logged in."""
        session = smtplib.SMTP_SSL(self.address, self.submissions_port, local_hostname="client.example",
                                   context=self.tls(), timeout=timeout or PATIENCE)
        if login:
            session.login(f"{user}@{self.domain}", PASSWORD)
        return session

    def submit(self, to, text=None, sender=None, **options):
        """Submits one message over TLS; the queue id that the server gave."""
        to = [to] if isinstance(to, str) else to
        sender = sender or f"ann@{self.domain}"
        text = text or message(sender, to[0])
        with self.client(sender.split("@")[0]) as session:
            session.ehlo_or_helo_if_needed()
            code, reply = session.mail(sender, options.get("mail_options", ()))
            if code != 250:
                raise smtplib.SMTPSenderRefused(code, reply, sender)
            for one in to:
                code, reply = session.rcpt(one, options.get("rcpt_options", ()))
                if code != 250:
                    raise smtplib.SMTPRecipientsRefused({one: (code, reply)})
            code, reply = session.data(text)
            if code != 250:
                raise smtplib.SMTPDataError(code, reply)
        return re.search(rb"queued as (\S+)", reply)[1].decode()


def message(sender, to, subject="a test", body="Hello.\n", extra=""):
    text = f"From: <{sender}>\nTo: <{to}>\nSubject: {subject}\n{extra}\n{body}"
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()


def header_of(raw):
    return raw.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].decode(errors="replace")


def raw_session(address, port, tls=None, timeout=None):
    """A bare connection for dialogues that no library would speak."""
    return Wire(socket.create_connection((address, port), timeout or PATIENCE), tls)


class Wire:
    def __init__(self, connection, tls=None):
        self.socket = tls.wrap_socket(connection) if tls else connection
        self.file = self.socket.makefile("rb")

    def read_reply(self):
        """One whole reply as text; '' when the other side closed."""
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                return "\n".join(lines)
            lines.append(line.decode(errors="replace").rstrip("\r\n"))
            if line[3:4] != b"-":
                return "\n".join(lines)

    def say(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else (text + "\r\n").encode())
        return self.read_reply()

    def start_tls(self, tls):
        self.file.close()
        self.socket = tls.wrap_socket(self.socket)
        self.file = self.socket.makefile("rb")

    def close(self):
        with contextlib.suppress(OSError):
            self.file.close()
            self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Case(unittest.TestCase):
    """A test class with a folder; what it started is stopped, and on failure the logs are shown."""
    longMessage = True
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tapal-e2e-"))
        os.chmod(cls.folder, 0o755)  # servers that give up root's rights walk through it
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.delivery_port = free_port("0.0.0.0", *(["::1"] if have_ipv6_loopback() else []))
        cls.logs = []
        if not os.access(TAPAL, os.X_OK):
            raise AssertionError(f"{TAPAL} is not there: ./dev build release")
        try:
            cls.prepare()
        except unittest.SkipTest:
            raise
        except BaseException:
            cls.show_logs("the test class could not be set up")
            raise

    @classmethod
    def prepare(cls):
        """What the tests of the class share."""

    @classmethod
    def keep_log(cls, server):
        cls.logs.append([server, 0])
        cls.addClassCleanup(server.stop)

    @classmethod
    def show_logs(cls, why):
        print(f"\n==== {cls.__name__}: {why}")
        for entry in cls.logs:
            server = entry[0]
            lines = server.log().split("\n")[entry[1]:]
            print(f"---- log of {server.name}" + ("" if server.running() else f" (ended: {server.process.returncode})"))
            print("\n".join(lines[-150:]))
        print("====", flush=True)

    def run(self, result=None):
        bad = len(result.failures) + len(result.errors)
        for entry in self.logs:
            entry[1] = entry[0].mark()
        super().run(result)
        if len(result.failures) + len(result.errors) > bad:
            self.show_logs(self._testMethodName)
        return result

    @classmethod
    def new_tapal(cls, domain, **options):
        options.setdefault("delivery_port", cls.delivery_port)
        server = Tapal(cls, domain, **options)
        return server
