import Columnar
import Diagnostics
import Functions
import Syntax

/// A WITH table as names find it: bound at its first mention, read by all.
final class CommonTableEntry {
  let table: CommonTable
  let mayRecur: Bool
  /// What names of tables mean inside the definition.
  let environment: [String: CommonTableEntry]
  /// The queries around the WITH clause.
  let outer: [ExpressionContext]
  var definition: BoundDefinition?
  /// Set while the step of a recursion is bound: mentions read the rows of the last round.
  let recursion: RecursionInProgress?

  init(
    _ table: CommonTable, mayRecur: Bool, environment: [String: CommonTableEntry],
    outer: [ExpressionContext], recursion: RecursionInProgress? = nil
  ) {
    self.outer = outer
    self.table = table
    self.mayRecur = mayRecur
    self.environment = environment
    self.recursion = recursion
  }
}

/// A bound definition. Without `shared` it reads columns of an outer query and is repeated in each
/// place.
struct BoundDefinition {
  var bound: BoundQuery
  var shared: SharedQuery?
}

/// The recursion whose step is being bound.
final class RecursionInProgress {
  let working: SharedQuery
  let accumulated: SharedQuery
  let columns: [ColumnReference]
  let names: [String]
  var isWorkingRead = false
  var isAccumulatedRead = false

  init(name: String, columns: [ColumnReference], names: [String]) {
    working = SharedQuery(name: name)
    accumulated = SharedQuery(name: "recurring.\(name)")
    self.columns = columns
    self.names = names
  }
}

/// A definition that `.sharedScan` nodes read until `placeSharedQueries` decides where it stands.
struct SharedDefinition {
  let shared: SharedQuery
  var plan: Plan
  /// As written: MATERIALIZED, NOT MATERIALIZED.
  let isMaterialized: Bool?
  /// A statement: it runs once, read or not.
  let mustRun: Bool
}

/// WITH.
///
/// A mention is a `.sharedScan`; when the whole statement is bound, each definition either takes the
/// place of its mentions or becomes a `.with` on top.
extension Binder {
  /// Runs `body` with the tables of a WITH clause in scope. INSERT, UPDATE and DELETE with a WITH of
  /// their own bind what they are made of inside it, and give their plan to `placeSharedQueries`.
  package func withCommonTables<Result>(
    _ with: WithClause?, _ body: () throws -> Result
  ) throws -> Result {
    guard let with else { return try body() }
    let known = commonTables
    defer { commonTables = known }
    var seen: Set<String> = []
    for table in with.tables {
      let key = table.name.name.lowercased()
      if !seen.insert(key).inserted {
        throw SQLError(
          .binder, "WITH defines \"\(table.name.name)\" twice", at: table.name.span)
      }
      let entry = CommonTableEntry(
        table, mayRecur: with.isRecursive, environment: commonTables, outer: outer)
      commonTables[key] = entry
      if case .statement = table.query.body { _ = try define(entry) }
    }
    return try body()
  }

  /// A mention in FROM.
  func bind(_ entry: CommonTableEntry, span: SourceSpan) throws -> BoundQuery {
    if let recursion = entry.recursion {
      recursion.isWorkingRead = true
      return read(recursion.working, recursion.columns, recursion.names)
    }
    let isFirst = entry.definition == nil
    let definition = try define(entry)
    if let shared = definition.shared {
      return read(shared, definition.bound.plan.output, definition.bound.names)
    }
    if isFirst { return definition.bound }
    return BoundQuery(plan: copy(definition.bound.plan), names: definition.bound.names)
  }

  /// `recurring.t`: all rows that the recursion has so far.
  func bindRecurring(_ name: QualifiedName) -> BoundQuery? {
    guard name.parts.count == 2, name.parts[0].name.lowercased() == "recurring",
      let recursion = commonTables[name.last.name.lowercased()]?.recursion
    else { return nil }
    recursion.isWorkingRead = true
    recursion.isAccumulatedRead = true
    return read(recursion.accumulated, recursion.columns, recursion.names)
  }

