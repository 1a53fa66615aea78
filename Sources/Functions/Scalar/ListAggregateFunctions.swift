import Columnar
import Diagnostics

/// Aggregates over the elements of each list: list_aggregate takes the aggregate's name,
/// list_sum and its like have it in their own.
enum ListAggregateFunctions {
  static let rows: [ScalarFunction] =
    [
      ScalarFunction(
        "list_aggregate", aliases: ["list_aggr", "aggregate", "array_aggregate", "array_aggr"],
        category: "list",
        summary: "An aggregate, given by its name, over the elements of the list.",
        examples: [
          ("list_aggregate([1, 2, NULL], 'sum')", "3"),
          ("list_aggregate(['a', 'b'], 'string_agg', '-')", "a-b"),
        ],
        forms: [FunctionForm("LIST", "VARCHAR", more: "ANY", gives: "what the aggregate gives")],
        signature: { arguments in
          guard arguments.count >= 2 else { throw needsName() }
          guard let name = arguments[1].text else { throw needsName() }
          return try overload(
            name, list: arguments[0].type, more: arguments.dropFirst(2).map(\.type), hasName: true)
        })
    ]
    + named.map { name, expression, result in
      ScalarFunction(
        "list_\(name)", aliases: ["array_\(name)"], category: "list",
        summary: "The aggregate \(name) over the elements of the list.",
        examples: [(expression, result)],
        forms: [FunctionForm("LIST", more: "ANY", gives: "what \(name) gives")],
        signature: { arguments in
          guard let list = arguments.first else { return nil }
          return try overload(
            name, list: list.type, more: arguments.dropFirst().map(\.type), hasName: false)
        })
    }

  private static let named: [(String, String, String)] = [
    ("any_value", "list_any_value([NULL, 7])", "7"),
    ("approx_count_distinct", "list_approx_count_distinct([1, 1, 2])", "2"),
    ("avg", "list_avg([1, 2, NULL])", "1.5"),
    ("bit_and", "list_bit_and([7, 3])", "3"),
    ("bit_or", "list_bit_or([1, 2])", "3"),
    ("bit_xor", "list_bit_xor([1, 3])", "2"),
    ("bool_and", "list_bool_and([true, false])", "false"),
    ("bool_or", "list_bool_or([true, false])", "true"),
    ("count", "list_count([1, NULL])", "1"),
    ("entropy", "list_entropy([1, 2])", "1.0"),
    ("first", "list_first([4, 5])", "4"),
    ("kurtosis", "list_kurtosis([1, 2, 3, 4])", "-1.200000000000001"),
    ("kurtosis_pop", "list_kurtosis_pop([1, 2])", "-2.0"),
    ("last", "list_last([4, 5])", "5"),
    ("mad", "list_mad([1, 2, 9])", "1.0"),
    ("median", "list_median([1, 2, 9])", "2.0"),
    ("mode", "list_mode([1, 2, 2])", "2"),
    ("product", "list_product([2, 3])", "6.0"),
    ("sem", "list_sem([2, 2])", "0.0"),
    ("skewness", "list_skewness([1, 2, 3])", "0.0"),
    ("stddev_pop", "list_stddev_pop([1, 3])", "1.0"),
    ("stddev_samp", "list_stddev_samp([1, 2, 3])", "1.0"),
    ("string_agg", "list_string_agg(['a', 'b'])", "a,b"),
    ("sum", "list_sum([1, 2, NULL])", "3"),
    ("var_pop", "list_var_pop([1, 3])", "1.0"),
    ("var_samp", "list_var_samp([1, 2, 3])", "1.0"),
  ]

  private static func overload(
    _ name: String, list: LogicalType, more: [LogicalType], hasName: Bool
  ) throws -> (overload: ScalarOverload, types: [LogicalType]) {
    guard let element = list == .null ? .null : list.elementType else {
      throw SQLError(.binder, "a list is needed, not \(list)")
    }
    let resolved = try Aggregates.resolve(name: name, arguments: [element] + more)
    let overload = ScalarOverload(
      [.any], variadic: .any, returns: resolved.resultType,
      kernel: { arguments, count, type in
        let extras = Array(arguments.dropFirst(hasName ? 2 : 1))
        return try aggregated(resolved, arguments[0], extras, count)
      })
    let types = [.list(element)] + (hasName ? [.varchar] : []) + resolved.argumentTypes.dropFirst()
    return (overload, types)
  }

  /// Every row is a group, every element a row.
  private static func aggregated(
    _ resolved: ResolvedAggregate, _ list: Column, _ extras: [Column], _ count: Int
  ) throws -> Column {
    let reader = ColumnReader<ListEntry>(list)
    var total = 0
    for row in 0..<count where !reader.isNull(row) { total += reader[row].length }
    let picks = Selection(capacity: total)
    let groups = Selection(capacity: total)
    var position = 0
    for row in 0..<count where !reader.isNull(row) {
      for item in 0..<reader[row].length {
        picks.indices[position] = UInt32(truncatingIfNeeded: reader[row].offset + item)
        groups.indices[position] = UInt32(truncatingIfNeeded: row)
        position += 1
      }
    }
    let state = try resolved.makeState()
    state.resize(groups: count)
    if total > 0 {
      let elements = Column.dictionary(list.children[0], picks).flattened()
      let values =
        resolved.argumentTypes.isEmpty
        ? [] : [try Cast.column(elements, to: resolved.argumentTypes[0])]
      let more = extras.map { Column.dictionary($0, groups) }
      try state.update(values + more, groups: UnsafePointer(groups.indices), count: total)
    }
    return try withExtendedLifetime((picks, groups)) {
      try state.finish(first: 0, count: count).withNulls(of: list)
    }
  }

  private static func needsName() -> SQLError {
    SQLError(
      .binder, "list_aggregate needs the name of an aggregate as a constant",
      hint: "such as list_aggregate(list, 'sum')")
  }
}
