"""The state folder on a small file system: filled by submitting, killed while full, drained, filled to the last
byte. Refusals are 452 and early, what is kept goes on, and mail is taken again by itself when there is room.
"""
import collections
import os
import subprocess
import time

from stage import Prober, Skip, World, wait_until

MIB = 1 << 20


class SmallDisk:
    def __init__(self, stage, mib):
        if os.getuid() != 0:
            raise Skip("mounting a small file system takes root")
        self.path = stage.folder / "small"
        self.path.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", self.path], capture_output=True,
                                 text=True)
        if mounted.returncode:
            raise Skip(f"this system lets us mount nothing: {mounted.stderr.strip()}")
        stage.on_end(subprocess.run, ["umount", "-l", self.path])

    def free(self):
        about = os.statvfs(self.path)
        return about.f_bavail * about.f_frsize

    def fill_up(self, left=0):
        """A file that leaves so many bytes; to be unlinked by the caller."""
        filler = self.path / "filler"
        with open(filler, "ab") as file:
            while (room := self.free() - left) > 0:
                try:
                    file.write(b"\0" * min(room, MIB))
                    file.flush()
                except OSError:
                    break
        return filler


def codes(answers):
    return dict(collections.Counter(f"{stage} {code}" for stage, code, _ in answers))


def fill_by_submitting(world, disk):
    """With nobody to take it the mail piles up, until it is refused."""
    world.load(["ok"], 60_000, 16_000, connections=8, give_up=80)
    world.load(["ok"], 6_000, 300_000, connections=4, give_up=80)
    probe = Prober(world)

    def is_full():
        # A first refusal is not the end: memory is written out, its log removed, and there is room once more.
        del probe.answers[:-1]
        return all(probe.send() == ("mail", 452) for _ in range(20))
    wait_until(is_full, "20 times 452 to MAIL, before any DATA, when the disk is full", 75)
    refused = probe.answers[-20:]
    for load in world.loads:
        load.stop()
        for number in load.promised():
            world.accounts.promise(number)
    world.loads.clear()
    world.stage.say(f"  full: {len(world.accounts.promised)} messages kept, {disk.free() / MIB:.1f} MiB free, "
                    f"probes {codes(refused)}, slowest {max(a[2] for a in refused) * 1000:.0f} ms")


def crash_while_full(world, disk):
    for _ in range(3):
        time.sleep(world.stage.random.uniform(0, 0.2))
        world.kill()
        world.start()
    waiting = world.tapal.queue()["total"]
    kept = len(world.accounts.promised)
    world.stage.check(waiting >= kept, f"{waiting} messages wait after kill -9 on a full disk, {kept} were acknowledged")
    world.stage.say(f"  killed 3 times while full: {waiting} wait, {kept} acknowledged, started in "
                    f"{world.start_seconds * 1000:.0f} ms, {disk.free() / MIB:.1f} MiB free")


def taken_again(world, what, seconds=30):
    """How long until mail is accepted, without anybody's help."""
    probe, began = Prober(world), time.monotonic()
    wait_until(lambda: probe.send() == ("final", 250), what, seconds)
    wrong = [a for a in probe.answers[:-1] if a[1] not in (421, 451, 452)]
    world.stage.check(not wrong, f"wrong answers: {codes(wrong)}")
    return time.monotonic() - began


def drain_again(world, disk):
    began = time.monotonic()
    world.receiver.start()
    taken = taken_again(world, "mail is taken again when the queue goes")
    world.drain(90)
    world.stage.say(f"  receiver back: taken again after {taken:.2f} s, queue empty after {time.monotonic() - began:.1f} s, "
                    f"{disk.free() / MIB:.1f} MiB free; {world.balance().line()}")


def not_a_byte_left(world, disk):
    """Even the reserve is gone: outcomes cannot be kept, and must not be forgotten."""
    load = world.load(["ok", "no"], 400, 5000, connections=4, rate=150, give_up=20)
    time.sleep(world.stage.random.uniform(0.2, 1.0))
    began = time.monotonic()
    filler = disk.fill_up()
    probe = Prober(world)
    for _ in range(20):
        probe.send()
    # Mail that goes out meanwhile makes a little room: what is taken then is in the books like the rest.
    refused = [code in (451, 452, 421) for _, code, _ in probe.answers]
    world.stage.check(any(refused) and all(code == 250 or no for (_, code, _), no in zip(probe.answers, refused)),
                      f"refused: {codes(probe.answers)}")
    time.sleep(1)
    killed = world.stage.random.random() < 0.5
    restarts = 0
    if killed:
        world.kill()
        world.spawn()
        time.sleep(1)
        if not world.tapal.server.running():
            said = world.tapal.server.log()
            world.stage.check("cannot start" in said and ("space" in said or "full" in said), f"says why: {said[-500:]}")
            restarts = 1
    filler.unlink()
    world.accounts.troubles.append((began, time.monotonic()))
    if restarts:
        world.start()
    taken = taken_again(world, "mail is taken when there is room")
    world.wait_for_loads()
    world.drain(90)
    world.stage.say(f"  not a byte left{', killed' if killed else ''}{', start refused with its reason' if restarts else ''}: "
                    f"probes {codes(probe.answers)}, taken again after {taken:.2f} s, {load.result['deferred']} deferrals; "
                    f"{world.balance().line()}")


def play(stage):
    reserve, size = (64, 400) if stage.long else (8, 120)
    disk = SmallDisk(stage, size)
    world = World(stage, settings={"queue": {"disk_reserve": f"{reserve}MiB", "retry": ["3s"],
                                                 "retry_then_every": "3s"}}, state=disk.path / "state")
    world.start()
    for _ in range(2 if stage.long else 1):
        fill_by_submitting(world, disk)
        crash_while_full(world, disk)
        drain_again(world, disk)
        for _ in range(4 if stage.long else 2):
            not_a_byte_left(world, disk)
        world.receiver.kill()
    world.receiver.start()
    world.check_nothing_left()
    return world.balance().line()
