#!/usr/bin/python3
"""Runs built test programs, the end-to-end tests and the crash trials, and counts.

  tools/run_tests.py unit [PATTERN]     every program of build/release/tests whose name matches
  tools/run_tests.py asan [PATTERN]     the same of build/asan/tests
  tools/run_tests.py e2e  [PATTERN]     tests/e2e/*_test.py: classes and tests whose name matches
  tools/run_tests.py crash [PATTERN]    tests/crash/*_test.py, likewise, one class after the other

Prints a line a program, with the notes of its tests (their output lines that begin with "note: "), the
whole output only of failures, skips with their reasons, and at the end one line: N passed, N failed,
N skipped. Exit code 0 only when something ran and nothing failed.
"""
import collections
import concurrent.futures
import importlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM_SECONDS_MAX = 900
CLASS_SECONDS_MAX = 600
Outcome = collections.namedtuple("Outcome", "name passed failed skipped reasons output notes seconds")


def lanes():
    return int(os.environ.get("TAPAL_TEST_LANES", 0)) or (os.cpu_count() or 1) + 1


# Crash trials measure themselves and load the machine: one at a time.
LANES = {"unit": lambda: os.cpu_count() or 1, "asan": lambda: os.cpu_count() or 1, "crash": lambda: 1}


def in_ci():
    return os.environ.get("CI", "").lower() in ("true", "1", "yes")


# ---- programs made with GoogleTest

def run_program(path):
    began = time.monotonic()
    report = path.parent.parent / "reports" / f"{path.name}.json"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    environment = dict(os.environ, GTEST_COLOR="no")
    try:
        run = subprocess.run([path, f"--gtest_output=json:{report}"], capture_output=True, text=True, errors="replace",
                             cwd=ROOT, env=environment, timeout=PROGRAM_SECONDS_MAX)
        code, output = run.returncode, run.stdout + run.stderr
    except subprocess.TimeoutExpired as late:
        code, output = None, f"{late.stdout or b''}\nnot done within {PROGRAM_SECONDS_MAX} s"
    seconds = time.monotonic() - began
    passed, failed, skipped, reasons = 0, 0, 0, []
    if report.exists():
        for suite in json.loads(report.read_text())["testsuites"]:
            for test in suite["testsuite"]:
                if test["name"].startswith("DISABLED_"):
                    continue  # no test but a helper process of one
                name = f"{test['classname']}.{test['name']}"
                if test.get("failures"):
                    failed += 1
                elif test["result"] == "SKIPPED" or test["status"] == "NOTRUN":
                    skipped += 1
                    reasons.append((name, reason_of(output, name)))
                else:
                    passed += 1
    if code != 0 and failed == 0:  # it crashed, a sanitizer spoke, or it never came to its report
        failed = 1
    if code == 0 and passed + failed + skipped == 0:
        failed, output = 1, "the program ran no test\n" + output
    return Outcome(path.name, passed, failed, skipped, reasons, output if failed else "", [], seconds)


def reason_of(output, name):
    found = re.search(rf"\[ RUN      \] {re.escape(name)}\n(.*?)\[  SKIPPED \]", output, re.S)
    lines = [line.strip() for line in found[1].splitlines()] if found else []
    return " ".join(line for line in lines if line and not re.match(r".*:\d+: Skipped$", line)) or "no reason given"


def programs(preset, pattern):
    folder = ROOT / "build" / preset / "tests"
    found = sorted(p for p in folder.glob("*_test") if os.access(p, os.X_OK))
    return [p for p in found if pattern in p.name]


# ---- the tests in Python: a process a class, so that classes run beside each other

PYTHON_KINDS = ("e2e", "crash")

class Results(unittest.TextTestResult):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.good = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.good += 1


def load_classes(kind):
    sys.path.insert(0, str(ROOT / "tests" / kind))
    for file in sorted((ROOT / "tests" / kind).glob("*_test.py")):
        module = importlib.import_module(file.stem)
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, unittest.TestCase) and value.__module__ == file.stem:
                if unittest.TestLoader().getTestCaseNames(value):
                    yield f"{file.stem}.{name}", value


def chosen_tests(name, case, pattern):
    return [t for t in unittest.TestLoader().getTestCaseNames(case) if pattern in f"{name}.{t}"]


