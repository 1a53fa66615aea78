/// Values as text, as casts to VARCHAR, results and CSV files show them: DuckDB's forms.
@usableFromInline package enum ValueText {
  /// The text of one row; `NULL` when it is NULL.
  package static func append(_ column: Column, row: Int, to buffer: inout TextBuffer) {
    if column.isNull(row) {
      buffer.append("NULL")
      return
    }
    let index = column.valueIndex(row)
    switch column.type {
    case .null: buffer.append("NULL")
    case .boolean: append(boolean: column.values(as: UInt8.self)[index] != 0, to: &buffer)
    case .tinyint: buffer.append(integer: column.values(as: Int8.self)[index])
    case .smallint: buffer.append(integer: column.values(as: Int16.self)[index])
    case .integer: buffer.append(integer: column.values(as: Int32.self)[index])
    case .bigint: buffer.append(integer: column.values(as: Int64.self)[index])
    case .hugeint: buffer.append(integer: column.values(as: Int128.self)[index])
    case .utinyint: buffer.append(integer: column.values(as: UInt8.self)[index])
    case .usmallint: buffer.append(integer: column.values(as: UInt16.self)[index])
    case .uinteger: buffer.append(integer: column.values(as: UInt32.self)[index])
    case .ubigint: buffer.append(integer: column.values(as: UInt64.self)[index])
    case .uhugeint: buffer.append(integer: column.values(as: UInt128.self)[index])
    case .float: append(float: column.values(as: Float.self)[index], to: &buffer)
    case .double: append(double: column.values(as: Double.self)[index], to: &buffer)
    case .decimal(let precision, let scale):
      let value: Int128
      switch column.type.physical {
      case .int16: value = Int128(column.values(as: Int16.self)[index])
      case .int32: value = Int128(column.values(as: Int32.self)[index])
      case .int64: value = Int128(column.values(as: Int64.self)[index])
      default: value = column.values(as: Int128.self)[index]
      }
      append(decimal: value, precision: precision, scale: scale, to: &buffer)
    case .varchar, .json:
      buffer.append(UnsafePointer(column.values(as: StringView.self) + index).buffer)
    case .blob:
      append(blob: UnsafePointer(column.values(as: StringView.self) + index).buffer, to: &buffer)
    case .date: append(date: column.values(as: Int32.self)[index], to: &buffer)
    case .time: append(time: column.values(as: Int64.self)[index], to: &buffer)
    case .timeTZ: append(timeTZ: column.values(as: UInt64.self)[index], to: &buffer)
    case .timestamp, .timestampSeconds, .timestampMilliseconds, .timestampNanoseconds, .timestampTZ:
      append(timestamp: column.values(as: Int64.self)[index], column.type, to: &buffer)
    case .interval: append(interval: column.values(as: Interval.self)[index], to: &buffer)
    case .uuid: append(uuid: column.values(as: UInt128.self)[index], to: &buffer)
    case .enumeration(let labels): buffer.append(string: labels.labels[column.enumPosition(index)])
    case .map: append(entriesOf: column, index, to: &buffer)
    case .list:
      let entry = column.values(as: ListEntry.self)[index]
      append(elements: entry.offset..<(entry.offset + entry.length), of: column, to: &buffer)
    case .array(_, let n):
      append(elements: (index * n)..<(index * n + n), of: column, to: &buffer)
    case .structure(let fields):
      append(fields, of: column, index, to: &buffer)
    }
  }

  /// The rows as a VARCHAR column of the same encoding; NULL stays NULL.
  package static func text(of column: Column) -> Column {
    // Nothing is thrown without bounds.
    (try? text(of: column, isBounded: false)) ?? Column.nulls(.varchar, count: column.count)
  }

  /// The same, ended by a cancellation of the statement, and when a text gets too long: that of a list
  /// of millions is made element by element.
  package static func boundedText(of column: Column) throws -> Column {
    try text(of: column, isBounded: true)
  }

  private static func text(of column: Column, isBounded: Bool) throws -> Column {
    if column.type == .varchar { return column }
    if column.type == .json { return column.reinterpreted(as: .varchar) }
    if case .enumeration(let labels) = column.type, !column.isConstant, column.count > 0 {
      return labels.text(of: column)
    }
    switch column.encoding {
    case .constant:
      return Column(
        repeating: try text(of: column.flatValue(0), isBounded: isBounded), count: column.count)
    case .dictionary:
      // A base much larger than the selection is not worth printing whole.
      guard let base = column.base, let indices = column.indices, base.count <= column.count * 2
      else { return try text(of: column.flattened(), isBounded: isBounded) }
      let printed = try text(of: base, isBounded: isBounded)
      return Column(
        type: .varchar, count: column.count, encoding: .dictionary, data: printed.data,
        validity: printed.validity, indices: indices, base: printed, owners: [column])
    case .flat:
      return try flatText(of: column, isBounded)
    }
  }

  private static func flatText(of column: Column, _ isBounded: Bool) throws -> Column {
    switch column.type {
    case .tinyint: try print(column, Int8.self) { $1.append(integer: $0) }
    case .smallint: try print(column, Int16.self) { $1.append(integer: $0) }
    case .integer: try print(column, Int32.self) { $1.append(integer: $0) }
    case .bigint: try print(column, Int64.self) { $1.append(integer: $0) }
    case .utinyint: try print(column, UInt8.self) { $1.append(integer: $0) }
    case .usmallint: try print(column, UInt16.self) { $1.append(integer: $0) }
    case .uinteger: try print(column, UInt32.self) { $1.append(integer: $0) }
    case .ubigint: try print(column, UInt64.self) { $1.append(integer: $0) }
    case .float: try print(column, Float.self) { append(float: $0, to: &$1) }
    case .double: try print(column, Double.self) { append(double: $0, to: &$1) }
    case .date: try print(column, Int32.self) { append(date: $0, to: &$1) }
    case .time: try print(column, Int64.self) { append(time: $0, to: &$1) }
    case .timestamp: try print(column, Int64.self) { append(timestamp: $0, to: &$1) }
    case .timestampTZ: try printInstants(column)
    default:
      try printRows(column, isBounded: isBounded) { append(column, row: $0, to: &$1) }
    }
  }

  private static func printInstants(_ column: Column) throws -> Column {
    var cursor = SessionTime.cursor
    return try print(column, Int64.self) { append(instant: $0, &cursor, to: &$1) }
  }

  @inline(__always)
  private static func print<T: BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ body: (T, inout TextBuffer) -> Void
  ) throws -> Column {
    let values = column.values(as: T.self)
    return try printRows(column) { body(values[$0], &$1) }
  }

  /// Bytes from which on a text is worth a question.
  private static let longText = 1 << 16

  @inline(__always)
  private static func printRows(
    _ column: Column, isBounded: Bool = false, _ body: (Int, inout TextBuffer) -> Void
  ) throws -> Column {
    let heap = StringHeap()
    let result = Column(flat: .varchar, count: column.count, heaps: [heap])
    let target = result.values(as: StringView.self)
    let validity = column.validity
    var buffer = TextBuffer()
    if isBounded { buffer.limit = TextBuffer.longest }
    for row in 0..<column.count {
      if let validity, !Validity.isValid(validity, row) {
        target[row] = StringView()
        continue
      }
      buffer.removeAll()
      body(row, &buffer)
      if isBounded, buffer.isCut || buffer.count >= longText { try buffer.check() }
      target[row] = heap.store(UnsafePointer(buffer.start), buffer.count)
    }
    if column.mayHaveNulls { result.addNulls(of: column) }
    return result
  }

  @inlinable
  package static func append(boolean value: Bool, to buffer: inout TextBuffer) {
    if value { buffer.append("true") } else { buffer.append("false") }
  }

  /// Printable ASCII as it is, everything else and the backslash as `\xHH`.
  package static func append(
    blob bytes: UnsafeBufferPointer<UInt8>, to buffer: inout TextBuffer
  ) {
    let digits: StaticString = "0123456789ABCDEF"
    for byte in bytes {
      if byte >= 0x20 && byte < 0x7F && byte != 0x5C && byte != 0x22 && byte != 0x27 {
        buffer.append(byte)
      } else {
        buffer.append(0x5C)
        buffer.append(0x78)
        buffer.append(digits.utf8Start[Int(byte >> 4)])
        buffer.append(digits.utf8Start[Int(byte & 15)])
      }
    }
  }
}
