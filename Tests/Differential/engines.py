"""The engines, each behind `run(sql)`: an `Answer` or a failure as text."""

import json
import os
import select
import sqlite3
import subprocess
import threading
import time

import duckdb

import tables

RULES = ["constant_folding", "filter_pushdown", "shared_filters", "partition_totals", "distinct_aggregates", "known_totals", "shifted_sums",
         "join_order", "aggregate_pushdown", "top_n", "column_pruning",
         "join_strategy", "common_subexpressions", "runtime_filters", "top_n_boundary",
         "exchange_placement"]


class Answer:
    def __init__(self, types=None, rows=None, error=None):
        self.types, self.rows, self.error = types, rows, error


def configurations(rules=RULES):
    """Settings to run Apus under, as SET statements."""
    result = [f"SET threads = {threads}; SET batch_size = {batch}; SET disabled_optimizers = ''"
              for threads in (1, 2, 4) for batch in (1, 3, 64, 2048)]
    result += [f"SET threads = 2; SET batch_size = 2048; SET disabled_optimizers = '{rule}'" for rule in rules]
    result.append(f"SET threads = 2; SET batch_size = 3; SET disabled_optimizers = '{','.join(rules)}'")
    return result


class Apus:
    """The program behind its JSON-lines protocol."""

    def __init__(self, path, setup, limit=120, arguments=()):
        self.path, self.setup, self.limit, self.arguments = path, setup, limit, list(arguments)
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.path, "--protocol", "jsonl"] + self.arguments, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
        self.rest, self.settings = b"", None
        for statement in self.setup:
            answer = self.ask(statement)
            if answer.error:
                raise SystemExit(f"{statement[:200]}: {answer.error}")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def ask(self, sql):
        try:
            self.process.stdin.write(json.dumps({"sql": sql}).encode() + b"\n")
        except BrokenPipeError:
            return Answer(error="CRASH: closed its input")
        end = time.monotonic() + self.limit
        pieces = [self.rest]
        while b"\n" not in pieces[-1]:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return Answer(error=f"HANG: no answer in {self.limit} s")
            piece = os.read(self.process.stdout.fileno(), 1 << 20)
            if not piece:
                return Answer(error=f"CRASH: exit status {self.process.wait()}")
            pieces.append(piece)
        line, self.rest = b"".join(pieces).split(b"\n", 1)
        reply = json.loads(line)
        return Answer(reply.get("types"), reply.get("rows"), reply.get("error"))

    def run(self, sql, settings):
        if settings != self.settings:
            answer = self.ask(settings)
            self.settings = settings
            if answer.error:
                return answer
        answer = self.ask(sql)
        if answer.error and answer.error.startswith(("CRASH", "HANG")):
            self.stop()
            self.start()
        return answer


class DuckDB:
    """In this process; a statement of more than `limit` seconds is interrupted, which its error says."""

    def __init__(self, setup, limit=None):
        self.setup, self.limit = setup, limit
        self.open()

    def open(self):
        self.connection = duckdb.connect()
        self.connection.execute("SET enable_progress_bar = false")
        # By zero Apus gives NULL: the first row of docs/dialect.md's differences.
        for setting in ("error_on_division_by_zero = false", "ieee_floating_point_ops = false", "threads = 1"):
            self.connection.execute("SET " + setting)
        for statement in self.setup:
            self.connection.execute(statement)

    def run(self, sql):
        answer = self.answer(sql)
        # An internal error of its own makes the database useless for all that follows.
        if answer.error and answer.error.startswith(("INTERNAL Error", "FATAL Error")):
            self.open()
        return answer

    def answer(self, sql):
        timer = threading.Timer(self.limit, self.connection.interrupt) if self.limit else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            cursor = self.connection.execute(sql)
            rows = cursor.fetchall()
            return Answer([str(column[1]) for column in cursor.description], rows)
        except Exception as error:  # any failure is an answer to compare
            return Answer(error=str(error).split("\n")[0])
        finally:
            if timer:
                timer.cancel()

    def run_plainly(self, sql):
        """The answer without its optimizer, which has mistakes of its own (seen: EXISTS over a LEFT JOIN)."""
        self.connection.execute("PRAGMA disable_optimizer")
        try:
            return self.run(sql)
        finally:
            self.connection.execute("PRAGMA enable_optimizer")


class SQLite:
    """Answers queries in the common language only; its types are not compared."""

    def __init__(self, setup):
        self.connection = sqlite3.connect(":memory:")
        self.connection.execute("PRAGMA case_sensitive_like = on")
        self.connection.create_function("upper", 1, lambda text: None if text is None else text.upper())
        self.connection.create_function("lower", 1, lambda text: None if text is None else text.lower())
        # A nested loop over thousands of rows inside another is given up.
        self.steps = 0
        self.connection.set_progress_handler(self.step, 1000)
        for statement in setup:
            self.connection.execute(tables.for_sqlite(statement))

    def step(self):
        self.steps += 1
        return self.steps > 20_000

    def run(self, sql):
        self.steps = 0
        try:
            return Answer(None, self.connection.execute(tables.for_sqlite(sql)).fetchall())
        except (sqlite3.Error, OverflowError) as error:
            return Answer(error=str(error))
