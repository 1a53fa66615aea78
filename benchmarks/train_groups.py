"""1,000 small networks by one TRAIN … FOR EACH, beside 1,000 TRAINs of one network each.

    python3 benchmarks/train_groups.py [--groups 1000] [--rows 100] [--separate 200] [--apus .build/release/apus]

Both run in one process each, on the same table. Of the separate trainings `--separate` are run, and their
time is counted up to all groups; the weights of each must be those of FOR EACH bit for bit. Prints the
medians and the ratio for several networks; more than a tenth fails for the small ones. Of the last, which is
not small, half of the time is products at the core's peak: on two cores it lies at a tenth. Standard library only.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

NETWORKS = {
    "3-1": "linear(1)",
    "3-8-1": "linear(8), relu(), linear(1)",
    "3-64-32-1": "linear(64), relu(), linear(32), relu(), linear(1)",
}


class Engine:
    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "--protocol", "jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, sql):
        """The rows of the answer and the seconds that it took."""
        start = time.perf_counter()
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        seconds = time.perf_counter() - start
        if "error" in answer:
            raise AssertionError(f"{answer['error']}\n  in: {sql[:200]}")
        return answer["rows"], seconds

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def measure(arguments, name, layers, options):
    engine = Engine(arguments.apus)
    engine.run(
        f"CREATE TABLE t AS SELECT (i % {arguments.groups})::INTEGER AS k, split_hash(i, 1)::FLOAT AS a, "
        "split_hash(i, 2)::FLOAT AS b, split_hash(i, 3)::FLOAT AS c, (a * 2 - b * c * (k % 7))::FLOAT AS y "
        f"FROM range({arguments.groups * arguments.rows}) r(i)")
    create = (
        "CREATE MODEL {} INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y FLOAT) "
        f"SEQUENTIAL ({layers}) OPTIONS (seed = 1{options})")
    engine.run(create.format("every"))
    together = []
    for _ in range(arguments.runs):
        rows, seconds = engine.run(
            "WITH h AS (TRAIN MODEL every FROM t FOR EACH (k)) "
            "SELECT count(DISTINCT k), count(*), bool_and(loss > 0) FROM h")
        together.append(seconds)
        assert rows[0][0] == str(arguments.groups) and rows[0][2] == "true", rows
    separate = []
    chosen = [i * arguments.groups // arguments.separate for i in range(arguments.separate)]
    for key in chosen:
        engine.run(create.format(f"m{key}"))
        separate.append(engine.run(f"TRAIN MODEL m{key} FROM (SELECT * FROM t WHERE k = {key})")[1])
    for key in chosen:
        rows, _ = engine.run(
            f"SELECT count(*) FROM weights(MODEL m{key}) a JOIN (SELECT * FROM weights(MODEL every) "
            f"WHERE k = {key}) b ON a.name = b.name AND a.\"values\" = b.\"values\"")
        if int(rows[0][0]) != layers.count("linear") * 2:
            raise AssertionError(f"{name}: the network of key {key} is not the one trained alone")
    engine.end()
    all_separate = sum(separate) / len(separate) * arguments.groups
    ratio = statistics.median(together) / all_separate
    print(
        f"{name:>10}{options or ', defaults'}: FOR EACH {statistics.median(together):.3f} s, "
        f"{arguments.groups} TRAINs {all_separate:.2f} s, ratio {ratio:.3f}; "
        f"weights of {len(chosen)} networks equal")
    return ratio


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", default=os.path.join(ROOT, ".build/release/apus"))
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--separate", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    worst = 0.0
    for name, layers in NETWORKS.items():
        for options in ["", ", batch_size = 'full'"]:
            ratio = measure(arguments, name, layers, options)
            if name != "3-64-32-1":
                worst = max(worst, ratio)
    if worst > 0.1:
        sys.exit(f"FOR EACH takes {worst:.3f} of the time of separate trainings, more than a tenth")


if __name__ == "__main__":
    main()
