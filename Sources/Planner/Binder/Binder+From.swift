import Columnar
import Diagnostics
import Functions
import Syntax

extension Binder {
  /// The FROM clause: a list is a cross product. No FROM is one row without columns.
  func bindFrom(_ references: [TableReference]) throws -> (plan: Plan, scope: Scope) {
    guard let first = references.first else {
      return (.values(ValuesNode(columns: [], rows: [[]])), Scope())
    }
    var (plan, scope) = try bind(first)
    for reference in references.dropFirst() {
      var right = try bind(reference, beside: scope)
      right.scope.numberUnnamed(beside: scope)
      try checkDistinctAliases(scope, right.scope, reference.span)
      plan = DependentJoinNode(kind: .inner, left: plan, right: right.plan).plan
      scope = scope.appending(right.scope)
    }
    return (plan, scope)
  }

  /// What stands right of others in FROM may read their columns: LATERAL, written or not.
  private func bind(_ reference: TableReference, beside left: Scope) throws -> (
    plan: Plan, scope: Scope
  ) {
    outer.append(
      ExpressionContext(scope: left, clause: "FROM", subqueries: SubqueryCollector()))
    defer { outer.removeLast() }
    return try bind(reference)
  }

  private func checkDistinctAliases(_ left: Scope, _ right: Scope, _ span: SourceSpan) throws {
    let taken = Set(left.tables.map { $0.lowercased() })
    if let twice = right.tables.first(where: { taken.contains($0.lowercased()) }) {
      throw SQLError(
        .binder, "the table name \"\(twice)\" is used more than once in FROM", at: span,
        hint: "give one of them an alias")
    }
  }

  func bind(_ reference: TableReference) throws -> (plan: Plan, scope: Scope) {
    var bound = try bindAll(reference)
    bound.plan = try sampled(bound.plan, reference.sample)
    return bound
  }

  private func bindAll(_ reference: TableReference) throws -> (plan: Plan, scope: Scope) {
    switch reference.kind {
    case .table(let name):
      return try bindTable(name, alias: reference.alias, span: reference.span)
    case .file(let path):
      let source = try catalog.openFiles([path], format: nil, options: [])
      return try scan(
        source, name: path, defaultAlias: fileStem(path), alias: reference.alias,
        span: reference.span)
    case .function(let function):
      return try bind(function, alias: reference.alias, span: reference.span)
    case .derived(let derived):
      let bound = try bind(derived.query)
      return (
        bound.plan,
        try scope(of: bound, alias: reference.alias, fallback: "unnamed_subquery", reference.span)
      )
    case .join(let join):
      return try bind(join, span: reference.span)
    case .pivot(let pivot):
      return try scope(of: bind(pivot, span: reference.span), reference, fallback: "pivot")
    case .unpivot(let unpivot):
      return try scope(of: bind(unpivot, span: reference.span), reference, fallback: "unpivot")
    }
  }

  /// A name in FROM: a common table, a table, a view, or a file path.
  func bindTable(_ name: QualifiedName, alias: TableAlias?, span: SourceSpan) throws -> (
    plan: Plan, scope: Scope
  ) {
    let last = name.last.name
    if let bound = boundRelations[last] { return bound }
    if name.parts.count == 1, let entry = commonTables[last.lowercased()] {
      let bound = try bind(entry, span: span)
      return (bound.plan, try scope(of: bound, alias: alias, fallback: last, span))
    }
    if let bound = bindRecurring(name) {
      return (bound.plan, try scope(of: bound, alias: alias, fallback: last, span))
    }
    switch try catalog.entry(named: name) {
    case .table(let source):
      return try scan(source, name: last, defaultAlias: last, alias: alias, span: span)
    case .view(let query, let columns, let searchPath):
      let known = (commonTables, outer, catalog.searchPath)
      commonTables = [:]
      outer = []
      catalog.searchPath = searchPath
      defer { (commonTables, outer, catalog.searchPath) = known }
      var bound = try bind(query)
      for (position, column) in columns.enumerated() where position < bound.names.count {
        bound.names[position] = column
      }
      return (bound.plan, try scope(of: bound, alias: alias, fallback: last, span))
    case nil:
      if definedTables.contains(last.lowercased()) { throw Binder.circular(last, span) }
      throw SQLError(
        .catalog, "table \"\(last)\" does not exist", at: span,
        hint: didYouMean(last, among: catalog.tableNames + commonTables.keys.sorted()))
    }
  }

