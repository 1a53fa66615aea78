import Columnar
import Diagnostics
import Functions
import Syntax

extension Binder {
  func bind(_ insert: Insert) throws -> BoundQuery {
    try withCommonTables(insert.with) {
      let table = try writtenTable(insert.table)
      let definition = table.definition
      var targets = try insert.columns.map { try insertedColumn($0, definition) }
      if let twice = targets.indices.first(where: { targets[..<$0].contains(targets[$0]) }) {
        throw SQLError(
          .binder, "column \"\(insert.columns[twice].name)\" is named twice",
          at: insert.columns[twice].span)
      }
      if targets.isEmpty {
        targets = definition.columns.indices.filter { definition.columns[$0].generated == nil }
      }
      var source: BoundQuery
      switch insert.source {
      case .defaultValues:
        source = BoundQuery(plan: .values(ValuesNode(columns: [], rows: [[]])), names: [])
        targets = []
      case .query(let query):
        if !insert.isByName, let list = plainValues(query) {
          source = try bind(list, targets, definition, insert.table.span)
        } else {
          source = try bind(query)
        }
        if insert.isByName {
          if !insert.columns.isEmpty {
            throw SQLError(
              .binder, "INSERT BY NAME takes no list of columns", at: insert.table.span)
          }
          targets = try source.names.map { name in
            try insertedColumn(Identifier(name: name, span: query.span), definition)
          }
          if Set(targets).count != targets.count {
            throw SQLError(
              .binder, "INSERT BY NAME finds a column twice in the query", at: query.span)
          }
        }
        if source.names.count != targets.count {
          throw SQLError(
            .binder,
            "table \"\(definition.name)\" takes \(targets.count) values here, but \(source.names.count) are given",
            at: query.span)
        }
      }
      let given = Dictionary(uniqueKeysWithValues: zip(targets, source.plan.output))
      return try self.insert(
        into: table, plan: source.plan, given: given, insert, span: insert.table.span)
    }
  }

  private func insertedColumn(_ name: Identifier, _ definition: TableDefinition) throws -> Int {
    let position = try definition.column(name)
    if definition.columns[position].generated != nil {
      throw SQLError(
        .binder, "cannot insert into the generated column \"\(name.name)\"", at: name.span)
    }
    return position
  }

  /// The plan of rows that are given for some columns; the rest are defaults.
  private func insert(
    into table: any StoredTable, plan: Plan, given: [Int: ColumnReference], _ insert: Insert,
    span: SourceSpan
  ) throws -> BoundQuery {
    let definition = table.definition
    var values: [Int: Expression] = [:]
    for (position, column) in definition.columns.enumerated() {
      if let reference = given[position] {
        values[position] = try assignmentCast(.column(reference), to: column, span: span)
      } else if column.generated != nil {
        values[position] = .constant(.null, column.type)
      } else {
        values[position] = try defaultValue(column)
      }
    }
    let alias = insert.alias?.name ?? insert.table.last.name
    var write = TableWrite(verb: .insert, table: table)
    write.changed = Set(definition.columns.indices)
    let rows = WriteRows(write: write, plan: plan, values: values)
    guard let conflict = insert.conflict else {
      return try finish(rows, alias: alias, returning: insert.returning, span: span)
    }
    return try upsert(
      rows, conflict, given: Set(given.keys), alias: alias, insert, span: span)
  }

  // MARK: VALUES

  /// The list, when a query is nothing else.
  private func plainValues(_ query: Query) -> ValuesList? {
    guard query.with == nil, query.orderBy.isEmpty, query.limit == nil, query.offset == nil,
      case .values(let list) = query.body
    else { return nil }
    return list
  }

