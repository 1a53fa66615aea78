"""What single statements cost: the start of the program, and statements one by one through the jsonl protocol.

    python3 benchmarks/latency.py [--apus PROGRAM] [--rounds 2000]

Python's standard library alone; there is no peer. Wanted: a start to the first result under 15 ms. A statement's time is
that of the whole way, JSON and pipes included (`SELECT 1` shows what these take), and behind it what the engine says. Figures are
medians. benchmarks/Prepared measures the same through the library.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

arguments = argparse.ArgumentParser()
arguments.add_argument("--apus", default=".build/release/apus")
arguments.add_argument("--rounds", type=int, default=2000)
given = arguments.parse_args()

SETUP = [
    "CREATE TABLE rows AS SELECT (range % 7)::FLOAT a, (range % 5)::FLOAT b, (range % 3)::FLOAT c, "
    "(range % 2)::FLOAT y FROM range(1000)",
    "CREATE MODEL live INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y FLOAT) SEQUENTIAL (linear(3, 64), relu(), "
    "linear(64, 32), relu(), linear(32, 1), sigmoid()) OPTIONS (epochs = 1, seed = 1)",
    "TRAIN MODEL live FROM rows",
    "PREPARE score AS SELECT PREDICT(live, $1, $2, $3)",
]
STATEMENTS = [
    "SELECT 1",
    "SELECT PREDICT(live, 0.1, 2.0, 5.0)",
    "EXECUTE score(0.1, 2.0, 5.0)",
    "SELECT PREDICT(live) FROM rows LIMIT 1",
]


def milliseconds(command):
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - start) * 1000


def statements(database):
    command = [given.apus, "--protocol", "jsonl"] + ([database] if database else [])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:

        def ask(sql):
            process.stdin.write(json.dumps({"sql": sql}).encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            if "error" in answer:
                raise SystemExit(f"{sql}: {answer['error']}")
            return answer

        for sql in SETUP:
            ask(sql)
        for sql in STATEMENTS:
            whole, engine, rows = [], [], None
            for _ in range(given.rounds):
                start = time.perf_counter()
                answer = ask(sql)
                whole.append((time.perf_counter() - start) * 1e6)
                engine.append(answer["elapsed_ms"] * 1000)
                if rows is not None and answer["rows"] != rows:
                    raise SystemExit(f"{sql}: {answer['rows']} after {rows}")
                rows = answer["rows"]
            yield sql, statistics.median(whole), statistics.median(engine)
        process.stdin.close()


start = statistics.median(milliseconds([given.apus, "-c", "SELECT 1"]) for _ in range(40))
nothing = statistics.median(milliseconds(["true"]) for _ in range(40))
print(f"start to the first result: {start:.1f} ms (a process that does nothing: {nothing:.1f} ms)")
with tempfile.TemporaryDirectory() as folder:
    for place, database in (("in memory", None), ("in a file", os.path.join(folder, "latency.db"))):
        for sql, whole, engine in statements(database):
            print(f"{place}: {sql}: {whole:.0f} µs, of which the engine {engine:.0f} µs")
