import Columnar
import Diagnostics

/// Keys whose order by bytes is an ORDER BY: DuckDB's encoding, of values that are not nested.
enum SortKeyFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "create_sort_key", category: "conditional",
      summary: "A key that sorts as the values do in the directions given after each, such as "
        + "'DESC NULLS LAST'; a BIGINT where 8 bytes hold it.",
      examples: [
        ("create_sort_key('abc', 'ASC NULLS LAST')", "\\x01bcd\\x00"),
        ("create_sort_key(1, 'ASC NULLS LAST') < create_sort_key(2, 'ASC NULLS LAST')", "true"),
      ],
      forms: [FunctionForm("ANY", "VARCHAR", more: "ANY, VARCHAR", gives: "BLOB | BIGINT")],
      signature: { try signature($0) })
  ]

  private struct Direction {
    let isDescending: Bool
    let nullsFirst: Bool
  }

  private static func signature(
    _ arguments: [CallArgument]
  ) throws -> (overload: ScalarOverload, types: [LogicalType])? {
    guard !arguments.isEmpty, arguments.count % 2 == 0 else {
      throw SQLError(.binder, "create_sort_key takes pairs of a value and a direction")
    }
    var directions: [Direction] = []
    var width: Int? = 0
    for position in stride(from: 0, to: arguments.count, by: 2) {
      let type = arguments[position].type
      if type.isNested {
        throw SQLError(.notSupported, "create_sort_key takes no nested values such as \(type)")
      }
      directions.append(try direction(arguments[position + 1]))
      let isFixed = type.physical != .string
      width = isFixed ? width.map { $0 + 1 + type.physical.width } : nil
    }
    let isNumber = width.map { $0 <= 8 } ?? false
    let found = directions
    let overload = ScalarOverload(
      [], variadic: .any, returns: isNumber ? .bigint : .blob, nulls: .custom
    ) { a, n, t in
      let keys = stride(from: 0, to: a.count, by: 2).map { a[$0].flattened() }
      if !isNumber {
        return try Kernels.texts([], n, .blob) { row, buffer in
          var bytes: [UInt8] = []
          for (key, direction) in zip(keys, found) { append(key, row, direction, to: &bytes) }
          for byte in bytes { try buffer.append(byte) }
        }
      }
      return Kernels.rows([], n, t, Int64.self) { row in
        var bytes: [UInt8] = []
        for (key, direction) in zip(keys, found) { append(key, row, direction, to: &bytes) }
        var number: UInt64 = 0
        for place in 0..<8 { number = number << 8 | UInt64(place < bytes.count ? bytes[place] : 0) }
        return Int64(bitPattern: number)
      }
    }
    return (overload, arguments.map(\.type))
  }

  private static func direction(_ argument: CallArgument) throws -> Direction {
    let words = (argument.text ?? "").uppercased().split(separator: " ")
    guard words.count == 3, ["ASC", "DESC"].contains(words[0]), words[1] == "NULLS",
      ["FIRST", "LAST"].contains(words[2])
    else {
      throw SQLError(
        .binder, "a direction of create_sort_key is a constant such as 'ASC NULLS LAST'")
    }
    return Direction(isDescending: words[0] == "DESC", nullsFirst: words[2] == "FIRST")
  }

  private static func append(
    _ column: Column, _ row: Int, _ direction: Direction, to key: inout [UInt8]
  ) {
    let isNull = column.isNull(row)
    key.append(isNull == direction.nullsFirst ? 1 : 2)
    let start = key.count
    if isNull {
      // Fixed widths keep the place of what follows.
      if column.type.physical != .string {
        key.append(contentsOf: repeatElement(0, count: column.type.physical.width))
      }
      return
    }
    switch column.type.physical {
    case .bool: key.append(column.values(as: UInt8.self)[row])
    case .int8: signed(column.values(as: Int8.self)[row], &key)
    case .int16: signed(column.values(as: Int16.self)[row], &key)
    case .int32: signed(column.values(as: Int32.self)[row], &key)
    case .int64: signed(column.values(as: Int64.self)[row], &key)
    case .int128: signed(column.values(as: Int128.self)[row], &key)
    case .uint8: unsigned(column.values(as: UInt8.self)[row], &key)
    case .uint16: unsigned(column.values(as: UInt16.self)[row], &key)
    case .uint32: unsigned(column.values(as: UInt32.self)[row], &key)
    case .uint64: unsigned(column.values(as: UInt64.self)[row], &key)
    case .uint128: unsigned(column.values(as: UInt128.self)[row], &key)
    case .float: unsigned(bits(column.values(as: Float.self)[row]), &key)
    case .double: unsigned(bits(column.values(as: Double.self)[row]), &key)
    case .interval:
      let parts = column.values(as: Interval.self)[row].normalized
      signed(Int32(clamping: parts.months), &key)
      signed(Int32(clamping: parts.days), &key)
      signed(parts.microseconds, &key)
    case .string:
      // Bytes that could be taken for the end (0) are moved up, or marked where all bytes occur.
      let bytes = (UnsafePointer(column.values(as: StringView.self)) + row).buffer
      for byte in bytes {
        if column.type == .varchar {
          key.append(byte &+ 1)
        } else {
          if byte <= 1 { key.append(1) }
          key.append(byte)
        }
      }
      key.append(0)
    case .list, .array, .structure: break
    }
    if direction.isDescending { for place in start..<key.count { key[place] = ~key[place] } }
  }

  private static func unsigned<T: FixedWidthInteger>(_ value: T, _ key: inout [UInt8]) {
    withUnsafeBytes(of: value.bigEndian) { key.append(contentsOf: $0) }
  }

  /// With the sign bit turned over, negative numbers come first.
  private static func signed<T: FixedWidthInteger & SignedInteger>(
    _ value: T, _ key: inout [UInt8]
  ) {
    unsigned(value ^ T.min, &key)
  }

  private static func bits(_ value: Float) -> UInt32 {
    if value == 0 { return 1 << 31 }
    if value.isNaN { return .max }
    if value.isInfinite { return value > 0 ? .max - 1 : 0 }
    return value > 0 ? value.bitPattern | 1 << 31 : ~value.bitPattern
  }

  private static func bits(_ value: Double) -> UInt64 {
    if value == 0 { return 1 << 63 }
    if value.isNaN { return .max }
    if value.isInfinite { return value > 0 ? .max - 1 : 0 }
    return value > 0 ? value.bitPattern | 1 << 63 : ~value.bitPattern
  }
}
