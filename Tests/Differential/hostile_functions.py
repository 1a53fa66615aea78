"""Every function with hostile arguments: NULLs, the ends of every type, huge lengths, NaN, invalid bytes, deep
nesting, far dates, strings of a megabyte, lists of millions. An answer or an error is right; a crash, a query over
the time limit and memory far above `memory_limit` are not, and are printed.

    python hostile_functions.py --apus ../../.build/release/apus --rows 40 --seed 1
"""

import argparse
import json
import os
import random
import select
import subprocess
import sys
import time

WIDTHS = {"TINYINT": (8, True), "SMALLINT": (16, True), "INTEGER": (32, True), "BIGINT": (64, True),
          "HUGEINT": (128, True), "UTINYINT": (8, False), "USMALLINT": (16, False), "UINTEGER": (32, False),
          "UBIGINT": (64, False), "UHUGEINT": (128, False)}


def edges(name):
    """The ends of an integer type and what lies beside them."""
    bits, is_signed = WIDTHS[name]
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
    return [f"CAST('{value}' AS {name})" for value in (low, low + 1, high - 1, high, 0, 1)]


INTEGERS = [text for name in WIDTHS for text in edges(name)] + [
    "-1", "2", "3", "7", "63", "64", "65", "-64", "127", "1000", "100000", "10000000", "100000000", "2147483648",
    "3000000000", "1000000000000", "-1000000000000"]
FLOATS = ["'nan'::DOUBLE", "'inf'::DOUBLE", "'-inf'::DOUBLE", "'nan'::FLOAT", "'-inf'::FLOAT", "0.0::DOUBLE",
          "-0.0::DOUBLE", "1.7976931348623157e308", "-1.7976931348623157e308", "5e-324", "1e-300", "9.3e18", "-9.3e18",
          "1.8e19", "1e38", "3.5e38", "0.5::DOUBLE", "1e6::DOUBLE"]
DECIMALS = ["99999999999999999999999999999999999999::DECIMAL(38,0)", "-0.99999999999999999999999999999999999999",
            "0.00000000000000000000000000000000000001::DECIMAL(38,38)", "1.5", "-999.9::DECIMAL(4,1)", "0.0"]
BYTES = ["'\\xFF\\xFE\\x00'::BLOB", "''::BLOB", "'\\xC3'::BLOB", "'\\xED\\xA0\\x80'::BLOB", "'\\xF4\\x90\\x80\\x80'::BLOB",
         "'abc'::BLOB", "repeat('\\xC3'::BLOB, 100000)"]
BAD_TEXTS = ["'\\xC3'::BLOB::VARCHAR", "chr(0)", "chr(1114111)", "'a' || chr(0) || 'b'"]
TEXTS = ["''", "'a'", "'%'", "'\\'", "'('", "'(a+)+$'", "'(a*)*b'", "'[[:foo:]]'", "'(?<n>a)|\\k<n>'", "'%Y-%m-%d'",
         "'%'||repeat('%', 1000)", "'{}'", "'{0:>99999999999}'", "'{:1000000000d}'", "'%1000000000d'", "'%.999999999f'",
         "'%99999999999999999999s'", "'%*d'", "'%n%n'", "'$'", "'$.a'", "'$' || repeat('[0]', 10000)", "'$[99999999999999999999]'", "'/a/0'",
         "'{\"a\":[1,2,{\"b\":null}]}'", "'{\"a\":'", "'[1e999]'", "'[' || repeat('[', 100000)",
         "repeat('[', 100000) || repeat(']', 100000)", "repeat('{\"a\":', 5000) || '1' || repeat('}', 5000)",
         "'\"\\ud800\"'", "'99999999999999999999999999999999999999999'", "'-1e-400'", "'nan'", "'infinity'",
         "'294247-01-10 04:00:54.775806'", "'5877642-06-24 (BC)'", "'99999999-99-99'", "'1 year 99999999999 months'",
         "'Europe/Berlin'", "'../../etc/passwd'", "'ISO'", "'month'", "'century'", "'epoch'", "'sum'", "'list'",
         "'\u0301\U0001f468\u200d\U0001f469\u200d\U0001f467'", "'\U0001f1e9\U0001f1ea' || repeat('\u0301', 50000)",
         "repeat('a', 1000000)", "repeat('a', 30) || 'b'", "repeat('ab', 500000)", "repeat('é', 500000)",
         "repeat('(', 100000)", "repeat('a?', 5000) || repeat('a', 5000)", "repeat('1', 1000000)",
         "repeat('%', 1000000)", "repeat('x,', 100000)"] + BAD_TEXTS
