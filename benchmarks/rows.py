"""Single rows beside SQLite: INSERTs in one transaction and one by one, look-ups and changes by primary key.

    PYTHON benchmarks/rows.py [rounds] [rows]

Both on a file of their own, with the same durability (a commit is on the disk), statement by
statement through a client: SQLite in this process, Apus behind its protocol, whose round trip counts.
"""
import os
import sqlite3
import sys
import tempfile
import time

from peers import Apus, interleave, report

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000


def statements(title, number):
    first = ROWS + number * 10_000
    values = [f"({first + i}, 'name {first + i}', {i % 97}.5)" for i in range(2_000)]
    if title == "2,000 INSERTs, one transaction":
        return ["BEGIN"] + [f"INSERT INTO t VALUES {value}" for value in values] + ["COMMIT"]
    if title == "100 committed INSERTs":
        return [f"INSERT INTO t VALUES ({first + 5_000 + i}, 'single', 1.5)" for i in range(100)]
    if title == "1,000 look-ups":
        return [f"SELECT name, value FROM t WHERE id = {i * 7919 % ROWS}" for i in range(1_000)]
    if title == "100 committed UPDATEs":
        return [f"UPDATE t SET value = value + 1 WHERE id = {(number * 100 + i) * 7919 % ROWS}" for i in range(100)]
    return ["SELECT count(*), sum(id), count(DISTINCT name) FROM t"] * 5


TITLES = ["2,000 INSERTs, one transaction", "100 committed INSERTs", "1,000 look-ups", "100 committed UPDATEs", "5 sums of all rows"]
with tempfile.TemporaryDirectory() as folder:
    apus = Apus(path=os.path.join(folder, "rows.apus"))
    peer = sqlite3.connect(os.path.join(folder, "rows.sqlite"), isolation_level=None)
    peer.execute("PRAGMA journal_mode = WAL")
    peer.execute("PRAGMA synchronous = FULL")
    run = {"apus": lambda sql: apus.run(sql)[0], "SQLite": lambda sql: peer.execute(sql).fetchall()}
    for execute in run.values():
        execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR, value DOUBLE)")
        execute("BEGIN")
        for start in range(0, ROWS, 1_000):
            execute("INSERT INTO t VALUES " + ", ".join(
                f"({i}, 'name {i}', {i % 97}.5)" for i in range(start, min(ROWS, start + 1_000))))
        execute("COMMIT")
    for title in TITLES:
        turns = {"apus": 0, "SQLite": 0}

        def contestant(name):
            def measure():
                todo = statements(title, turns[name])
                turns[name] += 1
                start = time.perf_counter()
                for statement in todo:
                    run[name](statement)
                return (time.perf_counter() - start) * 1000
            return measure

        report(title, interleave({name: contestant(name) for name in run}, rounds), "SQLite")
    check = "SELECT count(*), sum(id), count(DISTINCT name) FROM t"
    ours, theirs = ([str(value) for value in execute(check)[0]] for execute in run.values())
    apus.close()
    if ours != theirs:
        sys.exit(f"answers differ: {ours} and {theirs}")
