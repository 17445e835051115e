"""What is measured: one function for each kind of case, which runs one server once."""
import contextlib
import dataclasses
import email
import email.policy
import pathlib
import re
import shutil
import tempfile
import time

import author
import credentials
from dns import LOCAL_DNS
from peers.peer import DOMAIN, USER, Work
from process_group import ProcessGroup
from programs import IdleCrowd, Sink, Trouble, answers, free_port, load, wait_until

CONNECTIONS = 20
SETTLE_SECONDS = 0.5  # for what a server still does when the sink has everything
SYNC_CALLS = "fsync,fdatasync,syncfs,msync"


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    title: str
    kind: str = "throughput"
    size: int = 4096
    connections: int = CONNECTIONS
    messages_per_connection: int = 0
    submission: bool = False
    forwarding: bool = False
    idle_tls: bool = False


ALL = {case.name: case for case in (
    Case("relay", "relay of 4 KiB on 20 connections"),
    Case("relay-large", "relay of 100 KiB on 20 connections", size=100 * 1024),
    Case("connections", "relay of 4 KiB, a connection for each message, 20 at a time", messages_per_connection=1),
    Case("submission", "4 KiB over TLS with AUTH on 20 connections, signed with RSA-2048, relayed over STARTTLS", submission=True),
    Case("forward", "4 KiB of a signed author on 20 connections: SPF, DKIM, DMARC checked, forwarded by an alias", forwarding=True),
    Case("single", "one client, one message of 4 KiB at a time", connections=1),
    Case("idle", "idle connections in clear", kind="idle"),
    Case("idle-tls", "idle connections under TLS", kind="idle", idle_tls=True),
    Case("backlog", "a backlog: target down, restart, target up", kind="backlog"),
)}


def left_out(peer, case):
    """Why a server has no part in a case, or nothing."""
    if case.forwarding and not peer.forwards:
        return "not set up to check and rewrite mail"
    return peer.cannot(case.name)


@dataclasses.dataclass
class Plan:
    """How much of it."""
    seconds: float = 10      # that a throughput run is to take, about
    messages: int = 0        # in place of what fits into these seconds
    idle: int = 10000
    domains: int = 10000     # of a backlog
    patience: float = 90     # for anything that does not come
    keep: bool = False       # the servers' folders, to look at
    chunking: bool = True    # offered by the sink


class Stage:
    """A folder, a process group and a port for one server; the sink may come and go."""

    def __init__(self, peer, case, plan, **changes):
        self.peer, self.case, self.plan = peer, case, plan
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"tapal-bench-{peer.name}-", dir="/var/tmp"))
        self.folder.chmod(0o755)  # for servers that give up root's rights
        self.sink = None
        self.work = Work(folder=self.folder, group=ProcessGroup(peer.name), port=free_port(), sink_port=free_port(),
                         submission=case.submission, forwarding=case.forwarding, idle_tls=case.idle_tls,
                         **credentials.all_of_them(), **changes)

    def start_sink(self):
        tls = (self.work.certificate, self.work.key) if self.case.submission else ()
        self.sink = Sink(*tls, port=self.work.sink_port, chunking=self.plan.chunking)

    def start_server(self):
        self.peer.start(self.work)
        wait_until(lambda: answers(self.work.port) or not self.work.group.running(), f"{self.peer.name} answers", 60)
        if not self.work.group.running():
            raise Trouble(f"{self.peer.name} ended at its start: {self.last_words()}")

    def last_words(self):
        texts = [path.read_text(errors="replace") for path in sorted(self.folder.glob("log*")) if path.is_file()]
        return " | ".join("".join(texts).strip().splitlines()[-5:])

    def load_options(self):
        options = {"size": self.case.size, "connections": self.case.connections,
                   "messages_per_connection": self.case.messages_per_connection,
                   "from": "someone@source.example",  # nobody's here: what tapal relays for its own users it signs
                   "greeting_patience": self.peer.greeting_patience, "to": "someone@d%d.bench.example"}
        if self.case.forwarding:
            mail = {"size": self.case.size, "from": author.ADDRESS, "to": f"anybody@{DOMAIN}"}
            options |= mail | {"header_file": author.signature(self.folder, **mail)}
        if self.case.submission or self.peer.login_always:
            options |= {"from": USER, "tls": self.peer.tls_in, "tls_ca": self.work.certificate,
                        "auth": f"{USER}:{self.work.password_file}"}
        return options

    def send(self, messages, seconds, **more):
        result = load(self.work.port, seconds, messages=messages, **(self.load_options() | more))
        if result["accepted"] < messages:
            raise Trouble(f"{self.peer.name} took {result['accepted']} of {messages} messages in {seconds:.0f} s: "
                          f"{result['first_trouble'] or self.last_words()}")
        return result

    def end(self):
        self.work.group.remove()
        if self.sink:
            self.sink.end()
        if not self.plan.keep:
            shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def staged(peer, case, plan, **changes):
    stage = Stage(peer, case, plan, **changes)
    try:
        yield stage
    finally:
        stage.end()


