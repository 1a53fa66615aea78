"""FROM: tables, derived tables, common tables and their joins."""

from expressions import Expressions, Scope
from tables import COLUMNS, ROWS
from tree import Node, fixed, items, optional, query, text

# Joins stop where the pairs of rows would be more; those of a subquery are counted for each row of the
# query around it. Engines answer in milliseconds below it.
MOST_PAIRS = 60_000
FEWEST_PAIRS = 200


class Sources(Expressions):
    """`source` gives a FROM clause and the columns that it shows."""

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def table(self, most_rows):
        weights = {"t1": 5, "t2": 5, "t3": 3, "t4": 1, "t5": 3, "t6": 1, "big": 0.8, "wide": 0.4}
        fitting = [name for name in weights if ROWS[name] <= most_rows]
        return self.random.choices(fitting, [weights[name] for name in fitting])[0]

    def relation(self, outer, depth, most_rows, sides=()):
        """A table expression: its text, its columns and about how many rows it has."""
        alias = self.name("r")

        def base():
            table = self.table(most_rows)
            columns = [(f"{alias}.{name}", kind) for name, kind in COLUMNS[table]
                       if not self.common or kind in "ilsdxb"]
            return text(f"{table} AS {alias}"), columns, ROWS[table]

        def derived(prefix="", beside=()):
            kinds = [self.kind("iiilssdxmb") for _ in range(self.random.randint(1, 3))]
            inner = self.query(kinds, list(outer) + list(beside), depth - 1, names=True)
            return (text(prefix + "({}) AS " + alias, inner),
                    [(f"{alias}.c{n}", kind) for n, kind in enumerate(kinds)], 20)

        def common_table():
            name, kinds, rows = self.random.choice([table for table in self.tables if table[2] <= most_rows])
            return text(f"{name} AS {alias}"), [(f"{alias}.c{n}", kind) for n, kind in enumerate(kinds)], rows

        def values():
            kinds = [self.kind("iilsx") for _ in range(self.random.randint(1, 3))]
            rows = [text("({})", items((self.literal(kind) for kind in kinds), minimum=99))
                    for _ in range(self.random.randint(1, 4))]
            names = ", ".join(f"c{n}" for n in range(len(kinds)))
            return (text("(VALUES {}) AS " + f"{alias}({names})", items(rows)),
                    [(f"{alias}.c{n}", kind) for n, kind in enumerate(kinds)], len(rows))

        def series():
            low = self.random.randint(-2, 3)
            return (text(f"{self.pick('range', 'generate_series')}({low}, {low + self.random.randint(-1, 6)}) AS {alias}(c0)"),
                    [(f"{alias}.c0", "l")], 6)

        def unnest():
            elements = [self.value("i", Scope(sides, outer), 1) for _ in range(self.random.randint(1, 3))]
            return (text("unnest([{}]) AS " + f"{alias}(c0)", items(elements)), [(f"{alias}.c0", "i")], 3)

        options = [(14, base), (1, values, "duck"), (0.7, series, "duck", "range"), (0.7, unnest, "duck", "unnest")]
        if depth > 0:
            options.append((3, derived, "derived table"))
        if depth > 0 and sides:
            options.append((2.5, lambda: derived("LATERAL ", sides), "duck", "lateral"))
        # One whose rows fit beside the others: a product of products would run for minutes.
        if any(rows <= most_rows for _, _, rows in self.tables):
            options.append((8, common_table))
        return self.choose(*options)

    def source(self, outer, depth, joins):
        """FROM without its word. Columns of merged names go by the bare name."""
        first, columns, pairs = self.relation(outer, depth, self.most_pairs)
        parts, alone, merged = [first], columns, []
        for number in range(joins):
            right, theirs, rows = self.relation(
                outer, depth, self.most_pairs // max(pairs, 1), columns if not merged else ())
            lateral = "LATERAL" in str(right)[:8] or str(right).startswith("unnest")
            kind = self.choose(
                (5, lambda: "JOIN"), (4, lambda: "LEFT JOIN"), (2, lambda: "CROSS JOIN"),
                # SQLite errs where one stands behind another join (seen in 3.40: `a JOIN b ON false RIGHT JOIN c`).
                *([(2, lambda: "RIGHT JOIN"), (2, lambda: "FULL JOIN")] if number == 0 or not self.common else []),
                (1.5, lambda: "SEMI JOIN", "duck"), (1.5, lambda: "ANTI JOIN", "duck"))
            if lateral and kind not in ("JOIN", "LEFT JOIN", "CROSS JOIN"):
                kind = "JOIN"
            keeps = kind in ("SEMI JOIN", "ANTI JOIN")
            pairs = min(pairs * rows, self.most_pairs) if not keeps else pairs
            if kind == "CROSS JOIN":
                # Beside another table the bare name of a merged column may be ambiguous.
                parts.append(text(f" {kind} {{}}", right))
                columns, alone, merged = self.qualified(columns) + theirs, [], []
                continue
            mine = {bare(column): k for column, k in alone}
            shared = [bare(c) for c, k in theirs if mine.get(bare(c)) == k]
            if shared and not lateral and self.chance(0.35):
                used = self.random.sample(shared, self.random.randint(1, min(2, len(shared))))
                # NATURAL joins by every name that both have, of whatever kind.
                natural = len(used) == len(shared) == sum(bare(c) in mine for c, _ in theirs) and self.chance(0.5)
                parts.append(text(f" NATURAL {kind} {{}}", right) if natural and not keeps and len(shared) < 3
                             else text(f" {kind} {{}} USING ({', '.join(used)})", right))
                if not keeps:
                    columns = [(c, k) for c, k in columns + theirs if bare(c) not in used]
                    columns += [(c, mine[c]) for c in used]
                    merged = used
                    alone = [] if kind == "FULL JOIN" or not self.chance(0.5) else [(c, k) for c, k in columns if c in used]
                continue
            columns = self.qualified(columns)
            condition = self.join_condition(columns, theirs, outer, depth)
            parts.append(text(f" {kind} {{}} ON {{}}", right, condition))
            if not keeps:
                columns, alone, merged = columns + theirs, [], []
        self.widest = max(self.widest, pairs)
        return items(parts, separator=""), columns, pairs

    def qualified(self, columns):
        return [(c, k) for c, k in columns if "." in c]

    def join_condition(self, left, right, outer, depth):
        terms = []
        for _ in range(self.pick(1, 1, 2)):
            both = [k for k in "iiisdlxm" if k in {its for _, its in left} and k in {its for _, its in right}]
            kind = self.kind(both if both and self.chance(0.9) else "iiisdlxm")
            ours = self.value(kind, Scope(left), self.pick(0, 0, 1))
            hers = self.value(kind, Scope(right), self.pick(0, 0, 1))
            operator = self.pick("=", "=", "=", "=", "<", ">=", "<>", "IS NOT DISTINCT FROM")
            terms.append(text("{} " + operator + " {}", ours, hers))
        if self.chance(0.3):
            subqueries = depth if "subquery in on" in self.enabled and self.chance(0.3) else 0
            scope = Scope(left + right, outer, subqueries)
            terms.append(self.value("b", scope, 2))
        return items(terms, separator=f" {self.pick('AND', 'AND', 'AND', 'OR')} ")


def bare(name):
    return name.split(".")[-1]
