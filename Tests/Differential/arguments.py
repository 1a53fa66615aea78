"""Random arguments by type, and by the place in functions where plain values would say little."""

import re

VALUES = {
    "BOOLEAN": ["true", "false"],
    "TINYINT": ["0", "1", "-1", "7", "127", "-128"],
    "SMALLINT": ["0", "1", "-3", "32767", "-32768"],
    "INTEGER": ["0", "1", "-1", "2", "3", "10", "-7", "100", "2147483647", "-2147483648"],
    "BIGINT": ["0", "1", "-1", "2", "3", "5", "1000", "9223372036854775807", "-9223372036854775808", "2147483648"],
    "HUGEINT": ["0", "1", "-1", "12", "170141183460469231731687303715884105727",
                "-170141183460469231731687303715884105728"],
    "UTINYINT": ["0", "1", "7", "255"], "USMALLINT": ["0", "9", "65535"],
    "UINTEGER": ["0", "3", "4294967295"], "UBIGINT": ["0", "2", "18446744073709551615"],
    "UHUGEINT": ["0", "5", "340282366920938463463374607431768211455"],
    "DOUBLE": ["0", "1", "-1", "0.5", "-2.5", "3", "1e10", "1e300", "-1e-300", "'nan'", "'inf'", "'-inf'", "-0.0"],
    "FLOAT": ["0", "1", "-1", "0.5", "-2.5", "3e38", "'nan'", "'inf'", "'-inf'"],
    "DECIMAL(4,1)": ["0", "1.5", "-2.5", "999.9", "-999.9"],
    "DECIMAL(18,3)": ["0", "1.005", "-12.345", "999999999999999.999"],
    "DECIMAL(38,10)": ["0", "1.5", "-1.0000000001", "9999999999999999999999999999.0"],
    "VARCHAR": ["''", "'a'", "'abc'", "'ABC'", "'äöü'", "'日本語テキスト'", "' pad '", "'a,b,,c'", "'100%'", "'x_y'",
                "'12'", "'-7.5'", "'a longer text of more than twelve bytes'", "'🦆🦆'", "'🤦🏼‍♂️e\u0301'", "'NULL'",
                "'/a/b/c.tar.gz'", "'a.b'", "'2024-02-29'", "'%41%zz'", "repeat('long ', 300)", "chr(10)", "'it''s'"],
    "BLOB": ["''", "'abc'", "'\\xC3\\xA4\\x00'", "'\\xFF\\xFE'", "'a longer blob of bytes'"],
    "DATE": ["'2024-02-29'", "'1970-01-01'", "'1969-12-31'", "'2000-01-03'", "'0001-01-01'", "'9999-12-31'",
             "'2023-12-31'", "'0044-03-15 (BC)'", "'5874897-12-31'"],
    "TIME": ["'00:00:00'", "'23:59:59.999999'", "'12:34:56.5'"],
    "TIMESTAMP": ["'2024-02-29 13:14:15.123456'", "'1970-01-01 00:00:00'", "'1969-12-31 23:59:59.999999'",
                  "'2000-01-01 00:00:00'", "'0001-01-01 00:00:00'", "'9999-12-31 23:59:59'",
                  "'294247-01-10 04:00:54.775806'", "'290309-12-22 (BC) 00:00:00'"],
    "INTERVAL": ["'1 day'", "'-3 months'", "'1 year 2 months 3 days 04:05:06.5'", "'0 days'", "'90 minutes'",
                 "'-1 microsecond'", "'100000 years'", "'30 days'"],
    "TIMESTAMP WITH TIME ZONE": ["'2024-02-29 13:14:15.123456+00'", "'1970-01-01 00:00:00+00'",
                                 "'1969-12-31 23:59:59.999999+00'", "'2000-01-01 12:00:00+02'"],
    "TIME WITH TIME ZONE": ["'00:00:00+00'", "'23:59:59.999999-08'", "'12:34:56.5+05:30'"],
    "TIMESTAMP_S": ["'2024-02-29 13:14:15'", "'1970-01-01 00:00:00'", "'1969-12-31 23:59:59'"],
    "TIMESTAMP_MS": ["'2024-02-29 13:14:15.123'", "'1970-01-01 00:00:00'", "'1969-12-31 23:59:59.999'"],
    "TIMESTAMP_NS": ["'2024-02-29 13:14:15.123456789'", "'1970-01-01 00:00:00'", "'1969-12-31 23:59:59.999999999'"],
    "UUID": ["'00000000-0000-0000-0000-000000000000'", "'ac227128-7d55-7ee0-a765-5025cc52e55a'"],
    "BIT": ["'0'", "'1'", "'10101'", "'000000001111111101'"],
    "JSON": ["'{\"a\": [1, 2, {\"b\": null}]}'", "'[]'", "'\"text\"'", "'1.5'", "'null'"],
}
LISTS = {
    "INTEGER[]": ["[]", "[1]", "[3, 1, 2]", "[1, NULL, 1]", "[NULL]", "[5, 5, 5, 2]"],
    "BIGINT[]": ["[]", "[1, 2]", "[2, NULL, 1]", "[9223372036854775807, 1]"],
    "VARCHAR[]": ["[]", "['a']", "['b', 'ä', NULL]", "['', 'abc', 'abc']"],
    "DOUBLE[]": ["[]", "[1.0, 2.0, 3.0]", "[0.5, -0.5]", "[0.0, 0.0, 0.0]", "[NULL, 2.5]"],
    "FLOAT[]": ["[1.0, 2.0, 3.0]", "[0.5, -0.5, 4.0]", "[0.0, 0.0, 0.0]"],
    "BOOLEAN[]": ["[]", "[true, false, true]", "[NULL, true]"],
    "TIMESTAMP[]": ["[]", "['2024-02-29 13:14:15.123456']", "[NULL, '2000-01-01', '1999-01-01']"],
    "INTEGER[][]": ["[[1, 2], [3]]", "[[], NULL, [1]]", "[]"],
    "BLOB[]": ["[]", "['a', 'b']"],
}
NUMERIC = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
           "UHUGEINT", "DOUBLE", "FLOAT", "DECIMAL(4,1)", "DECIMAL(18,3)", "DECIMAL(38,10)"]
