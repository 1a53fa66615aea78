"""Random INSERT, UPDATE, DELETE, MERGE, ALTER and transactions, seeded, beside DuckDB.

    random_dml.py .build/debug/apus [--seed 1] [--runs 20] [--steps 60] [--file]

After each statement both must have succeeded or failed, and all tables must hold the same rows. Prints
what differs with the statements that led there, and ends with status 1. With --file the tables are in a
database file and large enough for row groups; now and then the program is killed and opens it again, or
rewrites it.
"""

import argparse
import random
import sys
import tempfile

import duckdb

from engines import Apus

TABLES = {
    "t": "CREATE TABLE t (k INTEGER PRIMARY KEY, a INTEGER, b VARCHAR DEFAULT 'none', "
         "c INTEGER CHECK (c IS NULL OR c < 90))",
    "u": "CREATE TABLE u (k INTEGER, a INTEGER NOT NULL, b VARCHAR, UNIQUE (k, a))",
    "v": "CREATE TABLE v (k BIGINT, a DOUBLE, b VARCHAR)",
}
COLUMNS = {"t": ["k", "a", "b", "c"], "u": ["k", "a", "b"], "v": ["k", "a", "b"]}


class Script:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.added = {name: 0 for name in TABLES}
        self.open = False

    def pick(self, items):
        return self.random.choice(items)

    def number(self):
        return self.pick(["NULL", "0"] + [str(self.random.randint(-5, 99)) for _ in range(8)])

    def text(self):
        return self.pick(["NULL", "''", "'x'", "'a longer text than twelve'", f"'t{self.random.randint(0, 9)}'"])

    def value(self, column):
        if column == "b":
            return self.text()
        if column == "k" and self.random.random() < 0.9:
            return str(self.random.randint(0, 60))
        return self.number()

    def condition(self, table, alias=None):
        name = (alias or table) + "."
        kind = self.random.randrange(7)
        if kind == 0:
            return f"{name}k = {self.random.randint(0, 60)}"
        if kind == 1:
            low = self.random.randint(-5, 50)
            return f"{name}k BETWEEN {low} AND {low + self.random.randint(0, 30)}"
        if kind == 2:
            return f"{name}a IS NULL"
        if kind == 3:
            return f"{name}b LIKE 't%'"
        if kind == 4:
            other = self.pick(list(TABLES))
            return f"{name}k IN (SELECT k FROM {other} WHERE a > 30)"
        if kind == 5:
            other = self.pick(list(TABLES))
            return f"EXISTS (SELECT 1 FROM {other} o WHERE o.k = {name}k AND o.a <> {self.random.randint(0, 9)})"
        return f"{name}k % {self.random.randint(2, 5)} = 0"

    def source(self):
        """A query of three columns k, a, b with each k once."""
        if self.random.random() < 0.5:
            start, count = self.random.randint(0, 50), self.pick([0, 1, 5, 20])
            return f"SELECT range AS k, range % 7 AS a, 's' || range AS b FROM range({start}, {start + count})"
        table = self.pick(list(TABLES))
        return (f"SELECT k + {self.random.randint(0, 9)} AS k, max(a) % 100 AS a, min(b) AS b FROM {table} "
                f"WHERE k IS NOT NULL GROUP BY k")

    def assignments(self, table):
        names = [name for name in COLUMNS[table] if self.random.random() < 0.4] or ["a"]
        parts = []
        for name in names:
            kind = self.random.randrange(4)
            if kind == 0:
                parts.append(f"{name} = DEFAULT")
            elif kind == 1 and name != "b":
                parts.append(f"{name} = {name} + {self.random.randint(-3, 3)}")
            elif kind == 2 and name == "b":
                parts.append("b = b || '+'")
            else:
                parts.append(f"{name} = {self.value(name)}")
        return ", ".join(parts)

    def statement(self):
        table = self.pick(list(TABLES))
        kind = self.random.random()
        if kind < 0.06:
            if self.open:
                self.open = False
                return self.pick(["COMMIT", "COMMIT", "ROLLBACK"])
            self.open = True
            return "BEGIN"
        if kind < 0.25:
            rows = self.pick([1, 1, 2, 5])
            values = ", ".join(
                "(" + ", ".join(self.value(name) for name in COLUMNS[table]) + ")" for _ in range(rows))
            conflict = ""
            if table == "t":
                conflict = self.pick(["", "", " ON CONFLICT DO NOTHING",
                                      " ON CONFLICT (k) DO UPDATE SET a = excluded.a, b = t.b"])
            return f"INSERT INTO {table} ({', '.join(COLUMNS[table])}) VALUES {values}{conflict}"
        if kind < 0.40:
            conflict = ""
            if table == "t":
                conflict = self.pick([" ON CONFLICT DO NOTHING", " ON CONFLICT DO NOTHING",
                                      " ON CONFLICT (k) DO UPDATE SET a = t.a + excluded.a WHERE excluded.k > 20"])
            return f"INSERT INTO {table} (k, a, b) {self.source()}{conflict}"
        if kind < 0.62:
            return f"UPDATE {table} SET {self.assignments(table)} WHERE {self.condition(table)}"
        if kind < 0.70:
            return (f"UPDATE {table} SET a = s.a, b = s.b FROM ({self.source()}) s "
                    f"WHERE {table}.k = s.k")
        if kind < 0.82:
            return f"DELETE FROM {table} WHERE {self.condition(table)}"
        if kind < 0.86:
            return f"DELETE FROM {table} USING ({self.source()}) s WHERE {table}.k = s.k AND s.a < 5"
        if kind < 0.95:
            clauses = [f"WHEN MATCHED AND s.a < {self.random.randint(0, 9)} THEN DELETE",
                       "WHEN MATCHED THEN UPDATE SET a = s.a",
                       "WHEN NOT MATCHED THEN INSERT (k, a, b) VALUES (s.k, s.a, s.b)",
                       f"WHEN NOT MATCHED BY SOURCE AND {self.condition(table, 'm')} THEN DELETE"]
            chosen = [clause for clause in clauses if self.random.random() < 0.6] or clauses[1:2]
            # Keys of the target that come twice would make the matched row depend on chance.
            on = "m.k = s.k"
            return f"MERGE INTO {table} m USING ({self.source()}) s ON {on} " + " ".join(chosen)
        if kind < 0.97:
            return f"CREATE OR REPLACE TABLE w{self.random.randint(0, 2)} AS SELECT * FROM {table}"
        self.added[table] += 1
        return f"ALTER TABLE v ADD COLUMN x{self.added[table]}_{table} INTEGER DEFAULT {self.random.randint(0, 9)}"


