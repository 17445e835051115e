"""What every crash trial stands on: a server, a load and a receiver as processes of their own, and the books
that must balance in the end. Everything random comes from one seed.
"""
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import harness  # noqa: E402
from accounts import Accounts  # noqa: E402
from harness import PATIENCE, ROOT, TAPAL, Server, Tapal, Wire, free_port, new_address, wait_until  # noqa: E402

LOAD = os.environ.get("TAPAL_SMTP_LOAD") or str(ROOT / "build/release/bench/smtp_load")
SINK = os.environ.get("TAPAL_SMTP_SINK") or str(ROOT / "build/release/bench/smtp_sink")
DOMAIN = "a.example"
SENDER = f"ann@{DOMAIN}"
LOGS_KEPT = 6


class Skip(Exception):
    """The machine lacks something: told, not failed."""


class Stage:
    """One case: its folder, its random numbers, and what must be ended with it."""

    def __init__(self, name, seed, long=False, say=print):
        for program in (TAPAL, LOAD, SINK):
            if not os.access(program, os.X_OK):
                raise Skip(f"{program} is not there: ./dev build release")
        self.name, self.seed, self.long, self.say = name, seed, long, say
        self.random = random.Random(f"{seed} {name}")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"tapal-crash-{name}-"))
        os.chmod(self.folder, 0o755)
        self._cleanups, self.servers, self._ended_logs = contextlib.ExitStack(), [], 0

    # What harness.Tapal asks of a test case.
    def keep_log(self, server):
        self.servers.append(server)
        if len(self.servers) > LOGS_KEPT:
            self._write_log(self.servers.pop(0))

    def on_end(self, function, *arguments):
        self._cleanups.callback(function, *arguments)

    def _write_log(self, server):
        server.stop()
        self._ended_logs += 1
        (self.folder / f"{self._ended_logs:04}-{server.name}.log").write_text(server.log())

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        for server in self.servers:
            self._write_log(server)
        self._cleanups.close()
        if kind is None or issubclass(kind, Skip):
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            self.say(f"failed: {self.name}, seed {self.seed}, folder kept: {self.folder}\n"
                     f"again: tests/crash/crash.py --seed {self.seed}{' --long' if self.long else ''} {self.name}")

    def check(self, truth, what):
        if not truth:
            raise AssertionError(what)


class Receiver:
    """receiver.py as a process; its ledger outlives it."""

    def __init__(self, stage, rude=0.0):
        self.stage, self.rude = stage, rude
        self.address = new_address()
        self.port = free_port(self.address)
        self.ledger = stage.folder / "ledger"
        self.server = None

    def start(self):
        command = [sys.executable, HERE / "receiver.py", "--listen", f"{self.address}:{self.port}", "--ledger", self.ledger,
                   "--seed", self.stage.random.randrange(1 << 30), "--rude", self.rude]
        self.server = Server("receiver", command)
        self.stage.on_end(self.server.kill)
        self.server.wait_for("listening")
        return self

    def kill(self):
        self.server.kill()


