import Columnar
import Diagnostics

/// Lists of numbers and moments that are evenly apart, and bins.
enum SeriesFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "generate_series", category: "list",
      summary: "A list from start (0) to stop, stop included, by steps (of 1).",
      examples: [
        ("generate_series(1, 3)", "[1, 2, 3]"), ("generate_series(5, 1, -2)", "[5, 3, 1]"),
      ],
      overloads: series(includesStop: true)),
    ScalarFunction(
      "range", category: "list",
      summary: "A list from start (0) up to but without stop, by steps (of 1).",
      examples: [("range(3)", "[0, 1, 2]"), ("range(1, 10, 4)", "[1, 5, 9]")],
      overloads: series(includesStop: false)),
  ]

  private static func series(includesStop: Bool) -> [ScalarOverload] {
    let numbers: ScalarOverload.Kernel = { a, n, t in try integers(a, n, t, includesStop) }
    return [
      .taking([.bigint], returns: .list(.bigint), numbers),
      .taking([.bigint, .bigint], returns: .list(.bigint), numbers),
      .taking([.bigint, .bigint, .bigint], returns: .list(.bigint), numbers),
      .taking([.timestamp, .timestamp, .interval], returns: .list(.timestamp)) { a, n, t in
        try moments(a, n, t, includesStop)
      },
    ]
  }

  private static func integers(
    _ a: [Column], _ count: Int, _ type: LogicalType, _ includesStop: Bool
  ) throws -> Column {
    let readers = a.map { ColumnReader<Int64>($0) }
    var items = ColumnBuilder(.bigint, capacity: 64)
    let result = try Kernels.rows(a, count, type, ListEntry.self) { row in
      let first = readers.count == 1 ? 0 : readers[0][row]
      let stop = readers.count == 1 ? readers[0][row] : readers[1][row]
      let step = readers.count == 3 ? readers[2][row] : 1
      let begin = items.count
      if step == 0 || (step > 0 ? first > stop : first < stop) {
        return ListEntry(offset: begin, length: 0)
      }
      let distance = (Int128(stop) - Int128(first)).magnitude
      let width = UInt128(step.magnitude)
      var length = distance / width + 1
      if !includesStop, distance % width == 0 { length -= 1 }
      try ListKernels.checkRoom(begin, Int(clamping: length))
      var value = first
      for _ in 0..<Int(length) {
        items.append(fixed: value)
        value &+= step
      }
      return ListEntry(offset: begin, length: Int(length))
    }
    result.replaceChildren([items.finish()])
    return result
  }

  private static func moments(
    _ a: [Column], _ count: Int, _ type: LogicalType, _ includesStop: Bool
  ) throws -> Column {
    let (from, to) = (ColumnReader<Int64>(a[0]), ColumnReader<Int64>(a[1]))
    let steps = ColumnReader<Interval>(a[2])
    var items = ColumnBuilder(.timestamp, capacity: 64)
    let result = try Kernels.rows(a, count, type, ListEntry.self) { row in
      let (stop, step) = (to[row], steps[row])
      let begin = items.count
      let parts = [Int64(step.months), Int64(step.days), step.microseconds]
      let goesUp = parts.contains { $0 > 0 }
      let goesDown = parts.contains { $0 < 0 }
      if goesUp && goesDown { throw mixedSigns() }
      if !goesUp && !goesDown { return ListEntry(offset: begin, length: 0) }
      var moment = from[row]
      while goesUp ? moment < stop : moment > stop {
        items.append(fixed: moment)
        try ListKernels.checkRoom(items.count, 1)
        guard let next = Calendar.add(step, toTimestamp: moment) else {
          throw TemporalArithmetic.outOfRange(.timestamp)
        }
        moment = next
      }
      if includesStop && moment == stop { items.append(fixed: moment) }
      return ListEntry(offset: begin, length: items.count - begin)
    }
    result.replaceChildren([items.finish()])
    return result
  }

  private static func mixedSigns() -> SQLError {
    SQLError(.invalidInput, "a step must go one way: its parts have different signs")
  }
}
