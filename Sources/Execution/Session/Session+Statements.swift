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
  // MARK: Tables and views

  func run(_ create: CreateTable) throws -> StatementResult {
    let name = create.name.last.name
    if try !mayCreate(name, create.header, span: create.name.span) { return .none }
    switch create.content {
    case .query(let query, let names, let hasData):
      var bound = try bind(query)
      if names.count > bound.names.count {
        throw SQLError(
          .binder, "table \"\(name)\" has \(bound.names.count) columns, but more names are given",
          at: create.name.span)
      }
      for (position, column) in names.enumerated() { bound.names[position] = column.name }
      let fields = try uniqueNames(bound.fields)
      let table = MemoryTable(name: name, schema: fields)
      var rows = 0
      if hasData {
        let loaded = try load(bound, types: fields.map(\.type))
        table.append(loaded.groups)
        rows = loaded.rowCount
      }
      try publish(name, .table(table), create.header)
      return try count(rows)
    case .columns(let definition, let constraints):
      if let constraint = constraints.first {
        throw SQLError(
          .notSupported, "table constraints are not supported yet", at: constraint.span)
      }
      var fields: [Field] = []
      var required: Set<Int> = []
      for (position, column) in definition.enumerated() {
        guard let type = column.type else {
          throw SQLError(
            .notSupported, "generated columns are not supported yet", at: column.span)
        }
        fields.append(Field(column.name.name, try TypeResolution.resolve(type)))
        for constraint in column.constraints {
          switch constraint {
          case .notNull: required.insert(position)
          case .null: break
          case .primaryKey, .unique, .defaultValue, .check, .references, .generated, .collate:
            throw SQLError(
              .notSupported, "of column constraints only NOT NULL is supported yet",
              at: column.span)
          }
        }
      }
      var seen: Set<String> = []
      for (position, field) in fields.enumerated()
      where !seen.insert(field.name.lowercased()).inserted {
        throw SQLError(
          .catalog, "column \"\(field.name)\" is defined twice", at: definition[position].name.span)
      }
      try publish(
        name, .table(MemoryTable(name: name, schema: fields, requiredColumns: required)),
        create.header)
      return .none
    }
  }

  func run(_ create: CreateView) throws -> StatementResult {
    let name = create.name.last.name
    if try !mayCreate(name, create.header, span: create.name.span) { return .none }
    // Bound once, so that a wrong view fails now and not at its first use.
    let bound = try binder().bind(create.query)
    if create.columns.count > bound.names.count {
      throw SQLError(
        .binder, "view \"\(name)\" has \(bound.names.count) columns, but more names are given",
        at: create.name.span)
    }
    try publish(
      name,
      .view(
        ViewDefinition(
          query: create.query, columns: create.columns.map(\.name),
          text: Printer.sql(create.query))), create.header)
    return .none
  }

  /// Whether to go on; an error when the name is taken and nothing says what then.
  private func mayCreate(_ name: String, _ header: CreateHeader, span: SourceSpan) throws -> Bool {
    guard let (_, known) = state.find(.relation, name), !header.isOrReplace else { return true }
    if header.isIfNotExists { return false }
    throw SQLError(.catalog, "\(known.item.kind) \"\(known.name)\" exists already", at: span)
  }

  private func publish(_ name: String, _ item: CatalogItem, _ header: CreateHeader) throws {
    change { $0[CatalogState.Key(.relation, name)] = CatalogObject(name: name, item: item) }
  }

  /// Columns of one name get a number behind: a, a_1.
  private func uniqueNames(_ fields: [Field]) throws -> [Field] {
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
    let word: String
    switch drop.target {
    case .table: word = "table"
    case .view: word = "view"
    default: throw SQLError(.notSupported, "this DROP is not supported yet")
    }
    for name in drop.names {
      guard let (key, known) = state.find(.relation, name.last.name) else {
        if drop.ifExists { continue }
        throw SQLError(
          .catalog, "\(word) \"\(name.last.name)\" does not exist", at: name.span,
          hint: didYouMean(name.last.name, among: catalog().tableNames))
      }
      let kind = known.item.kind
      if kind != word {
        throw SQLError(
          .catalog, "\"\(known.name)\" is a \(kind)", at: name.span,
          hint: "DROP \(kind.uppercased()) \(quotedIdentifier(known.name))")
      }
      change { $0[key] = nil }
    }
    return .none
  }

  func run(_ insert: Insert) throws -> StatementResult {
    let name = insert.table.last
    guard insert.conflict == nil, insert.returning.isEmpty, !insert.isByName, insert.with == nil
    else {
      throw SQLError(
        .notSupported, "this form of INSERT is not supported yet", at: insert.table.span)
    }
    guard case .table(let source) = catalog().entry(named: name.name),
      let table = source as? MemoryTable
    else {
      throw SQLError(
        .catalog, "table \"\(name.name)\" does not exist", at: insert.table.span,
        hint: didYouMean(name.name, among: catalog().tableNames))
    }
    guard case .query(let query) = insert.source else {
      throw SQLError(.notSupported, "DEFAULT VALUES is not supported yet", at: insert.table.span)
    }
    let targets = try insert.columns.map { column -> Int in
      guard let position = table.columnIndex(column.name) else {
        throw SQLError(
          .binder, "table \"\(table.name)\" has no column \"\(column.name)\"", at: column.span,
          hint: didYouMean(column.name, among: table.schema.map(\.name)))
      }
      return position
    }
    let positions = targets.isEmpty ? Array(table.schema.indices) : targets
    if Set(positions).count != positions.count {
      throw SQLError(.binder, "a column is named twice", at: insert.table.span)
    }
    let binder = binder()
    let bound = try binder.bind(query)
    if bound.names.count != positions.count {
      throw SQLError(
        .binder,
        "table \"\(table.name)\" takes \(positions.count) values here, but \(bound.names.count) are given",
        at: query.span)
    }
    let plan = try insertPlan(bound.plan, positions, table, span: query.span)
    let span = insert.table.span
    let loaded = try load(
      BoundQuery(plan: plan, names: table.schema.map(\.name)), types: table.schema.map(\.type)
    ) { batch in
      for position in table.requiredColumns {
        let column = batch.columns[position]
        if column.mayHaveNulls, (0..<batch.rowCount).contains(where: { column.isNull($0) }) {
          throw SQLError(
            .constraint,
            "column \"\(table.schema[position].name)\" of table \"\(table.name)\" is NOT NULL, but a row has NULL",
            at: span)
        }
      }
    }
    table.append(loaded.groups)
    return try count(loaded.rowCount)
  }

  /// The rows in the table's layout: casts as assignment makes them, NULL for columns not named.
  private func insertPlan(
    _ plan: Plan, _ positions: [Int], _ table: MemoryTable, span: SourceSpan
  ) throws -> Plan {
    let output = plan.output
    let items = try table.schema.enumerated().map {
      position, field -> (expression: Expression, reference: ColumnReference) in
      let reference = ColumnReference(id: -1 - position, name: field.name, type: field.type)
      guard let index = positions.firstIndex(of: position) else {
        return (.constant(.null, field.type), reference)
      }
      let column = Expression.column(output[index])
      if column.type == field.type { return (column, reference) }
      guard Functions.Cast.exists(from: column.type, to: field.type) else {
        throw SQLError(
          .binder, "column \"\(field.name)\" is \(field.type), but the value is \(column.type)",
          at: span)
      }
      return (.cast(column, to: field.type, isTry: false), reference)
    }
    return .project(ProjectNode(input: plan, items: items))
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
    var formatName: String?
    var options: FileFormat.Options = []
    for option in copy.options {
      let value = try copyValue(option)
      if option.name.name.lowercased() == "format" {
        guard case .varchar(let text) = value.0 else {
          throw SQLError(.binder, "FORMAT takes a name", at: option.name.span)
        }
        formatName = text
      } else {
        options.append((name: option.name.name, value: value.0, type: value.1))
      }
    }
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

  private func copyValue(_ option: CopyOption) throws -> (Value, LogicalType) {
    guard let expression = option.value else { return (.boolean(true), .boolean) }
    switch expression.kind {
    case .literal(.string(let text)): return (.varchar(text), .varchar)
    case .literal(.boolean(let value)): return (.boolean(value), .boolean)
    case .literal(.integer(let text)):
      return (Int128(text).map { .integer($0) } ?? .null, .bigint)
    case .column(let word): return (.varchar(word.last.name), .varchar)
    default:
      throw SQLError(
        .binder, "option \"\(option.name.name)\" takes a literal", at: expression.span)
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
    case .query, .trainModel, .evaluateModel:
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
