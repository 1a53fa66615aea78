"""The database file: loading TPC-H beside DuckDB, its queries beside tables in memory, and small work.

    database_file.py [--data FOLDER] [--queries FOLDER] [--rounds 3]

FOLDER has lineitem.parquet and the others; that of the queries q01.sql to q22.sql. Without them the part on
TPC-H is left out. Prints what is asked of the file: load at most 2 x DuckDB, queries at most 1.25 x memory,
10,000 INSERTs in one transaction under 0.5 s, 1,000 committed each under 5 s, a point look-up by primary key
in 10 M rows under 1 ms. Ends with status 1 when one is missed.
"""
import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

from peers import APUS, Apus, alike, interleave

TABLES = ["lineitem", "orders", "customer", "part", "partsupp", "supplier", "nation", "region"]


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def check(title, value, limit, unit):
    print(f"{title:52} {value:9.3f} {unit:3} (limit {limit})", flush=True)
    return value <= limit


def tpch(folder, data, queries, rounds):
    import duckdb

    def load(run):
        for table in TABLES:
            run(f"CREATE TABLE {table} AS FROM '{data}/{table}.parquet'")
        run("CHECKPOINT")

    path = f"{folder}/tpch.db"
    stored, memory = Apus(path=path), Apus()
    ours = seconds(lambda: load(stored.run))
    with duckdb.connect(f"{folder}/tpch.duckdb", config={"threads": 2}) as peer:
        theirs = seconds(lambda: load(peer.execute))
    load(memory.run)
    fine = check("TPC-H: load, ratio to DuckDB", ours / theirs, 2, "x")
    sizes = [os.path.getsize(name) for name in (path, f"{folder}/tpch.duckdb")]
    fine &= check("TPC-H: size of the file, ratio to DuckDB", sizes[0] / sizes[1], 1.2, "x")
    worst = (0, "")
    for number in range(1, 23):
        sql = open(f"{queries}/q{number:02}.sql").read().strip().rstrip(";")
        if not alike(stored.run(sql)[0], memory.run(sql)[0]):
            sys.exit(f"answers differ: q{number:02}")
        medians = interleave({"file": lambda: stored.run(sql)[1], "memory": lambda: memory.run(sql)[1]}, rounds)
        worst = max(worst, (medians["file"] / medians["memory"], f"q{number:02}"))
    fine &= check(f"TPC-H: slowest query ({worst[1]}), ratio to memory", worst[0], 1.25, "x")
    stored.close()
    memory.close()
    return fine


def small(folder):
    path = f"{folder}/small.db"
    apus = Apus(path=path)
    apus.run("CREATE TABLE t (a INTEGER PRIMARY KEY, b VARCHAR, c DOUBLE)")

    def script(statements):
        """A run of the program from its start to its end: at a pipe, this program's time would count too."""
        with open(f"{folder}/script.sql", "w") as file:
            file.write(";\n".join(statements) + ";\n")
        command = [APUS, "--none", path, "-f", f"{folder}/script.sql"]
        return seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))

    def inserts(first, count):
        return [f"INSERT INTO t VALUES ({number}, 'text {number}', {number}.5)"
                for number in range(first, first + count)]

    fine = check("10,000 INSERTs in one transaction", script(["BEGIN"] + inserts(0, 10_000) + ["COMMIT"]), 0.5, "s")
    fine &= check("1,000 INSERTs, each committed and synced", script(inserts(100_000, 1000)), 5, "s")
    assert apus.run("SELECT count(*) FROM t")[0] == [["11000"]]
    apus.close()
    return fine


def look_ups(folder):
    apus = Apus(path=f"{folder}/keys.db")
    apus.run("CREATE TABLE t (k BIGINT PRIMARY KEY, v VARCHAR)")
    apus.run("INSERT INTO t SELECT (range * 7919) % 10000019, 'v' || range FROM range(10000000)")
    times = []
    for _ in range(300):
        number = random.randrange(10_000_000)
        rows, elapsed = apus.run(f"SELECT v FROM t WHERE k = {number * 7919 % 10000019}")
        assert rows == [[f"v{number}"]]
        times.append(elapsed)
    print(f"the first look-ups: {', '.join(f'{each:.1f}' for each in times[:6])} ms")
    apus.close()
    return check("point look-up in 10 M rows, median", statistics.median(times), 1, "ms")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default=os.path.expanduser("~/.cache/apus/bench/tpch-sf1"))
    parser.add_argument("--queries")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fine = small(folder)
        fine &= look_ups(folder)
        if arguments.queries and os.path.exists(f"{arguments.data}/lineitem.parquet"):
            fine &= tpch(folder, arguments.data, arguments.queries, arguments.rounds)
        else:
            print("TPC-H left out: name --data and --queries")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
