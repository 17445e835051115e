"""A disk that fails, tears and stalls for a while, again and again, under load (broken_disk.c)."""
import collections
import errno
import mmap
import os
import struct
import subprocess
import time

from stage import HERE, Prober, Probing, Skip, World

OPERATIONS = {"write": 1, "sync": 2, "open": 4, "rename": 8, "truncate": 16, "allocate": 32}
OFF, FAIL, STALL = 0, 1, 2
RECOVERY_SECONDS_MAX = 20
MAYBE = (250, 421, 451, 452)  # the only answers there are while the disk fails


class BrokenDisk:
    """The page that broken_disk.so looks at."""

    def __init__(self, stage, folder):
        library, page = stage.folder / "broken_disk.so", stage.folder / "control"
        made = subprocess.run([os.environ.get("TAPAL_CC", "clang-19"), "-shared", "-fPIC", "-O2", "-Wall", "-Wextra",
                               "-Werror", "-o", library, HERE / "broken_disk.c", "-ldl"], capture_output=True, text=True)
        if made.returncode:
            raise Skip(f"broken_disk.c cannot be compiled: {made.stderr.strip()[:500]}")
        page.write_bytes(b"\0" * 4096)
        with open(page, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)
        self.environment = {**os.environ, "LD_PRELOAD": str(library), "TAPAL_FAULT_CONTROL": str(page),
                            "TAPAL_FAULT_FOLDER": str(folder)}

    def set(self, mode, error=0, per_million=0, nth=0, operations=0, stall_ms=0):
        struct.pack_into("<5Q", self.page, 8, error, per_million, nth, operations, stall_ms)
        struct.pack_into("<Q", self.page, 0, mode)  # last: from here on it counts

    def off(self):
        struct.pack_into("<Q", self.page, 0, OFF)

    def faults(self):
        return struct.unpack_from("<Q", self.page, 56)[0]


def draw_fault(draw):
    """What goes wrong in a window, one thing after the other, and how to say it."""
    if draw.random() < 0.15:
        # The database is closed after its first error, and cannot be opened: nothing can even be read.
        return "EIO one sync, then 100% rename", [
            {"mode": FAIL, "error": errno.EIO, "nth": 1, "operations": OPERATIONS["sync"]},
            {"mode": FAIL, "error": errno.EIO, "per_million": 1_000_000, "operations": OPERATIONS["rename"]}]
    names = draw.sample(list(OPERATIONS), draw.choice([1, 1, 2, len(OPERATIONS)]))
    operations = sum(OPERATIONS[name] for name in names)
    what = "all" if len(names) == len(OPERATIONS) else "+".join(sorted(names))
    error = draw.choice([errno.EIO, errno.ENOSPC])
    kind = draw.choice(["often", "often", "always", "once", "stall"])
    if kind == "stall":
        ms = draw.randint(200, 2500)
        return f"stall {ms} ms {what}", [{"mode": STALL, "per_million": 100_000, "operations": operations, "stall_ms": ms}]
    share = {"often": draw.randint(20_000, 500_000), "always": 1_000_000, "once": 0}[kind]
    nth = draw.randint(1, 60) if kind == "once" else 0
    return (f"{errno.errorcode[error]} {f'call {nth}' if nth else f'{share / 10_000:.0f}%'} {what}",
            [{"mode": FAIL, "error": error, "per_million": share, "nth": nth, "operations": operations}])


def recover(world):
    """Until a message is taken again; whether that took a restart, and the seconds."""
    began, restarted = time.monotonic(), ""
    prober = Prober(world, patience=RECOVERY_SECONDS_MAX)
    while True:
        if not world.tapal.server.running():
            said = world.tapal.server.log()
            world.stage.check(not restarted, f"it ends again although the disk works: {said[-1000:]}")
            reason = [line for line in said.splitlines() if " error " in line][-1:]
            world.stage.check(world.tapal.server.process.returncode == 1 and reason,
                              f"ended with {world.tapal.server.process.returncode} without a reason: {said[-2000:]}")
            world.accounts.kills.append(time.monotonic())
            restarted = reason[0][-120:]
            world.start()
        if prober.send() == ("final", 250):
            return restarted, time.monotonic() - began
        world.stage.check(time.monotonic() - began < RECOVERY_SECONDS_MAX,
                          f"no mail is taken {RECOVERY_SECONDS_MAX} s after the disk works again: {prober.answers[-3:]}")
        time.sleep(0.05)


def play_window(world, disk, number):
    stage, draw = world.stage, world.stage.random
    what, faults = draw_fault(draw)
    world.load(["ok"], 60, draw.randint(1000, 9000), rate=80, connections=6)
    world.load(["ok", "no"], 15, draw.randint(3000, 20_000), rate=20, connections=3)
    world.load(["ok"], 8, draw.randint(66_000, 300_000), rate=10, connections=3)
    probing = Probing(world, every=0.03)
    time.sleep(draw.uniform(0.05, 0.3))
    before, began = disk.faults(), time.monotonic()
    for fault in faults:
        disk.set(**fault)
        time.sleep(0.03)
    time.sleep(draw.uniform(0.2, 1.2))
    killed = draw.random() < 0.25
    if killed:
        world.kill()
        if draw.random() < 0.5:  # the start, too, meets the broken disk
            world.spawn()
            time.sleep(draw.uniform(0, 0.5))
        else:
            disk.off()
            world.start()
    disk.off()
    world.accounts.troubles.append((began, time.monotonic() + 2))
    answers = probing.stop()
    restarted, seconds = recover(world)
    world.wait_for_loads()
    wrong = [a for a in answers if a[1] not in MAYBE and not (a[1] == 0 and (killed or restarted))]
    stage.check(not wrong, f"window {number}, {what}: wrong answers {wrong[:5]}")
    codes = dict(sorted(collections.Counter(code for _, code, _ in answers).items()))
    stage.say(f"  window {number:2}: {what:40} {disk.faults() - before:4} faults, answers {codes}, taken again after "
              f"{seconds:.2f} s{', killed' if killed else ''}{f', RESTARTED after: {restarted}' if restarted else ''}")
    return bool(restarted and not killed)


def play(stage):
    # Without bodies at hand each delivery reads the spool, also while its database is being opened again.
    at_hand = stage.random.choice(["0B", "64MiB"])
    world = World(stage, settings={"queue": {"disk_reserve": "1MiB"}, "delivery": {"cached_body_bytes_max": at_hand}})
    disk = BrokenDisk(stage, world.tapal.state)
    world.environment = disk.environment
    world.receiver.start()
    world.start()
    windows = 80 if stage.long else 10
    restarts = 0
    for number in range(1, windows + 1):
        restarts += play_window(world, disk, number)
        if number % 5 == 0:
            world.drain()
            world.balance()
    world.drain()
    totals = world.balance()
    world.check_nothing_left()
    return f"{windows} windows, bodies at hand {at_hand}, {disk.faults()} faults, {restarts} ends by itself: {totals.line()}"
