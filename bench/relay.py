#!/usr/bin/python3
"""Relays 4 KiB messages on 20 connections to a sink, by tapal and by Postfix, one after the other.

Neither signs. Load and sink are Postfix's own smtp-source and smtp-sink. Both servers keep every message on stable
storage before they answer, as they do by default. Needs root, as Postfix does.
    ./dev bench relay [MESSAGES]
"""
import grp, os, pathlib, pwd, re, shutil, signal, socket, subprocess, sys, tempfile, threading, time

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


class Tree:
    """A server's process and its descendants: their CPU time and memory."""

    def __init__(self, process):
        self.process = process
        self.peak_kib = 0
        self.watching = True
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()

    def stats(self):
        """The fields of /proc/PID/stat from the state on, of each process of the tree."""
        all_of_them = {}
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                all_of_them[int(path.parent.name)] = path.read_text().rpartition(")")[2].split()
            except OSError:
                pass  # ended meanwhile
        wanted, grown = {self.process.pid}, True
        while grown:
            more = {pid for pid, fields in all_of_them.items() if int(fields[1]) in wanted}
            grown = not more <= wanted
            wanted |= more
        return {pid: all_of_them[pid] for pid in wanted if pid in all_of_them}

    def cpu_seconds(self):
        # utime, stime, and those of children that have ended and were waited for
        ticks = sum(sum(map(int, fields[11:15])) for fields in self.stats().values())
        return ticks / os.sysconf("SC_CLK_TCK")

    def watch(self):
        while self.watching:
            total = 0
            for pid in self.stats():
                try:
                    total += int(re.search(r"Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text())[1])
                except (OSError, TypeError):
                    pass  # ended meanwhile
            self.peak_kib = max(self.peak_kib, total)
            time.sleep(0.2)

    def end(self):
        self.watching = False
        self.watcher.join()
        for pid in self.stats():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


class Sink:
    def __init__(self):
        self.port = free_port()
        # -c prints a running count of sessions and messages.
        self.process = subprocess.Popen([TREE / "usr/sbin/smtp-sink", "-u", "nobody", "-c", f"127.0.0.1:{self.port}", "1000"],
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


def start_tapal(folder, port, sink, wrapper):
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
        return subprocess.Popen([*wrapper, TAPAL, "--config", config, "serve"], stderr=log)


def start_postfix(folder, port, sink, wrapper):
    """Stock settings from an unpacked package; its daemons run as users that every system has."""
    libraries, nobody, mail = TREE / "usr/lib/postfix", pwd.getpwnam("nobody"), grp.getgrnam("mail")
    for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved",
                 "trace", "maildrop", "public"):
        (folder / "queue" / name).mkdir(parents=True)
        group = mail.gr_gid if name in ("maildrop", "public") else nobody.pw_gid
        os.chown(folder / "queue" / name, nobody.pw_uid, group)
    (folder / "queue/pid").mkdir()
    (folder / "data").mkdir()
    os.chown(folder / "data", nobody.pw_uid, nobody.pw_gid)
    (folder / "config").mkdir()
    os.chmod(folder, 0o755)
    settings = {
        "compatibility_level": "3.6", "queue_directory": f"{folder}/queue", "data_directory": f"{folder}/data",
        "daemon_directory": f"{libraries}/sbin", "command_directory": f"{TREE}/usr/sbin",
        "meta_directory": f"{TREE}/etc/postfix", "shlib_directory": libraries,
        "import_environment": f"LD_LIBRARY_PATH={libraries} MAIL_CONFIG TZ LANG=C",
        "mail_owner": "nobody", "default_privs": "daemon", "setgid_group": "mail",
        "myhostname": "mail.bench.example", "mydestination": "", "mynetworks": "127.0.0.0/8",
        "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "relayhost": f"[127.0.0.1]:{sink.port}",
        "maillog_file": f"{folder}/log", "maillog_file_prefixes": folder, "alias_maps": "", "alias_database": "",
    }
    (folder / "config/main.cf").write_text("".join(f"{k} = {v}\n" for k, v in settings.items()))
    services = [f"127.0.0.1:{port} inet n - n - - smtpd"]
    for line in (TREE / "usr/share/postfix/master.cf.dist").read_text().splitlines():
        fields = line.split()
        if len(fields) > 7 and not line.startswith(("#", " ")) and fields[1] != "inet":
            services.append(" ".join([*fields[:4], "n", *fields[5:]]))  # no chroot
    (folder / "config/master.cf").write_text("\n".join(services) + "\n")
    with open(folder / "master.log", "w") as log:
        return subprocess.Popen([*wrapper, libraries / "sbin/master", "-c", folder / "config", "-d"], stderr=log, stdout=log,
                                env={**environment(), "MAIL_CONFIG": str(folder / "config")})


def load(port, messages):
    subprocess.run([TREE / "usr/sbin/smtp-source", "-d", "-s", str(CONNECTIONS), "-m", str(messages), "-l", str(BYTES),
                    "-f", "a@source.example", "-t", "b@sink.example", f"127.0.0.1:{port}"],
                   env=environment(), check=True)


def measure(start, messages, wrapper=()):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tapal-bench-"))
    sink, port = Sink(), free_port()
    tree = Tree(start(folder, port, sink, wrapper))
    try:
        await_port(port)
        load(port, CONNECTIONS)
        sink.await_messages(CONNECTIONS)
        cpu, begin = tree.cpu_seconds(), time.monotonic()
        load(port, messages)
        accepted = time.monotonic() - begin
        sink.await_messages(CONNECTIONS + messages)
        took = time.monotonic() - begin
        return {"accepted/s": messages / accepted, "messages/s": messages / took,
                "CPU s/1000": (tree.cpu_seconds() - cpu) / messages * 1000, "peak PSS MB": tree.peak_kib / 1024}
    finally:
        tree.end()
        sink.end()
        shutil.rmtree(folder, ignore_errors=True)


def count_syncs(start, messages):
    """A run of its own: tracing slows it down, so nothing else is taken from it."""
    trace = pathlib.Path(tempfile.mkstemp(prefix="tapal-bench-syncs-")[1])
    measure(start, messages, ("strace", "-f", "-e", "trace=fsync,fdatasync,sync_file_range,msync", "-o", trace))
    count = len(re.findall(r"(?:fsync|fdatasync)\(", trace.read_text()))
    trace.unlink()
    return count / (messages + CONNECTIONS)


def median_run(runs):
    return sorted(runs, key=lambda r: r["messages/s"])[len(runs) // 2]


def main():
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    if os.geteuid() != 0:
        sys.exit("bench: needs root, as Postfix does")
    results = {}
    for name, start in (("tapal", start_tapal), ("postfix", start_postfix)):
        results[name] = median_run([measure(start, messages) for _ in range(RUNS)])
        results[name]["syncs/message"] = count_syncs(start, 500)
    print(f"relay of {messages} messages of {BYTES} bytes on {CONNECTIONS} connections, median of {RUNS} runs\n")
    columns = list(results["tapal"])
    print(f"{'':10}" + "".join(f"{c:>16}" for c in columns))
    for name, row in results.items():
        print(f"{name:10}" + "".join(f"{row[c]:16.3f}" for c in columns))
    print(f"{'ratio':10}" + "".join(f"{results['tapal'][c] / results['postfix'][c]:16.3f}" for c in columns))


if __name__ == "__main__":
    main()
