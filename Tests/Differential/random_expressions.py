#!/usr/bin/env python3
"""Random scalar expressions, answered by Apus and by DuckDB (from PyPI), side by side.

    python random_expressions.py --apus .build/release/apus --expressions 5000 --seed 1

Each expression is a function or an operator over random arguments of its types: NULLs, extremes,
empty strings, text of several bytes a character. It is made from the seed alone, and evaluated
twice in Apus: over literals (folded by the planner) and over columns of a table (by the kernels).
The three texts must be equal; doubles may differ in their last digits. An error on both sides
counts as equal. Every difference is printed; the exit status is 1 if there was one. What is meant
to differ (docs/dialect.md) is not generated.
"""

import argparse
import json
import math
import random
import subprocess
import sys

import duckdb

VALUES = {
    "tinyint": ["0", "1", "-1", "7", "127", "-128"],
    "smallint": ["0", "1", "-3", "32767", "-32768"],
    "integer": ["0", "1", "-1", "2", "3", "10", "-7", "100", "2147483647", "-2147483648"],
    "bigint": ["0", "1", "-1", "5", "1000", "9223372036854775807", "-9223372036854775808"],
    "hugeint": ["0", "1", "-1", "170141183460469231731687303715884105727"],
    "utinyint": ["0", "1", "255"], "usmallint": ["0", "9", "65535"],
    "uinteger": ["0", "3", "4294967295"], "ubigint": ["0", "2", "18446744073709551615"],
    "double": ["0", "1", "-1", "0.5", "-2.5", "1e10", "1e300", "-1e-300", "3.25", "100"],
    "float": ["0", "1", "-1", "0.5", "-2.5", "1e10", "3.25"],
    "decimal(4,1)": ["0", "1.5", "-2.5", "999.9", "-999.9"],
    "decimal(18,3)": ["0", "1.005", "-12.345", "999999999999999.999"],
    "decimal(38,10)": ["0", "1.5", "-1.0000000001"],
    "varchar": ["''", "'a'", "'abc'", "'ABC'", "'äöü'", "'日本語テキスト'", "' pad '", "'a,b,,c'",
                "'100%'", "'x_y'", "'12'", "'a longer text of more than twelve bytes'", "'🦆🦆'", "'NULL'"],
    "boolean": ["true", "false"],
    "date": ["DATE '2024-02-29'", "DATE '1970-01-01'", "DATE '1969-12-31'", "DATE '2000-01-03'",
             "DATE '0001-01-01'", "DATE '9999-12-31'", "DATE '2023-12-31'"],
    "time": ["TIME '00:00:00'", "TIME '23:59:59.999999'", "TIME '12:34:56.5'"],
    "timestamp": ["TIMESTAMP '2024-02-29 13:14:15.123456'", "TIMESTAMP '1970-01-01 00:00:00'",
                  "TIMESTAMP '1969-12-31 23:59:59.999999'", "TIMESTAMP '2000-01-01 00:00:00'",
                  "TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59'"],
    "interval": ["INTERVAL '1 day'", "INTERVAL '-3 months'", "INTERVAL '1 year 2 months 3 days 04:05:06.5'",
                 "INTERVAL '0 days'", "INTERVAL '90 minutes'"],
    "blob": ["''::BLOB", "'abc'::BLOB", "'\\xC3\\xA4\\x00'::BLOB"],
    "integer[]": ["[]::INTEGER[]", "[1]", "[3, 1, 2]", "[1, NULL, 1]", "[NULL]::INTEGER[]", "[5, 5, 5, 2]"],
    "varchar[]": ["[]::VARCHAR[]", "['a']", "['b', 'ä', NULL]", "['', 'abc', 'abc']"],
    "double[]": ["[1.0, 2.0]::DOUBLE[]", "[0.5, -0.5]::DOUBLE[]", "[0.0, 0.0]::DOUBLE[]"],
    "integer[][]": ["[[1, 2], [3]]", "[[], NULL, [1]]::INTEGER[][]", "[]::INTEGER[][]"],
    "struct(a integer, b varchar)": ["{'a': 1, 'b': 'x'}", "{'a': NULL, 'b': 'ä'}"],
    "format": ["'%Y-%m-%d'", "'%d.%m.%y %H:%M'", "'%j %a %A %b %B'", "'%p %I:%S'", "'%x %%'"],
    "part": ["'year'", "'month'", "'day'", "'quarter'", "'week'", "'hour'", "'minute'", "'second'",
             "'decade'", "'century'", "'millennium'", "'millisecond'", "'microsecond'"],
    "daypart": ["'dow'", "'isodow'", "'doy'", "'isoyear'", "'yearweek'", "'epoch'", "'era'"],
    "small": ["0", "1", "2", "3", "5", "-1", "-2", "10"],
    "digits": ["0", "1", "2", "-1", "-2"],
    "pattern": ["'%'", "'a%'", "'%b%'", "'_b_'", "''", "'%ö%'", "'A%'", "'%c'", "'x\\_y'"],
    "glob": ["'*'", "'a*'", "'?bc'", "'[a-c]*'", "'[!a]*'", "''", "'*ö*'"],
    "regex": ["'a'", "'[a-z]+'", "'(.)(.)'", "'^a'", "'c$'", "'b|ö'", "'\\d+'", "'.'", "'x*'"],
    "needle": ["'a'", "'b'", "','", "'ö'", "'abc'", "' '"],
    "quantity": ["0", "1", "3", "7"],
    "base": ["2", "8", "16", "36"],
    "width": ["INTERVAL 1 MONTH", "INTERVAL 7 DAY", "INTERVAL 90 MINUTE", "INTERVAL 1 YEAR"],
    "direction": ["'ASC'", "'DESC'"], "nulls": ["'NULLS FIRST'", "'NULLS LAST'"],
}
PARAMETERS = {"format", "part", "daypart", "small", "digits", "pattern", "glob", "regex", "needle", "base",
              "quantity", "width", "direction", "nulls"}
