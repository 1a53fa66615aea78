import Columnar
import Diagnostics

/// Sorted lists. Order and place of the NULLs are texts, 'DESC' and 'NULLS FIRST'.
enum ListSortFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "list_grade_up", aliases: ["array_grade_up", "grade_up"], category: "list",
      summary: "The positions, from 1, of the elements in sorted order.",
      examples: [
        ("list_grade_up([30, 10, 20])", "[2, 3, 1]"),
        ("list_grade_up([30, 10, 20], 'DESC')", "[1, 3, 2]"),
      ],
      overloads: sorting(descending: false, result: { _ in .list(.bigint) }) { a, n, t, order in
        try graded(a, n, t, order)
      }),
    ScalarFunction(
      "list_reverse_sort", aliases: ["array_reverse_sort"], category: "list",
      summary: "The elements in descending order, NULLs last.",
      examples: [
        ("list_reverse_sort([3, 1, NULL, 2])", "[3, 2, 1, NULL]"),
        ("list_reverse_sort([1, NULL, 2], 'NULLS FIRST')", "[NULL, 2, 1]"),
      ],
      overloads: Array(
        sorting(descending: true, result: { $0[0] }) { a, n, t, order in
          try sorted(a, n, t, order)
        }.prefix(2))),
    ScalarFunction(
      "list_sort", aliases: ["array_sort"], category: "list",
      summary: "The elements in ascending or descending order, NULLs last or first.",
      examples: [
        ("list_sort([3, 1, NULL, 2])", "[1, 2, 3, NULL]"),
        ("list_sort([3, 1, NULL, 2], 'DESC', 'NULLS FIRST')", "[NULL, 3, 2, 1]"),
      ],
      overloads: sorting(descending: false, result: { $0[0] }) { a, n, t, order in
        try sorted(a, n, t, order)
      }),
  ]

  struct Order {
    var descending: Bool
    var nullsFirst = false
  }

  private typealias SortKernel =
    @Sendable ([Column], Int, LogicalType, (Int) throws -> Order) throws -> Column

  private static func sorting(
    descending: Bool, result: @escaping @Sendable ([LogicalType]) -> LogicalType,
    _ kernel: @escaping SortKernel
  ) -> [ScalarOverload] {
    let texts: [[TypePattern]] = [
      [], [.exactly(.varchar)], [.exactly(.varchar), .exactly(.varchar)],
    ]
    return texts.map { more in
      ScalarOverload([.anyList] + more, resultFrom: result) { a, n, t in
        let words = a.dropFirst().map { ColumnReader<StringView>($0) }
        return try kernel(a, n, t) { row in
          var order = Order(descending: descending)
          if descending {
            if let nulls = words.first { order.nullsFirst = try isFirst(nulls[row].string) }
            return order
          }
          if let direction = words.first {
            order.descending = try isDescending(direction[row].string)
          }
          if words.count > 1 { order.nullsFirst = try isFirst(words[1][row].string) }
          return order
        }
      }
    }
  }

  private static func isDescending(_ word: String) throws -> Bool {
    switch word.uppercased() {
    case "ASC", "ASCENDING", "DEFAULT": return false
    case "DESC", "DESCENDING": return true
    default: throw SQLError(.invalidInput, "'\(word)' is no order", hint: "write 'ASC' or 'DESC'")
    }
  }

  private static func isFirst(_ word: String) throws -> Bool {
    switch word.uppercased() {
    case "NULLS FIRST": return true
    case "NULLS LAST", "DEFAULT": return false
    default:
      throw SQLError(
        .invalidInput, "'\(word)' is no place for NULLs",
        hint: "write 'NULLS FIRST' or 'NULLS LAST'")
    }
  }

  private static func places(_ entry: ListEntry, _ child: Column, _ order: Order) throws -> [Int] {
    let cancellation = Cancellation.current
    let range = entry.offset..<(entry.offset + entry.length)
    // Stable: equal elements stay in the order of the list.
    let valid = try range.filter { !child.isNull($0) }.sorted { a, b in
      try cancellation.check()
      let found = NestedComparison.compare(child, a, child, b)
      if found != 0 { return order.descending ? found > 0 : found < 0 }
      return a < b
    }
    let nulls = range.filter { child.isNull($0) }
    return order.nullsFirst ? nulls + valid : valid + nulls
  }

  private static func sorted(
    _ a: [Column], _ count: Int, _ type: LogicalType, _ order: (Int) throws -> Order
  ) throws -> Column {
    let child = a[0].children[0]
    switch child.type.physical {
    case .list, .array, .structure: break
    default:
      return try withoutActuallyEscaping(order) {
        try withOrderedType(
          child.type.physical, SimpleSort(arguments: a, count: count, type: type, order: $0))
      }
    }
    let x = ColumnReader<ListEntry>(a[0])
    var picks: [Int] = []
    let result = try Kernels.rows(a, count, type, ListEntry.self) { row in
      picks.append(contentsOf: try places(x[row], child, try order(row)))
      return ListEntry(offset: picks.count - x[row].length, length: x[row].length)
    }
    result.replaceChildren([Column.dictionary(child, Selection(picks)).flattened()])
    return result
  }

  private static func graded(
    _ a: [Column], _ count: Int, _ type: LogicalType, _ order: (Int) throws -> Order
  ) throws -> Column {
    let x = ColumnReader<ListEntry>(a[0])
    let child = a[0].children[0]
    var positions = ColumnBuilder(.bigint, capacity: 64)
    let result = try Kernels.rows(a, count, type, ListEntry.self) { row in
      let start = positions.count
      for place in try places(x[row], child, try order(row)) {
        positions.append(fixed: Int64(place - x[row].offset + 1))
      }
      return ListEntry(offset: start, length: x[row].length)
    }
    result.replaceChildren([positions.finish()])
    return result
  }
}
