"""Many large messages at once, and many slow clients: memory stays bounded, and others are served meanwhile."""
import resource
import selectors
import shutil
import socket
import threading
import time

from stage import SENDER, Prober, Probing, Skip, Wire, World, pss_kib, wait_until

KIB, MIB = 1024, 1 << 20
# What a message under way may hold: the connection and its session, what is read at once, a small body's memory
# until it becomes a file, and what the allocator keeps of it.
LARGE_KIB_MAX = 512
SLOW_KIB_MAX = 16
TOTAL_KIB_MAX = 192 * KIB
CHUNK = (b"The quick brown fox jumps over the lazy dog, again and again and again and so on.\r\n" * 800)


class Watch:
    """The server's PSS, a sample every 50 ms."""

    def __init__(self, pid):
        self.pid, self.before, self.peak = pid, pss_kib(pid), 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._end.wait(0.05):
            self.peak = max(self.peak, pss_kib(self.pid))

    def stop(self):
        self._end.set()
        self._thread.join()
        self.after = pss_kib(self.pid)
        return self

    def text(self):
        return f"PSS {self.before / KIB:.1f} MiB before, {self.peak / KIB:.1f} peak, {self.after / KIB:.1f} after"


def check_served(stage, bystander, seconds_max=10.0):
    """Ends the usual client, which must have been served all the while."""
    answers = bystander.stop()
    stage.check(len(answers) > 2 and all(a[:2] == ("final", 250) for a in answers),
                f"a usual client was not served: {[a for a in answers if a[1] != 250][:5]} of {len(answers)}")
    times = sorted(a[2] for a in answers)
    stage.check(times[-1] < seconds_max, f"a usual client waited {times[-1]:.1f} s")
    return f"{len(times)} usual messages meanwhile, median {times[len(times) // 2] * 1000:.0f} ms, slowest {times[-1] * 1000:.0f} ms"


def begin_message(world, number):
    connection = socket.create_connection((world.tapal.address, world.tapal.smtp_port), 60)
    connection.settimeout(120)
    wire = Wire(connection)
    said = wire.read_reply()
    for command in ("EHLO crowd.example", f"MAIL FROM:<{SENDER}>", f"RCPT TO:<crowd-{number}@crowd.example>", "DATA"):
        if said[:1] in ("2", "3"):
            said = wire.say(command)
    if not said.startswith("354"):
        raise AssertionError(f"message {number} of the crowd: {said}")
    return wire


def header(number):
    return (f"From: <{SENDER}>\r\nTo: <crowd-{number}@crowd.example>\r\nSubject: large\r\n"
            "Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\n").encode()