class World:
    """A tapal with everything routed to one receiver, and the books."""

    def __init__(self, stage, settings=None, rude=0.0, state=None):
        self.stage = stage
        self.receiver = Receiver(stage, rude)
        self.tapal = Tapal(stage, DOMAIN, delivery_port=free_port("0.0.0.0"), settings=harness.merged({
            "relay": {"trusted_networks": ["127.0.0.0/8"]},
            "routes": {"sink.example": f"{self.receiver.address}:{self.receiver.port}"},
            "limits": {"connections_max": 20000, "connections_per_address_max": 20000},
            "delivery": {"timeouts": {"final_dot": "10s"}},
            "spool": {"body_file_threshold": "64KiB"},  # larger bodies are files of their own
            **({"state_folder": str(state)} if state else {}),
        }, settings or {}))
        if state:
            self.tapal.state = state
        self.accounts = Accounts(self.receiver.ledger, self.tapal.state / "mail" / DOMAIN / "ann")
        self.loads, self.next_number, self.environment = [], 1, None
        self.start_seconds, self.starts = 0.1, 0

    # ---- the server

    def spawn(self):
        """Starts the server without waiting for it."""
        self.tapal.server = Server(self.tapal.host, [TAPAL, "serve", "--config", self.tapal.config],
                                   **({"env": self.environment} if self.environment else {}))
        self.stage.keep_log(self.tapal.server)
        self.starts += 1

    def start(self):
        began = time.monotonic()
        self.spawn()
        self.tapal.server.wait_for(r"\bready\b")
        self.start_seconds = time.monotonic() - began

    def kill(self):
        self.tapal.kill()
        self.accounts.kills.append(time.monotonic())

    def kill_receiver(self):
        self.receiver.kill()
        self.accounts.kills.append(time.monotonic())

    # ---- the load

    def swallow(self, domain):
        """Mail to this domain goes to a smtp_sink, which takes all and keeps nothing."""
        address = new_address()
        port = free_port(address)
        read, write = os.pipe()  # the sink ends with its input
        sink = Server("sink", [SINK, "--listen", f"{address}:{port}"], stdin=read)
        os.close(read)
        self.stage.on_end(os.close, write)
        self.stage.on_end(sink.kill)
        sink.wait_for("listening")
        self.tapal.set({"routes": {domain: f"{address}:{port}"}})
        return sink

    def load(self, names, count, size, **options):
        """Begins to send `count` messages of `size` bytes, each to the recipients `names` ("ok" is ok-NUMBER)."""
        load = Load(self, names, count, size, options)
        self.loads.append(load)
        return load

    def wait_for_loads(self, seconds=60):
        """Until every message of every load is answered; what was promised goes into the books."""
        for load in self.loads:
            load.wait(seconds)
        done, self.loads = self.loads, []
        return done

    # ---- the end

    def drain(self, seconds=60):
        """Until nothing waits: then every promise must have been kept."""
        def empty():
            if not self.tapal.server.running():
                raise AssertionError(f"the server ended by itself ({self.tapal.server.process.returncode}):\n"
                                     + self.tapal.server.log()[-2000:])
            with contextlib.suppress(AssertionError):
                return self.tapal.queue()["total"] == 0
        end = time.monotonic() + seconds
        while not empty():
            if time.monotonic() > end:
                raise AssertionError(f"the queue is not empty after {seconds} s: {self.tapal.queue()['total']} wait, "
                                     f"{len(self.accounts.pending())} promised recipients are open:\n"
                                     + self.tapal.command("queue", "list").stdout[:2000])
            time.sleep(0.1)
        # What has been tried is out of the queue a moment before its outcome and its notice are kept.
        while self.accounts.pending() and time.monotonic() < end:
            time.sleep(0.2)

    def balance(self):
        totals = self.accounts.totals()
        self.stage.check(not totals.lost, f"LOST {len(totals.lost)}: {totals.lost[:10]}; {totals.line()}")
        self.stage.check(not totals.wrong, f"WRONG {len(totals.wrong)}: {totals.wrong[:10]}; {totals.line()}")
        return totals

    def body_files(self):
        return [p for p in (self.tapal.state / "spool/bodies").rglob("*") if p.is_file()]

    def check_nothing_left(self):
        """After a clean end of an empty queue no body's file is left behind."""
        self.stage.check(self.tapal.server.stop(60) == 0, "a clean stop: " + self.tapal.server.log()[-1000:])
        left = self.body_files()
        self.stage.check(not left, f"{len(left)} body files without a message: {left[:3]}")


