import Columnar

// How many groups there are.
extension Cardinality {
  /// Different combinations of the values of some keys among `input` rows.
  ///
  /// Keys of one table are looked at together in its sample: they may hang on each other. Others are
  /// multiplied, each further one by its square root, as keys of several columns seldom come in all
  /// combinations.
  func keyValues(_ keys: [Expression], _ input: Double) -> Double {
    if input < 1 { return input }
    var byScan: [Int: [Expression]] = [:]
    var factors: [Double] = []
    for key in keys {
      let key = resolved(key)
      if let scan = commonScan(of: key) {
        byScan[scan, default: []].append(key)
      } else {
        factors.append(values(of: key, input))
      }
    }
    for (_, keys) in byScan.sorted(by: { $0.key < $1.key }) {
      factors.append(values(ofOneScan: keys, input))
    }
    factors.sort(by: >)
    var groups = factors.first ?? 1
    for factor in factors.dropFirst() {
      // Few values are likely to meet all others.
      groups *= factor <= 64 ? max(1, factor) : factor.squareRoot()
    }
    return min(groups, input)
  }

  /// A key as what it is computed by.
  private func resolved(_ key: Expression) -> Expression {
    if case .column(let reference) = key, let expression = computed[reference.id] {
      return expression
    }
    return key
  }

  private func values(of key: Expression, _ input: Double) -> Double {
    if case .constant = key { return 1 }
    let known = guess(key, rows: input)
    if known.isBound { return max(1, min(input, known.distinct.squareRoot() * 2)) }
    return max(1, known.distinct(among: input))
  }

  private func values(ofOneScan keys: [Expression], _ input: Double) -> Double {
    let single = keys.map { values(of: $0, input) }
    let isPlain = keys.allSatisfy { if case .column = $0 { true } else { false } }
    // One column's sketch has seen more than the sample.
    if keys.count == 1, isPlain { return single[0] }
    let product = single.reduce(1, *)
    let total = keys.flatMap(\.columnIDs).compactMap { guess($0)?.rows }.max() ?? input
    guard let sample = sampleEvaluation(of: keys),
      let distinct = sample.distinct(keys, total: total)
    else {
      let most = single.max() ?? 1
      return isPlain ? max(most, min(product, input, total)) : min(product, input)
    }
    let together = ColumnGuess(distinct: distinct, isBound: false, rows: total)
    let found = together.distinct(among: input)
    // A column among the keys has at least its own values.
    let plain = zip(keys, single).filter { if case .column = $0.0 { true } else { false } }
    return max(found, plain.map(\.1).max() ?? 1)
  }
}
