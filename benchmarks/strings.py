"""Text functions over 10 M strings beside DuckDB: LIKE, regular expressions, cutting, folding, replacing.

    PYTHON_WITH_DUCKDB benchmarks/strings.py [rounds] [rows] [part of a title]

Two threads each, in-memory tables, answers compared. `s` is unlike in nearly every row and about 25
bytes long, `short` at most 12, `word` one of a hundred.
"""
import sys

from peers import against_duckdb

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
TABLE = (
    "CREATE TABLE texts AS SELECT 'Order ' || (k * 7919 % 1000003) || ' of Customer ' || k AS s, 'id' || (k % 100003) AS short, "
    f"'word' || (k % 100) AS word, 'https://shop.example/' || (k % 977) || '/item?q=' || k AS url FROM (SELECT range AS k FROM range({ROWS}))")
COUNTED = {
    "LIKE '%x%'": "s LIKE '%99 of%'",
    "LIKE 'x%'": "s LIKE 'Order 42%'",
    "LIKE '%x'": "s LIKE '%777'",
    "LIKE '%x%y%'": "s LIKE '%12%Customer%34%'",
    "ILIKE '%x%'": "s ILIKE '%CUSTOMER 99%'",
    "contains": "contains(s, '4242')",
    "regexp_matches": "regexp_matches(s, '[0-9]+7 of Customer 1[0-9]*9$')",
    "regexp_matches, plain": "regexp_matches(s, 'Customer 99')",
    "LIKE of few values": "word LIKE '%9%'",
    "equality": "s = 'Order 7919 of Customer 1'",
}
MEASURED = {
    "substring": "substring(s, 7, 6)", "lower": "lower(s)", "upper": "upper(short)", "length": "s",
    "concat": "s || short", "replace": "replace(s, 'Customer', 'client')", "trim": "trim(s, 'Or9')", "reverse": "reverse(s)",
    "left": "left(s, 8)", "lpad": "lpad(short, 12, '*')", "split_part": "split_part(url, '/', 4)",
    "regexp_extract": "regexp_extract(url, 'q=([0-9]+)', 1)", "regexp_replace": "regexp_replace(s, '[0-9]+', '#')",
    "md5": "md5(short)", "lower of few values": "lower(word)",
}
QUERIES = {title: f"SELECT count(*) FROM texts WHERE {condition}" for title, condition in COUNTED.items()}
QUERIES |= {title: f"SELECT sum(length({text})), min({text}) FROM texts" for title, text in MEASURED.items()}
if len(sys.argv) > 3:
    QUERIES = {title: query for title, query in QUERIES.items() if sys.argv[3] in title}
against_duckdb([TABLE], QUERIES, rounds)
