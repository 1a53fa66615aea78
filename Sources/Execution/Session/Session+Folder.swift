import Columnar
import Diagnostics
import Formats
import Glibc
import Syntax

// EXPORT DATABASE and IMPORT DATABASE: a folder of `schema.sql`, `load.sql` and a file for each table.
extension Session {
  // MARK: Export

  func run(_ export: ExportDatabase) throws -> StatementResult {
    let current = NameResolution.parts(of: catalog().currentSchema).database
    let database = export.database.map { catalog().names.own($0.name.lowercased()) } ?? current
    guard catalog().names.hasDatabase(database) else {
      throw SQLError(
        .catalog, "database \"\(export.database?.name ?? database)\" does not exist",
        at: export.database?.span)
    }
    let (formatName, options) = try CopyValues.read(export.options)
    let format = try FileFormats.find(formatName ?? "csv", path: export.path)
    let script = DatabaseScript(state, database: database)
    try makeFolder(export)
    var loads: [String] = []
    var files: Set<String> = []
    for (key, table) in script.tables {
      let file = freeName(key, &files) + "." + format.name
      let stored = table.definition.columns.filter { $0.generated == nil }
      let items = stored.map { column in
        let name = Printer.quoted(column.name)
        return format.name == "parquet" && isAltered(column.type)
          ? "CAST(\(name) AS VARCHAR) AS \(name)" : name
      }
      try write(key, table, items, format, "\(export.path)/\(file)", options)
      let columns = stored.map { Printer.quoted($0.name) }.joined(separator: ", ")
      let name = TableText.qualified(
        table.definition.name, in: NameResolution.parts(of: key.schema).schema)
      loads.append(
        "COPY \(name) (\(columns)) FROM \(Printer.literal("\(export.path)/\(file)")) "
          + "(\(readOptions(format, export.options)));")
    }
    try write(script.statements, to: export.path + "/schema.sql")
    try write(loads, to: export.path + "/load.sql")
    return .none
  }

  private func makeFolder(_ export: ExportDatabase) throws {
    if mkdir(export.path, 0o777) == 0 { return }
    var status = stat()
    if errno == EEXIST, stat(export.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      return
    }
    throw SQLError(
      .io, "cannot make the folder \"\(export.path)\": \(String(cString: strerror(errno)))",
      at: export.pathSpan)
  }

  /// `table`, or `schema_table`; letters, digits and underscores only, since it names a file.
  private func freeName(_ key: CatalogState.Key, _ taken: inout Set<String>) -> String {
    let schema = NameResolution.parts(of: key.schema).schema
    let full = schema == CatalogState.mainSchema ? key.name : "\(schema)_\(key.name)"
    let plain = String(
      decoding: full.utf8.map { byte -> UInt8 in
        byte >= 128 || byte == 95 || 48...57 ~= byte || 97...122 ~= byte ? byte : 95
      }, as: UTF8.self)
    var name = plain
    var number = 1
    while !taken.insert(name).inserted {
      name = "\(plain)_\(number)"
      number += 1
    }
    return name
  }

  private func write(
    _ key: CatalogState.Key, _ table: TableVersion, _ items: [String], _ format: FileFormat,
    _ path: String, _ options: FileFormat.Options
  ) throws {
    let (database, schema) = NameResolution.parts(of: key.schema)
    let place = [database, schema, table.definition.name].map { Printer.quoted($0) }
      .joined(separator: ".")
    let text = "SELECT \(items.joined(separator: ", ")) FROM \(place)"
    guard case .query(let query) = try Parser.parseStatement(text).statement else {
      throw SQLError(.internal, "the query of EXPORT did not parse")
    }
    let bound = try bind(query)
    let writer = try format.write(path, bound.fields, options)
    do {
      try drain(bound) { try writer.write($0) }
      _ = try writer.finish()
    } catch {
      writer.abort()
      throw error
    }
  }

  /// Whether Parquet has no form for the type that keeps every value: it goes as text then.
  private func isAltered(_ type: LogicalType) -> Bool {
    switch type {
    case .hugeint, .uhugeint, .interval, .timeTZ, .json: true
    case .list(let element), .array(let element, _): isAltered(element)
    case .structure(let fields): fields.contains { isAltered($0.type) }
    case .map(let key, let value): isAltered(key) || isAltered(value)
    case .null, .boolean, .tinyint, .smallint, .integer, .bigint, .utinyint, .usmallint, .uinteger,
      .ubigint, .float, .double, .decimal, .varchar, .blob, .date, .time, .timestamp,
      .timestampSeconds, .timestampMilliseconds, .timestampNanoseconds, .timestampTZ, .uuid,
      .enumeration:
      false
    }
  }

