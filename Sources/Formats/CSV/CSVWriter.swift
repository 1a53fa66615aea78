import Columnar
import Diagnostics

/// How COPY … TO writes CSV.
package struct CSVWriterOptions: Sendable {
  package var delimiter: UInt8 = 0x2C
  /// Nil to never quote.
  package var quote: UInt8? = 0x22
  package var escape: UInt8 = 0x22
  package var header = true
  package var nullText = ""
  package var compression: FileCompression?
  /// Lower-case names of columns that are always quoted; "*" for all.
  package var forceQuote: [String] = []

  package init() {}

  static let optionNames = [
    "compression", "delim", "delimiter", "escape", "force_quote", "header", "nullstr", "quote",
    "sep",
  ]

  /// Reads the options of COPY … TO.
  package init(_ arguments: [(name: String, value: Value, type: LogicalType)]) throws {
    var escapeIsGiven = false
    for (name, value, _) in arguments {
      switch name.lowercased() {
      case "delim", "sep", "delimiter": delimiter = try FormatOption.character(name, value)
      case "quote":
        let isEmpty = try FormatOption.text(name, value).isEmpty
        quote = isEmpty ? nil : try FormatOption.character(name, value)
        if let quote, !escapeIsGiven { escape = quote }
      case "escape":
        escape = try FormatOption.character(name, value)
        escapeIsGiven = true
      case "header": header = value.isNull ? true : try FormatOption.flag(name, value)
      case "nullstr", "null": nullText = try FormatOption.text(name, value)
      case "compression":
        compression = try FormatOption.compression(name, value)
      case "force_quote":
        if case .varchar(let one) = value {
          forceQuote = [one.lowercased()]
        } else {
          forceQuote = try FormatOption.list(name, value).map { $0.lowercased() }
        }
      default:
        throw SQLError(
          .binder, "COPY to CSV has no option \"\(name)\"",
          hint: didYouMean(name, among: CSVWriterOptions.optionNames))
      }
    }
  }
}

/// Writes batches as CSV. NULL is `nullstr`; an empty string, and text that could be read as
/// something else, is quoted.
package final class CSVWriter: FileWriter {
  private let file: OutputFile
  private let options: CSVWriterOptions
  private let isForced: [Bool]
  private var buffer = TextBuffer(capacity: 1 << 17)
  private var rowCount = 0
  private let format: CSVFormat

  package init(path: String, fields: [Field], options: CSVWriterOptions = CSVWriterOptions()) throws
  {
    self.options = options
    format = CSVFormat(options)
    isForced = fields.map {
      options.forceQuote.contains("*") || options.forceQuote.contains($0.name.lowercased())
    }
    file = try OutputFile(
      path: path, compression: options.compression ?? FileCompression(path: path))
    if options.header {
      for (position, field) in fields.enumerated() {
        if position > 0 { buffer.append(options.delimiter) }
        var name = field.name
        name.withUTF8 { format.append($0, isForced: isForced[position], to: &buffer) }
      }
      buffer.append(10)
    }
  }

  package func write(_ batch: Batch) throws {
    // Column by column to text, then row by row together: types are switched on once a column.
    let texts = try batch.columns.map { try ValueText.boundedText(of: $0) }
    let readers = texts.map { ColumnReader<StringView>($0) }
    let needsCare = batch.columns.map { column in
      switch column.type {
      case .boolean, .tinyint, .smallint, .integer, .bigint, .hugeint, .utinyint, .usmallint,
        .uinteger, .ubigint, .uhugeint, .date:
        // Their letters are never special under the usual delimiters.
        options.delimiter != 0x2C || !options.nullText.isEmpty
      default: true
      }
    }
    let needsTest = zip(needsCare, isForced).map { $0 || $1 }
    format.append(
      readers, rows: batch.rowCount, needsTest: needsTest, isForced: isForced, to: &buffer)
    if buffer.count >= 1 << 16 { try flush() }
    withExtendedLifetime(texts) {}
    rowCount += batch.rowCount
  }

  package func finish() throws -> Int {
    try flush()
    try file.finish()
    return rowCount
  }

  package func abort() { file.abort() }

  private func flush() throws {
    try file.write(UnsafeRawBufferPointer(buffer.bytes))
    buffer.removeAll()
  }
}

/// The characters of one file, apart from the writer so that a batch is written under one access
/// to the writer's buffer.
private struct CSVFormat {
  let delimiter: UInt8
  let quote: UInt8?
  let escape: UInt8
  let nullText: [UInt8]
  /// Bytes that make a text need quotes.
  private let isSpecial: [Bool]

  init(_ options: CSVWriterOptions) {
    delimiter = options.delimiter
    quote = options.quote
    escape = options.escape
    nullText = Array(options.nullText.utf8)
    var special = [Bool](repeating: false, count: 256)
    for byte in [options.delimiter, 10, 13, options.quote ?? 10] { special[Int(byte)] = true }
    isSpecial = special
  }

  func append(
    _ readers: [ColumnReader<StringView>], rows: Int, needsTest: [Bool], isForced: [Bool],
    to buffer: inout TextBuffer
  ) {
    nullText.withUnsafeBufferPointer { null in
      isSpecial.withUnsafeBufferPointer { special in
        for row in 0..<rows {
          for column in readers.indices {
            if column > 0 { buffer.append(delimiter) }
            if readers[column].isNull(row) {
              buffer.append(null)
              continue
            }
            let text = readers[column].pointer(row).buffer
            if needsTest[column],
              isForced[column] || CSVFormat.needsQuotes(text, null, special)
            {
              append(quoted: text, to: &buffer)
            } else {
              buffer.append(text)
            }
          }
          buffer.append(10)
        }
      }
    }
  }

  func append(
    _ text: UnsafeBufferPointer<UInt8>, isForced: Bool, to buffer: inout TextBuffer
  ) {
    let quotes = nullText.withUnsafeBufferPointer { null in
      isSpecial.withUnsafeBufferPointer { CSVFormat.needsQuotes(text, null, $0) }
    }
    if isForced || quotes { append(quoted: text, to: &buffer) } else { buffer.append(text) }
  }

  private func append(
    quoted text: UnsafeBufferPointer<UInt8>, to buffer: inout TextBuffer
  ) {
    guard let quote else {
      buffer.append(text)
      return
    }
    buffer.append(quote)
    for byte in text {
      if byte == quote || byte == escape { buffer.append(escape) }
      buffer.append(byte)
    }
    buffer.append(quote)
  }

  @inline(__always)
  private static func needsQuotes(
    _ text: UnsafeBufferPointer<UInt8>, _ null: UnsafeBufferPointer<UInt8>,
    _ special: UnsafeBufferPointer<Bool>
  ) -> Bool {
    if text.isEmpty { return true }
    if text.count == null.count && text.elementsEqual(null) { return true }
    for byte in text where special[Int(byte)] { return true }
    return false
  }
}
