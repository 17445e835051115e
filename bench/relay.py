#!/usr/bin/python3
"""Relays 4 KiB messages on 20 connections to a sink, by tapal and by Postfix, one after the other.

Load and sink are Postfix's own smtp-source and smtp-sink. Both servers keep every message on stable
storage before they answer, as they do by default. Needs root: CPU time is taken from control groups.
    ./dev bench relay [MESSAGES]
"""
import os, pathlib, re, shutil, signal, socket, subprocess, sys, tempfile, threading, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TAPAL = ROOT / "build/release/tapal"
TREE = ROOT / "build/peers/postfix"
CONNECTIONS, BYTES, RUNS = 20, 4096, 3
PATIENCE = 180  # seconds for one run


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def await_port(port):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    sys.exit(f"bench: nothing listens on port {port}")


def environment():
    return {**os.environ, "LD_LIBRARY_PATH": f"{TREE}/usr/lib/postfix"}


class Group:
    """The processes of one server, in a control group of their own."""

    def __init__(self, name):
        self.path = pathlib.Path(f"/sys/fs/cgroup/tapal-bench-{os.getpid()}-{name}")
        self.path.mkdir()
        self.peak_kib = 0
        self.watching = True
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()

    def join(self):
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def pids(self):
        return (self.path / "cgroup.procs").read_text().split()

    def cpu_seconds(self):
        return int(re.search(r"usage_usec (\d+)", (self.path / "cpu.stat").read_text())[1]) / 1e6

    def watch(self):
        while self.watching:
            total = 0
            for pid in self.pids():
                try:
                    total += int(re.search(r"Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text())[1])
                except (OSError, TypeError):
                    pass  # ended meanwhile
            self.peak_kib = max(self.peak_kib, total)
            time.sleep(0.2)

    def end(self):
        self.watching = False
        self.watcher.join()
        for pid in self.pids():
            os.kill(int(pid), signal.SIGKILL)
        for _ in range(100):
            if not self.pids():
                break
            time.sleep(0.05)
        self.path.rmdir()


class Sink:
    def __init__(self):
        self.port = free_port()
        # -c prints a running count of sessions and messages.
        self.process = subprocess.Popen([TREE / "usr/sbin/smtp-sink", "-c", f"127.0.0.1:{self.port}", "1000"],
                                        stdout=subprocess.PIPE, env=environment(), start_new_session=True)
        self.messages = 0
        threading.Thread(target=self.count, daemon=True).start()
        await_port(self.port)

    def count(self):
        text = b""
        while piece := os.read(self.process.stdout.fileno(), 4096):
            text = (text + piece)[-200:]
            counts = re.findall(rb"mesg=(\d+)|messages?[= ](\d+)", text) or re.findall(rb"(\d+)", text)
            last = counts[-1]
            number = next(n for n in last if n) if isinstance(last, tuple) else last
            self.messages = int(number)

    def await_messages(self, wanted):
        end = time.monotonic() + PATIENCE
        while self.messages < wanted:
            if time.monotonic() > end:
                sys.exit(f"bench: only {self.messages} of {wanted} messages came through in {PATIENCE} s")
            time.sleep(0.005)

    def end(self):
        self.process.kill()
        self.process.wait()


def start_tapal(folder, port, sink, group, wrapper):
    config = folder / "config"
    subprocess.run([TAPAL, "--config", config, "init", "bench.example", "--state-folder", folder / "state"],
                   check=True, stdout=subprocess.DEVNULL)
    (config / "tapal.toml").write_text(f"""hostname = "mail.bench.example"
state_folder = "{folder}/state"
[listen]
smtp = ["127.0.0.1:{port}"]
submission = []
submissions = []
[relay]
trusted_networks = ["127.0.0.0/8"]
[routes]
"*" = "127.0.0.1:{sink.port}"
""")
    with open(folder / "log", "w") as log:
        return subprocess.Popen([*wrapper, TAPAL, "--config", config, "serve"], stderr=log, preexec_fn=group.join)


def start_postfix(folder, port, sink, group, wrapper):
    for name in ("config", "queue", "data"):
        (folder / name).mkdir()
    shutil.copytree(TREE / "usr/lib/postfix/sbin", folder / "daemons", symlinks=True)
    owner, setgid = "nobody", "nogroup"
    (folder / "config/main.cf").write_text(f"""compatibility_level = 3.6
command_directory = {TREE}/usr/sbin
daemon_directory = {TREE}/usr/lib/postfix/sbin
shlib_directory = {TREE}/usr/lib/postfix
meta_directory = {TREE}/etc/postfix
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = {owner}
setgid_group = {setgid}
import_environment = LD_LIBRARY_PATH={TREE}/usr/lib/postfix MAIL_CONFIG MAIL_LOGTAG TZ
export_environment = LD_LIBRARY_PATH TZ MAIL_CONFIG
myhostname = mail.bench.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{sink.port}
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
smtpd_client_connection_count_limit = 0
default_database_type = hash
alias_maps =
alias_database =
""")
    master = (TREE / "usr/share/postfix/master.cf.dist").read_text()
    lines = []
    for line in master.splitlines():
        fields = line.split()
        if len(fields) > 7 and not line.startswith(("#", " ")):
            fields[4] = "n"  # no chroot
            if fields[0] == "smtp" and fields[1] == "inet":
                fields[0] = str(port)
            line = " ".join(fields)
        lines.append(line)
    (folder / "config/master.cf").write_text("\n".join(lines) + "\n")
    os.chown(folder / "data", *map(int, subprocess.check_output(["sh", "-c", "id -u nobody; id -g nobody"]).split()))
    os.chmod(folder, 0o755)
    subprocess.run([TREE / "usr/sbin/postfix", "-c", folder / "config", "check"], env=environment(), check=False)
    return subprocess.Popen([*wrapper, TREE / "usr/lib/postfix/sbin/master", "-c", folder / "config", "-d"],
                            env={**environment(), "MAIL_CONFIG": str(folder / "config")},
                            stderr=subprocess.DEVNULL, preexec_fn=group.join)


def load(port, messages):
    subprocess.run([TREE / "usr/sbin/smtp-source", "-d", "-s", str(CONNECTIONS), "-m", str(messages), "-l", str(BYTES),
                    "-f", "a@bench.example", "-t", "b@sink.example", f"127.0.0.1:{port}"],
                   env=environment(), check=True)


def measure(name, start, messages, wrapper=()):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tapal-bench-"))
    sink, group, port = Sink(), Group(name), free_port()
    try:
        start(folder, port, sink, group, wrapper)
        await_port(port)
        load(port, CONNECTIONS)
        sink.await_messages(CONNECTIONS)
        cpu, begin = group.cpu_seconds(), time.monotonic()
        load(port, messages)
        accepted = time.monotonic() - begin
        sink.await_messages(CONNECTIONS + messages)
        took = time.monotonic() - begin
        return {"accepted/s": messages / accepted, "messages/s": messages / took,
                "CPU s/1000": (group.cpu_seconds() - cpu) / messages * 1000, "peak PSS MB": group.peak_kib / 1024}
    finally:
        group.end()
        sink.end()
        shutil.rmtree(folder, ignore_errors=True)


def count_syncs(name, start, messages):
    """A run of its own: tracing slows it down, so nothing else is taken from it."""
    trace = pathlib.Path(tempfile.mkstemp(prefix="tapal-bench-syncs-")[1])
    measure(name, start, messages, ("strace", "-f", "-e", "trace=fsync,fdatasync,sync_file_range,msync", "-o", trace))
    count = len(re.findall(r"(?:fsync|fdatasync)\(", trace.read_text()))
    trace.unlink()
    return count / (messages + CONNECTIONS)


def median_run(runs):
    return sorted(runs, key=lambda r: r["messages/s"])[len(runs) // 2]


def main():
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    if os.geteuid() != 0:
        sys.exit("bench: needs root, for control groups and Postfix")
    results = {}
    for name, start in (("tapal", start_tapal), ("postfix", start_postfix)):
        results[name] = median_run([measure(name, start, messages) for _ in range(RUNS)])
        results[name]["syncs/message"] = count_syncs(name, start, 500)
    print(f"relay of {messages} messages of {BYTES} bytes on {CONNECTIONS} connections, median of {RUNS} runs\n")
    columns = list(results["tapal"])
    print(f"{'':10}" + "".join(f"{c:>16}" for c in columns))
    for name, row in results.items():
        print(f"{name:10}" + "".join(f"{row[c]:16.3f}" for c in columns))
    print(f"{'ratio':10}" + "".join(f"{results['tapal'][c] / results['postfix'][c]:16.3f}" for c in columns))


if __name__ == "__main__":
    main()
