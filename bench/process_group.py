"""Everything that a server starts, kept together in a cgroup: its CPU time, its memory, its end.

A process tree would lose the CPU time of children that nobody waits for (Exim's deliveries) and the
children of parents that have ended.
"""
import contextlib
import os
import pathlib
import signal
import subprocess
import threading
import time

ROOT_V2, ROOT_V1 = pathlib.Path("/sys/fs/cgroup"), pathlib.Path("/sys/fs/cgroup/cpuacct")
PSS_EVERY = 0.25  # seconds


class ProcessGroup:
    def __init__(self, name):
        second_version = (ROOT_V2 / "cgroup.controllers").exists()
        self.folder = (ROOT_V2 if second_version else ROOT_V1) / f"tapal-bench-{os.getpid()}-{name}"
        self.second_version = second_version
        self.folder.mkdir()
        self.children = []
        self.peak_pss_kib = 0
        self._watching = threading.Event()

    def start(self, command, log, env=None, cwd=None):
        """Starts a program inside the group; its output goes to the file `log`."""
        # A shell joins the group before it becomes the program, so that no fork gets away.
        join = ["/bin/sh", "-c", f'echo $$ >{self.folder}/cgroup.procs && exec "$@"', "join"]
        with open(log, "ab") as output:
            child = subprocess.Popen([*join, *map(str, command)], stdin=subprocess.DEVNULL, stdout=output,
                                     stderr=output, env=env, cwd=cwd, start_new_session=True)
        self.children.append(child)
        return child

    def pids(self):
        with contextlib.suppress(OSError):
            return [int(pid) for pid in (self.folder / "cgroup.procs").read_text().split()]
        return []

    def running(self):
        return all(child.poll() is None for child in self.children)

    def cpu_seconds(self):
        """User and system time since the start, of those too that have ended."""
        if self.second_version:
            for line in (self.folder / "cpu.stat").read_text().splitlines():
                if line.startswith("usage_usec "):
                    return int(line.split()[1]) / 1e6
        return int((self.folder / "cpuacct.usage").read_text()) / 1e9

    def pss_kib(self):
        """Proportional set size: of a page that several share, to each its part."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
        return total

    @contextlib.contextmanager
    def watching_memory(self):
        """Notes the peak meanwhile. Looking costs CPU time, but not the group's."""
        self._watching.clear()
        self.peak_pss_kib = 0

        def look():
            while True:
                began = time.monotonic()
                self.peak_pss_kib = max(self.peak_pss_kib, self.pss_kib())
                # Never more than a tenth of one CPU, however many processes there are.
                if self._watching.wait(max(PSS_EVERY, 9 * (time.monotonic() - began))):
                    return
        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            self._watching.set()
            watcher.join()
            self.peak_pss_kib = max(self.peak_pss_kib, self.pss_kib())

    def signal_first(self, number):
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(number)

    def end(self, patience=10):
        """SIGTERM to what was started, SIGKILL to what is left."""
        self.signal_first(signal.SIGTERM)
        deadline = time.monotonic() + patience
        while self.pids() and time.monotonic() < deadline:
            for child in self.children:
                child.poll()
            time.sleep(0.02)
        while pids := self.pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for child in self.children:
                child.poll()
            time.sleep(0.02)
        for child in self.children:
            child.wait()
        self.children.clear()

    def remove(self):
        self.end()
        with contextlib.suppress(OSError):
            self.folder.rmdir()
