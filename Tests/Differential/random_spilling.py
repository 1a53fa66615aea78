#!/usr/bin/env python3
"""Random queries, answered by Apus without and with a memory limit far below what they need.

    python random_spilling.py --apus .build/release/apus --queries 300 --seed 1

Sorts, groupings, joins, windows, shared queries and their combinations over tables of some ten thousand rows
of many types. Each is answered with memory for all, then under limits of a few megabytes with 1, 2 and 4
threads, and the answers are compared: as bags, or in order under an ORDER BY. Once more with a temp_directory
that cannot be: the share of queries that fail then says how many have spilled. No other engine is needed. The
exit status is 1 if an answer differs.
"""

import argparse
import random

import comparing
import engines

TABLES = {"big": 30000, "mid": 12000, "small": 300}
COLUMNS = {"id": "bigint", "k": "bigint", "g": "integer", "n": "integer", "s": "varchar", "w": "varchar", "d": "double",
           "m": "decimal", "t": "timestamp", "l": "list", "st": "struct", "u": "uuid", "h": "hugeint"}
PLAIN = [c for c in COLUMNS if c not in ("l", "st")]


def setup_statements(seed):
    for table, rows in TABLES.items():
        salt = seed * 7919 + rows
        yield (f"CREATE TABLE {table} AS SELECT i AS id, (i * 7919 + {salt}) % {rows * 2 // 3 + 1} AS k, "
               f"CASE WHEN i % 11 = 0 THEN NULL ELSE ((i * 31 + {salt}) % 97)::INTEGER END AS g, "
               f"CASE WHEN i % 7 = 0 THEN NULL ELSE (i % 5)::INTEGER END AS n, "
               f"CASE WHEN i % 13 = 0 THEN NULL WHEN i % 3 = 0 THEN 'v' || (i * 17 % 500) "
               f"ELSE 'a text of more than twelve bytes ' || (i * 13 % {rows // 2 + 1}) END AS s, "
               f"repeat('wide ' || (i % 1009), 4) AS w, "
               f"CASE WHEN i % 101 = 0 THEN 'nan'::DOUBLE ELSE (i * 37 % 1000) / 8.0 END AS d, "
               f"(i % 977)::DECIMAL(9, 2) / 4 AS m, TIMESTAMP '2024-01-01' + INTERVAL (i * 61 % 100000) SECOND AS t, "
               f"CASE WHEN i % 19 = 0 THEN NULL ELSE [i % 5, NULL, i % 7] END AS l, "
               f"{{'a': i % 23, 'b': CASE WHEN i % 4 = 0 THEN NULL ELSE 'text number ' || (i % 301) END}} AS st, "
               f"md5((i % {rows // 3 + 1})::VARCHAR)::UUID AS u, (i::HUGEINT - 500) * 100000000000000000 AS h "
               f"FROM range({rows}) r(i)")


