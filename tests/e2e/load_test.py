"""Twenty connections at once, in clear and over TLS with a password and a signature, to the last message.
Meant for builds with sanitizers too: TAPAL_BINARY=build/tsan/tapal tools/run_tests.py e2e load
"""
import json
import os
import subprocess

from harness import PATIENCE, ROOT, Case, Server, Tapal, ask_tool, free_port, wait_until

LOAD = os.environ.get("TAPAL_SMTP_LOAD") or ROOT / "build/release/bench/smtp_load"
SINK = os.environ.get("TAPAL_SMTP_SINK") or ROOT / "build/release/bench/smtp_sink"
CONNECTIONS = 20


class Load(Case):
    @classmethod
    def prepare(cls):
        cls.tapal = Tapal(cls, "load.example", delivery_port=cls.delivery_port)
        port = free_port(cls.tapal.address)
        sink = f"{cls.tapal.address}:{port}"
        cls.sink = Server("sink", [SINK, "--listen", sink, "--tls-certificate", cls.tapal.certificate,
                                   "--tls-key", cls.tapal.certificate.parent / "privkey.pem"], stdin=subprocess.PIPE)
        cls.keep_log(cls.sink)
        cls.sink.wait_for("listening")
        cls.tapal.set({"relay": {"trusted_networks": ["127.0.0.0/8"]}, "routes": {"*": sink}})
        cls.tapal.start()

    def load(self, messages, size, first, *more, port):
        """All are accepted, and all arrive."""
        done = ask_tool(LOAD, "--server", f"{self.tapal.address}:{port}", "--connections", CONNECTIONS,
                        "--messages", messages, "--size", size, "--first-id", first, "--from", "ann@load.example",
                        "--to", "user%m@d%d.example", "--domains", 50, "--give-up", int(PATIENCE * 4), *more)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(messages, json.loads(done.stdout)["accepted"], done.stdout)
        self.tapal.wait_for_empty_queue(PATIENCE * 4)

    def report(self):
        mark = self.sink.mark()
        self.sink.process.stdin.write(b"report\n")
        self.sink.process.stdin.flush()
        return json.loads(self.sink.wait_for(r"^\{", after=mark))

    def test_everything_accepted_arrives_and_nothing_is_found_by_a_sanitizer(self):
        password = self.tapal.password_file
        self.load(1500, 4096, 1, port=self.tapal.smtp_port)
        self.load(100, 600_000, 1501, port=self.tapal.smtp_port)
        self.load(300, 4096, 1601, "--messages-per-connection", 1, port=self.tapal.smtp_port)
        self.load(500, 4096, 1901, "--tls", "starttls", "--auth", f"ann@load.example:{password}",
                  port=self.tapal.submission_port)
        self.load(100, 100_000, 2401, "--tls", "implicit", "--auth", f"ann@load.example:{password}",
                  port=self.tapal.submissions_port)
        wait_until(lambda: self.report()["distinct"] == 2500, "all messages at the sink")
        self.assertEqual(0, self.report()["duplicates"])
        self.assertEqual(0, self.tapal.stop())
        for trouble in ("Sanitizer", "runtime error", "Assertion"):
            self.assertNotIn(trouble, self.tapal.server.log())
