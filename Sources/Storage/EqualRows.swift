import Columnar

/// Looks whether any of a few thousand rows can pass `column = integer`. A scan of many columns asks
/// before it slices them all for a batch of which the filter above keeps nothing.
struct EqualRows {
  /// Columns from which a slice of each costs more than the look.
  static let leastColumns = 8

  private let column: Column
  private let wanted: Int64

  /// nil for other conditions, types and encodings.
  init?(_ filter: ScanFilter, _ column: Column) {
    guard case .equal = filter.operator, case .integer(let value) = filter.value,
      let wanted = Int64(exactly: value), column.type.isInteger, column.encoding == .flat,
      column.type.physical == .int32 || column.type.physical == .int64
    else { return nil }
    self.column = column
    self.wanted = wanted
  }

  /// False when no row of the window can pass; NULLs may be counted by what lies in their place.
  func mayPass(_ start: Int, _ count: Int) -> Bool {
    if column.type.physical == .int64 {
      return hits(UnsafePointer(column.values(as: Int64.self)) + start, count, wanted) > 0
    }
    guard let narrow = Int32(exactly: wanted) else { return false }
    return hits(UnsafePointer(column.values(as: Int32.self)) + start, count, narrow) > 0
  }

  @inline(__always)
  private func hits<Value: FixedWidthInteger>(
    _ values: UnsafePointer<Value>, _ count: Int, _ wanted: Value
  ) -> Int {
    var hits = 0
    for row in 0..<count { hits &+= values[row] == wanted ? 1 : 0 }
    return hits
  }
}
