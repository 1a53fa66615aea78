"""Loading a CSV file with inferred types beside DuckDB.

    PYTHON_WITH_DUCKDB benchmarks/csv_load.py FILE.csv [rounds]

Two threads each; CREATE TABLE AS in memory; counts and a sum are compared.
"""
import sys
import time

import duckdb

from peers import Apus, interleave, report

path, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
peer = duckdb.connect(config={"threads": 2})
peer.execute("SET enable_progress_bar = false")
apus = Apus(threads=2)


def load_apus():
    apus.run("DROP TABLE IF EXISTS loaded")
    return apus.run(f"CREATE TABLE loaded AS FROM '{path}'")[1]


def load_duckdb():
    peer.execute("DROP TABLE IF EXISTS loaded")
    start = time.perf_counter()
    peer.execute(f"CREATE TABLE loaded AS FROM read_csv('{path}')")
    return (time.perf_counter() - start) * 1000


medians = interleave({"apus": load_apus, "DuckDB": load_duckdb}, rounds)
first = peer.execute("DESCRIBE loaded").fetchall()[0][0]
check = f'SELECT count(*), sum("{first}"), count(DISTINCT "{first}") FROM loaded'
ours = apus.run(check)[0][0]
theirs = [str(value) for value in peer.execute(check).fetchone()]
if ours != theirs:
    sys.exit(f"answers differ: {ours} and {theirs}")
ratio = report(f"load {path.rsplit('/', 1)[-1]}", medians, "DuckDB")
apus.close()
sys.exit(0 if ratio <= 2.5 else 1)