DATES = ["'infinity'::DATE", "'-infinity'::DATE", "'5881580-07-10'::DATE", "'5877642-06-25 (BC)'::DATE", "'epoch'::DATE",
         "'2000-02-29'::DATE", "'0001-01-01 (BC)'::DATE"]
TIMES = ["'24:00:00'::TIME", "'00:00:00'::TIME", "'23:59:59.999999'::TIME"]
TIMESTAMPS = ["'infinity'::TIMESTAMP", "'-infinity'::TIMESTAMP", "'294247-01-10 04:00:54.775806'::TIMESTAMP",
              "'290309-12-22 (BC) 00:00:00'::TIMESTAMP", "'2000-02-29 12:00:00'::TIMESTAMP",
              "'1677-09-22'::TIMESTAMP_NS", "'2262-04-11'::TIMESTAMP_NS", "'infinity'::TIMESTAMP_S"]
INSTANTS = ["'infinity'::TIMESTAMPTZ", "'294247-01-10 04:00:54+00'::TIMESTAMPTZ", "'2000-03-26 01:00:00+00'::TIMESTAMPTZ",
            "'290309-12-23 (BC) 00:00:00+00'::TIMESTAMPTZ"]
INTERVALS = ["INTERVAL 2147483647 MONTHS", "INTERVAL (-2147483648) MONTHS", "INTERVAL 2147483647 DAYS",
             "INTERVAL 9223372036854775807 MICROSECONDS", "INTERVAL (-9223372036854775807) MICROSECONDS",
             "INTERVAL 0 DAYS", "INTERVAL 1 MICROSECOND", "INTERVAL 1 MONTH",
             "INTERVAL '-1 month 1 day'", "INTERVAL (-2147483648) DAYS"]
LISTS = ["[]", "[NULL]", "[1]", "[NULL, 1, 2]::INTEGER[]", "['a', NULL]", "[[1, 2], [], NULL]", "[{'a': 1}]",
         "['nan'::DOUBLE, 'inf', '-inf', NULL]", "range(100000)", "range(2000000)", "[9223372036854775807, -9223372036854775808]",
         "[170141183460469231731687303715884105727]", "[1.5, -99.9]", "['infinity'::DATE]", "[[[[[[[[[[1]]]]]]]]]]",
         "[0.0::FLOAT, 'nan'::FLOAT]", "list_transform(range(100000), lambda x: 'x' || x)"]
ARRAYS = ["array_value(1.0::FLOAT, 'nan'::FLOAT, 'inf'::FLOAT)", "array_value(0.0::DOUBLE, 0, 0)",
          "array_value(1e308, 1e308, -1e308)", "[1, NULL, 3]::INTEGER[3]"]
MAPS = ["MAP {}", "MAP {'a': 1}", "MAP {1: NULL}", "MAP([1, 2], [[1], []])"]
STRUCTS = ["{'a': 1}", "{'a': NULL, 'b': [1]}", "row(1, 'x')"]
OTHERS = ["true", "false", "uuid()", "'00000000-0000-0000-0000-000000000000'::UUID", "'101'::BIT" if False else "true",
          "'a'::ENUM('a', 'b')", "'{\"a\": 1}'::JSON", "'null'::JSON", "'12:00:00+15:59'::TIMETZ"]
