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
    "varying-arguments": functions(".*", ["only DuckDB fails"],
                                   "must be a constant|can only take constant|needs? (to be )?a? ?constant|must be constant"),
    "null-before-checks": functions(".*", ["only DuckDB fails"], "— apus None$"),
    "division-by-zero": functions("divide|fdiv|fmod|mod|multiply", ["differs", "only DuckDB fails"], "(inf|nan|zero)"),
    "exact-quantiles": functions("approx_quantile|reservoir_quantile|(list|array)_approx_quantile"),
    "distinct-estimates": functions("(list_|array_)?approx_count_distinct", ["differs"], "^value"),
    "order-of-elements": functions("(list|array)_(distinct|intersect|unique)", ["differs"], "^value [\"']?\\["),
    "order-of-ties": functions("(arg_?(max|min)|(max|min)_by|arg_(max|min)_nulls_last)", ["differs"], "^value \"?'?\\["),
    "infinite-moments": functions("(list_|array_)?(quantile.*|median|mad|favg|fsum|kahan_sum|sumkahan|regr_.*|kurtosis.*|skewness|corr|covar_.*|var.*|std.*|sem|avg|mean)",
                                  text="(inf|nan|out of range)"),
    "substring-limits": functions("substr.*|(list|array)_(extract|element|slice)|element_at|left.*|right.*", ["only DuckDB fails"],
                                  "outside of supported range"),
    "count-of-nothing": functions("count_?if", ["differs"], "None, apus '0'"),
    "wide-sums": lambda function, verdict, what, sql: function.endswith("sum_no_overflow") or (
        verdict == "only DuckDB fails" and "Overflow in SUM of DECIMAL" in what),
    "typed-null": lambda function, verdict, what, sql: verdict == "differs" and (
        re.match(r'type ("NULL", apus|STRUCT, apus STRUCT\()', what) is not None
        or re.match("date_?part$", function) is not None and what == "type DOUBLE, apus BIGINT" and "CAST(NULL" in sql),
    "whole-eras": functions("date_?(diff|sub|trunc)", ["only apus fails"], "era is no length of time"),
    "zones-by-hours": lambda function, verdict, what, sql: function == "timezone" and (
        "less than 16 hours" in what if verdict == "only apus fails" else verdict == "differs" and "microsecond" in sql),
    "unsigned-differences": functions("subtract|-", ["only apus fails"], "overflow in subtraction of UHUGEINT"),
    "loose-arguments": functions("add|(array|list)_(resize|slice)|cardinality|date_?part|json_quote|strptime|to_json|row_to_json|array_to_json|histogram.*|struct_.*",
                                 ["only apus fails"],
                                 r"no function matches \w+\((.*\[\].*||\w+, .*|.*(BLOB|DECIMAL).*)\);|((STRUCT|a LIST).*, not|no form of) .* DuckDB \(None"),
    "checks-before-null": functions("json_.*|from_json.*|cast_to_type|(array|list)_resize", ["only apus fails"], r"(?s)(there is no cast|Malformed JSON|JSON path|JSON structure).* DuckDB \((None|'\[)"),
    "unsigned-huge": lambda function, verdict, what, sql: "UHUGEINT" in sql and re.search(
        r"^type (SMALLINT|INTEGER|BIGINT|HUGEINT)(\[\d*\])?, apus DOUBLE|Type UINT128 with value .* INT(8|16|32|64)", what) is not None,
    "formats-of-other-types": functions("printf|format", ["only DuckDB fails"], 'Invalid type specifier "[sfFeEgGc]"'),
    "instants-of-nanoseconds": functions("timezone", ["differs"], "type TIMESTAMPTZ_NS, apus TIMESTAMP WITH TIME ZONE"),
    "booleans-as-numbers": functions(
        ".*", ["only DuckDB fails"], "(?s)Cannot (combine types|mix values|deduce template type|unpivot columns).*BOOLEAN"),
    "hive-null": functions("hive_partition_component", ["differs"], "apus None$"),
    "lenient-calendar": functions("make_timestamptz", ["only apus fails", "differs"], r"there is no (date|time) of|value '.*\(BC\)"),
    "negated-limits": functions("subtract|-", ["only apus fails"], "overflow in negation"),
    "missing-groups": functions("regexp_extract_all", ["only apus fails", "only DuckDB fails"], "group"),
    "null-separators": functions("regexp_extract|(list_|array_)?(aggregate|aggr|string_agg)|regexp_split_to_array|string_split_regex|str_split_regex|parse_.*", ["differs"], "apus None$"),
    "far-dates": lambda function, verdict, what, sql: verdict.startswith("only") and re.search(
        "5874897-12-31|290309-12-22|294247|922337203685477580[78]", sql) is not None,
    "interval-means": lambda function, verdict, what, sql: re.fullmatch(
        "(list_|array_)?(avg|mean)|multiply", function) is not None and re.search(
            r"\d:\d\d:\d\d" if verdict == "differs" else "can't be cast .* INT32", what) is not None,
    "interpolated-moments": functions("(list_|array_)?(quantile_cont|median|mad)", ["differs"],
                                      r"\d:\d\d:\d\d|^value '-?\d{15,}\."),
    "signs-of-quantiles": functions("quantile.*", ["only DuckDB fails"], "consistent signs"),
    "digits-of-casts": functions("round|round_even|roundbankers|trunc", ["differs"], "type DECIMAL|value"),
    "exact-remainders": functions("mod", ["only DuckDB fails"], "Overflow in division"),
    "separator-as-text": functions("(list|array)?_?(aggregate|aggr)", ["only DuckDB fails"], "No matching aggregate"),
    "concat-of-null": functions("(list|array)_(cat|concat)", text=r"value '\[\]', apus None|matches \w+\(\);"),
    "nanoseconds-printed": functions("strftime", ["differs"]),
    "empty-rows": functions("row|struct_pack", ["differs", "only DuckDB fails"]),
    "columns-of-rows": functions("unnest", ["differs", "only DuckDB fails"]),
    "least-interval": functions("to_microseconds", ["differs"], "-2562047788"),
    "nice-dates": functions("equi_width_bins"),
    "names-of-expressions": functions("alias", ["differs"]),
    "quoted-fields": lambda function, verdict, what, sql: (
        verdict == "differs" and what.startswith("type ") and what.replace('"', "").split(", apus ")[0][5:]
        == what.replace('"', "").split(", apus ")[1]),
    "hash-values": functions("hash", ["differs"], "^value"),
}
