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
    guard let key = try claim(.relation, create.name, create.header, kind: "table") else {
      return .none
    }
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
      publish(key, create.name, .table(table))
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
        fields.append(Field(column.name.name, try binder().resolve(type)))
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
      publish(
        key, create.name,
        .table(MemoryTable(name: name, schema: fields, requiredColumns: required)))
      return .none
    }
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

  func run(_ insert: Insert) throws -> StatementResult {
    let name = insert.table.last
    guard insert.conflict == nil, insert.returning.isEmpty, !insert.isByName, insert.with == nil
    else {
      throw SQLError(
        .notSupported, "this form of INSERT is not supported yet", at: insert.table.span)
    }
    guard case .table(let source) = try catalog().entry(named: insert.table),
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
}
