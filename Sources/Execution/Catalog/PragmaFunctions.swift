import Columnar
import Diagnostics
import Planner
import Storage
import Syntax

/// Functions of PRAGMA's name: `PRAGMA table_info('t')` is `FROM pragma_table_info('t')`.
enum PragmaFunctions {
  static let rows: [TableFunctionDefinition] = [
    row("collations", "the collations", ["collname": .varchar]) { _, _ in
      ["nocase", "noaccent", "nfc"].map { [.varchar($0)] }
    },
    row(
      "database_list", "the databases", ["seq": .bigint, "name": .varchar, "file": .varchar]
    ) { catalog, _ in
      catalog.databaseNames.filter { !["system", "temp"].contains($0) }.map {
        [.count(ObjectPlace.number(ofDatabase: $0, catalog.state)), .varchar($0), .null]
      }
    },
    row(
      "database_size", "what the databases hold",
      [
        "database_name": .varchar, "database_size": .varchar, "block_size": .bigint,
        "total_blocks": .bigint, "used_blocks": .bigint, "free_blocks": .bigint,
        "wal_size": .varchar, "memory_usage": .varchar, "memory_limit": .varchar,
      ]
    ) { catalog, _ in
      let files = catalog.database.catalogFiles.map { file in
        FileSizes(name: DatabaseCatalog.name(of: file.file.path), file: file.file)
      }
      let cached = catalog.database.catalogFiles.reduce(0) { $0 + $1.store.cache.byteCount }
      let bytes = !files.isEmpty ? cached : catalog.tables().reduce(0) { $0 + $1.table.byteCount }
      let limit = Setting.named("memory_limit")?.read(catalog.settings) ?? ""
      if !files.isEmpty {
        return files.map { file in
          [
            .varchar(file.name), .varchar("\(file.byteCount >> 10) KiB"), .count(file.pageSize),
            .count(file.pages), .count(file.pages - file.freePages), .count(file.freePages),
            .varchar("\(file.logByteCount >> 10) KiB"), .varchar("\(bytes >> 10) KiB"),
            .varchar(limit),
          ]
        }
      }
      return [
        [
          .varchar(NameResolution.database), .varchar("0 bytes"), .count(0), .count(0), .count(0),
          .count(0), .varchar("0 bytes"), .varchar("\(bytes >> 10) KiB"), .varchar(limit),
        ]
      ]
    },
    row("platform", "the platform", ["platform": .varchar]) { _, _ in [[.varchar("linux")]] },
    row(
      "table_info", "the columns of a table",
      [
        "cid": .integer, "name": .varchar, "type": .varchar, "notnull": .boolean,
        "dflt_value": .varchar, "pk": .boolean,
      ], argument: "a table", tableInfo),
    row("user_agent", "who asks", ["user_agent": .varchar]) { _, _ in [[.varchar("apus/0.1.0")]] },
    row(
      "version", "the engine's version",
      ["library_version": .varchar, "source_id": .varchar, "codename": .varchar]
    ) { _, _ in [[.varchar("v0.1.0"), .varchar(""), .varchar("Apus")]] },
  ]

  /// `argument` says what the function's one argument is, nil that there is none.
  private static func row(
    _ name: String, _ summary: String, _ columns: KeyValuePairs<String, LogicalType>,
    argument: String? = nil,
    _ body: @escaping @Sendable (StatementCatalog, String) throws -> [[Value]]
  ) -> TableFunctionDefinition {
    let fields = columns.map { Field($0.key, $0.value) }
    let example = "SELECT * FROM pragma_\(name)(\(argument == nil ? "" : "'t'"))"
    return TableFunctionDefinition(
      name: "pragma_\(name)", aliases: [], summary: summary, example: example
    ) { arguments, named, catalog in
      var text = ""
      if let argument {
        guard arguments.count == 1, named.isEmpty, case .varchar(let given) = arguments[0].value
        else { throw SQLError(.binder, "pragma_\(name) takes the name of \(argument)") }
        text = given
      } else if let first = arguments.first ?? named.first {
        throw SQLError(.binder, "pragma_\(name) takes no arguments", at: first.span)
      }
      guard let catalog = catalog as? StatementCatalog else { return ValueListSource(fields, []) }
      return ValueListSource(fields, try body(catalog, text))
    }
  }

  private static func tableInfo(_ catalog: StatementCatalog, _ text: String) throws -> [[Value]] {
    let name = try QualifiedName.parsing(text, span: SourceSpan(0, 0))
    guard let (_, object) = try catalog.find(.relation, name) else {
      throw SQLError(
        .catalog, "table \"\(text)\" does not exist",
        hint: didYouMean(text, among: catalog.tableNames))
    }
    var keys: Set<Int> = []
    if case .table(let table) = object.item {
      for key in table.definition.keys where key.kind == .primary { keys.formUnion(key.columns) }
    }
    return catalog.describedColumns(of: object).enumerated().map { position, column in
      [
        .count(position), .varchar(column.name), .varchar(column.type.description),
        .boolean(column.isRequired),
        .text((column.defaultValue ?? column.generated).map { Printer.sql($0) }),
        .boolean(keys.contains(position)),
      ]
    }
  }
}
