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

  // MARK: Several join keys

  /// The combinations that two sides of a join are drawn from.
  ///
  /// Several keys are seldom independent: a side has at most as many combinations of them as the
  /// largest relation that they come from has rows. Where that is all that is known of both sides,
  /// the smaller of two relations is taken to have each once; with columns of more relations the
  /// middle is taken.
  func combinations(
    _ left: [Expression], _ right: [Expression], _ rows: (Double, Double), _ product: Double
  ) -> Double {
    let a = combinations(left, rows.0, product)
    let b = combinations(right, rows.1, product)
    switch (a.isKnown, b.isKnown) {
    case (true, true): return max(a.count, b.count)
    case (true, false): return a.count
    case (false, true): return b.count
    case (false, false):
      return a.isOneScan && b.isOneScan
        ? min(a.count, b.count) : (a.count * b.count).squareRoot()
    }
  }

  private func combinations(_ keys: [Expression], _ rows: Double, _ product: Double) -> (
    count: Double, isKnown: Bool, isOneScan: Bool
  ) {
    let most = keys.map { guess($0, rows: rows).rows }.max() ?? rows
    let scans = Set(keys.map { commonScan(of: $0) })
    let isOneScan = scans.count == 1 && scans.first != .some(nil)
    if isOneScan, let distinct = sampleEvaluation(of: keys)?.distinct(keys, total: most) {
      return (min(distinct, product), true, true)
    }
    return product <= most ? (product, true, isOneScan) : (max(1, most), false, isOneScan)
  }

  // MARK: Keys

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

  /// Of a key whose table has no sample.
  private func evenDistinctWithoutSample(_ key: Expression) -> Double? {
    sampleEvaluation(of: [key]) == nil ? evenDistinct(key) : nil
  }

  private func values(ofOneScan keys: [Expression], _ input: Double) -> Double {
    let single = keys.map { values(of: $0, input) }
    let isPlain = keys.allSatisfy { if case .column = $0 { true } else { false } }
    // One column's sketch has seen more than the sample.
    if keys.count == 1, isPlain { return single[0] }
    let product = single.reduce(1, *)
    let total = keys.flatMap(\.columnIDs).compactMap { guess($0)?.rows }.max() ?? input
    if keys.count == 1, let distinct = evenDistinctWithoutSample(keys[0]) {
      return min(distinct, input)
    }
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
