"""Reading files beside DuckDB: counting, adding, filtering and picking columns of Parquet and CSV.

    PYTHON_WITH_DUCKDB benchmarks/scans.py [rounds] [scale] [part of a title]

Two threads each, lineitem of TPC-H, answers compared.
"""
import sys

import data
from peers import against_duckdb

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
folder = data.tpch(sys.argv[2] if len(sys.argv) > 2 else "1")
READS = {
    "count": "SELECT count(*) FROM {}",
    "one column": "SELECT sum(l_quantity) FROM {}",
    "all columns": "SELECT sum(l_orderkey), sum(l_partkey), sum(l_suppkey), sum(l_linenumber), sum(l_quantity), sum(l_extendedprice), "
                   "sum(l_discount), sum(l_tax), max(l_returnflag), max(l_linestatus), max(l_shipdate), max(l_commitdate), "
                   "max(l_receiptdate), max(l_shipinstruct), max(l_shipmode), max(l_comment) FROM {}",
    "text": "SELECT sum(length(l_comment)), min(l_comment) FROM {}",
    "few rows": "SELECT count(*), sum(l_extendedprice) FROM {} WHERE l_shipdate = DATE '1995-03-15'",
    "skipped by minimum and maximum": "SELECT count(*), sum(l_tax) FROM {} WHERE l_orderkey BETWEEN 1000000 AND 1001000",
    "few values": "SELECT l_shipmode, count(*) FROM {} WHERE l_shipinstruct = 'NONE' GROUP BY l_shipmode ORDER BY l_shipmode",
    "first rows": "SELECT count(*) FROM (SELECT * FROM {} LIMIT 1000)",
}
QUERIES = {
    f"{kind} {title}": query.format(f"'{folder}/lineitem.{kind}'") for kind in ("parquet", "csv") for title, query in READS.items()}
if len(sys.argv) > 3:
    QUERIES = {title: query for title, query in QUERIES.items() if sys.argv[3] in title}
against_duckdb([], QUERIES, rounds)
