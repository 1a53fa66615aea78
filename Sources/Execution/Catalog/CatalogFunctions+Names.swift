import Columnar
import Diagnostics
import Functions
import Planner
import Syntax

// Catalog functions about schemas, types, functions and the session.
extension CatalogFunctions {
  static let databases = CatalogFunction(
    "databases", "the databases",
    "database_name, database_oid bigint, path, comment, internal boolean, type, readonly boolean"
  ) { catalog in
    catalog.databaseNames.map { name in
      [
        .varchar(name), .count(ObjectPlace.number(ofDatabase: name, catalog.state)), .null, .null,
        .boolean(name == "system" || name == "temp"), .varchar("apus"), .boolean(false),
      ]
    }
  }

  static let schemas = CatalogFunction(
    "schemas", "the schemas",
    "oid bigint, database_name, database_oid bigint, schema_name, comment, internal boolean, sql"
  ) { catalog in
    catalog.schemaList.map { database, schema, number in
      let isOwn =
        ["system", "temp"].contains(database) || schema == CatalogState.mainSchema
      return [
        .count(number), .varchar(database),
        .count(ObjectPlace.number(ofDatabase: database, catalog.state)), .varchar(schema), .null,
        .boolean(isOwn), isOwn ? .null : .varchar("CREATE SCHEMA \(Printer.quoted(schema));"),
      ]
    }
  }

  static let sequences = CatalogFunction(
    "sequences", "the sequences",
    """
    database_name, database_oid bigint, schema_name, schema_oid bigint, sequence_name, \
    sequence_oid bigint, comment, temporary boolean, start_value bigint, min_value bigint, \
    max_value bigint, increment_by bigint, cycle boolean, last_value bigint, sql
    """
  ) { catalog in
    catalog.state.objects(.sequence).compactMap { key, object -> [Value]? in
      guard case .sequence(let sequence) = object.item else { return nil }
      let place = ObjectPlace(key, catalog.state)
      return [
        .varchar(place.database), .count(place.databaseNumber), .varchar(place.schema),
        .count(place.schemaNumber), .varchar(object.name), .count(object.stamp),
        .text(object.comment), .boolean(place.isTemporary), .count(Int(sequence.start)),
        .count(Int(sequence.minimum)), .count(Int(sequence.maximum)),
        .count(Int(sequence.increment)), .boolean(sequence.isCycle),
        .count(sequence.current.last.map { Int($0) }), .varchar(sequence.sql),
      ]
    }
  }

  static let indexes = CatalogFunction(
    "indexes", "the indexes",
    """
    database_name, database_oid bigint, schema_name, schema_oid bigint, index_name, \
    index_oid bigint, table_name, table_oid bigint, comment, is_unique boolean, \
    is_primary boolean, expressions, sql
    """
  ) { catalog in catalog.indexRows() }

  static let types = CatalogFunction(
    "types", "the types",
    """
    database_name, database_oid bigint, schema_name, schema_oid bigint, type_oid bigint, \
    type_name, type_size bigint, logical_type, type_category, comment, internal boolean, \
    labels varchar[]
    """
  ) { catalog in
    let builtIn = TypeResolution.allNames.map { name, type -> [Value] in
      [
        .varchar("system"), .count(0), .varchar("main"), .count(0),
        .count(NumericFacts(type).typeNumber), .varchar(name),
        TypeFacts.size(type), .varchar(TypeFacts.name(type)), TypeFacts.category(type), .null,
        .boolean(true),
        .null,
      ]
    }
    let own = catalog.state.objects(.type).compactMap { key, object -> [Value]? in
      guard case .type(let type) = object.item else { return nil }
      let place = ObjectPlace(key, catalog.state)
      var labels = Value.null
      if case .enumeration(let known) = type { labels = .texts(known.labels) }
      return [
        .varchar(place.database), .count(place.databaseNumber), .varchar(place.schema),
        .count(place.schemaNumber), .count(object.stamp), .varchar(object.name),
        TypeFacts.size(type), .varchar(TypeFacts.name(type)), TypeFacts.category(type),
        .text(object.comment),
        .boolean(false), labels,
      ]
    }
    return builtIn + own
  }

  static let functions = CatalogFunction(
    "functions", "the functions and macros",
    """
    database_name, schema_name, function_name, alias_of, function_type, description, comment, \
    return_type, parameters varchar[], parameter_types varchar[], varargs, macro_definition, \
    has_side_effects boolean, internal boolean, function_oid bigint, examples varchar[], \
    categories varchar[]
    """
  ) { FunctionRows.all($0) }

