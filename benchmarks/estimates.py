"""How far the planner's guesses of rows are from the rows that come: the q-error, the larger of guess/rows and
rows/guess, of each operator of the 22 queries of TPC-H and of predicates over a skewed table.

    [PYTHON_WITH_DUCKDB] benchmarks/estimates.py [scale] [parquet, file, memory or a database file] [part of a title]

Prints median, 90th percentile and largest for each query and for each kind of operator. Nothing is timed: a debug
build gives the same figures. Runtime filters are off, since they take rows from scans that a join above would drop.
A guess and a count below 1 are taken for 1.
"""
import os
import re
import sys
import tempfile

import data
from peers import ROOT, Apus

NODE = re.compile(r"^([ │├└─]*)(\w+).*\[(\d+) rows \(estimated (-?[\d.e+]+)\)")
KINDS = ("Filter", "Join", "Aggregate")

# k: as many of each power of two. bell: nine in ten within a hundredth of its range. town: half is one of 1,000.
# code: text of a fixed form. sparse: NULL in nine of ten. part and whole: the one follows from the other.
SKEWED = """
CREATE TABLE skewed AS
SELECT CAST(pow(2, (i * 7919 % 1000003) / 50000.0) AS INTEGER) AS k,
  CASE WHEN i % 10 = 0 THEN i * 104729 % 1000000 ELSE 500000 + i * 104729 % 10000 END AS bell,
  CASE WHEN i % 2 = 0 THEN 'Berlin' WHEN i % 5 = 0 THEN 'Paris' ELSE 'town ' || (i * 7907 % 1000) END AS town,
  'C' || lpad(CAST(i * 31 % 300000 AS VARCHAR), 7, '0') AS code,
  CASE WHEN i % 10 = 3 THEN i % 100 END AS sparse,
  i % 1000 AS part, i % 1000 // 10 AS whole, DATE '2015-01-01' + CAST(sqrt(i * 13.0) AS INTEGER) AS day, i AS id
FROM range(1000000) t(i)"""
CONDITIONS = [
    "k = 1", "k = 2", "k = 1000", "k = 900000", "k < 10", "k < 1000", "k > 500000", "k BETWEEN 100 AND 200", "k IN (1, 2, 4)",
    "k <> 1", "NOT (k = 1)", "k NOT IN (1, 2)", "bell < 100000", "bell BETWEEN 500000 AND 510000", "bell > 900000",
    "bell < 505000", "bell >= 505000", "town = 'Berlin'", "town = 'Paris'", "town = 'town 7'", "town = 'nowhere'",
    "town <> 'Berlin'", "town IN ('Berlin', 'Paris')", "town LIKE 'Ber%'", "town LIKE 'town %'", "town LIKE '%own 77%'",
    "town > 'M'", "starts_with(town, 'P')", "code LIKE 'C00%'", "code LIKE 'C00000%'", "code = 'C0000031'",
    "code < 'C0100000'", "code BETWEEN 'C0100000' AND 'C0150000'", "sparse IS NULL", "sparse IS NOT NULL", "sparse = 13",
    "sparse > 50", "sparse <> 13", "sparse IN (3, 13, 23, 33)", "part = 7 AND whole = 0", "part = 7 OR part = 8",
    "day < DATE '2016-01-01'", "day >= DATE '2024-01-01'", "day BETWEEN DATE '2020-01-01' AND DATE '2020-12-31'",
    "year(day) = 2020", "id < 1000", "id = 5", "id % 10 = 3",
]
GROUPINGS = [
    "k", "bell", "town", "code", "sparse", "part, whole", "town, part", "day", "id", "year(day)", "sparse, town",
    "id % 10", "town, whole, sparse",
]


def nodes(plan):
    """(kind, guess, rows) of each operator that decides a number of rows."""
    for line in plan:
        match = NODE.match(line)
        if match and match[2] in KINDS:
            yield match[2], float(match[4]), int(match[3])


def error(guess, rows):
    guess, rows = max(guess, 1.0), max(rows, 1.0)
    return max(guess / rows, rows / guess)


def summary(title, errors):
    errors = sorted(errors)
    at = lambda share: errors[min(len(errors) - 1, int(share * len(errors)))]
    print(f"{title:28} {len(errors):5} nodes   median {at(0.5):9.2f}   90 % {at(0.9):12.2f}   max {errors[-1]:14.2f}", flush=True)


def measure(apus, title, query, kept, verbose):
    """Adds the query's errors to `kept`; gives them by kind."""
    plan = [row[0] for row in apus.run("EXPLAIN ANALYZE " + query)[0]]
    found = [(kind, error(guess, rows)) for kind, guess, rows in nodes(plan) if kind in kept]
    if verbose:
        print("\n".join(plan))
    for kind, value in found:
        kept[kind].append(value)
    return [value for _, value in found]


def tpch(apus, part):
    kept = {kind: [] for kind in KINDS}
    texts = os.path.join(ROOT, "benchmarks/tpch")
    for name in sorted(os.listdir(texts)):
        if part in name:
            with open(os.path.join(texts, name)) as text:
                query = text.read().rstrip().rstrip(";")
            summary(name.removesuffix(".sql"), measure(apus, name, query, kept, part != ""))
    for kind, errors in kept.items():
        if errors:
            summary(f"TPC-H {kind}", errors)
    every = [value for errors in kept.values() for value in errors]
    if every:
        summary("TPC-H", every)


def skewed(apus, part):
    apus.run(SKEWED)
    for title, kind, queries in (
        ("conditions", "Filter", {text: f"SELECT id FROM skewed WHERE {text}" for text in CONDITIONS}),
        ("groupings", "Aggregate", {text: f"SELECT {text}, count(*) FROM skewed GROUP BY ALL" for text in GROUPINGS}),
    ):
        kept = {kind: []}
        for text, query in queries.items():
            if part in f"skewed {title}":
                values = measure(apus, text, query, kept, False)
                if part:
                    print(f"{text:60} {max(values, default=1):12.2f}")
        if kept[kind]:
            summary(f"skewed {title}", kept[kind])


scale = sys.argv[1] if len(sys.argv) > 1 else "1"
source = sys.argv[2] if len(sys.argv) > 2 else "file"
part = sys.argv[3] if len(sys.argv) > 3 else ""
with tempfile.TemporaryDirectory() as place:
    path = None if source in ("memory", "parquet") else f"{place}/tpch.apus" if source == "file" else source
    apus = Apus(threads=2, path=path)
    if not os.path.exists(source):
        folder = data.tpch(scale)
        kind = "VIEW" if source == "parquet" else "TABLE"
        for table in data.TPCH_TABLES:
            apus.run(f"CREATE {kind} {table} AS SELECT * FROM '{folder}/{table}.parquet'")
        if path:
            # Statistics as a program finds them that opens the file.
            apus.close()
            apus = Apus(threads=2, path=path)
    apus.run("SET disabled_optimizers = 'runtime_filters'")
    tpch(apus, part)
    # In a database of its own kind: the file is not ours to fill.
    if os.path.exists(source):
        apus.close()
        apus = Apus(threads=2)
    skewed(apus, part)
    apus.close()
