#!/usr/bin/env python3
"""Random window functions, answered by Apus and by DuckDB (from PyPI), side by side.

    python random_windows.py --apus .build/release/apus --queries 2000 --seed 1

The table is small and full of NULLs and ties; its column `id` is unique. Each query selects id and
a few calls over random windows: partitions, orders, frames of every kind, EXCLUDE, FILTER, DISTINCT,
IGNORE NULLS, ORDER BY among arguments, named windows, QUALIFY. It runs in DuckDB once and in Apus
under one of the settings of `configurations`. Rows are compared by id, doubles with a tolerance; an
error on both sides counts as equal.

What SQL leaves open is not generated: a call that sees which of several peers comes first gets a
window, or an order of its own, that ends with id.
"""

import argparse
import collections
import decimal
import json
import math
import random
import subprocess
import sys

import duckdb

ROWS = 45
COLUMNS = {
    "p": "integer", "q": "varchar", "o": "integer", "w": "double", "d": "date", "ts": "timestamp",
    "m": "decimal(9,2)", "x": "double", "i": "integer", "l": "bigint", "s": "varchar",
    "b": "boolean", "k": "integer", "h": "hugeint", "f": "float", "u": "utinyint"}


def configurations():
    return [[f"SET threads = {threads}", f"SET batch_size = {batch}"]
            for threads in (1, 2) for batch in (1, 3, 2048)]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, probability):
        return self.random.random() < probability

    # Table

    def table(self):
        pick = self.random
        values = {
            "p": lambda: pick.randint(0, 3), "q": lambda: quoted(pick.choice(["", "a", "bb", "a longer partition key"])),
            "o": lambda: pick.randint(-3, 9), "w": lambda: f"{pick.randint(-8, 8) / 4}::double",
            "d": lambda: f"DATE '2024-01-31' + {pick.randint(0, 40)}",
            "ts": lambda: f"TIMESTAMP '2024-02-28 22:00:00' + INTERVAL {pick.randint(0, 3000)} MINUTE",
            "m": lambda: pick.randint(-999, 999) / 100, "x": lambda: f"{pick.randint(-20, 20) / 4}::double",
            "i": lambda: pick.randint(-9, 9), "l": lambda: pick.choice([-1, 0, 2, 7, 5000000000]),
            "s": lambda: quoted(pick.choice(["", "a", "ab", "B", "abc", "a text of more than twelve bytes"])),
            "b": lambda: pick.choice(["true", "false"]), "k": lambda: pick.randint(0, 4),
            "h": lambda: pick.choice([1, -5, 170141183460469231731]),
            "f": lambda: f"{pick.randint(-20, 20) / 4}::float", "u": lambda: pick.randint(0, 5)}
        rows = []
        for number in range(ROWS):
            row = [str(number)]
            for name in COLUMNS:
                null = name != "k" and pick.random() < 0.15
                row.append("NULL" if null else str(values[name]()))
            rows.append("(" + ", ".join(row) + ")")
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        return [f"CREATE TABLE t (id INTEGER, {columns})", "INSERT INTO t VALUES " + ", ".join(rows)]

    # Windows

    def order_item(self, names):
        name = self.random.choice(names)
        if name == "id":
            return "id" + self.pick("", " DESC")
        return name + self.pick("", "", " ASC", " DESC") + self.pick("", "", " NULLS FIRST", " NULLS LAST")

    def partition(self):
        keys = self.random.sample(["p", "q", "b", "i % 2", "p"], self.pick(0, 1, 1, 1, 2))
        return "PARTITION BY " + ", ".join(keys) if keys else ""

    def window(self, total):
        """`total`: the order tells all rows apart."""
        frame = self.frame_kind(total)
        names = ["o", "w", "d", "ts", "m", "i", "s", "f", "l", "b", "h"]
        if frame == "offset":
            key = self.pick("o", "w", "d", "ts", "m", "id", "l", "f", "h") if not total else "id"
            item = key + self.pick("", " DESC") + self.pick("", " NULLS FIRST", " NULLS LAST")
            order, clause = [item], self.range_frame(key)
        else:
            order = [self.order_item(names) for _ in range(self.pick(0, 1, 1, 1, 2))]
            if total or frame == "ROWS":
                order.append(self.order_item(["id"]))
            clause = self.frame(frame) if frame else ""
        parts = [self.partition(), "ORDER BY " + ", ".join(order) if order else "", clause]
        return " ".join(part for part in parts if part)

    def frame_kind(self, total):
        return self.pick(None, "ROWS", "ROWS", "ROWS", "RANGE", "GROUPS", "GROUPS", "offset", "offset")

    def bounds(self, offset):
        start = self.pick(0, 1, 1, 2, 3)
        first = ["UNBOUNDED PRECEDING", f"{offset()} PRECEDING", "CURRENT ROW", f"{offset()} FOLLOWING"][start]
        last = [f"{offset()} PRECEDING", "CURRENT ROW", f"{offset()} FOLLOWING", "UNBOUNDED FOLLOWING"]
        least = {0: 0, 1: 0, 2: 1, 3: 2}[start]
        second = self.random.choice(last[least:])
        exclude = "" if self.chance(0.6) else " EXCLUDE " + self.pick("CURRENT ROW", "GROUP", "TIES", "NO OTHERS")
        return f"BETWEEN {first} AND {second}{exclude}"

    def frame(self, unit):
        if unit == "RANGE":
            first = self.pick("UNBOUNDED PRECEDING", "CURRENT ROW")
            second = self.pick("CURRENT ROW", "UNBOUNDED FOLLOWING")
            exclude = "" if self.chance(0.6) else " EXCLUDE " + self.pick("CURRENT ROW", "GROUP", "TIES")
            return f"RANGE BETWEEN {first} AND {second}{exclude}"
        return f"{unit} " + self.bounds(lambda: self.pick("0", "1", "2", "3", "7", "k", "k + 1", "30"))

    def range_frame(self, key):
        if key in ("d", "ts"):
            unit = lambda: self.pick("INTERVAL 1 DAY", "INTERVAL 3 DAYS", "INTERVAL 1 MONTH", "INTERVAL 5 HOURS",
                                     "INTERVAL 0 DAYS", "INTERVAL (k) DAY")
        elif key in ("w", "m", "f"):
            unit = lambda: self.pick("0", "0.5", "1", "k", "2.25", "100")
        else:
            unit = lambda: self.pick("0", "1", "2", "k", "5", "1000")
        return "RANGE " + self.bounds(unit)

    # Calls

    def call(self):
        kind = self.random.random()
        if kind < 0.2:
            return self.ranking()
        if kind < 0.45:
            return self.value()
        return self.aggregate()

    def ranking(self):
        name = self.pick("row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile")
        argument = self.pick("1", "2", "3", "k + 1", "100") if name == "ntile" else ""
        order = ""
        if name != "dense_rank" and self.chance(0.3):
            order = " ORDER BY " + self.order_item(["o", "x", "s", "d"]) + (", id" if name in ("row_number", "ntile") else "")
        total = name in ("row_number", "ntile")
        window = self.window(total)
        if order:
            window = window.split(" EXCLUDE ")[0]
        return f"{name}({argument}{order})", window

    def exclusion_refused(self, text):
        """DuckDB knows no EXCLUDE for these."""
        name = text.split("(")[0]
        return "ORDER BY" in text and name in ("row_number", "rank", "percent_rank", "cume_dist", "ntile", "lag", "lead")

    def value(self):
        column = self.random.choice(["i", "x", "s", "d", "m", "h", "b", "ts"])
        name = self.pick("lag", "lead", "first_value", "last_value", "nth_value", "first", "last")
        arguments = [column]
        if name in ("lag", "lead") and self.chance(0.6):
            arguments.append(self.pick("0", "1", "2", "3", "k", "-1", "NULL", "i"))
            if self.chance(0.5):
                arguments.append({"i": "-99", "x": "0.5", "s": "'none'", "d": "DATE '2000-01-01'", "m": "1.25",
                                  "h": "id", "b": "true", "ts": "ts"}[column])
        if name == "nth_value":
            arguments.append(self.pick("1", "2", "3", "k", "0", "i"))
        order = ""
        if self.chance(0.25):
            order = " ORDER BY " + self.order_item(["o", "x", "s", "d"]) + ", id"
        window = self.window(True)
        nulls = self.pick("", "", "", " IGNORE NULLS", " RESPECT NULLS")
        if name in ("lag", "lead") and order:
            # DuckDB numbers the rows of such calls before it leaves NULLs out, and loses count where
            # the frame does not hold the row itself.
            nulls = ""
            window = f"{self.partition()} ORDER BY {self.order_item(['o', 'd', 's'])}, id ROWS BETWEEN " + self.pick(
                "k PRECEDING AND k FOLLOWING", "UNBOUNDED PRECEDING AND CURRENT ROW",
                "CURRENT ROW AND UNBOUNDED FOLLOWING", "UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING")
        return f"{name}({', '.join(arguments)}{order}{nulls})", window

    def aggregate(self):
        numeric = self.random.choice(["i", "l", "x", "m", "f", "u", "k"])
        anything = self.random.choice(list(COLUMNS))
        choice = self.random.randint(0, 15)
        total = False
        order = ""
        distinct = "DISTINCT " if self.chance(0.2) else ""
        if choice <= 1:
            text = "count(*)"
        elif choice <= 3:
            text = f"count({distinct}{anything})"
        elif choice <= 6:
            text = f"sum({distinct}{numeric})"
        elif choice <= 8:
            text = f"avg({distinct}{numeric})"
        elif choice <= 11:
            text = f"{self.pick('min', 'max')}({distinct}{anything})"
        elif choice == 12:
            text = f"{self.pick('bool_and', 'bool_or')}(b)"
        elif choice == 13:
            text = self.pick(
                lambda: f"{self.pick('median', 'stddev_samp', 'var_pop')}({self.pick('i', 'x')})",
                lambda: f"median({self.pick('d', 'ts', 'm', 'f', 's')})",
                lambda: f"quantile_cont({self.pick('i', 'x', 'ts', 'm')}, {self.pick('0.25', '[0.1, 0.5]', '1')})",
                lambda: f"quantile_disc({self.pick('i', 's', 'd', 'm')}, {self.pick('0.3', '[0, 0.75]')})")()
        elif choice == 14:
            if self.chance(0.5):
                order = f" ORDER BY {self.order_item(['o', 's', 'x'])}, id"
            else:
                total = True
            text = f"list({anything}{order})"
        else:
            if self.chance(0.5):
                order = f" ORDER BY {self.order_item(['o', 's', 'x'])}, id"
            else:
                total = True
            text = f"string_agg(s, '{self.pick('-', ',')}'{order})"
        if self.chance(0.2):
            text += f" FILTER (WHERE {self.pick('i > 0', 'b', 'x IS NOT NULL', 'k < 2', 'false')})"
        return text, self.window(total)

    def query(self):
        calls = [self.call() for _ in range(self.pick(1, 1, 2, 3))]
        if len(calls) > 1 and self.chance(0.3):
            calls = [(text, window if self.sees_order(text) or self.exclusion_refused(text) else calls[0][1])
                     for text, window in calls]
        named = self.chance(0.2)
        items, windows = [], []
        for number, (text, window) in enumerate(calls):
            if named:
                windows.append(f"w{number} AS ({window})")
                items.append(f"{text} OVER w{number} AS c{number}")
            else:
                items.append(f"{text} OVER ({window}) AS c{number}")
        query = "SELECT id, " + ", ".join(items) + " FROM t"
        if self.chance(0.15):
            query += " WHERE " + self.pick("i > 0", "p IS NOT NULL", "false", "id < 5", "id = 3")
        if windows:
            query += " WINDOW " + ", ".join(windows)
        if self.chance(0.1):
            query += f" QUALIFY c0 {self.pick('IS NOT NULL', 'IS NULL')}"
        return query

    def sees_order(self, text):
        return text.split("(")[0] in ("row_number", "ntile", "lag", "lead", "first_value", "last_value", "nth_value",
                                      "first", "last", "list", "string_agg")


