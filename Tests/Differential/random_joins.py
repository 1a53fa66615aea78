#!/usr/bin/env python3
"""Random joins, answered by Apus and by DuckDB (from PyPI), side by side.

    python random_joins.py --apus .build/release/apus --queries 2000 --seed 1

Every kind of join over two to six tables, with equalities, inequalities, OR, IS NOT DISTINCT FROM,
constants and nothing at all as conditions, with USING and NATURAL, over tables with NULLs, with
duplicates and with no rows; ASOF and POSITIONAL joins, and subqueries that become joins. Each query
runs under settings drawn from those of `engines`: threads, batch sizes, rules off. The exit
status is 1 if an answer differs.
"""

import argparse
import random
import sys
import threading

import comparing
import engines

KINDS = ["JOIN", "INNER JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN"]
TABLES = {"a": 12, "b": 9, "c": 6, "d": 1, "e": 0, "f": 16}
COLUMNS = "k l s t".split()


def setup_statements(draw):
    """Tables k INTEGER, l BIGINT, s VARCHAR, t DATE with few values each, so that joins meet."""
    for table, rows in TABLES.items():
        yield f"CREATE TABLE {table} (k INTEGER, l BIGINT, s VARCHAR, t DATE)"
        values = []
        for _ in range(rows):
            row = [str(draw.randint(-2, 5)), str(draw.choice([0, 1, 2, 3, 7, 5000000000])),
                   "'" + draw.choice(["", "x", "y", "a long text of many bytes"]) + "'",
                   f"DATE '2024-01-{draw.randint(1, 9):02}'"]
            values.append("(" + ", ".join("NULL" if draw.random() < 0.15 else v for v in row) + ")")
        if values:
            yield f"INSERT INTO {table} VALUES {', '.join(values)}"


