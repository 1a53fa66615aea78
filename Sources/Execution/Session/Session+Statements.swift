import Columnar
import Diagnostics
import Formats
import Functions
import Planner
import Storage
import Syntax

// Statements that define, change, write or look. Each leaves nothing behind when it fails: what it
// makes is published at its end.
extension Session {
  // MARK: Views

  func run(_ create: CreateView) throws -> StatementResult {
    let name = create.name.last.name
    let key = home(.relation, create.name, isTemporary: create.header.isTemporary)
    if try !mayCreate(key, "view", create.header, span: create.name.span) { return .none }
    // Bound once, so that a wrong view fails now and not at its first use.
    let bound = try binder().bind(create.query)
    if create.columns.count > bound.names.count {
      throw SQLError(
        .binder, "view \"\(name)\" has \(bound.names.count) columns, but more names are given",
        at: create.name.span)
    }
    let view = ViewDefinition(
      query: create.query, columns: create.columns.map(\.name), text: Printer.sql(create.query))
    change { $0[key] = CatalogObject(name: name, item: .view(view)) }
    return .none
  }

  /// Columns of one name get a number behind: a, a_1.
  func uniqueNames(_ fields: [Field]) throws -> [Field] {
    var seen: Set<String> = []
    return fields.map { field in
      var name = field.name
      var number = 1
      while !seen.insert(name.lowercased()).inserted {
        name = "\(field.name)_\(number)"
        number += 1
      }
      return Field(name, field.type)
    }
  }

  func run(_ drop: Drop) throws -> StatementResult {
    for name in drop.names {
      switch drop.target {
      case .table: try dropRelation(name, "table", ifExists: drop.ifExists)
      case .view: try dropRelation(name, "view", ifExists: drop.ifExists)
      case .index: try dropIndex(name, ifExists: drop.ifExists)
      default: throw SQLError(.notSupported, "this DROP is not supported yet")
      }
    }
    return .none
  }

  // MARK: Files

  func run(_ copy: CopyTo) throws -> StatementResult {
    guard case .literal(.string(let path)) = copy.path.kind else {
      throw SQLError(.binder, "COPY TO takes a path in quotes", at: copy.path.span)
    }
    let bound: BoundQuery
    switch copy.source {
    case .query(let query): bound = try bind(query)
    case .table(let name, let columns):
      let list =
        columns.isEmpty ? "*" : columns.map { quotedIdentifier($0.name) }.joined(separator: ", ")
      let text =
        "SELECT \(list) FROM \(name.parts.map { quotedIdentifier($0.name) }.joined(separator: "."))"
      guard case .query(let query) = try Parser.parseStatement(text).statement else {
        throw SQLError(.internal, "the query of COPY did not parse")
      }
      do {
        bound = try binder().bind(query)
      } catch var error as SQLError {
        error.span = name.span
        throw error
      }
    }
    let (formatName, options) = try CopyValues.read(copy.options)
    // Without a format or a known ending, COPY writes CSV.
    let format = try FileFormats.find(
      formatName ?? ((try? FileFormats.find(nil, path: path)) == nil ? "csv" : nil), path: path)
    let writer = try format.write(path, try uniqueNames(bound.fields), options)
    do {
      try drain(bound) { try writer.write($0) }
      return try count(try writer.finish())
    } catch {
      writer.abort()
      throw error
    }
  }

  // MARK: Models

  func run(_ create: CreateModel) throws -> StatementResult {
    let name = create.name.last.name
    if let known = catalog().modelEntry(named: name), !create.header.isOrReplace {
      if create.header.isIfNotExists { return .none }
      throw SQLError(
        .catalog, "model \"\(known.definition.name)\" exists already", at: create.name.span,
        hint: "CREATE OR REPLACE MODEL")
    }
    let entry = try ModelEntry(definition: try ModelCompiler.compile(create))
    change {
      $0[CatalogState.Key(.model, name)] = CatalogObject(name: name, item: .model(entry))
    }
    return .none
  }

  func run(_ drop: DropModel) throws -> StatementResult {
    if drop.model.version != nil {
      throw SQLError(.notSupported, "model versions are not supported yet", at: drop.model.span)
    }
    let name = drop.model.name.last.name
    if let (key, _) = state.find(.model, name) {
      change { $0[key] = nil }
    } else if !drop.ifExists {
      throw SQLError(
        .catalog, "model \"\(name)\" does not exist", at: drop.model.span,
        hint: didYouMean(name, among: catalog().modelNames))
    }
    return .none
  }

  // MARK: Looking