class Load:
    """One smtp_load at work."""

    def __init__(self, world, names, count, size, options):
        self.world, self.names = world, names
        self.first = world.next_number
        world.next_number += count
        for number in range(self.first, self.first + count):
            world.accounts.expect(number, [f"{name}-{number}" for name in names])
        self.accepted_file = world.stage.folder / f"accepted-{self.first}"
        tapal = world.tapal
        command = [LOAD, "--server", f"{tapal.address}:{tapal.smtp_port}", "--from", SENDER, "--messages", count,
                   "--size", size, "--first-id", self.first, "--accepted-file", self.accepted_file]
        for name in names:
            command += ["--to", f"{name}-%m@sink.example"]
        if options.pop("tls", False):
            command[2] = f"{tapal.address}:{tapal.submissions_port}"
            command += ["--tls", "implicit", "--tls-ca", tapal.certificate, "--auth", f"{SENDER}:{tapal.password_file}"]
        for key, value in {"connections": 4, "give_up": 40, **options}.items():
            command += [f"--{key.replace('_', '-')}", value]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        world.stage.on_end(self.stop)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def promised(self):
        """The numbers that have been acknowledged so far."""
        with contextlib.suppress(FileNotFoundError):
            text = self.accepted_file.read_text()
            return [int(line) for line in text[:text.rfind("\n") + 1].split()]
        return []

    def wait(self, seconds=60):
        try:
            said, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise AssertionError(f"the load {self.first} did not end within {seconds} s") from None
        for number in self.promised():
            self.world.accounts.promise(number)
        self.world.stage.check(self.process.returncode == 0, f"smtp_load failed: {said}")
        self.result = json.loads(said)
        self.world.stage.check(self.result["refused"] == 0, f"a refusal for good: {self.result}")
        return self.result


# ---- a client that looks at every answer

Answer = tuple  # (stage, code, seconds)


class Prober:
    """Sends single messages and keeps what the server says, with the stage it said it at."""

    def __init__(self, world, size=4096, patience=20.0):
        self.world, self.size, self.patience = world, size, patience
        self.answers = []

    def send(self):
        """(stage, code) of the first answer that was no yes, or ("final", 250)."""
        world = self.world
        number = world.next_number
        world.next_number += 1
        world.accounts.expect(number, [f"ok-{number}"])
        began = time.monotonic()
        stage, code = self._send(number)
        self.answers.append((stage, code, time.monotonic() - began))
        if (stage, code) == ("final", 250):
            world.accounts.promise(number)
        return stage, code

    def _send(self, number):
        stage = "connect"
        try:
            connection = socket.create_connection((self.world.tapal.address, self.world.tapal.smtp_port), self.patience)
            with Wire(connection) as wire:
                said = wire.read_reply()
                if said[:1] != "2":
                    return stage, int(said[:3] or 0)
                for stage, command in (("ehlo", "EHLO probe.example"), ("mail", f"MAIL FROM:<{SENDER}>"),
                                       ("rcpt", f"RCPT TO:<ok-{number}@sink.example>"), ("data", "DATA"),
                                       ("final", self.text(number))):
                    said = wire.say(command)
                    if said[:1] not in ("2", "3"):
                        break
                return stage, int(said[:3] or 0)
        except OSError:
            return stage, 0

    def text(self, number):
        """As smtp_load writes it, so that the receiver can see whether all of it came."""
        header = (f"X-Bench-Id: {number:010} {time.monotonic_ns():020}\r\nMessage-ID: <{number:010}@probe.example>\r\n"
                  f"From: <{SENDER}>\r\nTo: <ok-{number}@sink.example>\r\nSubject: a message of {self.size} bytes\r\n"
                  "Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=us-ascii\r\n\r\n").encode()
        from receiver import filling
        body = filling(self.size - len(header) - 2)
        if body.endswith(b"\r"):
            body = body[:-1] + b"x"
        return header + body + b"\r\n.\r\n"


class Probing:
    """A usual client that goes on in the background, a message every so many seconds."""

    def __init__(self, world, every):
        self.prober, self.every = Prober(world, patience=30), every
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._end.wait(self.every):
            self.prober.send()

    def stop(self):
        """What it was answered."""
        self._end.set()
        self._thread.join(60)
        return self.prober.answers


def pss_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