  func scan(
    _ source: any TableSource, name: String, defaultAlias: String, alias: TableAlias?,
    span: SourceSpan
  ) throws -> (plan: Plan, scope: Scope) {
    let columns = source.schema.enumerated().map { position, field in
      (position: position, reference: makeReference(field.name, field.type))
    }
    let plan = Plan.scan(ScanNode(source: source, name: name, columns: columns))
    let bound = BoundQuery(plan: plan, names: source.schema.map(\.name))
    var scope = try scope(of: bound, alias: alias, fallback: defaultAlias, span)
    guard let stored = source as? any StoredTable, stored.hasRowNumbers,
      source.columnIndex("rowid") == nil
    else { return (plan, scope) }
    let number = makeReference("rowid", .bigint)
    scope.entries.append(
      Scope.Entry(
        table: alias?.name.name ?? defaultAlias, name: "rowid", reference: number,
        isShadowed: true, isHidden: true))
    let all = columns + [(position: stored.rowNumberPosition, reference: number)]
    return (.scan(ScanNode(source: source, name: name, columns: all)), scope)
  }

  /// A relation as a query: without its hidden columns.
  func visible(_ plan: Plan, _ scope: Scope) -> BoundQuery {
    let entries = scope.entries.filter { !$0.isHidden }
    if entries.count == scope.entries.count {
      return BoundQuery(plan: plan, names: entries.map(\.name))
    }
    return BoundQuery(
      plan: .project(
        ProjectNode(
          input: plan, items: entries.map { (.column($0.reference), $0.reference) })),
      names: entries.map(\.name))
  }

  private func scope(
    of bound: BoundQuery, _ reference: TableReference, fallback: String
  ) throws -> (plan: Plan, scope: Scope) {
    (
      bound.plan,
      try scope(of: bound, alias: reference.alias, fallback: fallback, reference.span)
    )
  }

  func scope(
    of bound: BoundQuery, alias: TableAlias?, fallback: String, _ span: SourceSpan
  ) throws -> Scope {
    let names = alias?.columns ?? []
    if names.count > bound.names.count {
      throw SQLError(
        .binder,
        "table \"\(alias?.name.name ?? fallback)\" has \(bound.names.count) columns, but "
          + "\(names.count) names are given", at: names.last?.span ?? span)
    }
    var scope = Scope()
    var taken: Set<String> = []
    for (position, reference) in bound.plan.output.enumerated() {
      var name = position < names.count ? names[position].name : bound.names[position]
      // A second column of a name is numbered, so that both can be read.
      var number = 0
      while !taken.insert(name.lowercased()).inserted, position >= names.count {
        number += 1
        name = "\(bound.names[position])_\(number)"
      }
      scope.entries.append(
        Scope.Entry(table: alias?.name.name ?? fallback, name: name, reference: reference))
    }
    return scope
  }

  private func fileStem(_ path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return file.split(separator: ".").first.map(String.init) ?? file
  }

  // MARK: Table functions

  private func bind(_ function: TableFunction, alias: TableAlias?, span: SourceSpan) throws -> (
    plan: Plan, scope: Scope
  ) {
    let call = function.call
    let name = call.name.last.name.lowercased()
    if let bound = try bindModelFunction(call, span: span) {
      return (bound.plan, try scope(of: bound, alias: alias, fallback: name, span))
    }
    let context = ExpressionContext(
      scope: Scope(), clause: "a table function", subqueries: SubqueryCollector())
    if let bound = try bindListTable(function, context, span: span) {
      return (
        bound.plan,
        try scope(of: named(bound, after: alias), alias: alias, fallback: name, span)
      )
    }
    if let bound = try bindQueryFunction(call, name, span: span)
      ?? bindTableMacro(call, span: span)
    {
      return (bound.plan, try scope(of: bound, alias: alias, fallback: name, span))
    }
    guard let row = catalog.catalogFunction(named: name) ?? TableFunctions.named(name) else {
      throw SQLError(
        .catalog, "table function \"\(call.name.last.name)\" does not exist", at: call.name.span,
        hint: didYouMean(
          name,
          among: TableFunctions.allNames + catalog.catalogFunctionNames + catalog.macroNames + [
            "unnest"
          ] + Binder.unnestingNames))
    }
    var positional: [TableFunctionArgument] = []
    var named: [TableFunctionArgument] = []
    for argument in call.arguments {
      guard let written = argument.expression else {
        throw SQLError(.binder, "\(name) takes no such argument", at: argument.span)
      }
      let (option, expression) = Binder.option(argument.name, written)
      let constant = callArgument(ConstantFolding.value(of: try bind(expression, context)), nil)
      let type = constant.type
      guard let value = constant.value else {
        throw SQLError(
          .binder, "arguments of \(name) must be constants", at: argument.span)
      }
      let bound = TableFunctionArgument(
        name: option?.name.lowercased(), value: value, type: type, span: argument.span)
      if bound.name == nil { positional.append(bound) } else { named.append(bound) }
    }
    let source: any TableSource
    do {
      source = try row.make(positional, named, catalog)
    } catch let error as SQLError {
      throw error.placed(at: span)
    }
    var bound = try scan(source, name: name, defaultAlias: name, alias: alias, span: span)
    if let alias, alias.columns.isEmpty, source.schema.count == 1, source.schema[0].name == name {
      bound.scope.entries[0].name = alias.name.name
    }
    return bound
  }