class Generator:
    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.ordered = False

    def pick(self, options):
        return self.draw.choice(options)

    def some(self, options, least, most):
        return self.draw.sample(options, min(len(options), self.draw.randint(least, most)))

    def table(self):
        return self.pick(["big", "big", "mid"])

    def order(self, columns):
        return ", ".join(f"{c}{self.pick(['', ' DESC'])}{self.pick(['', ' NULLS FIRST', ' NULLS LAST'])}" for c in columns)

    def sort(self):
        keys = self.some(list(COLUMNS), 0, 3)
        self.ordered = True
        tail = self.pick(["", "", f" LIMIT {self.draw.randint(0, 9000)}", f" LIMIT 8000 OFFSET {self.draw.randint(0, 30000)}",
                          " OFFSET 15000"])
        shown = self.some(list(COLUMNS), 2, 7)
        return f"SELECT id, {', '.join(shown)} FROM {self.table()} ORDER BY {self.order(keys + ['id'])}{tail}"

    def aggregate(self, column):
        distinct = self.pick(["", "", "DISTINCT "])
        return self.pick([
            "count(*)", f"count({distinct}{column})", f"min({column})", f"max({column})", "sum(n)", f"sum({distinct}g)", "avg(m)",
            "sum(h)", "stddev_samp(g)", f"list({column} ORDER BY id)", "string_agg(s, '|' ORDER BY id DESC)",
            f"list(DISTINCT {column} ORDER BY {column})", "median(g)", "quantile_cont(m, 0.3)", f"first({column} ORDER BY id)",
            f"arg_max({column}, id)", f"count(*) FILTER (WHERE n > 2)", "approx_count_distinct(k) > 0", "mode(n) IS NULL",
            "bool_or(n = 3)", "bit_xor(id)", "max(s ORDER BY id)"])

    def group(self):
        keys = self.some(list(COLUMNS), 1, 3)
        calls = [self.aggregate(self.pick(PLAIN)) for _ in range(self.draw.randint(0, 4))]
        form = self.draw.random()
        listed = ", ".join(keys)
        if form < 0.7:
            by = listed
        elif form < 0.8:
            by = f"ROLLUP ({listed})"
        elif form < 0.9:
            by = f"CUBE ({listed})"
        else:
            by = "GROUPING SETS (" + ", ".join(f"({c})" for c in keys) + ", ())"
        having = self.pick(["", "", " HAVING count(*) > 1"])
        return f"SELECT {', '.join(keys + [f'{c} AS c{i}' for i, c in enumerate(calls)])} FROM {self.table()} GROUP BY {by}{having}"

    def join(self):
        kind = self.pick(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN"])
        key = self.pick(["a.k = b.k", "a.k = b.k", "a.id = b.k", "a.k = b.k AND a.g = b.g", "a.s = b.s AND a.k = b.k", "a.u = b.u AND a.g = b.g",
                         "a.k = b.k AND a.n IS NOT DISTINCT FROM b.n", "a.t = b.t AND a.k = b.k", "a.st = b.st AND a.k = b.k"])
        if kind in ("JOIN", "LEFT JOIN", "RIGHT JOIN") and self.draw.random() < 0.3:
            key += self.pick([" AND a.id < b.id", " AND a.n + b.n > 3", " AND a.w <> b.w"])
        shown = self.some([f"a.{c}" for c in COLUMNS], 1, 3)
        if kind not in ("SEMI JOIN", "ANTI JOIN"):
            shown += self.some([f"b.{c}" for c in COLUMNS], 1, 3)
        where = self.pick(["", "", " WHERE a.g < 50", " WHERE a.id % 3 = 0"])
        return f"SELECT {', '.join(f'{c} AS c{i}' for i, c in enumerate(shown))} FROM big a {kind} {self.pick(['mid', 'big'])} b ON {key}{where}"

    def membership(self):
        return self.pick([
            "SELECT id, k IN (SELECT k * 2 FROM mid WHERE g > 20) AS c FROM big",
            "SELECT id, g IN (SELECT k FROM big) AS c FROM mid",
            "SELECT id, s NOT IN (SELECT s FROM mid WHERE s IS NOT NULL) AS c FROM big",
            "SELECT id, (SELECT max(w) FROM big WHERE big.k = mid.k) AS c FROM mid",
            "SELECT id FROM big WHERE EXISTS (SELECT 1 FROM mid WHERE mid.k = big.k AND mid.id <> big.id)",
            "SELECT id FROM big WHERE k NOT IN (SELECT k FROM mid)",
            "SELECT a.id, b.id AS c FROM mid a ASOF JOIN big b ON a.g = b.g AND a.t >= b.t WHERE b.g < 30"])

    def window(self):
        call = self.pick(["row_number()", "rank()", "sum(id)", "lag(id)", "first_value(s)", "count(*)", "max(d)", "ntile(4)", "lead(w, 30)",
                          "dense_rank()", "percent_rank()", "cume_dist()", "avg(d)", "sum(d)", "min(s)", "lag(s, 2 IGNORE NULLS)",
                          "last_value(s IGNORE NULLS)", "nth_value(t, 9)", "count(g)", "bool_or(n = 3)", "sum(m) FILTER (WHERE g > 40)"])
        # One partition, or a few that are large, as often as many small ones.
        by = self.pick(["", "", "n", "k", "g, n", "s", "u", "st", "t"])
        order = self.pick(["id", "id", "g, id", "n", "t, id DESC", "s NULLS FIRST, id"])
        frame = self.pick(["", "", "ROWS UNBOUNDED PRECEDING", "ROWS BETWEEN 6 PRECEDING AND CURRENT ROW", "ROWS BETWEEN 300 PRECEDING AND 90 FOLLOWING",
                           "ROWS BETWEEN UNBOUNDED PRECEDING AND 20 PRECEDING", "GROUPS BETWEEN 2 PRECEDING AND 1 FOLLOWING",
                           "RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", "ROWS BETWEEN 6 PRECEDING AND 6 FOLLOWING EXCLUDE TIES"])
        shown = self.some(list(COLUMNS), 1, 4)
        parts = f"PARTITION BY {by}" if by else ""
        return f"SELECT id, {', '.join(shown)}, {call} OVER ({parts} ORDER BY {order} {frame}) AS c FROM {self.table()}"

    def totals(self):
        """Calls over whole partitions, which are grouped and joined."""
        calls = self.some(["count(*)", "sum(id)", "max(d)", "min(s)", "count(DISTINCT g)", "avg(m)", "sum(m) FILTER (WHERE g > 40)",
                           "max(w)", "median(g)", "sum(h)"], 1, 3)
        by = self.pick(["", "n", "g", "g, n", "s", "k", "k % 4000", "st", "u", "t", "d"])
        source = self.pick(["big", "big", "mid", "(SELECT * FROM big WHERE g > 20)",
                            "(SELECT a.* FROM big a JOIN mid b ON a.id = b.id * 2)", "(SELECT * FROM big ORDER BY s, id LIMIT 14000)"])
        shown = self.some(list(COLUMNS), 1, 4)
        parts = f"PARTITION BY {by}" if by else ""
        listed = ", ".join(f"{call} OVER ({parts}) AS c{i}" for i, call in enumerate(calls))
        return f"SELECT id, {', '.join(shown)}, {listed} FROM {source} q"

    def loop(self):
        all_rows = self.pick(["", " ALL"])
        return self.pick([
            f"WITH RECURSIVE r AS (SELECT id AS i, 0 AS l, w FROM mid UNION{all_rows} SELECT i, l + 1, w FROM r WHERE l < 2) SELECT * FROM r",
            f"WITH RECURSIVE r AS (SELECT id AS i, s, 0 AS depth FROM mid WHERE id < 90 UNION{all_rows} "
            "SELECT big.id, big.s, depth + 1 FROM r JOIN big ON big.k = r.i + 1 WHERE depth < 3) SELECT * FROM r",
            "SELECT DISTINCT ON (s, g) s, g, id, w FROM big ORDER BY t, id", "SELECT DISTINCT ON (u) id, u, st FROM big ORDER BY m DESC, id"])

    def pairs(self):
        kind = self.pick(["JOIN", "LEFT JOIN", "RIGHT JOIN", "SEMI JOIN", "ANTI JOIN"])
        left, right = self.pick([("small", "mid"), ("mid", "small")])
        on = self.pick(["a.id * 40 > b.k AND a.id * 39 < b.k", "a.m > b.m AND a.n + b.n = 7 - a.id % 5", "a.w || b.s LIKE '%99a%7'"])
        both = [f"a.{c}" for c in ("id", "w")] + ([] if kind in ("SEMI JOIN", "ANTI JOIN") else ["b.id", "b.w"])
        return self.pick([
            f"SELECT {', '.join(f'{c} AS c{i}' for i, c in enumerate(both))} FROM {left} a {kind} {right} b ON {on}",
            "SELECT id, (g, s) IN (SELECT g, s FROM mid) AS c FROM mid WHERE id < 3000",
            "SELECT id FROM mid WHERE (id, w) NOT IN (SELECT id + 7, w FROM mid)"])

    def shared(self):
        return self.pick([
            f"WITH q AS MATERIALIZED (SELECT * FROM {self.table()}) SELECT a.id, b.w FROM q a JOIN q b ON a.id = b.k",
            f"WITH q AS MATERIALIZED (SELECT id, k, w, s FROM big) SELECT count(*) AS c, min(s) AS e FROM q UNION ALL SELECT sum(k), max(w) FROM q",
            "SELECT k, s FROM big UNION SELECT k, w FROM mid", "SELECT k, n FROM big EXCEPT SELECT k, n FROM mid",
            "SELECT k, n FROM big INTERSECT ALL SELECT k, n FROM mid", "SELECT DISTINCT s, d, st FROM big",
            "SELECT DISTINCT ON (k) k, id, w FROM big ORDER BY k, id"])

    def query(self):
        make = self.pick([self.sort, self.sort, self.group, self.group, self.group, self.join, self.join, self.membership, self.window, self.window, self.totals, self.totals, self.shared, self.loop, self.pairs])
        self.ordered = False
        sql = make()
        if not self.ordered and self.draw.random() < 0.2:
            sql = f"SELECT * FROM ({sql}) q ORDER BY ALL"
        return sql


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", required=True)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int)
    parser.add_argument("--limits", default="3MB,5MB,8MB")
    options = parser.parse_args()
    setup = list(setup_statements(options.seed))
    free, tight = engines.Apus(options.apus, setup, limit=300), engines.Apus(options.apus, setup, limit=300)
    failures = spilled = refused = 0
    for number in range(options.queries):
        if options.only is not None and number != options.only:
            continue
        generator = Generator(options.seed * 1_000_003 + number)
        sql = generator.query()
        wanted = free.run(sql, "SET threads = 2; RESET memory_limit")
        limits = options.limits.split(",")
        settings = f"SET threads = {generator.pick([1, 2, 4])}; SET memory_limit = '{generator.pick(limits)}'"
        answer = tight.run(sql, f"{settings}; RESET temp_directory")
        if wanted.error:
            print(f"{number}: without a limit: {wanted.error}\n  {sql}")
            failures += 1
        elif answer.error:
            if "Out of Memory" in answer.error:
                refused += 1
                print(f"{number}: refused: {answer.error}\n  {settings}; {sql}")
                continue
            print(f"{number}: {answer.error}\n  {settings}; {sql}")
            failures += 1
        else:
            difference = comparing.rows_differ(comparing.floats(wanted.rows, wanted.types), comparing.floats(answer.rows, answer.types),
                                               generator.ordered, "unlimited")
            if difference:
                print(f"{number}: {difference}\n  {settings}; {sql}")
                failures += 1
            nowhere = tight.run(sql, f"{settings}; SET temp_directory = '/proc/none/here'")
            spilled += bool(nowhere.error and "temporary file" in nowhere.error)
    print(f"{options.queries} queries, {spilled} spilled, {refused} refused, {failures} failures")
    free.stop()
    tight.stop()
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
