"""The queries of the database-like operations benchmark (h2o, later DuckDB Labs): ten GROUP BY, five joins.

    PYTHON_WITH_DUCKDB benchmarks/h2o.py [rounds] [rows] [part of a title]

Two threads each, straight from Parquet files, answers compared. Results of millions of rows are
summed up, so that no client's reading is measured.
"""
import sys

import data
from peers import against_duckdb

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
GROUPS = {
    "group 1: sum by id1": "SELECT id1, sum(v1) AS v1 FROM x GROUP BY id1",
    "group 2: sum by id1, id2": "SELECT id1, id2, sum(v1) AS v1 FROM x GROUP BY id1, id2",
    "group 3: sum, mean by id3":
        "SELECT count(*), min(id3), sum(v1), sum(v3) FROM (SELECT id3, sum(v1) AS v1, avg(v3) AS v3 FROM x GROUP BY id3)",
    "group 4: means by id4": "SELECT id4, avg(v1), avg(v2), avg(v3) FROM x GROUP BY id4",
    "group 5: sums by id6":
        "SELECT count(*), sum(id6), sum(v1), max(v2), sum(v3) FROM (SELECT id6, sum(v1) AS v1, sum(v2) AS v2, sum(v3) AS v3 FROM x GROUP BY id6)",
    "group 6: median, deviation by id4, id5": "SELECT id4, id5, median(v3), stddev(v3) FROM x GROUP BY id4, id5",
    "group 7: range by id3": "SELECT count(*), min(id3), sum(r) FROM (SELECT id3, max(v1) - min(v2) AS r FROM x GROUP BY id3)",
    "group 8: largest two by id6":
        "SELECT count(*), sum(id6), sum(v3) FROM (SELECT id6, v3, row_number() OVER (PARTITION BY id6 ORDER BY v3 DESC) AS n FROM x "
        "WHERE v3 IS NOT NULL) WHERE n <= 2",
    "group 9: regression by id2, id4": "SELECT id2, id4, power(corr(v1, v2), 2) FROM x GROUP BY id2, id4",
    "group 10: sum, count by six keys":
        "SELECT count(*), sum(id4), sum(id6), sum(length(id3)), sum(v3), max(n) FROM (SELECT id1, id2, id3, id4, id5, id6, sum(v3) AS v3, "
        "count(*) AS n FROM x GROUP BY id1, id2, id3, id4, id5, id6)",
}
JOINS = {
    "join 1: small, inner": "SELECT count(*), sum(v1), sum(v2), sum(length(jx.id6)), sum(length(t.id4)) FROM jx JOIN small t ON jx.id1 = t.id1",
    "join 2: medium, inner": "SELECT count(*), sum(v1), sum(v2), sum(id3), sum(length(t.id5)) FROM jx JOIN medium t ON jx.id2 = t.id2",
    "join 3: medium, left": "SELECT count(*), sum(v1), sum(v2), count(v2), sum(length(t.id5)) FROM jx LEFT JOIN medium t ON jx.id2 = t.id2",
    "join 4: medium, by text": "SELECT count(*), sum(v1), sum(v2), sum(t.id1), sum(id3) FROM jx JOIN medium t ON jx.id5 = t.id5",
    "join 5: big, inner": "SELECT count(*), sum(v1), sum(v2), sum(t.id1), sum(length(t.id6)) FROM jx JOIN big t ON jx.id3 = t.id3",
}
folder = data.h2o(ROWS)
QUERIES = GROUPS | JOINS
if len(sys.argv) > 3:
    QUERIES = {title: query for title, query in QUERIES.items() if sys.argv[3] in title}
against_duckdb(
    [f"CREATE VIEW {name} AS SELECT * FROM '{folder}/{name}.parquet'" for name in ("x", "jx", "small", "medium", "big")],
    QUERIES, rounds)
