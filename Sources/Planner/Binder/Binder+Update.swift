import Columnar
import Diagnostics
import Functions
import Syntax

extension Binder {
  func bind(_ update: Update) throws -> BoundQuery {
    try withCommonTables(update.with) {
      let target = try target(update.table, alias: update.alias)
      let definition = target.definition
      var (plan, scope) = try join(target, update.from)
      plan = try filter(plan, scope, update.filter)
      let collector = SubqueryCollector()
      let context = ExpressionContext(scope: scope, clause: "SET", subqueries: collector)
      let set = try bind(update.assignments, definition, alias: target.alias, context)
      plan = collector.attach(to: plan)
      var write = TableWrite(verb: .update, table: target.table)
      var changed = Set(set.keys)
      var needed = try columnsNeeded(for: &changed, definition)
      write.changed = changed
      if !update.returning.isEmpty { needed = Set(definition.columns.indices) }
      var values: [Int: Expression] = [:]
      for position in needed {
        values[position] = set[position] ?? .column(target.columns[position])
      }
      return try finish(
        WriteRows(
          write: write, plan: plan, rowNumber: .column(target.rowNumber), values: values),
        alias: target.alias, returning: update.returning, span: update.table.span)
    }
  }

  func bind(_ delete: Delete) throws -> BoundQuery {
    try withCommonTables(delete.with) {
      let target = try target(delete.table, alias: delete.alias)
      var (plan, scope) = try join(target, delete.using)
      plan = try filter(plan, scope, delete.filter)
      var values: [Int: Expression] = [:]
      if !delete.returning.isEmpty {
        for (position, reference) in target.columns.enumerated() {
          values[position] = .column(reference)
        }
      }
      return try finish(
        WriteRows(
          write: TableWrite(verb: .delete, table: target.table), plan: plan,
          rowNumber: .column(target.rowNumber), values: values),
        alias: target.alias, returning: delete.returning, span: delete.table.span)
    }
  }

  /// The target beside the tables of FROM or USING.
  private func join(_ target: WriteTarget, _ references: [TableReference]) throws -> (
    plan: Plan, scope: Scope
  ) {
    if references.isEmpty { return (target.plan, target.scope) }
    let right = try bindFrom(references)
    let plan = Plan.join(
      JoinNode(kind: .inner, left: target.plan, right: right.plan, keys: [], residual: nil))
    return (plan, target.scope.appending(right.scope))
  }

  private func filter(_ plan: Plan, _ scope: Scope, _ condition: SyntaxExpression?) throws -> Plan {
    guard let condition else { return plan }
    let collector = SubqueryCollector()
    let context = ExpressionContext(scope: scope, clause: "WHERE", subqueries: collector)
    let bound = try bindCondition(condition, context)
    return .filter(FilterNode(input: collector.attach(to: plan), condition: bound))
  }

  /// SET: the new value of each column named.
  func bind(
    _ assignments: [Assignment], _ definition: TableDefinition, alias: String,
    _ context: ExpressionContext
  ) throws -> [Int: Expression] {
    var set: [Int: Expression] = [:]
    for assignment in assignments {
      let positions = try assignment.columns.map { name -> Int in
        if name.parts.count > 1,
          name.parts[name.parts.count - 2].name.lowercased() != alias.lowercased()
        {
          throw SQLError(
            .binder, "SET takes columns of \"\(definition.name)\" only", at: name.span)
        }
        let position = try definition.column(name.last)
        if definition.columns[position].generated != nil {
          throw SQLError(
            .binder, "cannot update the generated column \"\(name.last.name)\"", at: name.span)
        }
        return position
      }
      let values = try spread(assignment.value, over: positions.count)
      for (index, position) in positions.enumerated() {
        if set[position] != nil {
          throw SQLError(
            .binder, "column \"\(definition.columns[position].name)\" is set twice",
            at: assignment.columns[index].span)
        }
        set[position] = try assigned(values[index], definition.columns[position], context)
      }
    }
    return set
  }

  /// The right side of `(a, b) = …`, a value for each column.
  private func spread(_ value: SyntaxExpression, over count: Int) throws -> [SyntaxExpression] {
    switch value.kind {
    case .row(let items):
      if items.count == count { return items }
      throw SQLError(
        .binder, "SET names \(count) columns, but \(items.count) values are given", at: value.span)
    case .subquery(let query):
      if count == 1 { return [value] }
      let names = (0..<count).map { Identifier(name: "\u{1}\($0)", span: value.span) }
      return names.map { name in
        let rows = TableReference(
          query: query, as: Identifier(name: "\u{1}set", span: value.span), columns: names)
        let item = SelectItem(
          SyntaxExpression(.column(QualifiedName(name)), span: value.span))
        return SyntaxExpression(
          .subquery(
            Query(
              body: .select(Select([item], from: rows, span: value.span)),
              span: value.span)), span: value.span)
      }
    default:
      if count == 1 { return [value] }
      throw SQLError(
        .binder, "SET names \(count) columns, but one value is given", at: value.span)
    }
  }
}
