"""Generates what the benchmarks read, once, below APUS_BENCHMARK_DATA (by default ~/.cache/apus-benchmarks).

TPC-H comes from `tpchgen-cli` (PyPI) where it stands beside the Python, else from DuckDB's own
extension; everything else from DuckDB with fixed arithmetic in place of chance, so that the answers
are the same on every machine.
"""
import os
import shutil
import subprocess
import sys

import duckdb

FOLDER = os.environ.get("APUS_BENCHMARK_DATA", os.path.expanduser("~/.cache/apus-benchmarks"))
TPCH_TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]


def folder(name, make):
    """The folder of that name; `make(path)` fills it the first time, whole or not at all."""
    path = os.path.join(FOLDER, name)
    if not os.path.exists(path):
        unfinished = path + ".unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        os.makedirs(unfinished)
        print(f"generating {path}", file=sys.stderr)
        make(unfinished)
        os.rename(unfinished, path)
    return path


def tpch(scale):
    """The eight tables as Parquet files, lineitem as CSV too."""
    def make(path):
        program = os.path.join(os.path.dirname(sys.executable), "tpchgen-cli")
        if os.path.exists(program):
            subprocess.check_call([program, "parquet", "-s", str(scale), "-o", path])
        else:
            with duckdb.connect() as engine:
                try:
                    engine.execute(f"LOAD tpch; CALL dbgen(sf = {scale})")
                except duckdb.Error as error:
                    sys.exit(f"TPC-H needs tpchgen-cli (PyPI) or DuckDB's extension tpch: {error}")
                for table in TPCH_TABLES:
                    engine.execute(f"COPY {table} TO '{path}/{table}.parquet'")
        duckdb.sql(f"COPY (FROM '{path}/lineitem.parquet') TO '{path}/lineitem.csv'")

    return folder(f"tpch-{scale}", make)


def h2o(rows):
    """The tables of the database-like operations benchmark: x for GROUP BY; jx, small, medium and big for
    joins, nine in ten keys on both sides."""
    def keys(multiplier, count):
        # A product modulo a prime scatters the rows; the remainder is the key.
        return f"CAST(k * {multiplier} % 2147483647 % {count} AS INTEGER) + 1"

    def make(path):
        few, many = 100, max(rows // 100, 100)
        engine = duckdb.connect()
        source = f"(SELECT range AS k FROM range({rows}))"
        engine.execute(
            f"COPY (SELECT format('id{{:03d}}', {keys(7919, few)}) AS id1, format('id{{:03d}}', {keys(104729, few)}) AS id2, "
            f"format('id{{:010d}}', {keys(1299709, many)}) AS id3, {keys(15485863, few)} AS id4, {keys(32452843, few)} AS id5, "
            f"{keys(49979687, many)} AS id6, {keys(67867967, 5)} AS v1, {keys(86028121, 15)} AS v2, "
            f"k * 982451653 % 2147483647 % 100000000 / 1000000.0 AS v3 FROM {source}) TO '{path}/x.parquet'")
        sizes = {"small": max(rows // 1_000_000, 10), "medium": max(rows // 1000, 100), "big": rows}
        left = ", ".join(
            f"({keys(prime, size)}) * 10 // 9 AS id{number}" for (size, prime), number in
            zip(zip(sizes.values(), (7919, 104729, 1299709)), (1, 2, 3)))
        texts = ", ".join(f"'id' || id{number} AS id{number + 3}" for number in (1, 2, 3))
        engine.execute(
            f"COPY (SELECT *, {texts} FROM (SELECT {left}, k * 982451653 % 2147483647 % 100000000 / 1000000.0 AS v1 FROM {source})) "
            f"TO '{path}/jx.parquet'")
        for number, (name, size) in enumerate(sizes.items(), 1):
            # Every key once; the smaller tables' keys beside it.
            columns = ", ".join(
                "k + 1 AS id%d" % number if place == number else f"{keys(7919, other)} AS id{place}"
                for place, other in enumerate(list(sizes.values())[:number], 1))
            texts = ", ".join(f"'id' || id{place} AS id{place + 3}" for place in range(1, number + 1))
            engine.execute(
                f"COPY (SELECT *, {texts} FROM (SELECT {columns}, k * 982451653 % 2147483647 % 100000000 / 1000000.0 AS v2 "
                f"FROM (SELECT range * 7919 % {size} AS k FROM range({size})))) TO '{path}/{name}.parquet'")
        engine.close()

    return folder(f"h2o-{rows}", make)
