"""The differences that are meant, by the names that docs/dialect.md gives them with their reasons.

Division by zero is not here: DuckDB is set to give NULL too (see engines.DuckDB).
"""

import pathlib
import re

DIALECT = pathlib.Path(__file__).parent.parent.parent / "docs" / "dialect.md"


def check_documented():
    """Ends the program where a difference has no reason written down."""
    text = DIALECT.read_text()
    for name in DIFFERENCES:
        if f"*{name}*" not in text:
            raise SystemExit(f"{DIALECT}: no word of the intended difference {name}")


def explanation(verdict, what, sql, duck, apus):
    """The name of the difference that this is, or None."""
    for name, matches in DIFFERENCES.items():
        if matches(verdict, what, sql):
            return name
    return None


def refused_by_duckdb(*messages):
    """Queries that only DuckDB refuses, with one of these errors."""
    return lambda verdict, what, sql: verdict == "only DuckDB fails" and any(text in what for text in messages)


def fewer_in_duckdb(what):
    """Of `6 rows in DuckDB, 10 in apus`."""
    theirs, ours = (int(part.split()[0]) for part in what.split(", ")[:2])
    return theirs < ours


DIFFERENCES = {
    "wider-subqueries": refused_by_duckdb(
        "Correlated IN/ANY/ALL with multiple columns not yet supported",
        "Subqueries are not supported in LATERAL join conditions",
        "LATERAL join cannot contain aggregates"),
    "outer-name-as-alias": refused_by_duckdb("cannot be referenced before it is defined"),
    "folded-keys": lambda verdict, what, sql: verdict == "only DuckDB fails" and "GROUP BY" in sql
    and ("must appear in the GROUP BY clause" in what
         or "Referenced table" in what and "not found" in what),
    "outer-aggregates": lambda verdict, what, sql: verdict == "only DuckDB fails"
    and ("WHERE clause cannot contain aggregates" in what
         or "must be part of an aggregate function" in what and "FILTER" in sql),
    "two-against-one": lambda verdict, what, sql: verdict == "differs" and "SQLite is with apus" in what,
    "null-in-nothing": lambda verdict, what, sql: verdict == "differs" and "rows in DuckDB" in what
    and re.search(r"\bIN \(SELECT .* WHERE ", sql) is not None and fewer_in_duckdb(what),
    "empty-branches": lambda verdict, what, sql: verdict == "differs" and "LATERAL" in sql and "rows in DuckDB" in what
    and any(word in sql for word in (" UNION ", " INTERSECT ", " EXCEPT ")) and fewer_in_duckdb(what),
    "equal-grouping-sets": lambda verdict, what, sql: verdict == "differs" and "GROUPING SETS" in sql
    and ("rows in DuckDB" in what or "(), ()" in sql),
}
