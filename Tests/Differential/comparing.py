"""Whether two answers are the same: as bags, or in order; doubles with a tolerance."""

import datetime
import math
from decimal import Decimal


def printed(value):
    """A DuckDB value as the protocol writes it; a double stays a float."""
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return "".join(chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\x{byte:02X}" for byte in value)
    if isinstance(value, list):
        return "[" + ", ".join("NULL" if v is None else str(printed(v)) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"'{k}': {'NULL' if v is None else printed(v)}" for k, v in value.items()) + "}"
    if isinstance(value, datetime.datetime):
        text = value.isoformat(" ")
        return text.rstrip("0") if "." in text else text
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def sort_key(row):
    """Rows that agree to six digits stand together; among them the exact values decide."""
    rounded = [(v is not None, f"{v + 0.0:.6g}" if isinstance(v, float) else str(v)) for v in row]
    return rounded, [v if isinstance(v, float) and not math.isnan(v) else 0.0 for v in row]


def equal(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-7)
    return a == b


def rows_differ(theirs, ours, ordered, name):
    if len(ours) != len(theirs):
        return f"{len(theirs)} rows in {name}, {len(ours)} in apus"
    if not ordered:
        theirs, ours = sorted(theirs, key=sort_key), sorted(ours, key=sort_key)
    for number, (a, b) in enumerate(zip(theirs, ours)):
        if not all(map(equal, a, b)):
            return f"row {number}: {name} {a}, apus {b}"
    return None


def floats(rows, types):
    """Rows of texts with the doubles read."""
    floating = [t in ("DOUBLE", "FLOAT") for t in types]
    if not any(floating):
        return rows
    return [[float(v) if f and v is not None else v for v, f in zip(row, floating)] for row in rows]


def differ_from_duckdb(duck, apus, ordered):
    """What differs, or None; both answers are without error."""
    if duck.types != apus.types:
        return f"types: DuckDB {duck.types}, apus {apus.types}"
    theirs = [[printed(v) for v in row] for row in duck.rows]
    return rows_differ(theirs, floats(apus.rows, apus.types), ordered, "DuckDB")


def differ_from_sqlite(lite, apus, ordered):
    """As above; SQLite's values have the types of Apus' columns."""
    def cell(value, its):
        if value is None:
            return None
        if its == "BOOLEAN":
            return "true" if value else "false"
        if its in ("DOUBLE", "FLOAT"):
            return float(value)
        return str(value)
    theirs = [[cell(v, t) for v, t in zip(row, apus.types)] for row in lite.rows]
    return rows_differ(theirs, floats(apus.rows, apus.types), ordered, "SQLite")
