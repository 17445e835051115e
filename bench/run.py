#!/usr/bin/python3
"""tapal beside other mail servers, one after the other, with the same load and the same sink.

  ./dev bench [CASE ...] [--peers a,b] [--messages N] [--runs R] [--seconds S]
  cases: relay relay-large connections submission forward single idle idle-tls backlog; none: all

Prints a table for each case and writes build/bench/results.json, results.md and results.svg. Every server
has a folder and ports of its own and runs with its default durability. Most of them need root. A server
that is not there, or fails, is named with the reason; the others go on.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import resource
import signal
import statistics
import sys

import cases
import chart
import peers
import table
from programs import ROOT, Trouble

OUTPUT = ROOT / "build/bench"


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n", 1)[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help="of: " + " ".join(cases.ALL))
    parser.add_argument("--peers", default=",".join(peers.ALL), help="of: " + ",".join(peers.ALL))
    parser.add_argument("--messages", default="", help="a number; for backlog several, with commas: a row each")
    parser.add_argument("--runs", type=int, default=3, help="of each throughput case; the median run counts")
    parser.add_argument("--seconds", type=float, default=10, help="that a run is to take, about")
    parser.add_argument("--idle", type=int, default=10000, help="connections of the idle cases")
    parser.add_argument("--domains", type=int, default=10000, help="of the backlog")
    parser.add_argument("--patience", type=float, default=90, help="seconds for anything that does not come")
    parser.add_argument("--tapal", help="the program; default build/release/tapal")
    parser.add_argument("--without-chunking", action="store_true", help="the sink does not offer BDAT")
    parser.add_argument("--without-syncs", action="store_true", help="no extra run that counts syncs")
    parser.add_argument("--keep", action="store_true", help="leave the servers' folders in /var/tmp")
    chosen = parser.parse_args()
    for given, known in ((chosen.cases, cases.ALL), (chosen.peers.split(","), peers.ALL)):
        for name in given:
            if name not in known:
                parser.error(f"{name} is none of: {' '.join(known)}")
    return chosen


def machine():
    cpu = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} × {cpu}, {memory:.0f} GiB, Linux {platform.release()}"


def busy():
    """How much of the machine others use: the load average before anything was started."""
    return os.getloadavg()[0]


class Bench:
    def __init__(self, chosen):
        self.chosen = chosen
        numbers = [int(n) for n in chosen.messages.split(",") if n]
        self.plans = [cases.Plan(seconds=chosen.seconds, messages=n, idle=chosen.idle, domains=chosen.domains,
                                 patience=chosen.patience, keep=chosen.keep, chunking=not chosen.without_chunking)
                      for n in numbers or [0]]
        self.titles = {name: peer.title for name, peer in peers.ALL.items()}
        self.chosen_peers = [peers.ALL[name] for name in chosen.peers.split(",")]

    def measure(self, case):
        """Figures by server; a server's runs are apart from each other, so that a disturbance hits all alike."""
        results, runs = {}, {}
        several = case.kind == "backlog" and len(self.plans) > 1
        plans = [plan for plan in self.plans for _ in range(self.chosen.runs if case.kind == "throughput" else 1)]
        for number, plan in enumerate(plans):
            for peer in self.chosen_peers:
                name = f"{peer.name} {plan.messages}" if several else peer.name
                if "cannot" in results.get(name, {}):
                    continue
                self.titles[name] = f"{peer.title}, {plan.messages}" if several else peer.title
                if reason := peer.missing() or cases.left_out(peer, case):
                    results[name] = {"cannot": reason}
                    continue
                say(f"{case.name}: {name}" + (f", run {number + 1} of {len(plans)}" if len(plans) > 1 else ""))
                try:
                    done = cases.RUN[case.kind](peer, case, plan)
                    runs.setdefault(name, []).append(done)
                    results[name] = {}  # in its place among the others
                except (Trouble, OSError) as trouble:
                    say(f"  {trouble}")
                    if name not in runs:
                        results[name] = {"cannot": f"failed: {trouble}"}
        for name, all_runs in runs.items():
            results[name] = median_run(all_runs)
        if case.kind == "throughput" and not self.chosen.without_syncs:
            self.add_syncs(case, results)
        return results

    def add_syncs(self, case, results):
        for peer in self.chosen_peers:
            if "cannot" in results[peer.name]:
                continue
            try:
                results[peer.name]["syncs_per_message"] = cases.syncs(peer, case, self.plans[0])
            except (Trouble, OSError) as trouble:
                say(f"  syncs of {peer.name} not counted: {trouble}")

    def run(self):
        measured, document = [], {"began": datetime.datetime.now().isoformat(timespec="seconds"), "machine": machine(),
                                  "load_average_before": busy(), "command": sys.argv[1:], "cases": {}}
        texts = [f"{document['began']}, {document['machine']}, load average before: {document['load_average_before']:.2f}"]
        print(texts[0], flush=True)
        for name in self.chosen.cases or cases.ALL:
            case = cases.ALL[name]
            entry = document["cases"][name] = {"title": case.title}
            text = f"\n## {name}: {case.title}\n\n"
            if case.kind == "throughput":
                entry["ceiling"] = cases.ceiling(case, self.plans[0])
                text += (f"Load generator straight into the sink: {entry['ceiling']['messages_per_s']:.0f} messages/s, "
                         f"p50 {entry['ceiling']['latency_p50_ms']:.2f} ms.\n\n")
            entry["results"] = self.measure(case)
            text += table.table(case, entry["results"], self.titles)
            measured.append((case, entry["results"]))
            texts.append(text)
            print(text, flush=True)
            OUTPUT.mkdir(parents=True, exist_ok=True)
            (OUTPUT / "results.json").write_text(json.dumps(document, indent=1) + "\n")
            (OUTPUT / "results.md").write_text("\n".join(texts) + "\n")
            (OUTPUT / "results.svg").write_text(chart.chart(measured, self.titles, texts[0]))
        print(f"\nwritten: {OUTPUT.relative_to(ROOT)}/results.json, results.md, results.svg")


def median_run(runs):
    """The run in the middle, by its first figure of speed; with how far the others were from it."""
    key = next((k for k in ("messages_per_s", "drain_per_s", "kib_per_connection") if k in runs[0]), None)
    ordered = sorted(runs, key=lambda run: run[key])
    middle = dict(ordered[(len(ordered) - 1) // 2])
    middle["runs"] = [run[key] for run in runs]
    middle["spread"] = statistics.pstdev(middle["runs"]) / middle[key] if middle[key] else 0
    return middle


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    chosen = arguments()
    if chosen.tapal:
        peers.ALL["tapal"].binary = pathlib.Path(chosen.tapal).resolve()
    # Told to end, it still ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended"))
    # Ten thousand connections want as many descriptors, here and in every server.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        Bench(chosen).run()
    except Trouble as trouble:
        sys.exit(f"bench: {trouble}")


if __name__ == "__main__":
    main()
