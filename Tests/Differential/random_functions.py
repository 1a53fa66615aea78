#!/usr/bin/env python3
"""Every function that Apus and DuckDB (from PyPI) both know, over random arguments, side by side.

    python random_functions.py --apus ../../.build/release/apus --rows 100 --seed 1
    make functions-differential ROWS=100 SEED=1      # with PEERS=<a Python that has duckdb>
    python random_functions.py --apus … --only lpad,rpad --show 20

Names and examples come from the engine's own table (apus_functions()), overloads from DuckDB's
(duckdb_functions()): an overload of a type that Apus lacks is passed over until the type is there. For
each function run both engines' examples, and for each overload ROWS random calls: edges (NULL, empty,
negative, huge, NaN, infinite, first and last dates, text of several bytes a character, long text), half
of them over literals, half over a VALUES table of one row, so that no bad row hides another. Value as
text, type and whether there is an error must agree; doubles may differ in their last digits.

It prints a line for each function, and in the end which of DuckDB's names are there. What is meant to
differ is in intended_functions.py, each by a name that docs/dialect.md explains.
"""

import argparse
import collections
import multiprocessing
import os
import random
import re
import sys
import time

import engines
import intended_functions
from arguments import Arguments

WORD = re.compile(r"[A-Za-z][A-Za-z_0-9]*$")
# Drawn, or read from the session, its files or the clock: nothing to compare. Their examples are not run.
PASSED_OVER = re.compile(
    r"(random|rand|randn|setseed|binom|uuid.*|gen_random_uuid|now|today|get_current_.*|current_.*|user|session_user|"
    r"transaction_timestamp|nextval|currval|setval|version|getvariable|getenv|pragma_.*|duckdb_.*|apus_.*|read_.*|"
    r"parquet_.*|.*_scan|txid_current|in_search_path|age_now|which_secret|query|query_table|write_log|sleep_ms|"
    r"pg_sleep|checkpoint|force_checkpoint|has_.*_privilege|inet_.*|pg_postmaster_start_time|pg_conf_load_time|glob|"
    r"shobj_description|localtime|localtimestamp|summary|pg_timezone_names|icu_calendar_names|test_.*_types|approx_top_k|stats|nothing)$")
# Examples of DuckDB over types to come: docs/dialect.md, "Not yet".
MISSING = re.compile(r'type "?(BIT|BITSTRING|TIMESTAMPTZ|timestamp_n?s|timestamp_ms|UUID|MAP|JSON|ENUM|UNION|TIMETZ|TIMESTAMP_N?S|'
                     r'TIMESTAMP_MS|VARIANT|GEOMETRY|.*TIME ZONE)\b|function "?(map\w*|json\w*|to_json|union_\w+|uuid\w*)"? does not',
                     re.I)
# Not called by their names in DuckDB.
FORMS = {"position"}
# A list of a billion numbers is drawn now and then; Apus answers such calls with its limit at once.
DUCKDB_SECONDS = 3
FLOATING = re.compile(r"DOUBLE|FLOAT")
NUMBER = re.compile(r"-?(?:inf|nan|\d+(?:\.\d*)?(?:e[+-]?\d+)?)")


def comparable(text):
    """A value's text as parts: what is no number, and numbers."""
    return NUMBER.split(text), [float(n) for n in NUMBER.findall(text)]


def close(a, b, tolerance):
    if a == b or (a != a and b != b):
        return True
    return abs(a - b) <= tolerance * max(abs(a), abs(b)) or abs(a - b) < tolerance / 1000


def agree(duck, apus):
    """What differs between two rows, or None."""
    if list(duck) != list(apus) and (len(duck) != 2 or len(apus) != 2):
        return f"row {duck}, apus {apus}"
    if duck[1] != apus[1]:
        return f"type {duck[1]}, apus {apus[1]}"
    if list(duck) == list(apus):
        return None
    if duck[0] is not None and apus[0] is not None and FLOATING.search(duck[1]):
        theirs, ours = comparable(duck[0]), comparable(apus[0])
        tolerance = 1e-5 if "FLOAT" in duck[1] else 1e-9
        if (theirs[0] == ours[0] and len(theirs[1]) == len(ours[1])
                and all(close(a, b, tolerance) for a, b in zip(theirs[1], ours[1]))):
            return None
    return f"value {duck[0]!r:.300}, apus {apus[0]!r:.300}"


