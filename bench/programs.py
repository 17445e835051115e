"""The load generator and the sink, as Python sees them."""
import contextlib
import json
import os
import pathlib
import select
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Trouble(Exception):
    """A measurement that cannot be had; the text says why."""


def program(name):
    folder = pathlib.Path(os.environ.get("TAPAL_BENCH_PROGRAMS") or ROOT / "build/release/bench")
    path = folder / name
    if not os.access(path, os.X_OK):
        raise Trouble(f"{path} is not there: ./dev build")
    return path


def free_port(address="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def wait_until(ask, what, seconds=30):
    end = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > end:
            raise Trouble(f"not within {seconds} s: {what}")
        time.sleep(0.02)
    return answer


def answers(port, address="127.0.0.1"):
    """Whether a mail server greets there; under TLS from the first byte, whether it accepts."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), 2) as probe:
        probe.settimeout(0.5)
        try:
            return probe.recv(4) == b"220 "
        except TimeoutError:
            return True
    return False


def answers_at_all(port, address="127.0.0.1"):
    with contextlib.suppress(OSError):
        socket.create_connection((address, port), 2).close()
        return True
    return False


class Lines:
    """A child's output, read a line at a time with a time limit."""

    def __init__(self, process):
        self.process, self.rest = process, b""

    def next(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                return None
            self.rest += piece
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()


class Sink:
    def __init__(self, certificate=None, key=None, port=0, address="127.0.0.1", chunking=True):
        tls = ["--tls-certificate", certificate, "--tls-key", key] if certificate else []
        plain = [] if chunking else ["--without-chunking"]
        self.process = subprocess.Popen([program("smtp_sink"), "--listen", f"{address}:{port}", *map(str, tls), *plain],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = Lines(self.process)
        line = self.lines.next(10)
        if not line:
            raise Trouble("the sink does not start")
        self.port = int(line.rpartition(":")[2])

    def order(self, text, seconds=10):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()
        return self.lines.next(seconds)

    def report(self):
        return json.loads(self.order("report"))

    def reset(self):
        self.order("reset")

    def last_header(self):
        """The header of the message that came last, a Return-Path on top."""
        line, lines = self.order("last"), []
        while line and line != ".\r":
            lines.append(line.rstrip("\r"))
            line = self.lines.next(10)
        return "\n".join(lines)

    def await_messages(self, count, seconds):
        """The report when `count` different messages have come, or as it is when the time is over."""
        line = self.order(f"await {count}", seconds)
        if line:
            return json.loads(line)
        late = json.loads(self.order("report"))
        late["late"] = True
        return late

    def end(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def words(options):
    """Options as smtp_load's command line has them, `_` for `-`."""
    return [word for name, value in options.items() for one in (value if isinstance(value, list) else [value])
            for word in ("--" + name.replace("_", "-"), str(one))]


def run_load(line, seconds):
    done = subprocess.run([program("smtp_load"), *line], stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds)
    if done.returncode or not done.stdout:
        raise Trouble(f"smtp_load: {done.stderr.decode().strip()}")
    return done.stdout


def load(port, seconds, **options):
    """Runs the generator to its end."""
    return json.loads(run_load(["--server", f"127.0.0.1:{port}", "--give-up", str(seconds), *words(options)], seconds + 90))


def printed(**options):
    """The message that these options send, as bytes."""
    return run_load(["--print", *words(options)], 10)


class IdleCrowd:
    """Connections that are held until end()."""

    def __init__(self, port, count, seconds, **options):
        self.process = subprocess.Popen([program("smtp_load"), "--server", f"127.0.0.1:{port}", "--idle", str(count),
                                         "--give-up", str(seconds), *words(options)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = Lines(self.process)
        line = self.lines.next(seconds + 90)
        if not line:
            self.process.kill()
            raise Trouble("the idle connections do not come to stand")
        self.opened = json.loads(line)

    def end(self):
        self.process.stdin.close()
        dropped = json.loads(self.lines.next(20) or '{"dropped": -1}')["dropped"]
        self.process.wait(30)
        return dropped