class Generator:
    def __init__(self, seed):
        self.draw = random.Random(seed)

    def pick(self, options):
        return self.draw.choice(options)

    def chance(self, probability):
        return self.draw.random() < probability

    def equality(self, left, right):
        column = self.pick(COLUMNS)
        if self.chance(0.15):
            return f"{left}.k = {right}.l"
        if self.chance(0.1):
            return f"{left}.k + 1 = {right}.k"
        if self.chance(0.1):
            return f"{left}.{column} IS NOT DISTINCT FROM {right}.{column}"
        return f"{left}.{column} = {right}.{column}"

    def inequality(self, left, right):
        column = self.pick(COLUMNS)
        return f"{left}.{column} {self.pick(['<', '<=', '>', '>=', '<>'])} {right}.{column}"

    def single(self, table):
        return self.pick([f"{table}.k > 0", f"{table}.k = 2", f"{table}.s LIKE 'a%'", f"{table}.l IS NULL",
                          f"{table}.k IN (1, 2, 3)", f"{table}.t < DATE '2024-01-05'", f"{table}.k BETWEEN 0 AND 3"])

    def condition(self, lefts, right):
        left = self.pick(lefts)
        form = self.draw.random()
        if form < 0.4:
            terms = [self.equality(left, right)]
        elif form < 0.55:
            terms = [self.inequality(left, right)]
        elif form < 0.65:
            terms = [f"{left}.k <= {right}.k", f"{right}.l {self.pick(['<', '<=', '>', '>='])} {left}.l"]
        elif form < 0.7:
            terms = [f"{left}.t BETWEEN {right}.t AND {right}.t + 3"]
        elif form < 0.75:
            terms = [self.pick(["true", "false", "1 = 0", "NULL"])]
        elif form < 0.85:
            terms = [f"({self.equality(left, right)} OR {self.inequality(left, right)})"]
        else:
            terms = [self.equality(left, right), self.equality(self.pick(lefts), right)]
        if self.chance(0.3):
            terms.append(self.pick([self.single(left), self.single(right), self.inequality(left, right)]))
        return " AND ".join(terms)

    def tables(self):
        """FROM's text and the aliases that it shows."""
        count = self.pick([2, 2, 3, 3, 4])
        names = [f"{self.pick(list(TABLES))} AS j{number}" for number in range(count)]
        shown = ["j0"]
        text = names[0]
        for number in range(1, count):
            alias = f"j{number}"
            if self.chance(0.12):
                text += f", {names[number]}" if "JOIN" not in text else f" CROSS JOIN {names[number]}"
                shown.append(alias)
                continue
            kind = self.pick(KINDS)
            text += f" {kind} {names[number]} ON {self.condition(shown, alias)}"
            if kind not in ("SEMI JOIN", "ANTI JOIN"):
                shown.append(alias)
        return text, shown

    def query(self):
        form = self.draw.random()
        if form < 0.1:
            return self.asof()
        if form < 0.2:
            return self.using()
        if form < 0.3:
            return self.nested()
        if form < 0.4:
            return self.commas()
        text, shown = self.tables()
        return f"SELECT {self.items(shown)} FROM {text}{self.where(shown)}"

    def items(self, shown):
        if self.chance(0.25):
            return "count(*), sum(" + self.pick(shown) + ".k)"
        return ", ".join(f"{alias}.{self.pick(COLUMNS)}" for alias in shown)

    def where(self, shown):
        terms = []
        while self.chance(0.35):
            terms.append(self.pick([self.single(self.pick(shown)),
                                    self.inequality(self.pick(shown), self.pick(shown))]))
        return " WHERE " + " AND ".join(terms) if terms else ""

    def commas(self):
        """A list of tables, joined by WHERE alone: what the join order has to find."""
        count = self.draw.randint(3, 5)
        shown = [f"j{number}" for number in range(count)]
        tables = ", ".join(f"{self.pick(list(TABLES))} AS {alias}" for alias in shown)
        terms = []
        for number in range(1, count):
            other = self.pick(shown[:number])
            if self.chance(0.95):
                terms.append(f"{other}.{self.pick('kls')} = {shown[number]}." + terms_column(terms, self))
        terms = [term for term in terms if comparable(term)]
        if self.chance(0.5):
            terms.append(self.single(self.pick(shown)))
        if self.chance(0.3):
            alias = self.pick(shown)
            terms.append(f"{alias}.k {self.pick(['IN', 'NOT IN'])} (SELECT k FROM {self.pick(list('abc'))} WHERE k IS NOT NULL)")
        if self.chance(0.2):
            x, y, z = (self.pick(shown) for _ in range(3))
            terms.append(f"{x}.k + {y}.k = {z}.k")
        where = " WHERE " + " AND ".join(terms) if terms else ""
        return f"SELECT count(*), {', '.join(f'sum({alias}.k)' for alias in shown)} FROM {tables}{where}"

    def using(self):
        names = self.pick(["k", "k, l", "s", "l, s, t"])
        left, right, third = (self.pick(list("abcdef")) for _ in range(3))
        kind = self.pick(KINDS)
        join = (f"{left} AS j0 {kind} {right} AS j1 USING ({names})" if self.chance(0.7)
                else f"{left} AS j0 NATURAL {kind} {right} AS j1")
        if self.chance(0.5):
            join += f" {self.pick(KINDS)} {third} AS j2 USING (k)"
        return f"SELECT {self.pick(['*', 'k', 'k, j0.s'])} FROM {join}" if "NATURAL" not in join else f"SELECT * FROM {join}"

    def asof(self):
        operator = self.pick([">=", ">", "<=", "<"])
        column = self.pick(["t", "l", "k"])
        # Rows that tie on the right leave the choice open: each time comes once there.
        right = f"(SELECT s, {column}, max(k + l) AS w FROM {self.pick(list('abcdef'))} GROUP BY ALL)" \
            if column == "t" else f"(SELECT s, {column}, min(t) AS w FROM {self.pick(list('abcdef'))} GROUP BY ALL)"
        kind = self.pick(["ASOF JOIN", "ASOF LEFT JOIN", "ASOF RIGHT JOIN", "ASOF FULL JOIN"])
        key = "p.s = q.s AND " if self.chance(0.8) else ""
        if not key:
            right = f"(SELECT DISTINCT {column}, 1 AS w FROM {self.pick(list('abcdef'))})"
        extra = " AND p.k > 0" if self.chance(0.15) and kind == "ASOF LEFT JOIN" else ""
        return (f"SELECT p.k, p.{column}, q.{column}, q.w FROM {self.pick(list('abcdef'))} AS p {kind} {right} AS q "
                f"ON {key}p.{column} {operator} q.{column}{extra}")

    def nested(self):
        """Joins of joins, in parentheses and derived tables."""
        inner, shown = self.tables()
        kept = self.pick(shown)
        derived = f"(SELECT {kept}.k AS k, {kept}.l AS l, {kept}.s AS s, {kept}.t AS t FROM {inner}) AS n0"
        other = f"{self.pick(list(TABLES))} AS n1"
        kind = self.pick(KINDS)
        text = f"{derived} {kind} {other} ON {self.condition(['n0'], 'n1')}"
        shown = ["n0"] if kind in ("SEMI JOIN", "ANTI JOIN") else ["n0", "n1"]
        return f"SELECT {self.items(shown)} FROM {text}{self.where(shown)}"


def terms_column(terms, generator):
    return generator.pick("kls")


def comparable(term):
    """Text with numbers would be an error of conversion on some rows only."""
    left, right = (side.strip()[-1] for side in term.split(" = "))
    return (left == "s") == (right == "s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apus", required=True, help="the program")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    setup = list(setup_statements(random.Random(options.seed)))
    duck = engines.DuckDB(setup)
    apus = engines.Apus(options.apus, setup)
    settings = engines.configurations()
    differing = failing = 0
    for number in range(options.queries):
        generator = Generator(f"{options.seed}/{number}")
        sql = generator.query()
        setting = generator.pick(settings)
        # DuckDB 2.0 never ends an ASOF RIGHT or FULL join with few rows on the left.
        timer = threading.Timer(5, duck.connection.interrupt)
        timer.start()
        theirs = duck.run(sql)
        timer.cancel()
        failing += theirs.error is not None
        if theirs.error and theirs.error.startswith("INTERRUPT"):
            continue
        ours = apus.run(sql, setting)
        if theirs.error or ours.error:
            # Both may refuse; a crash is never right.
            agree = theirs.error and ours.error and not ours.error.startswith(("CRASH", "HANG"))
            found = None if agree else f"DuckDB: {theirs.error or 'rows'}; apus: {ours.error or 'rows'}"
        else:
            theirs.types = ours.types  # what is compared here is rows
            found = comparing.differ_from_duckdb(theirs, ours, ordered=False)
        if found:
            differing += 1
            print(f"-- query {number}, {setting}\n{sql};\n   {found}\n", flush=True)
    print(f"{options.queries} queries, seed {options.seed}: {differing} differ, {failing} fail in DuckDB")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