LAMBDAS = ["lambda x: x", "lambda x: NULL", "lambda x: x IS NULL", "lambda x, y: x", "lambda x, y: y > 1"]
EVERYTHING = [INTEGERS, FLOATS, DECIMALS, TEXTS, BYTES, DATES, TIMES, TIMESTAMPS, INSTANTS, INTERVALS, LISTS, ARRAYS, MAPS,
              STRUCTS, OTHERS, LAMBDAS]
# Ends of processes and of time are these functions' purpose.
LEFT_OUT = {"sleep_ms", "write_log"}
STATEMENTS = "hostile_statements.txt"


def pools(type_name):
    """What may stand for a parameter of this type."""
    name = type_name.upper()
    if name.endswith("[]") or "LIST" in name:
        return [LISTS, LISTS, ARRAYS]
    if "ARRAY" in name or name.endswith("]"):
        return [ARRAYS, LISTS]
    for start, pool in (("VARCHAR", TEXTS), ("JSON", TEXTS), ("BLOB", BYTES), ("TIMESTAMP WITH", INSTANTS),
                        ("TIMESTAMP", TIMESTAMPS), ("DATE", DATES), ("TIME", TIMES), ("INTERVAL", INTERVALS),
                        ("MAP", MAPS), ("STRUCT", STRUCTS), ("DECIMAL", DECIMALS), ("DOUBLE", FLOATS),
                        ("FLOAT", FLOATS), ("NUMERIC", INTEGERS + FLOATS + DECIMALS), ("LAMBDA", LAMBDAS)):
        if name.startswith(start):
            return [pool]
    if name in WIDTHS or "INTEGER" in name:
        return [INTEGERS]
    return EVERYTHING


def argument(draw, type_name):
    """One argument: mostly of the type, at times NULL or of another."""
    chance = draw.random()
    if chance < 0.04:
        return "NULL"
    pool = draw.choice(EVERYTHING if chance < 0.12 else pools(type_name))
    return draw.choice(pool)


def call(draw, row):
    """A statement that calls the function of a catalog row."""
    name, kind, types = row
    arguments = [argument(draw, type_name) for type_name in types]
    if draw.random() < 0.05:
        arguments.append(argument(draw, "ANY"))
    if not name[0].isalpha() and not name[0] == "_":
        if len(arguments) == 2:
            return f"SELECT ({arguments[0]}) {name} ({arguments[1]})"
        return f"SELECT {name}({', '.join(arguments)})"
    name = f'"{name}"'
    if kind == "table":
        return f"SELECT count(*) FROM (FROM {name}({', '.join(arguments)}) LIMIT 1000000)"
    if kind == "aggregate":
        first = draw.choice(["", "", "DISTINCT "])
        inner = f"{name}({first}{', '.join(arguments)})"
        source = draw.choice(["range(3)", "(SELECT 1 WHERE false)", "range(5000)"])
        if draw.random() < 0.3:
            return f"SELECT max(length(v::VARCHAR)) FROM (SELECT {inner} OVER (ROWS 2 PRECEDING) AS v FROM {source})"
        return f"SELECT length(v::VARCHAR) FROM (SELECT {inner} AS v FROM {source})"
    if kind == "window":
        return f"SELECT count(v) FROM (SELECT {name}({', '.join(arguments)}) OVER (ORDER BY range) AS v FROM range(100))"
    if draw.random() < 0.5 or not arguments:
        return f"SELECT length(v::VARCHAR) FROM (SELECT {name}({', '.join(arguments)}) AS v)"
    # From columns: kernels see values that are not constants.
    columns = [text if text.startswith("lambda") else f"c{n}" for n, text in enumerate(arguments)]
    given = ", ".join(f"CASE WHEN range % 3 < 2 THEN {text} END AS c{n}" for n, text in enumerate(arguments)
                      if not text.startswith("lambda"))
    source = f"(SELECT range, {given} FROM range(4))" if given else "range(4)"
    return f"SELECT sum(length(v::VARCHAR)) FROM (SELECT {name}({', '.join(columns)}) AS v FROM {source})"


