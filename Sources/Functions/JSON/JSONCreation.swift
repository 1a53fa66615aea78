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
  private enum Form {
    case null
    /// Numbers and truth values: their text is JSON.
    case plain(ColumnReader<StringView>)
    /// Text that is shown in quotes.
    case quoted(ColumnReader<StringView>)
    case json(ColumnReader<StringView>)
    case bigint(ColumnReader<Int64>)
    case integer(ColumnReader<Int32>)
    case float(ColumnReader<Float>)
    case double(ColumnReader<Double>)
    case list(ColumnReader<ListEntry>)
    case array(width: Int)
    case structure
    case row
    case map(ColumnReader<ListEntry>, keys: ColumnReader<StringView>)
  }

  /// A tape for the documents of a JSON column, one after the other.
  private final class Scratch {
    var tape = JSONTape()
  }

  private let form: Form
  private let column: Column
  private let scratch = Scratch()
  /// Holds what `form` reads, where that is not the column itself.
  private let kept: Column?
  /// Of a list or a MAP the elements or values, of a struct its fields.
  private let parts: [JSONValueWriter]
  /// `"name":` of each field.
  private let keys: [[UInt8]]

  package init(_ column: Column) throws {
    self.column = column
    var kept: Column?
    var parts: [JSONValueWriter] = []
    var keys: [[UInt8]] = []
    func text(_ made: Column) -> ColumnReader<StringView> {
      kept = made
      return ColumnReader(made)
    }
    switch column.type {
    case .null: form = .null
    case .bigint: form = .bigint(ColumnReader(column))
    case .integer: form = .integer(ColumnReader(column))
    case .boolean, .tinyint, .smallint, .hugeint, .utinyint, .usmallint, .uinteger, .ubigint,
      .uhugeint:
      form = .plain(text(ValueText.text(of: column)))
    // Digits that a DOUBLE holds are one.
    case .decimal(let precision, _) where precision <= 15:
      let doubles = try Cast.column(column, to: .double)
      kept = doubles
      form = .double(ColumnReader(doubles))
    case .decimal: form = .plain(text(ValueText.text(of: column)))
    case .float: form = .float(ColumnReader(column))
    case .double: form = .double(ColumnReader(column))
    case .varchar: form = .quoted(ColumnReader(column))
    case .json: form = .json(ColumnReader(column))
    case .blob, .date, .time, .timeTZ, .timestamp, .timestampSeconds, .timestampMilliseconds,
      .timestampNanoseconds, .timestampTZ, .interval, .uuid, .enumeration:
      form = .quoted(text(try Cast.column(column, to: .varchar)))
    case .list:
      parts = [try JSONValueWriter(column.children[0])]
      form = .list(ColumnReader(column))
    case .array(_, let width):
      parts = [try JSONValueWriter(column.children[0])]
      form = .array(width: width)
    case .structure(let fields):
      parts = try column.children.map { try JSONValueWriter($0) }
      let isRow = fields.allSatisfy(\.name.isEmpty)
      if !isRow { keys = fields.map { JSONValueWriter.key($0.name) } }
      form = isRow ? .row : .structure
    case .map:
      let entries = column.children[0].flattened()
      parts = [try JSONValueWriter(entries.children[1])]
      form = .map(
        ColumnReader(column), keys: text(try Cast.column(entries.children[0], to: .varchar)))
    }
    self.kept = kept
    self.parts = parts
    self.keys = keys
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
    if column.mayHaveNulls, column.isNull(row) {
      buffer.append("null")
      return
    }
    switch form {
    case .null: buffer.append("null")
    case .plain(let text): buffer.append(text.pointer(row).buffer)
    case .quoted(let text): JSONText.append(quoted: text.pointer(row).buffer, to: &buffer)
    case .json(let text):
      scratch.tape.removeAll()
      let root = try JSONDocuments.read(text.pointer(row).buffer, &scratch.tape)
      JSONText.append(scratch.tape, root, to: &buffer)
    case .bigint(let values): buffer.append(integer: values[row])
    case .integer(let values): buffer.append(integer: values[row])
    case .float(let values): JSONText.append(double: Double(values[row]), to: &buffer)
    case .double(let values): JSONText.append(double: values[row], to: &buffer)
    case .list(let lists):
      let entry = lists[row]
      try append(entry.offset..<(entry.offset + entry.length), to: &buffer)
    case .array(let width):
      let start = column.valueIndex(row) * width
      try append(start..<(start + width), to: &buffer)
    case .structure:
      let index = column.valueIndex(row)
      for position in parts.indices {
        buffer.append(position == 0 ? 0x7B : 0x2C)
        keys[position].withUnsafeBufferPointer { buffer.append($0) }
        try parts[position].append(index, to: &buffer)
      }
      if parts.isEmpty { buffer.append(0x7B) }
      buffer.append(0x7D)
    case .row:
      let index = column.valueIndex(row)
      for position in parts.indices {
        buffer.append(position == 0 ? 0x5B : 0x2C)
        try parts[position].append(index, to: &buffer)
      }
      if parts.isEmpty { buffer.append(0x5B) }
      buffer.append(0x5D)
    case .map(let maps, let names):
      let entry = maps[row]
      buffer.append(0x7B)
      for item in entry.offset..<(entry.offset + entry.length) {
        if item > entry.offset { buffer.append(0x2C) }
        JSONText.append(quoted: names.pointer(item).buffer, to: &buffer)
        buffer.append(0x3A)
        try parts[0].append(item, to: &buffer)
      }
      buffer.append(0x7D)
    }
  }

  private func append(_ range: Range<Int>, to buffer: inout TextBuffer) throws {
    buffer.append(0x5B)
    for item in range {
      if item > range.lowerBound { buffer.append(0x2C) }
      try parts[0].append(item, to: &buffer)
    }
    buffer.append(0x5D)
  }
}
