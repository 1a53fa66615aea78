import Columnar

// Conditions on columns of one table, tried on a sample of its rows.
extension Cardinality {
  /// Where a column was scanned: the scan is known by its first column.
  struct Place {
    var scan: Int
    var source: any TableSource
    var position: Int
  }

  /// Rows that pass must be so many to be believed against the statistics.
  private static let trustedRows = 16.0

  /// Parts of a condition that is tried.
  private static let mostParts = 256

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
      if !isCounted(condition), !Self.isLarge(condition), let scan = commonScan(of: condition) {
        byScan[scan, default: []].append(condition)
      } else {
        rest.append(condition)
      }
    }
    var share = 1.0
    for (_, conditions) in byScan.sorted(by: { $0.key < $1.key }) {
      guard let sample = sampleEvaluation(of: conditions) else {
        for condition in conditions {
          if let even = evenShare(condition) { share *= even } else { rest.append(condition) }
        }
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

  /// Of a condition on a function of one column, where only its bounds are known.
  private func evenShare(_ condition: Expression) -> Double? {
    if isKnown(condition) { return nil }
    guard let even = evenEvaluation(of: condition), let truth = even.truth(condition) else {
      return nil
    }
    let passing = truth.reduce(0) { $0 + ($1 == 1 ? 1 : 0) }
    return (Double(passing) + 0.5) / Double(even.count + 1)
  }

  /// Conditions that programs have written would take longer to try than to run.
  static func isLarge(_ condition: Expression) -> Bool {
    var parts = 0
    return condition.contains { part in
      parts += 1
      if case .inList(let list) = part { parts += list.values.count / 16 }
      return parts > mostParts
    }
  }

  /// NULLs of a column are counted, not guessed.
  private func isCounted(_ condition: Expression) -> Bool {
    if case .isNull(.column, _) = condition { true } else { false }
  }

  /// What the statistics say of a condition is exact where values are spread evenly, so it is believed
  /// as long as the sample does not speak against it.
  private func share(_ found: Double, of count: Double, _ tried: [Expression], rows: Double)
    -> Double
  {
    let total = tried.flatMap(\.columnIDs).compactMap { guess($0)?.rows }.max() ?? count
    if total <= count { return max(found, 0.5) / count }
    if !tried.allSatisfy(isKnown) { return (found + 0.5) / (count + 1) }
    let known = knownSelectivity(of: tried, rows: rows) * count
    // A single row may be there by luck: of a key for instance.
    let low = found < 2 ? 0 : Self.bound(found, -1)
    let high = Self.bound(found + 1, 1)
    if found >= Self.trustedRows, known < low || known > high { return found / count }
    return min(max(known, low), high) / count
  }

  /// The mean of a Poisson distribution that gives so few or so many only once in twenty times
  /// (Wilson and Hilferty 1931).
  private static func bound(_ found: Double, _ sign: Double) -> Double {
    let root = 1 - 1 / (9 * found) + sign * 1.645 / (3 * found.squareRoot())
    return found * root * root * root
  }

  /// Whether more than a rule of thumb says what a condition lets through.
  private func isKnown(_ condition: Expression) -> Bool {
    switch condition {
    case .inList, .isNull: return true
    case .call(let call):
      guard call.arguments.count == 2,
        call.arguments.contains(where: { if case .constant = $0 { true } else { false } })
      else { return false }
      let columns = call.arguments.compactMap { argument -> Int? in
        if case .column(let reference) = argument { reference.id } else { nil }
      }
      guard let id = columns.first else { return false }
      switch call.resolved.function.name {
      case "=", "<>", "IS NOT DISTINCT FROM", "IS DISTINCT FROM": return true
      case "<", "<=", ">", ">=": return guess(id)?.minimum != nil
      default: return false
      }
    case .column, .constant, .cast, .and, .or, .not, .caseWhen, .predict, .listLambda: return false
    }
  }
}