  /// `name = value` names an option of a table function as `name := value` does: no column is in
  /// scope that the name could be.
  private static func option(
    _ name: Identifier?, _ expression: SyntaxExpression
  ) -> (name: Identifier?, value: SyntaxExpression) {
    guard name == nil, case .binary(.equal, let left, let right) = expression.kind,
      case .column(let column) = left.kind, column.parts.count == 1
    else { return (name, expression) }
    return (column.last, right)
  }

  /// A table function's only column, called like the function, goes by the alias.
  private func named(_ bound: BoundQuery, after alias: TableAlias?) -> BoundQuery {
    var bound = bound
    if let alias, alias.columns.isEmpty, bound.names.count <= 2 { bound.names[0] = alias.name.name }
    return bound
  }

  // MARK: Joins

  private func bind(_ join: Join, span: SourceSpan) throws -> (plan: Plan, scope: Scope) {
    let left = try bind(join.left)
    var right = try bind(join.right, beside: left.scope)
    right.scope.numberUnnamed(beside: left.scope)
    try checkDistinctAliases(left.scope, right.scope, join.right.span)
    let kind: JoinNode.Kind
    switch join.kind {
    case .inner, .cross: kind = .inner
    case .left: kind = .left
    case .right: kind = .right
    case .full: kind = .full
    case .semi: kind = .semi
    case .anti: kind = .anti
    case .positional:
      return (
        .positionalJoin(PositionalJoinNode(left: left.plan, right: right.plan)),
        left.scope.appending(right.scope)
      )
    }
    let isDependent = !right.plan.freeColumns.isDisjoint(with: left.plan.output.map(\.id))
    if isDependent && (kind == .right || kind == .full) {
      throw SQLError(
        .binder,
        "the right side of a \(join.kind.rawValue) JOIN cannot read columns of its left side",
        at: join.right.span, hint: "LATERAL needs an INNER or LEFT JOIN")
    }
    var node = JoinNode(kind: kind, left: left.plan, right: right.plan, keys: [], residual: nil)
    var scope = left.scope.appending(right.scope)
    var usesNames = true
    switch join.condition {
    case .none: break
    case .on(let expression):
      usesNames = false
      let collector = SubqueryCollector()
      let context = ExpressionContext(
        scope: scope, clause: "JOIN conditions", subqueries: collector)
      node.residual = try bindCondition(expression, context)
      if !collector.entries.isEmpty {
        if let plan = try attach(collector, to: &node, span: expression.span) {
          return (plan, kind == .semi || kind == .anti ? left.scope : scope)
        }
      }
    case .using(let names):
      try bindUsing(names, kind, left.scope, right.scope, &node, &scope)
    case .natural:
      let others = Set(right.scope.entries.filter { !$0.isShadowed }.map { $0.name.lowercased() })
      let common = left.scope.entries.filter {
        !$0.isShadowed && others.contains($0.name.lowercased())
      }
      if common.isEmpty {
        throw SQLError(
          .binder, "NATURAL JOIN finds no column that both sides have", at: span)
      }
      try bindUsing(
        common.map { Identifier(name: $0.name, span: span) }, kind, left.scope, right.scope,
        &node, &scope)
    }
    if join.isAsof { try makeAsof(&node, usesNames: usesNames, span: span) }
    if kind == .semi || kind == .anti { scope = left.scope }
    if isDependent {
      return (
        .dependentJoin(
          DependentJoinNode(
            kind: kind, left: node.left, right: node.right, keys: node.keys,
            condition: node.residual)), scope
      )
    }
    return (.join(node), scope)
  }

  /// Subqueries of an ON condition: each goes to the side whose columns it reads. When one reads
  /// both, the whole condition becomes a filter that has them: that plan is returned.
  private func attach(
    _ collector: SubqueryCollector, to node: inout JoinNode, span: SourceSpan
  ) throws -> Plan? {
    if node.kind == .inner {
      let pairs = DependentJoinNode(kind: .inner, left: node.left, right: node.right).plan
      let columns = pairs.output
      let filtered = Plan.filter(
        FilterNode(
          input: collector.attach(to: pairs), condition: node.residual ?? .trueConstant))
      return .project(ProjectNode(input: filtered, items: columns.map { (.column($0), $0) }))
    }
    let leftIDs = Set(node.left.output.map(\.id))
    let rightIDs = Set(node.right.output.map(\.id))
    let toLeft = SubqueryCollector()
    let toRight = SubqueryCollector()
    for entry in collector.entries {
      var read = entry.plan.freeColumns
      for key in entry.keys { key.left.collectColumns(&read) }
      if !read.isDisjoint(with: leftIDs) && !read.isDisjoint(with: rightIDs) {
        return try filterDependentSide(collector, of: node, span: span)
      }
      if read.isDisjoint(with: leftIDs) {
        toRight.entries.append(entry)
      } else {
        toLeft.entries.append(entry)
      }
    }
    node.left = toLeft.attach(to: node.left)
    node.right = toRight.attach(to: node.right)
    return nil
  }

