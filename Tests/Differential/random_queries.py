#!/usr/bin/env python3
"""Random queries, answered by Apus, by DuckDB (from PyPI) and, where it knows the words, by SQLite.

    python random_queries.py --apus .build/release/apus --queries 2000 --seed 1

README.md beside this file says how it works. The exit status is 1 if something differs that
intended.py does not explain.
"""

import argparse
import collections
import multiprocessing
import random
import sys
import time

import comparing
import engines
import intended
import tables
import tree
from queries import FEATURES, Generator

# Queries that share their tables.
ROUND = 250
# Queries that share their settings.
SETTINGS_FOR = 10
# How DuckDB's errors begin that speak of its own insides and not of the query.
BREAKS = ("INTERNAL Error", "Serialization Error", "FATAL Error", "unordered_map",
          "Not implemented Error: Unimplemented logical operator type!",
          "Invalid Input Error: Perfect hash aggregate: aggregate group")


class Checker:
    """Runs queries of one round against all engines."""

    def __init__(self, apus, seed):
        self.setup = list(tables.setup(random.Random(seed)))
        self.apus = engines.Apus(apus, self.setup)
        self.duck, self.lite = engines.DuckDB(self.setup), engines.SQLite(self.setup)

    def check(self, sql, ordered, settings, common):
        """(verdict, detail, rows); verdicts are the keys of the statistics."""
        duck = self.duck.run(sql)
        apus = self.apus.run(sql, settings)
        if duck.error and duck.error.startswith(BREAKS):
            # Its own mistake, after which the database is of no use.
            self.duck = engines.DuckDB(self.setup)
            if not (apus.error or "").startswith(("CRASH", "HANG")):
                return "DuckDB breaks", duck.error, 0
        if apus.error:
            if apus.error.startswith(("CRASH", "HANG")):
                return "crash or hang", apus.error, 0
            if duck.error:
                return "error in all", "", 0
            if "not supported" in apus.error or "not yet" in apus.error:
                return "not supported yet", apus.error, 0
            return self.judged("only apus fails", apus.error, sql, duck, apus), apus.error, 0
        if duck.error:
            plain = self.duck.run_plainly(sql)
            if not plain.error and comparing.differ_from_duckdb(plain, apus, ordered) is None:
                return "DuckDB's optimizer errs", "", 0
            return self.judged("only DuckDB fails", duck.error, sql, duck, apus), duck.error, 0
        what = comparing.differ_from_duckdb(duck, apus, ordered)
        if what:
            plain = self.duck.run_plainly(sql)
            if not plain.error and comparing.differ_from_duckdb(plain, apus, ordered) is None:
                return "DuckDB's optimizer errs", "", 0
            if common:
                vote = self.lite.run(sql)
                if not vote.error:
                    what += " (SQLite is with " + (
                        "DuckDB)" if comparing.differ_from_sqlite(vote, apus, ordered) else "apus)")
            return self.judged("differs", what, sql, duck, apus), what, 0
        if common:
            lite = self.lite.run(sql)
            if lite.error:
                return "agreed", "SQLite: " + lite.error, len(apus.rows)
            what = comparing.differ_from_sqlite(lite, apus, ordered)
            if what:
                return self.judged("differs from SQLite", what, sql, duck, apus), what, 0
            return "agreed by three", "", len(apus.rows)
        return "agreed", "", len(apus.rows)

    def judged(self, verdict, what, sql, duck, apus):
        name = intended.explanation(verdict, what, sql, duck, apus)
        return f"intended: {name}" if name else verdict


def bad(verdict):
    return verdict in ("crash or hang", "only apus fails", "only DuckDB fails", "differs", "differs from SQLite")


def shape(what):
    """What must stay the same while a query is cut down: a different mistake is a different find."""
    return "".join(c for c in what.split(" (SQLite")[0] if not c.isdigit())[:40]


