#!/usr/bin/python3
"""Crashes the real server in every way the seed thinks of, and audits what became of each acknowledged message.

  tests/crash/crash.py [--seed S] [--rounds N] [--seconds T] [--long] [CASE...]

Cases: kill (kill -9 under load, N rounds), full_disk, faults (a disk that fails and stalls), memory. All of them
when none is named. A line a round, the totals, and on failure the seed, the folder kept and how to repeat.
"""
import argparse
import random
import sys
import time

import full_disk
import faults
import kill_rounds
import memory
from stage import Skip, Stage

ROUNDS_SHORT, ROUNDS_LONG = 20, 200
SECONDS_SHORT, SECONDS_LONG = 75, 6 * 3600
CASES = ("kill", "full_disk", "faults", "memory")


def play(name, stage, rounds=None, seconds=None):
    """The case's totals as one line."""
    if name == "kill":
        many = stage.long or rounds
        return kill_rounds.play(stage, rounds or (ROUNDS_LONG if stage.long else ROUNDS_SHORT),
                                seconds or (SECONDS_LONG if many else SECONDS_SHORT))
    return {"full_disk": full_disk, "faults": faults, "memory": memory}[name].play(stage)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--rounds", type=int, help=f"of kill; usually {ROUNDS_SHORT}, with --long {ROUNDS_LONG}")
    parser.add_argument("--seconds", type=int, help="of kill: no new round after so many")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    options = parser.parse_args()
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    print(f"seed {options.seed}", flush=True)
    failed = 0
    for name in options.cases or CASES:
        began = time.monotonic()
        try:
            with Stage(name, options.seed, options.long, say=lambda line: print(line, flush=True)) as stage:
                print(f"ok    {name}: {play(name, stage, options.rounds, options.seconds)}", flush=True)
        except Skip as reason:
            print(f"skip  {name}: {reason}", flush=True)
        except AssertionError as error:
            failed += 1
            print(f"FAIL  {name} after {time.monotonic() - began:.0f} s: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
