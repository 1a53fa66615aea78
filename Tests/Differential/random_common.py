#!/usr/bin/env python3
"""Random queries that say the same more than once, answered by Apus and by DuckDB.

    python random_common.py --apus .build/release/apus --queries 4000 --seed 1

The items of each query are put together from a few subexpressions: in projections, conditions, groups,
arguments of aggregates, behind CASE, AND, OR, COALESCE and TRY; some of them fail for some rows. All must
give what Apus gives with the rule off, and fail only where that fails; what both engines answer must
be equal. The exit status is 1 if something differs.
"""

import argparse
import random
import sys

import comparing
import engines

ROWS = 5000
TABLE = f"""CREATE TABLE t AS SELECT i AS id, i % 17 AS a, CASE WHEN i % 9 = 0 THEN NULL ELSE i % 23 - 11 END AS b,
(i % 1000 / 10)::DECIMAL(12,2) AS m, (i % 11 / 100)::DECIMAL(12,2) AS n, i / 7 AS x,
CASE WHEN i % 13 = 0 THEN NULL WHEN i % 5 = 0 THEN 'w' || i ELSE CAST(i % 300 AS VARCHAR) END AS s,
'name ' || (i % 40) AS name, DATE '2024-01-01' + (i % 500)::INTEGER AS day, [i, i % 3] AS l FROM range({ROWS}) r(i)"""


