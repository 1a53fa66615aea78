#!/usr/bin/env python3
"""Random documents, paths and types through every JSON function, in Apus and in DuckDB (from PyPI).

    python random_json.py --apus .build/release/apus --expressions 5000 --seed 1

A document is made from the seed alone: nested, with space, escapes, keys twice, numbers of every
form, and now and then broken at one byte. An expression over it is evaluated twice in Apus: over
literals (folded by the planner) and over columns (by the kernels), and once in DuckDB. The texts of
the results must be equal; an error on both sides counts as equal. Every difference is printed; the
exit status is 1 if there was one. What is meant to differ (docs/dialect.md) is not generated.
"""

import argparse
import json
import random
import re
import subprocess
import sys

import duckdb

KEYS = ["a", "b", "c", "key", "a b", "ä", "x.y", "A", "", "1", "q\"t", "a/b", "t~x"]
TEXTS = ["", "x", "abc", "text of more than twelve bytes", "ä€😀", "1", "1.5", "-7", "true", "null", "2020-01-02",
         "10:11:12", "2020-01-02 03:04:05", "line\nend", "tab\t", "q\"uote", "back\\slash", "[1]", "{}", "/", "1e3"]
NUMBERS = ["0", "1", "-1", "7", "42", "255", "-128", "300", "2147483648", "9223372036854775807", "-9223372036854775808",
           "9223372036854775808", "18446744073709551615", "18446744073709551616", "123456789012345678901234567890",
           "0.5", "1.0", "1.50", "-2.25", "1e5", "1E-7", "1e22", "1.5e300", "1e400", "0.000001", "0.0000012", "123456.789",
           "-0", "-0.0", "0.1", "3.0000000000000004", "100000000000000000000.5", "2.5", "3.5"]
SCALARS = ["INTEGER", "TINYINT", "UBIGINT", "BIGINT", "HUGEINT", "DOUBLE", "VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP",
           "TIME", "JSON", "USMALLINT", "FLOAT"]
# Not with others: beside a DECIMAL DuckDB reads every number as text.
DECIMALS = ["DECIMAL(5,2)", "DECIMAL(18,3)", "DECIMAL(38,10)"]


def string(generator, text):
    """A JSON string that is the text, some characters as escapes."""
    result = ""
    for character in text:
        escape = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}.get(character)
        if escape:
            result += escape
        elif character == "/" and generator.random() < 0.5:
            result += "\\/"
        elif generator.random() < 0.05:
            units = character.encode("utf-16-be").hex()
            result += "".join("\\u" + units[at:at + 4] for at in range(0, len(units), 4))
        else:
            result += character
    return f'"{result}"'


def space(generator):
    return generator.choice(["", "", "", "", " ", "  ", "\t", "\n"])


def document(generator, depth=0, loose=False):
    if depth >= 4 or generator.random() < (0.1, 0.45, 0.6, 0.75)[min(depth, 3)]:
        kind = generator.random()
        if kind < 0.4:
            return generator.choice(NUMBERS)
        if kind < 0.7:
            return string(generator, generator.choice(TEXTS))
        return generator.choice(["true", "false", "null"])
    count = generator.choice([0, 1, 1, 2, 2, 3, 4])
    items = []
    keys = []
    for _ in range(count):
        value = document(generator, depth + 1, loose)
        items.append((space(generator) if loose else "") + value + (space(generator) if loose else ""))
        keys.append(generator.choice(KEYS if generator.random() < 0.4 else KEYS[:4]))
    if generator.random() < 0.45:
        return "[" + ",".join(items) + "]"
    return "{" + ",".join(string(generator, key) + (space(generator) if loose else "") + ":" + item
                          for key, item in zip(keys, items)) + "}"


def damaged(generator, text):
    at = generator.randrange(len(text))
    kind = generator.random()
    if kind < 0.4:
        return text[:at]
    if kind < 0.7:
        return text[:at] + generator.choice('{}[]",:x\\0-. ') + text[at:]
    return text[:at] + text[at + 1:]


def path(generator, pattern=False):
    """A path as text."""
    kind = generator.random()
    if kind < 0.15:
        return generator.choice(["a", "b", "key", "a b", "1", "x.y", "/", "$"])
    if kind < 0.3:
        steps = [generator.choice(["a", "b", "c", "0", "1", "2", "-", "01", "x.y", "a~1b", "t~0x", ""])
                 for _ in range(generator.randint(1, 3))]
        return "/" + "/".join(steps)
    result = "$"
    for _ in range(generator.randint(0, 3)):
        step = generator.random()
        if step < 0.45:
            result += "." + generator.choice(["a", "b", "c", "key", '"a b"', '"x.y"', "ä", "1"])
        elif step < 0.8 or not pattern:
            result += generator.choice(["[0]", "[1]", "[2]", "[-1]", "[#-1]", "[#-2]", "[10]", "[#]"])
        elif step < 0.9:
            result += generator.choice([".*", "[*]"])
        else:
            result += generator.choice(["..a", "..b", "..*", "..[0]", "..[*]"])
    return result