  private func read(_ shared: SharedQuery, _ columns: [ColumnReference], _ names: [String])
    -> BoundQuery
  {
    let columns = zip(columns, names).enumerated().map { position, column in
      (position: position, reference: makeReference(column.1, column.0.type))
    }
    return BoundQuery(
      plan: .sharedScan(SharedScanNode(shared: shared, columns: columns)), names: names)
  }

  private func copy(_ plan: Plan) -> Plan { plan.cloned(makeReference).plan }

  private func define(_ entry: CommonTableEntry) throws -> BoundDefinition {
    if let known = entry.definition { return known }
    let known = (commonTables, outer)
    expansionDepth += 1
    definedTables.append(entry.table.name.name.lowercased())
    (commonTables, outer) = (entry.environment, entry.outer)
    defer {
      (commonTables, outer) = known
      definedTables.removeLast()
      expansionDepth -= 1
    }
    let start = sharedQueries.count
    var bound: BoundQuery
    if entry.mayRecur, let recursive = try bindRecursion(entry.table, entry.table.query) {
      bound = recursive
    } else {
      sharedQueries.removeSubrange(start...)
      bound = try bind(entry.table.query)
    }
    bound.names = named(bound.names, entry.table)
    var definition = BoundDefinition(bound: bound, shared: nil)
    if bound.plan.freeColumns.isEmpty {
      let shared = SharedQuery(name: entry.table.name.name)
      definition.shared = shared
      var mustRun = false
      if case .statement = entry.table.query.body { mustRun = true }
      sharedQueries.append(
        SharedDefinition(
          shared: shared, plan: bound.plan, isMaterialized: entry.table.isMaterialized,
          mustRun: mustRun))
    }
    entry.definition = definition
    return definition
  }

  private func named(_ names: [String], _ table: CommonTable) -> [String] {
    var names = names
    for (position, column) in table.columns.enumerated() where position < names.count {
      names[position] = column.name
    }
    return names
  }

  // MARK: Recursion

  /// `anchor UNION [ALL] step`, where the step reads the table; nil when it does not.
  private func bindRecursion(_ table: CommonTable, _ query: Query) throws -> BoundQuery? {
    let isBare = query.orderBy.isEmpty && query.limit == nil && query.offset == nil
    if case .nested(let inner) = query.body, isBare, query.with == nil {
      return try bindRecursion(table, inner)
    }
    guard case .setOperation(let operation) = query.body, operation.kind == .union,
      !operation.isByName
    else { return nil }
    return try withCommonTables(query.with) {
      let anchor = try bind(operation.left)
      let columns = anchor.plan.output.map { column in
        makeReference(column.name, column.type == .null ? .integer : column.type)
      }
      let recursion = RecursionInProgress(
        name: table.name.name, columns: columns, names: named(anchor.names, table))
      let key = table.name.name.lowercased()
      let hidden = commonTables[key]
      commonTables[key] = CommonTableEntry(
        table, mayRecur: false, environment: [:], outer: [], recursion: recursion)
      let start = sharedQueries.count
      let step = try bind(operation.right)
      commonTables[key] = hidden
      if !recursion.isWorkingRead { return nil }
      if !isBare { throw Binder.orderedRecursion(query) }
      try checkWidths(anchor.names.count, step.names.count, operation)
      let stepPlan = placeSharedQueries(
        try converted(step.plan, to: columns.map(\.type), operation.span),
        takeDefinitions(reading: recursion, from: start))
      var node = RecursiveNode(
        working: recursion.working,
        anchor: try converted(anchor.plan, to: columns.map(\.type), operation.span),
        step: stepPlan, columns: columns, isDistinct: !operation.isAll,
        key: try keyPositions(table, recursion.names))
      if recursion.isAccumulatedRead { node.accumulated = recursion.accumulated }
      return BoundQuery(plan: .recursive(node), names: anchor.names)
    }
  }

  /// The anchor decides the types.
  private func converted(_ plan: Plan, to types: [LogicalType], _ span: SourceSpan) throws -> Plan {
    let output = plan.output
    if zip(output, types).allSatisfy({ $0.type == $1 }) { return plan }
    return .project(
      ProjectNode(
        input: plan,
        items: try zip(output, types).map { column, type in
          let value = Expression.column(column)
          if column.type == type { return (value, column) }
          guard column.type == .null || Functions.Cast.exists(from: column.type, to: type) else {
            throw SQLError(
              .binder,
              "column \"\(column.name)\" of the recursion is \(type), but its step gives "
                + "\(column.type)", at: span)
          }
          return (.cast(value, to: type, isTry: false), makeReference(column.name, type))
        }))
  }

