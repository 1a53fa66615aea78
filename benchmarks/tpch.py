"""The 22 queries of TPC-H beside DuckDB, from Parquet files or from each engine's own database file.

    PYTHON_WITH_DUCKDB benchmarks/tpch.py [rounds] [scale] [parquet or file] [part of a title]

Two threads each, answers compared; for the file the load is measured first.
"""
import os
import sys
import tempfile
import time

import data
from peers import ROOT, against_duckdb, open_both, report

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
scale = sys.argv[2] if len(sys.argv) > 2 else "1"
source = sys.argv[3] if len(sys.argv) > 3 else "parquet"
if source not in ("parquet", "file"):
    sys.exit(f"'{source}' is no source: parquet or file")
part = sys.argv[4] if len(sys.argv) > 4 else ""
folder = data.tpch(scale)
texts = os.path.join(ROOT, "benchmarks/tpch")
QUERIES = {}
for name in sorted(os.listdir(texts)):
    if part in name:
        with open(os.path.join(texts, name)) as text:
            QUERIES[f"{source} {name.removesuffix('.sql')}"] = text.read().rstrip().rstrip(";")
if source == "parquet":
    against_duckdb(
        [f"CREATE VIEW {table} AS SELECT * FROM '{folder}/{table}.parquet'" for table in data.TPCH_TABLES], QUERIES, rounds)
with tempfile.TemporaryDirectory() as place:
    apus, peer = open_both(f"{place}/tpch.apus", f"{place}/tpch.duckdb")
    took = {"apus": 0.0, "DuckDB": 0.0}
    for table in data.TPCH_TABLES:
        statement = f"CREATE TABLE {table} AS SELECT * FROM '{folder}/{table}.parquet'"
        took["apus"] += apus.run(statement)[1]
        start = time.perf_counter()
        peer.execute(statement)
        took["DuckDB"] += (time.perf_counter() - start) * 1000
    report("file load", took, "DuckDB")
    against_duckdb([], QUERIES, rounds, engines=(apus, peer))
