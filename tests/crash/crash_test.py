"""The short modes of the crash trials, as tests: a class a trial, so that they run one after the other or beside
each other as the test run likes. The seed is drawn and printed; TAPAL_CRASH_SEED plays one again.
"""
import os
import random
import unittest

import crash
from stage import Skip, Stage

SEED = int(os.environ.get("TAPAL_CRASH_SEED") or random.SystemRandom().randrange(1_000_000))


def play(case, name):
    print(f"seed {SEED}")
    try:
        with Stage(name, SEED) as stage:
            print(f"note: seed {SEED}: {crash.play(name, stage)}", flush=True)
    except Skip as reason:
        case.skipTest(str(reason))


class Kill(unittest.TestCase):
    def test_kill_9_at_any_moment_under_load_loses_nothing_acknowledged(self):
        play(self, "kill")


class FullDisk(unittest.TestCase):
    def test_a_full_disk_is_452_and_early_and_mail_goes_on_and_is_taken_again(self):
        play(self, "full_disk")


class Faults(unittest.TestCase):
    def test_a_disk_that_fails_for_a_while_loses_nothing_and_is_overcome(self):
        play(self, "faults")


class Memory(unittest.TestCase):
    def test_large_messages_and_slow_clients_leave_memory_bounded_and_others_served(self):
        play(self, "memory")


if __name__ == "__main__":
    unittest.main()
