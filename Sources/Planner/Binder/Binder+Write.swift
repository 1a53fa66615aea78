import Columnar
import Diagnostics
import Functions
import Syntax

/// A table to be written to, scanned.
struct WriteTarget {
  var table: any StoredTable
  var plan: Plan
  /// Its columns under the alias; the row's number is hidden.
  var scope: Scope
  /// By position.
  var columns: [ColumnReference]
  var rowNumber: ColumnReference
  /// As expressions of the statement name it.
  var alias: String

  var definition: TableDefinition { table.definition }
}

/// The rows of a write on their way to it.
struct WriteRows {
  var write: TableWrite
  var plan: Plan
  /// The number of the row to change and the action, as the write wants them.
  var rowNumber: Expression?
  var action: Expression?
  /// Values after the write, by position; generated columns are computed from them.
  var values: [Int: Expression]
}

// What INSERT, UPDATE, DELETE and MERGE have in common: where they write, and the way of a new row
// through generated columns and checks to the operator that stores it.
extension Binder {
  /// The table of that name, which must be one that can be written.
  func writtenTable(_ name: QualifiedName) throws -> any StoredTable {
    let last = name.last.name
    switch try catalog.entry(named: name) {
    case .table(let source):
      if let table = source as? any StoredTable { return table }
      throw SQLError(.binder, "\"\(last)\" is a file and cannot be changed", at: name.span)
    case .view:
      throw SQLError(.binder, "\"\(last)\" is a view and cannot be changed", at: name.span)
    case nil:
      throw SQLError(
        .catalog, "table \"\(last)\" does not exist", at: name.span,
        hint: didYouMean(last, among: catalog.tableNames))
    }
  }

  func target(_ name: QualifiedName, alias: Identifier?) throws -> WriteTarget {
    let table = try writtenTable(name)
    let definition = table.definition
    let alias = alias?.name ?? name.last.name
    let columns = definition.columns.map { makeReference($0.name, $0.type) }
    let rowNumber = makeReference("rowid", .bigint)
    let read =
      columns.enumerated().map { (position: $0, reference: $1) }
      + [(position: table.rowNumberPosition, reference: rowNumber)]
    var scope = rowScope(columns, alias: alias)
    if definition.position(of: "rowid") == nil {
      scope.entries.append(
        Scope.Entry(
          table: alias, name: "rowid", reference: rowNumber, isShadowed: true, isHidden: true))
    }
    return WriteTarget(
      table: table,
      plan: .scan(ScanNode(source: table, name: definition.name, columns: read)),
      scope: scope, columns: columns, rowNumber: rowNumber, alias: alias)
  }

  func rowScope(_ columns: [ColumnReference], alias: String) -> Scope {
    var scope = Scope()
    for reference in columns {
      scope.entries.append(Scope.Entry(table: alias, name: reference.name, reference: reference))
    }
    return scope
  }

  // MARK: Values

  /// A value as a column takes it.
  func assignmentCast(_ value: Expression, to column: TableDefinition.Column, span: SourceSpan?)
    throws -> Expression
  {
    if value.type == column.type { return value }
    guard Cast.exists(from: value.type, to: column.type) else {
      throw SQLError(
        .binder, "column \"\(column.name)\" is \(column.type), but the value is \(value.type)",
        at: span)
    }
    return try foldedCast(value, to: column.type, isTry: false, span: span ?? SourceSpan(0, 0))
  }

  /// What a column gets when nothing is said.
  func defaultValue(_ column: TableDefinition.Column) throws -> Expression {
    guard let syntax = column.defaultValue else { return .constant(.null, column.type) }
    let collector = SubqueryCollector()
    let context = ExpressionContext(
      scope: Scope(), clause: "DEFAULT values", subqueries: collector)
    let bound = try bind(syntax, context)
    if !collector.entries.isEmpty {
      throw SQLError(.binder, "DEFAULT values cannot contain subqueries", at: syntax.span)
    }
    return try assignmentCast(bound, to: column, span: syntax.span)
  }

