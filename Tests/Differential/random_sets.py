#!/usr/bin/env python3
"""Random set operations, WITH tables, recursions and grouping sets, answered by Apus and by DuckDB.

    python random_sets.py --apus .build/release/apus --queries 2000 --seed 1

Each query follows from the seed and its number alone and runs in Apus under one of the settings of
`configurations`. Rows are compared as sorted multisets of texts, doubles with a tolerance. An error
on both sides counts as equal. Every difference is printed with its number; the exit status is 1 if
there was one.
"""

import argparse
import json
import math
import random
import subprocess
import sys

import duckdb

TABLES = {"t1": 12, "t2": 9, "t3": 6, "t4": 0}
COLUMNS = ["a", "b", "s", "x"]
KINDS = {"a": "i", "b": "i", "s": "s", "x": "d"}
RULES = ["constant_folding", "filter_pushdown", "distinct_aggregates", "top_n", "column_pruning", "join_strategy"]


def setup(rng):
    statements = []
    for table, count in TABLES.items():
        statements.append(f"CREATE TABLE {table} (a INTEGER, b INTEGER, s VARCHAR, x DOUBLE)")
        for _ in range(count):
            row = [
                rng.choice(["NULL", "0", "1", "1", "2", "3", "-1"]),
                rng.choice(["NULL", "0", "1", "2", "2", "5"]),
                rng.choice(["NULL", "''", "'a'", "'a'", "'b'", "'bc'"]),
                rng.choice(["NULL", "0.0", "1.5", "1.5", "-2.25", "4.0"]),
            ]
            statements.append(f"INSERT INTO {table} VALUES ({', '.join(row)})")
    return statements