  func run(_ explain: Explain) throws -> StatementResult {
    let bound: BoundQuery
    switch explain.statement {
    case .query, .trainModel, .evaluateModel, .insert, .update, .delete, .merge, .truncate,
      .copyFrom:
      bound = try binder().bindRowStatement(explain.statement)
    case .createTable(let create):
      guard case .query(let query, _, _) = create.content else {
        throw SQLError(
          .notSupported, "EXPLAIN of this statement is not supported yet", at: explain.span)
      }
      bound = try binder().bind(query)
    case .copyTo(let copy):
      guard case .query(let query) = copy.source else {
        throw SQLError(
          .notSupported, "EXPLAIN of this statement is not supported yet", at: explain.span)
      }
      bound = try binder().bind(query)
    default:
      throw SQLError(
        .notSupported, "EXPLAIN of this statement is not supported yet", at: explain.span)
    }
    let plan = try optimize(bound.plan)
    if !explain.isAnalyze {
      return try table(["plan"], ExplainText.lines(plan).map { [$0] })
    }
    let query = start()
    let builder = PlanBuilder(query: query, measuring: plan)
    let begin = monotonicNanoseconds()
    let source = try builder.source(plan)
    var rows = 0
    while let batch = try source.next() { rows += batch.rowCount }
    for completion in builder.completions { try completion.complete() }
    let total = monotonicNanoseconds() - begin
    let statistics = builder.statistics ?? []
    var lines = ExplainText.lines(plan) { index in
      guard index < statistics.count else { return nil }
      let node = statistics[index]
      var text = "\(node.rows) rows, \(milliseconds(node.nanoseconds))"
      if node.bytes > 0 { text += ", \(node.bytes >> 10) KiB" }
      return text
    }
    lines.append("")
    lines.append(
      "\(rows) rows in \(milliseconds(total)), peak memory of operators \(query.memory.peak >> 10) KiB; "
        + "a node's time is that of all workers, what is below it included")
    return try table(["plan"], lines.map { [$0] })
  }

  private func milliseconds(_ nanoseconds: Int) -> String {
    let hundredths = nanoseconds / 10_000
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) ms"
  }

  func run(_ describe: Describe) throws -> StatementResult {
    let bound: BoundQuery
    switch describe.target {
    case .model(let reference): return try describeModel(reference.name)
    case .all: return try run(Show.tables)
    case .query(let query): bound = try bind(query)
    case .table(let name):
      if catalog().entry(named: name.last.name) == nil,
        catalog().modelEntry(named: name.last.name) != nil
      {
        return try describeModel(name)
      }
      bound = try binder().bind(try ModelQueries.query(of: .table(name)))
    case .file(let path, let span):
      bound = try binder().bind(try ModelQueries.query(of: .file(path, span: span)))
    }
    return try table(
      ["column_name", "column_type"], bound.fields.map { [$0.name, $0.type.description] })
  }

  private func describeModel(_ name: QualifiedName) throws -> StatementResult {
    let entry = try catalog().modelEntry(name)
    let definition = entry.definition
    var rows: [[String?]] = []
    for input in definition.inputs { rows.append(["input", input.name, input.type.description]) }
    rows.append(["output", definition.output.name, definition.output.type.description])
    if !entry.current.classNames.isEmpty {
      rows.append(["classes", nil, entry.current.classNames.joined(separator: ", ")])
    }
    for layer in definition.network.layers {
      rows.append(["layer \(layer.index)", layer.description, "\(layer.parameterCount) parameters"])
    }
    for option in definition.optionTexts { rows.append(["option", option.name, option.value]) }
    rows.append(["parameters", nil, "\(definition.network.parameterCount)"])
    rows.append([
      "version", nil, entry.current.isTrained ? "\(entry.current.version)" : "not trained",
    ])
    if let last = entry.history.last {
      rows.append(["epochs", nil, "\(last.report.epoch)"])
      rows.append(["loss", nil, "\(last.report.loss)"])
    }
    return try table(["property", "name", "value"], rows)
  }

  func run(_ show: Show) throws -> StatementResult {
    switch show {
    case .tables, .allTables, .tablesFrom:
      return try table(["name"], catalog().tableNames.map { [$0] })
    case .models:
      let catalog = catalog()
      let entries = catalog.modelNames.compactMap { catalog.modelEntry(named: $0) }
      return try table(
        ["name", "inputs", "output", "layers", "parameters", "version"],
        entries.map { entry in
          let definition = entry.definition
          return [
            definition.name,
            definition.inputs.map { "\($0.name) \($0.type)" }.joined(separator: ", "),
            "\(definition.output.name) \(definition.output.type)",
            "\(definition.network.layers.count)", "\(definition.network.parameterCount)",
            entry.current.isTrained ? "\(entry.current.version)" : nil,
          ]
        })
    case .allSettings:
      return try table(
        ["name", "value", "description"],
        Setting.rows.map { [$0.name, $0.read(settings), $0.summary] })
    case .functions:
      return try table(
        ["name"], (ScalarFunctions.allNames + Aggregates.allNames).sorted().map { [$0] })
    case .databases: return try table(["database_name"], [["memory"]])
    case .schemas: return try table(["schema_name"], [["main"]])
    case .name(let name):
      if let setting = Setting.named(name.last.name) {
        return try table([setting.name], [[setting.read(settings)]])
      }
      return try run(Describe(target: .table(name)))
    case .variables, .createModel, .createTable, .versions:
      throw SQLError(.notSupported, "this SHOW is not supported yet")
    }
  }
}
