"""Shared by the benchmarks: a running `apus --protocol jsonl`, interleaved rounds, medians.

Peers (DuckDB, PyTorch, ONNX Runtime) come from virtual environments outside the repository; each
script says which it needs. Every benchmark checks its answers: a fast wrong answer fails.
"""
import json
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
APUS = os.environ.get("APUS", os.path.join(ROOT, ".build/release/apus"))


class Apus:
    """One engine process. `run` gives the rows, as text, and the milliseconds of the statement."""

    def __init__(self, threads=2, path=None):
        environment = dict(os.environ, APUS_THREADS=str(threads))
        self.process = subprocess.Popen(
            [APUS, "--protocol", "jsonl"] + ([path] if path else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=environment)

    def run(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            sys.exit(f"apus: {answer['error']}\n  in: {sql}")
        return answer["rows"], float(answer["elapsed_ms"])

    def peak(self):
        """Most memory that was resident so far, in MB."""
        return peak_of(self.process.pid)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def peak_of(process):
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def interleave(contestants, rounds=5):
    """Runs {name: function giving milliseconds} in turn; gives {name: median}."""
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            times[name].append(run())
    return {name: statistics.median(values) for name, values in times.items()}


def report(title, medians, peer, unit="ms"):
    ratio = medians["apus"] / medians[peer]
    for name, value in medians.items():
        print(f"{title:34} {name:14} {value:10.2f} {unit}")
    print(f"{title:34} ratio to {peer}: {ratio:.2f}\n", flush=True)
    record = os.environ.get("APUS_BENCHMARK_RECORD")
    if record:
        with open(record, "a") as lines:
            lines.write(json.dumps({"title": title, "peer": peer, "unit": unit, "ratio": ratio, **medians}) + "\n")
    return ratio


def open_both(apus_path=None, duckdb_path=None):
    """Both engines with two threads each, in memory or on a file."""
    import duckdb

    peer = duckdb.connect(duckdb_path or ":memory:", config={"threads": 2})
    peer.execute("SET enable_progress_bar = false")
    return Apus(threads=2, path=apus_path), peer


def against_duckdb(setup, queries, rounds=5, limit=2.0, engines=None):
    """Runs {title: query} in both engines over the tables that the statements of `setup` make, two
    threads each; with `engines`, in those that `open_both` gave. Ends the program: 1 when answers
    differ or the worst ratio is above `limit`."""
    apus, peer = engines or open_both()
    for statement in setup:
        peer.execute(statement)
        apus.run(statement)
    worst = 0.0
    for title, query in queries.items():
        ours, theirs = apus.run(query)[0], peer.execute(query).fetchall()
        if "order by" not in query.lower():
            ours, theirs = in_order(ours), in_order(theirs)
        if not alike(ours, theirs):
            sys.exit(f"ANSWERS DIFFER: {title}: {ours[:3]} {theirs[:3]}")

        def run_apus():
            return apus.run(query)[1]

        def run_duckdb():
            start = time.perf_counter()
            peer.execute(query).fetchall()
            return (time.perf_counter() - start) * 1000

        worst = max(worst, report(title, interleave({"apus": run_apus, "DuckDB": run_duckdb}, rounds), "DuckDB"))
    report("peak memory", {"apus": apus.peak(), "DuckDB": peak_of("self")}, "DuckDB", "MB")
    apus.close()
    sys.exit(0 if worst <= limit else 1)


def in_order(rows):
    """Rows that may come in any order; the first columns, which tell them apart, agree as text."""
    return sorted(rows, key=lambda row: [str(value) for value in row])


def alike(ours, theirs):
    """Whether rows agree: numbers to nine digits, everything else as text."""
    def same(a, b):
        if a is None or b is None:
            return a is b
        try:
            return abs(float(a) - float(b)) <= 1e-9 * max(abs(float(b)), 1)
        except ValueError:
            return str(a) == str(b)

    return len(ours) == len(theirs) and all(
        len(a) == len(b) and all(map(same, a, b)) for a, b in zip(ours, theirs))