ANY = NUMERIC + ["BOOLEAN", "VARCHAR", "BLOB", "DATE", "TIME", "TIMESTAMP", "INTERVAL", "INTEGER[]", "VARCHAR[]"]

PARTS = ["year", "month", "day", "quarter", "week", "hour", "minute", "second", "decade", "century", "millennium",
         "millisecond", "microsecond", "dow", "isodow", "doy", "isoyear", "yearweek", "epoch", "era", "julian", "weekday",
         "years", "min", "YEAR", "nonsense", ""]
FORMATS = ["%Y-%m-%d", "%d.%m.%y %H:%M", "%j %a %A %b %B", "%p %I:%S", "%x %%", "%Y-%m-%d %H:%M:%S.%f", "%G-W%V-%u", "%U %W",
           "%-d/%-m/%y", "%c", "%n %g", "%s", "%q", ""]
PATTERNS = ["a", "[a-z]+", "(.)(.)", "^a", "c$", "b|ö", "\\d+", ".", "x*", "(?i)ABC", "(", "", "[^,]*", "\\bl", "(?P<n>a)"]
# (functions, position, values): text of the place's own language in most of the calls.
PLACES = [
    (r"date_(part|trunc|diff|sub)|datepart|datetrunc|datediff|datesub", 0, PARTS),
    (r"strftime", 1, FORMATS), (r"strftime", 0, FORMATS), (r"(try_)?strptime", 1, FORMATS),
    (r"(try_)?strptime", 0, ["2024-02-29", "29.02.24 13:14", "060 Thu Thursday Feb February", "PM 01:15", "2024-02-29 13:14:15.5",
                             "2024-W09-4", "nonsense", "", "1709212455"]),
    (r"regexp_.*|string_split_regex|str_split_regex|split_regex", 1, PATTERNS),
    (r"regexp_replace", 2, ["", "x", "<\\0>", "\\2\\1", "\\9", "$1", "ä"]),
    (r"regexp_.*", 3, ["", "g", "i", "gi", "c", "l", "s", "m", "n", "z"]), (r"regexp_(matches|full_match)", 2, ["", "i", "s", "z"]),
    (r"like|ilike|not_i?like(_escape)?|i?like_escape", 1, ["%", "a%", "%b%", "_b_", "", "%ö%", "A%", "%c", "x\\_y"]),
    (r".*like_escape", 2, ["\\", "x", "", "ab"]),
    (r"list_sort|array_sort|list_grade_up|array_grade_up|grade_up", 1, ["ASC", "DESC", "asc", "nonsense"]),
    (r"list_sort|array_sort|list_grade_up|array_grade_up|grade_up|list_reverse_sort|array_reverse_sort", 2,
     ["NULLS FIRST", "NULLS LAST", "nonsense"]),
    (r"(list|array)_reverse_sort", 1, ["NULLS FIRST", "NULLS LAST", "nonsense"]),
    (r"(list|array)_aggr(egate)?|aggregate|aggr", 1, ["sum", "max", "string_agg", "list", "count", "nonsense", "avg"]),
    (r"printf|format", 0, ["%d", "%s|%s", "{}", "{} {}", "%5.2f", "{:>8}", "100%%", "{{}}", "%x", "{0}{0}", ""]),
    (r"unhex|from_hex", 0, ["", "00", "4A6b", "zz", "abc", "C3A4"]), (r"unbin|from_binary", 0, ["", "0", "0110", "12", "111100001"]),
    (r"from_base64|unbase64", 0, ["", "QQ==", "YWJj", "QQ", "*", "w6Q="]),
    (r"url_decode", 0, ["", "a%20b", "%C3%A4", "%zz", "%4", "a+b"]),
    (r"parse_formatted_bytes|formatReadable.*", 0, ["1 KB", "2.5 MiB", "x", "", "7", "1 kib", "3GB"]),
    (r"encode|decode", 1, ["utf8", "latin1", "nonsense"]),
    (r"time_bucket", 0, ["1 month", "7 days", "90 minutes", "1 year", "0 days", "-1 day", "1 month 1 day"]),
    (r"parse_(dirname|dirpath|filename|path)", 0, ["/a/b/c.tar.gz", "a\\b\\c.txt", "", "/", "x", "a/b/", "//a//b"]),
    (r"parse_(dirname|dirpath|filename|path)", 1, ["system", "both_slash", "forward_slash", "backslash", "nonsense"]),
    (r"parse_filename", 2, ["system", "both_slash", "forward_slash", "backslash"]),
    (r"translate|replace", 1, ["", "a", "abc", "ä", ","]), (r"split_part|string_split|str_split|split|string_to_array", 1, ["", ",", "a", "ö", "xx"]),
    (r"bar", 3, ["0", "5", "10", "80.5", "-3"]), (r"equi_width_bins", 2, ["0", "1", "4", "10", "-1", "NULL"]),
    (r"array_slice|list_slice", 3, ["1", "2", "-1", "-2", "0"]),
    (r"make_date|make_timestamp.*", 1, ["1", "2", "12", "13", "0", "-1"]), (r"make_date|make_timestamp.*", 2, ["1", "29", "31", "32", "0"]),
    (r"make_timestamp.*", 3, ["0", "23", "24", "-1"]), (r"make_timestamp.*", 4, ["0", "59", "60"]),
    (r"make_timestamp.*", 5, ["0", "59.5", "60", "59.9999999"]),
    (r"make_time", 0, ["0", "23", "24", "-1"]), (r"make_time", 1, ["0", "59", "60"]), (r"make_time", 2, ["0", "59.5", "60", "-0.5"]),
    (r"path_join", 0, ["a", "/a", "a/", ""]), (r"(list|array)_(resize)", 1, ["0", "1", "3", "7", "-1"]),
    (r"levenshtein|damerau_levenshtein|hamming|jaccard|jaro.*|editdist3|mismatches", 1, ["abc", "abd", "", "ä", "ABC", "hello"]),
    (r"setseed", 0, ["0.5"]), (r"to_base", 1, ["2", "10", "16", "36", "37", "1"]), (r"to_base", 2, ["0", "1", "8", "64", "65", "-1"]),
    (r"approx_quantile|quantile.*|reservoir_quantile", 1, ["0", "0.25", "0.5", "0.9", "1"]),
    (r"reservoir_quantile", 2, ["8192"]),
    (r"round|trunc|round_even|roundbankers", 1, ["0", "1", "2", "-1", "-2", "20", "-20"]),
]
PLACES = [(re.compile(f"(?:{names})$", re.I), position, values) for names, position, values in PLACES]
# Where a huge number would only measure memory.
SIZED = re.compile(r"(repeat|lpad|rpad|range|generate_series|list_resize|array_resize|bar|factorial|left|right|.*_grapheme|"
                   r"min|max|arg_m.*|argm.*|m(in|ax)_by|approx_top_k|equi_width_bins|ntile|gamma|space|binom.*|date_add)$")
