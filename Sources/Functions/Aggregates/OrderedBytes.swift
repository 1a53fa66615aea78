import Columnar

/// Values of any type as byte strings whose order under memcmp is SQL's order of the values, and
/// back: how nested values and intervals are compared, grouped and kept, without a second
/// implementation of everything for them.
///
/// NULL inside a nested value is the greatest, as in DuckDB. With `forEquality`, values that SQL
/// calls equal (0.0 and -0.0; one month and 30 days) have equal bytes and come back as one of them;
/// without, they come back as they were.
package enum OrderedBytes {
  private static let present: UInt8 = 1
  private static let null: UInt8 = 2
  private static let end: UInt8 = 0

  /// The rows of a column as a flat BLOB column; NULL rows stay NULL.
  package static func encode(_ column: Column, count: Int, forEquality: Bool) -> Column {
    let heap = StringHeap()
    let result = Column(flat: .blob, count: count, heaps: [heap])
    let target = result.values(as: StringView.self)
    var bytes: [UInt8] = []
    for row in 0..<count {
      if column.isNull(row) {
        target[row] = StringView()
        result.setNull(row)
        continue
      }
      bytes.removeAll(keepingCapacity: true)
      append(column, column.valueIndex(row), forEquality, &bytes)
      target[row] = bytes.withUnsafeBufferPointer { buffer in
        buffer.baseAddress.map { heap.store($0, buffer.count) } ?? StringView()
      }
    }
    return result
  }

  /// The values whose bytes `encode` gave.
  package static func decode(_ column: Column, as type: LogicalType, forEquality: Bool) -> Column {
    var builder = ColumnBuilder(type, capacity: max(column.count, 1))
    let reader = ColumnReader<StringView>(column)
    for row in 0..<column.count {
      if reader.isNull(row) {
        builder.appendNull()
        continue
      }
      var cursor = Cursor(next: UnsafeRawPointer(reader.pointer(row).bytes))
      // The values were checked when they first entered a column.
      try? builder.append(cursor.value(type, forEquality))
    }
    return builder.finish()
  }

  // MARK: Writing

  private static func append(
    _ column: Column, _ index: Int, _ forEquality: Bool, _ bytes: inout [UInt8]
  ) {
    switch column.type.physical {
    case .bool, .uint8: bytes.append(column.values(as: UInt8.self)[index])
    case .int8: append(column.values(as: Int8.self)[index], &bytes)
    case .int16: append(column.values(as: Int16.self)[index], &bytes)
    case .int32: append(column.values(as: Int32.self)[index], &bytes)
    case .int64: append(column.values(as: Int64.self)[index], &bytes)
    case .int128: append(column.values(as: Int128.self)[index], &bytes)
    case .uint16: append(column.values(as: UInt16.self)[index], &bytes)
    case .uint32: append(column.values(as: UInt32.self)[index], &bytes)
    case .uint64: append(column.values(as: UInt64.self)[index], &bytes)
    case .uint128: append(column.values(as: UInt128.self)[index], &bytes)
    case .float:
      let value = column.values(as: Float.self)[index]
      let bits = (forEquality || value.isNaN ? Hashing.canonical(value) : value).bitPattern
      append(bits >> 31 == 0 ? bits | 1 << 31 : ~bits, &bytes)
    case .double:
      let value = column.values(as: Double.self)[index]
      let bits = (forEquality || value.isNaN ? Hashing.canonical(value) : value).bitPattern
      append(bits >> 63 == 0 ? bits | 1 << 63 : ~bits, &bytes)
    case .interval:
      let value = column.values(as: Interval.self)[index]
      let parts = value.normalized
      append(parts.months, &bytes)
      append(parts.days, &bytes)
      append(parts.microseconds, &bytes)
      if !forEquality {
        append(value.months, &bytes)
        append(value.days, &bytes)
        append(value.microseconds, &bytes)
      }
    case .string:
      // A zero byte is doubled with 0xFF so that the closing 0, 0 sorts before any longer string.
      for byte in UnsafePointer(column.values(as: StringView.self) + index).buffer {
        bytes.append(byte)
        if byte == 0 { bytes.append(0xFF) }
      }
      bytes.append(0)
      bytes.append(0)
    case .list:
      let entry = column.values(as: ListEntry.self)[index]
      for element in 0..<entry.length {
        appendElement(column.children[0], entry.offset + element, forEquality, &bytes)
      }
      bytes.append(end)
    case .array:
      guard case .array(_, let width) = column.type else { return }
      for element in 0..<width {
        appendElement(column.children[0], index * width + element, forEquality, &bytes)
      }
    case .structure:
      for child in column.children { appendElement(child, index, forEquality, &bytes) }
    }
  }

  private static func appendElement(
    _ column: Column, _ row: Int, _ forEquality: Bool, _ bytes: inout [UInt8]
  ) {
    if column.isNull(row) {
      bytes.append(null)
    } else {
      bytes.append(present)
      append(column, column.valueIndex(row), forEquality, &bytes)
    }
  }

  private static func append<T: FixedWidthInteger>(_ value: T, _ bytes: inout [UInt8]) {
    let sign: T = T.isSigned ? 1 << T(T.bitWidth - 1) : 0
    withUnsafeBytes(of: (value ^ sign).bigEndian) { bytes.append(contentsOf: $0) }
  }

  // MARK: Reading

  private struct Cursor {
    /// SAFETY: reads exactly what `append` wrote for the same type.
    var next: UnsafeRawPointer

    mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> T {
      let sign: T = T.isSigned ? 1 << T(T.bitWidth - 1) : 0
      let value = T(bigEndian: next.loadUnaligned(as: T.self)) ^ sign
      next += MemoryLayout<T>.size
      return value
    }

    mutating func byte() -> UInt8 {
      let value = next.load(as: UInt8.self)
      next += 1
      return value
    }

    mutating func text() -> [UInt8] {
      var bytes: [UInt8] = []
      while true {
        let one = byte()
        if one == 0 && byte() == 0 { return bytes }
        bytes.append(one)
      }
    }

    mutating func element(_ type: LogicalType, _ forEquality: Bool) -> Value {
      byte() == OrderedBytes.null ? .null : value(type, forEquality)
    }

    mutating func value(_ type: LogicalType, _ forEquality: Bool) -> Value {
      switch type {
      case .null: return .null
      case .boolean: return .boolean(byte() != 0)
      case .tinyint: return .integer(Int128(integer(Int8.self)))
      case .smallint: return .integer(Int128(integer(Int16.self)))
      case .integer: return .integer(Int128(integer(Int32.self)))
      case .bigint: return .integer(Int128(integer(Int64.self)))
      case .hugeint: return .integer(integer(Int128.self))
      case .utinyint: return .integer(Int128(byte()))
      case .usmallint: return .integer(Int128(integer(UInt16.self)))
      case .uinteger: return .integer(Int128(integer(UInt32.self)))
      case .ubigint: return .integer(Int128(integer(UInt64.self)))
      case .uhugeint:
        let wide = integer(UInt128.self)
        return Int128(exactly: wide).map { .integer($0) } ?? .unsigned(wide)
      case .float:
        let bits = integer(UInt32.self)
        return .float(Float(bitPattern: bits >> 31 != 0 ? bits & ~(1 << 31) : ~bits))
      case .double:
        let bits = integer(UInt64.self)
        return .double(Double(bitPattern: bits >> 63 != 0 ? bits & ~(1 << 63) : ~bits))
      case .decimal:
        switch type.physical {
        case .int16: return .decimal(Int128(integer(Int16.self)))
        case .int32: return .decimal(Int128(integer(Int32.self)))
        case .int64: return .decimal(Int128(integer(Int64.self)))
        default: return .decimal(integer(Int128.self))
        }
      case .varchar, .json: return .varchar(String(decoding: text(), as: UTF8.self))
      case .uuid: return .uuid(integer(UInt128.self))
      case .enumeration(let labels):
        switch type.physical {
        case .uint8: return .varchar(labels.labels[Int(byte())])
        case .uint16: return .varchar(labels.labels[Int(integer(UInt16.self))])
        default: return .varchar(labels.labels[Int(integer(UInt32.self))])
        }
      case .blob: return .blob(text())
      case .date: return .date(integer(Int32.self))
      case .time: return .time(integer(Int64.self))
      case .timeTZ: return .timeTZ(integer(UInt64.self))
      case .timestamp, .timestampSeconds, .timestampMilliseconds, .timestampNanoseconds,
        .timestampTZ:
        return .timestamp(integer(Int64.self))
      case .interval:
        let months = integer(Int64.self)
        let days = integer(Int64.self)
        let microseconds = integer(Int64.self)
        if forEquality {
          // -3 days, not -1 month and 27 days: all parts of one sign.
          let day = Int128(Calendar.microsecondsPerDay)
          let total = Int128(months) * 30 * day + Int128(days) * day + Int128(microseconds)
          return .interval(
            Interval(
              months: Int32(clamping: total / (30 * day)),
              days: Int32(clamping: total % (30 * day) / day),
              microseconds: Int64(clamping: total % day)))
        }
        return .interval(
          Interval(
            months: integer(Int32.self), days: integer(Int32.self),
            microseconds: integer(Int64.self)))
      case .list, .map:
        let item = type.listElement ?? .null
        var elements: [Value] = []
        while true {
          let tag = byte()
          if tag == OrderedBytes.end { return .list(elements) }
          elements.append(tag == OrderedBytes.null ? .null : value(item, forEquality))
        }
      case .array(let item, let width):
        return .list((0..<width).map { _ in element(item, forEquality) })
      case .structure(let fields):
        return .structure(fields.map { element($0.type, forEquality) })
      }
    }
  }
}
