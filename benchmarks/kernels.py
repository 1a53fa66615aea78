"""One operation each over 10 M rows in memory beside DuckDB: comparisons, arithmetic, casts, sums, hashing.

    PYTHON_WITH_DUCKDB benchmarks/kernels.py [rounds] [rows] [part of a title]

Two threads each, answers compared. What is small here shows in every query; the text, date and list
functions have files of their own.
"""
import sys

from peers import against_duckdb

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
TABLE = (
    "CREATE TABLE t AS SELECT CAST(k % 1000 AS INTEGER) AS i, k * 7919 % 1000003 AS b, CAST(k * 7919 % 100003 AS DOUBLE) / 8 AS d, "
    "CAST((k % 10000) / 100 AS DECIMAL(15, 2)) AS m, CAST((k % 11) / 100 AS DECIMAL(15, 2)) AS p, k % 3 = 0 AS f, "
    "CASE WHEN k % 10 = 0 THEN NULL ELSE k END AS n, 'name ' || (k % 50) AS s, DATE '1992-01-01' + CAST(k % 2500 AS INTEGER) AS day "
    f"FROM (SELECT range * 2654447 % {ROWS} AS k FROM range({ROWS}))")
WHERE = {
    "integer = constant": "i = 7", "integer range": "i >= 100 AND i < 110", "bigint < column": "b < i", "double >": "d > 12000",
    "decimal between": "m BETWEEN 10.05 AND 10.07", "text = constant": "s = 'name 7'", "text IN": "s IN ('name 7', 'name 9', 'name 11')",
    "date between": "day BETWEEN DATE '1994-01-01' AND DATE '1994-01-31'", "OR": "i = 3 OR b = 5", "IS NULL": "n IS NULL",
    "boolean column": "f", "NOT IN": "i NOT IN (1, 2, 3, 4, 5, 6, 7, 8)",
}
VALUES = {
    "sum of integers": "sum(i)", "sum of doubles": "sum(d)", "sum of decimals": "sum(m)", "average": "avg(b)", "min, max": "min(d), max(b)",
    "integer arithmetic": "sum(i * 3 + b - 1)", "double arithmetic": "sum(d * 1.5 + sqrt(d))", "decimal product": "sum(m * (1 - p))",
    "decimal products": "sum(m * (1 - p) * (1 + p))", "division": "sum(b / (i + 1))", "integer division": "sum(b // 7)", "modulo": "sum(b % 7)",
    "CASE": "sum(CASE WHEN i < 500 THEN b ELSE 0 END)", "coalesce": "sum(coalesce(n, 1))", "cast to double": "sum(CAST(b AS DOUBLE))",
    "cast to integer": "sum(CAST(d AS INTEGER))", "round": "sum(round(d, 1))", "abs": "sum(abs(i - 500))", "count distinct": "count(DISTINCT i)",
    "variance": "stddev(d)", "hash": "count(DISTINCT b)", "filtered sums": "sum(b) FILTER (f), sum(i) FILTER (NOT f)",
}
QUERIES = {f"where {title}": f"SELECT count(*) FROM t WHERE {condition}" for title, condition in WHERE.items()}
QUERIES |= {title: f"SELECT {value} FROM t" for title, value in VALUES.items()}
if len(sys.argv) > 3:
    QUERIES = {title: query for title, query in QUERIES.items() if sys.argv[3] in title}
against_duckdb([TABLE], QUERIES, rounds)