def disk_flushes(folder):
    """Flush requests that the folder's disk has got, from all of the machine; 0 where the system does not tell."""
    device = pathlib.Path(folder).stat().st_dev
    with contextlib.suppress(OSError, IndexError):
        return int(pathlib.Path(f"/sys/dev/block/{device >> 8}:{device & 255}/stat").read_text().split()[15])
    return 0


def check_forwarded(stage):
    """What came last must have been checked and rewritten: who does less is fast for nothing."""
    mail = email.message_from_string(stage.sink.last_header(), policy=email.policy.default)
    results = " ".join(mail.get_all("Authentication-Results", []))
    found = {"an SRS return path": re.fullmatch(rf"<SRS0=\S+@{re.escape(DOMAIN)}>", mail["Return-Path"] or ""),
             "SPF": re.search(r"\bspf=pass\b", results), "DKIM": re.search(r"\bdkim=pass\b", results),
             "DMARC": re.search(r"\bdmarc=pass\b", results)}
    if missing := [what for what, match in found.items() if not match]:
        raise Trouble(f"{stage.peer.name}: {', '.join(missing)} missing in what was forwarded: {mail['Return-Path']}, {results}")


def warm_up(stage):
    """Sends a little, so that processes, connections and keys are there; gives messages/s."""
    plan, messages = stage.plan, 2 * stage.case.connections
    first = stage.send(messages, plan.patience)
    report = stage.sink.await_messages(messages, plan.patience)
    if report.get("late"):
        raise Trouble(f"{stage.peer.name}: {report['distinct']} of {messages} messages came: {stage.last_words()}")
    if stage.case.forwarding:
        check_forwarded(stage)
    stage.sink.reset()
    began = time.monotonic()
    while time.monotonic() - began < 1.5 and messages < 3000:
        first = stage.send(messages, plan.patience)
        report = stage.sink.await_messages(messages, plan.patience)
        stage.sink.reset()
        messages *= 2
    return report["distinct"] * 1e9 / max(1, report["last_at_ns"] - first["began_ns"])


def throughput(peer, case, plan):
    with staged(peer, case, plan) as stage:
        stage.start_sink()
        stage.start_server()
        rate = warm_up(stage)
        messages = plan.messages or max(2 * case.connections, int(rate * plan.seconds))
        sink_cpu = stage.sink.report()["cpu_seconds"]
        group, cpu, flushes = stage.work.group, stage.work.group.cpu_seconds(), disk_flushes(stage.folder)
        with group.watching_memory():
            sent = stage.send(messages, plan.patience)
            report = stage.sink.await_messages(messages, plan.patience)
        time.sleep(SETTLE_SECONDS)
        if report.get("late"):
            raise Trouble(f"{peer.name}: only {report['distinct']} of {messages} messages came in {plan.patience:.0f} s")
        if case.forwarding:
            check_forwarded(stage)
        if case.submission and report["unsigned"]:
            raise Trouble(f"{peer.name}: {report['unsigned']} of {messages} messages came without a DKIM signature")
        seconds = (report["last_at_ns"] - sent["began_ns"]) / 1e9
        return {
            "messages": messages, "messages_per_s": messages / seconds, "accepted_per_s": messages / sent["seconds"],
            "cpu_s_per_1000": (group.cpu_seconds() - cpu) * 1000 / messages, "peak_pss_mb": group.peak_pss_kib / 1024,
            "processes": len(group.pids()),
            "latency_p50_ms": report["latency_ms"]["p50"], "latency_p99_ms": report["latency_ms"]["p99"],
            "accept_p50_ms": sent["accept_ms"]["p50"], "accept_p99_ms": sent["accept_ms"]["p99"],
            "flushes_per_message": (disk_flushes(stage.folder) - flushes) / messages,
            "connections_out_per_message": report["connections"] / messages,
            "tls_out_resumed": report["tls_resumed"], "duplicates": report["duplicates"],
            "unsigned": report["unsigned"], "refused_4xx": sent["deferred"], "lost": sent["lost"],
            "load_cpu_s_per_1000": sent["cpu_seconds"] * 1000 / messages,
            "sink_cpu_s_per_1000": (report["cpu_seconds"] - sink_cpu) * 1000 / messages,
        }


def syncs(peer, case, plan):
    """Calls per message that wait for the disk, from a short run of its own: tracing slows a server down."""
    messages = 10 * case.connections if case.connections > 1 else 50
    trace = pathlib.Path(tempfile.mkstemp(prefix="tapal-bench-syncs-", dir="/var/tmp")[1])
    wrapper = ("strace", "-f", "--seccomp-bpf", "-qq", "-o", str(trace), "-e", f"trace={SYNC_CALLS}", "-e", "signal=none")
    try:
        with staged(peer, case, plan, trace=wrapper) as stage:
            stage.start_sink()
            stage.start_server()
            stage.send(case.connections, plan.patience)
            stage.sink.await_messages(case.connections, plan.patience)
            time.sleep(SETTLE_SECONDS)
            stage.sink.reset()
            before = count_calls(trace)
            stage.send(messages, plan.patience)
            stage.sink.await_messages(messages, plan.patience)
            time.sleep(SETTLE_SECONDS)
            return (count_calls(trace) - before) / messages
    finally:
        trace.unlink()


