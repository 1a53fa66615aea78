import Columnar
import Diagnostics
import Functions
import Planner
import Syntax

// The rows of DESCRIBE and SHOW, as statements and in FROM.
extension StatementCatalog {
  // MARK: DESCRIBE

  func rows(of describe: Describe, bind: (Query) throws -> BoundQuery) throws -> any TableSource {
    switch describe.target {
    case .all: return try rows(of: Show.allTables, bind: bind)
    case .model(let reference): return try describeModel(reference)
    case .query(let query): return described(try bind(query).fields)
    case .file(let path, let span):
      return described(try bind(try ModelQueries.query(of: .file(path, span: span))).fields)
    case .table(let name): return try describeTable(name, bind: bind)
    }
  }

  private func describeTable(_ name: QualifiedName, bind: (Query) throws -> BoundQuery) throws
    -> any TableSource
  {
    if let (_, object) = try? find(.relation, name), case .table(let table) = object.item {
      return described(table.definition)
    }
    if (try? entry(named: name)) == nil, modelEntry(named: name.last.name) != nil {
      return try describeModel(ModelReference(name: name, span: name.span))
    }
    return described(try bind(try ModelQueries.query(of: .table(name))).fields)
  }

  private func described(_ fields: [Field]) -> any TableSource {
    described(
      TableDefinition(
        name: "", columns: fields.map { TableDefinition.Column(name: $0.name, type: $0.type) }))
  }

  private func described(_ definition: TableDefinition) -> any TableSource {
    let columns = ["column_name", "column_type", "null", "key", "default", "extra"]
    let rows = definition.columns.enumerated().map { position, column -> [String?] in
      let keys = definition.keys.filter { $0.columns.contains(position) }
      let isPrimary = keys.contains { $0.kind == .primary }
      return [
        column.name, column.type.description, column.isRequired || isPrimary ? "NO" : "YES",
        isPrimary ? "PRI" : keys.contains { $0.kind == .unique } ? "UNI" : nil,
        column.defaultValue.map { Printer.sql($0) }, nil,
      ]
    }
    return texts(columns, rows)
  }

  private func describeModel(_ reference: ModelReference) throws -> any TableSource {
    let model = try modelVersion(reference)
    let definition = model.definition
    var rows: [[String?]] = []
    for input in definition.inputs { rows.append(["input", input.name, input.type.description]) }
    for (output, names) in zip(definition.outputs, model.classNames) {
      rows.append(["output", output.field.name, output.field.type.description])
      if names.isEmpty { continue }
      rows.append([
        "classes", definition.outputs.count == 1 ? nil : output.field.name,
        names.joined(separator: ", "),
      ])
    }
    if !definition.transform.isPlain {
      for feature in model.transform.features {
        rows.append(["feature", feature.name, feature.type.description])
      }
    }
    for layer in model.network.layers {
      rows.append(["layer \(layer.index)", layer.description, "\(layer.parameterCount) parameters"])
    }
    for option in definition.options.texts { rows.append(["option", option.name, option.value]) }
    rows.append(["parameters", nil, "\(model.network.parameterCount)"])
    rows.append([
      "version", nil, model.isTrained ? "\(model.version)" : "not trained",
    ])
    if let groups = model.groups {
      rows.append([
        "networks", model.keys.map(\.name).joined(separator: ", "), "\(groups.keys.count)",
      ])
    }
    if let last = model.epochs.last {
      rows.append(["epochs", nil, "\(last.epoch)"])
      rows.append(["loss", nil, "\(last.loss)"])
    }
    return texts(["property", "name", "value"], rows)
  }

  // MARK: SHOW

  func rows(of show: Show, bind: (Query) throws -> BoundQuery) throws -> any TableSource {
    switch show {
    case .tables: return texts(["name"], relationNames([CatalogState.temporarySchema] + searchPath))
    case .tablesFrom(let name):
      guard let schema = names.schema(named: name) else {
        throw SQLError(
          .catalog, "schema \"\(name.last.name)\" does not exist", at: name.span,
          hint: didYouMean(name.last.name, among: state.names(.schema)))
      }
      return texts(["name"], relationNames([schema]))
    case .allTables: return allTables()
    case .models: return models()
    case .allSettings:
      let sources = SettingSources(state: state, settings: settings)
      return texts(
        ["name", "value", "description", "source"],
        Setting.rows.sorted { $0.name < $1.name }.map {
          [$0.name, $0.read(settings), $0.summary, sources.source(of: $0)]
        })
    case .functions:
      return texts(
        ["name"], (ScalarFunctions.allNames + Aggregates.allNames).sorted().map { [$0] })
    case .databases:
      return texts(
        ["database_name"],
        databaseNames.filter { !["system", "temp"].contains($0) }.map { [$0] })
    case .schemas:
      let fields = [
        Field("database_name", .varchar), Field("schema_name", .varchar),
        Field("current", .boolean),
      ]
      return ValueListSource(
        fields,
        schemaList.filter { !["system", "temp"].contains($0.database) }.map {
          [
            .varchar($0.database), .varchar($0.schema),
            .boolean(NameResolution.key(database: $0.database, schema: $0.schema) == currentSchema),
          ]
        })
    case .variables:
      return ValueListSource(
        CatalogFunctions.variables.columns, try CatalogFunctions.variables.rows(self))
    case .name(let name):
      if let setting = Setting.named(name.last.name), (try? entry(named: name)) == nil {
        return texts([setting.name], [[setting.read(settings)]])
      }
      return try describeTable(name, bind: bind)
    case .createTable(let name): return try createText(name)
    case .createModel(let name):
      let entry = try modelEntry(name)
      return texts(["name", "sql"], [[entry.definition.name, entry.sql]])
    case .versions(let name): return versions(try modelEntry(name))
    }
  }