  /// `l LEFT JOIN r ON f(l, r, subquery)` is `l LEFT JOIN LATERAL (FROM r WHERE f(…)) ON true`; a FULL
  /// JOIN is that and the rows of r that no row of l goes with.
  private func filterDependentSide(
    _ collector: SubqueryCollector, of node: JoinNode, span: SourceSpan
  ) throws -> Plan {
    let entries = collector.entries
    let columns = Plan.join(node).output
    func joined(_ kind: JoinNode.Kind, _ left: Plan, _ right: Plan) -> Plan {
      collector.entries = entries
      let filtered = Plan.filter(
        FilterNode(input: collector.attach(to: right), condition: node.residual ?? .trueConstant))
      let matching = Plan.project(
        ProjectNode(input: filtered, items: right.output.map { (.column($0), $0) }))
      return DependentJoinNode(kind: kind, left: left, right: matching).plan
    }
    switch node.kind {
    case .right:
      let plan = joined(.left, node.right, node.left)
      return .project(ProjectNode(input: plan, items: columns.map { (.column($0), $0) }))
    case .full:
      let matched = joined(.left, node.left, node.right).cloned(makeReference)
      let alone = joined(.anti, node.right, node.left).cloned(makeReference)
      let ofRight = Set(node.right.output.map(\.id))
      func arm(_ copy: (plan: Plan, renamed: [Int: ColumnReference]), padsLeft: Bool) -> Plan {
        let items = columns.map { column -> (expression: Expression, reference: ColumnReference) in
          let isThere = !padsLeft || ofRight.contains(column.id)
          let value: Expression =
            isThere ? .column(copy.renamed[column.id] ?? column) : .constant(.null, column.type)
          return (value, makeReference(column.name, column.type))
        }
        return .project(ProjectNode(input: copy.plan, items: items))
      }
      return .union(
        UnionNode(
          inputs: [arm(matched, padsLeft: false), arm(alone, padsLeft: true)], columns: columns))
    case .inner, .left, .semi, .anti, .mark, .single:
      return joined(node.kind, node.left, node.right)
    }
  }

  /// USING: equal names become keys; the right copies leave `*`, and for RIGHT and FULL joins the
  /// bare name means whichever side is there.
  private func bindUsing(
    _ names: [Identifier], _ kind: JoinNode.Kind, _ left: Scope, _ right: Scope,
    _ node: inout JoinNode, _ scope: inout Scope
  ) throws {
    for name in names {
      let leftEntry = try usingColumn(name, left, "left")
      let rightEntry = try usingColumn(name, right, "right")
      let key = name.name.lowercased()
      // A side that is itself a RIGHT or FULL join has the value in either of its columns.
      let leftValue = left.merged[key] ?? .column(leftEntry.reference)
      let rightValue = right.merged[key] ?? .column(rightEntry.reference)
      let (a, b) = try comparable(leftValue, rightValue, operator: "=", span: name.span)
      node.keys.append((a, b, false))
      for index in scope.entries.indices
      where scope.entries[index].reference.id == rightEntry.reference.id {
        scope.entries[index].isShadowed = true
      }
      for index in scope.entries.indices
      where scope.entries[index].reference.id == leftEntry.reference.id {
        scope.entries[index].isJoined = true
      }
      switch kind {
      case .right, .full:
        scope.merged[key] = try call("coalesce", [leftValue, rightValue], span: name.span)
      case .inner, .left, .semi, .anti, .mark, .single:
        scope.merged[key] = left.merged[key]
      }
    }
  }

  private func usingColumn(_ name: Identifier, _ scope: Scope, _ side: String) throws -> Scope.Entry
  {
    let found = scope.matches(table: nil, name: name.name)
    if found.count == 1 { return found[0] }
    if found.isEmpty {
      throw SQLError(
        .binder, "column \"\(name.name)\" of USING is not on the \(side) side", at: name.span,
        hint: didYouMean(name.name, among: scope.entries.map(\.name)))
    }
    throw SQLError(
      .binder, "column \"\(name.name)\" of USING is ambiguous on the \(side) side", at: name.span)
  }
}