  static let keywords = CatalogFunction(
    "keywords", "the words of the language", "keyword_name, keyword_category"
  ) { _ in
    Keyword.allCases.filter { $0 != .notKeyword }.map { word in
      let category =
        switch word.keywordClass {
        case .reserved: "reserved"
        case .functionOrType: "type_function"
        case .column: "column_name"
        case .unreserved: "unreserved"
        }
      return [.varchar(word.rawValue), .varchar(category)]
    }
  }

  static let optimizers = CatalogFunction("optimizers", "the optimizer's rules", "name") { _ in
    Optimizer.rules.map { [.varchar($0.name)] }
  }

  static let memory = CatalogFunction(
    "memory", "what is held in memory and in temporary files",
    "tag, memory_usage_bytes bigint, temporary_storage_bytes bigint"
  ) { catalog in
    let tables = catalog.tables().reduce(0) { $0 + $1.table.byteCount }
    let memory = catalog.database.memory
    return [
      [.varchar("IN_MEMORY_TABLE"), .count(tables), .count(0)],
      [.varchar("OPERATORS"), .count(memory.current), .count(memory.spillSpace.used)],
      [.varchar("CHUNK_CACHE"), .count(memory.cached), .count(0)],
    ]
  }

  static let models = CatalogFunction(
    "models", "the models", "model_name, inputs varchar[], output, is_trained boolean"
  ) { catalog in
    catalog.state.objects(.model).compactMap { _, object -> [Value]? in
      guard case .model(let entry) = object.item else { return nil }
      let definition = entry.definition
      return [
        .varchar(definition.name), .texts(definition.inputs.map { "\($0.name) \($0.type)" }),
        .varchar(
          definition.outputs.map { "\($0.field.name) \($0.field.type)" }.joined(separator: ", ")),
        .boolean(entry.current.isTrained),
      ]
    }
  }

  static let settings = CatalogFunction(
    "settings", "the settings", "name, value, description, input_type, scope, source"
  ) { catalog in
    let sources = SettingSources(state: catalog.state, settings: catalog.settings)
    let known = Setting.rows.sorted { $0.name < $1.name }.map { setting -> [Value] in
      [
        .varchar(setting.name), .varchar(setting.read(catalog.settings)),
        .varchar(sources.description(of: setting)), .varchar(setting.type.description),
        .varchar(setting.storedAs == nil ? "LOCAL" : "GLOBAL"),
        .varchar(sources.source(of: setting)),
      ]
    }
    return known
      + sources.unknown.map {
        [
          .varchar($0.name), .varchar($0.value),
          .varchar("kept in the database, without effect in this program"),
          .varchar("VARCHAR"), .varchar("GLOBAL"), .varchar("database"),
        ]
      }
  }

  static let variables = CatalogFunction(
    "variables", "what SET VARIABLE has set", "name, value, type"
  ) { catalog in
    try catalog.connection.variables.sorted { $0.key < $1.key }.map { _, variable in
      let value = variable.value
      let column = try Column.constant(value.value, value.type, count: 1)
      return [
        .varchar(variable.name), ValueText.text(of: column).value(0),
        .varchar(value.type.description),
      ]
    }
  }

  static let preparedStatements = CatalogFunction(
    "prepared_statements", "what PREPARE has made",
    "name, statement, parameters varchar[], generic_plans bigint, custom_plans bigint"
  ) { catalog in
    catalog.connection.prepared.sorted { $0.key < $1.key }.map { _, prepared in
      let prepare = prepared.statement
      return [
        .varchar(prepare.name.name), .varchar(Printer.sql(prepare.statement)),
        .texts(prepare.parameters.map(\.key)), .count(prepared.plans.keptRuns),
        .count(prepared.plans.runs - prepared.plans.keptRuns),
      ]
    }
  }

  // Asked for by tools; empty here.

  static let dependencies = CatalogFunction(
    "dependencies", "always empty: dependencies are found when something is dropped",
    """
    classid bigint, objid bigint, objsubid integer, refclassid bigint, refobjid bigint, \
    refobjsubid integer, deptype
    """
  ) { _ in [] }

  static let extensions = CatalogFunction(
    "extensions", "always empty: everything is built in",
    "extension_name, loaded boolean, installed boolean, install_path, description"
  ) { _ in [] }

  static let secrets = CatalogFunction(
    "secrets", "always empty", "name, type, provider, persistent boolean, storage"
  ) { _ in [] }

  static let temporaryFiles = CatalogFunction(
    "temporary_files", "what running queries have written to temp_directory", "path, size bigint"
  ) { catalog in
    catalog.database.memory.spillSpace.files.map { [.varchar($0.path), .count($0.size)] }
  }
}

