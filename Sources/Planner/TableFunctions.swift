import Columnar
import Diagnostics
import Functions

/// A constant argument of a table function.
package struct TableFunctionArgument {
  package var name: String?
  package var value: Value
  package var type: LogicalType
  package var span: SourceSpan
}

/// A function in FROM whose arguments are constants: a row of the table below.
package struct TableFunctionDefinition: Sendable {
  package let name: String
  package let aliases: [String]
  package let summary: String
  package let example: String
  /// How it is called; none where it takes nothing.
  package let forms: [FunctionForm]
  /// The source, from positional and named arguments.
  let make:
    @Sendable (
      _ arguments: [TableFunctionArgument], _ named: [TableFunctionArgument],
      _ catalog: any CatalogReader
    ) throws -> any TableSource

  package init(
    name: String, aliases: [String], summary: String, example: String,
    forms: [FunctionForm] = [],
    make:
      @escaping @Sendable (
        _ arguments: [TableFunctionArgument], _ named: [TableFunctionArgument],
        _ catalog: any CatalogReader
      ) throws -> any TableSource
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.example = example
    self.forms = forms
    self.make = make
  }
}

package enum TableFunctions {
  package static let rows: [TableFunctionDefinition] = [
    TableFunctionDefinition(
      name: "generate_series", aliases: [], summary: "integers from start to stop, stop included",
      example: "SELECT * FROM generate_series(1, 3)", forms: seriesForms,
      make: { arguments, named, _ in
        try series(arguments, named, name: "generate_series", isInclusive: true)
      }),
    TableFunctionDefinition(
      name: "range", aliases: [], summary: "integers from start (0) up to but without stop",
      example: "SELECT * FROM range(3)", forms: seriesForms,
      make: { arguments, named, _ in
        try series(arguments, named, name: "range", isInclusive: false)
      }),
    TableFunctionDefinition(
      name: "read_csv", aliases: ["read_csv_auto"], summary: "the rows of CSV files",
      example: "SELECT * FROM read_csv('data.csv', delim = ';')", forms: fileForms,
      make: { try file($0, $1, $2, format: "csv") }),
    TableFunctionDefinition(
      name: "read_json", aliases: ["read_json_auto"], summary: "the documents of JSON files",
      example: "SELECT * FROM read_json('data.json', columns = {a: 'INTEGER'})",
      make: { try file($0, $1, $2, format: "json") }),
    TableFunctionDefinition(
      name: "read_json_objects", aliases: ["read_json_objects_auto"],
      summary: "the documents of JSON files, in one column of type JSON",
      example: "SELECT * FROM read_json_objects('data.json')",
      make: { try file($0, $1 + [objects], $2, format: "json") }),
    TableFunctionDefinition(
      name: "read_ndjson", aliases: ["read_ndjson_auto"],
      summary: "the documents of JSON files with a document a line",
      example: "SELECT * FROM read_ndjson('data.jsonl')",
      make: { try file($0, [lines] + $1, $2, format: "json") }),
    TableFunctionDefinition(
      name: "read_ndjson_objects", aliases: [],
      summary: "the lines of JSON files, in one column of type JSON",
      example: "SELECT * FROM read_ndjson_objects('data.jsonl')",
      make: { try file($0, [lines] + $1 + [objects], $2, format: "json") }),
    TableFunctionDefinition(
      name: "read_parquet", aliases: ["parquet_scan"], summary: "the rows of Parquet files",
      example: "SELECT * FROM read_parquet('data.parquet')", forms: fileForms,
      make: { try file($0, $1, $2, format: "parquet") }),
  ]

  private static let seriesForms = [
    FunctionForm("BIGINT", gives: "rows of BIGINT"),
    FunctionForm("BIGINT", "BIGINT", gives: "rows of BIGINT"),
    FunctionForm("BIGINT", "BIGINT", "BIGINT", gives: "rows of BIGINT"),
  ]

  private static let fileForms = [FunctionForm("VARCHAR", more: "option := ANY", gives: "rows")]

  package static func named(_ name: String) -> TableFunctionDefinition? {
    rows.first { $0.name == name || $0.aliases.contains(name) }
  }

  package static var allNames: [String] { rows.flatMap { [$0.name] + $0.aliases } }

  /// Options that a function's name stands for.
  private static let objects = option("objects", .boolean(true), .boolean)
  private static let lines = option("format", .varchar("newline_delimited"), .varchar)

  private static func option(
    _ name: String, _ value: Value, _ type: LogicalType
  ) -> TableFunctionArgument {
    TableFunctionArgument(name: name, value: value, type: type, span: SourceSpan(0, 0))
  }

  private static func file(
    _ arguments: [TableFunctionArgument], _ named: [TableFunctionArgument],
    _ catalog: any CatalogReader, format: String
  ) throws -> any TableSource {
    var paths: [String] = []
    switch arguments.count == 1 ? arguments[0].value : .null {
    case .varchar(let path): paths = [path]
    case .list(let values):
      for case .varchar(let path) in values { paths.append(path) }
      if paths.count < values.count { paths = [] }
    default: break
    }
    if paths.isEmpty {
      throw SQLError(
        .binder, "read_\(format) takes one path or a list of paths, then options by name",
        at: arguments.first?.span)
    }
    return try catalog.openFiles(
      paths, format: format,
      options: named.map { (name: $0.name ?? "", value: $0.value, type: $0.type) })
  }

  private static func series(
    _ arguments: [TableFunctionArgument], _ named: [TableFunctionArgument], name: String,
    isInclusive: Bool
  ) throws -> any TableSource {
    guard named.isEmpty, (1...3).contains(arguments.count) else {
      throw SQLError(.binder, "\(name) takes one to three integers")
    }
    let numbers = try arguments.map { argument -> Int64? in
      switch argument.value {
      case .null: return nil
      case .integer(let value):
        if let narrow = Int64(exactly: value) { return narrow }
      default: break
      }
      throw SQLError(
        .binder, "\(name) takes integers, not \(argument.type)", at: argument.span)
    }
    // A NULL bound gives no rows.
    guard let first = numbers[0] else {
      return SeriesSource(name: name, start: 0, count: 0, step: 1)
    }
    let start = arguments.count == 1 ? 0 : first
    guard let stop = arguments.count == 1 ? first : numbers[1],
      let step = arguments.count == 3 ? numbers[2] : 1
    else { return SeriesSource(name: name, start: 0, count: 0, step: 1) }
    if step == 0 {
      throw SQLError(.binder, "\(name) needs a step that is not 0", at: arguments.last?.span)
    }
    let series = Series(numbers: [start, stop, step], isInclusive: isInclusive)
    return SeriesSource(name: name, start: start, count: series.count, step: step)
  }
}

