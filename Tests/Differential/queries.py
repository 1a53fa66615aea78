"""Queries: SELECT with its clauses, set operations, common tables, PIVOT; typed by their columns."""

import random

from expressions import Scope
from sources import FEWEST_PAIRS, MOST_PAIRS, Sources
from tables import KINDS
from tree import Node, expression as E, fixed, items, optional, query, text

# What can be switched off with --without.
FEATURES = {
    "scalar subquery", "predicate subquery", "correlated", "row in", "subquery in on", "derived table", "lateral",
    "set operation", "set operation all", "cte", "recursive", "window", "frame", "qualify", "grouping sets",
    "distinct on", "unnest", "range", "pivot", "filter", "limit", "having", "group by"}


class Generator(Sources):
    """Makes the query of one seed. `used` holds the features it has afterwards."""

    def __init__(self, seed, enabled=frozenset(FEATURES), common=None):
        self.random = random.Random(seed)
        self.enabled, self.names, self.used, self.tables, self.widest = enabled, 0, set(), [], 0
        self.most_pairs, self.order = MOST_PAIRS, ""
        self.common = self.chance(0.4) if common is None else common

    def top(self):
        """A whole query, and whether its order is fixed."""
        if not self.common and "pivot" in self.enabled and self.chance(0.01):
            self.used.add("pivot")
            return self.pivot(), False
        kinds = [self.kind("iiilssdxxmbktgh") for _ in range(self.random.randint(1, 4))]
        body = self.query(kinds, [], 3 if self.chance(0.08) else self.pick(0, 1, 1, 2), names=True, ordered=None)
        if not self.chance(0.5):
            return body, False
        positions = list(range(1, len(kinds) + 1))
        self.random.shuffle(positions)
        order = fixed(" ORDER BY " + ", ".join(f"{position}{self.direction()}" for position in positions))
        self.order = str(order)
        return query("{}{}{}", body, order, self.limit() if self.chance(0.5) else ""), True

    def direction(self):
        return self.pick("", " ASC", " DESC") + self.pick(" NULLS FIRST", " NULLS LAST")

    def limit(self):
        self.used.add("limit")
        offset = f" OFFSET {self.number(0, 6)}" if self.chance(0.4) else ""
        return optional(f" LIMIT {self.number(0, 12)}{offset}")

    # Query expressions

    def query(self, kinds, outer, depth, names=False, ordered=True):
        """A query of columns of those kinds, named c0, c1 … if asked."""
        known, pairs = len(self.tables), self.most_pairs
        options = [(10, lambda: self.select(kinds, outer, depth, names))]
        if depth > 0:
            options += [
                (1.2, lambda: self.set_operation(kinds, outer, depth, names), "set operation"),
                (1.2, lambda: self.with_tables(kinds, outer, depth, names), "cte"),
                (0.4, lambda: self.recursive(kinds, outer, depth, names), "recursive")]
        if ordered:
            options.append((1.5, lambda: self.first_rows(kinds, outer, depth, names), "limit"))
        made = self.choose(*options)
        del self.tables[known:]
        self.most_pairs = pairs
        return made

    def set_operation(self, kinds, outer, depth, names):
        operators = ["UNION", "UNION ALL", "INTERSECT", "EXCEPT"]
        if not self.common and "set operation all" in self.enabled:
            operators += ["INTERSECT ALL", "EXCEPT ALL"]
        # SQLite has no precedence and no parentheses here: one operator there.
        count = 1 if self.common else self.pick(1, 1, 2)
        # Plain arms meet more often than rich ones.
        arm = lambda first: self.select(kinds, outer, depth - 1 if self.chance(0.5) else 0, names and first)
        parts = [arm(True)]
        for _ in range(count):
            operator = self.pick(*operators)
            if not self.common and self.chance(0.15):
                parts.append(text(f" {operator} ({{}})", self.set_operation(kinds, outer, 0, False)))
            else:
                parts.append(text(f" {operator} {{}}", arm(False)))
        return query("{}", items(parts, separator=""))

    def with_tables(self, kinds, outer, depth, names):
        made = []
        for _ in range(self.pick(1, 1, 2)):
            its = [self.kind("iiilsdxmb") for _ in range(self.random.randint(1, 3))]
            # SQLite and DuckDB both let a common table read outer columns; most do not.
            self.widest = 0
            body = self.query(its, outer if self.chance(0.2) else [], depth - 1, names=True)
            rows = max(100, self.widest)
            name = self.name("w")
            how = self.pick("", "", "MATERIALIZED ", "NOT MATERIALIZED ")
            made.append(text(f"{name} AS {how}({{}})", body))
            self.tables.append((name, its, rows))
        return query("WITH {} {}", items(made), self.select(kinds, outer, depth, names, joins=self.pick(0, 1, 1, 2)))

    def recursive(self, kinds, outer, depth, names):
        name, end = self.name("w"), self.random.randint(2, 9)
        step = self.pick("1", "2")
        union = self.pick("UNION ALL", "UNION")
        seed = self.value("i", Scope([]), 1)
        body = self.choose(
            (2, lambda: text(f"SELECT {{}} AS c0, 1 AS c1 {union} SELECT c0 + {step}, c1 + 1 FROM {name} WHERE c1 < {end}", seed)),
            (1, lambda: text(f"SELECT id AS c0, 1 AS c1 FROM t3 {union} SELECT t2.i1, {name}.c1 + 1 FROM {name} JOIN t2 "
                             f"ON t2.id = {name}.c0 WHERE {name}.c1 < {min(end, 5)}")),
            (1, lambda: text(f"SELECT id AS c0, 0 AS c1 FROM t3 WHERE {{}} UNION SELECT (c0 * 2 + 1) % 11, 0 FROM {name}",
                             self.value("b", Scope([("i1", "i"), ("s1", "s")]), 1))))
        self.tables.append((name, "ii", 100))
        return query(f"WITH RECURSIVE {name}(c0, c1) AS ({{}}) {{}}", body,
                     self.select(kinds, outer, depth, names, joins=self.pick(0, 1)))

    # SELECT

    def select(self, kinds, outer, depth, names=False, joins=None):
        options = [(6, lambda: self.plain(kinds, outer, depth, names, joins)),
                   (3, lambda: self.grouped(kinds, outer, depth, names, joins), "group by")]
        if depth > 0:
            options += [(1.5, lambda: self.windowed(kinds, outer, depth, names, joins), "window"),
                        (0.5, lambda: self.distinct_on(kinds, outer, depth, names), "duck", "distinct on")]
        return self.choose(*options)

    def from_where(self, outer, depth, joins=None):
        """FROM and WHERE as text, with a scope of what they show."""
        joins = self.pick(0, 0, 0, 1, 1, 1, 1, 2, 2, 3) if joins is None else joins
        source, columns, rows = self.source(outer, depth, joins)
        scope = Scope(columns, list(outer), depth)
        self.most_pairs = max(FEWEST_PAIRS, self.most_pairs // max(rows, 1))
        conditions = []
        if self.chance(0.5):
            conditions.append(self.value("b", scope.of(subqueries=0 if self.chance(0.6) else scope.subqueries), 3))
        if depth > 0 and "predicate subquery" in self.enabled and self.chance(0.25):
            conditions.append(self.predicate_subquery(scope))
        if outer and self.chance(0.6):
            condition = self.correlation(columns, outer)
            if condition is not None:
                conditions.append(condition)
        where = ""
        if conditions:
            where = optional(" WHERE {}", items(conditions, separator=self.pick(" AND ", " AND ", " AND ", " OR ")))
        return text("{}{}", source, where), scope

    def correlation(self, columns, outer):
        """A comparison of an own column with an outer one."""
        pairs = [(mine, theirs) for mine, kind in columns for theirs, its in outer if kind == its]
        if not pairs or "correlated" not in self.enabled:
            return None
        mine, theirs = self.random.choice(pairs)
        self.used.add("correlated")
        operator = self.pick("=", "=", "=", "=", "<", ">=", "<>", "IS NOT DISTINCT FROM")
        return text(f"{mine} {operator} {theirs}")

    def listed(self, values, names):
        return items((text("{} AS c" + str(n), value) if names else value for n, value in enumerate(values)), minimum=1)

    def plain(self, kinds, outer, depth, names, joins):
        source, scope = self.from_where(outer, depth, joins)
        distinct = optional("DISTINCT ") if self.chance(0.15) else ""
        values = [self.value(kind, scope, self.pick(0, 1, 2)) for kind in kinds]
        return query("SELECT {}{} FROM {}", distinct, self.listed(values, names), source)

    def total_order(self, columns):
        """ORDER BY of all columns: what ties is alike."""
        columns = [name for name, _ in columns]
        self.random.shuffle(columns)
        return fixed("{}", items([text("{}" + self.direction(), name) for name in columns], minimum=99))

    def first_rows(self, kinds, outer, depth, names):
        source, scope = self.from_where(outer, depth, self.pick(0, 0, 1))
        values = [self.value(kind, scope, self.pick(0, 1)) for kind in kinds]
        return query("SELECT {} FROM {}{}{}", self.listed(values, names), source,
                     text(" ORDER BY {}", self.total_order(scope.columns)), self.limit())

    def first_row(self, kind, outer, depth):
        pairs = self.most_pairs
        source, scope = self.from_where(outer, max(depth, 0), 0)
        self.most_pairs = pairs
        return query("SELECT {} FROM {} ORDER BY {} LIMIT 1" + self.pick("", "", " OFFSET 1"),
                     self.value(kind, scope, 1), source, self.total_order(scope.columns))

    def distinct_on(self, kinds, outer, depth, names):
        source, scope = self.from_where(outer, depth, self.pick(0, 1))
        keys = [name for name, _ in self.random.sample(scope.columns, min(len(scope.columns), self.pick(1, 1, 2)))]
        first = fixed(", ".join(name + self.direction() for name in keys))
        return query(f"SELECT * FROM (SELECT DISTINCT ON ({', '.join(keys)}) {{}} FROM {{}} ORDER BY {{}}, {{}})",
                     self.listed([self.value(kind, scope, 1) for kind in kinds], names), source, first,
                     self.total_order(scope.columns))

    # Grouping

    def aggregate(self, kind, scope, over=None):
        """An aggregate call of that kind."""
        scope = scope.of(subqueries=0, windows=False)
        # One of outer columns alone would be an aggregate of the outer query.
        if self.chance(0.9):
            scope = scope.of(outer=[])
        def v(its): return self.value(its, scope, 1)
        distinct = "" if over is not None or self.chance(0.75) else "DISTINCT "
        any_kind = self.known("ilsdxmbktgh", scope)
        options = {
            "l": [(3, lambda: text("count(*)")), (3, lambda: text(f"count({distinct}{{}})", v(any_kind)))],
            "x": [(2, lambda: text(f"avg({distinct}{{}})", v(self.kind("ilxm")))),
                  (2, lambda: text(f"sum({distinct}{{}})", v("x")))],
            "h": [(2, lambda: text(f"sum({distinct}{{}})", v(self.kind("ilk"))))],
            "b": [(1, lambda: text(self.pick("bool_and", "bool_or") + "({})", v("b")), "duck")],
            "s": [(2, lambda: text(f"string_agg({{}}, ',' ORDER BY {{}})", v("s"), self.total_order(scope.columns)), "duck")]
            if over is None else [],
            "i": [(1, lambda: text(f"sum({distinct}{{}})", v("i")))],
            "m": [], "d": [], "k": [], "g": [], "t": []}[kind]
        options = options + [(2, lambda: text(self.pick("min", "max") + "({})", v(kind)))]
        call = self.choose(*options)
        # SQLite (3.40) errs for min and max with FILTER over a sliding frame.
        filtered = over is None or not self.common
        if filtered and self.chance(0.15) and "filter" in self.enabled:
            self.used.add("filter")
            call = text("{}{}", call, optional(" FILTER (WHERE {})", v("b")))
        if over is not None:
            call = text("{} OVER ({})", call, over)
        if kind == "i" and "sum(" in str(call)[:4]:
            call = text("CAST({} AS integer)", call)
        return Node([call], kind=kind, role="expression")

    def odd_aggregate(self, scope):
        """An aggregate whose type is its own: only for the list of a query whose kinds nobody asks for."""
        def v(its): return self.value(its, scope.of(subqueries=0), 1)
        return self.choose(
            (1, lambda: text("median({})", v("i"))), (1, lambda: text("stddev({})", v("x"))),
            (1, lambda: text("var_pop({})", v("i"))), (1, lambda: text("sum({})", v("m"))),
            (1, lambda: text("sum({})", v("h"))), (1, lambda: text("avg({})", v("m"))),
            (1, lambda: text("list({} ORDER BY {})", v("i"), self.total_order(scope.columns))),
            (1, lambda: text("quantile_disc({}, 0.5)", v("i"))), (1, lambda: text("bit_xor({})", v("i"))),
            (1, lambda: text("sum(DISTINCT {})", v("m"))), (1, lambda: text("count(DISTINCT ({}, {}))", v("i"), v("s"))),
            (1, lambda: text("first({} ORDER BY {})", v("s"), self.total_order(scope.columns))))

    def aggregated(self, kind, outer, depth):
        """A query of one row."""
        pairs = self.most_pairs
        source, scope = self.from_where(outer, max(depth, 0), self.pick(0, 0, 1))
        self.most_pairs = pairs
        call = self.aggregate(kind, scope)
        value = self.value(kind, Scope([(call, kind)]), 1)
        return query("SELECT {} FROM {}", value if str(call) in str(value) else call, source)

    def grouped(self, kinds, outer, depth, names, joins):
        source, scope = self.from_where(outer, depth, joins)
        named = scope.columns
        keys = []
        for _ in range(self.pick(0, 1, 1, 1, 2, 2)):
            kind = self.kind("iisdblxmkt")
            key = self.value(kind, Scope(named), self.pick(0, 0, 0, 1))
            # A constant key is an ordinal or nothing.
            if any(name in str(key) for name, _ in named):
                keys.append((key, kind))
        calls = [(self.aggregate(kind, scope), kind) for kind in kinds]
        after = Scope(keys + calls, outer, depth - 1 if self.chance(0.3) else 0)
        values = [self.value(kind, after, self.pick(0, 0, 1)) for kind in kinds]
        group = ""
        if keys:
            group = self.group_by([key for key, _ in keys])
        having = ""
        if self.chance(0.3) and "having" in self.enabled:
            self.used.add("having")
            more = [(self.aggregate(kind, scope), kind) for kind in (self.kind("ixs"), "l")]
            condition = self.value("b", Scope(keys + calls + more, outer, after.subqueries), 2)
            having = optional(" HAVING {}", condition)
        if not names and depth > 1 and not self.common and self.chance(0.2):
            values[0] = text("{}", values[0])
        return query("SELECT {} FROM {}{}{}", self.listed(values, names), source, group, having)

    def group_by(self, keys):
        def sets(pattern):
            return lambda: text(" GROUP BY " + pattern, items(keys, minimum=1))
        subset = lambda: text("({})", items([key for key in keys if self.chance(0.5)], minimum=0))
        return self.choose(
            (8, sets("{}")), (0.5, sets("ROLLUP ({})"), "duck", "grouping sets"), (0.5, sets("CUBE ({})"), "duck", "grouping sets"),
            (0.7, lambda: text(" GROUP BY GROUPING SETS ({})", items([subset() for _ in range(self.pick(1, 2, 3))])),
             "duck", "grouping sets"))

    # Windows

    def windowed(self, kinds, outer, depth, names, joins):
        source, scope = self.from_where(outer, depth, joins)
        scope = scope.of(subqueries=0, windows=True)
        self.one_order = None if self.has_unique_rows(scope.columns) else {}
        values = [self.value(kind, scope, self.pick(1, 2)) if self.chance(0.5) else self.window_value(kind, scope)
                  for kind in kinds]
        qualify = ""
        if not self.common and self.chance(0.15) and "qualify" in self.enabled:
            self.used.add("qualify")
            qualify = optional(" QUALIFY {}", text("{} " + self.comparison() + " {}", self.window_value("l", scope),
                                                   self.value("l", scope.of(windows=False), 0)))
        return query("SELECT {} FROM {}{}", self.listed(values, names), source, qualify)

    def has_unique_rows(self, columns):
        """Whether no two rows are alike in all columns: each relation shows its id."""
        relations = {name.partition(".")[0] for name, _ in columns if "." in name}
        return all(f"{relation}.id" in {name for name, _ in columns} for relation in relations)

    def window_value(self, kind, scope):
        self.used.add("window")
        plain = scope.of(windows=False, subqueries=0)
        def v(its): return self.value(its, plain, 1)
        order = self.total_order(plain.columns)
        options = [
            (3, lambda: self.aggregate(kind, plain, over=self.window(plain, order, True))),
            (1, lambda: text(self.pick("first_value", "last_value") + "({}) OVER ({})", v(kind), self.window(plain, order, True))),
            (1, lambda: text(f"nth_value({{}}, {self.number(1, 3)}) OVER ({{}})", v(kind), self.window(plain, order, True))),
            (2, lambda: text(self.pick("lag", "lead") + self.pick("({}) OVER ({})", "({}, 2) OVER ({})", "({}, 0) OVER ({})"),
                             v(kind), self.window(plain, order, False)))]
        if kind == "l":
            options += [(3, lambda: text(self.pick("row_number()", "rank()", "dense_rank()", f"ntile({self.number(1, 4)})")
                                         + " OVER ({})", self.window(plain, order, False)))]
        if kind == "x":
            options += [(1, lambda: text(self.pick("percent_rank()", "cume_dist()") + " OVER ({})", self.window(plain, order, False)))]
        return Node([self.choose(*options)], kind=kind, role="expression")

    def window(self, scope, order, framed):
        """A window's text. Rows that are alike in all columns may stand in either order; with two orders
        what falls to them could be paired in two ways, so there all windows have one."""
        partition = ""
        if self.chance(0.6):
            key = self.value(self.kind("isbd"), scope, self.pick(0, 0, 1))
            partition = optional("PARTITION BY {} ", key)
        if self.one_order is not None:
            partition, order = self.one_order.setdefault("order", ("", order))
        frame = self.frame() if framed and self.chance(0.6) and "frame" in self.enabled else ""
        return text("{}ORDER BY {}{}", partition, order, frame)

    def frame(self):
        self.used.add("frame")
        near, far = self.number(0, 2), self.number(1, 4)
        # Of RANGE only what needs no arithmetic: the order has several columns.
        rows = self.pick("ROWS", "ROWS", "GROUPS", "RANGE")
        if rows == "RANGE":
            bounds = [("UNBOUNDED PRECEDING", "CURRENT ROW"), ("CURRENT ROW", "UNBOUNDED FOLLOWING"),
                      ("UNBOUNDED PRECEDING", "UNBOUNDED FOLLOWING"), ("CURRENT ROW", "CURRENT ROW")]
        else:
            bounds = [("UNBOUNDED PRECEDING", "CURRENT ROW"), (f"{far} PRECEDING", f"{near} FOLLOWING"),
                      (f"{far} PRECEDING", "1 PRECEDING"), (f"{near} FOLLOWING", f"{far} FOLLOWING"),
                      ("CURRENT ROW", "UNBOUNDED FOLLOWING"), ("UNBOUNDED PRECEDING", f"{near} PRECEDING")]
        low, high = self.pick(*bounds)
        exclude = self.pick("", "", "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES")
        return optional(f" {rows} BETWEEN {low} AND {high}{exclude}")

    def pivot(self):
        table = self.pick("t1", "t2", "t5")
        on = self.pick("s1 IN ('a', 'ab', 'B')", "b1 IN (true, false)", "i1 IN (0, 1, 2)")
        call = self.pick("sum(x1)", "count(*)", "max(i1)", "min(s1)")
        group = self.pick("", " GROUP BY b1", " GROUP BY i1")
        return query(f"PIVOT (SELECT i1, s1, b1, x1 FROM {table}) ON {on} USING {call}{group}")
