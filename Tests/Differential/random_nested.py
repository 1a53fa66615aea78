#!/usr/bin/env python3
"""Random values of nested types, ENUM and UUID, answered by Apus and by DuckDB.

    python random_nested.py --apus .build/release/apus --rounds 100 --seed 1

A round draws a type (lists, arrays, maps and structs in one another over flat types), fills two
tables with values of it, and asks the same questions of both engines: grouping, sorting, joins, set
operations, windows, aggregates, functions of the type. Types and texts of the rows must agree. Every
round is a process of its own, since DuckDB may die of one; those rounds are counted. The exit status
is 1 if there was a difference.
"""

import argparse
import json
import os
import pickle
import random
import subprocess
import sys

import duckdb

FLAT = {
    "int": ("INTEGER", ["-3", "-1", "0", "1", "2"]),
    "tiny": ("TINYINT", ["0::TINYINT", "1::TINYINT", "3::TINYINT"]),
    "varchar": ("VARCHAR", ["'a'", "'b'", "''", "'A b'", "'it''s'", "'null'", "'x,y'", "'é'", "'{'",
                            "'long text that is not inlined at all'", "'k=v'"]),
    "mood": ("mood", ["'sad'::mood", "'ok'::mood", "'happy'::mood"]),
    "uuid": ("UUID", ["'00000000-0000-0000-0000-000000000001'::UUID",
                      "'f7183823-2574-4bfd-b411-99ed177d3e43'::UUID"]),
    "bool": ("BOOLEAN", ["true", "false"]),
    "double": ("DOUBLE", ["0.0::DOUBLE", "1.5::DOUBLE", "'nan'::DOUBLE", "'inf'::DOUBLE"]),
    "date": ("DATE", ["'2020-01-01'::DATE", "'1969-12-31'::DATE"]),
    "dec": ("DECIMAL(9,2)", ["1.50::DECIMAL(9,2)", "-2.25::DECIMAL(9,2)"]),
    "blob": ("BLOB", ["'a'::BLOB", "'\\xAA'::BLOB", "''::BLOB"]),
    "interval": ("INTERVAL", ["INTERVAL '1 day'", "INTERVAL '2 months'", "INTERVAL '-3 days'"]),
}
TYPE = "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')"
# What DuckDB cannot do with nested types, or does not survive.
REFUSED = ["for BETWEEN", "INTERNAL", "FATAL", "Cannot resize vector"]


def drawn_type(pick, depth):
    if depth > 0 and pick.random() < 0.62:
        kind = pick.choice(["list", "list", "map", "map", "struct", "array"])
        if kind == "struct":
            names = pick.sample(["p", "q", "r", "key"], pick.randint(1, 2))
            return (kind, [(field, drawn_type(pick, depth - 1)) for field in names])
        if kind == "map":
            return (kind, drawn_type(pick, depth - 1), drawn_type(pick, depth - 1))
        return (kind, drawn_type(pick, depth - 1), pick.randint(1, 3))
    return (pick.choice(sorted(FLAT)),)


def name(t):
    if t[0] in FLAT:
        return FLAT[t[0]][0]
    if t[0] == "list":
        return name(t[1]) + "[]"
    if t[0] == "array":
        return f"{name(t[1])}[{t[2]}]"
    if t[0] == "map":
        return f"MAP({name(t[1])}, {name(t[2])})"
    return "STRUCT(" + ", ".join(f'"{field}" {name(inner)}' for field, inner in t[1]) + ")"


def literal(pick, t, null=0.2):
    if pick.random() < null:
        return "NULL"
    if t[0] in FLAT:
        return pick.choice(FLAT[t[0]][1])
    if t[0] in ("list", "array"):
        count = t[2] if t[0] == "array" else pick.choice([0, 1, 1, 2, 3])
        return f"[{', '.join(literal(pick, t[1]) for _ in range(count))}]::{name(t)}"
    if t[0] == "map":
        keys = list(dict.fromkeys(literal(pick, t[1], 0) for _ in range(pick.choice([0, 1, 1, 2]))))
        values = [literal(pick, t[2]) for _ in keys]
        return f"MAP([{', '.join(keys)}], [{', '.join(values)}])::{name(t)}"
    return "{" + ", ".join(f"'{f}': {literal(pick, inner)}" for f, inner in t[1]) + "}::" + name(t)