  private func keyPositions(_ table: CommonTable, _ names: [String]) throws -> [Int] {
    try table.usingKey.map { key in
      guard let position = names.firstIndex(where: { $0.lowercased() == key.name.lowercased() })
      else {
        throw SQLError(
          .binder, "USING KEY names the unknown column \"\(key.name)\"", at: key.span,
          hint: didYouMean(key.name, among: names))
      }
      return position
    }
  }

  /// Of the definitions made since `start` those that depend on the recursion's rounds; the others
  /// are left to be made once, outside of it.
  private func takeDefinitions(reading recursion: RecursionInProgress, from start: Int)
    -> [SharedDefinition]
  {
    var rounds: Set<ObjectIdentifier> = [
      ObjectIdentifier(recursion.working), ObjectIdentifier(recursion.accumulated),
    ]
    var taken: [SharedDefinition] = []
    let made = sharedQueries[start...]
    sharedQueries.removeSubrange(start...)
    for definition in made {
      if definition.plan.reads(rounds) {
        rounds.insert(ObjectIdentifier(definition.shared))
        taken.append(definition)
      } else {
        sharedQueries.append(definition)
      }
    }
    return taken
  }

  // MARK: Placing

  /// Ends a statement: every definition that its plan reads gets its place.
  package func placeSharedQueries(_ plan: Plan) throws -> Plan {
    let definitions = sharedQueries
    sharedQueries = []
    return placeSharedQueries(plan, definitions)
  }

  /// From the last definition to the first, for only later ones read earlier ones: what is read once
  /// or is cheap goes where it is read, the rest runs once on top of the plan.
  func placeSharedQueries(_ plan: Plan, _ definitions: [SharedDefinition]) -> Plan {
    var body = plan
    var shared: [SharedDefinition] = []
    for definition in definitions.reversed() {
      let uses = shared.reduce(body.useCount(of: definition.shared)) {
        $0 + $1.plan.useCount(of: definition.shared)
      }
      if uses == 0 && !definition.mustRun { continue }
      if definition.mustRun || !isInlined(definition, uses: uses) {
        shared.append(definition)
        continue
      }
      var copies = 0
      func inlined(_ scan: SharedScanNode) -> Plan {
        copies += 1
        let plan = copies == 1 ? definition.plan : copy(definition.plan)
        let output = plan.output
        return .project(
          ProjectNode(
            input: plan,
            items: scan.columns.map { (.column(output[$0.position]), $0.reference) }))
      }
      body = body.replacingScans(of: definition.shared, inlined)
      for index in shared.indices {
        shared[index].plan = shared[index].plan.replacingScans(of: definition.shared, inlined)
      }
    }
    return shared.reduce(body) {
      .with(WithNode(shared: $1.shared, definition: $1.plan, body: $0))
    }
  }

  private func isInlined(_ definition: SharedDefinition, uses: Int) -> Bool {
    if definition.isMaterialized == true { return false }
    if uses == 1 { return true }
    if definition.plan.runsStatements { return false }
    // Many uses of many uses would grow without bounds.
    if definition.plan.nodeCount * uses > 5000 { return false }
    return definition.isMaterialized == false || definition.plan.isCheapToRepeat
  }

  private static func orderedRecursion(_ query: Query) -> SQLError {
    SQLError(
      .binder, "a recursive query takes no ORDER BY or LIMIT of its own",
      at: query.orderBy.first?.span ?? query.span,
      hint: "put them on the step in parentheses, or on the query that reads the table")
  }

  static func circular(_ name: String, _ span: SourceSpan) -> SQLError {
    SQLError(
      .binder, "WITH table \"\(name)\" refers to itself here", at: span,
      hint: "WITH RECURSIVE … AS (start UNION [ALL] step) may, in its step")
  }
}
