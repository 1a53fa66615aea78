#!/usr/bin/env python3
"""Random ORDER BY … LIMIT queries, whose boundary goes down to scans, answered by Apus and by DuckDB.

    python random_top.py --apus .build/release/apus --queries 4000 --seed 1

The rows lie in a table in memory, in a database file and in a Parquet file of small row groups; columns are
clustered, shuffled or of few values, of all types with an order, with NULLs, NaN and infinities. Half of
the queries end their ORDER BY with the row's number and are compared with DuckDB row by row; of the
others, whose ties anybody may order, the keys are. All must give, ties included, what Apus gives with the
rule off. The exit status is 1 if something differs.
"""

import argparse
import os
import random
import re
import sys
import tempfile

import comparing
import engines

# More than the planner wants before it shares work among threads.
ROWS = 64_000
# By the row's number i; h is a scrambled one.
COLUMNS = {
    "up": "i // 3",
    "down": "-i",
    "gaps": "CASE WHEN i % 11 = 0 THEN NULL ELSE i // 2 END",
    "late": "CASE WHEN i < 40000 THEN NULL ELSE i END",
    "hashed": "h",
    "few": "(h % 5)::TINYINT",
    "small": "(h % 2000 - 1000)::SMALLINT",
    "word": "(h % 200)::UTINYINT",
    "large": "(h::UBIGINT * 9000000000000)",
    "huge": "h::HUGEINT * 100000000000000000000 * (CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END)",
    "money": "CASE WHEN h % 13 = 0 THEN NULL ELSE (h % 100000 / 100)::DECIMAL(9,2) END",
    "wide": "(h * 7919)::DECIMAL(30,4)",
    "real": "CASE WHEN h % 17 = 0 THEN 'nan'::DOUBLE WHEN h % 19 = 0 THEN NULL WHEN h % 23 = 0 THEN '-inf'::DOUBLE "
            "WHEN h % 29 = 0 THEN 'inf'::DOUBLE WHEN h % 31 = 0 THEN -0.0::DOUBLE ELSE (h % 4001 - 2000) / 8.0::DOUBLE END",
    "slope": "CASE WHEN i > 62000 THEN 'nan'::FLOAT ELSE (i / 4)::FLOAT END",
    "flat": "0.0::DOUBLE * (CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END)",
    "name": "CASE WHEN h % 7 = 0 THEN NULL ELSE 'n' || (h % 900) END",
    "long": "'a text whose beginning is the same in all rows, ' || lpad(CAST(i // 5 AS VARCHAR), 6, '0')",
    "short": "substr('abcdefghij', (h % 10)::INTEGER, (h % 4)::INTEGER)",
    "bytes": "('x' || (h % 500))::BLOB",
    "day": "DATE '1992-01-01' + (i // 10)::INTEGER",
    "random_day": "CASE WHEN h % 9 = 0 THEN NULL ELSE DATE '1960-01-01' + (h % 20000)::INTEGER END",
    "at": "TIMESTAMP '2020-01-01 00:00:00' + INTERVAL (i * 7) SECOND",
    "clock": "TIME '00:00:00' + INTERVAL (h % 86400) SECOND",
    "flag": "h % 3 = 0",
    "nothing": "NULL::INTEGER",
}
SOURCES = ["t", "t", "f.t", "p"]


def table(name):
    items = ", ".join(f"{expression} AS {column}" for column, expression in COLUMNS.items())
    return (f"CREATE TABLE {name} AS SELECT i AS id, {items} FROM "
            f"(SELECT i, (i * 104729 + 12345) % 1000003 AS h FROM range({ROWS}) r(i)) x")