class Report:
    def __init__(self):
        self.agreed, self.failed, self.missing, self.broken, self.given_up, self.differing = 0, 0, 0, 0, 0, []
        self.intended, self.is_called, self.slow = collections.Counter(), False, []
        self.seconds = {}  # by function, DuckDB's and Apus'

    def add(self, other):
        self.agreed += other.agreed
        self.failed += other.failed
        self.missing += other.missing
        self.broken += other.broken
        self.given_up += other.given_up
        self.differing += other.differing
        self.intended += other.intended
        self.slow += other.slow
        self.seconds.update(other.seconds)


class Comparison:
    def __init__(self, options):
        self.apus = engines.Apus(options.apus, [], limit=20)
        self.duck = engines.DuckDB(["SET TimeZone = 'UTC'", "SET ieee_floating_point_ops = true", "SET memory_limit = '2GB'"],
                                   limit=DUCKDB_SECONDS)

    def compare(self, name, sql, report, is_own=False):
        start = time.monotonic()
        duck = self.duck.run(sql)
        half = time.monotonic()
        apus = self.apus.run(sql, None)
        took = time.monotonic() - half
        before = report.seconds.get(name, (0.0, 0.0))
        report.seconds[name] = (before[0] + half - start, before[1] + took)
        if took > 1:
            report.slow.append((took, sql))
        verdict = None
        if apus.error and apus.error.startswith(("CRASH", "HANG")):
            verdict, what = "crash", apus.error
        elif duck.error and duck.error.startswith(("INTERNAL Error", "FATAL Error")):
            report.broken += 1  # a mistake of DuckDB's own
            return
        elif duck.error and duck.error.startswith("INTERRUPT Error"):
            report.given_up += 1
            return
        elif duck.error and apus.error:
            report.failed += 1
        elif duck.error and is_own and (duck.error.startswith(("Catalog Error", "Parser Error"))
                                        or re.search("is a (table function|Macro Function)", duck.error)):
            return  # our example of what only we have: an alias, a form
        elif apus.error and MISSING.search(apus.error):
            report.missing += 1
            return
        elif duck.error:
            verdict, what = "only DuckDB fails", f"{duck.error:.300} — apus {apus.rows[0][0]!r:.300}"
        elif apus.error:
            verdict, what = "only apus fails", f"{apus.error:.300} — DuckDB {duck.rows[0]!r:.300}"
        else:
            rows = list(zip(duck.rows, apus.rows))
            if len(duck.rows) != len(apus.rows):
                verdict, what = "differs", f"{len(duck.rows)} rows, apus {len(apus.rows)}"
            else:
                found = [agree(a, b) for a, b in rows]
                what = next((f for f in found if f), None)
                verdict = "differs" if what else None
        if verdict is None:
            report.agreed += 1
            return
        reason = intended_functions.explanation(name, verdict, what, sql)
        if reason:
            report.intended[reason] += 1
        else:
            report.differing.append((verdict, what, sql))


def scalar_query(call, columns):
    source = ""
    if columns:
        names = ", ".join(name for name, _ in columns)
        source = f" FROM (VALUES ({', '.join(value for _, value in columns)})) t({names})"
    return f"SELECT CAST(r AS VARCHAR), typeof(r) FROM (SELECT {call} AS r{source}) s"


def aggregate_query(call, names, rows):
    values = ", ".join("(" + ", ".join(row) + ")" for row in rows)
    return (f"SELECT CAST(r AS VARCHAR), typeof(r) FROM (SELECT {call} AS r "
            f"FROM (VALUES {values}) t({', '.join(names)})) s")