  /// An expression of a table's definition over columns that stand for the table's.
  func bindRowExpression(
    _ syntax: SyntaxExpression, _ definition: TableDefinition, _ columns: [ColumnReference],
    clause: String
  ) throws -> Expression {
    let collector = SubqueryCollector()
    let context = ExpressionContext(
      scope: rowScope(columns, alias: definition.name), clause: clause, subqueries: collector)
    let bound = try bind(syntax, context)
    if !collector.entries.isEmpty {
      throw SQLError(.binder, "\(clause) cannot contain subqueries", at: syntax.span)
    }
    return bound
  }

  /// A CHECK as a BOOLEAN expression.
  func bindCheck(
    _ check: TableDefinition.Check, _ definition: TableDefinition, _ columns: [ColumnReference]
  ) throws -> Expression {
    let bound = try bindRowExpression(
      check.condition, definition, columns, clause: "CHECK constraints")
    if bound.type == .boolean { return bound }
    return try foldedCast(bound, to: .boolean, isTry: false, span: check.condition.span)
  }

  // MARK: The way of a row

  /// Columns that must be among a write's values when `changed` are written: themselves, and what
  /// keys, checks and generated columns read. `changed` grows by the generated columns.
  func columnsNeeded(for changed: inout Set<Int>, _ definition: TableDefinition) throws -> Set<Int>
  {
    let columns = definition.columns.map { makeReference($0.name, $0.type) }
    func positions(_ expression: Expression) -> Set<Int> {
      let ids = expression.columnIDs
      return Set(columns.indices.filter { ids.contains(columns[$0].id) })
    }
    var needed = changed
    var grew = true
    while grew {
      grew = false
      for (position, column) in definition.columns.enumerated() {
        guard let generated = column.generated, !changed.contains(position) else { continue }
        let read = positions(
          try bindRowExpression(generated, definition, columns, clause: "generated columns"))
        if !read.isDisjoint(with: changed) {
          changed.insert(position)
          needed.formUnion(read)
          grew = true
        }
      }
    }
    for check in definition.checks {
      let read = positions(try bindCheck(check, definition, columns))
      if !read.isDisjoint(with: changed) { needed.formUnion(read) }
    }
    needed.formUnion(definition.keyColumns(touchedBy: changed))
    return needed.union(changed)
  }

  /// The plan that writes: values, then generated columns, then checks, then the write itself, then
  /// what RETURNING wants of it.
  func finish(
    _ rows: WriteRows, alias: String, returning: [SelectItem], span: SourceSpan
  ) throws -> BoundQuery {
    let definition = rows.write.table.definition
    var write = rows.write
    var items: [(expression: Expression, reference: ColumnReference)] = []
    func add(_ expression: Expression, _ name: String) -> ColumnReference {
      let reference = makeReference(name, expression.type)
      items.append((expression, reference))
      return reference
    }
    if let number = rows.rowNumber {
      write.rowNumber = items.count
      _ = add(number, "rowid")
    }
    if let action = rows.action {
      write.action = items.count
      _ = add(action, "merge_action")
    }
    // Generated columns are computed, but for those an update or delete leaves alone.
    let computed = Set(
      rows.values.keys.filter { position in
        guard definition.columns[position].generated != nil else { return false }
        switch write.verb {
        case .insert, .merge: return true
        case .update: return write.changed.contains(position)
        case .delete: return false
        }
      })
    var columns: [ColumnReference] = []
    for (position, column) in definition.columns.enumerated() {
      if let value = rows.values[position], !computed.contains(position) {
        columns.append(add(value, column.name))
      } else {
        columns.append(makeReference(column.name, column.type))
      }
    }
    var plan = Plan.project(ProjectNode(input: rows.plan, items: items))
    if write.verb != .delete {
      plan = try addGenerated(to: plan, computed, definition, columns)
      plan = try addChecks(to: plan, &write, Set(rows.values.keys), definition, columns)
    }
    // Into the layout: numbers, values by position, checks.
    let given = rows.values.keys.sorted()
    write.columns = given
    write.firstValue = (write.rowNumber == nil ? 0 : 1) + (write.action == nil ? 0 : 1)
    let layout =
      Array(plan.output.prefix(write.firstValue)) + given.map { columns[$0] }
      + plan.output.suffix(write.checks.count)
    for check in write.checks.indices {
      write.checks[check].input = layout.count - write.checks.count + check
    }
    plan = plan.keeping(layout)
    write.returnsRows = !returning.isEmpty
    let provider = try catalog.writeProvider(write)
    let outputs = write.outputFields.map { makeReference($0.name, $0.type) }
    let written = Plan.rows(RowSourceNode(provider: provider, columns: outputs, input: plan))
    if returning.isEmpty { return BoundQuery(plan: written, names: outputs.map(\.name)) }
    return try bindReturning(returning, written, write, alias: alias, span: span)
  }

