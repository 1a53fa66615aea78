#!/usr/bin/env python3
"""Random queries, answered by Apus and by DuckDB (from PyPI), side by side.

    python random_queries.py --apus .build/release/apus --queries 2000 --seed 1

The tables are small and full of NULLs, negative numbers, repeated keys and empty text. Each query
is made from the seed alone, runs in DuckDB once and in Apus under one of the settings of
`configurations`: threads, batch sizes, optimizer rules off. Results are compared as sorted
multisets, or in order where ORDER BY names every column; doubles with a tolerance. An error on
both sides counts as equal. Every difference is printed with the settings that show it; the exit
status is 1 if there was one.

The generator is typed: `Generator.expression(kind)` gives an expression of that kind, so nearly
every query binds. What DuckDB leaves open (ties under LIMIT, which row any_value takes) and what
can overflow is not generated.
"""

import argparse
import datetime
import json
import math
import random
import subprocess
import sys
from decimal import Decimal

import duckdb

KINDS = {"i": "integer", "l": "bigint", "s": "varchar", "d": "date", "x": "double",
         "m": "decimal(9,2)", "b": "boolean"}
COLUMNS = {"t1": "ilsdxmb", "t2": "ilsdxmb", "t3": "isd", "t4": "ilsxb"}
ROWS = {"t1": 14, "t2": 9, "t3": 5, "t4": 0}
WORDS = ["", "a", "ab", "B", "abc", "zürich", "x_y", "100%", "a longer text of many bytes", " pad "]
DATES = ["2024-01-31", "2024-02-29", "1999-12-31", "1969-07-20", "2024-03-01", "2000-01-01"]
RULES = ["constant_folding", "filter_pushdown", "join_order", "top_n", "column_pruning", "join_strategy",
         "exchange_placement"]


def configurations():
    """Settings to run under, as lists of SET statements."""
    result = [[f"SET threads = {threads}", f"SET batch_size = {batch}",
               "SET disabled_optimizers = ''"]
              for threads in (1, 2) for batch in (1, 3, 2048)]
    result += [["SET threads = 2", "SET batch_size = 2048", f"SET disabled_optimizers = '{rule}'"]
               for rule in RULES]
    result.append(["SET threads = 2", "SET batch_size = 3",
                   f"SET disabled_optimizers = '{','.join(RULES)}'"])
    return result


def setup_statements(generator):
    """CREATE TABLE and INSERT for the tables, which depend on the seed."""
    pick = generator.random
    literals = {
        "i": lambda: str(pick.randint(-5, 9)), "l": lambda: str(pick.choice([-1, 0, 1, 2, 7, 5000000000])),
        "s": lambda: quoted(pick.choice(WORDS)), "d": lambda: f"DATE '{pick.choice(DATES)}'",
        "x": lambda: f"{pick.randint(-20, 20) / 4}::double", "m": lambda: f"{pick.randint(-999, 999) / 100}",
        "b": lambda: pick.choice(["true", "false"])}
    for table, kinds in COLUMNS.items():
        columns = ", ".join(f"{kind} {KINDS[kind]}" for kind in kinds)
        yield f"CREATE TABLE {table} ({columns})"
        rows = ["(" + ", ".join("NULL" if pick.random() < 0.2 else literals[kind]() for kind in kinds) + ")"
                for _ in range(ROWS[table])]
        if rows:
            yield f"INSERT INTO {table} VALUES {', '.join(rows)}"


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