def nested_type(generator, depth=0):
    if depth >= 3 or generator.random() < (0.3, 0.6, 0.8)[depth]:
        return generator.choice(generator.scalars)
    kind = generator.random()
    if kind < 0.45:
        return nested_type(generator, depth + 1) + "[]"
    if kind < 0.5:
        return nested_type(generator, depth + 1) + "[2]"
    if kind < 0.65:
        return f"MAP(VARCHAR, {nested_type(generator, depth + 1)})"
    names = generator.sample(["a", "b", "c", "key"], generator.randint(1, 3))
    return "STRUCT(" + ", ".join(f"{name} {nested_type(generator, depth + 1)}" for name in names) + ")"


def structure(generator, depth=0):
    if depth >= 3 or generator.random() < (0.2, 0.6, 0.8)[depth]:
        return json.dumps(generator.choice(generator.scalars))
    if generator.random() < 0.5:
        return "[" + structure(generator, depth + 1) + "]"
    names = generator.sample(["a", "b", "c", "key"], generator.randint(1, 3))
    return "{" + ",".join(f'"{name}":{structure(generator, depth + 1)}' for name in names) + "}"


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def matching(generator, text):
    """A type that the document has, or nearly."""
    def of(value, depth=0):
        if generator.random() < 0.05:
            return generator.choice(generator.scalars)
        if isinstance(value, list):
            return (of(generator.choice(value), depth + 1) if value else "INTEGER") + "[]"
        if isinstance(value, dict):
            if generator.random() < 0.15:
                return "MAP(VARCHAR, %s)" % (of(generator.choice(list(value.values())), depth + 1) if value else "JSON")
            names = {name.lower(): name for name in value if name}
            if not names:
                return "JSON"
            return "STRUCT(" + ", ".join('"%s" %s' % (name.replace('"', '""'), of(value[name], depth + 1))
                                         for name in names.values()) + ")"
        if isinstance(value, str):
            return generator.choice(["VARCHAR", "VARCHAR", "JSON", "DATE"])
        if isinstance(value, bool):
            return generator.choice(["BOOLEAN", "INTEGER", "VARCHAR"])
        if value is None:
            return generator.choice(generator.scalars)
        return generator.choice(["BIGINT", "DOUBLE", "HUGEINT", "VARCHAR", "INTEGER"])
    try:
        return of(json.loads(text))
    except ValueError:
        return "JSON"


# {d} and {e} are documents, {p} a path, {w} a path or pattern, {t} a type, {s} a structure, {n} a position.
TEMPLATES = [
    "json({d})", "json_valid({d})", "json_extract({d}, {w})", "json_extract({d}, {w})", "json_extract_string({d}, {w})",
    "json_value({d}, {w})", "json_exists({d}, {w})", "json_type({d}, {w})", "json_keys({d}, {w})",
    "json_array_length({d}, {w})", "json_type({d})", "json_keys({d})", "json_array_length({d})", "{d} -> {p}",
    "{d} ->> {p}", "{d} -> {n}", "{d} ->> {n}", "json_extract({d}, [{p}, {p}])", "json_extract_string({d}, [{p}, {p}])",
    "json_exists({d}, [{p}, {p}])", "json_type({d}, [{p}, {p}])", "json_structure({d})", "json_pretty({d})",
    "json_contains({d}, {e})", "json_contains({d}, json_extract({d}, {p}))", "json_merge_patch({d}, {e})",
    "json_merge_patch({d}, {e}, {d})", "json_deep_merge({d}, {e})", "json_merge_patch_diff({d}, {e})",
    "json_strip_nulls({d})", "json_normalize({d})", "json_set({d}, {p}, {e}::JSON)", "json_insert({d}, {p}, {e}::JSON)",
    "json_replace({d}, {p}, {e}::JSON)", "json_remove({d}, {p})", "json_transform({d}, {s})",
    "json_transform_strict({d}, {s})", "json_transform({d}, json_structure({d}))", "{d}::JSON", "TRY_CAST({d} AS JSON)",
    "{d}::JSON::{t}", "TRY_CAST({d}::JSON AS {t})", "{d}::JSON::{m}", "TRY_CAST({d}::JSON AS {m})",
    "to_json({d}::JSON::{m})", "to_json(TRY_CAST({d}::JSON AS {t}))", "json_array({d}::JSON, {e})",
    "json_object('k', {d}::JSON, 'l', {e})", "to_json({d})", "json_extract({d}, {p})::{t}",
    "TRY_CAST(json_extract({d}, {p}) AS {t})", "{d}::JSON = {e}::JSON", "{d}::JSON < {e}::JSON",
    "({d}::JSON)[{n}]", "({d}::JSON)['a']", "({d}::JSON).a", "list_value({d}::JSON, NULL)", "{{'j': {d}::JSON}}",
]


