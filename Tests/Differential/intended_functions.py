"""The differences of functions that are meant, by the names that docs/dialect.md gives them with their reasons.

Division by zero is not here: DuckDB is set to give NULL too (see engines.DuckDB).
"""

import re

import intended


def check_documented():
    """Ends the program where a difference has no reason written down."""
    text = intended.DIALECT.read_text()
    for name in DIFFERENCES:
        if f"*{name}*" not in text:
            raise SystemExit(f"{intended.DIALECT}: no word of the intended difference {name}")


def explanation(function, verdict, what, sql):
    """The name of the difference that this is, or None."""
    for name, matches in DIFFERENCES.items():
        if matches(function, verdict, what, sql):
            return name
    return None


def functions(names, verdicts=("differs", "only DuckDB fails", "only apus fails"), text=""):
    """Calls of these functions (a pattern), with one of these verdicts, where `text` is in what is said."""
    pattern = re.compile(f"(?:{names})$")
    return lambda function, verdict, what, sql: (
        verdict in verdicts and pattern.match(function) is not None and re.search(text, what) is not None)


DIFFERENCES = {
}