def examples(kind, name, own, theirs):
    """Queries of the examples of both tables; an example of an aggregate runs over four rows."""
    for example in own + theirs:
        example = example.strip().rstrip(";")
        if not example:
            continue
        if kind == "scalar" and not example.upper().startswith(("SELECT", "FROM", "WITH")):
            yield scalar_query(f"({example})", [])
        elif kind == "aggregate":
            yield (f"SELECT CAST(r AS VARCHAR), typeof(r) FROM (SELECT {example} AS r "
                   "FROM (VALUES (1), (2), (3), (NULL)) t(x)) s")
        elif example.upper().startswith("SELECT"):
            yield f"SELECT CAST(COLUMNS(*) AS VARCHAR), '' FROM ({example}) t"


def calls(kind, name, overload, arguments, rows, generator):
    parameters, varargs = overload
    for _ in range(rows):
        types = list(parameters)
        if varargs:
            types += [varargs] * generator.choice([0, 1, 1, 2, 3])
        types = arguments.resolve(types, generator)
        if types is None:
            return
        if kind == "aggregate":
            count = generator.choice([0, 1, 2, 3, 5, 9])
            names = [f"c{i}" for i in range(len(types))]
            table = [[arguments.literal(name, i, t, generator) for i, t in enumerate(types)] for _ in range(count)]
            if not table:
                table = [[f"CAST(NULL AS {t})" for t in types] or ["1"]]
            shown = [n if i == 0 or not arguments.is_constant(name, i)
                     else arguments.literal(name, i, types[i], generator, nulls=False) for i, n in enumerate(names)]
            call = f"{name}({', '.join(shown)})"
            if count == 0:
                call += " FILTER (WHERE false)"
            yield aggregate_query(call, names or ["c0"], table or [["1"]])
            continue
        literals = [arguments.literal(name, i, t, generator) for i, t in enumerate(types)]
        if generator.random() < 0.5 or not literals:
            yield scalar_query(f"{name}({', '.join(literals)})", [])
        else:
            shown = [v if arguments.is_constant(name, i) else f"c{i}" for i, v in enumerate(literals)]
            columns = [(f"c{i}", v) for i, v in enumerate(literals)]
            yield scalar_query(f"{name}({', '.join(shown)})", columns)


def duckdb_functions(duck):
    rows = duck.connection.execute(
        "SELECT function_name, function_type, parameter_types, varargs, examples FROM duckdb_functions() "
        "WHERE database_name = 'system' AND function_type IN ('scalar', 'aggregate', 'table', 'macro', 'table_macro')"
    ).fetchall()
    result = {}
    for name, kind, parameters, varargs, example in rows:
        if not WORD.match(name):
            continue
        entry = result.setdefault(name.lower(), {"kinds": set(), "overloads": [], "examples": []})
        entry["kinds"].add(kind)
        entry["examples"] += [e for e in example or [] if e not in entry["examples"]]
        if kind in ("scalar", "aggregate", "macro") and None not in (parameters or []):
            overload = (kind, tuple(parameters or []), varargs)
            if overload not in entry["overloads"]:
                entry["overloads"].append(overload)
    return result


def apus_functions(apus):
    answer = apus.ask("SELECT function_name, function_type, parameter_types, varargs, examples FROM apus_functions()")
    result = {}
    for name, kind, parameters, varargs, example in answer.rows:
        entry = result.setdefault(name.lower(), {"kinds": set(), "overloads": [], "examples": []})
        entry["kinds"].add(kind)
        shown = [e for e in example if e not in entry["examples"]] if isinstance(example, list) else []
        entry["examples"] += shown
        entry["overloads"].append((kind, parameters, varargs))
    return result


def apus_examples(apus):
    """name -> examples; unnested by the engine, for the protocol gives lists as text."""
    answer = apus.ask("SELECT DISTINCT lower(function_name), unnest(examples) FROM apus_functions()")
    if answer.error:
        raise SystemExit(answer.error)
    result = collections.defaultdict(list)
    for name, example in sorted(answer.rows):
        result[name].append(example)
    return result


