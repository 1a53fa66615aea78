import Columnar
import Diagnostics
import Functions
import Syntax

/// MERGE INTO: the target joined with its source; each row is given the first clause that applies,
/// and from it an action and the row's new values.
extension Binder {
  func bind(_ merge: Merge) throws -> BoundQuery {
    try withCommonTables(merge.with) {
      let target = try target(merge.table, alias: merge.alias)
      let source = try bind(merge.source)
      let flag = makeReference("matched", .boolean)
      let right = source.plan.adding([(.trueConstant, flag)])

      let keepsSource = merge.clauses.contains { $0.match == .notMatchedByTarget }
      let keepsTarget = merge.clauses.contains { $0.match == .notMatchedBySource }
      let kind: JoinNode.Kind =
        keepsSource ? (keepsTarget ? .full : .right) : (keepsTarget ? .left : .inner)
      var join = JoinNode(kind: kind, left: target.plan, right: right, keys: [], residual: nil)
      let scope = target.scope.appending(source.scope)
      switch merge.condition {
      case .on(let condition):
        let collector = SubqueryCollector()
        let context = ExpressionContext(
          scope: scope, clause: "the condition of MERGE", subqueries: collector)
        join.residual = try bindCondition(condition, context)
        if !collector.entries.isEmpty {
          throw Binder.notYet("subqueries in the condition of MERGE", condition.span)
        }
      case .using(let names):
        for name in names {
          let left = try onlyColumn(name, target.scope, "target")
          let other = try onlyColumn(name, source.scope, "source")
          let (a, b) = try comparable(
            .column(left), .column(other), operator: "=", span: name.span)
          join.keys.append((a, b, false))
        }
      }
      let bound = try MergeBinding(
        binder: self, merge: merge, target: target, source: source.scope, flag: flag)
      return try bound.finish(.join(join))
    }
  }

  private func onlyColumn(_ name: Identifier, _ scope: Scope, _ side: String) throws
    -> ColumnReference
  {
    let found = scope.matches(table: nil, name: name.name)
    if found.count == 1, let entry = found.first { return entry.reference }
    throw SQLError(
      .binder,
      "column \"\(name.name)\" of USING is \(found.isEmpty ? "not" : "ambiguous") in the \(side)",
      at: name.span, hint: didYouMean(name.name, among: scope.entries.map(\.name)))
  }
}

/// The clauses of one MERGE, bound.
private struct MergeBinding {
  let binder: Binder
  let merge: Merge
  let target: WriteTarget
  let source: Scope
  let flag: ColumnReference
  let collector = SubqueryCollector()
  /// Per clause: when it applies.
  private var conditions: [Expression] = []
  /// Per clause: the action; nil does nothing.
  private var actions: [Expression?] = []
  /// Per clause: the row's values.
  private var values: [[Expression]] = []
  private var changed: Set<Int> = []

  init(
    binder: Binder, merge: Merge, target: WriteTarget, source: Scope, flag: ColumnReference
  ) throws {
    self.binder = binder
    self.merge = merge
    self.target = target
    self.source = source
    self.flag = flag
    for clause in merge.clauses { try add(clause) }
  }

  private func context(_ scope: Scope) -> ExpressionContext {
    ExpressionContext(scope: scope, clause: "MERGE", subqueries: collector)
  }

  /// What the clause's expressions may read, and which pairs of rows it is for.
  private func reach(of match: Merge.Match) -> (scope: Scope, test: Expression) {
    func isMissing(_ column: ColumnReference) -> Expression {
      .isNull(.column(column), isNegated: false)
    }
    func isThere(_ column: ColumnReference) -> Expression {
      .isNull(.column(column), isNegated: true)
    }
    switch match {
    case .matched:
      return (target.scope.appending(source), .and([isThere(target.rowNumber), isThere(flag)]))
    case .notMatchedByTarget: return (source, isMissing(target.rowNumber))
    case .notMatchedBySource: return (target.scope, isMissing(flag))
    }
  }

  private mutating func add(_ clause: Merge.Clause) throws {
    let (scope, test) = reach(of: clause.match)
    let context = context(scope)
    if let condition = clause.condition {
      conditions.append(.and([test, try binder.bindCondition(condition, context)]))
    } else {
      conditions.append(test)
    }
    let old = target.columns.map { Expression.column($0) }
    func code(_ action: TableWrite.Action) -> Expression {
      .constant(.integer(Int128(action.rawValue)), .integer)
    }
    switch clause.action {
    case .nothing:
      actions.append(nil)
      values.append(old)
    case .delete:
      try requireTarget("DELETE", clause)
      actions.append(code(.delete))
      values.append(old)
    case .error(let message):
      actions.append(try raising(message, clause, context))
      values.append(old)
    case .update, .updateAll:
      try requireTarget("UPDATE", clause)
      let set = try assigned(clause, context)
      changed.formUnion(set.keys)
      actions.append(code(.update))
      values.append(old.indices.map { set[$0] ?? old[$0] })
    case .insert, .insertAll, .insertDefaults:
      actions.append(code(.insert))
      values.append(try inserted(clause, context))
    }
  }

  private func requireTarget(_ verb: String, _ clause: Merge.Clause) throws {
    if clause.match == .notMatchedByTarget {
      throw SQLError(.binder, "WHEN \(clause.match.rawValue) cannot \(verb)", at: clause.span)
    }
  }

