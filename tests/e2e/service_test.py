"""The server as a service: what it tells systemd, sockets it is handed, and `tapal status`."""
import json
import os
import re
import signal
import socket
import threading
import unittest

from harness import TAPAL, Case, Server, ask_tool, free_port, new_address, wait_until


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
