import Columnar

/// Smallest and largest value of a chunk and how many are NULL; only for types with a cheap order.
package struct ZoneMap: Sendable {
  package let minimum: Int64
  package let maximum: Int64
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
    (minimum, maximum) = bounds
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

  /// Whether some row may pass; true when unsure.
  package func mayPass(_ filter: ScanFilter) -> Bool {
    switch filter.operator {
    case .isNull: return nullCount > 0
    case .isNotNull: return nullCount < rowCount
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual: break
    }
    if nullCount == rowCount { return false }
    let wanted: Int128
    switch filter.value {
    case .integer(let v), .decimal(let v): wanted = v
    case .date(let v): wanted = Int128(v)
    case .time(let v), .timestamp(let v): wanted = Int128(v)
    case .null, .boolean, .unsigned, .float, .double, .varchar, .blob, .timeTZ, .interval, .uuid,
      .list, .structure:
      return true
    }
    switch filter.operator {
    case .equal: return wanted >= Int128(minimum) && wanted <= Int128(maximum)
    case .less: return Int128(minimum) < wanted
    case .lessOrEqual: return Int128(minimum) <= wanted
    case .greater: return Int128(maximum) > wanted
    case .greaterOrEqual: return Int128(maximum) >= wanted
    case .isNull, .isNotNull: return true
    }
  }
}
