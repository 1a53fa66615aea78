import Columnar

/// A filter's conjuncts cut in two where some of them, or what is read above, have dear parts in
/// common: `lower` is decided first, then the shared parts are computed, then `upper` is decided.
///
///     Filter: a > 3 AND length(trim(s)) >= 4 AND length(trim(s)) <= 9
///
///     Filter: common_1 >= 4 AND common_1 <= 9
///     └─ Project: a, s, length(trim(s)) AS common_1
///        └─ Filter: a > 3
///
/// A part that may fail is computed for exactly the rows that the first conjunct with it was asked
/// about. A filter decides what cannot fail first and the rest as it is written (`RowFilter`): so does
/// the new pair, and no conjunct that may fail sees rows that another one kept from it.
struct SharedConditions {
  /// Filters choose the order of their conjuncts while they run, and decide conditions once for each
  /// value of a dictionary: what is shared gives that up, so it has to save more than in projections.
  static let leastSaving = 6.0
  /// Of the rows that a filter sees, those that come above it: a guess.
  private static let shareAbove = 0.3

  let forest: SubexpressionForest
  /// Entries of the forest.
  let shared: Set<Int>
  let lower: [Expression]
  let upper: [SubexpressionForest.Root]
  let above: [SubexpressionForest.Root]

  /// nil when there is nothing worth it. `above`: what is evaluated for the rows that pass.
  init?(_ condition: Expression, above: [Expression]) {
    let conjuncts = condition.conjuncts
    if conjuncts.contains(where: \.isVolatile) { return nil }
    var forest = SubexpressionForest()
    let roots = conjuncts.enumerated().map { forest.add($1, weight: $0 == 0 ? 1 : 0.5) }
    let rootsAbove = above.map { forest.add($0, weight: Self.shareAbove) }
    let all = roots + rootsAbove
    let usesHere = roots.map { forest.uses([$0]) }
    let order = ConjunctOrder(conjuncts)
    var refused: Set<Int> = []
    while true {
      let picked = forest.worthSharing(all, least: Self.leastSaving) { entry, _ in
        !refused.contains(entry) && usesHere.contains { $0[entry].places > 0 }
      }
      if picked.isEmpty { return nil }
      let holders = conjuncts.indices.filter { position in
        picked.contains { usesHere[position][$0].places > 0 }
      }
      let first = order.first(of: holders)
      let wrong = picked.filter {
        forest.entries[$0].expression.canFail && !usesHere[first][$0].isCertain
      }
      if wrong.isEmpty {
        let early = order.early(beside: holders, first: first)
        self.forest = forest
        self.above = rootsAbove
        shared = picked
        lower = early.map { conjuncts[$0] }
        upper = conjuncts.indices.filter { !early.contains($0) }.map { roots[$0] }
        return
      }
      refused.formUnion(wrong)
    }
  }
}

/// The order in which a filter decides its conjuncts.
private struct ConjunctOrder {
  private let canFail: [Bool]

  init(_ conjuncts: [Expression]) { canFail = conjuncts.map(\.canFail) }

  /// The one of these that is decided first, by the place it has among all.
  func first(of positions: [Int]) -> Int {
    positions.first { !canFail[$0] } ?? positions.first ?? 0
  }

  /// Those, other than the holders of shared parts, that are decided before the first of these.
  func early(beside holders: [Int], first: Int) -> [Int] {
    canFail.indices.filter { position in
      if holders.contains(position) { return false }
      return !canFail[position] || (canFail[first] && position < first)
    }
  }
}
