import Columnar
import Diagnostics
import Functions
import Syntax

/// Turns syntax into a plan: finds what names mean, checks and unifies types, makes casts explicit.
/// One binder per statement.
package final class Binder {
  let catalog: any CatalogReader
  private var nextID = 0
  /// Common tables in scope, innermost last.
  var commonTables: [String: CommonTable] = [:]
  /// Statement CTEs (TRAIN …) already used: they run once and cannot be read twice.
  var usedStatements: Set<String> = []
  /// What names may mean beyond the query being bound: the contexts around it, innermost last.
  var outer: [ExpressionContext] = []
  /// How often an alias was put in its place: each use binds it anew.
  var aliasExpansions = 0
  /// Inside of TRY constants that fail stay expressions.
  var attemptDepth = 0
  /// Views and CTEs being expanded, against cycles.
  var expansionDepth = 0

  package init(catalog: any CatalogReader) { self.catalog = catalog }

  func makeReference(_ name: String, _ type: LogicalType) -> ColumnReference {
    nextID += 1
    return ColumnReference(id: nextID, name: name, type: type)
  }

  // MARK: Queries

  /// Binds a query with its WITH clause, ORDER BY and LIMIT.
  package func bind(_ query: Query) throws -> BoundQuery {
    expansionDepth += 1
    defer { expansionDepth -= 1 }
    if expansionDepth > 200 { throw Binder.tooDeep(query.span) }
    let outer = commonTables
    defer { commonTables = outer }
    if let with = query.with {
      if with.isRecursive,
        let table = with.tables.first(where: { mentions($0.query.body, $0.name.name) })
      {
        throw Binder.notYet("recursive common tables", table.span)
      }
      for table in with.tables { commonTables[table.name.name.lowercased()] = table }
    }
    switch query.body {
    case .select(let select):
      return try bind(select, orderBy: query.orderBy, limit: query.limit, offset: query.offset)
    case .values, .table, .setOperation, .nested, .statement:
      var bound = try bind(query.body)
      if !query.orderBy.isEmpty {
        bound.plan = .sort(
          SortNode(
            input: bound.plan,
            items: try query.orderBy.flatMap { try bindOutputOrder($0, over: bound) }))
      }
      bound.plan = try applyLimit(query.limit, query.offset, to: bound.plan)
      return bound
    }
  }

  private func mentions(_ body: QueryBody, _ name: String) -> Bool {
    switch body {
    case .setOperation(let operation):
      return mentions(operation.left, name) || mentions(operation.right, name)
    case .select(let select):
      return select.from.contains { mentions($0, name) }
    case .nested(let query): return mentions(query.body, name)
    case .table(let table): return table.last.name.lowercased() == name.lowercased()
    case .values, .statement: return false
    }
  }

  private func mentions(_ reference: TableReference, _ name: String) -> Bool {
    switch reference.kind {
    case .table(let table):
      return table.parts.count == 1 && table.last.name.lowercased() == name.lowercased()
    case .join(let join): return mentions(join.left, name) || mentions(join.right, name)
    case .derived(let derived): return mentions(derived.query.body, name)
    case .file, .function, .pivot, .unpivot: return false
    }
  }

  func bind(_ body: QueryBody) throws -> BoundQuery {
    switch body {
    case .select(let select): return try bind(select, orderBy: [], limit: nil, offset: nil)
    case .values(let values): return try bind(values)
    case .nested(let query): return try bind(query)
    case .table(let name):
      let (plan, scope) = try bindTable(name, alias: nil, span: name.span)
      return BoundQuery(plan: plan, names: scope.entries.map(\.name))
    case .setOperation(let operation): return try bind(operation)
    case .statement(let statement): return try bindRowStatement(statement)
    }
  }

  private func bind(_ values: ValuesList) throws -> BoundQuery {
    let width = values.rows.first?.count ?? 0
    let collector = SubqueryCollector()
    let context = ExpressionContext(scope: Scope(), clause: "VALUES", subqueries: collector)
    var rows: [[Expression]] = []
    for row in values.rows {
      if row.count != width {
        throw SQLError(
          .binder, "VALUES rows have different lengths: \(width) and \(row.count)",
          at: row.last?.span ?? values.span)
      }
      rows.append(try row.map { try bind($0, context) })
    }
    var columns: [ColumnReference] = []
    for column in 0..<width {
      var type: LogicalType = .null
      for (index, row) in rows.enumerated() {
        type = try unify(
          type, row[column], what: "VALUES", span: values.rows[index][column].span)
      }
      // A column of NULLs alone stays without a type: INSERT gives it the table's.
      for row in rows.indices {
        rows[row][column] = try implicitCast(
          rows[row][column], to: type, span: values.rows[row][column].span)
      }
      columns.append(makeReference("col\(column)", type))
    }
    let names = columns.map(\.name)
    if collector.entries.isEmpty {
      return BoundQuery(plan: .values(ValuesNode(columns: columns, rows: rows)), names: names)
    }
    // With subqueries each row is a projection over all of them.
    let input = collector.attach(to: .values(ValuesNode(columns: [], rows: [[]])))
    if rows.count == 1 {
      let items = zip(rows[0], columns).map { (expression: $0, reference: $1) }
      return BoundQuery(plan: .project(ProjectNode(input: input, items: items)), names: names)
    }
    let arms = rows.map { row -> Plan in
      let copy = input.cloned(makeReference)
      let renamed = copy.renamed.mapValues { Expression.column($0) }
      let items = zip(row, columns).map {
        (
          expression: $0.substituting(renamed), reference: makeReference($1.name, $1.type)
        )
      }
      return .project(ProjectNode(input: copy.plan, items: items))
    }
    return BoundQuery(plan: .union(UnionNode(inputs: arms, columns: columns)), names: names)
  }

  private func bind(_ operation: SetOperation) throws -> BoundQuery {
    // A chain of UNIONs leans left: collect its arms without recursion.
    var arms: [QueryBody] = []
    var operations: [SetOperation] = []
    var body: QueryBody = .setOperation(operation)
    while case .setOperation(let next) = body {
      if next.isByName || next.kind != .union {
        if operations.isEmpty {
          throw Binder.notYet("\(next.kind.rawValue)\(next.isByName ? " BY NAME" : "")", next.span)
        }
        break
      }
      if let last = operations.last, last.isAll != next.isAll { break }
      operations.append(next)
      arms.append(next.right)
      body = next.left
    }
    arms.append(body)
    arms.reverse()
    let bound = try arms.map { try bind($0) }
    let width = bound[0].names.count
    for (index, arm) in bound.enumerated() where arm.names.count != width {
      throw SQLError(
        .binder,
        "UNION needs the same number of columns on both sides: \(width) and \(arm.names.count)",
        at: operations[max(0, operations.count - index)].span)
    }
    var types: [LogicalType] = []
    for column in 0..<width {
      var type = bound[0].plan.output[column].type
      for arm in bound.dropFirst() {
        let other = arm.plan.output[column].type
        // Beside text everything becomes text.
        let text: LogicalType? = type == .varchar || other == .varchar ? .varchar : nil
        guard let common = TypeResolution.common(type, other) ?? text else {
          throw SQLError(
            .binder, "UNION cannot combine \(type) and \(other) in column \(column + 1)",
            at: operation.span)
        }
        type = common
      }
      types.append(type)
    }
    let inputs = bound.map { arm -> Plan in
      if zip(arm.plan.output, types).allSatisfy({ $0.type == $1 }) { return arm.plan }
      return .project(
        ProjectNode(
          input: arm.plan,
          items: zip(arm.plan.output, types).map { reference, type in
            (
              reference.type == type
                ? .column(reference) : .cast(.column(reference), to: type, isTry: false),
              makeReference(reference.name, type)
            )
          }))
    }
    let columns = zip(bound[0].names, types).map { makeReference($0, $1) }
    var plan: Plan = .union(UnionNode(inputs: inputs, columns: columns))
    if !operation.isAll { plan = distinct(plan) }
    return BoundQuery(plan: plan, names: bound[0].names)
  }

  /// The distinct rows of a plan, under the same references.
  func distinct(_ plan: Plan) -> Plan {
    let output = plan.output
    let keys = output.map { (Expression.column($0), makeReference($0.name, $0.type)) }
    let aggregate = Plan.aggregate(
      AggregateNode(input: plan, keys: keys.map { ($0.0, $0.1) }, calls: []))
    return .project(
      ProjectNode(input: aggregate, items: zip(keys, output).map { (.column($0.1), $1) }))
  }

  // MARK: Order and limit

  /// ORDER BY over a finished query: ordinals, names of its columns, or expressions of them.
  private func bindOutputOrder(_ item: OrderItem, over bound: BoundQuery) throws -> [SortItem] {
    guard let expression = item.expression else {
      return bound.plan.output.map { sortItem(.column($0), item) }
    }
    if let ordinal = try ordinal(expression, count: bound.names.count, clause: "ORDER BY") {
      return [sortItem(.column(bound.plan.output[ordinal]), item)]
    }
    var scope = Scope()
    for (name, reference) in zip(bound.names, bound.plan.output) {
      scope.entries.append(Scope.Entry(table: nil, name: name, reference: reference))
    }
    let context = ExpressionContext(
      scope: scope, clause: "ORDER BY", subqueries: SubqueryCollector())
    return [sortItem(try bind(expression, context), item)]
  }

  func sortItem(_ expression: Expression, _ item: OrderItem) -> SortItem {
    let descending = item.direction == .descending
    let nullsFirst: Bool
    switch item.nulls {
    case .first: nullsFirst = true
    case .last: nullsFirst = false
    case nil: nullsFirst = false
    }
    return SortItem(expression: collationKey(expression), descending: descending, nullsFirst: nullsFirst)
  }

  /// The position (from 0) that an integer literal names; nil for anything else.
  func ordinal(_ expression: SyntaxExpression, count: Int, clause: String) throws -> Int? {
    guard case .literal(.integer(let text)) = expression.kind else { return nil }
    guard let position = Int(text), position >= 1, position <= count else {
      throw SQLError(
        .binder, "\(clause) position \(text) is not in the SELECT list of \(count) columns",
        at: expression.span)
    }
    return position - 1
  }

  func applyLimit(_ limit: Limit?, _ offset: SyntaxExpression?, to plan: Plan) throws -> Plan {
    if limit == nil && offset == nil { return plan }
    if let limit, limit.isPercent {
      throw Binder.notYet("LIMIT in percent", limit.count.span)
    }
    let count = try limit.flatMap { try constantCount($0.count, clause: "LIMIT") }
    let skipped = try offset.flatMap { try constantCount($0, clause: "OFFSET") } ?? 0
    if count == nil && skipped == 0 { return plan }
    return .limit(LimitNode(input: plan, limit: count, offset: skipped))
  }

  /// A constant row count; nil for NULL (no limit).
  private func constantCount(_ expression: SyntaxExpression, clause: String) throws -> Int? {
    let context = ExpressionContext(
      scope: Scope(), clause: clause, subqueries: SubqueryCollector())
    let bound = ConstantFolding.fold(
      try implicitCast(try bind(expression, context), to: .bigint, span: expression.span))
    guard case .constant(let value, _) = bound else {
      throw SQLError(.binder, "\(clause) must be a constant", at: expression.span)
    }
    if value.isNull { return nil }
    guard case .integer(let count) = value, count >= 0 else {
      throw SQLError(.binder, "\(clause) must not be negative", at: expression.span)
    }
    return Int(clamping: count)
  }

  // MARK: Messages

  static func notYet(_ what: String, _ span: SourceSpan?) -> SQLError {
    SQLError(.notSupported, "not supported yet: \(what)", at: span)
  }

  static func tooDeep(_ span: SourceSpan?) -> SQLError {
    SQLError(.binder, "the query is nested too deeply, or a view refers to itself", at: span)
  }
}