def send_large(world, number, size, barrier, answers):
    try:
        wire = begin_message(world, number)
        with wire:
            wire.socket.sendall(header(number))
            for part in range(2):
                for _ in range(size // 2 // len(CHUNK)):
                    wire.socket.sendall(CHUNK)
                if part == 0:
                    barrier.wait(300)  # all of them are in the middle at the same time
            answers.append(wire.say(b".\r\n")[:3])
    except (OSError, AssertionError, threading.BrokenBarrierError) as error:
        answers.append(repr(error))


def play_large(world, clients, size):
    stage, watch, bystander = world.stage, Watch(world.tapal.pid()), Probing(world, every=0.2)
    answers, barrier, began = [], threading.Barrier(clients), time.monotonic()
    threads = [threading.Thread(target=send_large, args=(world, i, size, barrier, answers)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    world.drain(300)
    served = check_served(stage, bystander, seconds_max=30)  # behind large files that one disk syncs
    watch.stop()
    stage.say(f"  {clients} x {size / MIB:.0f} MiB at once in {took:.1f} s: {watch.text()}, "
              f"{(watch.peak - watch.before) / clients:.0f} KiB a client; {served}")
    stage.check(answers == ["250"] * clients, f"answers {sorted(set(answers))}")
    stage.check(watch.peak - watch.before <= clients * LARGE_KIB_MAX, f"more than {LARGE_KIB_MAX} KiB a client: {watch.text()}")
    stage.check(watch.peak <= TOTAL_KIB_MAX, f"more than {TOTAL_KIB_MAX / KIB:.0f} MiB: {watch.text()}")
    return f"{clients} x {size / MIB:.0f} MiB at once: {watch.text()}"


class SlowClients:
    """Each is in the middle of a message, and sends a byte now and then."""

    def __init__(self, world, count):
        self.wires = []
        for number in range(count):
            self.wires.append(begin_message(world, number))
            self.wires[-1].socket.sendall(header(number))

    def say_a_byte(self):
        for i, wire in enumerate(self.wires):
            wire.socket.sendall(b"x" if i % 70 else b"\r\n")

    def silent(self):
        """Those the server has neither answered nor cut off."""
        with selectors.DefaultSelector() as selector:
            for wire in self.wires:
                selector.register(wire.socket, selectors.EVENT_READ)
            return len(self.wires) - len(selector.select(0))

    def close(self):
        for wire in self.wires:
            wire.close()


def play_slow(world, clients, seconds):
    stage, watch, bystander = world.stage, Watch(world.tapal.pid()), Probing(world, every=0.2)
    began = time.monotonic()
    crowd = SlowClients(world, clients)
    opened, bytes_each = time.monotonic() - began, 0
    while time.monotonic() - began - opened < seconds:
        crowd.say_a_byte()
        bytes_each += 1
        time.sleep(0.5)
    silent = crowd.silent()
    served = check_served(stage, bystander)
    watch.stop()
    crowd.close()
    per_client = (watch.peak - watch.before) / clients
    stage.say(f"  {clients} slow clients (opened in {opened:.1f} s, {bytes_each} bytes each): {watch.text()}, "
              f"{per_client:.1f} KiB a client; {served}")
    stage.check(silent == clients, f"{clients - silent} slow clients were cut off")
    stage.check(per_client <= SLOW_KIB_MAX, f"more than {SLOW_KIB_MAX} KiB a slow client")
    stage.check(watch.peak <= TOTAL_KIB_MAX + clients * SLOW_KIB_MAX, watch.text())
    taken = Prober(world)
    wait_until(lambda: taken.send() == ("final", 250), "served after they are gone", 10)
    return f"{clients} slow clients: {watch.text()}, {per_client:.1f} KiB each"


def play_crowded(world, most):
    """More connections than configured are told to come later, before they cost anything."""
    world.tapal.set({"limits": {"connections_max": most}})
    world.tapal.server.stop()
    world.start()
    wires, told = [], 0
    for _ in range(most + 20):
        wire = Wire(socket.create_connection((world.tapal.address, world.tapal.smtp_port), 10))
        wires.append(wire)
        told += wire.read_reply().startswith("421")
    for wire in wires:
        wire.close()
    world.stage.check(told == 20, f"{told} of 20 connections too many were answered 421")
    world.stage.say(f"  {most + 20} connections where {most} may be: {told} answered 421")


def play(stage):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    stage.on_end(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    world = World(stage, settings={"limits": {"message_bytes": "60MiB"}})
    clients, size = (200, 50 * MIB) if stage.long else (40, 10 * MIB)
    if shutil.disk_usage(stage.folder).free < 1.5 * clients * size:
        raise Skip(f"{stage.folder} has no room for {clients} messages of {size / MIB:.0f} MiB")
    sink = world.swallow("crowd.example")
    world.receiver.start()
    world.start()
    Prober(world).send()  # what a first message makes once is not counted
    large = play_large(world, clients, size)
    slow = play_slow(world, 10_000 if stage.long else 2000, 10 if stage.long else 3)
    play_crowded(world, 100)
    world.drain()
    totals = world.balance()
    world.check_nothing_left()
    sink.stop()
    return f"{large}; {slow}; {totals.line()}"
