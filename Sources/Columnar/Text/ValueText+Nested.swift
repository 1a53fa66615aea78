extension ValueText {
  /// `[1, 2, NULL]`
  static func append(
    elements: Range<Int>, of column: Column, to buffer: inout TextBuffer
  ) {
    buffer.append(0x5B)
    // The text of a JSON[] is JSON.
    let isJSON = column.type == .list(.json)
    for element in elements {
      if element & 1023 == 0, buffer.mustStop() { break }
      if element > elements.lowerBound { buffer.append(", ") }
      if isJSON {
        append(column.children[0], row: element, to: &buffer)
      } else {
        append(nested: column.children[0], element, to: &buffer)
      }
    }
    buffer.append(0x5D)
  }

  /// `{'a': 1, 'b': NULL}`; `(1, 2)` when no field has a name.
  static func append(
    _ fields: [Field], of column: Column, _ index: Int, to buffer: inout TextBuffer
  ) {
    let isNamed = fields.isEmpty || fields.contains { !$0.name.isEmpty }
    buffer.append(isNamed ? 0x7B : 0x28)
    for (position, field) in fields.enumerated() {
      if position > 0 { buffer.append(", ") }
      if isNamed {
        var name = field.name
        name.withUTF8 { appendQuoted($0, to: &buffer) }
        buffer.append(": ")
      }
      append(nested: column.children[position], index, to: &buffer)
    }
    if !isNamed && fields.count == 1 { buffer.append(0x2C) }
    buffer.append(isNamed ? 0x7D : 0x29)
  }

  /// `{a=1, b=NULL}`
  static func append(entriesOf column: Column, _ index: Int, to buffer: inout TextBuffer) {
    let entry = column.values(as: ListEntry.self)[index]
    let entries = column.children[0].flattened()
    buffer.append(0x7B)
    for item in entry.offset..<(entry.offset + entry.length) {
      if item & 1023 == 0, buffer.mustStop() { break }
      if item > entry.offset { buffer.append(", ") }
      append(nested: entries.children[0], item, to: &buffer)
      buffer.append(0x3D)
      append(nested: entries.children[1], item, to: &buffer)
    }
    buffer.append(0x7D)
  }

  /// An element or a field: quoted where its plain text could be taken for something else.
  private static func append(nested column: Column, _ row: Int, to buffer: inout TextBuffer) {
    if column.isNull(row) || column.type.isNested || column.type.isNumeric {
      append(column, row: row, to: &buffer)
      return
    }
    var text = TextBuffer()
    append(column, row: row, to: &text)
    if needsQuotes(text.bytes) {
      appendQuoted(text.bytes, to: &buffer)
    } else {
      buffer.append(text.bytes)
    }
  }

  private static func appendQuoted(
    _ text: UnsafeBufferPointer<UInt8>, to buffer: inout TextBuffer
  ) {
    buffer.append(0x27)
    for byte in text {
      if byte == 0x27 || byte == 0x5C { buffer.append(0x5C) }
      buffer.append(byte)
    }
    buffer.append(0x27)
  }

  private static func needsQuotes(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = text.first, let last = text.last else { return true }
    if TextParsing.isSpace(first) || TextParsing.isSpace(last) { return true }
    if TextParsing.equalsIgnoringCase(text, "null") { return true }
    for byte in text {
      switch byte {
      case 0x22, 0x27, 0x28, 0x29, 0x2C, 0x3A, 0x3D, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D: return true
      default: continue
      }
    }
    return false
  }
}