class Generator:
    """Makes queries. `columns` is what an expression may name: (SQL text, kind)."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = 0

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, *choices):
        return self.random.choice(choices)

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    # Expressions

    def expression(self, kind, columns, depth=2):
        fitting = [text for text, its in columns if its == kind]
        if depth <= 0 or self.chance(0.35):
            if fitting and self.chance(0.8):
                return self.random.choice(fitting)
            return self.literal(kind)
        if self.chance(0.12):
            return self.conditional(kind, columns, depth)
        return getattr(self, "make_" + kind)(lambda k: self.expression(k, columns, depth - 1), columns, depth)

    def literal(self, kind):
        if self.chance(0.06):
            return f"CAST(NULL AS {KINDS[kind]})"
        return {"i": lambda: str(self.random.randint(-4, 8)),
                "l": lambda: f"CAST({self.random.randint(-3, 9)} AS bigint)",
                "s": lambda: quoted(self.random.choice(WORDS)),
                "d": lambda: f"DATE '{self.random.choice(DATES)}'",
                "x": lambda: f"CAST({self.random.randint(-8, 8) / 4} AS double)",
                "m": lambda: f"CAST({self.random.randint(-500, 500) / 100} AS decimal(9,2))",
                "b": lambda: self.pick("true", "false")}[kind]()

    def conditional(self, kind, columns, depth):
        value = lambda: self.expression(kind, columns, depth - 1)
        condition = lambda: self.expression("b", columns, depth - 1)
        return self.pick(
            lambda: f"CASE WHEN {condition()} THEN {value()} ELSE {value()} END",
            lambda: f"CASE WHEN {condition()} THEN {value()} WHEN {condition()} THEN {value()} END",
            lambda: f"CASE {self.expression('i', columns, 0)} WHEN 1 THEN {value()} WHEN 2 THEN {value()} END",
            lambda: f"coalesce({value()}, {value()})",
            lambda: f"nullif({value()}, {value()})",
            lambda: f"if({condition()}, {value()}, {value()})",
            *([] if kind == "b" else [lambda: f"{self.pick('greatest', 'least')}({value()}, {value()})"]))()

    def make_i(self, of, columns, depth):
        return self.pick(
            lambda: f"({of('i')} {self.pick('+', '-')} {of('i')})",
            lambda: f"(({of('i')}) % {self.pick('3', '5', '-2', '0')} * {self.random.randint(-3, 3)})",
            lambda: f"(({of('i')}) // {self.pick('2', '3', '-2', '0')})",
            lambda: f"abs({of('i')})", lambda: f"(- ({of('i')}))", lambda: f"sign({of('i')})::integer",
            lambda: f"length({of('s')})::integer", lambda: f"CAST({of('b')} AS integer)",
            lambda: f"TRY_CAST({of('s')} AS integer)", lambda: f"CAST({of('x')} AS integer)",
            lambda: f"CAST({of('m')} AS integer)", lambda: f"strpos({of('s')}, {of('s')})::integer",
            lambda: f"date_diff({self.pick(quoted('day'), quoted('month'), quoted('year'))}, {of('d')}, {of('d')})::integer",
            lambda: f"{self.pick('year', 'month', 'day', 'dayofweek', 'quarter', 'dayofyear', 'week')}({of('d')})::integer",
            lambda: f"extract({self.pick('year', 'month', 'doy', 'isodow')} FROM {of('d')})::integer",
            lambda: f"CAST(round({of('x')}) AS integer)")()

    def make_l(self, of, columns, depth):
        return self.pick(
            lambda: f"({of('l')} {self.pick('+', '-')} {of('i')})", lambda: f"CAST({of('i')} AS bigint)",
            lambda: f"length({of('s')})", lambda: f"date_part('year', {of('d')})::bigint",
            lambda: f"abs({of('l')})", lambda: f"(({of('l')}) % 7)",
            lambda: f"datediff('day', {of('d')}, {of('d')})")()

    def make_s(self, of, columns, depth):
        small = lambda: str(self.random.randint(-3, 4))
        return self.pick(
            lambda: f"{self.pick('upper', 'lower', 'trim', 'ltrim', 'rtrim', 'reverse')}({of('s')})",
            lambda: f"({of('s')} || {of('s')})", lambda: f"concat({of('s')}, {of('i')})",
            lambda: f"concat_ws('-', {of('s')}, {of('s')}, {of('i')})",
            lambda: f"substr({of('s')}, {small()}, {self.random.randint(0, 4)})",
            lambda: f"substring({of('s')}, {small()})",
            lambda: f"replace({of('s')}, {quoted(self.pick('a', 'b', 'ab', ''))}, {of('s')})",
            lambda: f"{self.pick('left', 'right')}({of('s')}, {small()})",
            lambda: f"CAST({self.expression(self.pick(*'ilmdb'), columns, depth - 1)} AS varchar)",
            lambda: f"{self.pick('lpad', 'rpad')}({of('s')}, {self.random.randint(0, 6)}, '*')",
            lambda: f"repeat({of('s')}, {self.random.randint(-1, 2)})",
            lambda: f"regexp_replace({of('s')}, '[ab]+', '#')",
            lambda: f"split_part({of('s')}, 'b', {self.pick(1, 2, -1)})",
            lambda: f"strftime({of('d')}, '%Y/%m/%d %a %j')")()

    def make_d(self, of, columns, depth):
        return self.pick(
            lambda: f"({of('d')} + {self.random.randint(-40, 40)})",
            lambda: f"CAST({of('d')} + INTERVAL ({self.random.randint(-3, 3)}) {self.pick('DAY', 'MONTH', 'YEAR')} AS date)",
            lambda: f"CAST(date_trunc({self.pick(quoted('month'), quoted('year'), quoted('week'), quoted('quarter'))}, {of('d')}) AS date)",
            lambda: f"last_day({of('d')})", lambda: f"TRY_CAST({of('s')} AS date)",
            lambda: f"make_date({self.random.randint(1990, 2030)}, {self.random.randint(1, 12)}, {self.random.randint(1, 28)})")()

    def make_x(self, of, columns, depth):
        return self.pick(
            lambda: f"({of('x')} {self.pick('+', '-', '*')} {of('x')})",
            lambda: f"({of('i')} / {self.pick('2', '4', '0')})",
            lambda: f"({of('x')} / {self.pick('2', '-4')})",
            lambda: f"{self.pick('abs', 'floor', 'ceil', 'trunc')}({of('x')})",
            lambda: f"round({of('x')}, {self.random.randint(-1, 1)})",
            lambda: f"CAST({self.expression(self.pick(*'ilm'), columns, depth - 1)} AS double)",
            lambda: f"sqrt(abs({of('x')}))", lambda: f"({of('i')} + {of('x')})")()

    def make_m(self, of, columns, depth):
        return "CAST(" + self.pick(
            lambda: f"({of('m')} {self.pick('+', '-')} {of('m')})",
            lambda: f"round({of('m')} * 0.5, {self.random.randint(0, 2)})",
            lambda: f"({of('i')} + {of('m')})", lambda: f"abs({of('m')})",
            lambda: f"{of('i')}", lambda: f"{self.pick('floor', 'ceil')}({of('m')})",
            lambda: f"(- {of('m')})")() + " AS decimal(9,2))"

    def make_b(self, of, columns, depth):
        kind = self.pick(*"iilssdxmb")
        value = lambda: of(kind)
        compare = lambda: self.pick("=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
        negated = self.pick("", "", "NOT ")
        pattern = quoted(self.pick("a%", "%b%", "_b%", "%", "", "a_c", "x\\_y", "%00\\%", "Z%", "%ü%"))
        literals = lambda: ", ".join(self.literal(kind) for _ in range(self.random.randint(1, 4)))
        return self.pick(
            lambda: f"({value()} {compare()} {value()})", lambda: f"({value()} {compare()} {value()})",
            lambda: f"({of('i')} {compare()} {self.expression(self.pick(*'lxm'), columns, depth - 1)})",
            lambda: f"({of('b')} AND {of('b')})", lambda: f"({of('b')} OR {of('b')})",
            lambda: f"({of('b')} OR {of('b')} AND {of('b')})", lambda: f"(NOT {of('b')})",
            lambda: f"({value()} {negated}IN ({literals()}))",
            lambda: f"({value()} {negated}IN ({value()}, {value()}))",
            lambda: f"({value()} {negated}BETWEEN {value()} AND {value()})",
            lambda: f"({of('s')} {negated}{self.pick('LIKE', 'ILIKE')} {pattern})",
            lambda: f"({value()} IS {self.pick('NULL', 'NOT NULL')})",
            lambda: f"({of('b')} IS {negated}{self.pick('TRUE', 'FALSE')})",
            lambda: f"{self.pick('starts_with', 'contains', 'ends_with')}({of('s')}, {of('s')})",
            lambda: f"regexp_matches({of('s')}, '^[a-c]')")()

    def subquery(self, columns):
        """A condition on an uncorrelated subquery."""
        kind = self.pick(*"iiisdx")
        negated = self.pick("", "NOT ")
        return self.pick(
            lambda: f"({self.expression(kind, columns, 1)} {negated}IN ({self.single(kind)}))",
            lambda: f"({self.expression(kind, columns, 1)} {negated}IN ({self.single(kind)}))",
            lambda: f"{negated}EXISTS ({self.select(1)[0]})",
            lambda: f"({self.expression('i', columns, 1)} {self.pick('=', '<', '>=')} ({self.scalar('i')}))")()

    def single(self, kind):
        """A query of one column of that kind."""
        source, columns = self.source(0)
        where = f" WHERE {self.expression('b', columns)}" if self.chance(0.5) else ""
        distinct = self.pick("", "", "DISTINCT ")
        return f"SELECT {distinct}{self.expression(kind, columns, 1)} FROM {source}{where}"

    def scalar(self, kind):
        source, columns = self.source(0)
        return f"SELECT {self.pick('min', 'max')}({self.expression(kind, columns, 1)}) FROM {source}"

    # FROM

    def source(self, joins):
        """A FROM clause and the columns it gives."""
        text, columns = self.relation()
        alone = columns
        for _ in range(joins):
            right, theirs = self.relation()
            kind = self.pick("JOIN", "INNER JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN",
                             "SEMI JOIN", "ANTI JOIN", ",")
            if kind == ",":
                # The comma binds weaker than what follows it: only where nothing does.
                kind = "CROSS JOIN"
            if kind == "CROSS JOIN":
                # Beside another table the bare name of a merged column may be ambiguous.
                text = f"{text} {kind} {right}"
                columns = [(c, k) for c, k in columns if "." in c] + theirs
                alone = []
                continue
            mine = {column.split(".")[-1]: k for column, k in alone}
            shared = [c for c, k in ((c.split(".")[-1], k) for c, k in theirs) if mine.get(c) == k]
            if shared and self.chance(0.35):
                used = self.random.sample(shared, self.random.randint(1, min(2, len(shared))))
                text = f"{text} {kind} {right} USING ({', '.join(used)})"
                if kind not in ("SEMI JOIN", "ANTI JOIN"):
                    columns = columns + theirs
                    # The merged column goes by its bare name.
                    columns = [(c, k) for c, k in columns if c.split(".")[-1] not in used] + [
                        (c, mine[c]) for c in used]
                    alone = []
                continue
            columns = [(c, k) for c, k in columns if "." in c]
            text = f"{text} {kind} {right} ON {self.join_condition(columns, theirs)}"
            if kind not in ("SEMI JOIN", "ANTI JOIN"):
                columns = columns + theirs
                alone = []
        return text, columns

    def join_condition(self, left, right):
        terms = []
        for _ in range(self.pick(1, 1, 2)):
            k = self.pick(*"iisdl")
            ours = self.expression(k, left, self.pick(0, 0, 1))
            hers = self.expression(k, right, self.pick(0, 0, 1))
            terms.append(f"{ours} {self.pick('=', '=', '=', '<', '>=', '<>', 'IS NOT DISTINCT FROM')} {hers}")
        if self.chance(0.3):
            terms.append(self.expression("b", left + right, 1))
        return f" {self.pick('AND', 'AND', 'AND', 'OR')} ".join(terms)

    def relation(self):
        alias = self.name("r")
        if self.chance(0.2):
            query, kinds = self.select(self.pick(0, 1), names=True)
            return f"({query}) AS {alias}", [(f"{alias}.c{n}", k) for n, k in enumerate(kinds)]
        table = self.pick("t1", "t1", "t2", "t2", "t3", "t4")
        return f"{table} AS {alias}", [(f"{alias}.{k}", k) for k in COLUMNS[table]]

    # Queries

    def aggregate(self, columns):
        """An aggregate call and its kind; "?" where it is nothing to compute with."""
        kind = self.pick(*"iilxm")
        any_kind = self.pick(*"ilsdxmb")
        distinct = self.pick("", "", "DISTINCT ")
        value = lambda k: self.expression(k, columns, 1)
        text, result = self.pick(
            lambda: ("count(*)", "l"), lambda: (f"count({distinct}{value(any_kind)})", "l"),
            lambda: (f"sum({distinct}{value(kind)})", "?"), lambda: (f"avg({distinct}{value(kind)})", "?"),
            lambda: (f"min({value(any_kind)})", any_kind), lambda: (f"max({value(any_kind)})", any_kind),
            lambda: (f"median({value('i')})", "?"), lambda: (f"stddev({value('x')})", "?"),
            lambda: (f"var_pop({value('i')})", "?"), lambda: (f"bool_and({value('b')})", "b"),
            lambda: (f"bool_or({value('b')})", "b"),
            lambda: (f"string_agg({value('s')}, ',' ORDER BY {columns_text(columns)})", "s"),
            lambda: (f"list({distinct}{value('i')} ORDER BY {columns_text(columns)})" if not distinct else f"count(DISTINCT {value('i')})", "?"),
        )()
        if self.chance(0.2):
            text += f" FILTER (WHERE {self.expression('b', columns, 1)})"
        return text, result

    def select(self, joins, names=False):
        """A SELECT block and the kinds of its columns, named c0, c1 … if asked."""
        source, columns = self.source(joins)
        where = []
        if self.chance(0.5):
            where.append(self.expression("b", columns, 3))
        if self.chance(0.25):
            where.append(self.subquery(columns))
        clause = f" WHERE {self.pick(' AND ', ' AND ', ' OR ').join(where)}" if where else ""
        if self.chance(0.35):
            items, kinds, group = self.grouped(columns, names)
            return f"SELECT {items} FROM {source}{clause}{group}", kinds
        kinds = [self.pick(*"iilssdxmb") for _ in range(self.random.randint(1, 4))]
        distinct = self.pick("", "", "", "DISTINCT ")
        items = [self.expression(kind, columns) for kind in kinds]
        if not names and not distinct and self.chance(0.1):
            items[0] = f"({self.scalar('i')})"
            kinds[0] = "i"
        text = ", ".join(f"{item} AS c{n}" if names else item for n, item in enumerate(items))
        return f"SELECT {distinct}{text} FROM {source}{clause}", kinds

    def grouped(self, columns, names):
        keys = [(self.expression(k, columns, self.pick(0, 1)), k)
                for k in (self.pick(*"iisdbl") for _ in range(self.random.randint(0, 2)))]
        # A constant key is an ordinal or nothing.
        keys = [(text, k) for text, k in keys if any(text.find(c) >= 0 for c, _ in columns)]
        calls = [self.aggregate(columns) for _ in range(self.random.randint(1, 3))]
        if names:
            calls = [call for call in calls if call[1] != "?"] or [("count(*)", "l")]
        outputs = keys + calls
        items = ", ".join(f"{text} AS c{n}" if names else text for n, (text, _) in enumerate(outputs))
        group = ""
        if keys:
            group = " GROUP BY " + self.pick(
                "ALL", ", ".join(str(n + 1) for n in range(len(keys))), ", ".join(text for text, _ in keys))
        if keys and self.chance(0.3):
            group += " HAVING " + self.pick(
                "count(*) > 1", f"max({self.expression('i', columns, 0)}) >= 2",
                # DuckDB's GROUP BY ALL also groups by the columns that HAVING names.
                *([] if group.endswith("ALL") else [f"{keys[0][0]} IS NOT NULL"]), f"count(DISTINCT {self.expression('s', columns, 0)}) < 3")
        return items, [kind for _, kind in outputs], group

    def query(self):
        """A whole query, and whether its order is fixed."""
        joins = self.pick(0, 0, 1, 1, 1, 2, 3)
        text, kinds = self.select(joins, names=True)
        if self.chance(0.15):
            operator = self.pick("UNION", "UNION ALL")
            source, columns = self.source(0)
            right = ", ".join(self.expression(kind, columns, 1) for kind in kinds)
            text = f"{text} {operator} SELECT {right} FROM {source}"
        if self.chance(0.15):
            name = self.name("w")
            columns = [(f"{name}.c{n}", kind) for n, kind in enumerate(kinds)]
            outer = [self.pick(*"isx"), self.pick(*"isx")]
            items = ", ".join(self.expression(kind, columns, 1) for kind in outer)
            text = (f"WITH {name} AS ({text}) SELECT {items}, {name}.* FROM {name}"
                    f" WHERE {self.expression('b', columns, 2)}")
            kinds = outer + kinds
        if not self.chance(0.5):
            return text, False
        direction = lambda: self.pick("", " ASC", " DESC") + self.pick("", " NULLS FIRST", " NULLS LAST")
        positions = list(range(1, len(kinds) + 1))
        self.random.shuffle(positions)
        text += " ORDER BY " + ", ".join(f"{position}{direction()}" for position in positions)
        if self.chance(0.6):
            text += f" LIMIT {self.random.randint(0, 12)}"
            if self.chance(0.4):
                text += f" OFFSET {self.random.randint(0, 6)}"
        return text, True


def columns_text(columns):
    return ", ".join(column for column, _ in columns)


# Comparing

def duck_value(value):
    """A DuckDB value as the protocol writes it; a double stays a float."""
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join("NULL" if v is None else str(duck_value(v)) for v in value) + "]"
    if isinstance(value, (datetime.datetime, datetime.date, Decimal)):
        return str(value)
    return str(value)


def sort_key(row):
    return [(v is not None, f"{v + 0.0:.6g}" if isinstance(v, float) else str(v)) for v in row]


def equal(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return a == b


class Apus:
    """The program behind its JSON-lines protocol."""

    def __init__(self, path, setup):
        self.path, self.setup = path, setup
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.path, "--protocol", "jsonl"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for statement in self.setup:
            answer = self.ask(statement)
            if "error" in answer:
                sys.exit(f"{statement}: {answer['error']}")

    def ask(self, sql):
        """The answer; {"crash": …} if the program ended, which is then started again."""
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"crash": f"exit status {self.process.wait()}"}

    def run(self, settings, sql):
        for setting in settings:
            self.ask(setting)
        answer = self.ask(sql)
        if "crash" in answer:
            self.start()
        return answer


def difference(duck, apus, ordered):
    """What differs between the two answers, or None."""
    if "crash" in apus:
        return f"apus crashed: {apus['crash']}"
    if isinstance(duck, str) or "error" in apus:
        if isinstance(duck, str) and "error" in apus:
            return None
        return f"only DuckDB fails: {duck}" if isinstance(duck, str) else f"only apus fails: {apus['error']}"
    types, rows = duck
    if types != apus["types"]:
        return f"types: DuckDB {types}, apus {apus['types']}"
    floating = [t in ("DOUBLE", "FLOAT") for t in apus["types"]]
    theirs = [[duck_value(v) for v in row] for row in rows]
    ours = [[float(v) if f and v is not None else v for v, f in zip(row, floating)] for row in apus["rows"]]
    if not ordered:
        theirs.sort(key=sort_key)
        ours.sort(key=sort_key)
    if len(ours) != len(theirs):
        return f"{len(theirs)} rows in DuckDB, {len(ours)} in apus"
    for number, (a, b) in enumerate(zip(theirs, ours)):
        if not all(map(equal, a, b)):
            return f"row {number}: DuckDB {a}, apus {b}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apus", required=True, help="the program")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    generator = Generator(options.seed)
    setup = list(setup_statements(generator))
    connection = duckdb.connect()
    # By zero Apus gives NULL.
    connection.execute("SET error_on_division_by_zero = false")
    connection.execute("SET ieee_floating_point_ops = false")
    for statement in setup:
        connection.execute(statement)
    apus = Apus(options.apus, setup)
    settings = configurations()
    found = 0
    for number in range(options.queries):
        generator = Generator(options.seed * 1_000_003 + number)
        sql, ordered = generator.query()
        try:
            relation = connection.sql(sql)
            duck = [str(t) for t in relation.types], relation.fetchall()
        except Exception as error:  # any failure of DuckDB is an answer to compare
            duck = str(error).split("\n")[0]
        chosen = settings[number % len(settings)]
        what = difference(duck, apus.run(chosen, sql), ordered)
        if what:
            found += 1
            print(f"-- query {number}: {what}\n-- {'; '.join(chosen)}\n{sql};\n", flush=True)
    print(f"{options.queries} queries, seed {options.seed}: {found} differences")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