  /// VALUES of an INSERT: each cell is cast to its column on its own, and may be DEFAULT.
  private func bind(
    _ list: ValuesList, _ targets: [Int], _ definition: TableDefinition, _ span: SourceSpan
  ) throws -> BoundQuery {
    let columns = targets.map {
      makeReference(definition.columns[$0].name, definition.columns[$0].type)
    }
    var plans: [Plan] = []
    var rows: [[Expression]] = []
    func flush() {
      if !rows.isEmpty { plans.append(.values(ValuesNode(columns: columns, rows: rows))) }
      rows = []
    }
    for row in list.rows {
      if row.count != targets.count {
        throw SQLError(
          .binder,
          "table \"\(definition.name)\" takes \(targets.count) values here, but \(row.count) are given",
          at: row.first.map { $0.span } ?? list.span)
      }
      let collector = SubqueryCollector()
      let context = ExpressionContext(scope: Scope(), clause: "VALUES", subqueries: collector)
      let cells = try zip(row, targets).map { cell, position in
        try assigned(cell, definition.columns[position], context)
      }
      if collector.entries.isEmpty {
        rows.append(cells)
        continue
      }
      flush()
      let one = Plan.values(ValuesNode(columns: [], rows: [[]]))
      plans.append(
        .project(
          ProjectNode(
            input: collector.attach(to: one),
            items: zip(cells, columns).map { ($0, makeReference($1.name, $1.type)) })))
    }
    flush()
    let plan: Plan
    if plans.count == 1, let only = plans.first {
      plan = only
    } else {
      plan = .union(
        UnionNode(inputs: plans, columns: columns.map { makeReference($0.name, $0.type) }))
    }
    return BoundQuery(plan: plan, names: columns.map(\.name))
  }

  /// A value written for a column: an expression or DEFAULT.
  func assigned(
    _ syntax: SyntaxExpression, _ column: TableDefinition.Column, _ context: ExpressionContext
  ) throws -> Expression {
    if case .defaultValue = syntax.kind { return try defaultValue(column) }
    return try assignmentCast(try bind(syntax, context), to: column, span: syntax.span)
  }

  // MARK: ON CONFLICT

  private func upsert(
    _ rows: WriteRows, _ conflict: Insert.ConflictPolicy, given: Set<Int>, alias: String,
    _ insert: Insert, span: SourceSpan
  ) throws -> BoundQuery {
    let table = rows.write.table
    let definition = table.definition
    let keys: [Int]
    var assignments: [Assignment]?
    var filter: SyntaxExpression?
    switch conflict {
    case .ignore: keys = try conflictKeys([], isUpdate: false, definition, span)
    case .replace: keys = try conflictKeys([], isUpdate: true, definition, span)
    case .onConflict(let clause):
      keys = try conflictKeys(
        clause.columns, isUpdate: !clause.assignments.isEmpty, definition, span)
      if !clause.assignments.isEmpty { assignments = clause.assignments }
      filter = clause.filter
    }
    // Every column has its value before keys are looked up, generated ones too.
    var items: [(expression: Expression, reference: ColumnReference)] = []
    for (position, column) in definition.columns.enumerated() {
      items.append(
        (
          rows.values[position] ?? .constant(.null, column.type),
          makeReference(column.name, column.type)
        ))
    }
    let lookup = ConflictLookup(table: table, keys: keys)
    let outputs = lookup.outputFields.map { makeReference($0.name, $0.type) }
    let count = definition.columns.count
    var plan = Plan.rows(
      RowSourceNode(
        provider: try catalog.conflictProvider(lookup), columns: outputs,
        input: .project(ProjectNode(input: rows.plan, items: items))))
    let number = outputs[0]
    let existing = Array(outputs[1...count])
    let excluded = Array(outputs[(count + 1)...])
    let isNew = Expression.isNull(.column(number), isNegated: false)

    var set: [Int: Expression] = [:]
    if case .replace = conflict {
      // As in DuckDB, a row that is there keeps what no value was given for.
      for position in 0..<count where given.isEmpty || given.contains(position) {
        set[position] = .column(excluded[position])
      }
    }
    if let assignments {
      var scope = rowScope(existing, alias: alias)
      for var entry in rowScope(excluded, alias: "excluded").entries {
        entry.isShadowed = true
        scope.entries.append(entry)
      }
      let collector = SubqueryCollector()
      let context = ExpressionContext(scope: scope, clause: "DO UPDATE", subqueries: collector)
      set = try bind(assignments, definition, alias: alias, context)
      var condition = isNew
      if let filter { condition = .or([isNew, try bindCondition(filter, context)]) }
      if !collector.entries.isEmpty {
        throw SQLError(.binder, "DO UPDATE cannot contain subqueries", at: span)
      }
      if filter != nil { plan = .filter(FilterNode(input: plan, condition: condition)) }
    }
    var write = rows.write
    var values: [Int: Expression] = [:]
    if set.isEmpty {
      // DO NOTHING: only new rows go on.
      plan = .filter(FilterNode(input: plan, condition: isNew))
      for position in 0..<count { values[position] = .column(excluded[position]) }
      return try finish(
        WriteRows(write: write, plan: plan, values: values), alias: alias,
        returning: insert.returning, span: span)
    }
    var changed = Set(set.keys)
    _ = try columnsNeeded(for: &changed, definition)
    write.changed = changed
    func choose(_ new: Expression, _ old: Expression) -> Expression {
      .caseWhen(CaseWhen(branches: [(isNew, new)], otherwise: old, type: new.type))
    }
    for position in 0..<count {
      values[position] = choose(
        .column(excluded[position]), set[position] ?? .column(existing[position]))
    }
    func code(_ action: TableWrite.Action) -> Expression {
      .constant(.integer(Int128(action.rawValue)), .integer)
    }
    return try finish(
      WriteRows(
        write: write, plan: plan, rowNumber: .column(number),
        action: choose(code(.insert), code(.update)), values: values),
      alias: alias, returning: insert.returning, span: span)
  }

