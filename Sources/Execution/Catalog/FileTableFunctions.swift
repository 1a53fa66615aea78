import Columnar
import Diagnostics
import Formats
import Functions
import Glibc
import Planner

/// Whole files as rows, names of files, and rows made of values.
enum FileTableFunctions {
  static let rows: [TableFunctionDefinition] = [
    TableFunctionDefinition(
      name: "glob", aliases: [], summary: "the names of the files that match a pattern",
      example: "SELECT * FROM glob('data.*')",
      forms: [FunctionForm("VARCHAR | VARCHAR[]", gives: "rows")],
      make: { arguments, named, _ in
        let files = try patterns(arguments, named, "glob").flatMap { pattern in
          ((try? FileGlob.expand(pattern)) ?? []).filter { access($0, F_OK) == 0 }
        }
        return ValueListSource([Field("file", .varchar)], files.map { [.varchar($0)] })
      }),
    TableFunctionDefinition(
      name: "read_blob", aliases: [],
      summary: "a row for each file: its name, bytes, size and time",
      example: "SELECT size FROM read_blob('data.*')", forms: wholeFileForms,
      make: { arguments, named, _ in try wholeFiles(arguments, named, "read_blob", as: .blob) }),
    TableFunctionDefinition(
      name: "read_text", aliases: [], summary: "a row for each file: its name, text, size and time",
      example: "SELECT content FROM read_text('data.*')", forms: wholeFileForms,
      make: { arguments, named, _ in try wholeFiles(arguments, named, "read_text", as: .varchar) }),
    TableFunctionDefinition(
      name: "repeat", aliases: [], summary: "the value in so many rows",
      example: "SELECT * FROM repeat('a', 2)",
      forms: [FunctionForm("ANY", "BIGINT", gives: "rows")],
      make: { arguments, named, _ in
        guard arguments.count == 2, named.isEmpty else {
          throw SQLError(.binder, "repeat takes a value and a number of rows")
        }
        let name = try ValueText.text(
          of: Column.constant(arguments[0].value, arguments[0].type, count: 1)
        ).value(0)
        var title = "NULL"
        if case .varchar(let text) = name { title = text }
        return RepeatedRowSource(
          [Field(title, arguments[0].type)], [arguments[0].value],
          count: try rowCount(arguments[1], "repeat"))
      }),
    TableFunctionDefinition(
      name: "repeat_row", aliases: [], summary: "the row of values so many times",
      example: "SELECT * FROM repeat_row(1, 'a', num_rows := 2)",
      forms: [FunctionForm(more: "ANY", gives: "rows; num_rows := BIGINT says how many")],
      make: { arguments, named, _ in
        guard !arguments.isEmpty, named.count == 1, named[0].name?.lowercased() == "num_rows" else {
          throw SQLError(.binder, "repeat_row takes values, then num_rows := n")
        }
        return RepeatedRowSource(
          arguments.enumerated().map { Field("column\($0.offset)", $0.element.type) },
          arguments.map(\.value), count: try rowCount(named[0], "repeat_row"))
      }),
    TableFunctionDefinition(
      name: "sniff_csv", aliases: [],
      summary: "how a CSV file is written and what its columns hold, as read_csv takes it",
      example: "SELECT delimiter, prompt FROM sniff_csv('data.csv')",
      forms: [FunctionForm("VARCHAR", more: "options of read_csv", gives: "rows")],
      make: { arguments, named, _ in
        guard arguments.count == 1, case .varchar(let path) = arguments[0].value else {
          throw SQLError(.binder, "sniff_csv takes a path", at: arguments.first?.span)
        }
        let options = named.map { (name: $0.name ?? "", value: $0.value, type: $0.type) }
        return ValueListSource(
          CSVDescription.fields, [try CSVDescription(path: path, options: options).row])
      }),
  ]

  private static let wholeFileForms = [
    FunctionForm("VARCHAR | VARCHAR[]", more: "allow_empty := BOOLEAN", gives: "rows")
  ]

  /// One path or a list of them.
  static func patterns(
    _ arguments: [TableFunctionArgument], _ named: [TableFunctionArgument], _ function: String
  ) throws -> [String] {
    guard arguments.count == 1, named.allSatisfy({ $0.name?.lowercased() == "allow_empty" }) else {
      throw SQLError(
        .binder, "\(function) takes a path or a list of paths",
        at: arguments.dropFirst().first?.span)
    }
    switch arguments[0].value {
    case .varchar(let path): return [path]
    case .list(let items):
      return try items.map { item in
        guard case .varchar(let path) = item else {
          throw SQLError(.binder, "\(function) takes paths as texts", at: arguments[0].span)
        }
        return path
      }
    default:
      throw SQLError(
        .binder, "\(function) takes a path, not \(arguments[0].type)", at: arguments[0].span)
    }
  }

