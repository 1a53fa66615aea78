"""Shared by the benchmarks: a running `apus --protocol jsonl`, interleaved rounds, medians.

Peers (DuckDB, PyTorch, ONNX Runtime) come from virtual environments outside the repository; each
script says which it needs. Every benchmark checks its answers: a fast wrong answer fails.
"""
import json
import os
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
APUS = os.environ.get("APUS", os.path.join(ROOT, ".build/release/apus"))


class Apus:
    """One engine process. `run` gives the rows, as text, and the milliseconds of the statement."""

    def __init__(self, threads=2):
        environment = dict(os.environ, APUS_THREADS=str(threads))
        self.process = subprocess.Popen(
            [APUS, "--protocol", "jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=environment)

    def run(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            sys.exit(f"apus: {answer['error']}\n  in: {sql}")
        return answer["rows"], float(answer["elapsed_ms"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def interleave(contestants, rounds=5):
    """Runs {name: function giving milliseconds} in turn; gives {name: median}."""
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            times[name].append(run())
    return {name: statistics.median(values) for name, values in times.items()}


def report(title, medians, peer, unit="ms"):
    ours = medians["apus"]
    for name, value in medians.items():
        print(f"{title:34} {name:14} {value:10.2f} {unit}")
    print(f"{title:34} ratio to {peer}: {ours / medians[peer]:.2f}\n")
    return ours / medians[peer]