INTEGERS = ["tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint"]
SIGNED = ["tinyint", "smallint", "integer", "bigint", "hugeint", "double", "float", "decimal(4,1)", "decimal(18,3)"]
DECIMALS = ["decimal(4,1)", "decimal(18,3)", "decimal(38,10)"]
NUMBERS = INTEGERS + DECIMALS + ["double", "float"]
MOMENTS = ["date", "timestamp"]
PLAIN = NUMBERS + ["varchar", "boolean", "date", "time", "timestamp", "interval", "blob"]
LISTS = ["integer[]", "varchar[]"]
ANY = PLAIN + LISTS + ["struct(a integer, b varchar)"]
TEXT = ["varchar"]

# A template's {0}, {1} … stand for arguments of the kinds that follow; "=0" is the kind of argument 0.
TEMPLATES = []


def add(kinds, *templates):
    for template in templates:
        TEMPLATES.append((template, [kind if isinstance(kind, list) else [kind] for kind in kinds]))


def functions(kinds, *names):
    for name in names:
        add(kinds, f"{name}({', '.join('{%d}' % index for index in range(len(kinds)))})")


add([NUMBERS, NUMBERS], "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} = {1}", "{0} < {1}", "{0} >= {1}",
    "{0} <> {1}", "{0} IS DISTINCT FROM {1}", "{0} BETWEEN {1} AND {0}", "{0} IN ({1}, {0})")
add([NUMBERS, NUMBERS], "{0} / nullif({1}, 0)")
add([INTEGERS, INTEGERS], "{0} // nullif({1}, 0)", "{0} % nullif({1}, 0)", "{0} & {1}", "{0} | {1}",
    "xor({0}, {1})")
add([["integer", "bigint"], "small"], "{0} << {1}", "{0} >> {1}")
add([SIGNED], "-{0}", "typeof(-{0})")
add([NUMBERS], "+{0}", "typeof({0})")
add([NUMBERS, NUMBERS], "typeof({0} + {1})", "typeof({0} * {1})", "typeof(coalesce({0}, {1}))", "typeof([{0}, {1}])",
    "coalesce({0}, {1})", "greatest({0}, {1})", "least({0}, {1})", "nullif({0}, {1})",
    "CASE WHEN {0} > {1} THEN {0} ELSE {1} END", "[{0}, {1}]")
