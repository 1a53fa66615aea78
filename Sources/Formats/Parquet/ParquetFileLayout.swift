import Columnar

/// How the engine's types are written: physical type, annotation, and PLAIN bytes of the values.
struct ParquetFileLayout {
  let physicalType: ParquetPhysicalType
  /// Bytes per PLAIN value, 1 for BOOLEAN (packed later), 0 for strings.
  let width: Int

  init(_ type: LogicalType) {
    switch type {
    case .boolean: (physicalType, width) = (.boolean, 1)
    case .null, .tinyint, .smallint, .integer, .utinyint, .usmallint, .uinteger, .date:
      (physicalType, width) = (.int32, 4)
    case .bigint, .ubigint, .time, .timeTZ, .timestamp, .timestampSeconds, .timestampMilliseconds,
      .timestampNanoseconds, .timestampTZ:
      (physicalType, width) = (.int64, 8)
    // As DuckDB: Parquet has no integers this wide.
    case .hugeint, .uhugeint, .double: (physicalType, width) = (.double, 8)
    case .float: (physicalType, width) = (.float, 4)
    case .decimal(let precision, _):
      (physicalType, width) =
        precision <= 9 ? (.int32, 4) : precision <= 18 ? (.int64, 8) : (.fixedLengthByteArray, 16)
    case .varchar, .blob, .json, .enumeration: (physicalType, width) = (.byteArray, 0)
    case .uuid: (physicalType, width) = (.fixedLengthByteArray, 16)
    case .interval: (physicalType, width) = (.fixedLengthByteArray, 12)
    case .list, .array, .structure, .map: preconditionFailure("\(type) is written by its leaves")
    }
  }

  /// The values that are there, as PLAIN bytes of `width` each. Not for strings.
  func plain(_ data: ParquetLeafData) -> (Buffer, UnsafeMutableRawPointer) {
    let source = data.column
    let count = data.valueCount
    if data.picks == nil && isSame(source.type) {
      // SAFETY: read only; the caller keeps the column.
      return (Buffer(byteCount: 0), source.data)
    }
    let buffer = Buffer(byteCount: count * width)
    switch source.type {
    case .boolean: convert(data, buffer, UInt8.self) { $0 }
    case .null: convert(data, buffer, UInt8.self) { UInt32($0) }
    case .tinyint: convert(data, buffer, Int8.self) { Int32($0) }
    case .smallint: convert(data, buffer, Int16.self) { Int32($0) }
    case .utinyint: convert(data, buffer, UInt8.self) { UInt32($0) }
    case .usmallint: convert(data, buffer, UInt16.self) { UInt32($0) }
    case .integer, .uinteger, .date, .float: convert(data, buffer, UInt32.self) { $0 }
    case .bigint, .ubigint, .time, .timestamp, .timestampMilliseconds, .timestampNanoseconds,
      .timestampTZ, .double:
      convert(data, buffer, UInt64.self) { $0 }
    case .timestampSeconds: convert(data, buffer, Int64.self) { ParquetFileLayout.micros($0) }
    // The time at UTC, within the day.
    case .timeTZ:
      convert(data, buffer, UInt64.self) { bits in
        ZonedTime.unpack(ZonedTime.pack(instantOfDay: ZonedTime.instant(bits))).microseconds
      }
    case .uuid: convert(data, buffer, UInt128.self) { $0.bigEndian }
    case .hugeint: convert(data, buffer, Int128.self) { Double($0) }
    case .uhugeint: convert(data, buffer, UInt128.self) { Double($0) }
    case .decimal:
      switch source.type.physical {
      case .int16: convert(data, buffer, Int16.self) { Int32($0) }
      case .int32: convert(data, buffer, UInt32.self) { $0 }
      case .int64: convert(data, buffer, UInt64.self) { $0 }
      default: convert(data, buffer, Int128.self) { $0.bigEndian }
      }
    case .interval:
      let values = source.values(as: Interval.self)
      for position in 0..<count {
        let value = values[data.picks.map { Int($0[position]) } ?? position]
        let target = buffer.pointer + position * 12
        target.storeBytes(of: value.months, as: Int32.self)
        target.storeBytes(of: value.days, toByteOffset: 4, as: Int32.self)
        target.storeBytes(
          of: UInt32(clamping: value.microseconds / 1000), toByteOffset: 8, as: UInt32.self)
      }
    case .varchar, .blob, .json, .enumeration, .list, .array, .structure, .map:
      preconditionFailure("\(source.type) has no values of a fixed width")
    }
    return (buffer, buffer.pointer)
  }

  /// Parquet has no timestamps in seconds; those that are too far away for microseconds are infinite.
  static func micros(_ seconds: Int64) -> Int64 {
    if !Calendar.isFinite(seconds) { return seconds }
    let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000)
    return overflows ? (seconds < 0 ? 0 &- .max : .max) : product
  }

  private func isSame(_ type: LogicalType) -> Bool {
    switch type {
    case .hugeint, .uhugeint, .uuid, .interval, .null, .timestampSeconds, .timeTZ: false
    case .decimal: type.physical.width == width && width <= 8
    default: type.physical.width == width
    }
  }

  @inline(__always)
  private func convert<From: BitwiseCopyable, To: BitwiseCopyable>(
    _ data: ParquetLeafData, _ buffer: Buffer, _ from: From.Type, _ body: (From) -> To
  ) {
    let source = data.column.values(as: From.self)
    let target = buffer.pointer.assumingMemoryBound(to: To.self)
    if let picks = data.picks {
      picks.withUnsafeBufferPointer { picks in
        for position in 0..<picks.count { target[position] = body(source[Int(picks[position])]) }
      }
    } else {
      for position in 0..<data.valueCount { target[position] = body(source[position]) }
    }
  }
}