def queries(pick, t):
    k = literal(pick, t, 0)
    k2 = literal(pick, t, 0)
    yield 'SELECT i, v FROM t ORDER BY i'
    yield 'SELECT v, count(*), min(i) FROM t GROUP BY v ORDER BY v, 3'
    yield 'SELECT DISTINCT v FROM t ORDER BY v'
    yield 'SELECT v, i FROM t ORDER BY v DESC, i'
    yield 'SELECT v, i FROM t ORDER BY v NULLS FIRST, i LIMIT 5'
    yield 'SELECT a.i, b.i FROM t a JOIN u b ON a.v = b.v ORDER BY ALL'
    yield 'SELECT a.i, b.i FROM t a LEFT JOIN u b USING (v) ORDER BY ALL'
    yield 'SELECT a.i, b.i FROM t a JOIN u b ON a.v < b.v ORDER BY ALL'
    yield 'SELECT a.i, b.i FROM t a FULL JOIN u b ON a.v IS NOT DISTINCT FROM b.v AND a.i > 2 ORDER BY ALL'
    yield 'SELECT i FROM t WHERE v IN (SELECT v FROM u) ORDER BY i'
    yield 'SELECT i FROM t WHERE v NOT IN (SELECT v FROM u WHERE v IS NOT NULL) ORDER BY i'
    yield 'SELECT i FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.v = t.v) ORDER BY i'
    yield 'SELECT i, (SELECT max(u.v) FROM u WHERE u.i <= t.i) FROM t ORDER BY i'
    yield 'SELECT v FROM t UNION SELECT v FROM u ORDER BY v'
    yield 'SELECT v FROM t EXCEPT SELECT v FROM u ORDER BY v'
    yield 'SELECT v FROM t INTERSECT ALL SELECT v FROM u ORDER BY v'
    yield 'SELECT min(v), max(v), count(DISTINCT v), count(v), any_value(v), arg_max(v, i), arg_min(i, v), list(v ORDER BY i), mode(v) IS NULL FROM t'
    yield 'SELECT g, min(v), max(v), list(v ORDER BY v, i), first(v ORDER BY i), last(v ORDER BY i), count(DISTINCT v) FROM t GROUP BY g ORDER BY g'
    yield 'SELECT list(DISTINCT v ORDER BY v), max(v, 2), min(v, 2), arg_max(i, v), arg_max(v, i, 2) FROM t'
    yield 'SELECT histogram(v) FROM t'
    yield 'SELECT g, histogram(v) FROM t GROUP BY g ORDER BY g'
    yield 'SELECT i, lag(v) OVER (ORDER BY i), lead(v, 2) OVER (ORDER BY i), first_value(v) OVER (PARTITION BY g ORDER BY i), last_value(v IGNORE NULLS) OVER (ORDER BY i) FROM t ORDER BY i'
    yield 'SELECT i, max(v) OVER (ORDER BY i ROWS 2 PRECEDING), min(v) OVER (PARTITION BY g ORDER BY i), rank() OVER (ORDER BY v), dense_rank() OVER (ORDER BY v DESC), count(*) OVER (PARTITION BY v) FROM t ORDER BY i'
    yield 'SELECT i, list(v) OVER (ORDER BY i ROWS 1 PRECEDING), nth_value(v, 2) OVER (ORDER BY i) FROM t ORDER BY i'
    yield f'SELECT i FROM t WHERE v = {k} ORDER BY i'
    yield f'SELECT i FROM t WHERE v <> {k} ORDER BY i'
    yield f'SELECT i FROM t WHERE v >= {k} ORDER BY i'
    yield f'SELECT i FROM t WHERE v < {k} OR v = {k2} ORDER BY i'
    yield f'SELECT i FROM t WHERE v BETWEEN {k} AND {k2} ORDER BY i'
    yield f'SELECT i FROM t WHERE v IN ({k}, {k2}) ORDER BY i'
    yield f'SELECT i, v IS DISTINCT FROM {k}, v IS NULL FROM t ORDER BY i'
    yield f'SELECT i, coalesce(v, {k}), nullif(v, {k}), CASE WHEN i % 2 = 0 THEN v ELSE {k2} END, greatest(v, {k}), least(v, {k2}) FROM t ORDER BY i'
    yield 'SELECT i, [v], {\'f\': v}, [v, NULL] FROM t ORDER BY i'
    yield 'SELECT i, MAP {i: v} FROM t ORDER BY i'
    yield 'SELECT i, MAP([v], [i]) FROM t WHERE v IS NOT NULL ORDER BY i'
    yield 'SELECT i, v::VARCHAR FROM t ORDER BY i'
    yield 'SELECT i, (v::VARCHAR)::%s = v FROM t ORDER BY i' % name(t)
    yield 'SELECT i, unnest([v, v]) FROM t ORDER BY i'
    yield f'SELECT [v, v] = [{k}, v], (v, 1) = ({k}, 1), (v, i) < ({k}, 2) FROM t ORDER BY i'
    yield 'SELECT list_distinct(list(v ORDER BY i)).list_sort(), list_sort(list(v), \'DESC\', \'NULLS FIRST\'), list_contains(list(v), %s), list_position(list(v ORDER BY i), %s) FROM t' % (k, k)
    yield 'SELECT typeof(v) FROM t LIMIT 1'
    yield 'SELECT column_name, column_type, min, max, count, null_percentage FROM (SUMMARIZE t) ORDER BY 1'
    yield 'SELECT g, v, count(*) FROM t GROUP BY ROLLUP (g, v) ORDER BY ALL'
    yield 'SELECT DISTINCT ON (v) v, i FROM t ORDER BY v, i'
    yield 'SELECT v, i FROM t QUALIFY row_number() OVER (PARTITION BY v ORDER BY i) = 1 ORDER BY i'
    yield 'WITH c AS MATERIALIZED (SELECT v, g FROM t) SELECT a.v FROM c a JOIN c b ON a.v = b.v AND a.g = b.g ORDER BY 1'
    yield f'SELECT v FROM (SELECT v FROM t WHERE false) UNION ALL SELECT {k} UNION ALL SELECT NULL'
    yield 'SELECT quantile_disc(i, 0.5), string_agg(v::VARCHAR, \';\' ORDER BY i) FROM t'
    if t[0] == 'map':
        kk = literal(pick, t[1], 0)
        yield f'SELECT i, v[{kk}], map_extract(v, {kk}), map_contains(v, {kk}), map_keys(v), map_values(v), map_entries(v), cardinality(v) FROM t ORDER BY i'
        yield 'SELECT i, map_concat(v, %s), map_concat(%s, v), map_from_entries(map_entries(v)) = v FROM t ORDER BY i' % (k, k)
        yield 'SELECT i, unnest(map_keys(v)), unnest(map_values(v)) FROM t ORDER BY ALL'
        yield 'SELECT x.key, count(*) FROM (SELECT unnest(map_entries(v)) x FROM t) GROUP BY 1 ORDER BY 1'
        vv = literal(pick, t[2], 0)
        yield f'SELECT i, map_contains_value(v, {vv}), map_contains_entry(v, {kk}, {vv}), {kk} IN v FROM t ORDER BY i'
    if t[0] == 'struct':
        f = t[1][0][0]
        yield f'SELECT i, v."{f}", v[\'{f}\'], struct_insert(v, zz := i), struct_update(v, "{f}" := v."{f}"), struct_keys(v), struct_values(v) FROM t ORDER BY i'
        yield f'SELECT v."{f}" x, count(*) FROM t GROUP BY 1 ORDER BY 1'
        yield 'SELECT v.* FROM t ORDER BY i'
    if t[0] in ('list', 'array'):
        e = literal(pick, t[1], 0)
        yield f'SELECT i, v[1], v[-1], len(v), list_contains(v, {e}), list_sort(v), list_reverse(v), list_distinct(v).len(), list_position(v, {e}) FROM t ORDER BY i'
        yield 'SELECT i, unnest(v) x FROM t ORDER BY ALL'
        yield 'SELECT x, count(*) FROM (SELECT unnest(v) x FROM t) GROUP BY x ORDER BY x'
        yield f'SELECT i, v || [{e}], list_append(v, {e}), list_slice(v, 1, 1), list_min(v), list_max(v), list_transform(v, lambda x: x IS NULL), list_filter(v, lambda x: x = {e}) FROM t ORDER BY i'
        yield 'SELECT i, list_concat(v, v), flatten([v, v]), list_zip(v, v), list_intersect(v, v).list_sort(), list_has_any(v, [%s]) FROM t ORDER BY i' % e
    if t[0] == 'mood':
        yield 'SELECT i, enum_code(v), upper(v), v || i, v = \'ok\', v < \'ok\', v IN (\'ok\', \'zz\'), length(v) FROM t ORDER BY i'