  private func relationNames(_ schemas: [String]) -> [[String?]] {
    state.objects(.relation).filter { schemas.contains($0.key.schema) }.map(\.object.name).sorted()
      .map { [$0] }
  }

  private func allTables() -> any TableSource {
    let fields = [
      Field("database", .varchar), Field("schema", .varchar), Field("name", .varchar),
      Field("column_names", .list(.varchar)), Field("column_types", .list(.varchar)),
      Field("temporary", .boolean),
    ]
    return ValueListSource(
      fields,
      state.objects(.relation).map { key, object in
        let place = ObjectPlace(key, state)
        let columns = describedColumns(of: object)
        return [
          .varchar(place.database), .varchar(place.schema), .varchar(object.name),
          .texts(columns.map(\.name)), .texts(columns.map(\.type.description)),
          .boolean(place.isTemporary),
        ]
      })
  }

  private func models() -> any TableSource {
    let entries = state.objects(.model).compactMap { _, object -> ModelEntry? in
      if case .model(let entry) = object.item { entry } else { nil }
    }.sorted { $0.definition.name < $1.definition.name }
    return texts(
      ["name", "inputs", "output", "layers", "parameters", "version"],
      entries.map { entry in
        let definition = entry.definition
        return [
          definition.name,
          definition.inputs.map { "\($0.name) \($0.type)" }.joined(separator: ", "),
          definition.outputs.map { "\($0.field.name) \($0.field.type)" }.joined(separator: ", "),
          "\(entry.current.network.layers.count)", "\(entry.current.network.parameterCount)",
          entry.current.isTrained ? "\(entry.current.version)" : nil,
        ]
      })
  }

  private func versions(_ entry: ModelEntry) -> any TableSource {
    let fields = [
      Field("version", .integer), Field("alias", .varchar), Field("is_default", .boolean),
      Field("parameters", .bigint), Field("epochs", .integer), Field("loss", .double),
      Field("val_loss", .double), Field("rows", .bigint), Field("statement", .varchar),
    ]
    return ValueListSource(
      fields,
      entry.versions.map { model in
        let names = entry.aliases.filter { $0.value == model.version }.keys.sorted()
        // Of several networks the mean.
        let ends = (model.groups?.epochs ?? [model.epochs]).compactMap {
          $0.last(where: \.best) ?? $0.last
        }
        func mean(_ values: [Double]) -> Value {
          values.isEmpty ? .null : .double(values.reduce(0, +) / Double(values.count))
        }
        return [
          .integer(Int128(model.version)),
          names.isEmpty ? .null : .varchar(names.joined(separator: ", ")),
          .boolean(model.version == entry.current.version),
          .integer(Int128(model.network.parameterCount)),
          .integer(Int128(model.groups?.epochs.map(\.count).max() ?? model.epochs.count)),
          mean(ends.map(\.loss)), mean(ends.compactMap(\.validationLoss)),
          ends.isEmpty ? .null : .integer(Int128(ends.reduce(0) { $0 + $1.rows })),
          model.state.receipt.map { .varchar($0.sql) } ?? .null,
        ]
      })
  }

  private func createText(_ name: QualifiedName) throws -> any TableSource {
    guard let (key, object) = try find(.relation, name) else {
      throw SQLError(
        .catalog, "table \"\(name.last.name)\" does not exist", at: name.span,
        hint: didYouMean(name.last.name, among: tableNames))
    }
    var text = ""
    if case .table(let table) = object.item {
      text = TableText.create(table.definition, key, object)
    } else if case .view(let view) = object.item {
      text = TableText.create(view, key, object)
    }
    return texts(["name", "sql"], [[object.name, text]])
  }

  /// A source of text rows.
  func texts(_ columns: [String], _ rows: [[String?]]) -> any TableSource {
    ValueListSource(columns.map { Field($0, .varchar) }, rows.map { $0.map { Value.text($0) } })
  }
}
