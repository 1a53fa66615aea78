import Columnar

/// How the bytes of a PLAIN value become a value of the engine.
enum ParquetConversion: Sendable, Equatable {
  /// The layouts agree; the width in bytes.
  case same(Int)
  case bits
  case int32ToInt8, int32ToInt16, int32ToInt64, int32ToInt128
  case int64ToInt16, int64ToInt32, int64ToInt128
  /// TIME in milliseconds to microseconds.
  case int32Milliseconds
  case int64Milliseconds, int64Nanoseconds
  /// TIME of UTC to TIMETZ.
  case timeTZ(ParquetTimeUnit)
  case int96
  case strings
  /// Fixed-length bytes to BLOB.
  case fixedBytes
  case uuid
  case interval
  case halfFloat
  /// Big-endian two's complement to a decimal of this many bytes.
  case fixedDecimal(Int)
  case variableDecimal(Int)

  /// Bytes per value in a PLAIN page; nil when it varies, 0 for bits.
  func plainWidth(typeLength: Int) -> Int? {
    switch self {
    case .same(let width): width
    case .bits: 0
    case .int32ToInt8, .int32ToInt16, .int32ToInt64, .int32ToInt128, .int32Milliseconds: 4
    case .int64ToInt16, .int64ToInt32, .int64ToInt128, .int64Milliseconds, .int64Nanoseconds: 8
    case .timeTZ(let unit): unit == .milliseconds ? 4 : 8
    case .int96: 12
    case .fixedBytes, .uuid, .interval, .halfFloat, .fixedDecimal: typeLength
    case .strings, .variableDecimal: nil
    }
  }

  /// The engine's type of a leaf, and the way there; nil when the engine has no such type.
  static func choose(
    _ element: ParquetSchemaElement, binaryAsString: Bool
  ) -> (LogicalType, ParquetConversion)? {
    guard let physical = element.physicalType else { return nil }
    let length = element.typeLength
    switch (physical, element.annotation) {
    case (.boolean, _): return (.boolean, .bits)
    case (.int32, .integer(8, true)): return (.tinyint, .int32ToInt8)
    case (.int32, .integer(16, true)): return (.smallint, .int32ToInt16)
    case (.int32, .integer(8, false)): return (.utinyint, .int32ToInt8)
    case (.int32, .integer(16, false)): return (.usmallint, .int32ToInt16)
    case (.int32, .integer(_, false)): return (.uinteger, .same(4))
    case (.int32, .date): return (.date, .same(4))
    case (.int32, .time(_, isInstant: true)): return (.timeTZ, .timeTZ(.milliseconds))
    case (.int32, .time): return (.time, .int32Milliseconds)
    case (.int32, .decimal(let precision, let scale)):
      guard let type = decimal(precision, scale) else { return nil }
      switch type.physical.width {
      case 2: return (type, .int32ToInt16)
      case 4: return (type, .same(4))
      case 8: return (type, .int32ToInt64)
      default: return (type, .int32ToInt128)
      }
    case (.int32, _): return (.integer, .same(4))
    case (.int64, .integer(_, false)): return (.ubigint, .same(8))
    case (.int64, .time(.nanoseconds, isInstant: true)): return (.timeTZ, .timeTZ(.nanoseconds))
    case (.int64, .time(.microseconds, isInstant: true)): return (.timeTZ, .timeTZ(.microseconds))
    case (.int64, .time(.nanoseconds, _)): return (.time, .int64Nanoseconds)
    case (.int64, .time(.milliseconds, _)): return (.time, .int64Milliseconds)
    case (.int64, .time): return (.time, .same(8))
    case (.int64, .timestamp(.nanoseconds, isInstant: false)):
      return (.timestampNanoseconds, .same(8))
    case (.int64, .timestamp(let unit, let isInstant)):
      let type: LogicalType = isInstant ? .timestampTZ : .timestamp
      switch unit {
      case .milliseconds: return (type, .int64Milliseconds)
      case .microseconds: return (type, .same(8))
      case .nanoseconds: return (type, .int64Nanoseconds)
      }
    case (.int64, .decimal(let precision, let scale)):
      guard let type = decimal(precision, scale) else { return nil }
      switch type.physical.width {
      case 2: return (type, .int64ToInt16)
      case 4: return (type, .int64ToInt32)
      case 8: return (type, .same(8))
      default: return (type, .int64ToInt128)
      }
    case (.int64, _): return (.bigint, .same(8))
    case (.int96, _): return (.timestamp, .int96)
    case (.float, _): return (.float, .same(4))
    case (.double, _): return (.double, .same(8))
    case (.byteArray, .decimal(let precision, let scale)):
      guard let type = decimal(precision, scale) else { return nil }
      return (type, .variableDecimal(type.physical.width))
    case (.byteArray, .string), (.byteArray, .enumeration), (.byteArray, .json):
      return (.varchar, .strings)
    case (.byteArray, _): return (binaryAsString ? .varchar : .blob, .strings)
    case (.fixedLengthByteArray, _) where length == 0: return nil
    case (.fixedLengthByteArray, .decimal(let precision, let scale)):
      guard let type = decimal(precision, scale) else { return nil }
      return (type, .fixedDecimal(type.physical.width))
    case (.fixedLengthByteArray, .uuid) where length == 16: return (.uuid, .uuid)
    case (.fixedLengthByteArray, .interval) where length == 12: return (.interval, .interval)
    case (.fixedLengthByteArray, .float16) where length == 2: return (.float, .halfFloat)
    case (.fixedLengthByteArray, _): return (.blob, .fixedBytes)
    }
  }

  private static func decimal(_ precision: Int, _ scale: Int) -> LogicalType? {
    guard precision >= 1, precision <= 38, scale <= precision else { return nil }
    return .decimal(precision: precision, scale: scale)
  }
}