extension StatementCatalog {
  /// Ordered by name.
  var databaseNames: [String] {
    Set(schemaList.map(\.database)).union(["system", "temp"]).sorted()
  }

  /// Every schema, the engine's own included, ordered by database and name.
  var schemaList: [(database: String, schema: String, number: Int)] {
    var list = state.objects(.schema).map { key, object in
      let parts = NameResolution.parts(of: key.name)
      return (
        database: state.shown(database: parts.database), schema: parts.schema, number: object.stamp
      )
    }
    list += [
      // Numbers that no object gets.
      ("system", "information_schema", -1), ("system", "main", -2), ("system", "pg_catalog", -3),
      ("temp", "main", -4),
    ]
    return list.sorted { ($0.database, $0.schema) < ($1.database, $1.schema) }
  }

  func indexRows() -> [[Value]] {
    state.objects(.index).compactMap { key, object -> [Value]? in
      guard case .index(let index) = object.item else { return nil }
      let place = ObjectPlace(key, state)
      let table = state[index.table]
      let expressions = index.expressions.map { Printer.sql($0) }.joined(separator: ", ")
      return [
        .varchar(place.database), .count(place.databaseNumber), .varchar(place.schema),
        .count(place.schemaNumber), .varchar(object.name), .count(object.stamp),
        .text(table?.name), .count(table?.stamp), .text(object.comment),
        .boolean(index.isUnique), .boolean(false), .varchar("[\(expressions)]"),
        .varchar(index.text + ";"),
      ]
    }
  }
}

/// How the catalog names types.
enum TypeFacts {
  static func name(_ type: LogicalType) -> String {
    switch type {
    case .list: "LIST"
    case .array: "ARRAY"
    case .structure: "STRUCT"
    case .map: "MAP"
    case .enumeration: "ENUM"
    case .decimal: "DECIMAL"
    default: type.description
    }
  }

  /// NULL for what is of no family: BLOB, ENUM, UUID.
  static func category(_ type: LogicalType) -> Value {
    switch type {
    case .boolean: .varchar("BOOLEAN")
    case .varchar, .json: .varchar("STRING")
    case .interval: .varchar("DATETIME")
    case .list, .array, .structure, .map: .varchar("COMPOSITE")
    default:
      type.isTemporal ? .varchar("DATETIME") : type.isNumeric ? .varchar("NUMERIC") : .null
    }
  }

  /// The bytes of a value; NULL where they hang on more than the name.
  static func size(_ type: LogicalType) -> Value {
    switch type {
    case .decimal, .enumeration: .null
    default: .count(type.physical.width)
    }
  }
}

/// Rows of `apus_functions()`.
enum FunctionRows {
  static func all(_ catalog: StatementCatalog) -> [[Value]] {
    FunctionEntry.all.flatMap { entry in
      entry.names.flatMap { name in
        entry.forms.map { row(entry, name, $0) }
      }
    } + macros(catalog)
  }

  private static func row(_ entry: FunctionEntry, _ name: String, _ form: FunctionForm) -> [Value] {
    [
      .varchar("system"), .varchar("main"), .varchar(name),
      .text(name == entry.name ? nil : entry.name), .varchar(entry.kind.rawValue),
      .varchar(entry.summary), .null, .varchar(form.result),
      .texts(form.parameters.indices.map { "col\($0)" }), .texts(form.parameters),
      .text(form.variadic), .null, .boolean(entry.isVolatile), .boolean(true), .count(0),
      .texts(entry.examples.map(\.sql)), .texts([entry.family]),
    ]
  }

  private static func macros(_ catalog: StatementCatalog) -> [[Value]] {
    let spaces: [(CatalogState.Space, String)] = [(.macro, "macro"), (.tableMacro, "table_macro")]
    return spaces.flatMap { space, kind in
      catalog.state.objects(space).flatMap { key, object -> [[Value]] in
        guard case .macro(let entry) = object.item else { return [] }
        let place = ObjectPlace(key, catalog.state)
        return entry.definitions.map { definition in
          let text: String
          switch definition.body {
          case .expression(let body): text = Printer.sql(body)
          case .table(let query): text = Printer.sql(query)
          }
          return [
            .varchar(place.database), .varchar(place.schema), .varchar(object.name), .null,
            .varchar(kind), .null, .text(object.comment), .null,
            .texts(definition.parameters.map(\.name.name)),
            .list(definition.parameters.map { .text($0.type.map { Printer.sql($0) }) }), .null,
            .varchar(text), .null, .boolean(false), .count(object.stamp), .texts([]), .texts([]),
          ]
        }
      }
    }
  }
}
