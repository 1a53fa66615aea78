import Diagnostics

/// One value at the engine's edges: a literal, a parameter, a statistic, a printed cell. Never on
/// the way of the data. Its type travels beside it.
package indirect enum Value: Hashable, Sendable {
  case null
  case boolean(Bool)
  /// Every integer type up to HUGEINT.
  case integer(Int128)
  /// UHUGEINT beyond HUGEINT's range.
  case unsigned(UInt128)
  case float(Float)
  case double(Double)
  /// The unscaled integer; scale and precision are the type's.
  case decimal(Int128)
  case varchar(String)
  case blob([UInt8])
  /// Days since 1970-01-01.
  case date(Int32)
  /// Microseconds since midnight.
  case time(Int64)
  /// As `ZonedTime` packs it.
  case timeTZ(UInt64)
  /// Since 1970-01-01 00:00:00, in the unit of the type.
  case timestamp(Int64)
  case interval(Interval)
  case uuid(UInt128)
  /// Of a LIST or an array; of a MAP its entries, structures of a key and a value.
  case list([Value])
  /// Fields in the type's order.
  case structure([Value])

  package var isNull: Bool { self == .null }
}

extension Column {
  /// A column of `count` equal rows. A value that does not fit the type is an `.internal` error:
  /// casts come before.
  package static func constant(_ value: Value, _ type: LogicalType, count: Int) throws -> Column {
    var builder = ColumnBuilder(type, capacity: 1)
    try builder.append(value)
    return Column(repeating: builder.finish(), count: count)
  }

  /// Row `row` as a value. For the edges only.
  package func value(_ row: Int) -> Value {
    if isNull(row) { return .null }
    let index = valueIndex(row)
    switch type {
    case .null: return .null
    case .boolean: return .boolean(values(as: UInt8.self)[index] != 0)
    case .tinyint: return .integer(Int128(values(as: Int8.self)[index]))
    case .smallint: return .integer(Int128(values(as: Int16.self)[index]))
    case .integer: return .integer(Int128(values(as: Int32.self)[index]))
    case .bigint: return .integer(Int128(values(as: Int64.self)[index]))
    case .hugeint: return .integer(values(as: Int128.self)[index])
    case .utinyint: return .integer(Int128(values(as: UInt8.self)[index]))
    case .usmallint: return .integer(Int128(values(as: UInt16.self)[index]))
    case .uinteger: return .integer(Int128(values(as: UInt32.self)[index]))
    case .ubigint: return .integer(Int128(values(as: UInt64.self)[index]))
    case .uhugeint:
      let wide = values(as: UInt128.self)[index]
      return Int128(exactly: wide).map { .integer($0) } ?? .unsigned(wide)
    case .float: return .float(values(as: Float.self)[index])
    case .double: return .double(values(as: Double.self)[index])
    case .decimal:
      switch type.physical {
      case .int16: return .decimal(Int128(values(as: Int16.self)[index]))
      case .int32: return .decimal(Int128(values(as: Int32.self)[index]))
      case .int64: return .decimal(Int128(values(as: Int64.self)[index]))
      default: return .decimal(values(as: Int128.self)[index])
      }
    case .varchar, .json: return .varchar(values(as: StringView.self)[index].string)
    case .blob:
      return .blob(Array(UnsafePointer(values(as: StringView.self) + index).buffer))
    case .date: return .date(values(as: Int32.self)[index])
    case .time: return .time(values(as: Int64.self)[index])
    case .timeTZ: return .timeTZ(values(as: UInt64.self)[index])
    case .timestamp, .timestampSeconds, .timestampMilliseconds, .timestampNanoseconds, .timestampTZ:
      return .timestamp(values(as: Int64.self)[index])
    case .interval: return .interval(values(as: Interval.self)[index])
    case .uuid: return .uuid(values(as: UInt128.self)[index])
    case .enumeration(let labels): return .varchar(labels.labels[enumPosition(index)])
    case .list, .map:
      let entry = values(as: ListEntry.self)[index]
      return .list((0..<entry.length).map { children[0].value(entry.offset + $0) })
    case .array(_, let n):
      return .list((0..<n).map { children[0].value(index * n + $0) })
    case .structure:
      return .structure(children.map { $0.value(index) })
    }
  }

  /// The position of an ENUM's value at an index of the values.
  package func enumPosition(_ index: Int) -> Int {
    switch type.physical {
    case .uint8: Int(values(as: UInt8.self)[index])
    case .uint16: Int(values(as: UInt16.self)[index])
    default: Int(values(as: UInt32.self)[index])
    }
  }
}