class Engine:
    """One process of the program under a memory limit; a new one after each crash or hang."""

    def __init__(self, path, limit, seconds, allowance):
        self.path, self.limit, self.seconds, self.allowance = path, limit, seconds, allowance
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.path, "--protocol", "jsonl"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.rest = b""
        self.ask(f"SET memory_limit = '{self.limit}MB'")
        self.ask("SET threads = 2")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def resident(self):
        """MiB in memory now; `VmHWM` is the peak since the process began."""
        try:
            with open(f"/proc/{self.process.pid}/status") as lines:
                fields = dict(line.split(":", 1) for line in lines)
            return int(fields.get("VmRSS", "0 kB").split()[0]) >> 10
        except OSError:
            return 0

    def ask(self, sql):
        """(the reply or None, what is wrong or None)."""
        try:
            self.process.stdin.write(json.dumps({"sql": sql}).encode() + b"\n")
        except BrokenPipeError:
            return None, "CRASH"
        began = time.monotonic()
        pieces, peak = [self.rest], 0
        while b"\n" not in pieces[-1]:
            ready = select.select([self.process.stdout], [], [], 0.02)[0]
            peak = max(peak, self.resident())
            if peak > self.limit + self.allowance:
                return None, f"MEMORY: {peak} MiB resident under a limit of {self.limit}"
            if time.monotonic() - began > self.seconds:
                return None, f"HANG: no answer in {self.seconds} s"
            if not ready:
                continue
            piece = os.read(self.process.stdout.fileno(), 1 << 20)
            if not piece:
                self.process.wait()
                message = self.process.stderr.read().decode(errors="replace")
                lines = [line for line in message.splitlines() if "atal error" in line or " at /" in line]
                return None, f"CRASH {self.process.returncode}: " + " | ".join(line.strip()[:160] for line in lines[:7])
            pieces.append(piece)
        line, self.rest = b"".join(pieces).split(b"\n", 1)
        try:
            reply = json.loads(line)
        except ValueError as mistake:
            return None, f"PROTOCOL: {mistake}"
        error = reply.get("error") or ""
        if "internal" in str(error).split(":")[0].lower():
            return reply, f"INTERNAL: {error}"
        return reply, None


def statements(options):
    """The statements of the file beside this one, then the calls."""
    if options.statements:
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, STATEMENTS), encoding="utf-8") as lines:
            for line in lines:
                if line.strip() and not line.startswith("--"):
                    yield line.strip()
        return
    engine = Engine(options.apus, 1000, 60, 4000)
    reply, _ = engine.ask("SELECT function_name, function_type, to_json(parameter_types)::VARCHAR, varargs "
                          "FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'window', 'table', 'macro')")
    engine.stop()
    for number, (name, kind, types, more) in enumerate(reply["rows"]):
        if name in LEFT_OUT or options.only and name not in options.only.split(","):
            continue
        for round_number in range(options.rows):
            draw = random.Random(f"{options.seed}/{name}/{types}/{round_number}")
            given = json.loads(types)
            if more:
                given += [more] * draw.randrange(4)
            yield call(draw, (name, kind, given))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apus", required=True)
    parser.add_argument("--rows", type=int, default=20, help="calls of each overload")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", help="names, by commas")
    parser.add_argument("--memory", type=int, default=500, help="memory_limit in MB")
    parser.add_argument("--allowance", type=int, default=700, help="MiB that may be resident above it")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--statements", action="store_true", help=f"run the lines of {STATEMENTS} in place of calls")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    engine = Engine(options.apus, options.memory, options.seconds, options.allowance)
    total, rows, wrong = 0, 0, 0
    for sql in statements(options):
        total += 1
        began = time.monotonic()
        reply, mistake = engine.ask(sql)
        if reply and not reply.get("error"):
            rows += 1
        if options.verbose:
            print(f"{time.monotonic() - began:6.2f} s  {sql[:150]}  ->  {str(reply)[:150]}")
        if mistake:
            wrong += 1
            print(f"{mistake}\n    {sql[:600]}", flush=True)
        if reply is None or engine.resident() > options.memory:
            engine.stop()
            engine.start()
    engine.stop()
    print(f"{total} statements, {rows} with rows, {wrong} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