  private func addGenerated(
    to plan: Plan, _ computed: Set<Int>, _ definition: TableDefinition,
    _ columns: [ColumnReference]
  ) throws -> Plan {
    var plan = plan
    var missing = computed
    while !missing.isEmpty {
      let available = Set(plan.output.map(\.id))
      var items: [(expression: Expression, reference: ColumnReference)] = []
      for position in missing.sorted() {
        guard let generated = definition.columns[position].generated else { continue }
        let bound = try assignmentCast(
          try bindRowExpression(generated, definition, columns, clause: "generated columns"),
          to: definition.columns[position], span: nil)
        guard bound.columnIDs.isSubset(of: available) else { continue }
        items.append((bound, columns[position]))
        missing.remove(position)
      }
      if items.isEmpty {
        throw SQLError(.binder, "the generated columns of \"\(definition.name)\" form a circle")
      }
      plan = plan.adding(items)
    }
    return plan
  }

  private func addChecks(
    to plan: Plan, _ write: inout TableWrite, _ given: Set<Int>, _ definition: TableDefinition,
    _ columns: [ColumnReference]
  ) throws -> Plan {
    let available = Set(given.map { columns[$0].id })
    let changed = Set(write.changed.map { columns[$0].id })
    var items: [(expression: Expression, reference: ColumnReference)] = []
    for check in definition.checks {
      let bound = try bindCheck(check, definition, columns)
      let read = bound.columnIDs
      if !read.isSubset(of: available) { continue }
      if write.verb == .update, read.isDisjoint(with: changed) { continue }
      items.append((bound, makeReference("check", .boolean)))
      write.checks.append((0, Printer.sql(check.condition)))
    }
    if write.checks.isEmpty { return plan }
    return plan.adding(items)
  }

  // MARK: RETURNING

  /// Binds RETURNING as a SELECT over the rows that were written.
  private func bindReturning(
    _ items: [SelectItem], _ plan: Plan, _ write: TableWrite, alias: String, span: SourceSpan
  ) throws -> BoundQuery {
    let output = plan.output
    let count = write.table.definition.columns.count
    var scope = rowScope(Array(output.prefix(count)), alias: alias)
    for reference in output.dropFirst(count) {
      // Rows that an INSERT made have no number that a reader could know.
      if reference.name == "rowid", write.verb == .insert || write.verb == .merge { continue }
      if scope.entries.contains(where: { $0.name.lowercased() == reference.name }) { continue }
      scope.entries.append(
        Scope.Entry(
          table: alias, name: reference.name, reference: reference, isShadowed: true,
          isHidden: true))
    }
    let name = "\u{1}returning \(makeReference("", .null).id)"
    boundRelations[name] = (plan, scope)
    defer { boundRelations[name] = nil }
    let relation = TableReference(
      .table(QualifiedName(Identifier(name: name, span: span))), span: span)
    return try bind(
      Query(body: .select(Select(items, from: relation, span: span)), span: span))
  }
}
