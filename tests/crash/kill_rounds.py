"""kill -9 at random moments under load: every round a load, one or more kills, a restart."""
import os
import signal
import time

from stage import World

LOAD_SECONDS = 0.7
MODES = ("under load", "under load", "twice", "starting", "recovering", "stopping", "receiver dies", "both die")


def begin_load(world):
    """About 20 connections: small and large messages, refused and deferred recipients, some over TLS."""
    draw = world.stage.random
    seconds = LOAD_SECONDS

    def some(rate, names, size, connections, **options):
        world.load(names, max(1, int(rate * seconds)), size, rate=rate, connections=connections, **options)
    some(150, ["ok"], draw.randint(600, 8000), 8)
    some(40, ["ok", "no"], draw.randint(2000, 60_000), 4)
    some(20, ["ok"], draw.randint(65_000, 67_000), 3)       # about the threshold of a file of its own
    some(15, ["ok", "later"], draw.randint(80_000, 400_000), 3, tls=True)
    some(5, ["late"], draw.randint(70_000, 90_000), 1)
    some(5, ["no"], 3000, 1)


def sleep(draw, seconds):
    time.sleep(draw.uniform(0, seconds))


def cut(world, mode):
    """One way to die; leaves the server dead or starting, and the receiver perhaps dead."""
    draw = world.stage.random
    sleep(draw, LOAD_SECONDS * 1.2)
    if mode in ("receiver dies", "both die"):
        world.kill_receiver()
        sleep(draw, 0.5)
    if mode == "stopping":
        os.kill(world.tapal.pid(), signal.SIGTERM)
        sleep(draw, 0.3)
    if mode != "receiver dies":
        world.kill()
    again = {"twice": 1, "starting": draw.randint(1, 3), "recovering": draw.randint(2, 5)}.get(mode, 0)
    for _ in range(again):
        world.spawn()
        # Most of a start is reading the spool; "twice" also lets it work for a moment.
        sleep(draw, world.start_seconds * (1.3 if mode != "twice" else 4))
        world.kill()


def play_round(world, number, mode, drains):
    begin_load(world)
    cut(world, mode)
    if not world.tapal.server.running():
        world.start()
    if not world.receiver.server.running():
        sleep(world.stage.random, 0.5)
        world.receiver.start()
    loads = world.wait_for_loads()
    if drains:
        world.drain()
        world.balance()
    accepted = sum(load.result["accepted"] for load in loads)
    return f"round {number:3}: {mode:13} accepted {accepted:4}, connections lost {sum(l.result['lost'] for l in loads):3}" \
           + (", queue empty, books balance" if drains else "")


def play(stage, rounds, seconds_max):
    """A machine that is busy with other things may not come to all the rounds in its time."""
    world = World(stage, rude=0.002)
    world.receiver.start()
    world.start()
    began, played = time.monotonic(), 0
    for number in range(1, rounds + 1):
        mode = stage.random.choice(MODES)
        stage.say(play_round(world, number, mode, drains=stage.random.random() < 0.3))
        played = number
        if time.monotonic() - began > seconds_max:
            break
    world.drain()
    totals = world.balance()
    world.check_nothing_left()
    return (f"{played} of {rounds} rounds, {len(world.accounts.kills)} kills, {world.starts} starts, "
            f"{time.monotonic() - began:.0f} s: {totals.line()}")
