"""The tables that queries read: many kinds of columns, full of NULLs, repeated keys and edges.

A column is named for its kind, so that a bare name means the same kind in every table.
"""

KINDS = {
    "i": "integer", "k": "smallint", "l": "bigint", "h": "hugeint", "g": "bigint", "s": "varchar",
    "d": "date", "t": "timestamp", "x": "double", "m": "decimal(9,2)", "b": "boolean"}
# What SQLite has too, alike enough: its dates are text.
COMMON = "ilsdxb"

# Name, columns, rows. `id` is a number of its own for each row.
TABLES = [
    ("t1", "ilsdxmbkgt", 14), ("t2", "ilsdxmb", 9), ("t3", "isd", 5), ("t4", "ilsxb", 0),
    ("t5", "isxbh", 30), ("t6", "il", 1), ("big", "ilsdxm", 800), ("wide", "isb", 2100)]
ROWS = {name: rows for name, _, rows in TABLES}
COLUMNS = {name: [("id", "i")] + [(kind + "1", kind) for kind in kinds] for name, kinds, _ in TABLES}

WORDS = ["", "a", "ab", "B", "abc", "zürich", "x_y", "100%", "a longer text of many bytes", " pad ", "12", "-3"]
DATES = ["2024-01-31", "2024-02-29", "1999-12-31", "1969-07-20", "2024-03-01", "2000-01-01"]
TIMES = ["2024-01-31 00:00:00", "2024-02-29 23:59:59.5", "1969-07-20 20:17:40", "2024-03-01 12:00:00"]
EDGES = [-9223372036854775808, 9223372036854775807, -1, 0, 1, 2147483648, -32769]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def value(pick, kind, rows):
    """The SQL text of one value of a column."""
    wide = 9 if rows < 100 else 200
    return {
        "i": lambda: str(pick.randint(-5, wide)), "k": lambda: str(pick.choice([-300, -1, 0, 1, 7, 7, 300])),
        "l": lambda: str(pick.choice([-1, 0, 1, 2, 7, 5000000000])), "g": lambda: str(pick.choice(EDGES)),
        "h": lambda: str(pick.choice([-1, 0, 1, 2, 3, 7, 36893488147419103232])),
        "s": lambda: quoted(pick.choice(WORDS)), "d": lambda: f"DATE '{pick.choice(DATES)}'",
        "t": lambda: f"TIMESTAMP '{pick.choice(TIMES)}'",
        "x": lambda: f"{pick.randint(-20, 20) / 4}", "m": lambda: f"{pick.randint(-999, 999) / 100}",
        "b": lambda: pick.choice(["true", "false"])}[kind]()


def setup(pick):
    """CREATE TABLE and INSERT, as drawn from `pick`."""
    for table, kinds, rows in TABLES:
        columns = ", ".join(["id integer"] + [f"{kind}1 {KINDS[kind]}" for kind in kinds])
        yield f"CREATE TABLE {table} ({columns})"
        nulls = {kind: pick.choice([0, 0.1, 0.3]) for kind in kinds}
        lines = ["(" + ", ".join([str(number)] + [
            "NULL" if pick.random() < nulls[kind] else value(pick, kind, rows) for kind in kinds]) + ")"
            for number in range(1, rows + 1)]
        for start in range(0, rows, 500):
            yield f"INSERT INTO {table} VALUES {', '.join(lines[start:start + 500])}"


def for_sqlite(sql):
    """The words that differ: a date is its text there."""
    return sql.replace("DATE '", "'").replace("TIMESTAMP '", "'")
