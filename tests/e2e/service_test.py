"""The server as a service: what it tells systemd, sockets it is handed, and `tapal status`."""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import signal
import socket
import threading
import unittest

from harness import TAPAL, Case, Server, ask_tool, free_port, new_address, wait_until

NOBODY = 65534


class Manager:
    """systemd's end of sd_notify."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.path, self.seen = path, []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            self.seen += self.socket.recv(65536).decode().split("\n")

    def wait_for(self, pattern, count=1):
        wait_until(lambda: sum(bool(re.match(pattern, s)) for s in list(self.seen)) >= count,
                   f"{count} times {pattern}; told: {self.seen}")


def loops_of(process):
    """The threads of its event loops."""
    return [int(task.name) for task in pathlib.Path(f"/proc/{process}/task").iterdir()
            if (task / "comm").read_text().startswith("loop")]


@contextlib.contextmanager
def held(thread):
    """While one thread of another process stands still: ptrace(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    seize, interrupt, let_go = 0x4206, 0x4207, 17

    def ask(what):
        if libc.ptrace(what, thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
    ask(seize)
    ask(interrupt)
    os.waitpid(thread, 0x40000000)  # __WALL
    try:
        yield
    finally:
        ask(let_go)


class Service(Case):
    @classmethod
    def prepare(cls):
        cls.tapal = cls.new_tapal("a.example")

    def serve(self, sockets=(), names="", **environment):
        """Started as systemd does: LISTEN_PID is the server's own."""
        def hand_over():
            for i, each in enumerate(sockets):
                os.dup2(each.fileno(), 100 + i)
            for i in range(len(sockets)):
                os.dup2(100 + i, 3 + i)
        listening = {"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": names} if sockets else {}
        server = Server("tapal", ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$0" serve --config "$1"', TAPAL, self.tapal.config],
                        env=dict(os.environ, **listening, **environment), preexec_fn=hand_over,
                        pass_fds=range(3, 3 + len(sockets)))
        self.keep_log(server)
        self.addCleanup(server.stop)
        return server

    def status(self):
        done = self.tapal.command("status", "--json")
        return done.returncode, json.loads(done.stdout)

    def test_tells_systemd_how_it_is_and_feeds_the_watchdog(self):
        manager = Manager(self.folder / "notify")
        server = self.serve(NOTIFY_SOCKET=str(manager.path), WATCHDOG_USEC="400000")
        manager.wait_for("READY=1")
        manager.wait_for("WATCHDOG=1", 5)
        manager.wait_for("STATUS=running; 0 messages in the queue")
        os.kill(server.process.pid, signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        manager.wait_for("READY=1", 2)
        self.assertEqual(0, server.stop())
        manager.wait_for("STOPPING=1")

    def test_takes_the_sockets_it_is_handed_in_place_of_its_own(self):
        address = new_address()
        made = [socket.create_server((address, free_port(address))) for _ in range(2)]
        for each in made:
            self.addCleanup(each.close)
        server = self.serve(made, "submissions:smtp")
        server.wait_for("ready")
        code, status = self.status()
        self.assertEqual(0, code)
        listening = status["service"]["listening"]
        names = ["%s:%d" % each.getsockname() for each in made]
        self.assertEqual(([names[0]], [names[1]]), (listening["submissions"], listening["smtp"]))
        self.assertEqual([f"{self.tapal.address}:{self.tapal.submission_port}"], listening["submission"])
        with socket.create_connection(made[1].getsockname(), 10) as client:
            self.assertTrue(client.recv(100).startswith(b"220 "))

    def test_names_a_socket_that_it_has_no_use_for(self):
        address = new_address()
        with socket.create_server((address, free_port(address))) as made:
            server = self.serve([made], "imap")
        server.wait_for('"?imap.*FileDescriptorName')
        self.assertEqual(1, server.stop())

    def test_names_the_program_that_has_its_port(self):
        with socket.create_server((self.tapal.address, self.tapal.smtp_port)):
            server = self.serve()
            server.wait_for(rf"in use by python3 \(process {os.getpid()}\)")
            self.assertEqual(1, server.stop())
            self.assertRegex(self.tapal.command("status").stdout,
                             rf"(?m)^port +{self.tapal.smtp_port} IN USE by python3 \(process {os.getpid()}\)$")

    @unittest.skipUnless(os.geteuid() == 0, "only root is kept from it")
    def test_root_runs_no_server_in_a_folder_of_another_user(self):
        there = set(self.tapal.state.rglob("*"))
        os.chown(self.tapal.state, NOBODY, -1)
        self.addCleanup(os.chown, self.tapal.state, 0, -1)
        done = self.tapal.command("serve")
        self.assertEqual(1, done.returncode)
        self.assertIn("is nobody's, and root must not run a server there", done.stderr)
        self.assertEqual(there, set(self.tapal.state.rglob("*")))

    @unittest.skipUnless(os.geteuid() == 0, "as another user than root")
    def test_tells_what_it_needs_for_a_low_port(self):
        if int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 25:
            self.skipTest("everybody may have port 25 here")
        before = self.tapal.settings["listen"]["smtp"]
        self.addCleanup(self.tapal.set, {"listen": {"smtp": before}})
        self.tapal.set({"listen": {"smtp": [f"{self.tapal.address}:25"]}})
        done = ask_tool("setpriv", "--bounding-set=-net_bind_service", TAPAL, "serve", "--config", self.tapal.config)
        self.assertEqual(1, done.returncode)
        self.assertIn("ports below 1024 need root or the capability CAP_NET_BIND_SERVICE", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "holding a thread of another process takes root")
    def test_a_loop_that_hangs_is_told_and_misses_the_watchdog_until_it_turns_again(self):
        manager = Manager(self.folder / "hanging")
        server = self.serve(NOTIFY_SOCKET=str(manager.path), WATCHDOG_USEC="400000")
        manager.wait_for("WATCHDOG=1", 2)
        with held(loops_of(server.process.pid)[0]):
            server.wait_for("an event loop hangs")
            told = manager.seen.count("WATCHDOG=1")
            mark = server.mark()
            for _ in range(3):
                server.wait_for("an event loop hangs", after=mark)
                mark = server.mark()
            self.assertEqual(told, manager.seen.count("WATCHDOG=1"))
        manager.wait_for("WATCHDOG=1", told + 2)

    def test_status_shows_it_all_on_one_screen(self):
        code, status = self.status()
        self.assertEqual((3, False), (code, status["ok"]))
        self.assertIn("NOT RUNNING", self.tapal.command("status").stdout)
        server = self.serve()
        server.wait_for("ready")
        done = self.tapal.command("status")
        self.assertEqual(0, done.returncode, done.stderr)
        for pattern in (r"(?m)^service +running since 20", rf"(?m)^listening .*smtp {self.tapal.address}:", "(?m)^queue +0 messages",
                        r"(?m)^disk +\d+ MiB free", "(?m)^certificate +mail.a.example: for 3649 days.*self-signed",
                        "(?m)^troubles +"):
            self.assertRegex(done.stdout, pattern)
        self.tapal.set({"hostname": "other.a.example"})
        server.wait_for("takes effect after a restart")
        wait_until(lambda: "warning: this setting takes effect after a restart setting=hostname"
                   in self.tapal.command("status").stdout, "the warning is shown")
        self.tapal.set({"hostname": self.tapal.host})


class Pages(unittest.TestCase):
    def test_every_command_of_help_has_its_page_and_completion(self):
        commands = re.findall(r"(?m)^  ([a-z]+) ", ask_tool(TAPAL, "--help").stdout.split("Subcommands:")[1])
        self.assertGreater(len(commands), 20)
        pages = ask_tool(TAPAL, "manual").stdout.split()
        for shell in ("bash", "zsh", "fish"):
            script = ask_tool(TAPAL, "completion", shell).stdout
            for command in commands:
                self.assertIn(command, script)
        for command in commands:
            self.assertIn(f"tapal-{command}.1", pages)
            page = ask_tool(TAPAL, "manual", f"tapal-{command}.1").stdout
            for option in re.findall(r"--[a-z][a-z-]+", ask_tool(TAPAL, command, "--help").stdout):
                self.assertIn(option, page.replace("\\", ""))
        self.assertEqual(1, ask_tool(TAPAL, "manual", "tapal-nonsense.1").returncode)

    def test_bash_completes_commands_options_and_choices(self):
        script = ask_tool(TAPAL, "completion", "bash").stdout
        for line, wanted in (("tapal que", {"queue"}), ("tapal queue l", {"list"}), ("tapal queue list --l", {"--limit"}),
                             ("tapal --json queue sh", {"show"}), ("tapal completion b", {"bash"})):
            words = line.split(" ")
            asked = ask_tool("bash", "-c", script + '\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tapal; echo "${COMPREPLY[@]}"',
                             "bash", *words)
            self.assertEqual((wanted, ""), (set(asked.stdout.split()), asked.stderr), line)


if __name__ == "__main__":
    unittest.main()