class Apus:
    def __init__(self, path):
        self.process = subprocess.Popen(
            [path, "--protocol", "jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the program ended in {sql}")
        answer = json.loads(line)
        return answer["error"] if "error" in answer else (answer["types"], answer["rows"])


def duck(connection, sql):
    try:
        relation = connection.sql(sql)
        if relation is None:
            return None
        names = [f"c{place}" for place in range(len(relation.columns))]
        texts = ", ".join(f"{one}::VARCHAR" for one in names)
        rows = connection.execute(f"SELECT {texts} FROM ({sql}) z({', '.join(names)})").fetchall()
        return [str(one) for one in relation.types], [list(row) for row in rows]
    except duckdb.Error as error:
        return str(error).split("\n")[0]


def same(ours, theirs, ordered):
    if isinstance(ours, str) or isinstance(theirs, str):
        refused = isinstance(theirs, str) and any(word in theirs for word in REFUSED)
        return refused or isinstance(ours, str) and isinstance(theirs, str)
    if ordered or ours[0] != theirs[0]:
        return ours == theirs
    return sorted(map(str, ours[1])) == sorted(map(str, theirs[1]))


def round_of(path, seed):
    """The number of queries and what differed."""
    pick = random.Random(seed)
    t = drawn_type(pick, pick.choice([0, 1, 2, 2, 3]))
    pool = [literal(pick, t, 0) for _ in range(4)] + ["NULL"]

    def rows(count):
        values = [pick.choice(pool) if pick.random() < 0.7 else literal(pick, t) for _ in range(count)]
        return ", ".join(f"({place}, {pick.randint(0, 2)}, {one})" for place, one in enumerate(values))

    setup = [TYPE]
    for table, count in (("t", pick.choice([1, 5, 9, 12])), ("u", 5)):
        setup.append(f"CREATE TABLE {table}(i INTEGER, g INTEGER, v {name(t)})")
        setup.append(f"INSERT INTO {table} VALUES {rows(count)}")
    apus = Apus(path)
    connection = duckdb.connect()
    for sql in [f"SET batch_size = {pick.choice([1, 3, 2048])}", f"SET threads = {pick.choice([1, 2])}"]:
        apus.run(sql)
    for sql in setup:
        apus.run(sql)
        connection.execute(sql)
    asked = 0
    found = []
    for sql in queries(pick, t):
        asked += 1
        ours, theirs = apus.run(sql), duck(connection, sql)
        if not same(ours, theirs, "ORDER BY" in sql):
            found.append((setup, sql, ours, theirs))
    apus.process.kill()
    return asked, found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apus", required=True)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    asked, differences, died = 0, 0, 0
    for number in range(options.rounds):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with os.fdopen(writing, "wb") as stream:
                pickle.dump(round_of(options.apus, options.seed * 100_000 + number), stream)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            data = stream.read()
        _, status = os.waitpid(child, 0)
        if not data:
            # By a signal it was DuckDB, which runs in this process.
            died += os.WIFSIGNALED(status)
            differences += not os.WIFSIGNALED(status)
            continue
        count, found = pickle.loads(data)
        asked += count
        differences += len(found)
        for setup, sql, ours, theirs in found:
            print(f"round {number}:", *setup[1:], sql, f"apus: {ours}", f"duckdb: {theirs}", sep="\n  ")
    print(f"{asked} queries, {differences} differences, {died} rounds that did not end")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
