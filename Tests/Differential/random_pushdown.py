#!/usr/bin/env python3
"""Random aggregations over joins, answered by Apus with and without aggregating below the joins, and by DuckDB.

    python random_pushdown.py --apus .build/release/apus --queries 2000 --seed 1

The exit status is 1 if something differs, or if hardly any plan aggregates below a join.
"""

import argparse
import random
import sys

import comparing
import engines

ROWS = 20000
TABLES = [
    f"""CREATE TABLE f AS SELECT i AS id, CASE WHEN i % 37 = 0 THEN NULL ELSE i * 7919 % 50 END AS k, i * 31 % 40 AS l,
i % 6 AS small, CASE WHEN i % 5 = 0 THEN NULL ELSE i % 100 - 50 END AS v, (i % 977)::DECIMAL(12,2) / 7 AS x,
(i % 1013)::DECIMAL(9,2) AS m, CASE WHEN i % 11 = 0 THEN NULL ELSE 'w' || i % 30 END AS s, i % 3 = 0 AS b,
(i % 250)::UTINYINT AS u, DATE '2024-01-01' + (i % 500)::INTEGER AS day FROM range({ROWS}) r(i)""",
    """CREATE TABLE d AS SELECT CASE WHEN i = 7 THEN NULL ELSE i % 45 END AS k, 'name ' || i % 8 AS name, i % 5 AS c,
CASE WHEN i % 4 = 0 THEN NULL ELSE i END AS w FROM range(60) r(i)""",
    "CREATE TABLE e AS SELECT i AS l, i % 3 AS g, 'e' || i % 7 AS label FROM range(35) r(i)",
    "CREATE TABLE none AS SELECT 1 AS k, 'x' AS name, 1 AS c, 1 AS w WHERE false",
]


class Generator:
    def __init__(self, rng):
        self.rng = rng

    def argument(self):
        return self.rng.choice(["f.v", "f.x", "f.m", "f.u", "f.v + f.x", "f.m * 2", "f.x - f.u", "f.m - f.m",
                                "CASE WHEN f.b THEN f.v ELSE 0 END", "f.l", "f.k"])

    def call(self):
        r = self.rng
        call = r.choice([
            "count(*)", "count(f.s)", f"count({self.argument()})", f"sum({self.argument()})", f"avg({self.argument()})",
            f"min({self.argument()})", f"max({self.argument()})", "min(f.s)", "max(f.day)", "bool_and(f.b)",
            "bool_or(f.b)", "bit_xor(f.v)", "bit_or(f.v)", "count_if(f.b)", "count(1)", "sum(1)",
            "avg(f.v::HUGEINT)", "count(DISTINCT f.v)", "sum(d.w)" if self.has_d else "sum(f.v)", "stddev(f.v)"])
        if r.random() < 0.15:
            call += f" FILTER (WHERE {r.choice(['f.v > 3', 'f.b', 'f.s IS NULL', 'f.l < 20'])})"
        # Over nothing it is NULL in DuckDB.
        return f"coalesce({call}, 0)" if "count_if" in call else call

    def query(self):
        r = self.rng
        kind = r.choice(["JOIN", "JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        table = r.choice(["d", "d", "d", "d", "(SELECT k, name, c, w FROM d WHERE c = 2)", "none"])
        on = r.choice(["f.k = d.k", "f.k = d.k", "f.k = d.k AND f.small = d.c", "f.k = d.k AND f.small < d.c",
                       "f.k IS NOT DISTINCT FROM d.k", "f.k + 1 = d.k"])
        form = r.random()
        self.has_d = True
        if form < 0.25:
            sides = f"{table} AS d {kind} f ON {on}"
        elif form < 0.4:
            sides, self.has_d = f"f WHERE f.k {r.choice(['IN', 'NOT IN'])} (SELECT k FROM d WHERE k > 20)", False
        elif form < 0.6:
            sides = f"f {kind} {table} AS d ON {on} {r.choice(['JOIN', 'LEFT JOIN'])} e ON f.l = e.l"
        else:
            sides = f"f {kind} {table} AS d ON {on}"
        has_e = " e ON" in sides
        if self.has_d and r.random() < 0.3:
            sides += " WHERE " + r.choice(["d.c < 3", "f.v > 10", "f.b", "d.name <> 'name 1'", "f.l < d.w"])
        keys = ["f.small", "f.k % 4", "f.b", "f.s"] + (["d.name", "d.c", "d.k"] if self.has_d else [])
        keys += ["e.label", "e.g"] if has_e else []
        groups = r.sample(keys, r.choice([0, 1, 1, 1, 2, 2]))
        calls = [self.call() for _ in range(r.choice([1, 2, 3, 4]))]
        by = ""
        if groups:
            shape = r.random()
            by = " GROUP BY " + (f"ROLLUP ({', '.join(groups)})" if shape < 0.15
                                 else f"CUBE ({', '.join(groups)})" if shape < 0.2 else ", ".join(groups))
            if r.random() < 0.2:
                by += f" HAVING {r.choice(calls)} IS NOT NULL"
        return f"SELECT {', '.join(groups + calls)} FROM {sides}{by}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", required=True)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    apus, duck = engines.Apus(arguments.apus, TABLES), engines.DuckDB(TABLES)
    settings = [f"SET threads = {threads}; SET batch_size = {batch}; SET disabled_optimizers = ''"
                for threads in (1, 2) for batch in (3, 64, 2048)]
    off = "SET threads = 1; SET batch_size = 2048; SET disabled_optimizers = 'aggregate_pushdown'"
    failures = errors = pushed = 0
    for number in range(arguments.queries):
        rng = random.Random(f"{arguments.seed} {number}")
        sql = Generator(rng).query()
        answer = apus.run(sql, rng.choice(settings))
        plan = apus.run("EXPLAIN " + sql, settings[0])
        without = apus.run(sql, off)
        pushed += sum("Aggregate" in str(row) for row in plan.rows or []) > 1
        what = None
        if answer.error or without.error:
            errors += 1
            if not (answer.error and without.error):
                what = f"with the rule {answer.error}, without {without.error}"
        else:
            what = comparing.differ_from_duckdb(duck.run(sql), answer, False) or comparing.rows_differ(
                comparing.floats(without.rows, without.types), comparing.floats(answer.rows, answer.types), False, "off")
        if what:
            failures += 1
            print(f"{number}: {sql}\n    {what}", flush=True)
    print(f"{arguments.queries} queries, {pushed} aggregate below a join, {errors} errors, {failures} differ")
    apus.stop()
    sys.exit(1 if failures or pushed * 10 < arguments.queries else 0)


if __name__ == "__main__":
    main()
