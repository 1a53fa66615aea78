import Columnar

/// What the first rows of a CSV file say about it: one row, under the names that DuckDB gives the
/// columns.
package struct CSVDescription {
  private let path: String
  private let layout: CSVLayout
  private let newline: String
  private let skip: Int

  package static let fields = [
    Field("Delimiter", .varchar), Field("Quote", .varchar), Field("Escape", .varchar),
    Field("NewLineDelimiter", .varchar), Field("Comment", .varchar), Field("SkipRows", .uinteger),
    Field("HasHeader", .boolean),
    Field(
      "Columns", .list(.structure([Field("name", .varchar), Field("type", .varchar)]))),
    Field("DateFormat", .varchar), Field("TimestampFormat", .varchar),
    Field("UserArguments", .varchar), Field("Prompt", .varchar),
  ]

  /// Sniffs as a reader with these options would.
  package init(
    path: String, options arguments: [(name: String, value: Value, type: LogicalType)]
  ) throws {
    let options = try CSVOptions(arguments)
    let file = try CSVSource.open(path, options)
    var sniffer = CSVSniffer(file, options)
    layout = try sniffer.sniff()
    newline = CSVDescription.newline(file, layout.dialect.newline)
    self.path = path
    skip = options.skip
  }

  /// Every line ends as the first does.
  private static func newline(_ file: FileBytes, _ end: UInt8) -> String {
    if end == 0x0D { return "\\r" }
    let bytes = UnsafeBufferPointer(start: file.start, count: file.count)
    guard let place = bytes.firstIndex(of: 0x0A), place > 0, bytes[place - 1] == 0x0D else {
      return "\\n"
    }
    return "\\r\\n"
  }

  package var row: [Value] {
    let dialect = layout.dialect
    func shown(_ character: UInt8?) -> Value {
      .varchar(character.map { String(Unicode.Scalar($0)) } ?? "(empty)")
    }
    let columns = layout.fields.map { field -> Value in
      .structure([.varchar(field.name), .varchar("\(field.type)")])
    }
    let hasDates = layout.fields.contains { $0.type == .date }
    return [
      shown(dialect.delimiter), shown(dialect.quote),
      shown(dialect.quote.map { _ in dialect.escape }), .varchar(newline), .varchar("(empty)"),
      .integer(Int128(skip)), .boolean(layout.hasHeader), .list(columns),
      hasDates ? .varchar("%Y-%m-%d") : .null, .null, .null, .varchar(prompt),
    ]
  }

  /// A query that reads the file so, without another look.
  private var prompt: String {
    func quoted(_ text: String) -> String {
      var result = "'"
      for character in text {
        result += character == "'" ? "''" : String(character)
      }
      return result + "'"
    }
    let dialect = layout.dialect
    let quote = dialect.quote.map { String(Unicode.Scalar($0)) } ?? ""
    let escape = dialect.quote.map { _ in String(Unicode.Scalar(dialect.escape)) } ?? ""
    let columns = layout.fields.map { "\(quoted($0.name)): \(quoted("\($0.type)"))" }
    return "FROM read_csv(\(quoted(path)), auto_detect=false, "
      + "delim=\(quoted(String(Unicode.Scalar(dialect.delimiter)))), quote=\(quoted(quote)), "
      + "escape=\(quoted(escape)), skip=\(skip), header=\(layout.hasHeader), "
      + "columns={\(columns.joined(separator: ", "))});"
  }
}
