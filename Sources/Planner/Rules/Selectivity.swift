import Columnar

// What share of rows passes a condition.

extension Cardinality {
  /// The share of `rows` rows that pass all of `conjuncts`. Bounds of one column are taken together:
  /// `a >= 1 and a < 5` is one range.
  func selectivity(of conjuncts: [Expression], rows: Double) -> Double {
    let (share, rest) = sampledSelectivity(conjuncts, rows: rows)
    return min(1, max(0, share * knownSelectivity(of: rest, rows: rows)))
  }

  /// The same by statistics alone.
  func knownSelectivity(of conjuncts: [Expression], rows: Double) -> Double {
    var result = 1.0
    var ranges: [Int: (low: Double?, high: Double?)] = [:]
    for condition in conjuncts {
      if let (id, bound, isLow) = columnBound(condition) {
        var range = ranges[id] ?? (nil, nil)
        if isLow {
          range.low = max(range.low ?? bound, bound)
        } else {
          range.high = min(range.high ?? bound, bound)
        }
        ranges[id] = range
      } else {
        result *= selectivity(condition, rows: rows)
      }
    }
    for (id, range) in ranges { result *= rangeShare(id, range.low, range.high) }
    return min(1, max(0, result))
  }

  /// A comparison of a column that has bounds with a constant; `isLow`: the column is above it.
  private func columnBound(_ condition: Expression) -> (id: Int, bound: Double, isLow: Bool)? {
    guard case .call(let call) = condition, call.arguments.count == 2 else { return nil }
    let isGreater: Bool
    switch call.resolved.function.name {
    case "<", "<=": isGreater = false
    case ">", ">=": isGreater = true
    default: return nil
    }
    func match(_ side: Expression, _ other: Expression) -> (Int, Double)? {
      guard case .column(let reference) = side, case .constant(let value, _) = other,
        let number = value.orderedNumber, let guess = guess(reference.id), guess.minimum != nil
      else { return nil }
      return (reference.id, number)
    }
    if let (id, bound) = match(call.arguments[0], call.arguments[1]) {
      return (id, bound, isGreater)
    }
    if let (id, bound) = match(call.arguments[1], call.arguments[0]) {
      return (id, bound, !isGreater)
    }
    return nil
  }

  private func rangeShare(_ id: Int, _ low: Double?, _ high: Double?) -> Double {
    guard let guess = guess(id), let minimum = guess.minimum, let maximum = guess.maximum else {
      return 0.3
    }
    let width = maximum - minimum
    let from = max(low ?? minimum, minimum)
    let to = min(high ?? maximum, maximum)
    let least = 0.5 / max(guess.rows, 1)
    if to < from { return least }
    let share = width > 0 ? (to - from) / width : 1
    return max(share, 1 / max(guess.distinct, 1), least) * (1 - guess.nullFraction)
  }

  func selectivity(_ condition: Expression, rows: Double) -> Double {
    switch condition {
    case .call(let call): return selectivity(call, rows: rows)
    case .inList(let list):
      let share = min(0.9, equality(list.operand, rows) * Double(list.values.count))
      return list.isNegated ? max(0, valueShare(list.operand) - share) : share
    case .or(let terms):
      let isLarge = Self.isLarge(condition)
      let none = terms.reduce(1.0) { rest, term in
        let parts = term.conjuncts
        let share =
          isLarge ? knownSelectivity(of: parts, rows: rows) : selectivity(of: parts, rows: rows)
        return rest * (1 - share)
      }
      return 1 - none
    case .and(let terms): return knownSelectivity(of: terms, rows: rows)
    case .not(let operand): return 1 - knownSelectivity(of: operand.conjuncts, rows: rows)
    case .isNull(let operand, let isNegated):
      let share = Self.column(of: operand).flatMap { guess($0)?.nullFraction } ?? 0.05
      return isNegated ? 1 - share : share
    case .constant(.boolean(let value), _): return value ? 1 : 0
    case .constant(.null, _): return 0
    case .column, .constant, .cast, .caseWhen, .predict, .listLambda: return 0.5
    }
  }

  private func selectivity(_ call: CallExpression, rows: Double) -> Double {
    let arguments = call.arguments
    switch call.resolved.function.name {
    case "=", "IS NOT DISTINCT FROM":
      guard arguments.count == 2 else { return 0.1 }
      return equality(arguments[0], arguments[1], rows)
    case "<>", "IS DISTINCT FROM":
      guard arguments.count == 2 else { return 0.9 }
      return max(
        0.001,
        min(valueShare(arguments[0]), valueShare(arguments[1]))
          - equality(arguments[0], arguments[1], rows))
    case "<", "<=", ">", ">=": return aggregateShare(call) ?? 0.35
    case "like", "ilike", "contains", "starts_with", "prefix", "suffix", "ends_with": return 0.1
    case "not like", "not ilike": return 0.9
    default: return 0.3
    }
  }

  /// The share of rows in which two expressions are equal.
  private func equality(_ left: Expression, _ right: Expression, _ rows: Double) -> Double {
    if case .constant(let value, _) = right { return equality(left, rows, to: value) }
    if case .constant(let value, _) = left { return equality(right, rows, to: value) }
    let (a, b) = (guess(left, rows: rows), guess(right, rows: rows))
    // Of two computed values, an aggregate's for one, nothing is known but how many there may be.
    let domain = a.isBound && b.isBound ? max(a.distinct, b.distinct) : Self.domain(a, b)
    return 1 / max(1, domain)
  }

  /// The share of rows in which an expression is not NULL.
  private func valueShare(_ operand: Expression) -> Double {
    1 - (Self.column(of: operand).flatMap { guess($0)?.nullFraction } ?? 0)
  }

  /// The share of rows in which an expression has one certain value.
  private func equality(_ operand: Expression, _ rows: Double, to value: Value? = nil) -> Double {
    guard let id = Self.column(of: operand), let guess = guess(id) else { return 0.1 }
    if case .column = operand, let number = value?.orderedNumber, let low = guess.minimum,
      let high = guess.maximum, number < low || number > high
    {
      return 0.5 / max(guess.rows, 1)
    }
    // Without statistics small tables are taken for lists of names, large ones for facts.
    let distinct = guess.isBound ? min(guess.distinct, 20) : guess.distinct
    return (1 - guess.nullFraction) / max(1, distinct)
  }
}