  /// The keys that a conflict clause means.
  private func conflictKeys(
    _ columns: [Identifier], isUpdate: Bool, _ definition: TableDefinition, _ span: SourceSpan
  ) throws -> [Int] {
    if columns.isEmpty {
      if definition.keys.isEmpty {
        throw SQLError(
          .binder,
          "table \"\(definition.name)\" has no UNIQUE/PRIMARY KEY constraint for ON CONFLICT",
          at: span)
      }
      if isUpdate, definition.keys.count > 1 {
        throw SQLError(
          .binder,
          "table \"\(definition.name)\" has several UNIQUE/PRIMARY KEY constraints: a conflict target has to be provided",
          at: span, hint: "ON CONFLICT (column, …) DO UPDATE …")
      }
      return Array(definition.keys.indices)
    }
    let wanted = Set(try columns.map { try definition.column($0) })
    guard let key = definition.keys.firstIndex(where: { Set($0.columns) == wanted }) else {
      throw SQLError(
        .binder,
        "the columns of ON CONFLICT are not those of a UNIQUE/PRIMARY KEY constraint or index",
        at: columns.first?.span ?? span)
    }
    return [key]
  }

  // MARK: COPY FROM

  func bind(_ copy: CopyFrom) throws -> BoundQuery {
    let table = try writtenTable(copy.table)
    let definition = table.definition
    var targets = try copy.columns.map { try insertedColumn($0, definition) }
    if targets.isEmpty {
      targets = definition.columns.indices.filter { definition.columns[$0].generated == nil }
    }
    guard case .literal(.string(let path)) = copy.path.kind else {
      throw SQLError(.binder, "COPY FROM takes a path in quotes", at: copy.path.span)
    }
    let source = try catalog.openCopy(
      path, options: copy.options, fields: targets.map { definition.fields[$0] })
    let columns = source.schema.enumerated().map { position, field in
      (position: position, reference: makeReference(field.name, field.type))
    }
    if columns.count != targets.count {
      throw SQLError(
        .binder,
        "table \"\(definition.name)\" takes \(targets.count) columns here, but the file has \(columns.count)",
        at: copy.path.span)
    }
    let insert = Insert(into: copy.table, columns: copy.columns, source: .defaultValues)
    return try self.insert(
      into: table, plan: .scan(ScanNode(source: source, name: path, columns: columns)),
      given: Dictionary(uniqueKeysWithValues: zip(targets, columns.map { $0.reference })), insert,
      span: copy.table.span)
  }
}