  /// What COPY FROM must be told to read what was written: nothing of a file is guessed.
  private func readOptions(_ format: FileFormat, _ given: [CopyOption]) -> String {
    var options = ["FORMAT '\(format.name)'"]
    if format.name != "csv" { return options[0] }
    var written: Set<String> = []
    for option in given {
      var name = option.name.name.lowercased()
      if name == "sep" || name == "delim" { name = "delimiter" }
      if name == "null" { name = "nullstr" }
      guard
        ["delimiter", "quote", "escape", "nullstr", "header", "compression"].contains(name)
      else { continue }
      written.insert(name)
      options.append(
        name.uppercased() + (option.value.map { " " + Printer.sql($0) } ?? " true"))
    }
    // DuckDB reads an empty text in quotes as NULL unless it is told.
    options.append("ALLOW_QUOTED_NULLS false")
    for (name, value) in [("header", "true"), ("delimiter", "','"), ("quote", "'\"'")]
    where !written.contains(name) {
      options.append("\(name.uppercased()) \(value)")
    }
    return options.joined(separator: ", ")
  }

  private func write(_ statements: [String], to path: String) throws {
    let file = try OutputFile(path: path)
    var text = statements.map { $0 + "\n" }.joined()
    try text.withUTF8 { try file.write(UnsafeRawBufferPointer($0)) }
    try file.finish()
  }

  // MARK: Import

  /// All of it, or nothing when one statement fails.
  func run(_ folder: ImportDatabase) throws -> StatementResult {
    let path = settings.searchPath
    let isOwnPath = settings.own.contains("search_path")
    defer { restore(path, isOwn: isOwnPath) }
    for name in ["schema.sql", "load.sql"] {
      let file = "\(folder.path)/\(name)"
      do {
        let bytes = try FileBytes(path: file, compression: .none)
        let text = String(
          decoding: UnsafeBufferPointer(start: bytes.start, count: bytes.count), as: UTF8.self)
        for parsed in try Parser.parseScript(text) {
          try runImported(parsed.statement, folder, isLoad: name == "load.sql", path)
        }
      } catch var error as SQLError {
        // The places in it are those of another text.
        error.span = folder.pathSpan
        if !error.message.contains(file) { error.message = "\"\(file)\": " + error.message }
        throw error
      }
    }
    return .none
  }

  /// The path that was there before the script set others for its views.
  private func restore(_ path: [String], isOwn: Bool) {
    settings.searchPath = path
    if isOwn {
      settings.own.insert("search_path")
    } else {
      settings.own.remove("search_path")
      // The script may have set the database's.
      if let setting = DatabaseSettings.named("search_path") { adopt(setting) }
    }
  }

  private func runImported(
    _ statement: Statement, _ folder: ImportDatabase, isLoad: Bool, _ path: [String]
  ) throws {
    switch statement {
    case .copyFrom(var copy) where isLoad:
      // The folder may have moved since: a file's own name is what counts.
      if case .literal(.string(let path)) = copy.path.kind {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        copy.path.kind = .literal(.string("\(folder.path)/\(name)"))
      }
      _ = try run(.copyFrom(copy))
    case .reset: settings.searchPath = path
    case .createTable, .createView, .createSchema, .createType, .createSequence, .createIndex,
      .createMacro, .alterSequence, .comment, .set:
      _ = try run(statement)
    case .query:
      // setval of a sequence.
      let result = try run(statement)
      while try result.source.next() != nil {}
    case .copyFrom, .alterTable, .drop, .insert, .update, .delete, .merge, .truncate, .copyTo,
      .copyDatabase, .exportDatabase, .importDatabase, .createModel, .trainModel, .evaluateModel,
      .alterModel,
      .exportModel, .dropModel, .verifyModel, .explain, .describe, .show, .summarize, .pragma,
      .use, .transaction, .prepare, .execute, .deallocate, .call, .attach, .detach, .load,
      .maintenance:
      throw SQLError(
        .notSupported, "IMPORT DATABASE does not run \(Printer.sql(statement).prefix(60))")
    }
  }
}
