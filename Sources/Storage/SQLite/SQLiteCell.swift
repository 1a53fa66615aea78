import Columnar

/// One value of a row, read as what its column is.
enum SQLiteCell {
  /// Gives what is wrong with a value that cannot be read so; nil when it was appended.
  static func append(
    _ statement: borrowing SQLiteStatement, _ position: Int, _ reading: SQLiteColumn.Reading,
    to builder: inout ColumnBuilder
  ) -> String? {
    let kind = statement.kind(position)
    if kind == .null {
      builder.appendNull()
      return nil
    }
    switch (reading, kind) {
    case (.integer, .integer): builder.append(fixed: statement.integer(position))
    case (.real, .integer), (.real, .real): builder.append(fixed: statement.real(position))
    case (.any, .blob):
      statement.withBytes(position) { appendEscaped($0, to: &builder) }
    case (.any, _), (.text, .integer), (.text, .real), (.text, .text):
      let isText = statement.withText(position) { bytes in
        if !isValidUTF8(bytes) { return false }
        builder.append(bytes: bytes)
        return true
      }
      if !isText { return "the text is not valid UTF-8" }
    case (.bytes, _):
      statement.withBytes(position) { bytes in
        bytes.withMemoryRebound(to: UInt8.self) { builder.append(bytes: $0) }
      }
    case (.date, .text):
      guard let days = statement.withText(position, { TextParsing.plainDate($0) }) else {
        return "'\(statement.text(position).prefix(40))' is no date"
      }
      builder.append(fixed: days)
    case (.timestamp, .text):
      guard let moment = statement.withText(position, { TextParsing.timestamp($0) }) else {
        return "'\(statement.text(position).prefix(40))' is no moment"
      }
      builder.append(fixed: moment)
    case (.timestamp, .integer):
      // Seconds since 1970, as SQLite's unixepoch() gives them.
      let (moment, overflow) = statement.integer(position)
        .multipliedReportingOverflow(by: 1_000_000)
      if overflow { return "\(statement.integer(position)) is no moment" }
      builder.append(fixed: moment)
    case (.integer, _), (.real, _), (.text, _), (.date, _), (.timestamp, _):
      let text = kind == .blob ? "the value" : "'\(statement.text(position).prefix(40))'"
      return "\(text) is of type \(kind)"
    }
    return nil
  }

  /// A blob among texts is written as CAST would: bytes that are no printable ASCII as `\xFF`.
  private static func appendEscaped(
    _ bytes: UnsafeRawBufferPointer, to builder: inout ColumnBuilder
  ) {
    let digits = Array("0123456789ABCDEF".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    for byte in bytes {
      if 32..<127 ~= byte, byte != 92, byte != 34, byte != 39 {
        text.append(byte)
      } else {
        text += [92, 120, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    text.withUnsafeBufferPointer { builder.append(bytes: $0) }
  }
}
