"""A group-by over 10 M rows beside DuckDB: sum and count of an integer, by 100, 10 k and 1 M keys.

    PYTHON_WITH_DUCKDB benchmarks/group_by.py [rounds]

Two threads each, in-memory tables, answers compared.
"""
import sys
import time

import duckdb

from peers import Apus, interleave, report

ROWS = 10_000_000
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
peer = duckdb.connect(config={"threads": 2})
peer.execute("SET enable_progress_bar = false")
apus = Apus(threads=2)
table = (
    "CREATE TABLE t AS SELECT range % 100 AS k100, (range * 7919) % 10000 AS k10k, "
    f"(range * 7919) % 1000000 AS k1m, range % 1000 AS v FROM range({ROWS})")
peer.execute(table)
apus.run(table)
worst = 0.0
for key in ("k100", "k10k", "k1m"):
    query = f"SELECT {key} AS k, sum(v) AS s, count(*) AS n FROM t GROUP BY {key}"
    check = f"SELECT count(*), sum(s), sum(n), sum(k * s % 1000003) FROM ({query})"
    if apus.run(check)[0][0] != [str(value) for value in peer.execute(check).fetchone()]:
        sys.exit(f"answers differ by {key}")
    counted = f"SELECT count(*), max(s) FROM ({query})"

    def run_apus():
        return apus.run(counted)[1]

    def run_duckdb():
        start = time.perf_counter()
        peer.execute(counted).fetchall()
        return (time.perf_counter() - start) * 1000

    worst = max(worst, report(f"group by {key}", interleave({"apus": run_apus, "DuckDB": run_duckdb}, rounds), "DuckDB"))
apus.close()
sys.exit(0 if worst <= 2 else 1)
