"""Window functions over 5 M rows beside DuckDB: rolling means, ranks, running sums, large and tiny partitions.

    PYTHON_WITH_DUCKDB benchmarks/windows.py [rounds] [rows]

Two threads each, in-memory tables in no order, answers compared.
"""
import sys

from peers import against_duckdb

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000_000
TABLE = (
    "CREATE TABLE sales AS SELECT k // 1000 AS product, DATE '2020-01-01' + CAST(k % 1000 AS INTEGER) AS date, k, "
    "CAST(k * 7919 % 100003 AS DOUBLE) / 16 AS x, CAST(k * 104729 % 1009 AS INTEGER) AS qty "
    f"FROM (SELECT range * 2654435 % {ROWS} AS k FROM range({ROWS}))")
WINDOW = "OVER (PARTITION BY product ORDER BY date"
QUERIES = {
    "rolling mean of 7": f"avg(x) {WINDOW} ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING)",
    "row_number": f"row_number() {WINDOW})",
    "lag": f"lag(x) {WINDOW})",
    "running sum": f"sum(qty) {WINDOW})",
    "rolling max of 30": f"max(x) {WINDOW} ROWS BETWEEN 29 PRECEDING AND CURRENT ROW)",
    "range of 30 days": f"sum(qty) {WINDOW} RANGE BETWEEN INTERVAL 30 DAYS PRECEDING AND CURRENT ROW)",
    "total of partition": "sum(qty) OVER (PARTITION BY product)",
    "rank, one partition": "rank() OVER (ORDER BY x)",
    "running sum, one partition": "sum(qty) OVER (ORDER BY k)",
    "rolling mean, one partition": "avg(x) OVER (ORDER BY k ROWS BETWEEN 100 PRECEDING AND CURRENT ROW)",
    "running sum, partitions of 3": "sum(qty) OVER (PARTITION BY k // 3 ORDER BY date)",
    "running distinct count": f"count(DISTINCT qty) {WINDOW})",
    "rolling median of 100": f"median(x) {WINDOW} ROWS BETWEEN 99 PRECEDING AND CURRENT ROW)",
}
if len(sys.argv) > 3:
    QUERIES = {title: call for title, call in QUERIES.items() if sys.argv[3] in title}
against_duckdb([TABLE], {
    title: f"SELECT count(*) AS n, count(r) AS values, sum(r) AS total, max(r) AS greatest FROM (SELECT {call} AS r FROM sales)"
    for title, call in QUERIES.items()}, rounds)