def make(generator):
    template = generator.choice(TEMPLATES)
    generator.scalars = DECIMALS if generator.random() < 0.15 and "{m}" not in template else SCALARS
    first = document(generator, loose=generator.random() < 0.3)
    second = document(generator, loose=generator.random() < 0.2)
    if generator.random() < 0.06:
        first = damaged(generator, first)
    columns = {"d": first, "e": second}
    parts = {}
    text = ""
    rest = template.replace("{{", "\x01").replace("}}", "\x02")
    over_columns = ""
    while rest:
        before, brace, rest = rest.partition("{")
        text += before
        over_columns += before
        if not brace:
            break
        kind, _, rest = rest.partition("}")
        if kind in columns:
            text += quoted(columns[kind])
            over_columns += kind
            continue
        value = {"p": lambda: quoted(path(generator)), "w": lambda: quoted(path(generator, pattern=True)),
                 "t": lambda: nested_type(generator), "s": lambda: quoted(structure(generator)),
                 "m": lambda: matching(generator, first), "n": lambda: str(generator.choice([0, 1, 2, -1, -2, 5]))}[kind]()
        text += value
        over_columns += value
    restore = lambda part: part.replace("\x01", "{").replace("\x02", "}")
    return restore(text), restore(over_columns), columns


class Apus:
    def __init__(self, program):
        self.program = program
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.program, "--protocol", "jsonl"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, sql):
        """The text of the only value, or an error."""
        try:
            self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            code = self.process.wait()
            self.start()
            return "crash", f"status {code}"
        answer = json.loads(line)
        if "error" in answer:
            return "error", answer["error"]
        return "value", answer["rows"][0][0]


def oracle(connection, sql):
    try:
        return "value", connection.execute(sql).fetchall()[0][0]
    except UnicodeDecodeError:  # a message that DuckDB cut inside a character
        return "internal", ""
    except duckdb.Error as error:
        message = str(error).split("\n")[0]
        if "INTERNAL" in message:
            return "internal", message
        return "error", message


def is_intended(text, how, found, wanted):
    """Whether docs/dialect.md has the difference."""
    if "json_transform" in text and "json_structure" in text:
        # DuckDB folds the only row, and stumbles over keys with escapes or in two cases.
        return wanted[0] == "error" or how == "columns" and "is a constant" in found[1]
    # DuckDB forgets to indent numbers that no DOUBLE holds.
    if "json_pretty" in text and wanted[0] == "value":
        return re.sub(r"^ +", "", found[1], flags=re.M) == re.sub(r"^ +", "", wanted[1], flags=re.M)
    return False


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--apus", default=".build/release/apus")
    options.add_argument("--expressions", type=int, default=5000)
    options.add_argument("--seed", type=int, default=1)
    options = options.parse_args()
    apus = Apus(options.apus)
    connection = duckdb.connect()
    differences = errors = 0
    for number in range(options.expressions):
        generator = random.Random(f"{options.seed}/{number}")
        text, over_columns, columns = make(generator)
        table = f"(VALUES ({quoted(columns['d'])}, {quoted(columns['e'])}), (NULL, NULL)) t(d, e) WHERE d IS NOT NULL"
        wanted = oracle(connection, f"SELECT ({text})::VARCHAR")
        if wanted[0] == "internal":
            continue
        errors += wanted[0] == "error"
        for how, sql in [("literals", f"SELECT ({text})::VARCHAR"),
                         ("columns", f"SELECT ({over_columns})::VARCHAR FROM {table}")]:
            found = apus.ask(sql)
            if found[0] == wanted[0] and (found[0] == "error" or found[1] == wanted[1]):
                continue
            if is_intended(text, how, found, wanted):
                continue
            differences += 1
            print(f"-- {number} over {how}\n{sql}\n   DuckDB {wanted[0]}: {wanted[1]}\n   Apus   {found[0]}: {found[1]}")
            break
    print(f"{options.expressions} expressions, {errors} errors on both sides or one, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