functions([NUMBERS], "abs", "sign", "ceil", "floor", "round", "trunc")
functions([NUMBERS, "digits"], "round", "trunc")
functions([INTEGERS], "bit_count", "even", "factorial")
functions([["double", "integer"]], "sqrt", "cbrt", "exp", "ln", "log", "log2", "log10", "sin", "cos", "tan", "asin", "acos",
          "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "degrees", "radians", "gamma", "lgamma",
          "isnan", "isinf", "isfinite", "signbit", "cot")
functions([["double"], ["double"]], "pow", "atan2", "nextafter")
functions([["bigint", "integer"], ["bigint", "integer"]], "gcd", "lcm")
functions([["bigint"], "base"], "to_base")
functions([["bigint", "hugeint", "varchar"]], "hex", "bin")
add([ANY], "{0} IS NULL", "{0} IS NOT NULL", "typeof({0})", "[{0}]", "{{'f': {0}}}", "coalesce(NULL, {0})",
    "hash({0}) = hash({0})", "{0} IS NOT DISTINCT FROM NULL", "list_value({0}, NULL)", "row({0}, 1)")
for kind in ANY:
    add([kind, kind], "{0} = {1}", "{0} < {1}", "{0} IS DISTINCT FROM {1}", "greatest({0}, {1})", "[{0}, {1}]",
        "list_sort([{0}, {1}])", "coalesce({0}, {1})", "list_contains([{0}], {1})", "nullif({0}, {1})",
        "{0} IN ({1}, {0})", "CASE {0} WHEN {1} THEN 'same' ELSE 'other' END", "{0} <= {1}")
for kind in PLAIN:
    add([kind], "{0}::VARCHAR", "TRY_CAST({0} AS VARCHAR)")
for kind in NUMBERS + ["boolean"]:
    add([NUMBERS + ["boolean"]], "TRY_CAST({0} AS %s)" % kind.upper())
for kind in NUMBERS + ["boolean", "date", "time", "timestamp", "interval", "integer[]"]:
    add([TEXT], "TRY_CAST({0} AS %s)" % kind.upper())
functions([TEXT], "upper", "lower", "length", "strlen", "reverse", "trim", "ltrim", "rtrim", "ascii", "unicode", "md5",
          "sha1", "sha256", "to_base64", "bit_length", "strip_accents", "nfc_normalize", "url_encode", "url_decode",
          "length_grapheme", "encode", "parse_filename", "parse_dirname", "parse_path", "regexp_escape", "hex")
functions([TEXT, "small"], "left", "right", "substring", "left_grapheme", "right_grapheme")
functions([TEXT, "quantity"], "repeat")
functions([TEXT, "small", "small"], "substring", "substring_grapheme", "list_slice", "array_slice")
add([TEXT, "small"], "{0}[{1}]", "{0}[{1}:]", "{0}[:{1}]")
functions([TEXT, TEXT], "contains", "starts_with", "ends_with", "strpos", "concat", "levenshtein", "damerau_levenshtein",
          "jaro_similarity", "jaro_winkler_similarity", "string_split", "trim", "ltrim", "rtrim")
add([TEXT, TEXT], "{0} || {1}", "concat_ws('-', {0}, {1})", "{0} COLLATE NOCASE = {1}", "{0} < {1}")
functions([TEXT, "needle", TEXT], "replace", "translate")
functions([TEXT, "needle", "small"], "split_part")
functions([TEXT, "quantity", "needle"], "lpad", "rpad")
add([TEXT, "pattern"], "{0} LIKE {1}", "{0} ILIKE {1}", "{0} NOT LIKE {1}", "{0} LIKE {1} ESCAPE '\\'")
add([TEXT, "glob"], "{0} GLOB {1}")
functions([TEXT, "regex"], "regexp_matches", "regexp_full_match", "regexp_extract", "regexp_extract_all",
          "string_split_regex")
add([TEXT, "regex", TEXT], "regexp_replace({0}, {1}, '<\\0>')", "regexp_replace({0}, {1}, '-', 'g')")
add([TEXT, TEXT, "small"], "overlay({0}, {1}, {2})")
add([["integer"], TEXT], "printf('%05d|%-4s|', {0}, {1})", "format('{{}}|{{}}', {0}, {1})")
add([["double"]], "printf('%.2f|%8.3e', {0}, {0})", "format('{{:.3f}}', {0})")
functions([["bigint"]], "format_bytes")
add([["bigint"]], "format('{{:,}}', {0})")
functions([MOMENTS], "year", "month", "day", "quarter", "week", "dayofweek", "isodow", "dayofyear", "dayname", "monthname",
          "last_day", "yearweek", "isoyear", "era", "century", "decade", "millennium", "epoch", "epoch_ms", "epoch_us",
          "julian", "days_in_month")