def one(options, enabled):
    """Reduces one query and prints it, with what the engines say."""
    number, seed = options.only, options.seed * 1_000_003
    checker = Checker(options.apus, seed + number // ROUND * ROUND)
    generator = Generator(seed + number, enabled)
    made, ordered = generator.top()
    settings = engines.configurations()
    chosen = settings[number // SETTINGS_FOR % len(settings)]
    verdict, what, _ = checker.check(str(made), ordered, chosen, generator.common)
    print(f"{verdict}: {what}\n{made};\n", flush=True)
    if bad(verdict):
        tree.reduce(made, lambda sql: checker.check(
            sql, ordered and generator.order in sql, chosen, generator.common)[0] == verdict)
        print(f"{chosen};\n{made};\n{checker.check(str(made), ordered, chosen, generator.common)[1]}")
    checker.apus.stop()


def run_round(job):
    apus, seed, start, count, enabled, reducing = job
    checker = Checker(apus, seed * 1_000_003 + start)
    settings = engines.configurations()
    verdicts, features, reports = collections.Counter(), collections.Counter(), []
    with_rows = 0
    details = collections.Counter()
    for number in range(start, start + count):
        generator = Generator(seed * 1_000_003 + number, enabled)
        made, ordered = generator.top()
        sql = str(made)
        chosen = settings[number // SETTINGS_FOR % len(settings)]
        verdict, what, rows = checker.check(sql, ordered, chosen, generator.common)
        verdicts[verdict] += 1
        with_rows += rows > 0
        if verdict.startswith("agreed"):
            features.update(generator.used)
        if verdict == "not supported yet" or what.startswith("SQLite: "):
            details[what[:70]] += 1
        if bad(verdict):
            if reducing and verdict != "crash or hang" or reducing > 1:
                exact = "fails" in verdict
                def same(text):
                    # A query cut out of the ordered one has no order.
                    its, detail, _ = checker.check(text, ordered and generator.order in text, chosen, generator.common)
                    return its == verdict and (not exact or shape(detail) == shape(what))
                tree.reduce(made, same)
                what = checker.check(str(made), ordered and generator.order in str(made), chosen, generator.common)[1]
            reports.append((number, verdict, what, chosen, str(made)))
    checker.apus.stop()
    return verdicts, features, details, with_rows, reports


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apus", required=True, help="the program")
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", type=int, default=0, dest="start", help="the first query's number")
    parser.add_argument("--only", type=int, help="this query alone, reduced")
    parser.add_argument("--workers", type=int, default=2, choices=(1, 2))
    parser.add_argument("--without", default="", help="features to leave out, by comma: " + ", ".join(sorted(FEATURES)))
    parser.add_argument("--reduce", type=int, default=1, help="0: as made, 1: reduced, 2: crashes and hangs too")
    parser.add_argument("--show", action="store_true", help="print the queries and run none")
    parser.add_argument("--setup", action="store_true", help="print the tables of the first query and run none")
    options = parser.parse_args()
    intended.check_documented()
    without = {name.strip() for name in options.without.split(",") if name.strip()}
    if without - FEATURES:
        parser.error(f"no such feature: {', '.join(sorted(without - FEATURES))}")
    enabled = frozenset(FEATURES - without)
    if options.setup:
        # The tables belong to the round: query n is in the round that began at n // ROUND * ROUND.
        first = options.start // ROUND * ROUND
        print(";\n".join(tables.setup(random.Random(options.seed * 1_000_003 + first))) + ";")
        return
    if options.show:
        for number in range(options.start, options.start + options.queries):
            print(f"{Generator(options.seed * 1_000_003 + number, enabled).top()[0]};")
        return

    if options.only is not None:
        one(options, enabled)
        return
    jobs, number, end = [], options.start, options.start + options.queries
    first = options.start // ROUND * ROUND
    if number != first:
        parser.error(f"--from is a multiple of {ROUND}")
    while number < end:
        count = min(ROUND, end - number)
        jobs.append((options.apus, options.seed, number, count, enabled, options.reduce))
        number += count
    verdicts, features, details = collections.Counter(), collections.Counter(), collections.Counter()
    with_rows = 0
    began = time.monotonic()
    # Spawned, not forked: a fork beside the threads of the pool may never come to run.
    with multiprocessing.get_context("spawn").Pool(options.workers, maxtasksperchild=20) as pool:
        for its, used, why, rows, reports in pool.imap_unordered(run_round, jobs):
            verdicts += its
            features += used
            details += why
            with_rows += rows
            for number, verdict, what, settings, sql in reports:
                print(f"-- seed {options.seed} query {number}: {verdict}: {what}\n-- {settings}\n{sql};\n", flush=True)
    total = sum(verdicts.values())
    print(f"{total} queries, seed {options.seed}, {time.monotonic() - began:.0f} s, {100 * with_rows // max(total, 1)} % with rows")
    for verdict, count in verdicts.most_common():
        print(f"  {count:6} {verdict}")
    print("of the agreed: " + ", ".join(f"{name} {count}" for name, count in features.most_common()))
    for what, count in details.most_common(15):
        print(f"  {count:6} {what}")
    sys.exit(1 if any(bad(verdict) for verdict in verdicts) else 0)


if __name__ == "__main__":
    main()