class Generator:
    def __init__(self, rng):
        self.rng = rng
        numbers = [self.number(3) for _ in range(2)]
        texts = [self.text(2) for _ in range(2)]
        self.numbers, self.texts = numbers, texts

    def pick(self, *choices):
        return self.rng.choice(choices)

    def number(self, depth):
        r = self.rng
        if depth == 0 or r.random() < 0.1:
            return self.pick("a", "b", "m", "n", "x", "id")
        return self.pick(
            lambda: f"({self.number(depth - 1)} + {self.number(depth - 1)})",
            lambda: f"({self.pick('m', 'm', 'a')} * (1 - {self.pick('n', 'n', 'b')}))",
            lambda: f"({self.pick('a', 'b', 'id')} * {self.pick('a', 'b', '3')})",
            lambda: f"length({self.text(depth - 1)})",
            lambda: f"year(day + {self.pick('a', '3', '100')}::INTEGER)",
            lambda: f"TRY_CAST({self.text(depth - 1)} AS INTEGER)",
            lambda: "CAST(s AS INTEGER)",
            lambda: f"sqrt(abs({self.number(depth - 1)}))",
            lambda: f"coalesce({self.number(depth - 1)}, {self.number(depth - 1)})",
            lambda: f"CASE WHEN {self.condition(depth - 1)} THEN {self.number(depth - 1)} ELSE {self.number(depth - 1)} END",
            lambda: f"list_sum(list_transform(l, lambda e: e + {self.pick('a', 'id')}))",
        )()

    def text(self, depth):
        if depth == 0:
            return self.pick("s", "name")
        return self.pick(
            lambda: f"upper({self.text(depth - 1)})",
            lambda: f"regexp_replace({self.text(depth - 1)}, '[a1]', '_')",
            lambda: f"({self.text(depth - 1)} || {self.text(depth - 1)})",
            lambda: f"substr({self.text(depth - 1)}, 2, 3)",
            lambda: f"CAST({self.pick('a', 'b', 'id', 'day')} AS VARCHAR)",
            lambda: f"replace({self.text(depth - 1)}, 'n', s)",
        )()

    def condition(self, depth):
        return self.pick(
            lambda: f"{self.pick('a', 'b', 'id')} {self.pick('<', '>', '=', '<>')} {self.rng.randrange(12)}",
            lambda: f"{self.number(depth)} > {self.rng.randrange(20)}" if depth > 0 else "b IS NULL",
            lambda: f"{self.text(max(depth, 1))} LIKE '%{self.rng.randrange(9)}%'",
            lambda: "s NOT LIKE 'w%'",
            lambda: f"{self.text(max(depth, 1))} IS NOT NULL",
        )()

    # Items that use what is common.
    def shared_number(self):
        n, t = self.rng.choice(self.numbers), self.rng.choice(self.texts)
        return self.pick(
            f"{n}", f"{n} + 1", f"{n} * 2", f"length({t})", f"coalesce({n}, -1)", f"coalesce(b, {n})",
            f"CASE WHEN {n} > 5 THEN {n} ELSE -{n} END", f"CASE WHEN a > 8 THEN {n} ELSE 0 END",
            f"CASE WHEN {t} = '3' THEN 1 WHEN {t} = '4' THEN 2 ELSE length({t}) END",
            f"TRY({n})", f"nullif({n}, 3)", f"CASE WHEN s NOT LIKE 'w%' THEN {n} END",
            f"greatest({n}, length({t}))")

    def shared_text(self):
        n, t = self.rng.choice(self.numbers), self.rng.choice(self.texts)
        return self.pick(
            f"{t}", f"{t} || 'x'", f"upper({t})", f"CASE WHEN {t} LIKE '%1%' THEN {t} ELSE 'no' END",
            f"coalesce({t}, 'none')", f"concat({t}, '-', length({t}))", f"CASE WHEN {n} > 3 THEN {t} END")

    def shared_condition(self):
        n, t = self.rng.choice(self.numbers), self.rng.choice(self.texts)
        return self.pick(
            f"{n} > 5", f"{n} BETWEEN 1 AND 400", f"{t} LIKE '%1%'", f"length({t}) BETWEEN 2 AND 7", f"{t} <> '7'",
            f"({n} < 3 OR {n} > 20)", f"{n} IS NOT NULL", "s NOT LIKE 'w%'", "a > 2", f"TRY({n}) > 0", f"{t} > 'a'")

    def item(self):
        return self.shared_number() if self.rng.random() < 0.6 else self.shared_text()

    def where(self):
        count = self.rng.choice([0, 0, 1, 2, 3])
        return " WHERE " + " AND ".join(self.shared_condition() for _ in range(count)) if count else ""

    def query(self):
        r = self.rng
        form = r.randrange(6)
        if form < 2:
            items = ", ".join(self.item() for _ in range(r.choice([1, 2, 3, 4])))
            return f"SELECT id, {items} FROM t{self.where()} ORDER BY id"
        if form == 2:
            n = self.shared_number()
            return f"SELECT count(*), sum({n}), min({self.item()}), max({self.shared_text()}), count({n}), " \
                   f"sum({self.shared_number()}) FILTER (WHERE {self.shared_condition()}) FROM t{self.where()}"
        if form == 3:
            key = self.item()
            return f"SELECT {key} AS k, count(*), sum({self.shared_number()}), max({self.item()}) FROM t{self.where()} GROUP BY k"
        if form == 4:
            return f"SELECT id, v, v IS NULL FROM (SELECT id, {self.item()} AS v, {self.item()} AS w FROM t{self.where()}) z " \
                   f"WHERE v IS NOT NULL AND w IS NOT NULL ORDER BY id"
        return f"SELECT count(*) FROM (SELECT id FROM t{self.where()} UNION ALL SELECT id FROM t{self.where()}) z"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", required=True)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    apus, duck = engines.Apus(arguments.apus, [TABLE]), engines.DuckDB([TABLE])
    settings = [f"SET threads = {threads}; SET batch_size = {batch}; SET disabled_optimizers = ''"
                for threads in (1, 2) for batch in (3, 64, 2048)]
    off = "SET threads = 1; SET batch_size = 2048; SET disabled_optimizers = 'common_subexpressions'"
    failures = errors = shared = fewer = refused = theirs = 0
    for number in range(arguments.queries):
        rng = random.Random(f"{arguments.seed} {number}")
        sql = Generator(rng).query()
        ordered = "ORDER BY" in sql
        answer = apus.run(sql, rng.choice(settings))
        plan = apus.run("EXPLAIN " + sql, settings[0])
        without = apus.run(sql, off)
        wanted = duck.run(sql)
        shared += any("common_1" in str(row) for row in plan.rows or [])
        what = None
        if answer.error or without.error:
            errors += 1
            if answer.error and not without.error:
                what = "fails with the rule only: " + answer.error
            fewer += not answer.error
        elif wanted.error:
            # DuckDB evaluates more of what is guarded.
            refused += 1
        else:
            what = comparing.differ_from_duckdb(wanted, answer, ordered)
            if what:
                plain = duck.run_plainly(sql)
                if not plain.error and comparing.differ_from_duckdb(plain, answer, ordered) is None:
                    # DuckDB agrees once its optimizer is off: the mistake is its own.
                    what, theirs = None, theirs + 1
        if what is None and not answer.error and not without.error:
            rows = (answer.rows, without.rows) if ordered else (sorted(answer.rows, key=str), sorted(without.rows, key=str))
            if len(rows[0]) != len(rows[1]) or not all(
                    all(map(comparing.equal, a, b)) for a, b in zip(*[comparing.floats(r, answer.types) for r in rows])):
                what = "differs from itself without the rule"
        if what:
            failures += 1
            print(f"{number}: {sql}\n    {what}", flush=True)
    print(f"{arguments.queries} queries, {shared} with something shared, {errors} errors "
          f"({fewer} without the rule only), {refused} that only DuckDB refuses, "
          f"{theirs} mistakes of DuckDB's optimizer, {failures} differ")
    apus.stop()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
