import Columnar

/// Smallest and largest value of a chunk and how many are NULL; only for types with a cheap order.
package struct ZoneMap: Sendable {
  /// Of integers and what is stored as such, up to 64 bits.
  package let integers: ClosedRange<Int64>?
  /// As `ChunkZone` writes bounds; the upper one may be missing.
  private let bytes: (low: [UInt8], high: [UInt8]?)?
  package let nullCount: Int
  package let rowCount: Int

  /// nil for types that have none.
  package init?(_ column: Column) {
    let bounds: (Int64, Int64)?
    switch column.type.physical {
    case .int8: bounds = ZoneMap.range(column, Int8.self)
    case .int16: bounds = ZoneMap.range(column, Int16.self)
    case .int32: bounds = ZoneMap.range(column, Int32.self)
    case .int64: bounds = ZoneMap.range(column, Int64.self)
    case .bool, .uint8, .uint16, .uint32, .uint64, .int128, .uint128, .float, .double, .string,
      .interval, .list, .array, .structure:
      return nil
    }
    guard let bounds else { return nil }
    // Without a value the bounds are upside down.
    integers = bounds.0 <= bounds.1 ? bounds.0...bounds.1 : 0...0
    bytes = nil
    rowCount = column.count
    nullCount = column.validity.map { column.count - Validity.countValid($0, column.count) } ?? 0
  }

  private static func range<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _ type: T.Type
  ) -> (Int64, Int64)? {
    guard column.encoding == .flat else { return nil }
    let values = column.values(as: T.self)
    var low = T.max
    var high = T.min
    if let validity = column.validity {
      for row in 0..<column.count where Validity.isValid(validity, row) {
        low = min(low, values[row])
        high = max(high, values[row])
      }
    } else {
      for row in 0..<column.count {
        low = min(low, values[row])
        high = max(high, values[row])
      }
    }
    return (Int64(low), Int64(high))
  }

  /// What the file says of a chunk.
  init?(_ record: ChunkRecord, type: LogicalType) {
    rowCount = Int(clamping: record.rowCount)
    nullCount = Int(clamping: record.nullCount)
    guard case .blob(let low) = record.minimum else {
      // Nothing but NULLs has no bounds; nor have types without an order.
      if nullCount < rowCount { return nil }
      (integers, bytes) = (nil, nil)
      return
    }
    var high: [UInt8]?
    if case .blob(let bound) = record.maximum { high = bound }
    integers = high.flatMap { ZoneMap.range(low, $0, type) }
    switch type.physical {
    case .string, .float, .double: bytes = (low, high)
    default: bytes = nil
    }
  }

  private static func range(_ low: [UInt8], _ high: [UInt8], _ type: LogicalType)
    -> ClosedRange<Int64>?
  {
    let bounds: (Int64, Int64)?
    switch type.physical {
    case .int8: bounds = pair(low, high, Int8.self)
    case .int16: bounds = pair(low, high, Int16.self)
    case .int32: bounds = pair(low, high, Int32.self)
    case .int64: bounds = pair(low, high, Int64.self)
    case .bool, .uint8, .uint16, .uint32, .uint64, .int128, .uint128, .float, .double, .string,
      .interval, .list, .array, .structure:
      return nil
    }
    return bounds.flatMap { $0.0 <= $0.1 ? $0.0...$0.1 : nil }
  }

  private static func pair<T: FixedWidthInteger & SignedInteger>(
    _ low: [UInt8], _ high: [UInt8], _ type: T.Type
  ) -> (Int64, Int64)? {
    guard let low = ChunkZone.integer(low, type), let high = ChunkZone.integer(high, type) else {
      return nil
    }
    return (Int64(low), Int64(high))
  }

  /// Whether some row may pass; true when unsure.
  package func mayPass(_ filter: ScanFilter) -> Bool {
    switch filter.operator {
    case .isNull: return nullCount > 0
    case .isNotNull: return nullCount < rowCount
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual: break
    }
    if nullCount == rowCount { return false }
    if let integers, let wanted = ZoneMap.integer(filter.value) {
      return ZoneMap.mayPass(
        filter.operator, wanted, Int128(integers.lowerBound), Int128(integers.upperBound))
    }
    guard let bytes, let wanted = ChunkZone.key(filter.value) else { return true }
    return mayPass(filter.operator, wanted, bytes.low, bytes.high)
  }

  /// nil without values, and for types that have no bounds.
  var bounds: PartitionBounds? {
    if nullCount == rowCount { return nil }
    if let integers {
      return PartitionBounds(
        .number(Double(integers.lowerBound)), .number(Double(integers.upperBound)))
    }
    return bytes.map { PartitionBounds(.bytes($0.low), $0.high.map { .bytes($0) }) }
  }

  private static func integer(_ value: Value) -> Int128? {
    switch value {
    case .integer(let v), .decimal(let v): v
    case .date(let v): Int128(v)
    case .time(let v), .timestamp(let v): Int128(v)
    case .null, .boolean, .unsigned, .float, .double, .varchar, .blob, .timeTZ, .interval, .uuid,
      .list, .structure:
      nil
    }
  }

  private static func mayPass(
    _ comparison: ScanFilter.Operator, _ wanted: Int128, _ minimum: Int128, _ maximum: Int128
  ) -> Bool {
    switch comparison {
    case .equal: wanted >= minimum && wanted <= maximum
    case .less: minimum < wanted
    case .lessOrEqual: minimum <= wanted
    case .greater: maximum > wanted
    case .greaterOrEqual: maximum >= wanted
    case .isNull, .isNotNull: true
    }
  }

  /// Bounds of texts are cut, so that equal bytes say "perhaps".
  private func mayPass(
    _ comparison: ScanFilter.Operator, _ wanted: [UInt8], _ low: [UInt8], _ high: [UInt8]?
  ) -> Bool {
    func isBefore(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.lexicographicallyPrecedes(b) }
    let isPastEnd = high.map { isBefore($0, wanted) } ?? false
    switch comparison {
    case .equal: return !isBefore(wanted, low) && !isPastEnd
    case .less, .lessOrEqual: return !isBefore(wanted, low)
    case .greater, .greaterOrEqual: return !isPastEnd
    case .isNull, .isNotNull: return true
    }
  }
}
