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
      case "delim", "sep", "delimiter": delimiter = try CSVOptions.character(name, value)
      case "quote":
        let isEmpty = try CSVOptions.text(name, value).isEmpty
        quote = isEmpty ? nil : try CSVOptions.character(name, value)
        if let quote, !escapeIsGiven { escape = quote }
      case "escape":
        escape = try CSVOptions.character(name, value)
        escapeIsGiven = true
      case "header": header = value.isNull ? true : try CSVOptions.flag(name, value)
      case "nullstr", "null": nullText = try CSVOptions.text(name, value)
      case "compression":
        let pinned = try CSVOptions([(name: "compression", value: value, type: .varchar)])
        compression = pinned.compression
      case "force_quote":
        if case .varchar(let one) = value {
          forceQuote = [one.lowercased()]
        } else {
          forceQuote = try CSVOptions.list(name, value).map { $0.lowercased() }
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
  private let nullText: [UInt8]
  /// Bytes that make a text need quotes.
  private let isSpecial: [Bool]

  package init(path: String, fields: [Field], options: CSVWriterOptions = CSVWriterOptions()) throws
  {
    self.options = options
    nullText = Array(options.nullText.utf8)
    isForced = fields.map {
      options.forceQuote.contains("*") || options.forceQuote.contains($0.name.lowercased())
    }
    var special = [Bool](repeating: false, count: 256)
    for byte in [options.delimiter, 10, 13, options.quote ?? 10] { special[Int(byte)] = true }
    isSpecial = special
    file = try OutputFile(path: path, compression: options.compression ?? FileCompression(path: path))
    if options.header {
      for (position, field) in fields.enumerated() {
        if position > 0 { buffer.append(options.delimiter) }
        var name = field.name
        name.withUTF8 { appendText($0, isForced: isForced[position]) }
      }
      buffer.append(10)
    }
  }

  package func write(_ batch: Batch) throws {
    // Column by column to text, then row by row together: types are switched on once a column.
    let texts = batch.columns.map { ValueText.text(of: $0) }
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
    for row in 0..<batch.rowCount {
      for column in readers.indices {
        if column > 0 { buffer.append(options.delimiter) }
        if readers[column].isNull(row) {
          nullText.withUnsafeBufferPointer { buffer.append($0) }
          continue
        }
        let text = readers[column].pointer(row).buffer
        if needsCare[column] || isForced[column] {
          appendText(text, isForced: isForced[column])
        } else {
          buffer.append(text)
        }
      }
      buffer.append(10)
      if buffer.count >= 1 << 16 { try flush() }
    }
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

  private func appendText(_ text: UnsafeBufferPointer<UInt8>, isForced: Bool) {
    guard let quote = options.quote, isForced || needsQuotes(text) else {
      buffer.append(text)
      return
    }
    let escape = options.escape
    buffer.append(quote)
    for byte in text {
      if byte == quote || byte == escape { buffer.append(escape) }
      buffer.append(byte)
    }
    buffer.append(quote)
  }

  private func needsQuotes(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    if text.isEmpty { return true }
    if text.count == nullText.count && text.elementsEqual(nullText) { return true }
    return isSpecial.withUnsafeBufferPointer { special in
      for byte in text where special[Int(byte)] { return true }
      return false
    }
  }
}