class Generator:
    def __init__(self, rng):
        self.rng = rng

    def key(self, alias=""):
        column = self.rng.choice(self.columns)
        direction = self.rng.choice(["", " ASC", " DESC", " DESC"])
        nulls = self.rng.choice(["", "", " NULLS FIRST", " NULLS LAST"])
        return alias + column, direction + nulls

    def condition(self, alias=""):
        return self.rng.choice([
            f"{alias}up % 3 = 1", f"{alias}few < 3", f"{alias}hashed > 500000", f"{alias}id > 15000",
            f"{alias}money IS NOT NULL", f"{alias}name < 'n5'", f"{alias}day >= DATE '1993-01-01'",
            f"{alias}real > 0", f"{alias}gaps IS NULL", f"{alias}up < 40", f"{alias}few = 9"])

    def where(self, alias=""):
        count = self.rng.choice([0, 0, 1, 1, 2])
        return " WHERE " + " AND ".join(self.condition(alias) for _ in range(count)) if count else ""

    def source(self):
        """FROM with conditions, and the alias of the columns."""
        r = self.rng
        t = r.choice(SOURCES)
        form = r.randrange(9)
        if form == 0:
            kind = r.choice(["JOIN", "LEFT JOIN"])
            return f"{t} a {kind} (SELECT id AS k FROM t WHERE {self.condition()}) b ON a.id = b.k{self.where('a.')}", "a."
        if form == 1:
            return f"(SELECT id AS k FROM t WHERE up < 400) b RIGHT JOIN {t} a ON a.id = b.k{self.where('a.')}", "a."
        if form == 2:
            not_ = r.choice(["", "NOT "])
            return (f"{t} a WHERE {not_}EXISTS (SELECT 1 FROM t b WHERE b.id = a.hashed AND {self.condition('b.')})", "a.")
        if form == 3:
            other = r.choice(SOURCES)
            return (f"(SELECT * FROM {t}{self.where()} UNION ALL SELECT * FROM {other}{self.where()}) a", "a.")
        if form == 4:
            return f"(SELECT *, id + 1 AS more FROM {t}{self.where()}) a", "a."
        if form == 5:
            return f"(SELECT *, unnest([1, 2]) AS part FROM {t}{self.where()}) a", "a."
        if form == 6:
            # Both sides have the keys: the equality brings the boundary to the side that probes.
            return f"t b JOIN {t} a ON a.id = b.id AND b.few = a.few{self.where('a.')}", "a."
        return f"{t} a{self.where('a.')}", "a."

    def query(self):
        r = self.rng
        source, alias = self.source()
        # Parquet has no integers of 128 bits.
        self.columns = [column for column in COLUMNS if column != "huge" or not re.search(r"\bp\b", source)]
        keys = [self.key(alias) for _ in range(r.choice([1, 1, 1, 2, 3]))]
        isTotal = r.random() < 0.5 and "unnest" not in source and "UNION" not in source
        if isTotal:
            keys.append((alias + "id", r.choice(["", " DESC"])))
        order = ", ".join(key + how for key, how in keys)
        picked = ", ".join(key for key, _ in keys)
        if isTotal:
            picked += f", {alias}{r.choice(self.columns)}, {alias}id % 10"
        limit = r.choice([0, 1, 1, 2, 3, 10, 10, 50, 100, 1000, 7000, 100000])
        offset = r.choice(["", "", "", " OFFSET 1", " OFFSET 17", " OFFSET 3000", " OFFSET 90000"])
        text = f"SELECT {picked} FROM {source} ORDER BY {order} LIMIT {limit}{offset}"
        form = r.randrange(8)
        if form == 0:
            return f"SELECT count(*), min(id), max(id) FROM (SELECT {alias}id AS id, {picked.split(',')[0]} AS k FROM {source} " \
                   f"ORDER BY {order + ('' if isTotal else f', {alias}id')} LIMIT {limit}{offset}) z"
        if form == 1 and isTotal:
            return f"SELECT a.id, up FROM t a WHERE id IN (SELECT {alias}id FROM {source} ORDER BY {order} LIMIT {limit}{offset}) ORDER BY up DESC, a.id LIMIT 5"
        return text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", required=True)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        parquet = os.path.join(folder, "t.parquet")
        sources = [
            table("t"), f"ATTACH '{folder}/t.db' AS f", table("f.t"),
            f"COPY t TO '{parquet}' (FORMAT parquet, ROW_GROUP_SIZE 3000)", f"CREATE VIEW p AS SELECT * FROM '{parquet}'"]
        apus = engines.Apus(arguments.apus, sources)
        duck = engines.DuckDB([table("t"), "CREATE VIEW p AS SELECT * FROM t", "CREATE SCHEMA f", "CREATE VIEW f.t AS SELECT * FROM main.t"])
        settings = [f"SET threads = {threads}; SET batch_size = {batch}; SET disabled_optimizers = ''"
                    for threads in (1, 2, 4) for batch in (64, 2048)]
        off = "SET threads = 1; SET batch_size = 2048; SET disabled_optimizers = 'top_n_boundary'"
        failures = rows = errors = theirs = 0
        for number in range(arguments.queries):
            rng = random.Random(f"{arguments.seed} {number}")
            sql = Generator(rng).query()
            answer = apus.run(sql, rng.choice(settings))
            without = apus.run(sql, off)
            wanted = duck.run(sql)
            if answer.error or wanted.error:
                what = None if answer.error and wanted.error else f"apus: {answer.error}, DuckDB: {wanted.error}"
                errors += 1
            else:
                rows += len(answer.rows)
                what = comparing.differ_from_duckdb(wanted, answer, True)
                if what:
                    plain = duck.run_plainly(sql)
                    if not plain.error and comparing.differ_from_duckdb(plain, answer, True) is None:
                        # DuckDB agrees once its optimizer is off: the mistake is its own.
                        what, theirs = None, theirs + 1
                if what is None and answer.rows != without.rows:
                    what = "differs from itself without the rule"
            if what:
                failures += 1
                print(f"{number}: {sql}\n    {what}", flush=True)
        print(f"{arguments.queries} queries, {rows} rows, {errors} errors in both, "
              f"{theirs} mistakes of DuckDB's optimizer, {failures} differ")
        apus.stop()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
