"""Lists beside DuckDB: made by aggregation, and taken apart, over 10 M elements.

    PYTHON_WITH_DUCKDB benchmarks/lists.py [rounds] [elements] [part of a title]

Two threads each, in-memory tables, answers compared. `l` has ten elements a row, `v` is FLOAT[64].
"""
import sys

from peers import against_duckdb

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
SETUP = [
    f"CREATE TABLE items AS SELECT k % 100000 AS g, k % 7 AS few, CAST(k * 7919 % 100003 AS INTEGER) AS x, k FROM (SELECT range AS k FROM range({ROWS}))",
    f"CREATE TABLE lists AS SELECT list(x ORDER BY k) AS l FROM items GROUP BY k // 10",
    f"CREATE TABLE vectors AS SELECT list_transform(range(64), lambda i: ((i * k) % 101)::FLOAT)::FLOAT[64] AS v FROM (SELECT range AS k FROM range({ROWS} // 100))",
]
QUERIES = {
    "list by 100 k groups": "SELECT sum(len(l)), max(len(l)) FROM (SELECT list(x) AS l FROM items GROUP BY g)",
    "list by 7 groups": "SELECT sum(len(l)), max(len(l)) FROM (SELECT list(x) AS l FROM items GROUP BY few)",
    "ordered list": "SELECT sum(l[1]), max(l[-1]) FROM (SELECT list(x ORDER BY k) AS l FROM items GROUP BY g)",
    "string_agg": "SELECT sum(length(s)) FROM (SELECT string_agg(x::VARCHAR, ',') AS s FROM items GROUP BY g)",
    "list_sum": "SELECT sum(list_sum(l)) FROM lists",
    "list_sort": "SELECT sum(list_sort(l)[1]) FROM lists",
    "list_distinct": "SELECT sum(len(list_distinct(l))) FROM lists",
    "list_contains": "SELECT count(*) FROM lists WHERE list_contains(l, 777)",
    "list_transform": "SELECT sum(list_sum(list_transform(l, lambda x: x + 1))) FROM lists",
    "list_filter": "SELECT sum(len(list_filter(l, lambda x: x % 2 = 0))) FROM lists",
    "list_reduce": "SELECT sum(list_reduce(l, lambda a, b: greatest(a, b))) FROM lists",
    "slice": "SELECT sum(len(l[2:5])) FROM lists",
    "element": "SELECT sum(l[3]) FROM lists",
    "unnest": "SELECT sum(x), count(*) FROM (SELECT unnest(l) AS x FROM lists)",
    "array_distance": "SELECT sum(array_distance(v, v)), max(array_inner_product(v, v)) FROM vectors",
    "array_cosine_similarity": "SELECT count(*) FROM vectors WHERE array_cosine_similarity(v, v) > 0.5",
}
if len(sys.argv) > 3:
    QUERIES = {title: query for title, query in QUERIES.items() if sys.argv[3] in title}
against_duckdb(SETUP, QUERIES, rounds)
