import Columnar

/// The smallest and largest value of a leaf, as the statistics store them.
enum ParquetBoundsWriter {
  /// Longer strings are left out rather than cut.
  private static let longestString = 256

  static func bounds(_ data: ParquetLeafData) -> ([UInt8]?, [UInt8]?) {
    if data.valueCount == 0 { return (nil, nil) }
    switch data.type {
    case .boolean: return integers(data, UInt8.self) { [$0] }
    case .tinyint: return integers(data, Int8.self) { littleEndian(Int32($0)) }
    case .smallint: return integers(data, Int16.self) { littleEndian(Int32($0)) }
    case .integer, .date: return integers(data, Int32.self) { littleEndian($0) }
    case .timestampSeconds:
      return integers(data, Int64.self) { littleEndian(ParquetFileLayout.micros($0)) }
    case .bigint, .time, .timestamp, .timestampMilliseconds,
      .timestampNanoseconds, .timestampTZ:
      return integers(data, Int64.self) { littleEndian($0) }
    case .utinyint: return integers(data, UInt8.self) { littleEndian(UInt32($0)) }
    case .usmallint: return integers(data, UInt16.self) { littleEndian(UInt32($0)) }
    case .uinteger: return integers(data, UInt32.self) { littleEndian($0) }
    case .ubigint: return integers(data, UInt64.self) { littleEndian($0) }
    case .hugeint: return integers(data, Int128.self) { littleEndian(Double($0).bitPattern) }
    case .uhugeint: return integers(data, UInt128.self) { littleEndian(Double($0).bitPattern) }
    case .float: return reals(data, Float.self) { littleEndian($0.bitPattern) }
    case .double: return reals(data, Double.self) { littleEndian($0.bitPattern) }
    case .decimal:
      switch data.type.physical {
      case .int16: return integers(data, Int16.self) { littleEndian(Int32($0)) }
      case .int32: return integers(data, Int32.self) { littleEndian($0) }
      case .int64: return integers(data, Int64.self) { littleEndian($0) }
      default: return integers(data, Int128.self) { littleEndian($0.byteSwapped) }
      }
    case .varchar, .blob, .json: return strings(data)
    case .timeTZ, .uuid, .enumeration, .map, .null, .interval, .list, .array, .structure:
      return (nil, nil)
    }
  }

  private static func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  @inline(__always)
  private static func integers<T: FixedWidthInteger & BitwiseCopyable>(
    _ data: ParquetLeafData, _ type: T.Type, _ bytes: (T) -> [UInt8]
  ) -> ([UInt8]?, [UInt8]?) {
    let values = data.column.values(as: T.self)
    var least = T.max
    var most = T.min
    if let picks = data.picks {
      for row in picks {
        least = min(least, values[Int(row)])
        most = max(most, values[Int(row)])
      }
    } else {
      for row in 0..<data.valueCount {
        least = min(least, values[row])
        most = max(most, values[row])
      }
    }
    return (bytes(least), bytes(most))
  }

  /// NaN is left out; a zero bound stands for both zeros.
  @inline(__always)
  private static func reals<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ data: ParquetLeafData, _ type: T.Type, _ bytes: (T) -> [UInt8]
  ) -> ([UInt8]?, [UInt8]?) {
    let values = data.column.values(as: T.self)
    var least = T.infinity
    var most = -T.infinity
    var found = false
    for position in 0..<data.valueCount {
      let value = values[data.picks.map { Int($0[position]) } ?? position]
      if value.isNaN { continue }
      found = true
      if value < least { least = value }
      if value > most { most = value }
    }
    if !found { return (nil, nil) }
    return (bytes(least == 0 ? -T.zero : least), bytes(most == 0 ? T.zero : most))
  }

  private static func strings(_ data: ParquetLeafData) -> ([UInt8]?, [UInt8]?) {
    let values = data.column.values(as: StringView.self)
    var least = data.picks.map { Int($0[0]) } ?? 0
    var most = least
    for position in 0..<data.valueCount {
      let row = data.picks.map { Int($0[position]) } ?? position
      if StringView.compare(values[row], values[least]) < 0 { least = row }
      if StringView.compare(values[row], values[most]) > 0 { most = row }
    }
    func bytes(_ row: Int) -> [UInt8]? {
      values[row].count <= longestString ? Array(UnsafePointer(values + row).buffer) : nil
    }
    return (bytes(least), bytes(most))
  }
}
