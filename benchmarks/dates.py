"""Date and time functions over 10 M rows beside DuckDB.

    PYTHON_WITH_DUCKDB benchmarks/dates.py [rounds] [rows] [part of a title]

Two threads each, in-memory tables, answers compared.
"""
import sys

from peers import against_duckdb

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
TABLE = (
    "CREATE TABLE moments AS SELECT TIMESTAMP '1992-01-01 00:00:00' + to_seconds(k * 7919 % 900000000) AS t, "
    f"DATE '1992-01-01' + CAST(k * 7919 % 9000 AS INTEGER) AS d FROM (SELECT range AS k FROM range({ROWS}))")
QUERIES = {
    "date_trunc month": "SELECT max(date_trunc('month', t)), min(date_trunc('month', t)) FROM moments",
    "date_trunc day": "SELECT count(DISTINCT date_trunc('day', t)) FROM moments",
    "date_trunc week of a date": "SELECT max(date_trunc('week', d)) FROM moments",
    "year": "SELECT sum(year(t)), sum(year(d)) FROM moments",
    "month, day": "SELECT sum(month(t)), sum(day(d)) FROM moments",
    "hour": "SELECT sum(hour(t)) FROM moments",
    "dayofweek": "SELECT sum(dayofweek(d)) FROM moments",
    "isoyear, week": "SELECT sum(isoyear(d)), sum(week(d)) FROM moments",
    "epoch": "SELECT sum(epoch_ms(t)) FROM moments",
    "date_diff": "SELECT sum(date_diff('month', DATE '1990-05-17', d)) FROM moments",
    "date + interval": "SELECT max(d + INTERVAL 3 MONTH) FROM moments",
    "timestamp - timestamp": "SELECT epoch(max(t - TIMESTAMP '1992-01-01')) FROM moments",
    "age": "SELECT max(age(TIMESTAMP '2024-01-01', t))::VARCHAR FROM moments",
    "strftime": "SELECT max(strftime(t, '%Y-%m-%d %H:%M')) FROM moments",
    "cast to date": "SELECT max(t::DATE) FROM moments",
    "cast to text": "SELECT max(t::VARCHAR) FROM moments",
    "cast of text": "SELECT max((d::VARCHAR)::DATE) FROM moments",
    "time_bucket": "SELECT max(time_bucket(INTERVAL 15 MINUTE, t)) FROM moments",
    "between": "SELECT count(*) FROM moments WHERE d BETWEEN DATE '1995-01-01' AND DATE '1996-12-31'",
    "group by month": "SELECT count(*) FROM (SELECT date_trunc('month', t) AS m, count(*) AS n FROM moments GROUP BY m)",
}
if len(sys.argv) > 3:
    QUERIES = {title: query for title, query in QUERIES.items() if sys.argv[3] in title}
against_duckdb([TABLE], QUERIES, rounds)
