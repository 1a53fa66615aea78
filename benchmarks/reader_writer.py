"""Reader processes and a writer process on one database file.

    python3 benchmarks/reader_writer.py [--seconds 60] [--readers 4] [--apus .build/release/apus]

The writer moves amounts between accounts, adds and removes pairs of rows whose amounts cancel out, and
checkpoints now and then. Each reader asks for the sum again and again, by one query and by two in one
transaction: it must be the same always, and a commit that was seen stays seen. Nobody may meet an
error. Prints the throughput of both. Standard library only.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ACCOUNTS, TOTAL = 100_000, 100_000 * 1000


class Engine:
    def __init__(self, program, path):
        self.process = subprocess.Popen(
            [program, "--protocol", "jsonl", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=dict(os.environ, APUS_THREADS="1"))

    def send(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the engine is gone, in: {sql}")
        answer = json.loads(line)
        if "error" in answer:
            raise AssertionError(f"{answer['error']}\n  in: {sql}")
        return answer["rows"]

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


class Part(threading.Thread):
    """One process with the thread that asks it."""

    def __init__(self, engine, until, body):
        super().__init__()
        self.engine, self.until, self.body = engine, until, body
        self.times, self.failure = [], None

    def run(self):
        try:
            while time.time() < self.until:
                begin = time.time()
                self.body(self.engine)
                self.times.append(time.time() - begin)
        except Exception as failure:
            self.failure = failure


def make_writer(generator):
    step = 0

    def write(engine):
        nonlocal step
        step += 1
        a, b = generator.sample(range(ACCOUNTS), 2)
        amount = generator.randint(1, 50)
        changes = [
            f"UPDATE accounts SET amount = amount - {amount} WHERE id = {a}",
            f"UPDATE accounts SET amount = amount + {amount} WHERE id = {b}",
        ]
        if step % 3 == 0:
            new = ACCOUNTS + 2 * step
            changes.append(f"INSERT INTO accounts VALUES ({new}, {amount}), ({new + 1}, {-amount})")
        if step % 7 == 0:
            old = ACCOUNTS + 2 * (step // 7 * 3)
            changes.append(f"DELETE FROM accounts WHERE id IN ({old}, {old + 1})")
        changes.append(f"UPDATE steps SET step = {step}")
        engine.send("BEGIN")
        for change in changes:
            engine.send(change)
        engine.send("COMMIT")
        if step % 100 == 0:
            engine.send("CHECKPOINT")

    return write


def make_reader(generator):
    last = -1

    def read(engine):
        nonlocal last
        if generator.random() < 0.5:
            total, step = engine.send(
                "SELECT (SELECT sum(amount) FROM accounts), (SELECT max(step) FROM steps)")[0]
        else:
            engine.send("BEGIN")
            total = engine.send("SELECT sum(amount) FROM accounts")[0][0]
            step = engine.send("SELECT max(step) FROM steps")[0][0]
            again = engine.send("SELECT sum(amount), count(*) % 2 FROM accounts")[0]
            engine.send("COMMIT")
            assert again == [total, "0"], f"within a transaction {total} became {again}"
        assert int(total) == TOTAL, f"a reader saw the sum {total}, not {TOTAL}"
        assert int(step) >= last, f"a reader saw step {step} after step {last}"
        last = int(step)

    return read


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--apus", default=os.environ.get("APUS", os.path.join(ROOT, ".build/release/apus")))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="apus-readers-") as folder:
        path = os.path.join(folder, "my.db")
        writer = Engine(arguments.apus, path)
        writer.send("CREATE TABLE accounts(id BIGINT PRIMARY KEY, amount BIGINT)")
        writer.send(f"INSERT INTO accounts SELECT i, 1000 FROM range({ACCOUNTS}) r(i)")
        writer.send("CREATE TABLE steps AS SELECT 0::BIGINT AS step")
        until = time.time() + arguments.seconds
        parts = [Part(writer, until, make_writer(random.Random(arguments.seed)))]
        for number in range(arguments.readers):
            parts.append(Part(
                Engine(arguments.apus, path), until,
                make_reader(random.Random(arguments.seed * 100 + number))))
        for part in parts:
            part.start()
        for part in parts:
            part.join()
        for part in parts:
            part.engine.end()
        failures = [part.failure for part in parts if part.failure]
        reads = [moment for part in parts[1:] for moment in part.times]
        for name, times in (("commits", parts[0].times), ("sums", reads)):
            if times:
                print(f"{len(times):6} {name}, {len(times) / arguments.seconds:.0f} a second, "
                      f"median {statistics.median(times) * 1000:.1f} ms, "
                      f"longest {max(times) * 1000:.0f} ms")
        if failures:
            sys.exit("\n".join(str(failure) for failure in failures))
        if not parts[0].times or not all(part.times for part in parts):
            sys.exit("somebody did nothing at all")
        print(f"{arguments.readers} readers and a writer: no error, the sum the same always")


main()