def run_class(kind, name, pattern, report):
    """In the child: the tests of one class; the counts go to the file `report`."""
    case = dict(load_classes(kind))[name]
    suite = unittest.TestSuite(case(t) for t in chosen_tests(name, case, pattern))
    result = unittest.TextTestRunner(stream=sys.stdout, resultclass=Results, verbosity=2).run(suite)
    skipped = [(t.id(), why) for t, why in result.skipped]
    pathlib.Path(report).write_text(json.dumps({
        "passed": result.good + len(result.expectedFailures),
        "failed": len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses),
        "skipped": skipped}))
    return 0 if result.wasSuccessful() else 1


def spawn_class(kind, name, pattern):
    began = time.monotonic()
    reports = ROOT / "build" / kind
    reports.mkdir(parents=True, exist_ok=True)
    report = reports / f"{name}.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, __file__, "--class", kind, name, pattern, report]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", cwd=ROOT)
    try:
        output, _ = run.communicate(timeout=CLASS_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        run.terminate()
        output, _ = run.communicate()
        output += f"\nnot done within {CLASS_SECONDS_MAX} s"
    seconds = time.monotonic() - began
    (reports / f"{name}.log").write_text(output)
    if not report.exists():
        return Outcome(name, 0, 1, 0, [], output, [], seconds)
    counts = json.loads(report.read_text())
    failed = counts["failed"] or (1 if run.returncode else 0)
    return Outcome(name, counts["passed"], failed, len(counts["skipped"]), counts["skipped"],
                   output if failed else "", re.findall(r"^note: (.*)", output, re.M), seconds)


# ----

def corpora_missing():
    folder = os.environ.get("TAPAL_CORPORA") or ROOT.parent / "shared/corpora"
    return not pathlib.Path(folder).is_dir()


def judge_skips(outcome):
    """In CI the corpora must be there: a test that is skipped for want of them has failed."""
    wanting = [r for r in outcome.reasons if "TAPAL_CORPORA" in r[1] or "corpora" in r[1].lower()]
    if not in_ci() or not wanting:
        return outcome
    told = "".join(f"{name}: skipped for want of TAPAL_CORPORA, which CI must have\n" for name, _ in wanting)
    rest = [r for r in outcome.reasons if r not in wanting]
    return outcome._replace(failed=outcome.failed + len(wanting), skipped=len(rest), reasons=rest,
                            output=outcome.output + told)


def run_all(kind, jobs):
    total, skips, shown = collections.Counter(), [], []
    with concurrent.futures.ThreadPoolExecutor(LANES.get(kind, lanes)()) as pool:
        for done in concurrent.futures.as_completed([pool.submit(job) for job in jobs]):
            outcome = judge_skips(done.result())
            total.update(passed=outcome.passed, failed=outcome.failed, skipped=outcome.skipped)
            skips += outcome.reasons
            print(f"{'FAIL' if outcome.failed else 'ok':4}  {outcome.name:45} {outcome.passed:5} passed"
                  f" {outcome.failed:3} failed {outcome.skipped:3} skipped  {outcome.seconds:6.1f} s", flush=True)
            for note in outcome.notes:
                print(f"      {note}")
            if outcome.failed:
                shown.append(outcome)
    for outcome in shown:
        print(f"\n======== {outcome.name}\n{outcome.output.rstrip()}")
    if skips:
        print("\nSkipped:")
        for name, why in sorted(skips):
            print(f"  {name}: {why}")
    return total


def main():
    if len(sys.argv) == 6 and sys.argv[1] == "--class":
        return run_class(*sys.argv[2:])
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in ("unit", "asan", *PYTHON_KINDS):
        print(__doc__, file=sys.stderr)
        return 2
    kind, pattern = sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else ""
    began = time.monotonic()
    if corpora_missing():
        print("TAPAL_CORPORA is not set and ../shared/corpora is not there: tests that need it skip")
    if kind in PYTHON_KINDS:
        jobs = [lambda n=name: spawn_class(kind, n, pattern)
                for name, case in load_classes(kind) if chosen_tests(name, case, pattern)]
    else:
        jobs = [lambda p=path: run_program(p) for path in programs("release" if kind == "unit" else "asan", pattern)]
    total = run_all(kind, jobs)
    if not jobs:
        print(f"nothing to run for '{kind}{' ' + pattern if pattern else ''}'; is it built?")
    print(f"\n{kind}: {time.monotonic() - began:.0f} s")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or total["passed"] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