class Functions:
    """Both tables of functions, and the comparison of one function by name: what a process of the pool holds."""

    def __init__(self, options):
        self.options, self.comparison = options, Comparison(options)
        self.theirs = duckdb_functions(self.comparison.duck)
        self.ours = apus_functions(self.comparison.apus)
        self.own_examples = apus_examples(self.comparison.apus)
        self.arguments = Arguments(self.comparison.apus)

    def queries(self, name):
        """(query, whether it is our own example)"""
        generator = random.Random(f"{self.options.seed}/{name}")
        kinds = self.ours[name]["kinds"]
        kind = "aggregate" if "aggregate" in kinds else "scalar" if kinds & {"scalar", "macro"} else "table"
        for sql in examples(kind, name, self.own_examples[name], []):
            yield sql, True
        for sql in examples(kind, name, [], self.theirs[name]["examples"]):
            yield sql, False
        for _, parameters, varargs in self.theirs[name]["overloads"]:
            if kind == "table" or name in FORMS:
                continue
            parameters = self.arguments.without_names(name, parameters)
            for sql in calls(kind, name, (parameters, varargs), self.arguments, self.options.rows, generator):
                yield sql, False

    def compare(self, name):
        report, seen = Report(), set()
        for sql, is_own in self.queries(name):
            if sql not in seen:
                seen.add(sql)
                self.comparison.compare(name, sql, report, is_own)
        report.is_called = bool(seen)
        return report


def start_process(options):
    global functions
    functions = Functions(options)


def compare(name):
    return name, functions.compare(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--apus", required=True)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="names, by commas")
    parser.add_argument("--show", type=int, default=2, help="differences shown of a function")
    parser.add_argument("--all", action="store_true", help="a line also for functions without a difference")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes; the calls do not depend on it")
    options = parser.parse_args()
    intended_functions.check_documented()

    start_process(options)
    theirs, ours = functions.theirs, functions.ours
    wanted = set(options.only.lower().split(",")) if options.only else None
    names = [name for name in sorted(set(theirs) & set(ours))
             if (wanted is None or name in wanted) and not PASSED_OVER.match(name)]

    total, without = Report(), []
    print(f"{'function':32} {'agreed':>7} {'errors':>7} {'meant':>6} {'differ':>7}")
    with multiprocessing.get_context("spawn").Pool(options.jobs, start_process, [options]) as pool:
        for name, report in pool.imap(compare, names):
            if not report.is_called:
                without.append(name)
            total.add(report)
            if report.differing or options.all or wanted:
                print(f"{name:32} {report.agreed:7} {report.failed:7} {report.intended.total():6} {len(report.differing):7}")
                for verdict, what, sql in report.differing[:options.show]:
                    print(f"    {verdict}: {what}\n        {sql[:700]}")
            sys.stdout.flush()

    print(f"{'all':32} {total.agreed:7} {total.failed:7} {total.intended.total():6} {len(total.differing):7}")
    print(f"    {total.missing} examples of DuckDB's need a type to come; {total.broken} calls broke DuckDB; "
          f"{total.given_up} took it more than {DUCKDB_SECONDS} s and were not compared")
    for reason, count in total.intended.most_common():
        print(f"    meant: {reason} {count}")
    for took, sql in sorted(total.slow, reverse=True)[:5]:
        print(f"    slow: {took:.1f} s  {sql[:200]}")
    if options.all:
        for name, took in sorted(total.seconds.items(), key=lambda item: -max(item[1]))[:10]:
            print(f"    {name}: {took[0]:.1f} s in DuckDB, {took[1]:.1f} s in apus")
    if without:
        print("no call could be made of:", " ".join(without))
    if wanted is None:
        statistics(theirs, ours)
    sys.exit(1 if total.differing else 0)


def statistics(theirs, ours):
    names = [n for n in theirs if not n.startswith("collate_") and not n.startswith("icu_collate_")]
    present = [n for n in names if n in ours]
    print(f"\nDuckDB's names: {len(names)} (without {len(theirs) - len(names)} collate_… of ICU); "
          f"present {len(present)}, absent {len(names) - len(present)}:")
    by_kind = collections.defaultdict(list)
    for name in sorted(set(names) - set(present)):
        by_kind[sorted(theirs[name]["kinds"])[0]].append(name)
    for kind, absent in sorted(by_kind.items()):
        print(f"  {kind} ({len(absent)}): {' '.join(absent)}")


if __name__ == "__main__":
    main()
