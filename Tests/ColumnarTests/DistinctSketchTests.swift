import Testing

@testable import Columnar

@Suite struct DistinctSketchTests {
  private static func column(_ count: Int, _ value: (Int) -> Int64?) -> Column {
    let column = Column(flat: .bigint, count: count)
    let values = column.values(as: Int64.self)
    for row in 0..<count {
      values[row] = value(row) ?? 0
      if value(row) == nil { column.setNull(row) }
    }
    return column
  }

  /// A sketch of the rows in row groups, as tables have them.
  private static func sketch(_ count: Int, _ value: (Int) -> Int64?) -> DistinctSketch {
    var result = DistinctSketch()
    for start in stride(from: 0, to: count, by: EngineLimits.rowGroupRows) {
      var part = DistinctSketch()
      part.add(column(min(EngineLimits.rowGroupRows, count - start)) { value(start + $0) })
      result.merge(part)
    }
    return result
  }

  private static func scattered(_ row: Int, _ distinct: Int) -> Int64 {
    Int64(Hashing.scattered(UInt64(row) &+ 77) % UInt64(distinct))
  }

  @Test(
    "values drawn at random are counted",
    arguments: [
      (10, 1000), (10, 300_000), (1000, 300_000), (1_000_000, 1_500_000), (50_000, 400_000),
    ]
  )
  func draws(_ distinct: Int, _ rows: Int) {
    var values = Set<Int64>()
    for row in 0..<rows { values.insert(Self.scattered(row, distinct)) }
    let found = Self.sketch(rows) { Self.scattered($0, distinct) }.distinctCount
    #expect(abs(found / Double(values.count) - 1) < 0.25, "\(found) for \(values.count)")
  }

  @Test("keys, and values side by side, are counted", arguments: [1, 4, 100])
  func runs(_ length: Int) {
    for rows in [1000, 8000, 100_000, 1_000_000] {
      let found = Self.sketch(rows) { Int64($0 / length) }.distinctCount
      let wanted = Double((rows + length - 1) / length)
      #expect(abs(found / wanted - 1) < 0.1, "\(found) for \(wanted) of \(rows)")
    }
  }

  @Test("a column looked at whole is off by the error of the registers alone")
  func whole() {
    for distinct in [1, 2, 10, 100, 1000, 3000] {
      let found = Self.sketch(8000) { Int64($0 * 7919 % distinct) }.distinctCount
      #expect(abs(found / Double(distinct) - 1) < 0.08, "\(found) for \(distinct)")
    }
  }

  @Test("parts merged are the whole")
  func merge() {
    var whole = DistinctSketch()
    var parts = DistinctSketch()
    for part in 0..<5 {
      let column = Self.column(8000) { Self.scattered($0 + part * 8000, 20_000) }
      whole.add(column)
      var one = DistinctSketch()
      one.add(column)
      parts.merge(one)
    }
    #expect(parts == whole)
    let again = parts
    parts.merge(DistinctSketch())
    #expect(parts == again)
  }

  @Test("nothing, and nothing but NULL, has no values; NULLs are counted")
  func nulls() {
    #expect(DistinctSketch().distinctCount == 0)
    #expect(DistinctSketch().nullFraction == 0)
    let empty = Self.sketch(500) { _ in nil }
    #expect(empty.distinctCount == 0)
    #expect(empty.nullFraction == 1)
    let some = Self.sketch(100_000) { $0 % 4 == 0 ? nil : Int64($0 % 9) }
    #expect(some.distinctCount.rounded() == 9)
    #expect(abs(some.nullFraction - 0.25) < 0.01)
  }

  @Test("bytes give the sketch back; damaged ones give none")
  func bytes() {
    for (rows, distinct) in [(0, 1), (100, 7), (5000, 4000), (1_000_000, 900_000)] {
      let sketch = Self.sketch(rows) { Self.scattered($0, distinct) }
      let bytes = sketch.bytes
      #expect(bytes.count < 1100)
      guard let read = DistinctSketch(bytes) else {
        Issue.record("no sketch of \(rows) rows")
        continue
      }
      #expect(abs(read.distinctCount - sketch.distinctCount) <= sketch.distinctCount * 0.001)
      #expect(read.bytes == bytes)
      for length in 0..<min(bytes.count, 60) {
        #expect(DistinctSketch(Array(bytes.prefix(length))) == nil)
      }
      #expect(DistinctSketch(bytes + [0]) == nil)
      #expect(DistinctSketch([9] + bytes.dropFirst()) == nil)
      // Whatever the bytes are, nothing traps.
      for position in 0..<bytes.count {
        var damaged = bytes
        damaged[position] ^= 0xFF
        let distinct = DistinctSketch(damaged)?.distinctCount ?? 0
        #expect(distinct >= 0 && distinct.isFinite)
      }
    }
  }
}
