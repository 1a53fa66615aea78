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
    ("histogram", "list_histogram([1, 1, 2])", "{1=2, 2=1}"),
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
    let state = try resolved.makeState()
    state.resize(groups: count)
    let cancellation = Cancellation.current
    let lists = ColumnReader<ListEntry>(list)
    var left = 0
    for row in 0..<count where !lists.isNull(row) { left += lists[row].length }
    var piece = Piece(upTo: left)
    for row in 0..<count where !lists.isNull(row) {
      var first = 0
      while first < lists[row].length {
        first += piece.take(lists[row], row: row, from: first)
        guard piece.isFull else { continue }
        try cancellation.check()
        try piece.add(to: state, resolved, list.children[0], extras)
        left -= piece.count
        piece = Piece(upTo: left)
      }
    }
    return try state.finish(first: 0, count: count).withNulls(of: list)
  }

  /// Elements that the aggregate sees at once: a list of millions is not copied as a whole.
  private struct Piece {
    private static let largest = 1 << 16
    private let places: Selection
    private let groups: Selection
    private(set) var count = 0

    /// Of the elements that are left, or of the first of them.
    init(upTo elements: Int) {
      places = Selection(capacity: min(elements, Piece.largest))
      groups = Selection(capacity: min(elements, Piece.largest))
    }

    var isFull: Bool { count == places.count }

    /// Takes as many elements of a row's list as there is room for, and says how many.
    mutating func take(_ entry: ListEntry, row: Int, from first: Int) -> Int {
      let taken = min(entry.length - first, places.count - count)
      for item in 0..<taken {
        places.indices[count + item] = UInt32(truncatingIfNeeded: entry.offset + first + item)
        groups.indices[count + item] = UInt32(truncatingIfNeeded: row)
      }
      count += taken
      return taken
    }

    func add(
      to state: any AggregateState, _ resolved: ResolvedAggregate, _ child: Column,
      _ extras: [Column]
    ) throws {
      let elements = Column.dictionary(child, places).flattened()
      let values =
        resolved.argumentTypes.isEmpty
        ? [] : [try Cast.column(elements, to: resolved.argumentTypes[0])]
      let more = extras.map { Column.dictionary($0, groups) }
      try withExtendedLifetime(groups) {
        try state.update(values + more, groups: UnsafePointer(groups.indices), count: count)
      }
    }
  }

  private static func needsName() -> SQLError {
    SQLError(
      .binder, "list_aggregate needs the name of an aggregate as a constant",
      hint: "such as list_aggregate(list, 'sum')")
  }
}