class Apus:
    def __init__(self, path):
        self.process = subprocess.Popen([path, "--protocol", "jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the engine ended at: {sql}")
        answer = json.loads(line)
        return ("error", answer["error"]) if "error" in answer else ("rows", answer["rows"])


def same(ours, theirs):
    if ours is None or theirs is None:
        return ours is None and theirs is None
    if ours == theirs:
        return True
    if ours.startswith("[") and theirs.startswith("["):
        first, second = ours[1:-1].split(", "), theirs[1:-1].split(", ")
        return len(first) == len(second) and all(same(a, b) for a, b in zip(first, second))
    try:
        a, b = float(ours), float(theirs)
    except ValueError:
        return False
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))


def agrees(ours, theirs):
    return ours[0] == theirs[0] and len(ours[1]) == len(theirs[1]) and all(
        same(a, b) for x, y in zip(ours[1], theirs[1]) for a, b in zip(x, y))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", required=True)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5, help="differences printed in full")
    options = parser.parse_args()
    generator = Generator(options.seed)
    apus = Apus(options.apus)
    peer = duckdb.connect()
    peer.execute("SET threads = 1")
    settings = configurations()
    counts = collections.Counter()
    for number in range(options.queries):
        if number % 100 == 0:
            peer.execute("DROP TABLE IF EXISTS t")
            apus.run("DROP TABLE IF EXISTS t")
            for statement in generator.table():
                peer.execute(statement)
                kind, answer = apus.run(statement)
                if kind == "error":
                    sys.exit(answer)
        query = generator.query()
        setting = settings[number % len(settings)]
        for statement in setting:
            apus.run(statement)
        try:
            names = [row[0] for row in peer.execute(f"DESCRIBE {query}").fetchall()]
            cast = ", ".join(f"CAST({name} AS VARCHAR)" for name in names)
            full = f"SELECT {cast} FROM ({query}) AS q ORDER BY id"
            theirs = ("rows", peer.execute(full).fetchall())
        except duckdb.Error as error:
            theirs = ("error", str(error))
            full = f"SELECT * FROM ({query}) AS q ORDER BY id"
        ours = apus.run(full)
        if ours[0] == "error" and theirs[0] == "error":
            counts["errors on both sides"] += 1
            continue
        verdict = "equal" if agrees(ours, theirs) else "different"
        if verdict == "different" and theirs[0] == "rows":
            # Where the bound of a RANGE is NULL, DuckDB gives now one answer, now another.
            if any(agrees(ours, ("rows", peer.execute(full).fetchall())) for _ in range(50)):
                verdict = "equal to one of DuckDB's answers"
        counts[verdict] += 1
        if verdict == "different" and counts["different"] <= options.show:
            print(f"-- query {number} under {'; '.join(setting)}\n{query}")
            if ours[0] == "error" or theirs[0] == "error":
                print(f"   apus: {str(ours)[:300]}\n   duckdb: {str(theirs)[:300]}")
            else:
                for x, y in zip(ours[1], theirs[1]):
                    if not all(same(a, b) for a, b in zip(x, y)):
                        print(f"   apus: {x}\n   duckdb: {list(y)}")
                        break
    print(f"seed {options.seed}: " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    sys.exit(1 if counts["different"] else 0)


if __name__ == "__main__":
    main()
