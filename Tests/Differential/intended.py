"""The differences that are meant. Each has its name and reason in docs/dialect.md."""


def explanation(verdict, what, sql, duck, apus):
    """The name of the difference that this is, or None."""
    for name, matches in DIFFERENCES.items():
        if matches(verdict, what, sql, duck, apus):
            return name
    return None


DIFFERENCES = {}