class Generator:
    def __init__(self, rng):
        self.rng = rng
        self.names = 0

    def pick(self, *choices):
        return self.rng.choice(choices)

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def number(self, alias):
        column = self.pick("a", "b")
        return self.pick(
            f"{alias}.{column}", f"{alias}.{column}", f"{alias}.{column} + 1",
            f"coalesce({alias}.{column}, 7)", f"{alias}.a * {alias}.b", "1", "NULL")

    def value(self, kind, alias):
        if kind == "i":
            return self.number(alias)
        if kind == "s":
            return self.pick(f"{alias}.s", f"{alias}.s", f"upper({alias}.s)", "'k'", "NULL")
        return self.pick(f"{alias}.x", f"{alias}.x", f"{alias}.x * 2", f"{alias}.a", "0.5", "NULL")

    def condition(self, alias):
        return self.pick(
            f"{alias}.a > {self.rng.randint(-1, 3)}", f"{alias}.b IS NOT NULL",
            f"{alias}.s = 'a'", f"{alias}.a = {alias}.b", f"{alias}.x < 2",
            f"{alias}.a IN (1, 2, NULL)", f"{alias}.s IS DISTINCT FROM 'b'")

    def source(self, tables):
        """A table, or a WITH table of the same columns."""
        return self.rng.choice(list(TABLES) + tables * 3)

    def select(self, kinds, tables, plain=False):
        alias = self.name("q")
        items = [f"{self.value(kind, alias)} AS c{i}" for i, kind in enumerate(kinds)]
        text = f"SELECT {self.pick('', '', '', 'DISTINCT ')}{', '.join(items)}"
        text += f" FROM {self.source(tables)} AS {alias}"
        if self.rng.random() < 0.4:
            text += f" WHERE {self.condition(alias)}"
        return text

    def sets(self, kinds, tables, depth):
        if depth <= 0 or self.rng.random() < 0.2:
            return self.select(kinds, tables)
        arms = [self.arm(kinds, tables, depth)]
        for _ in range(self.rng.randint(1, 4)):
            operation = self.pick(
                "UNION", "UNION ALL", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL",
                "EXCEPT ALL", "UNION")
            arms.append(operation)
            arms.append(self.arm(kinds, tables, depth))
        return " ".join(arms)

    def arm(self, kinds, tables, depth):
        if self.rng.random() < 0.3:
            return "(" + self.sets(kinds, tables, depth - 1) + ")"
        return self.select(kinds, tables)

    def union_by_name(self, tables):
        arms = []
        for _ in range(self.rng.randint(2, 4)):
            alias = self.name("q")
            chosen = self.rng.sample(COLUMNS, self.rng.randint(1, 4))
            arms.append(
                f"SELECT {', '.join(f'{alias}.{c}' for c in chosen)} FROM {self.source(tables)} {alias}")
        operation = self.pick("UNION BY NAME", "UNION ALL BY NAME")
        names = "s" if not all(" a" in arm for arm in arms) else "a"
        del names
        return f" {operation} ".join(arms)

    def grouped(self, tables):
        alias = self.name("q")
        keys = self.rng.sample([f"{alias}.a", f"{alias}.b", f"{alias}.s", f"{alias}.a % 2"],
                               self.rng.randint(1, 3))
        elements = []
        for _ in range(self.rng.randint(1, 2)):
            elements.append(self.element(keys, 2))
        calls = self.rng.sample([
            "count(*)", f"sum({alias}.b)", f"min({alias}.x)", f"count(DISTINCT {alias}.a)",
            f"max({alias}.s) FILTER (WHERE {self.condition(alias)})", f"avg({alias}.x)",
            f"list({alias}.b ORDER BY {alias}.b, {alias}.a DESC)", f"sum(DISTINCT {alias}.b)",
            f"count({alias}.s)"], self.rng.randint(1, 3))
        used = [key for key in keys if any(key in e for e in elements)]
        # A key inside another ("q.a" in "q.a % 2") is no proof that it groups.
        used = [key for key in used if any(self.has(e, key) for e in elements)]
        items = used + calls
        if used and self.rng.random() < 0.6:
            items.append(f"grouping({', '.join(self.rng.sample(used, self.rng.randint(1, len(used))))})")
        text = f"SELECT {', '.join(items)} FROM {self.source(tables)} {alias}"
        if self.rng.random() < 0.3:
            text += f" WHERE {self.condition(alias)}"
        text += f" GROUP BY {', '.join(elements)}"
        if self.rng.random() < 0.3:
            text += f" HAVING {self.pick('count(*) > 1', 'sum(' + alias + '.a) IS NOT NULL')}"
        return text

    @staticmethod
    def has(element, key):
        parts = element.replace("(", ",").replace(")", ",").split(",")
        return key in [part.strip() for part in parts]

    def element(self, keys, depth):
        form = self.pick("plain", "rollup", "cube", "sets", "sets")
        some = self.rng.sample(keys, self.rng.randint(1, len(keys)))
        if form == "plain" or depth == 0:
            return some[0]
        if form == "rollup":
            return f"ROLLUP ({', '.join(some)})"
        if form == "cube":
            return f"CUBE ({', '.join(some)})"
        parts = []
        for _ in range(self.rng.randint(1, 3)):
            chosen = self.rng.sample(keys, self.rng.randint(0, len(keys)))
            parts.append(self.pick(f"({', '.join(chosen)})", f"({', '.join(chosen)})",
                                   self.element(keys, depth - 1)))
        return f"GROUPING SETS ({', '.join(parts)})"

    def recursion(self, tables):
        name = self.name("r")
        kind = self.pick("counter", "graph", "join", "aggregate", "key")
        limit = self.rng.randint(2, 12)
        union = self.pick("UNION", "UNION ALL")
        if kind == "counter":
            body = (f"{name}(n, m) AS (SELECT 1, 0 {union} SELECT n + 1, m + {self.rng.randint(0, 3)} "
                    f"FROM {name} WHERE n < {limit})")
            return f"WITH RECURSIVE {body} SELECT n, m FROM {name}"
        if kind == "graph":
            body = (f"{name}(n) AS (SELECT a FROM t1 WHERE a > 0 UNION SELECT e.b FROM t2 e "
                    f"{self.pick('JOIN', 'JOIN', 'RIGHT JOIN', 'LEFT JOIN')} {name} r ON e.a = r.n)")
            return f"WITH RECURSIVE {body} SELECT n FROM {name}"
        if kind == "join":
            body = (f"{name}(n, k) AS (SELECT a, 0 FROM t3 {union} SELECT t1.b, k + 1 FROM {name}, t1 "
                    f"WHERE {name}.n = t1.a AND k < 3)")
            return f"WITH RECURSIVE {body} SELECT k, count(*), sum(n) FROM {name} GROUP BY k"
        if kind == "aggregate":
            body = (f"{name}(n) AS (SELECT 1 {union} SELECT max(n) + 1 FROM {name} "
                    f"HAVING max(n) < {limit})")
            return f"WITH RECURSIVE {body} SELECT * FROM {name} UNION ALL SELECT count(*) FROM {name}"
        body = (f"{name}(k, v) USING KEY (k) AS (SELECT a, 0 FROM t1 WHERE a IS NOT NULL "
                f"GROUP BY a UNION SELECT k, v + 1 FROM {name} WHERE v < k)")
        return f"WITH RECURSIVE {body} SELECT k, v FROM {name}"

    def with_tables(self):
        tables, texts = [], []
        for _ in range(self.rng.randint(1, 3)):
            name = self.name("w")
            alias = self.name("q")
            hint = self.pick("", "", "MATERIALIZED ", "NOT MATERIALIZED ")
            inner = self.pick(
                f"SELECT * FROM {self.source(tables)} {alias} WHERE {self.condition(alias)}",
                f"SELECT DISTINCT * FROM {self.source(tables)} {alias}",
                f"SELECT a, count(*) AS b, min(s) AS s, max(x) AS x FROM {self.source(tables)} "
                f"{alias} GROUP BY a",
                f"SELECT * FROM {self.source(tables)} UNION ALL SELECT * FROM {self.source(tables)}")
            texts.append(f"{name} AS {hint}({inner})")
            tables.append(name)
        return tables, "WITH " + ", ".join(texts) + " "

    def distinct_on(self, tables):
        alias = self.name("q")
        keys = self.rng.sample(COLUMNS, self.rng.randint(1, 2))
        order = ", ".join(f"{alias}.{c} {self.pick('', 'DESC', 'NULLS FIRST')}" for c in COLUMNS)
        return (f"SELECT DISTINCT ON ({', '.join(alias + '.' + k for k in keys)}) * "
                f"FROM {self.source(tables)} {alias} ORDER BY {order}")

    def query(self):
        tables, prefix = [], ""
        if self.rng.random() < 0.5:
            tables, prefix = self.with_tables()
        form = self.pick("sets", "sets", "sets", "names", "grouped", "grouped", "grouped",
                         "recursion", "distinct", "correlated")
        if form == "sets":
            kinds = [self.pick("i", "s", "d") for _ in range(self.rng.randint(1, 3))]
            text = self.sets(kinds, tables, 2)
        elif form == "names":
            text = self.union_by_name(tables)
        elif form == "grouped":
            text = self.grouped(tables)
        elif form == "recursion":
            return self.recursion(tables)
        elif form == "distinct":
            text = self.distinct_on(tables)
        else:
            outer = self.name("q")
            inner = self.select(["i"], tables)
            text = (f"SELECT {outer}.a, {outer}.b FROM {self.source(tables)} {outer} WHERE {outer}.a "
                    f"{self.pick('IN', 'NOT IN')} ({inner} {self.pick('UNION', 'UNION ALL')} "
                    f"SELECT {outer}.b)")
        return prefix + text


