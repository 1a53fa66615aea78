// Functions in FROM that are queries: table macros that every database has.

extension DefaultMacros {
  static let tableRows: [DefaultMacro] = [
    DefaultMacro(
      "histogram_values", "table",
      """
      How many values of a column lie in each of some bins; technique is 'auto', 'equi-width', \
      'equi-width-nice', 'equi-height' or 'sample' (the commonest values).
      """,
      """
      (source, col_name, bin_count := 10, technique := 'auto') AS TABLE \
      WITH bins AS (SELECT CASE WHEN technique = 'sample' OR (technique = 'auto' \
      AND NOT (can_cast_implicitly(min(col_name), NULL::BIGINT) \
      OR can_cast_implicitly(min(col_name), NULL::DOUBLE) \
      OR can_cast_implicitly(min(col_name), NULL::TIMESTAMP))) \
      THEN approx_top_k(col_name, bin_count) \
      WHEN technique = 'equi-height' THEN quantile(col_name, \
      list_transform(generate_series(1, bin_count), lambda n: n / CAST(bin_count AS DOUBLE))) \
      WHEN technique = 'equi-width' \
      THEN equi_width_bins(min(col_name), max(col_name), bin_count, false) \
      WHEN technique IN ('equi-width-nice', 'auto') \
      THEN equi_width_bins(min(col_name), max(col_name), bin_count, true) \
      ELSE error('histogram_values has no technique ' || technique) END AS bins \
      FROM query_table(source)) \
      SELECT unnest(map_keys(found)) AS bin, unnest(map_values(found)) AS count \
      FROM (SELECT CASE WHEN technique = 'sample' OR (technique = 'auto' \
      AND NOT (can_cast_implicitly(min(col_name), NULL::BIGINT) \
      OR can_cast_implicitly(min(col_name), NULL::DOUBLE) \
      OR can_cast_implicitly(min(col_name), NULL::TIMESTAMP))) \
      THEN histogram_exact(col_name, any_value(bins)) ELSE histogram(col_name, any_value(bins)) \
      END AS found FROM query_table(source), bins)
      """,
      examples: [
        ("SELECT * FROM histogram_values('data.csv', age, bin_count := 4)", "")
      ]),
    DefaultMacro(
      "test_all_types", "table",
      "A column of each type, with its least value or an empty one, its greatest or a long one, and NULL.",
      "() AS TABLE SELECT " + sampleColumns.joined(separator: ", "),
      examples: [("SELECT * FROM test_all_types()", "")]),
  ]

  private static func column(_ name: String, _ type: String, _ least: String, _ greatest: String)
    -> String
  {
    "unnest([CAST(\(least) AS \(type)), CAST(\(greatest) AS \(type)), NULL]) AS \"\(name)\""
  }

  private static let mediumLabels = (0..<300).map { "'enum_\($0)'" }.joined(separator: ", ")
  private static let integers = "[42, 999, NULL, NULL, -42]"
  private static let texts = "['🦆🦆🦆🦆🦆🦆', 'goose', NULL, '']"
  private static let fixed = "[NULL, 2, 3]"
  private static let pair = "{'a': 42, 'b': '🦆🦆🦆🦆🦆🦆'}"
  private static let nothing = "{'a': NULL, 'b': NULL}"