functions([["timestamp", "time", "interval"]], "hour", "minute", "second", "millisecond", "microsecond")
functions(["part", MOMENTS], "date_part", "date_trunc")
functions(["daypart", MOMENTS], "date_part")
functions(["part", "interval"], "date_part", "date_trunc")
for kind in MOMENTS:
    functions(["part", kind, kind], "date_diff", "date_sub")
    functions([kind, kind], "age")
    add([kind, kind], "{0} - {1}")
    add(["width", kind], "time_bucket({0}, {1})")
    add([kind, "format"], "strftime({0}, {1})")
    add([kind, "interval"], "{0} + {1}", "{0} - {1}")
add([["date"], "small"], "{0} + {1}", "{0} - {1}")
add([["time"], ["interval"]], "{0} + {1}", "{0} - {1}")
add([["date"], ["time"]], "{0} + {1}")
add([["interval"], ["interval"]], "{0} + {1}", "{0} - {1}")
add([["interval"], "small"], "{0} * {1}")
add([["interval"]], "-{0}", "epoch({0})", "normalized_interval({0}) = {0}")
add([["timestamp"]], "{0}::DATE", "{0}::TIME", "{0}::VARCHAR")
add([["small"], ["small"], ["small"]], "make_date(2000 + {0}, 1 + abs({1}), 1 + abs({2}))")
add([LISTS], "list_sort(list_distinct({0}))")
functions([LISTS], "len", "list_unique", "list_reverse", "list_sort", "list_reverse_sort", "list_grade_up",
          "list_min", "list_max", "list_count", "list_first", "list_last", "list_mode", "list_any_value", "array_pop_back",
          "array_pop_front", "list_string_agg", "list_entropy")
functions([["integer[]"]], "list_sum", "list_avg", "list_median", "list_product", "list_var_samp", "list_stddev_pop", "list_bit_and",
          "list_bit_or", "list_sem", "list_mad", "list_skewness", "list_kurtosis_pop")
for kind in LISTS:
    functions([kind, kind], "list_concat", "list_has_any", "list_has_all", "list_zip")
    add([kind, kind], "{0} || {1}", "list_sort(list_intersect({0}, {1}))", "{0} <@ {1}", "{0} && {1}")
    add([kind, kind[:-2]], "list_append({0}, {1})", "list_prepend({1}, {0})", "list_contains({0}, {1})",
        "list_position({0}, {1})", "list_resize({0}, 3, {1})")
functions([LISTS, "small"], "list_extract")
functions([LISTS, "quantity"], "list_resize")
functions([LISTS, "small", "small"], "list_slice")
add([LISTS, "small"], "{0}[{1}]", "{0}[{1}:]", "{0}[:{1}]", "{0}[{1}:{1}]")
add([LISTS, "small", "small"], "{0}[{1}:{2}:2]", "{0}[{1}:{2}:-1]")
functions([LISTS, "direction"], "list_sort")
functions([LISTS, "direction", "nulls"], "list_sort", "list_grade_up")
add([LISTS], "{0}::VARCHAR", "array_to_string({0}, '-')", "list_where({0}, [true, false, true])",
    "list_select({0}, [2, 1])", "list_aggregate({0}, 'max')", "list_aggregate({0}, 'string_agg', '|')")
functions([["integer[][]"]], "flatten", "len")
functions([["double[]"], ["double[]"]], "list_distance", "list_cosine_similarity", "list_inner_product", "list_cosine_distance")
functions(["small", "small"], "range", "generate_series")
add(["small", "small", "digits"], "range({0}, {1}, {2})", "generate_series({0}, {1}, {2})")
add([["struct(a integer, b varchar)"]], "{0}.a", "{0}['b']", "struct_keys({0})", "struct_values({0})", "{0}::VARCHAR",
    "struct_insert({0}, c := 1)", "struct_update({0}, a := 'z')", "struct_extract({0}, 'a')")