  private static func wholeFiles(
    _ arguments: [TableFunctionArgument], _ named: [TableFunctionArgument], _ function: String,
    as type: LogicalType
  ) throws -> any TableSource {
    let allowsNone = named.contains { $0.value == .boolean(true) }
    let paths = try patterns(arguments, named, function).flatMap { pattern -> [String] in
      do {
        return try FileGlob.expand(pattern).filter { !allowsNone || access($0, F_OK) == 0 }
      } catch {
        if allowsNone { return [] }
        throw error
      }
    }
    return WholeFileSource(paths: paths, content: type)
  }

  private static func rowCount(_ argument: TableFunctionArgument, _ function: String) throws -> Int
  {
    guard case .integer(let count) = argument.value, let rows = Int(exactly: count), rows >= 0
    else {
      throw SQLError(
        .binder, "\(function) takes a number of rows from 0 on", at: argument.span)
    }
    return rows
  }
}

/// A row for each file; a file is a partition, read when it is opened and its content is asked for.
private final class WholeFileSource: TableSource, Sendable {
  let paths: [String]
  let schema: [Field]

  init(paths: [String], content: LogicalType) {
    self.paths = paths
    schema = [
      Field("filename", .varchar), Field("content", content), Field("size", .bigint),
      Field("last_modified", .timestamp),
    ]
  }

  var estimatedRowCount: Int? { paths.count }
  var isCheapToReadAgain: Bool { false }

  func scan(columns: [Int], filters: [ScanFilter], batchRows: Int) throws -> any PartitionedScan {
    WholeFileScan(source: self, columns: columns)
  }

  fileprivate func value(_ column: Int, of path: String) throws -> Value {
    switch column {
    case 0: return .varchar(path)
    case 1:
      let file = try FileBytes(path: path, compression: .none)
      guard file.count <= 1 << 31 else {
        throw SQLError(
          .outOfRange, "the file \"\(path)\" is larger than 2 GiB, the most of a value")
      }
      let bytes = UnsafeBufferPointer(start: file.start, count: file.count)
      if schema[1].type == .blob { return .blob(Array(bytes)) }
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw SQLError(
          .conversion, "the file \"\(path)\" is not valid UTF-8", hint: "read_blob gives its bytes")
      }
      return .varchar(text)
    default:
      var status = stat()
      guard stat(path, &status) == 0 else {
        throw SQLError(.io, "cannot open file \"\(path)\": \(String(cString: strerror(errno)))")
      }
      if column == 2 { return .integer(Int128(status.st_size)) }
      return .timestamp(
        Int64(status.st_mtim.tv_sec) * 1_000_000 + Int64(status.st_mtim.tv_nsec) / 1000)
    }
  }
}

private struct WholeFileScan: PartitionedScan {
  let source: WholeFileSource
  let columns: [Int]

  var partitionCount: Int { source.paths.count }

  func open(_ partition: Int) throws -> (any BatchSource)? {
    var result: [Column] = []
    for column in columns {
      var builder = ColumnBuilder(source.schema[column].type, capacity: 1)
      try builder.append(try source.value(column, of: source.paths[partition]))
      result.append(builder.finish())
    }
    return OneBatch(Batch(columns: result, rowCount: 1, sequence: partition))
  }
}

private final class OneBatch: BatchSource {
  private var batch: Batch?

  init(_ batch: Batch) { self.batch = batch }

  func next() throws -> Batch? {
    defer { batch = nil }
    return batch
  }
}

/// One row, again and again, made on the fly.
private final class RepeatedRowSource: TableSource, Sendable {
  let schema: [Field]
  let values: [Value]
  let count: Int

  init(_ schema: [Field], _ values: [Value], count: Int) {
    self.schema = schema
    self.values = values
    self.count = count
  }

  var estimatedRowCount: Int? { count }

  func scan(columns: [Int], filters: [ScanFilter], batchRows: Int) throws -> any PartitionedScan {
    RepeatedRowScan(source: self, columns: columns, batchRows: batchRows)
  }
}

private struct RepeatedRowScan: PartitionedScan {
  let source: RepeatedRowSource
  let columns: [Int]
  let batchRows: Int

  var partitionCount: Int {
    source.count / EngineLimits.rowGroupRows
      + (source.count % EngineLimits.rowGroupRows > 0 ? 1 : 0)
  }

  func open(_ partition: Int) throws -> (any BatchSource)? {
    RepeatedRowReader(
      self,
      rows: min(
        EngineLimits.rowGroupRows, source.count - partition * EngineLimits.rowGroupRows),
      sequence: partition)
  }
}

private final class RepeatedRowReader: BatchSource {
  private let scan: RepeatedRowScan
  private var left: Int
  private let sequence: Int

  init(_ scan: RepeatedRowScan, rows: Int, sequence: Int) {
    self.scan = scan
    left = rows
    self.sequence = sequence
  }

  func next() throws -> Batch? {
    if left == 0 { return nil }
    let count = min(scan.batchRows, left)
    left -= count
    let columns = try scan.columns.map { column in
      try Column.constant(
        scan.source.values[column], scan.source.schema[column].type, count: count)
    }
    return Batch(columns: columns, rowCount: count, sequence: sequence)
  }
}
