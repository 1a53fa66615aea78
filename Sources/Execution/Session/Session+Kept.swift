import Columnar
import Diagnostics
import Planner
import Syntax

// Executions of prepared queries by plans that were kept.
extension Session {
  private var moment: PlanMoment {
    PlanMoment(
      version: state.version, changes: stateChanges, settings: settingsChanges,
      functions: database.functionChanges)
  }

  /// The rows of a prepared statement for the parameters that are set, by a plan that was kept, or
  /// is from now on; nil where there can be none, or where it fails: then the statement is to run in
  /// the ordinary way, which knows how to say what is wrong.
  func rows(of statement: Statement, _ parameters: [Parameter], keptIn plans: KeptPlans) throws
    -> StatementResult?
  {
    // What other programs make in SQLite files changes names without a commit of ours.
    guard case .query(let query) = statement, database.sqliteFiles.isEmpty else { return nil }
    var types: [LogicalType] = []
    var values: [ParameterValue] = []
    for parameter in parameters {
      guard let given = self.parameters[parameter.key], given.type != .null else { return nil }
      types.append(given.type)
      values.append(given)
    }
    let moment = moment
    if statements.dropPlans(before: moment) {
      for prepared in connection.prepared.values { prepared.plans.dropPlans(before: moment) }
    }
    var known = plans.plan(types, at: moment)
    if known == nil {
      guard plans.wantsPlan(types) else { return nil }
      known = try? keptPlan(query, parameters.map(\.key), types, moment)
      guard let made = known else {
        plans.refuse(types)
        return nil
      }
      plans.keep(made)
    }
    guard let kept = known else { return nil }
    do {
      switch kept.body {
      case .operators(let source, let slots):
        _ = start()
        try slots.set(values)
        _ = source.rewind()
        var batches: [Batch] = []
        while let batch = try source.next() { batches.append(batch) }
        plans.noteKeptRun()
        return StatementResult(
          fields: kept.fields, source: BatchListSource(batches), changedRows: nil)
      case .plan(let plan):
        let now = parameters.isEmpty ? plan : plan.replacingParameters(self.parameters)
        // Binding knows where such a mistake is.
        if !parameters.isEmpty, now.hasFailingCasts { return nil }
        plans.noteKeptRun()
        return try rows(planned: now, fields: kept.fields)
      }
    } catch let error as SQLError where error.code != .interrupted {
      plans.drop(kept)
      return nil
    }
  }

  /// A plan of the query that reads its parameters from slots; nil where its values decide more than
  /// the rows.
  private func keptPlan(
    _ query: Query, _ keys: [String], _ types: [LogicalType], _ moment: PlanMoment
  ) throws -> KeptPlan? {
    let catalog = catalog()
    let binder = Binder(catalog: catalog)
    let slots = ParameterSlots(keys: keys, types: types)
    binder.slots = slots
    let bound = withoutNullTypes(try binder.bind(query))
    guard binder.isReusable, catalog.isReusable else { return nil }
    if !keys.isEmpty, !isSame(bound, as: try bind(query)) { return nil }
    let plan = try optimize(bound.plan)
    guard plan.canRunAgain else {
      // The order of joins hangs on the values.
      guard plan.canBeBuiltAgain, keys.isEmpty || !plan.hasJoins else { return nil }
      return KeptPlan(moment: moment, types: types, fields: bound.fields, body: .plan(plan))
    }
    let builder = PlanBuilder(
      query: QueryContext(batchRows: settings.batchSize, memory: database.memory))
    let casting = slots.castingDecimals(plan)
    guard let source = try builder.source(casting?.plan ?? plan) as? any RewindableSource,
      source.rewind()
    else { return nil }
    // All DECIMALs or none: one that is more than cast decides by its digits.
    let takesDecimals = casting.map { casting in
      zip(types, casting.slots.types).allSatisfy { !$0.isShortDecimals || $0 != $1 }
    }
    return KeptPlan(
      moment: moment, types: types, fields: bound.fields,
      body: .operators(source, casting?.slots ?? slots), takesDecimals: takesDecimals ?? false)
  }

  /// Whether a plan over slots is, for the present values, what the binder makes of them as
  /// constants: where it looks at a constant's value, the two differ.
  private func isSame(_ kept: BoundQuery, as ordinary: BoundQuery) -> Bool {
    let mine = kept.plan.allExpressions.map { $0.replacingParameters(parameters) }
    let other = ordinary.plan.allExpressions.map(ConstantFolding.foldAll)
    return kept.fields == ordinary.fields && mine == other
  }
}

extension Plan {
  /// Whether operators made of it can run again and again, on one thread, without the catalog.
  fileprivate var canRunAgain: Bool {
    switch self {
    // Rows of values are made with the operators, once.
    case .values(let node):
      node.rows.allSatisfy { row in
        row.allSatisfy { if case .constant = $0 { true } else { false } }
      }
    case .project, .predict, .filter: children.allSatisfy(\.canRunAgain)
    case .scan, .aggregate, .join, .sort, .distinctOn, .limit, .union, .rows, .exchange, .window,
      .unnest, .sample, .positionalJoin, .with, .sharedScan, .recursive, .dependentJoin:
      false
    }
  }

  /// Whether operators can be made of it again: it holds nothing but the database's own tables, which
  /// never change, and models.
  fileprivate var canBeBuiltAgain: Bool {
    switch self {
    case .scan(let node): node.source is TableVersion
    case .values, .filter, .project, .aggregate, .join, .sort, .distinctOn, .limit, .union,
      .predict, .exchange, .window, .unnest, .sample, .positionalJoin:
      children.allSatisfy(\.canBeBuiltAgain)
    case .rows, .with, .sharedScan, .recursive, .dependentJoin: false
    }
  }

  fileprivate var hasJoins: Bool {
    if case .join = self { return true }
    return children.contains(where: \.hasJoins)
  }

  /// Those written in its nodes, from the top.
  fileprivate var allExpressions: [Expression] {
    var found: [Expression] = []
    forEachExpression { found.append($0) }
    return found
  }
}
