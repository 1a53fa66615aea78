"""Typed expressions: `value(kind, scope)` gives one that binds, so that nearly every query runs.

What may overflow or fail depending on the order of evaluation is not made.
"""

from tables import COMMON, DATES, EDGES, KINDS, TIMES, WORDS, quoted
from tree import Node, expression as E, items, text


class Scope:
    """What an expression may name: columns as (text or node, kind), and those of outer queries."""

    def __init__(self, columns, outer=(), subqueries=0, windows=False):
        self.columns, self.outer, self.subqueries = list(columns), list(outer), subqueries
        self.windows = windows

    def of(self, **changes):
        copy = Scope(self.columns, self.outer, self.subqueries, self.windows)
        for name, its in changes.items():
            setattr(copy, name, its)
        return copy


class Expressions:
    """Draws from `self.random`; `self.common` keeps to what SQLite shares; `self.enabled` are features."""

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, *choices):
        return self.random.choice(choices)

    def number(self, low, high):
        return str(self.random.randint(low, high))

    def choose(self, *options):
        """One of (weight, maker, tag…): "duck" is not for SQLite; any other tag is a feature."""
        possible = [option for option in options if all(self.allows(tag) for tag in option[2:])]
        option = self.random.choices(possible, [its[0] for its in possible])[0]
        self.used.update(option[2:])
        return option[1]()

    def allows(self, tag):
        return not self.common if tag == "duck" else tag in self.enabled

    def kind(self, kinds):
        """One of the kinds; in a common query one that SQLite has."""
        return self.random.choice([k for k in kinds if not self.common or k in COMMON])

    def known(self, kinds, scope):
        """One of the kinds, nearly always one that the scope has columns of: literals teach little."""
        named = {kind for _, kind in scope.columns}
        fitting = [k for k in kinds if k in named]
        return self.kind(fitting if fitting and self.chance(0.9) else kinds)

    # Leaves

    def column(self, kind, scope):
        """A column of the kind, or None."""
        if scope.outer and self.chance(0.35):
            fitting = [name for name, its in scope.outer if its == kind]
            if fitting:
                self.used.add("correlated")
                return self.random.choice(fitting)
        fitting = [name for name, its in scope.columns if its == kind]
        return self.random.choice(fitting) if fitting else None

    def literal(self, kind):
        if self.chance(0.04):
            return E(kind, f"CAST(NULL AS {KINDS[kind]})")
        return E(kind, {
            "i": lambda: self.number(-4, 8), "l": lambda: f"CAST({self.number(-3, 9)} AS bigint)",
            "k": lambda: f"CAST({self.number(-3, 9)} AS smallint)",
            "h": lambda: f"CAST({self.number(-3, 9)} AS hugeint)",
            "g": lambda: f"CAST('{self.pick(*EDGES)}' AS bigint)",
            "s": lambda: quoted(self.pick(*WORDS)), "d": lambda: f"DATE '{self.pick(*DATES)}'",
            "t": lambda: f"TIMESTAMP '{self.pick(*TIMES)}'",
            "x": lambda: f"CAST({self.random.randint(-8, 8) / 4} AS double)",
            "m": lambda: f"CAST({self.random.randint(-500, 500) / 100} AS decimal(9,2))",
            "b": lambda: self.pick("true", "false")}[kind]())

    def value(self, kind, scope, depth=2):
        if depth <= 0 or self.chance(0.4):
            found = self.column(kind, scope) if self.chance(0.85) else None
            return E(kind, "{}", found) if found is not None else self.literal(kind)
        if scope.windows and self.chance(0.15) and kind in "ilxs":
            return self.window_value(kind, scope)
        if scope.subqueries > 0 and self.chance(0.07):
            self.used.add("scalar subquery")
            return self.scalar_subquery(kind, scope)
        if self.chance(0.12):
            return self.conditional(kind, scope, depth)
        return getattr(self, "make_" + kind)(lambda its: self.value(its, scope, depth - 1), scope, depth)

    def conditional(self, kind, scope, depth):
        def v(): return self.value(kind, scope, depth - 1)
        def c(): return self.value("b", scope, depth - 1)
        return self.choose(
            (2, lambda: E(kind, "CASE WHEN {} THEN {} ELSE {} END", c(), v(), v())),
            (2, lambda: E(kind, "CASE WHEN {} THEN {} WHEN {} THEN {} END", c(), v(), c(), v())),
            (1, lambda: E(kind, "CASE {} WHEN 1 THEN {} WHEN 2 THEN {} END", self.value("i", scope, 0), v(), v())),
            (2, lambda: E(kind, "coalesce({}, {})", v(), v())),
            (2, lambda: E(kind, "nullif({}, {})", v(), v())),
            (1, lambda: E(kind, "if({}, {}, {})", c(), v(), v()), "duck"),
            (1, lambda: E(kind, self.pick("greatest", "least") + "({}, {})", v(), v()), "duck")
            if kind != "b" else (1, lambda: E(kind, "ifnull({}, {})", v(), v())))

    # Kinds

    def make_i(self, of, scope, depth):
        return self.choose(
            (3, lambda: E("i", "({} " + self.pick("+", "-") + " {})", of("i"), of("i"))),
            (1, lambda: E("i", "(({}) % " + self.pick("3", "5", "-2", "0") + " * " + self.number(-3, 3) + ")", of("i"))),
            (1, lambda: E("i", "({} // " + self.pick("2", "3", "-2", "0") + ")", of("i")), "duck"),
            (1, lambda: E("i", "abs({})", of("i"))), (1, lambda: E("i", "(- ({}))", of("i"))),
            (1, lambda: E("i", "CAST(sign({}) AS integer)", of("i"))),
            (2, lambda: E("i", "CAST(length({}) AS integer)", of("s"))),
            (1, lambda: E("i", "CAST({} AS integer)", of("b"))),
            (1, lambda: E("i", "TRY_CAST({} AS integer)", of("s")), "duck"),
            (1, lambda: E("i", "TRY_CAST({} AS integer)", of(self.kind("xmk"))), "duck"),
            (1, lambda: E("i", "CAST(instr({}, {}) AS integer)", of("s"), of("s"))),
            (1, lambda: E("i", "date_diff('" + self.pick("day", "month", "year") + "', {}, {})::integer", of("d"), of("d")), "duck"),
            (1, lambda: E("i", self.pick("year", "month", "day", "dayofweek", "quarter", "dayofyear", "week")
                          + "({})::integer", of(self.kind("dt"))), "duck"),
            (1, lambda: E("i", "extract(" + self.pick("year", "month", "doy", "isodow") + " FROM {})::integer", of("d")), "duck"),
            (1, lambda: E("i", "TRY_CAST(round({}) AS integer)", of("x")), "duck"))

    def make_k(self, of, scope, depth):
        return self.choose(
            (1, lambda: E("k", "CAST({} AS smallint)", of("b"))), (1, lambda: E("k", "(({}) % 5::smallint)", of("k"))),
            (1, lambda: E("k", "CAST(length({}) AS smallint)", of("s"))))

    def make_l(self, of, scope, depth):
        return self.choose(
            (2, lambda: E("l", "({} " + self.pick("+", "-") + " {})", of("l"), of("i"))),
            (1, lambda: E("l", "CAST({} AS bigint)", of("i"))), (2, lambda: E("l", "length({})", of("s"))),
            (1, lambda: E("l", "date_part('year', {})::bigint", of("d")), "duck"),
            (1, lambda: E("l", "abs({})", of("l"))), (1, lambda: E("l", "(({}) % 7)", of("l"))),
            (1, lambda: E("l", "datediff('day', {}, {})", of("d"), of("d")), "duck"))

    def make_h(self, of, scope, depth):
        return self.choose(
            (2, lambda: E("h", "({} + {})", of("h"), of("l"))), (1, lambda: E("h", "CAST({} AS hugeint)", of("l"))),
            (1, lambda: E("h", "({} % 5)", of("h"))))

    def make_g(self, of, scope, depth):
        return E("g", "CAST({} AS bigint)", of(self.kind("li")))

    def make_s(self, of, scope, depth):
        def small(): return self.number(-3, 4)
        return self.choose(
            (2, lambda: E("s", self.pick("upper", "lower", "trim", "ltrim", "rtrim") + "({})", of("s"))),
            (1, lambda: E("s", "reverse({})", of("s")), "duck"),
            (2, lambda: E("s", "({} || {})", of("s"), of("s"))),
            (1, lambda: E("s", "concat({}, {})", of("s"), of("i")), "duck"),
            (1, lambda: E("s", "concat_ws('-', {}, {}, {})", of("s"), of("s"), of("i")), "duck"),
            (1, lambda: E("s", f"substr({{}}, {self.number(1, 4)}, {self.number(0, 4)})", of("s"))),
            (1, lambda: E("s", f"substring({{}}, {small()})", of("s")), "duck"),
            (1, lambda: E("s", f"replace({{}}, {quoted(self.pick('a', 'b', 'ab'))}, {{}})", of("s"), of("s"))),
            (1, lambda: E("s", self.pick("left", "right") + f"({{}}, {small()})", of("s")), "duck"),
            (1, lambda: E("s", "CAST({} AS varchar)", of(self.kind("ilmdbtkh"))), "duck"),
            (1, lambda: E("s", "CAST({} AS varchar)", of("i"))),
            (1, lambda: E("s", self.pick("lpad", "rpad") + f"({{}}, {self.number(0, 6)}, '*')", of("s")), "duck"),
            (1, lambda: E("s", f"repeat({{}}, {self.number(-1, 2)})", of("s")), "duck"),
            (1, lambda: E("s", "regexp_replace({}, '[ab]+', '#')", of("s")), "duck"),
            (1, lambda: E("s", f"split_part({{}}, 'b', {self.pick(1, 2, -1)})", of("s")), "duck"),
            (1, lambda: E("s", "strftime({}, '%Y/%m/%d %a %j')", of("d")), "duck"))

    def make_d(self, of, scope, depth):
        return self.choose(
            (2, lambda: E("d", f"({{}} + {self.number(-40, 40)})", of("d")), "duck"),
            (1, lambda: E("d", f"CAST({{}} + INTERVAL ({self.number(-3, 3)}) {self.pick('DAY', 'MONTH', 'YEAR')} AS date)", of("d")), "duck"),
            (1, lambda: E("d", "CAST(date_trunc('" + self.pick("month", "year", "week", "quarter") + "', {}) AS date)", of("d")), "duck"),
            (1, lambda: E("d", "last_day({})", of("d")), "duck"), (1, lambda: E("d", "CAST({} AS date)", of("t")), "duck"),
            (1, lambda: E("d", "TRY_CAST({} AS date)", of("s")), "duck"),
            (1, lambda: E("d", f"make_date({self.number(1990, 2030)}, {self.number(1, 12)}, {self.number(1, 28)})"), "duck"),
            (1, lambda: E("d", "coalesce({}, {})", of("d"), of("d"))))

    def make_t(self, of, scope, depth):
        return self.choose(
            (1, lambda: E("t", f"({{}} + INTERVAL ({self.number(-3, 3)}) {self.pick('DAY', 'HOUR', 'MONTH', 'SECOND')})", of("t"))),
            (1, lambda: E("t", "date_trunc('" + self.pick("month", "hour", "day", "minute") + "', {})", of("t"))),
            (1, lambda: E("t", "CAST({} AS timestamp)", of("d"))))

    def make_x(self, of, scope, depth):
        return self.choose(
            (3, lambda: E("x", "({} " + self.pick("+", "-", "*") + " {})", of("x"), of("x"))),
            (1, lambda: E("x", "({} / " + self.pick("2", "4", "0") + ")", of("i")), "duck"),
            (1, lambda: E("x", "({} / " + self.pick("2", "-4") + ")", of("x"))),
            (1, lambda: E("x", "abs({})", of("x"))),
            (1, lambda: E("x", self.pick("floor", "ceil", "trunc") + "({})", of("x")), "duck"),
            (1, lambda: E("x", f"round({{}}, {self.number(-1, 1)})", of("x")), "duck"),
            (1, lambda: E("x", "CAST({} AS double)", of(self.kind("ilmk")))),
            (1, lambda: E("x", "sqrt(abs({}))", of("x")), "duck"), (1, lambda: E("x", "({} + {})", of("i"), of("x"))))

    def make_m(self, of, scope, depth):
        return E("m", "CAST({} AS decimal(9,2))", self.choose(
            (2, lambda: text("({} " + self.pick("+", "-") + " {})", of("m"), of("m"))),
            (1, lambda: text(f"round({{}} * 0.5, {self.number(0, 2)})", of("m"))),
            (1, lambda: text("({} + {})", of("i"), of("m"))), (1, lambda: text("abs({})", of("m"))),
            (1, lambda: text("({} * {} * 0.01)", of("m"), of("k"))),
            (1, lambda: of("i")), (1, lambda: text(self.pick("floor", "ceil") + "({})", of("m"))),
            (1, lambda: text("(- {})", of("m")))))

    def comparison(self):
        return self.pick("=", "=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")

    def make_b(self, of, scope, depth):
        kind = self.known("iilssdxmbkgth", scope)
        negated = self.pick("", "", "NOT ")
        pattern = quoted(self.pick("a%", "%b%", "_b%", "%", "", "a_c", "Z%", "%ü%", "x__", "1%"))
        if scope.subqueries > 0 and self.chance(0.2):
            return self.predicate_subquery(scope)
        return self.choose(
            (6, lambda: E("b", "({} " + self.comparison() + " {})", of(kind), of(kind))),
            (2, lambda: E("b", "({} " + self.comparison() + " {})", of("i"), of(self.kind("lxmkgh")))),
            (2, lambda: E("b", "({} AND {})", of("b"), of("b"))), (2, lambda: E("b", "({} OR {})", of("b"), of("b"))),
            (1, lambda: E("b", "({} OR {} AND {})", of("b"), of("b"), of("b"))), (2, lambda: E("b", "(NOT {})", of("b"))),
            (2, lambda: E("b", "({} " + negated + "IN ({}))", of(kind),
                          items(self.literal(kind) for _ in range(self.random.randint(1, 4))))),
            (1, lambda: E("b", "({} " + negated + "IN ({}, {}))", of(kind), of(kind), of(kind))),
            (2, lambda: E("b", "({} " + negated + "BETWEEN {} AND {})", of(kind), of(kind), of(kind))),
            (1, lambda: E("b", "({} " + negated + "LIKE " + pattern + ")", of("s"))),
            (1, lambda: E("b", "({} " + negated + "ILIKE " + pattern + ")", of("s")), "duck"),
            (3, lambda: E("b", "({} IS " + self.pick("NULL", "NOT NULL") + ")", of(kind))),
            (1, lambda: E("b", "({} IS " + negated + self.pick("TRUE", "FALSE") + ")", of("b"))),
            (1, lambda: E("b", self.pick("starts_with", "contains", "ends_with") + "({}, {})", of("s"), of("s")), "duck"),
            (1, lambda: E("b", "regexp_matches({}, '^[a-c]')", of("s")), "duck"))

    # Subqueries

    def inner(self, scope):
        """What a subquery sees of the queries around it."""
        named = [(name, kind) for name, kind in scope.columns if isinstance(name, str)]
        return named + scope.outer if self.chance(0.7) else []

    def scalar_subquery(self, kind, scope):
        return self.choose(
            (3, lambda: E(kind, "({})", self.aggregated(kind, self.inner(scope), scope.subqueries - 1))),
            (1, lambda: E(kind, "({})", self.first_row(kind, self.inner(scope), scope.subqueries - 1))))

    def predicate_subquery(self, scope):
        self.used.add("predicate subquery")
        kind = self.known("iiiilsdxbm", scope)
        negated = self.pick("", "", "NOT ")
        below = scope.of(subqueries=0)
        def query(kinds): return self.query(kinds, self.inner(scope), scope.subqueries - 1)
        return self.choose(
            (3, lambda: E("b", negated + "EXISTS ({})", query([kind]))),
            (4, lambda: E("b", "({} " + negated + "IN ({}))", self.value(kind, below, 1), query([kind]))),
            (1, lambda: E("b", "({} " + self.pick("=", "<", ">=", "<>") + " ({}))", self.value(kind, below, 1),
                          self.aggregated(kind, self.inner(scope), scope.subqueries - 1))),
            (2, lambda: E("b", "({} " + self.pick("=", "<>", "<", "<=", ">", ">=") + " " + self.pick("ANY", "ALL") + " ({}))",
                          self.value(kind, below, 1), query([kind])), "duck"),
            (1, lambda: E("b", "(({}, {}) " + negated + "IN ({}))", self.value(kind, below, 0), self.value("i", below, 0),
                          query([kind, "i"])), "row in"))
