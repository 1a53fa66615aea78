"""Kills a writer with SIGKILL at random moments, again and again, on one database file.

    python3 benchmarks/crash_loop.py --rounds 500 [--seed 1] [--apus .build/release/apus] [--file F]

A round starts `apus --protocol jsonl FILE`, sends statements drawn at random (inserts, updates,
deletes, transactions, tables by CREATE TABLE AS, definitions, TRAIN, CHECKPOINT, VACUUM) and kills the
process after a random time. Then the file must be sound for SQLite itself (`PRAGMA integrity_check`),
and a new process must see the state after the last acknowledged statement: or, if one that commits was
under way, the state after that one; nothing between and nothing else. Standard library only.
"""
import argparse
import collections
import copy
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Killed(Exception):
    """The process is gone."""


class Engine:
    def __init__(self, program, path):
        self.process = subprocess.Popen(
            [program, "--protocol", "jsonl", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=dict(os.environ, APUS_THREADS="2"))

    def send(self, sql):
        """The rows of the answer; `Killed` when there is none."""
        try:
            self.process.stdin.write((json.dumps({"sql": sql}) + "\n").encode())
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except (BrokenPipeError, ConnectionResetError):
            raise Killed
        # A line that was cut off is no answer.
        if not line.endswith(b"\n"):
            raise Killed
        answer = json.loads(line)
        if "error" in answer:
            raise AssertionError(f"{answer['error']}\n  in: {sql}")
        return answer["rows"]

    def kill(self):
        self.process.kill()

    def end(self):
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        self.process.wait(timeout=60)
        errors = self.process.stderr.read().decode()
        self.process.stderr.close()
        if self.process.returncode not in (0, -9) or "Fatal" in errors:
            raise AssertionError(f"the engine ended with {self.process.returncode}: {errors}")


# ---------------------------------------------------------------------------- what should be there

def empty_state():
    return {"rows": {}, "tables": {}, "columns": [], "views": [], "indexes": [], "model": 0}


SETUP = [
    "CREATE TABLE rows(n BIGINT, i BIGINT, v BIGINT, s VARCHAR)",
    "CREATE TABLE points AS SELECT i::FLOAT AS x, (2 * i)::FLOAT AS y FROM range(200) r(i)",
    "CREATE MODEL m INPUT (x FLOAT) OUTPUT (y FLOAT) SEQUENTIAL (linear(1, 1)) "
    "OPTIONS (loss = 'mse', epochs = 2, batch_size = 20, seed = 1)",
]


def read_state(engine):
    """The state as queries see it, every value counted in."""
    state = empty_state()
    for n, count, total, texts in engine.send(
            "SELECT n, count(*), sum(v), sum(length(s)) FROM rows GROUP BY n"):
        state["rows"][int(n)] = (int(count), int(total), int(texts))
    for (name,) in engine.send("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'bulk%'"):
        count, total, texts = engine.send(
            f"SELECT count(*), coalesce(sum(a), 0), coalesce(sum(length(b)), 0) FROM {name}")[0]
        state["tables"][name] = (int(count), int(total), int(texts))
    state["columns"] = sorted(row[0] for row in engine.send(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = 'rows' AND column_name LIKE 'c%'"))
    state["views"] = sorted(row[0] for row in engine.send(
        "SELECT view_name FROM duckdb_views() WHERE NOT internal"))
    state["indexes"] = sorted(row[0] for row in engine.send(
        "SELECT index_name FROM duckdb_indexes()"))
    state["model"] = int(engine.send("SHOW MODELS")[0][-1] or 0)
    return state


# ---------------------------------------------------------------------------- statements and effects

class Workload:
    """Draws statements, each with the state that it leads to."""

    def __init__(self, generator):
        self.random = generator
        self.next = 1

    def number(self):
        self.next += 1
        return self.next

    def insert(self, state, most=400):
        n, count = self.number(), self.random.randint(1, most)
        state["rows"][n] = (count, count * (count - 1) // 2 + n * count, count * len(f"text {n}"))
        # Columns added since have values of their own.
        return (f"INSERT INTO rows(n, i, v, s) SELECT {n}, i, i + {n}, 'text {n}' "
                f"FROM range({count}) r(i)")

    def values(self, state):
        n = self.number()
        state["rows"][n] = (1, n, 1)
        return f"INSERT INTO rows(n, i, v, s) VALUES ({n}, 0, {n}, 'x')"

    def update(self, state):
        if not state["rows"]:
            return self.insert(state)
        n, by = self.random.choice(sorted(state["rows"])), self.random.randint(1, 9)
        count, total, texts = state["rows"][n]
        state["rows"][n] = (count, total + by * count, texts)
        return f"UPDATE rows SET v = v + {by} WHERE n = {n}"

    def delete(self, state):
        if len(state["rows"]) < 20:
            return self.insert(state)
        n = self.random.choice(sorted(state["rows"]))
        del state["rows"][n]
        return f"DELETE FROM rows WHERE n = {n}"

    def large(self, state):
        n, count = self.number(), 150_000
        state["rows"][n] = (count, count * (count - 1) // 2, count)
        return (f"INSERT INTO rows(n, i, v, s) SELECT {n}, i, i, 'y' FROM range({count}) r(i)")

    def bulk(self, state):
        if len(state["tables"]) > 4:
            return self.drop(state)
        n, count = self.number(), self.random.choice([10, 5_000, 130_000, 300_000])
        state["tables"][f"bulk{n}"] = (count, count * (count - 1) // 2, count * len(str(n)))
        # A permutation, whose chunks are large.
        return (f"CREATE TABLE bulk{n} AS SELECT i * 7919 % {count} AS a, '{n}' AS b "
                f"FROM range({count}) r(i)")

    def drop(self, state):
        if not state["tables"]:
            return self.bulk(state)
        name = self.random.choice(sorted(state["tables"]))
        del state["tables"][name]
        return f"DROP TABLE {name}"

    def another(self, names, letter, most, drop, make):
        """One name less, or one more, and the statement for it."""
        if len(names) > most:
            name = self.random.choice(names)
            return [other for other in names if other != name], drop.format(name)
        name = f"{letter}{self.number()}"
        return sorted(names + [name]), make.format(name)

    def column(self, state):
        state["columns"], statement = self.another(
            state["columns"], "c", 3, "ALTER TABLE rows DROP COLUMN {}", "ALTER TABLE rows ADD COLUMN {} INTEGER DEFAULT 7")
        return statement

    def view(self, state):
        state["views"], statement = self.another(
            state["views"], "w", 3, "DROP VIEW {}", "CREATE VIEW {} AS SELECT count(*) AS n FROM rows")
        return statement

    def train(self, state):
        state["model"] += 1
        return "SELECT count(*) FROM (TRAIN MODEL m FROM points)"

    def maintenance(self, state):
        return self.random.choice(["CHECKPOINT", "VACUUM"])

    def draw(self, state):
        """(kind, statements, state after them); the last statement is what commits."""
        after = copy.deepcopy(state)
        kinds = [(self.insert, 5), (self.values, 6), (self.update, 4), (self.delete, 4),
                 (self.large, 1), (self.bulk, 4), (self.drop, 2), (self.column, 1), (self.view, 1),
                 (self.train, 2)]
        draw = self.random.random()
        if draw < 0.15:
            return "maintenance", [self.maintenance(after)], after
        makers = [maker for maker, weight in kinds for _ in range(weight)]
        if draw < 0.4:
            inner = [self.random.choice(makers)(after) for _ in range(self.random.randint(2, 4))]
            return "transaction", ["BEGIN"] + inner + ["COMMIT"], after
        if draw < 0.45:
            scratch = copy.deepcopy(state)
            inner = [self.random.choice(makers)(scratch) for _ in range(2)]
            return "rollback", ["BEGIN"] + inner + ["ROLLBACK"], after
        maker = self.random.choice(makers)
        return maker.__name__, [maker(after)], after


# ---------------------------------------------------------------------------- a round

def check_by_sqlite(path):
    """On a copy, so that what the engine finds is what the kill has left."""
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "copy.db")
        for ending in ("", "-wal"):
            if os.path.exists(path + ending):
                shutil.copyfile(path + ending, target + ending)
        connection = sqlite3.connect(target)
        found = connection.execute("PRAGMA integrity_check").fetchall()
        connection.close()
        assert found == [("ok",)], f"integrity_check: {found[:3]}"


def run_round(program, path, workload, state, counts, longest):
    """Works until killed; gives the states that may be there, and what was under way."""
    engine = Engine(program, path)
    # As often in the first hundredth of the time as in the last half.
    delay = longest * 10 ** workload.random.uniform(-2.5, 0)
    timer = threading.Timer(delay, engine.kill)
    kind, possible = "start", [state]
    try:
        # Some are killed while they open the file.
        if workload.random.random() < 0.1:
            timer.start()
        engine.send("SELECT 1")
        if not timer.is_alive():
            timer.start()
        while True:
            kind, statements, after = workload.draw(state)
            for statement in statements:
                commits = statement == statements[-1] and statement != "ROLLBACK"
                possible = [state, after] if commits else [state]
                engine.send(statement)
            state, possible = after, [after]
            counts["acknowledged"] += 1
    except Killed:
        pass
    finally:
        timer.cancel()
        engine.kill()
        engine.end()
    return possible, kind


def difference(found, wanted):
    lines = []
    for key in wanted:
        if found[key] == wanted[key]:
            continue
        if isinstance(wanted[key], dict):
            for name in sorted(set(found[key]) | set(wanted[key]), key=str):
                if found[key].get(name) != wanted[key].get(name):
                    lines.append(f"{key} {name}: {found[key].get(name)}, not {wanted[key].get(name)}")
        else:
            lines.append(f"{key}: {found[key]}, not {wanted[key]}")
    return "\n  ".join(lines[:8])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=1, help="seconds until the kill, at most")
    parser.add_argument(
        "--apus", default=os.environ.get("APUS", os.path.join(ROOT, ".build/release/apus")))
    parser.add_argument("--file", help="keep the file here")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="apus-crash-")
    path = arguments.file or os.path.join(folder, "my.db")
    workload = Workload(random.Random(arguments.seed))
    counts, doubtful = collections.Counter(), 0
    engine = Engine(arguments.apus, path)
    for statement in SETUP:
        engine.send(statement)
    state = read_state(engine)
    engine.end()
    begin = time.time()
    for number in range(1, arguments.rounds + 1):
        where = f"round {number}, seed {arguments.seed}"
        try:
            possible, kind = run_round(
                arguments.apus, path, workload, state, counts, arguments.longest)
            check_by_sqlite(path)
            engine = Engine(arguments.apus, path)
            found = read_state(engine)
            engine.end()
            check_by_sqlite(path)
        except (AssertionError, Killed) as error:
            sys.exit(f"{where}: {error}\nfile: {path}")
        if found not in possible:
            sys.exit(f"{where}, killed in {kind}:\n  {difference(found, possible[-1])}\n"
                     f"  or {difference(found, possible[0])}\nfile: {path}")
        counts[f"killed in {kind}"] += 1
        if len(possible) == 2 and possible[0] != possible[1]:
            doubtful += 1
            counts["cut-off commits that happened"] += found == possible[1]
        state = found
        if number % 25 == 0:
            print(f"{number} kills, {counts['acknowledged']} commits, "
                  f"{os.path.getsize(path) >> 20} MiB, {time.time() - begin:.0f} s", flush=True)
    for name, count in sorted(counts.items()):
        print(f"{count:6} {name}")
    print(f"{doubtful:6} commits cut off")
    print(f"{arguments.rounds} kills: the file was sound and whole after each")
    if not arguments.file:
        shutil.rmtree(folder)


main()