  private static let sampleColumns: [String] = [
    column("bool", "BOOLEAN", "false", "true"),
    column("tinyint", "TINYINT", "-128", "127"),
    column("smallint", "SMALLINT", "-32768", "32767"),
    column("int", "INTEGER", "-2147483648", "2147483647"),
    column("bigint", "BIGINT", "'-9223372036854775808'", "9223372036854775807"),
    column(
      "hugeint", "HUGEINT", "'-170141183460469231731687303715884105728'",
      "'170141183460469231731687303715884105727'"),
    column("uhugeint", "UHUGEINT", "0", "'340282366920938463463374607431768211455'"),
    column("utinyint", "UTINYINT", "0", "255"),
    column("usmallint", "USMALLINT", "0", "65535"),
    column("uint", "UINTEGER", "0", "4294967295"),
    column("ubigint", "UBIGINT", "0", "'18446744073709551615'"),
    column("date", "DATE", "'5877642-06-25 (BC)'", "'5881580-07-10'"),
    column("time", "TIME", "'00:00:00'", "'24:00:00'"),
    column(
      "timestamp", "TIMESTAMP", "'290309-12-22 (BC) 00:00:00'", "'294247-01-10 04:00:54.775806'"),
    column(
      "timestamp_s", "TIMESTAMP_S", "'290309-12-22 (BC) 00:00:00'", "'294247-01-10 04:00:54'"),
    column(
      "timestamp_ms", "TIMESTAMP_MS", "'290309-12-22 (BC) 00:00:00'",
      "'294247-01-10 04:00:54.775'"),
    column(
      "timestamp_ns", "TIMESTAMP_NS", "'1677-09-22 00:00:00'", "'2262-04-11 23:47:16.854775806'"),
    column("time_tz", "TIMETZ", "'00:00:00+15:59:59'", "'24:00:00-15:59:59'"),
    column(
      "timestamp_tz", "TIMESTAMPTZ", "'290309-12-22 (BC) 00:00:00+00'",
      "'294247-01-10 04:00:54.775806+00'"),
    column("float", "FLOAT", "'-3.4028235e+38'", "'3.4028235e+38'"),
    column("double", "DOUBLE", "'-1.7976931348623157e+308'", "'1.7976931348623157e+308'"),
    column("dec_4_1", "DECIMAL(4, 1)", "-999.9", "999.9"),
    column("dec_9_4", "DECIMAL(9, 4)", "-99999.9999", "99999.9999"),
    column("dec_18_6", "DECIMAL(18, 6)", "-999999999999.999999", "999999999999.999999"),
    column(
      "dec38_10", "DECIMAL(38, 10)", "'-9999999999999999999999999999.9999999999'",
      "'9999999999999999999999999999.9999999999'"),
    column(
      "uuid", "UUID", "'00000000-0000-0000-0000-000000000000'",
      "'ffffffff-ffff-ffff-ffff-ffffffffffff'"),
    column(
      "interval", "INTERVAL", "'0 days'", "'83 years 3 months 999 days 00:16:39.999999'"),
    column("varchar", "VARCHAR", "'🦆🦆🦆🦆🦆🦆'", "'goo' || chr(0) || 'se'"),
    column("blob", "BLOB", "'thisisalongblob\\x00withnullbytes'", "'\\x00\\x00\\x00a'"),
    column(
      "small_enum", "ENUM('DUCK_DUCK_ENUM', 'GOOSE')", "'DUCK_DUCK_ENUM'", "'GOOSE'"),
    column("medium_enum", "ENUM(\(mediumLabels))", "'enum_0'", "'enum_299'"),
    column("large_enum", "ENUM('enum_0', 'enum_69999')", "'enum_0'", "'enum_69999'"),
    column("int_array", "INTEGER[]", "[]", integers),
    column(
      "double_array", "DOUBLE[]", "[]", "['42.0', 'nan', 'inf', '-inf', NULL, '-42.0']"),
    column(
      "date_array", "DATE[]", "[]",
      "['1970-01-01', 'infinity', '-infinity', NULL, '2022-05-12']"),
    column(
      "timestamp_array", "TIMESTAMP[]", "[]",
      "['1970-01-01', 'infinity', '-infinity', NULL, '2022-05-12 16:23:45']"),
    column(
      "timestamptz_array", "TIMESTAMPTZ[]", "[]",
      "['1970-01-01 00:00:00+00', 'infinity', '-infinity', NULL, '2022-05-12 23:23:45+00']"),
    column("varchar_array", "VARCHAR[]", "[]", texts),
    column(
      "nested_int_array", "INTEGER[][]", "[]", "[[], \(integers), NULL, [], \(integers)]"),
    column("struct", "STRUCT(a INTEGER, b VARCHAR)", nothing, pair),
    column(
      "struct_of_arrays", "STRUCT(a INTEGER[], b VARCHAR[])", nothing,
      "{'a': \(integers), 'b': \(texts)}"),
    column(
      "array_of_structs", "STRUCT(a INTEGER, b VARCHAR)[]", "[]", "[\(nothing), \(pair), NULL]"),
    column(
      "map", "MAP(VARCHAR, VARCHAR)", "MAP {}",
      "MAP {'key1': '🦆🦆🦆🦆🦆🦆', 'key2': 'goose'}"),
    column("fixed_int_array", "INTEGER[3]", fixed, "[4, 5, 6]"),
    column("fixed_varchar_array", "VARCHAR[3]", "['a', NULL, 'c']", "['d', 'e', 'f']"),
    column(
      "fixed_nested_int_array", "INTEGER[3][3]", "[\(fixed), NULL, \(fixed)]",
      "[[4, 5, 6], \(fixed), [4, 5, 6]]"),
    column(
      "fixed_nested_varchar_array", "VARCHAR[3][3]",
      "[['a', NULL, 'c'], NULL, ['a', NULL, 'c']]",
      "[['d', 'e', 'f'], ['a', NULL, 'c'], ['d', 'e', 'f']]"),
    column(
      "fixed_struct_array", "STRUCT(a INTEGER, b VARCHAR)[3]",
      "[\(nothing), \(pair), \(nothing)]", "[\(pair), \(nothing), \(pair)]"),
    column(
      "struct_of_fixed_array", "STRUCT(a INTEGER[3], b VARCHAR[3])",
      "{'a': \(fixed), 'b': ['a', NULL, 'c']}", "{'a': [4, 5, 6], 'b': ['d', 'e', 'f']}"),
    column(
      "fixed_array_of_int_list", "INTEGER[][3]", "[[], \(integers), []]",
      "[\(integers), [], \(integers)]"),
    column(
      "list_of_fixed_int_array", "INTEGER[3][]", "[\(fixed), [4, 5, 6], \(fixed)]",
      "[[4, 5, 6], \(fixed), [4, 5, 6]]"),
  ]
}
