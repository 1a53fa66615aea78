import Columnar
import JSONReading

/// Values of every type as JSON: what to_json, casts to JSON and JSON files write.
package enum JSONCreation {
  /// Each row as a document; NULL stays NULL.
  static func column(_ column: Column, _ count: Int) throws -> Column {
    let heap = StringHeap()
    let result = Column(flat: .json, count: count, heaps: [heap])
    result.addNulls(of: column)
    let writer = try JSONValueWriter(column)
    let target = result.values(as: StringView.self)
    var buffer = TextBuffer()
    for row in 0..<count {
      if column.isNull(row) {
        target[row] = StringView()
        continue
      }
      buffer.removeAll()
      try writer.append(row, to: &buffer)
      target[row] = heap.store(UnsafePointer(buffer.start), buffer.count)
    }
    return result
  }
}

/// Writes the rows of one column as JSON; the types are taken apart once.
package struct JSONValueWriter {
  private indirect enum Form {
    case null
    /// Numbers and truth values: their text is JSON.
    case plain(Column)
    /// Text that is shown in quotes.
    case quoted(Column)
    case json(Column)
    case float(Column)
    case double(Column)
    case list(Column, JSONValueWriter)
    case array(JSONValueWriter, width: Int)
    case structure(keys: [[UInt8]], [JSONValueWriter])
    case row([JSONValueWriter])
    case map(Column, keys: Column, JSONValueWriter)
  }

  private let form: Form
  private let column: Column

  package init(_ column: Column) throws {
    self.column = column
    switch column.type {
    case .null: form = .null
    case .boolean, .tinyint, .smallint, .integer, .bigint, .hugeint, .utinyint, .usmallint,
      .uinteger, .ubigint, .uhugeint:
      form = .plain(ValueText.text(of: column))
    // Digits that a DOUBLE holds are one.
    case .decimal(let precision, _) where precision <= 15:
      form = .double(try Cast.column(column, to: .double))
    case .decimal: form = .plain(ValueText.text(of: column))
    case .float: form = .float(column)
    case .double: form = .double(column)
    case .varchar: form = .quoted(column)
    case .json: form = .json(column)
    case .blob, .date, .time, .timeTZ, .timestamp, .timestampSeconds, .timestampMilliseconds,
      .timestampNanoseconds, .timestampTZ, .interval, .uuid, .enumeration:
      form = .quoted(try Cast.column(column, to: .varchar))
    case .list: form = .list(column, try JSONValueWriter(column.children[0]))
    case .array(_, let width): form = .array(try JSONValueWriter(column.children[0]), width: width)
    case .structure(let fields):
      let writers = try column.children.map { try JSONValueWriter($0) }
      if fields.allSatisfy(\.name.isEmpty) {
        form = .row(writers)
      } else {
        form = .structure(keys: fields.map { JSONValueWriter.key($0.name) }, writers)
      }
    case .map:
      let entries = column.children[0]
      form = .map(
        column, keys: try Cast.column(entries.children[0], to: .varchar),
        try JSONValueWriter(entries.children[1]))
    }
  }

  /// `"name":`
  package static func key(_ name: String) -> [UInt8] {
    var buffer = TextBuffer()
    var name = name
    name.withUTF8 { JSONText.append(quoted: $0, to: &buffer) }
    buffer.append(0x3A)
    return Array(buffer.bytes)
  }

  /// Row `row` of the column, `null` where it is NULL.
  package func append(_ row: Int, to buffer: inout TextBuffer) throws {
    if column.isNull(row) {
      buffer.append("null")
      return
    }
    switch form {
    case .null: buffer.append("null")
    case .plain(let text):
      buffer.append(ColumnReader<StringView>(text).pointer(row).buffer)
    case .quoted(let text):
      JSONText.append(quoted: ColumnReader<StringView>(text).pointer(row).buffer, to: &buffer)
    case .json(let text):
      var tape = JSONTape()
      let root = try JSONDocuments.read(ColumnReader<StringView>(text).pointer(row).buffer, &tape)
      JSONText.append(tape, root, to: &buffer)
    case .float(let values):
      JSONText.append(double: Double(ColumnReader<Float>(values)[row]), to: &buffer)
    case .double(let values):
      JSONText.append(double: ColumnReader<Double>(values)[row], to: &buffer)
    case .list(let lists, let items):
      let entry = ColumnReader<ListEntry>(lists)[row]
      try append(items, entry.offset..<(entry.offset + entry.length), to: &buffer)
    case .array(let items, let width):
      let start = column.valueIndex(row) * width
      try append(items, start..<(start + width), to: &buffer)
    case .structure(let keys, let fields):
      let index = column.valueIndex(row)
      for (position, field) in fields.enumerated() {
        buffer.append(position == 0 ? 0x7B : 0x2C)
        keys[position].withUnsafeBufferPointer { buffer.append($0) }
        try field.append(index, to: &buffer)
      }
      buffer.append(0x7D)
    case .row(let fields):
      let index = column.valueIndex(row)
      for (position, field) in fields.enumerated() {
        buffer.append(position == 0 ? 0x5B : 0x2C)
        try field.append(index, to: &buffer)
      }
      buffer.append(0x5D)
    case .map(let maps, let keys, let values):
      let entry = ColumnReader<ListEntry>(maps)[row]
      let names = ColumnReader<StringView>(keys)
      buffer.append(0x7B)
      for item in 0..<entry.length {
        if item > 0 { buffer.append(0x2C) }
        JSONText.append(quoted: names.pointer(entry.offset + item).buffer, to: &buffer)
        buffer.append(0x3A)
        try values.append(entry.offset + item, to: &buffer)
      }
      buffer.append(0x7D)
    }
  }

  private func append(
    _ items: JSONValueWriter, _ range: Range<Int>, to buffer: inout TextBuffer
  ) throws {
    buffer.append(0x5B)
    for item in range {
      if item > range.lowerBound { buffer.append(0x2C) }
      try items.append(item, to: &buffer)
    }
    buffer.append(0x5D)
  }
}