def plain(value):
    if value is None:
        return None
    try:
        return f"{float(value):.9g}"
    except (TypeError, ValueError):
        return str(value)


def contents(rows):
    return sorted(([plain(value) for value in row] for row in rows), key=str)


# Enough for a row group each.
ROWS = ["INSERT INTO t SELECT 1000 + range, range % 100, 'row ' || range % 50, range % 80 FROM range(9000)",
        "INSERT INTO v SELECT range % 3000, range // 4, 'r' || range FROM range(9000)"]


def disturb(apus, script):
    """Ends the program, or has it tidy the file up; both change nothing that a query sees."""
    kind = script.random.random()
    if script.open or kind > 0.3:
        return None
    if kind < 0.15:
        apus.stop()
        apus.start()
        return "-- killed and opened again"
    sql = "CHECKPOINT" if kind < 0.25 else "VACUUM"
    answer = apus.ask(sql)
    return f"{sql}; -- {answer.error or 'done'}"


def compare(path, seed, steps, in_file):
    folder = tempfile.TemporaryDirectory()
    apus = Apus(path, [], arguments=[f"{folder.name}/test.db"] if in_file else [])
    duck = duckdb.connect()
    done = []
    try:
        for sql in list(TABLES.values()) + (ROWS if in_file else []):
            apus.ask(sql)
            duck.execute(sql)
        script = Script(seed)
        for _ in range(steps):
            sql = script.statement()
            done.append(sql)
            answer = apus.ask(sql)
            error = None
            try:
                duck.execute(sql)
            except duckdb.Error as failure:
                error = str(failure)
            if (answer.error is None) != (error is None):
                return done, f"Apus: {answer.error}\nDuckDB: {error}"
            if error is not None and script.open:
                # Failures end the transaction's use in both.
                script.open = False
                done.append("ROLLBACK")
                apus.ask("ROLLBACK")
                duck.execute("ROLLBACK")
            if in_file:
                event = disturb(apus, script)
                if event:
                    done.append(event)
            for table in TABLES:
                mine = contents(apus.ask(f"SELECT * FROM {table}").rows)
                theirs = contents(duck.execute(f"SELECT * FROM {table}").fetchall())
                if mine != theirs:
                    extra = [row for row in mine if row not in theirs][:3]
                    lost = [row for row in theirs if row not in mine][:3]
                    return done, f"{table}: only Apus {extra}, only DuckDB {lost}"
        return done, None
    finally:
        apus.stop()
        folder.cleanup()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--file", action="store_true")
    arguments = parser.parse_args()
    failures = 0
    for seed in range(arguments.seed, arguments.seed + arguments.runs):
        done, difference = compare(arguments.path, seed, arguments.steps, arguments.file)
        if difference:
            failures += 1
            print(f"seed {seed}, after {len(done)} statements:")
            for sql in done[-6:]:
                print("   ", sql)
            print(difference)
    print(f"{arguments.runs - failures} of {arguments.runs} runs agree")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
