import Columnar
import Planner

/// The conjuncts of a filter and the runtime filters of a scan, tried in the order that drops rows
/// at the least cost: each measures what a row costs it and how many rows it lets pass, and the
/// cheapest dropping goes first (Hellerstein and Stonebraker 1993). Conditions that can fail keep
/// their order, behind all that cannot: no order may let an error out that another hides.
final class RowFilter {
  private struct Term {
    enum Test {
      case condition(ExpressionEvaluator)
      case runtime(RuntimeFilter, column: Int)
    }

    let test: Test
    let canFail: Bool
    /// Of the batches that were measured since the last ordering.
    var tested = 0
    var passed = 0
    var nanoseconds = 0
    /// Batches to come that a runtime filter leaves alone, for it drops next to nothing.
    var rest = 0

    /// Time to drop one row: what orders the terms.
    var rank: Double {
      Double(nanoseconds + 1) / (Double(tested - passed) + 0.01 * Double(tested) + 1)
    }
  }

  private var terms: [Term] = []
  private var batches = 0
  /// Batches between two orderings.
  private static let period = 16
  /// One batch of so many is measured.
  private static let measured = 4

  init(
    _ condition: Expression?, layout: [Int: Int],
    runtime: [(filter: RuntimeFilter, column: Int)] = []
  ) throws {
    for conjunct in condition?.conjuncts ?? [] {
      terms.append(
        Term(
          test: .condition(try ExpressionEvaluator(conjunct, layout: layout)),
          canFail: conjunct.canFail))
    }
    for (filter, column) in runtime {
      terms.append(Term(test: .runtime(filter, column: column), canFail: false))
    }
    terms = terms.filter { !$0.canFail } + terms.filter(\.canFail)
  }

  /// The rows that pass all terms; nil for the whole batch.
  func select(_ batch: Batch) throws -> Selection? {
    if terms.count > 1 {
      batches += 1
      if batches % RowFilter.period == 0 { reorder() }
    }
    var rows: Selection?
    // The clock costs as much as a cheap condition on a small batch.
    let measures = terms.count > 1 && batches % RowFilter.measured == 0
    for position in terms.indices {
      let count = rows?.count ?? batch.rowCount
      if count == 0 { break }
      let start = measures ? monotonicNanoseconds() : 0
      guard let picked = try pick(position, batch, rows) else { continue }
      if measures {
        terms[position].nanoseconds += monotonicNanoseconds() - start
        note(position, count, picked.count)
      }
      if picked.count < count { rows = picked }
    }
    return rows
  }

  /// nil when the term has nothing to say about this batch.
  private func pick(_ position: Int, _ batch: Batch, _ rows: Selection?) throws -> Selection? {
    switch terms[position].test {
    case .condition(let evaluator): return try evaluator.select(batch, from: rows)
    case .runtime(let filter, let column):
      if terms[position].rest > 0 {
        terms[position].rest -= 1
        return nil
      }
      guard let test = filter.test else { return nil }
      let count = rows?.count ?? batch.rowCount
      var picked = Selection(capacity: count)
      picked.count = test.select(
        batch.columns[column], count: count, from: rows.map { UnsafePointer($0.indices) },
        into: picked.indices)
      // A filter that drops less than one row in twenty costs more than it saves above.
      if picked.count * 20 > count * 19 && count >= 64 { terms[position].rest = 31 }
      return picked
    }
  }

  private func note(_ position: Int, _ tested: Int, _ passed: Int) {
    terms[position].tested += tested
    terms[position].passed += passed
  }

  private func reorder() {
    let movable = terms.prefix { !$0.canFail }.count
    // Terms that were not asked stay behind those that were.
    let order = terms[..<movable].enumerated().sorted { a, b in
      let (x, y) = (a.element, b.element)
      if (x.tested == 0) != (y.tested == 0) { return y.tested == 0 }
      return x.tested == 0 || x.rank == y.rank ? a.offset < b.offset : x.rank < y.rank
    }
    terms.replaceSubrange(..<movable, with: order.map(\.element))
    for position in terms.indices {
      terms[position].tested /= 2
      terms[position].passed /= 2
      terms[position].nanoseconds /= 2
    }
  }
}