SMALL = ["0", "1", "2", "3", "5", "-1", "-2", "10", "17"]
CONSTANT = re.compile(r"(approx_quantile|histogram.*|quantile.*|reservoir_quantile|string_agg|group_concat|listagg|min|max|arg_m.*|argm.*|m.*_by|"
                      r"approx_top_k|equi_width_bins|list_sort|array_sort|list_grade_up|array_grade_up|grade_up|"
                      r"(list|array)_reverse_sort|(list|array)_aggr(egate)?|aggregate|struct_extract.*|"
                      r"regexp_extract.*|parse_.*)$")


class Arguments:
    def __init__(self, apus):
        """Types that Apus does not have are left out."""
        self.types = {**VALUES, **LISTS}
        for name in list(self.types):
            if apus.ask(f"SELECT CAST(NULL AS {name})").error:
                del self.types[name]
        self.any = [t for t in ANY if t in self.types]

    def without_names(self, function, parameters):
        return list(parameters)

    def resolve(self, types, generator):
        """Concrete types for DuckDB's; None where one of them is not there. T and ANY[] hang together."""
        open_type = generator.choice(self.any)
        if any(re.fullmatch(r"[A-Z]\[\]|ANY\[\]|T\[\]", t) for t in types):
            open_type = generator.choice(["INTEGER", "VARCHAR"])
        result = []
        for name in types:
            if name == "ANY":
                # Equal types in most calls.
                name = open_type if generator.random() < 0.7 else generator.choice(self.any)
            elif re.fullmatch(r"[A-Z]", name) or name == "\"NULL\"":
                name = open_type
            elif name in ("ANY[]", "T[]") or re.fullmatch(r"[A-Z]\[\]", name):
                name = open_type + "[]"
            elif name in ("ANY[][]", "T[][]"):
                name = "INTEGER[][]"
            elif name == "DECIMAL":
                name = generator.choice(["DECIMAL(4,1)", "DECIMAL(18,3)", "DECIMAL(38,10)"])
            elif name == "INTEGER_LITERAL":
                name = "INTEGER"
            array = re.fullmatch(r"(FLOAT|DOUBLE)\[(?:ANY|3)\]", name)
            if array:
                result.append(f"{array.group(1)}[3]")
                continue
            if name not in self.types:
                return None
            result.append(name)
        return result

    def is_constant(self, function, position):
        """Whether DuckDB wants a constant there."""
        return function in ("date_part", "datepart", "row", "struct_pack") or position > 0 and CONSTANT.match(function) is not None

    def literal(self, function, position, name, generator, nulls=True):
        if nulls and generator.random() < 0.1:
            return f"CAST(NULL AS {name})"
        if name.endswith("[3]"):
            return f"CAST([1.0, {generator.choice(['2', '0', '-1'])}, {generator.choice(['3.5', '0'])}] AS {name})"
        values = self.types[name]
        if re.match(r"range|generate_series", function) and name in ("DATE", "TIMESTAMP"):
            values = ["'2000-01-03'", "'2000-01-01'", "'1999-12-31'"]
        if re.match(r"date_?part", function) and name == "VARCHAR[]":
            return "['year', 'day']"
        place = next((v for names, at, v in PLACES if at == position and names.match(function)), None)
        text = None
        if place and generator.random() < 0.8:
            text = generator.choice(place)
            if name in ("VARCHAR", "BLOB", "INTERVAL"):
                text = "'" + text.replace("'", "''") + "'"
            elif not re.fullmatch(r"-?[\d.]+", text):
                text = None
            elif name in NUMERIC[:10] and "." in text:
                text = None
        if text is None and SIZED.match(function) and name in ("INTEGER", "BIGINT", "SMALLINT"):
            text = generator.choice(SMALL)
        if text is None:
            text = generator.choice(values)
        return text if name in ("VARCHAR",) else f"CAST({text} AS {name})"
