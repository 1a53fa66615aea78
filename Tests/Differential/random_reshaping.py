#!/usr/bin/env python3
"""Random UNNEST, PIVOT, UNPIVOT, lambdas and COLUMNS, answered by Apus and by DuckDB (from PyPI).

    python random_reshaping.py --apus .build/release/apus --queries 2000 --seed 11

The tables are small, with NULLs, empty lists and lists of lists. Every query orders all its columns,
so answers are compared row by row as text; an error on both sides counts as equal.
"""

import argparse
import json
import random
import subprocess
import sys

import duckdb

LISTS = [
    "l", "m", "l || m", "range(a)", "generate_series(a, b)", "[a, b]", "[a]", "l[1:2]", "m[-2:]",
    "m[:-2]", "l[4:1:-1]", "m[1:4:2]", "NULL::INT[]", "[x + 1 FOR x IN l IF x > 0]",
    "list_transform(l, lambda x: x + coalesce(a, 0))", "list_filter(m, lambda x: x > b)",
    "list_filter(l, lambda x, i: i % 2 = 1)", "list_transform(ll, lambda x: len(x))"]


def value(kind, pick):
    if pick.random() < 0.15:
        return "NULL"
    if kind == "number":
        return str(pick.randint(-3, 9))
    if kind == "text":
        return "'%s'" % pick.choice(["a", "b", "cc", ""])
    if kind == "list":
        return "[" + ", ".join(value("number", pick) for _ in range(pick.randint(0, 4))) + "]::INT[]"
    return "[" + ", ".join(value("list", pick) for _ in range(pick.randint(0, 3))) + "]::INT[][]"


def tables(pick):
    kinds = ["number", "number", "text", "list", "list", "lists"]
    for number in range(3):
        yield f"CREATE TABLE r{number} (a INT, b INT, k VARCHAR, l INT[], m INT[], ll INT[][])"
        rows = [[value(kind, pick) for kind in kinds] for _ in range(pick.randint(1, 12))]
        yield f"INSERT INTO r{number} VALUES " + ", ".join("(" + ", ".join(row) + ")" for row in rows)


def query(pick):
    table = f"r{pick.randint(0, 2)}"
    one, other = pick.choice(LISTS), pick.choice(LISTS)
    on = pick.choice(["k", "b % 3", "k, b"])
    group = pick.choice(["GROUP BY b", "GROUP BY b, k", ""] if on == "k" else ["GROUP BY a", ""])
    aggregate = pick.choice(
        ["sum(a)", "count(*)", "max(a), min(a)", "sum(a) AS s, count(a) AS c", "avg(a) AS m",
         "list(a ORDER BY a)"])
    columns = pick.choice(["'^[ab]$'", "* EXCLUDE (k, l, m, ll)", "lambda c: c IN ('a', 'b')"])
    nulls = pick.choice(["", "INCLUDE NULLS "])
    forms = [
        f"SELECT a, unnest({one}) AS u FROM {table}",
        f"SELECT unnest({one}) AS u, unnest({other}) AS v, b FROM {table}",
        f"SELECT k, count(*) AS n, sum(u) AS s FROM (SELECT k, unnest({one}) AS u FROM {table}) GROUP BY k",
        f"SELECT {table}.a, u.x FROM {table}, unnest({one}) AS u(x) WHERE x > {pick.randint(-2, 4)}",
        f"SELECT {table}.a, u.x FROM {table} LEFT JOIN unnest({one}) AS u(x) ON true",
        f"SELECT a, (SELECT sum(x) FROM unnest({one}) AS u(x)) AS s FROM {table}",
        f"PIVOT (SELECT a, b, k FROM {table}) ON {on} USING {aggregate} {group}",
        f"UNPIVOT (SELECT a, b, k FROM {table}) ON a, b INTO NAME n VALUE v",
        f"SELECT * FROM (SELECT a, b, k FROM {table}) UNPIVOT {nulls}(v FOR n IN (a, b AS bee))",
        f"SELECT {pick.choice(['max', 'min', 'count', 'sum'])}(COLUMNS({columns})) FROM {table}",
        f"SELECT unnest(ll, recursive := true) AS u, a FROM {table}",
        f"SELECT a, list_reduce({one} || [0], lambda x, y: coalesce(x, 0) + coalesce(y, 0)) AS s, "
        f"{other} AS w FROM {table}"]
    return pick.choice(forms) + " ORDER BY ALL"


class Apus:
    def __init__(self, path):
        self.process = subprocess.Popen(
            [path, "--protocol", "jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"apus ended at: {sql}")
        answer = json.loads(line)
        return None if "error" in answer else answer["rows"]


def expected(connection, sql):
    try:
        rows = connection.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({sql})").fetchall()
    except duckdb.Error:
        return None
    return [list(row) for row in rows]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", required=True)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    pick = random.Random(arguments.seed)
    apus, connection = Apus(arguments.apus), duckdb.connect()
    for statement in tables(pick):
        connection.execute(statement)
        apus.ask(statement)
    wrong = refused = 0
    for _ in range(arguments.queries):
        sql = query(pick)
        wanted, got = expected(connection, sql), apus.ask(sql)
        refused += wanted is None and got is None
        if wanted != got:
            wrong += 1
            print(f"{sql}\n  DuckDB: {wanted}\n  Apus:   {got}")
    print(f"seed {arguments.seed}: {arguments.queries} queries, {refused} refused by both, {wrong} differ")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