/// `count` integers from `start`, `step` apart, made on the fly.
private final class SeriesSource: TableSource, Sendable {
  let schema: [Field]
  let start: Int64
  let count: Int
  let step: Int64

  init(name: String, start: Int64, count: Int, step: Int64) {
    schema = [Field(name, .bigint)]
    self.start = start
    self.count = count
    self.step = step
  }

  var estimatedRowCount: Int? { count }

  func scan(columns: [Int], filters: [ScanFilter], batchRows: Int) throws -> any PartitionedScan {
    SeriesScan(source: self, columnCount: columns.count, batchRows: batchRows)
  }
}

private struct SeriesScan: PartitionedScan {
  let source: SeriesSource
  let columnCount: Int
  let batchRows: Int

  var partitionCount: Int {
    source.count / EngineLimits.rowGroupRows
      + (source.count % EngineLimits.rowGroupRows > 0 ? 1 : 0)
  }

  func open(_ partition: Int) throws -> (any BatchSource)? {
    let first = partition * EngineLimits.rowGroupRows
    return SeriesReader(
      source: source, position: first, end: min(source.count, first + EngineLimits.rowGroupRows),
      columnCount: columnCount, batchRows: batchRows, sequence: partition)
  }
}

private final class SeriesReader: BatchSource {
  private let source: SeriesSource
  private var position: Int
  private let end: Int
  private let columnCount: Int
  private let batchRows: Int
  private let sequence: Int

  init(
    source: SeriesSource, position: Int, end: Int, columnCount: Int, batchRows: Int, sequence: Int
  ) {
    self.source = source
    self.position = position
    self.end = end
    self.columnCount = columnCount
    self.batchRows = batchRows
    self.sequence = sequence
  }

  func next() throws -> Batch? {
    if position >= end { return nil }
    let count = min(batchRows, end - position)
    var columns: [Column] = []
    if columnCount > 0 {
      let column = Column(flat: .bigint, count: count)
      let values = column.values(as: Int64.self)
      let first = source.start &+ Int64(position) &* source.step
      let step = source.step
      for row in 0..<count { values[row] = first &+ Int64(row) &* step }
      columns = Array(repeating: column, count: columnCount)
    }
    position += count
    return Batch(columns: columns, rowCount: count, sequence: sequence)
  }
}
