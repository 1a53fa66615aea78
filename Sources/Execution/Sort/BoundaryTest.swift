import Columnar

/// Which rows do not come behind one value in the order of a sort key.
struct BoundaryTest: Sendable {
  /// One row.
  let worst: Column
  let descending: Bool
  let nullsFirst: Bool
  /// Whether rows with that value pass.
  let keepsTies: Bool

  /// Writes the rows (of `rows`, or 0 ..< count) that pass into `target`, in order, and gives how
  /// many they are. `target` may be the memory of `rows`.
  func select(
    _ column: Column, count: Int, from rows: UnsafePointer<UInt32>?,
    into target: UnsafeMutablePointer<UInt32>
  ) -> Int {
    if worst.isNull(0) {
      // NULL is the last: before it stands no NULL, and every value or none.
      let (value, null) = (nullsFirst ? 0 : 1, keepsTies ? 1 : 0)
      return RowPicking.pick(count, rows, target) { column.isNull($0) ? null : value }
    }
    switch column.type.physical {
    case .int8: return select(column, Int8.self, count, rows, target) { $0 }
    case .int16: return select(column, Int16.self, count, rows, target) { $0 }
    case .int32: return select(column, Int32.self, count, rows, target) { $0 }
    case .int64: return select(column, Int64.self, count, rows, target) { $0 }
    case .int128: return select(column, Int128.self, count, rows, target) { $0 }
    case .bool, .uint8: return select(column, UInt8.self, count, rows, target) { $0 }
    case .uint16: return select(column, UInt16.self, count, rows, target) { $0 }
    case .uint32: return select(column, UInt32.self, count, rows, target) { $0 }
    case .uint64: return select(column, UInt64.self, count, rows, target) { $0 }
    case .uint128: return select(column, UInt128.self, count, rows, target) { $0 }
    case .float: return select(column, Float.self, count, rows, target, BoundaryTest.ordered)
    case .double: return select(column, Double.self, count, rows, target, BoundaryTest.ordered)
    case .string: return selectStrings(column, count, rows, target)
    case .interval, .list, .array, .structure: return compareEach(column, count, rows, target)
    }
  }

  /// An unsigned number in the order of SQL's floating point: NaN is greatest, -0 equals 0.
  @inline(__always)
  private static func ordered(_ value: Double) -> UInt64 {
    let bits = Hashing.canonical(value).bitPattern
    return bits >> 63 != 0 ? ~bits : bits | 1 << 63
  }

  @inline(__always)
  private static func ordered(_ value: Float) -> UInt32 {
    let bits = Hashing.canonical(value).bitPattern
    return bits >> 31 != 0 ? ~bits : bits | 1 << 31
  }

  @inline(__always)
  private func select<T: BitwiseCopyable, Key: Comparable>(
    _ column: Column, _ type: T.Type, _ count: Int, _ rows: UnsafePointer<UInt32>?,
    _ target: UnsafeMutablePointer<UInt32>, _ key: (T) -> Key
  ) -> Int {
    let bound = key(worst.values(as: T.self)[0])
    if column.mayHaveNulls || column.encoding != .flat {
      let reader = ColumnReader<T>(column)
      let null = nullsFirst ? 1 : 0
      let (descending, keepsTies) = (descending, keepsTies)
      return RowPicking.pick(count, rows, target) { row in
        if reader.isNull(row) { return null }
        let value = key(reader[row])
        let isBefore = descending ? value > bound : value < bound
        return isBefore || (keepsTies && value == bound) ? 1 : 0
      }
    }
    let values = column.values(as: T.self)
    switch (descending, keepsTies) {
    case (false, true):
      return RowPicking.pick(count, rows, target) { key(values[$0]) <= bound ? 1 : 0 }
    case (false, false):
      return RowPicking.pick(count, rows, target) { key(values[$0]) < bound ? 1 : 0 }
    case (true, true):
      return RowPicking.pick(count, rows, target) { key(values[$0]) >= bound ? 1 : 0 }
    case (true, false):
      return RowPicking.pick(count, rows, target) { key(values[$0]) > bound ? 1 : 0 }
    }
  }

  /// Few texts behind many rows are compared once each.
  private func selectStrings(
    _ column: Column, _ count: Int, _ rows: UnsafePointer<UInt32>?,
    _ target: UnsafeMutablePointer<UInt32>
  ) -> Int {
    if column.encoding == .dictionary, let base = column.base, let indices = column.indices,
      base.count * 2 <= count
    {
      let flags = Buffer(byteCount: max(base.count, 1))
      let passes = flags.pointer.assumingMemoryBound(to: UInt8.self)
      let reader = ColumnReader<StringView>(base)
      for value in 0..<base.count { passes[value] = UInt8(passing(reader, value)) }
      let picked = RowPicking.pick(count, rows, target) { Int(passes[Int(indices[$0])]) }
      return withExtendedLifetime(flags) { picked }
    }
    let reader = ColumnReader<StringView>(column)
    return RowPicking.pick(count, rows, target) { passing(reader, $0) }
  }

  @inline(__always)
  private func passing(_ reader: ColumnReader<StringView>, _ row: Int) -> Int {
    if reader.isNull(row) { return nullsFirst ? 1 : 0 }
    return passing(StringView.compare(reader[row], worst.values(as: StringView.self)[0]))
  }

  /// 1 for a comparison with the boundary, both not NULL, that passes.
  @inline(__always)
  private func passing(_ comparison: Int) -> Int {
    let order = descending ? -comparison : comparison
    return order < 0 || (keepsTies && order == 0) ? 1 : 0
  }

  private func compareEach(
    _ column: Column, _ count: Int, _ rows: UnsafePointer<UInt32>?,
    _ target: UnsafeMutablePointer<UInt32>
  ) -> Int {
    let comparator = ColumnComparator(column, worst)
    return RowPicking.pick(count, rows, target) { row in
      column.isNull(row) ? (nullsFirst ? 1 : 0) : passing(comparator.compare(row, 0))
    }
  }
}

// MARK: Partitions

extension BoundaryTest {
  /// Whether some row of a partition may pass, by what is known of a column's values there.
  func mayPass(_ scan: any PartitionedScan, _ partition: Int, column: Int) -> Bool {
    let mayBeNull = scan.mayPass(
      ScanFilter(column: column, operator: .isNull, value: .null), in: partition)
    if worst.isNull(0) { return nullsFirst ? mayBeNull : true }
    if nullsFirst && mayBeNull { return true }
    guard BoundaryTest.hasPlainValue(worst.type) else { return true }
    let filter = ScanFilter(
      column: column, operator: descending ? .greaterOrEqual : .lessOrEqual, value: worst.value(0))
    return scan.mayPass(filter, in: partition)
  }

  /// Whether bounds and `Value` stand for values of the type in one order.
  private static func hasPlainValue(_ type: LogicalType) -> Bool {
    switch type {
    case .tinyint, .smallint, .integer, .bigint, .hugeint, .utinyint, .usmallint, .uinteger,
      .ubigint, .uhugeint, .float, .double, .decimal, .varchar, .blob, .date, .time, .timestamp,
      .timestampSeconds, .timestampMilliseconds, .timestampNanoseconds, .timestampTZ:
      true
    case .null, .boolean, .timeTZ, .interval, .uuid, .enumeration, .json, .list, .array,
      .structure, .map:
      false
    }
  }
}
