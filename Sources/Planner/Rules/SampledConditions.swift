import Columnar

// Conditions on columns of one table, tried on a sample of its rows.
extension Cardinality {
  /// Where a column was scanned: the scan is known by its first column.
  struct Place {
    var scan: Int
    var source: any TableSource
    var position: Int
  }

  /// Rows that pass must be so many to be believed without a look at the guess.
  private static let trustedRows = 16.0

  /// The sample of the scan that all of an expression's columns come from; nil for none.
  func commonScan(of expression: Expression) -> Int? {
    let ids = expression.columnIDs
    guard let first = ids.first, let scan = places[first]?.scan,
      ids.allSatisfy({ places[$0]?.scan == scan })
    else { return nil }
    return scan
  }

  /// The sampled columns that some expressions of one scan read.
  func sampleEvaluation(of expressions: [Expression]) -> SampleEvaluation? {
    let ids = Set(expressions.flatMap(\.columnIDs)).sorted()
    let found = ids.compactMap { id in places[id].map { (id: id, place: $0) } }
    guard let source = found.first?.place.source, found.count == ids.count,
      let columns = source.sample(columns: found.map(\.place.position)),
      columns.count == found.count, let count = columns.first?.count, count > 0
    else { return nil }
    return SampleEvaluation(
      columns: Dictionary(uniqueKeysWithValues: zip(found.map(\.id), columns)), count: count)
  }

  /// The share of rows that pass those of the conjuncts that can be tried, and the others. A share of
  /// few rows only bounds what the statistics say.
  func sampledSelectivity(_ conjuncts: [Expression], rows: Double) -> (
    share: Double, rest: [Expression]
  ) {
    var byScan: [Int: [Expression]] = [:]
    var rest: [Expression] = []
    for condition in conjuncts {
      if let scan = commonScan(of: condition) {
        byScan[scan, default: []].append(condition)
      } else {
        rest.append(condition)
      }
    }
    var share = 1.0
    for (_, conditions) in byScan.sorted(by: { $0.key < $1.key }) {
      guard let sample = sampleEvaluation(of: conditions) else {
        rest += conditions
        continue
      }
      var tried: [Expression] = []
      var passes = [Bool](repeating: true, count: sample.count)
      for condition in conditions {
        guard let truth = sample.truth(condition) else {
          rest.append(condition)
          continue
        }
        tried.append(condition)
        for row in passes.indices where truth[row] != 1 { passes[row] = false }
      }
      if tried.isEmpty { continue }
      let found = Double(passes.reduce(0) { $0 + ($1 ? 1 : 0) })
      share *= self.share(found, of: Double(sample.count), tried, rows: rows)
    }
    return (share, rest)
  }

  private func share(_ found: Double, of count: Double, _ tried: [Expression], rows: Double)
    -> Double
  {
    if found >= Self.trustedRows { return found / count }
    let total = tried.flatMap(\.columnIDs).compactMap { guess($0)?.rows }.max() ?? count
    if total <= count { return max(found, 0.5) / count }
    let known = knownSelectivity(of: tried, rows: rows)
    let error = 2 * found.squareRoot()
    return min(max(known, (found - error) / count), (found + error + 3) / count)
  }
}
