import Columnar
import Diagnostics
import Functions
import Syntax

/// Turns syntax into a plan: finds what names mean, checks and unifies types, makes casts explicit.
/// One binder per statement.
package final class Binder {
  let catalog: any CatalogReader
  private var nextID = 0
  /// The WITH tables in scope, by name in lower case.
  var commonTables: [String: CommonTableEntry] = [:]
  /// Definitions that mentions bound so far read; a definition comes after those it reads.
  var sharedQueries: [SharedDefinition] = []
  /// WITH tables whose definitions are being bound, innermost last.
  var definedTables: [String] = []
  /// Relations that were bound already, by names that nobody can write.
  var boundRelations: [String: (plan: Plan, scope: Scope)] = [:]
  /// What names may mean beyond the query being bound: the contexts around it, innermost last.
  var outer: [ExpressionContext] = []
  /// How often an alias was put in its place: each use binds it anew.
  var aliasExpansions = 0
  /// Inside of TRY constants that fail stay expressions.
  var attemptDepth = 0
  /// What the clocks said to this statement, by function.
  var moments: [String: Expression] = [:]
  /// Views and CTEs being expanded, against cycles.
  var expansionDepth = 0
  /// Values of the statement's parameters, by `Parameter.key`.
  package var parameters: [String: ParameterValue] = [:]
  /// Whether a parameter without a value stands for a NULL of no type: while a statement is prepared.
  package var allowsMissingParameters = false
  /// Where parameters are read from, while a plan is bound that is to be kept.
  package var slots: ParameterSlots?
  /// Whether what was bound over slots holds for other values of the same types.
  package internal(set) var isReusable = true
  /// Macro arguments that stand inside a subquery of the macro's body, and where they are bound.
  var macroArguments: [String: MacroArgument] = [:]
  var macroExpansions = 0
  /// While a scalar macro is checked: its parameters, which no column around them may be called as.
  var checkedParameters: Set<String> = []

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
    if expansionDepth > 1 { return try bindNested(query) }
    var bound = try bindNested(query)
    bound.plan = try placeSharedQueries(bound.plan)
    return bound
  }

  private func bindNested(_ query: Query) throws -> BoundQuery {
    try withCommonTables(query.with) {
      switch query.body {
      case .select(let select):
        return try bind(select, orderBy: query.orderBy, limit: query.limit, offset: query.offset)
      case .values, .table, .setOperation, .nested, .statement:
        var bound = try bind(query.body)
        if !query.orderBy.isEmpty {
          bound.plan = try ordered(bound, by: query.orderBy, of: query.body)
        }
        bound.plan = try applyLimit(query.limit, query.offset, to: bound.plan)
        return bound
      }
    }
  }

  func bind(_ body: QueryBody) throws -> BoundQuery {
    switch body {
    case .select(let select): return try bind(select, orderBy: [], limit: nil, offset: nil)
    case .values(let values): return try bind(values)
    case .nested(let query): return try bind(query)
    case .table(let name):
      let (plan, scope) = try bindTable(name, alias: nil, span: name.span)
      return visible(plan, scope)
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
      let type = try unifiedType(
        rows.indices.map { (rows[$0][column], values.rows[$0][column].span) }, what: "VALUES")
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

  // MARK: Order and limit

  func sortItem(_ expression: Expression, _ item: OrderItem) -> SortItem {
    let defaults = catalog.defaultOrder
    let descending = item.direction.map { $0 == .descending } ?? defaults.isDescending
    let nullsFirst: Bool
    switch item.nulls {
    case .first: nullsFirst = true
    case .last: nullsFirst = false
    case nil: nullsFirst = defaults.nullsFirst(descending: descending)
    }
    return SortItem(
      expression: collationKey(expression), descending: descending, nullsFirst: nullsFirst)
  }

  // MARK: Messages

  static func notYet(_ what: String, _ span: SourceSpan?) -> SQLError {
    SQLError(.notSupported, "not supported yet: \(what)", at: span)
  }

  static func tooDeep(_ span: SourceSpan?) -> SQLError {
    SQLError(.binder, "the query is nested too deeply, or a view refers to itself", at: span)
  }
}