  /// In place of an action's code: the error that the clause asks for.
  private func raising(
    _ message: SyntaxExpression?, _ clause: Merge.Clause, _ context: ExpressionContext
  ) throws -> Expression {
    var text = Expression.constant(
      .varchar(
        "merge error condition WHEN \(clause.match.rawValue)" + (message == nil ? "" : ": ")),
      .varchar)
    if let message {
      let own = try binder.foldedCast(
        try binder.bind(message, context), to: .varchar, isTry: false, span: message.span)
      text = try binder.call("concat", [text, own], span: clause.span)
    }
    return .cast(try binder.call("error", [text], span: clause.span), to: .integer, isTry: false)
  }

  /// New values of an UPDATE by position.
  private func assigned(_ clause: Merge.Clause, _ context: ExpressionContext) throws
    -> [Int: Expression]
  {
    switch clause.action {
    case .update(let assignments):
      return try binder.bind(assignments, target.definition, alias: target.alias, context)
    case .updateAll(let byPosition):
      return try sourceColumns([], byPosition: byPosition, clause)
    case .insert, .insertAll, .insertDefaults, .delete, .nothing, .error: return [:]
    }
  }

  private func inserted(_ clause: Merge.Clause, _ context: ExpressionContext) throws
    -> [Expression]
  {
    let definition = target.definition
    var given: [Int: Expression] = [:]
    switch clause.action {
    case .insert(let names, let cells):
      let positions = try targets(names, clause)
      if cells.count != positions.count {
        throw SQLError(
          .binder, "INSERT takes \(positions.count) values here, but \(cells.count) are given",
          at: clause.span)
      }
      for (position, cell) in zip(positions, cells) {
        given[position] = try binder.assigned(cell, definition.columns[position], context)
      }
    case .insertAll(let names, let byPosition):
      given = try sourceColumns(names, byPosition: byPosition || !names.isEmpty, clause)
    case .insertDefaults, .update, .updateAll, .delete, .nothing, .error: break
    }
    return try definition.columns.enumerated().map { position, column in
      try given[position]
        ?? (column.generated == nil
          ? binder.defaultValue(column) : .constant(.null, column.type))
    }
  }

  private func targets(_ names: [Identifier], _ clause: Merge.Clause) throws -> [Int] {
    let definition = target.definition
    if names.isEmpty {
      return definition.columns.indices.filter { definition.columns[$0].generated == nil }
    }
    let positions = try names.map { try definition.column($0) }
    if Set(positions).count != positions.count {
      throw SQLError(.binder, "INSERT names a column twice", at: clause.span)
    }
    return positions
  }

  /// The columns of the source for those of the target: by name, or in their order.
  private func sourceColumns(_ names: [Identifier], byPosition: Bool, _ clause: Merge.Clause)
    throws -> [Int: Expression]
  {
    let definition = target.definition
    let entries = source.entries.filter { !$0.isShadowed }
    var positions: [Int] = []
    if byPosition {
      positions = try targets(names, clause)
      if positions.count != entries.count {
        throw SQLError(
          .binder,
          "the target takes \(positions.count) values here, but the source has \(entries.count)",
          at: clause.span)
      }
    } else {
      positions = try entries.map {
        try definition.column(Identifier(name: $0.name, span: clause.span))
      }
    }
    var given: [Int: Expression] = [:]
    for (position, entry) in zip(positions, entries) {
      given[position] = try binder.assignmentCast(
        .column(entry.reference), to: definition.columns[position], span: clause.span)
    }
    return given
  }

  func finish(_ join: Plan) throws -> BoundQuery {
    // The number of the clause that applies, then its action and values.
    let clause = binder.makeReference("clause", .integer)
    let branches = conditions.enumerated().map { index, condition in
      (
        condition: condition,
        result: actions[index] == nil
          ? Expression.constant(.null, .integer)
          : .constant(.integer(Int128(index)), .integer)
      )
    }
    var plan = collector.attach(to: join).adding([
      (.caseWhen(CaseWhen(branches: branches, otherwise: nil, type: .integer)), clause)
    ])
    plan = .filter(
      FilterNode(input: plan, condition: .isNull(.column(clause), isNegated: true)))
    func choose(_ type: LogicalType, _ results: [Expression]) throws -> Expression {
      if let first = results.first, results.allSatisfy({ $0 == first }), !first.isVolatile {
        return first
      }
      return .caseWhen(
        CaseWhen(
          branches: try results.enumerated().map { index, result in
            (
              condition: try binder.call(
                "=", [.column(clause), .constant(.integer(Int128(index)), .integer)],
                span: merge.table.span),
              result: result
            )
          }, otherwise: nil, type: type))
    }
    var write = TableWrite(verb: .merge, table: target.table)
    write.refusesRepeats = true
    var changed = changed
    _ = try binder.columnsNeeded(for: &changed, target.definition)
    write.changed = changed
    var columns: [Int: Expression] = [:]
    for (position, column) in target.definition.columns.enumerated() {
      columns[position] = try choose(column.type, values.map { $0[position] })
    }
    let action = try choose(.integer, actions.map { $0 ?? .constant(.null, .integer) })
    return try binder.finish(
      WriteRows(
        write: write, plan: plan, rowNumber: .column(target.rowNumber), action: action,
        values: columns),
      alias: target.alias, returning: merge.returning, span: merge.table.span)
  }
}
