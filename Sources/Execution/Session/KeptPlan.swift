import Columnar
import Planner

/// What a bound plan hangs on besides its statement: equal moments of one session mean the same
/// names, types, versions of models and settings.
struct PlanMoment: Equatable {
  /// Of the newest commit that the session sees.
  var version: Int
  /// Changes of the session's own, in a transaction, and what took them back.
  var changes: Int
  var settings: Int
  /// Functions that the embedding program registered.
  var functions: Int
}

/// A statement's plan with its operators, for executions with other values of the same types.
///
/// Only plans without scans are kept so far: their operators can be read again from the start, hold
/// nothing of the catalog but models, and need no workers. That is what real-time use runs.
final class KeptPlan {
  let moment: PlanMoment
  let types: [LogicalType]
  let fields: [Field]
  private let slots: ParameterSlots
  private let source: any RewindableSource

  init(
    moment: PlanMoment, types: [LogicalType], fields: [Field], slots: ParameterSlots,
    source: any RewindableSource
  ) {
    self.moment = moment
    self.types = types
    self.fields = fields
    self.slots = slots
    self.source = source
  }

  /// All rows for these values.
  func run(_ values: [Value]) throws -> [Batch] {
    try slots.set(values)
    var batches: [Batch] = []
    _ = source.rewind()
    while let batch = try source.next() { batches.append(batch) }
    return batches
  }
}

/// The plans of one prepared statement, one for each combination of its parameters' types.
package final class KeptPlans: @unchecked Sendable {
  private static let limit = 8
  private var plans: [KeptPlan] = []
  /// What had no plan that could be kept.
  private var refused: Set<[LogicalType]> = []
  /// Executions, and those of them by a kept plan.
  private(set) var runs = 0
  private(set) var keptRuns = 0

  /// SAFETY: used by the thread that runs the connection's statements, one at a time.
  package init() {}

  /// The plan for parameters of these types, at that moment; an older one is dropped.
  func plan(_ types: [LogicalType], at moment: PlanMoment) -> KeptPlan? {
    runs += 1
    guard let position = plans.firstIndex(where: { $0.types == types }) else { return nil }
    if plans[position].moment == moment { return plans[position] }
    plans.remove(at: position)
    return nil
  }

  /// Whether a plan to keep shall be made: from the second run on, once for a combination of types
  /// that has none.
  func wantsPlan(_ types: [LogicalType]) -> Bool { runs > 1 && !refused.contains(types) }

  func noteKeptRun() { keptRuns += 1 }

  func keep(_ plan: KeptPlan) {
    if plans.count == Self.limit { plans.removeFirst() }
    plans.append(plan)
  }

  /// Takes a plan away whose operators stand in the middle of something.
  func drop(_ plan: KeptPlan) { plans.removeAll { $0 === plan } }

  func refuse(_ types: [LogicalType]) {
    if refused.count < 64 { refused.insert(types) }
  }
}
