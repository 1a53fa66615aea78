import Columnar
import Planner
import Syntax

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

/// A statement's plan for executions with other values of the same types.
final class KeptPlan {
  enum Body {
    /// Of a plan without scans: operators that can be read again from the start, hold nothing of the
    /// catalog but models, and need no workers. That is what real-time use runs.
    case operators(any RewindableSource, ParameterSlots)
    /// Of a query over the database's own tables: operators are made of it for each execution, with
    /// the values in place of its parameters.
    case plan(Plan)
  }

  let moment: PlanMoment
  let fields: [Field]
  let body: Body
  private let types: [LogicalType]
  /// Whether DECIMALs of any digits may stand for each other.
  private let takesDecimals: Bool

  init(
    moment: PlanMoment, types: [LogicalType], fields: [Field], body: Body,
    takesDecimals: Bool = false
  ) {
    self.moment = moment
    self.types = types
    self.fields = fields
    self.body = body
    self.takesDecimals = takesDecimals
  }

  /// Whether parameters of these types may be given.
  func takes(_ given: [LogicalType]) -> Bool {
    if types == given { return true }
    return takesDecimals && types.count == given.count
      && zip(types, given).allSatisfy { mine, other in
        mine == other
          || mine.isShortDecimals && other.isShortDecimals
            && (mine.elementType == nil) == (other.elementType == nil)
      }
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
    guard let position = plans.firstIndex(where: { $0.takes(types) }) else { return nil }
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

  /// Takes plans away that hold the tables and models of another moment.
  func dropPlans(before moment: PlanMoment) { plans.removeAll { $0.moment != moment } }

  /// Takes a plan away whose operators stand in the middle of something.
  func drop(_ plan: KeptPlan) { plans.removeAll { $0 === plan } }

  func refuse(_ types: [LogicalType]) {
    if refused.count < 64 { refused.insert(types) }
  }
}

/// The queries that a connection ran as texts, with their plans: programs send the same text again.
package final class StatementCache {
  private static let limit = 128
  private static let longest = 1 << 16
  private var known: [String: (parsed: ParsedStatement, plans: KeptPlans)] = [:]
  private var moment: PlanMoment?

  /// The only statement of a text that was run before.
  func statement(_ text: String) -> (parsed: ParsedStatement, plans: KeptPlans)? {
    text.utf8.count <= Self.longest ? known[text] : nil
  }

  /// Remembers a query that is all of a text.
  func add(_ parsed: ParsedStatement, of text: String) -> KeptPlans? {
    guard case .query = parsed.statement, parsed.parameters.isEmpty,
      text.utf8.count <= Self.longest,
      text.utf8.dropFirst(parsed.span.end).allSatisfy({
        [0x20, 0x09, 0x0A, 0x0D, 0x3B].contains($0)
      })
    else { return nil }
    if known.count >= Self.limit { known = [:] }
    let plans = KeptPlans()
    known[text] = (parsed, plans)
    return plans
  }

  /// Lets go of tables and models as they were at other moments; false when nothing has changed.
  func dropPlans(before moment: PlanMoment) -> Bool {
    if self.moment == moment { return false }
    self.moment = moment
    for (_, plans) in known.values { plans.dropPlans(before: moment) }
    return true
  }
}