def configurations():
    settings = []
    for threads in (1, 2):
        for batch in (2048, 3, 1):
            settings.append([f"SET threads = {threads}", f"SET batch_size = {batch}"])
    for rule in RULES:
        settings.append(["SET threads = 2", "SET batch_size = 3", f"SET disabled_optimizers = '{rule}'"])
    return settings


class Apus:
    def __init__(self, path):
        self.path = path
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.path, "--protocol", "jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)

    def run(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            return None, "the program ended"
        answer = json.loads(line)
        if "error" in answer:
            return None, answer["error"]
        return [tuple(row) for row in answer.get("rows", [])], None


def duck(connection, sql):
    try:
        cursor = connection.execute(f"SELECT COLUMNS(*)::VARCHAR FROM ({sql}) AS all_rows")
        return cursor.fetchall(), None
    except duckdb.Error as error:
        return None, str(error).split("\n")[0]


def same_value(a, b):
    if a == b:
        return True
    if a is None or b is None:
        return False
    try:
        return math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-12)
    except ValueError:
        return False


def key(row):
    return tuple((value is None, value or "") for value in row)


def same(left, right):
    if len(left) != len(right):
        return False
    for a, b in zip(sorted(left, key=key), sorted(right, key=key)):
        if len(a) != len(b) or not all(same_value(x, y) for x, y in zip(a, b)):
            return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--apus", required=True)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the number of one query, to see it alone")
    options = parser.parse_args()
    connection = duckdb.connect()
    apus = Apus(options.apus)
    script = setup(random.Random(options.seed))
    for statement in script:
        connection.execute(statement)
        apus.run(statement)
    settings = configurations()
    differences, errors, current = 0, 0, None
    numbers = [options.only] if options.only is not None else range(options.queries)
    for number in numbers:
        rng = random.Random(f"{options.seed}:{number}")
        wanted = rng.choice(settings)
        sql = Generator(rng).query()
        if wanted is not current:
            apus.run("RESET disabled_optimizers")
            for setting in wanted:
                apus.run(setting)
            current = wanted
        expected, duck_error = duck(connection, sql)
        rows, error = apus.run(sql)
        if options.only is not None:
            print(sql, expected, duck_error, rows, error, sep="\n")
        if expected is None and rows is None:
            errors += 1
            continue
        if expected is not None and rows is not None and same(expected, rows):
            continue
        differences += 1
        print(f"-- query {number} of seed {options.seed}, {'; '.join(wanted)}\n{sql};")
        print(f"   DuckDB: {duck_error or sorted(expected, key=key)[:12]}")
        print(f"   Apus:   {error or sorted(rows, key=key)[:12]}")
        if error == "the program ended":
            apus.start()
            for statement in script:
                apus.run(statement)
            current = None
    print(f"{len(numbers)} queries, {errors} errors on both sides, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
