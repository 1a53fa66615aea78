import Columnar
import Diagnostics

/// Lists of numbers or timestamps at equal distances. In FROM the same names give rows.
enum SeriesFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "generate_series", category: "list",
      summary: "The numbers or timestamps from start (0) to stop, stop included.",
      examples: [("generate_series(2, 4)", "[2, 3, 4]")], overloads: overloads(isInclusive: true)),
    ScalarFunction(
      "range", category: "list",
      summary: "The numbers or timestamps from start (0) up to but without stop.",
      examples: [("range(3)", "[0, 1, 2]"), ("range(5, 1, -2)", "[5, 3]")],
      overloads: overloads(isInclusive: false)),
  ]

  /// More elements than this in one batch are refused: as rows they would stream.
  private static let largestList = 1 << 31

  private static func overloads(isInclusive: Bool) -> [ScalarOverload] {
    let integers = (1...3).map { count in
      ScalarOverload.taking(
        Array(repeating: .bigint, count: count), returns: .list(.bigint)
      ) { try lists($0, $1, $2, isInclusive: isInclusive) }
    }
    let timestamps = ScalarOverload.taking(
      [.timestamp, .timestamp, .interval], returns: .list(.timestamp)
    ) { try lists($0, $1, $2, isInclusive: isInclusive) }
    let instants = ScalarOverload.taking(
      [.timestampTZ, .timestampTZ, .interval], returns: .list(.timestampTZ)
    ) { try lists($0, $1, $2, isInclusive: isInclusive) }
    return integers + [timestamps, instants]
  }

  private static func lists(
    _ arguments: [Column], _ count: Int, _ type: LogicalType, isInclusive: Bool
  ) throws -> Column {
    let series = try Series.rows(arguments, count, isInclusive: isInclusive)
    var total = 0
    for row in series {
      total += min(row?.count ?? 0, largestList)
      if total >= largestList {
        throw SQLError(
          .outOfMemory, "a list of that many elements is too large",
          hint: "FROM range(…) gives rows one by one")
      }
    }
    try MemoryAllowance.check(total * 8)
    let elements = Column(flat: type.elementType ?? .bigint, count: total)
    let values = elements.values(as: Int64.self)
    let result = Column(flat: type, count: count, children: [elements])
    let entries = result.values(as: ListEntry.self)
    var position = 0
    let cancellation = Cancellation.current
    for (row, own) in series.enumerated() {
      guard let own else {
        entries[row] = ListEntry(offset: 0, length: 0)
        result.setNull(row)
        continue
      }
      entries[row] = ListEntry(offset: position, length: own.count)
      for first in stride(from: 0, to: own.count, by: 1 << 20) {
        try cancellation.check()
        for element in first..<min(own.count, first + 1 << 20) {
          values[position + element] = own[element]
        }
      }
      position += own.count
    }
    return result
  }
}
