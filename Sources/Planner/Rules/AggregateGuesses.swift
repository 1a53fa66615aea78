import Columnar
import Glibc

/// The results of an aggregate over all groups, as if they were spread normally. Sums of many values
/// are; of few they are near enough for HAVING.
struct AggregateSpread {
  var mean: Double
  var deviation: Double

  /// The share of groups whose result is above a number.
  func share(above bound: Double) -> Double {
    if deviation <= 0 { return mean > bound ? 1 : 0 }
    return 0.5 * erfc((bound - mean) / (deviation * 2.0.squareRoot()))
  }
}

// What conditions on aggregates let through.
extension Cardinality {
  /// Of count, sum and avg; nil for others, and where nothing is known of the argument. Groups have
  /// as many rows as chance would give them.
  func spread(of call: BoundAggregate, rows: Double, groups: Double) -> AggregateSpread? {
    guard !call.isDistinct, call.filter == nil, groups >= 1, rows > groups else { return nil }
    let size = rows / groups
    let name = call.resolved.function.name
    if name == "count" || name == "count_star" {
      return AggregateSpread(mean: size, deviation: size.squareRoot())
    }
    guard name == "sum" || name == "avg", call.arguments.count == 1,
      let (mean, variance) = moments(of: call.arguments[0])
    else { return nil }
    if name == "avg" {
      return AggregateSpread(mean: mean, deviation: (variance / size).squareRoot())
    }
    let square = variance + mean * mean
    return AggregateSpread(mean: size * mean, deviation: (size * square).squareRoot())
  }

  /// Mean and variance of a number, from the sample of its table, else from its bounds.
  private func moments(of expression: Expression) -> (mean: Double, variance: Double)? {
    guard expression.type.isNumeric, commonScan(of: expression) != nil,
      let sample = sampleEvaluation(of: [expression]) ?? evenEvaluation(of: expression),
      let column = sample.column(.cast(expression, to: .double, isTry: false))
    else { return nil }
    let reader = ColumnReader<Double>(column)
    var (count, sum, squares) = (0.0, 0.0, 0.0)
    for row in 0..<sample.count where !reader.isNull(row) && reader[row].isFinite {
      count += 1
      sum += reader[row]
      squares += reader[row] * reader[row]
    }
    if count < 2 { return nil }
    let mean = sum / count
    return (mean, max(0, squares / count - mean * mean))
  }

  /// The share of groups that pass a comparison of an aggregate with a constant.
  func aggregateShare(_ call: CallExpression) -> Double? {
    guard call.arguments.count == 2 else { return nil }
    let isGreater: Bool
    switch call.resolved.function.name {
    case ">", ">=": isGreater = true
    case "<", "<=": isGreater = false
    default: return nil
    }
    for (side, other, above) in [(0, 1, isGreater), (1, 0, !isGreater)] {
      guard let id = Self.column(of: call.arguments[side]), let spread = spreads[id],
        case .constant(let value, let type) = call.arguments[other],
        let bound = Self.number(value, type)
      else { continue }
      let share = spread.share(above: bound)
      // Less than one group of a million is more than these can know.
      return max(0.000_001, above ? share : 1 - share)
    }
    return nil
  }

  private static func number(_ value: Value, _ type: LogicalType) -> Double? {
    guard type.isNumeric, let number = value.orderedNumber else { return nil }
    if case .decimal(_, let scale) = type { return number / pow(10, Double(scale)) }
    return number
  }
}