def count_calls(trace):
    return len(re.findall(rf"\b(?:{SYNC_CALLS.replace(',', '|')})\(", trace.read_text(errors="replace")))


def ceiling(case, plan):
    """The load generator straight into the sink."""
    secrets = credentials.all_of_them()
    tls = {"tls": "starttls", "tls_ca": secrets["certificate"]} if case.submission else {}
    sink = Sink(*((secrets["certificate"], secrets["key"]) if case.submission else ()), chunking=plan.chunking)
    try:
        options = {"size": case.size, "connections": case.connections,
                   "messages_per_connection": case.messages_per_connection, **tls}
        first = load(sink.port, 30, messages=500, **options)
        sink.reset()
        messages = max(500, int(500 / first["seconds"] * 2))
        sent = load(sink.port, 30, messages=messages, **options)
        report = sink.await_messages(messages, 30)
        return {"messages_per_s": messages * 1e9 / (report["last_at_ns"] - sent["began_ns"]),
                "latency_p50_ms": report["latency_ms"]["p50"], "latency_p99_ms": report["latency_ms"]["p99"]}
    finally:
        sink.end()


def idle(peer, case, plan):
    count = min(plan.idle, peer.idle_max)
    with staged(peer, case, plan, idle=count) as stage:
        stage.start_server()
        options = {"greeting_patience": peer.greeting_patience}
        if case.idle_tls:
            options |= {"tls": peer.tls_in, "tls_ca": stage.work.certificate}
        group, port = stage.work.group, stage.work.port
        IdleCrowd(port, 10, plan.patience, **options).end()
        time.sleep(SETTLE_SECONDS)
        base, cpu = group.pss_kib(), group.cpu_seconds()
        crowd = IdleCrowd(port, count, plan.patience, **options)
        try:
            time.sleep(2)  # TLS tickets are read, buffers are given back
            full, cpu_open = group.pss_kib(), group.cpu_seconds()
            time.sleep(2)
            cpu_idle = group.cpu_seconds()
        finally:
            dropped = crowd.end()
        established = crowd.opened["established"] - dropped
        if established <= 0:
            raise Trouble(f"no connection stands: {crowd.opened['trouble'] or stage.last_words()}")
        return {"asked": count, "established": established, "open_seconds": crowd.opened["seconds"],
                "base_pss_mb": base / 1024, "pss_mb": full / 1024, "kib_per_connection": (full - base) / established,
                "open_cpu_ms_each": (cpu_open - cpu) * 1000 / established, "idle_cpu_percent": (cpu_idle - cpu_open) * 50}


def backlog(peer, case, plan):
    messages = plan.messages or peer.backlog
    dns = f"{LOCAL_DNS.start()}:53" if peer.many_domains and LOCAL_DNS.available() else ""
    domains = min(plan.domains, messages) if dns else 1
    with staged(peer, case, plan, dns=dns) as stage:
        stage.start_server()
        group = stage.work.group
        sent = load(stage.work.port, plan.patience, messages=messages, domains=domains, **stage.load_options())
        waiting, cpu = sent["accepted"], group.cpu_seconds()
        time.sleep(2)
        pss = group.pss_kib()
        time.sleep(1)
        idle_cpu = group.cpu_seconds()
        time.sleep(2)
        idle_cpu = group.cpu_seconds() - idle_cpu
        group.end(30)
        stage.start_sink()
        restart, cpu_before = time.monotonic_ns(), group.cpu_seconds()
        stage.start_server()
        opened = time.monotonic_ns()
        with group.watching_memory():
            peer.flush(stage.work)
            report = stage.sink.await_messages(waiting, plan.patience)
        drained = report["distinct"]
        if not drained:
            raise Trouble(f"{peer.name}: nothing came of {waiting} messages in {plan.patience:.0f} s")
        queued = peer.waiting(stage.work)
        if queued is not None and drained + queued < waiting:
            raise Trouble(f"{peer.name}: of {waiting} messages {drained} came and {queued} wait: the others are lost")
        return {
            "messages": messages, "waiting": waiting, "domains": domains, "accepted_per_s": waiting / sent["seconds"],
            "in_cpu_s_per_1000": cpu * 1000 / max(1, waiting), "pss_mb": pss / 1024,
            "idle_cpu_percent": idle_cpu * 50, "restart_seconds": (opened - restart) / 1e9,
            "first_delivery_seconds": (report["first_at_ns"] - restart) / 1e9, "drained": drained,
            "drain_per_s": drained * 1e9 / max(1, report["last_at_ns"] - report["first_at_ns"]),
            "drain_cpu_s_per_1000": (group.cpu_seconds() - cpu_before) * 1000 / drained,
            "drain_peak_pss_mb": group.peak_pss_kib / 1024, "duplicates": report["duplicates"],
            "unreached": waiting - drained,
        }


RUN = {"throughput": throughput, "idle": idle, "backlog": backlog}
