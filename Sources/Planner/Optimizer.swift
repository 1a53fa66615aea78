import Columnar
import Diagnostics
import Syntax

/// The rules, in the order they run. Each has a name and a switch.
package struct Optimizer: Sendable {
  package struct Rule: Sendable {
    package let name: String
    package let summary: String
    let apply: @Sendable (Plan, Optimizer) -> Plan
  }

  package static let rules: [Rule] = [
    Rule(
      name: "constant_folding", summary: "computes what depends on no row",
      apply: { plan, _ in foldExpressions(plan) }),
    Rule(
      name: "filter_pushdown", summary: "decides conditions as early as possible",
      apply: { plan, _ in FilterPushdown.apply(plan) }),
    Rule(
      name: "shared_filters", summary: "makes of a shared query only what its readers want",
      apply: { plan, _ in SharedFilters.apply(plan) }),
    Rule(
      name: "partition_totals",
      summary: "groups and joins where a window gives a partition's rows the same",
      apply: { plan, _ in PartitionTotals.apply(plan) }),
    Rule(
      name: "distinct_aggregates", summary: "groups by the values that DISTINCT calls share",
      apply: { plan, _ in DistinctAggregates.apply(plan) }),
    Rule(
      name: "known_totals", summary: "counts and bounds of a table from what it knows of itself",
      apply: { plan, _ in KnownTotals.apply(plan) }),
    Rule(
      name: "shifted_sums", summary: "adds constants to sums instead of to each value",
      apply: { plan, _ in ShiftedSums.apply(plan) }),
    Rule(
      name: "join_order", summary: "joins first what leaves least",
      apply: { plan, _ in JoinOrder.apply(plan) }),
    Rule(
      name: "aggregate_pushdown", summary: "aggregates before a join what leaves few groups",
      apply: { plan, _ in AggregatePushdown.apply(plan) }),
    Rule(
      name: "top_n", summary: "sorts only what LIMIT lets through",
      apply: { plan, _ in TopN.apply(plan) }),
    Rule(
      name: "column_pruning", summary: "drops columns nobody reads",
      apply: { plan, _ in ColumnPruning.apply(plan) }),
    Rule(
      name: "prediction_limit", summary: "predicts only rows that LIMIT lets through",
      apply: { plan, _ in PredictionLimit.apply(plan) }),
    Rule(
      name: "join_strategy", summary: "chooses hash or nested loop and the side to build",
      apply: { plan, _ in JoinStrategy.apply(plan) }),
    Rule(
      name: "common_subexpressions",
      summary: "computes once what several expressions have in common",
      apply: { plan, _ in CommonSubexpressions.apply(plan) }),
    Rule(
      name: "runtime_filters", summary: "tells scans which keys a join's build side has",
      apply: { plan, _ in RuntimeFilters.apply(plan) }),
    Rule(
      name: "top_n_boundary", summary: "tells scans behind which value no row is wanted",
      apply: { plan, _ in TopNBoundary.apply(plan) }),
    Rule(
      name: "exchange_placement", summary: "splits the work over the workers",
      apply: { plan, optimizer in ExchangePlacement.apply(plan, workers: optimizer.workers) }),
  ]

  package var workers: Int
  package var disabled: Set<String>

  package init(workers: Int = 1, disabled: Set<String> = []) {
    self.workers = workers
    self.disabled = disabled
  }

  /// `onChange` sees the plan after each rule.
  package func optimize(_ plan: Plan, onRule: ((String, Plan) -> Void)? = nil) throws -> Plan {
    try Optimizer.checkHeight(plan)
    // Not a choice either: operators run no dependent joins.
    var current = try Unnesting.apply(plan)
    if current.writesValues, onRule == nil {
      // INSERT … VALUES by the thousand: nothing but constants to fold.
      current = PredictExtraction.apply(PredictFields.apply(current))
      if current.writesValues { return current }
    }
    for rule in Optimizer.rules {
      if rule.name == "column_pruning" {
        // Not a choice: operators run PREDICT only as a node.
        current = PredictExtraction.apply(PredictFields.apply(current))
      }
      if disabled.contains(rule.name) { continue }
      current = rule.apply(current, self)
      onRule?(rule.name, current)
    }
    return current
  }

  /// Rules and operators recurse over the plan: one that is too high for the thread's stack is
  /// refused before. The bytes of a level are measured (INTERSECT, 990 times) and rounded up.
  private static func checkHeight(_ plan: Plan) throws {
    #if DEBUG
      let bytesPerLevel = 9 * 1024
    #else
      let bytesPerLevel = 2 * 1024
    #endif
    let limit = StackGuard().room / bytesPerLevel
    var height = 0
    var level = [plan]
    while !level.isEmpty {
      height += 1
      if height > limit {
        throw SQLError(
          .binder, "the query is nested too deeply: its plan has more than \(limit) levels")
      }
      level = level.flatMap(\.children)
    }
  }

  static func foldExpressions(_ plan: Plan) -> Plan {
    plan.mapChildren(foldExpressions).mapExpressions(ConstantFolding.foldAll)
  }
}

extension Plan {
  /// Whether it is a write of rows that the statement spells out.
  fileprivate var writesValues: Bool {
    guard case .rows(let node) = self, let input = node.input else { return false }
    return input.isValues
  }

  private var isValues: Bool {
    switch self {
    case .values: true
    case .project(let node): node.input.isValues
    default: false
    }
  }
}