add([["boolean"], ["boolean"]], "{0} AND {1}", "{0} OR {1}", "NOT {0}", "{0} IS TRUE", "{0} IS NOT FALSE", "{0} = {1}",
    "if({0}, 1, 2)")
functions([["blob"]], "octet_length", "md5", "to_base64", "hex", "decode")
add([["double"], ["double"], ["double"]], "bar({0}, -10, 10, 5)", "greatest({0}, {1}, {2})")

def literal(kind, text):
    if text == "NULL":
        return f"NULL::{kind.upper()}"
    if kind in NUMBERS:
        return f"({text})::{kind.upper()}"
    return text


def make(generator):
    """An expression: its text over literals, its text over columns, and the columns' definitions."""
    template, kinds = generator.choice(TEMPLATES)
    literals, names, columns = [], [], []
    for index, options in enumerate(kinds):
        kind = generator.choice(options)
        if kind in PARAMETERS:
            text = generator.choice(VALUES[kind])
            literals.append(text)
            names.append(text)
            continue
        text = "NULL" if generator.random() < 0.1 else generator.choice(VALUES[kind])
        value = literal(kind, text)
        if value[0] == "-" or "::" in value:
            value = f"({value})"
        literals.append(value)
        names.append(f"c{index}")
        columns.append((f"c{index}", kind, literal(kind, text)))
    return template.format(*literals), template.format(*names), columns


class Apus:
    def __init__(self, program):
        self.program = program
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.program, "--protocol", "jsonl"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def value(self, sql):
        """('value', text or None), ('error', message) or ('crash', '')."""
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.start()
            return ("crash", "")
        answer = json.loads(line)
        if "error" in answer:
            return ("error", answer["error"])
        return ("value", answer["rows"][0][0])


def duck_value(connection, sql):
    try:
        return ("value", connection.execute(sql).fetchone()[0])
    except duckdb.Error as error:
        return ("error", str(error).split("\n")[0])


def same(a, b):
    b = (b[0], "nan") if b[1] == "-nan" else b
    if a[0] != b[0]:
        return False
    if a[0] == "error" or a[1] == b[1]:
        return a[0] != "crash"
    if a[1] is None or b[1] is None:
        return False
    try:
        x, y = float(a[1]), float(b[1])
    except ValueError:
        return same_parts(a[1], b[1])
    if "." not in a[1] + b[1] and "e" not in a[1] + b[1]:
        return False
    return math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-300) or (x != x and y != y)


def same_parts(a, b):
    """Lists of doubles."""
    if not (a.startswith("[") and b.startswith("[")):
        return False
    left, right = a.strip("[]").split(", "), b.strip("[]").split(", ")
    if len(left) != len(right):
        return False
    for x, y in zip(left, right):
        if x != y:
            try:
                if not math.isclose(float(x), float(y), rel_tol=1e-12):
                    return False
            except ValueError:
                return False
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", default=".build/release/apus")
    parser.add_argument("--expressions", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="templates that contain this text")
    arguments = parser.parse_args()
    if arguments.only:
        TEMPLATES[:] = [entry for entry in TEMPLATES if arguments.only in entry[0]]
    generator = random.Random(arguments.seed)
    apus = Apus(arguments.apus)
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    differences = 0
    for _ in range(arguments.expressions):
        folded, general, columns = make(generator)
        query = f"SELECT CAST(({folded}) AS VARCHAR)"
        expected = duck_value(connection, query)
        answers = [(query, apus.value(query))]
        if columns:
            names = ", ".join(name for name, _, _ in columns)
            values = ", ".join(value for _, _, value in columns)
            # DISTINCT keeps the planner from folding the values into the expression.
            query = f"SELECT CAST(({general}) AS VARCHAR) FROM (SELECT DISTINCT * FROM (VALUES ({values})) v({names}))"
            answers.append((query, apus.value(query)))
        for query, answer in answers:
            if not same(answer, expected):
                differences += 1
                print(f"{query}\n    apus   {answer[0]}: {answer[1]}\n    duckdb {expected[0]}: {expected[1]}")
                break
    print(f"{arguments.expressions} expressions, seed {arguments.seed}: {differences} differences")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
