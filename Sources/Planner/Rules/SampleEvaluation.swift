import Columnar
import Functions

/// Expressions over sampled rows of a table: what share of the rows passes a condition, how many
/// different values some keys have.
///
/// Only what is cheap and free of effects is tried: no lists, no functions of the program or the
/// session, none that make long texts. nil stands for what cannot be said; an error among it, since
/// the sample holds rows that a condition before this one may guard against.
struct SampleEvaluation {
  /// By the number of the reference.
  let columns: [Int: Column]
  let count: Int

  private static let categories: Set<String> = [
    "operator", "conditional", "date", "math", "string",
  ]
  /// Functions whose results may be many times their arguments.
  private static let refused: Set<String> = [
    "repeat", "lpad", "rpad", "format", "printf", "bar", "replace", "regexp_replace", "translate",
    "factorial", "sleep_ms",
  ]

  // MARK: Conditions

  /// For each row whether the condition is true (1), false (0) or NULL (-1).
  func truth(_ condition: Expression) -> [Int8]? {
    switch condition {
    case .and(let terms): return combine(terms, deciding: 0)
    case .or(let terms): return combine(terms, deciding: 1)
    case .not(let operand): return truth(operand)?.map { $0 < 0 ? $0 : 1 - $0 }
    case .isNull(let operand, let isNegated):
      guard let column = column(operand) else { return nil }
      return (0..<count).map { column.isNull($0) != isNegated ? 1 : 0 }
    case .inList(let list): return truth(list)
    case .column, .constant, .call, .cast:
      guard condition.type == .boolean, let column = column(condition) else { return nil }
      let reader = ColumnReader<UInt8>(column)
      return (0..<count).map { reader.isNull($0) ? -1 : reader[$0] != 0 ? 1 : 0 }
    case .caseWhen, .predict, .listLambda: return nil
    }
  }

  /// AND is false where one term is, OR true where one is; else NULL where one is.
  private func combine(_ terms: [Expression], deciding: Int8) -> [Int8]? {
    var result = [Int8](repeating: 1 - deciding, count: count)
    for term in terms {
      guard let values = truth(term) else { return nil }
      for row in 0..<count where result[row] != deciding {
        if values[row] == deciding || values[row] < 0 { result[row] = values[row] }
      }
    }
    return result
  }

  /// Values are told apart by their hashes.
  private func truth(_ list: InListExpression) -> [Int8]? {
    guard let operand = column(list.operand) else { return nil }
    var builder = ColumnBuilder(operand.type, capacity: list.values.count)
    do { for value in list.values where !value.isNull { try builder.append(value) } } catch {
      return nil
    }
    let wanted = Set(Self.hashes(builder.finish()))
    let hashes = Self.hashes(operand)
    let hasNull = list.values.contains(.null)
    return (0..<count).map { row in
      if operand.isNull(row) { return -1 }
      if wanted.contains(hashes[row]) { return list.isNegated ? 0 : 1 }
      return hasNull ? -1 : list.isNegated ? 1 : 0
    }
  }

  static func hashes(_ column: Column) -> [UInt64] {
    [UInt64](unsafeUninitializedCapacity: max(column.count, 1)) { buffer, filled in
      if let target = buffer.baseAddress {
        Hashing.hash(column, into: target, combining: false)
        filled = column.count
      }
    }
  }

  // MARK: Values

  func column(_ expression: Expression) -> Column? {
    switch expression {
    case .column(let reference): return columns[reference.id]
    case .constant(let value, let type): return try? Column.constant(value, type, count: count)
    case .cast(let operand, let type, let isTry):
      if type.isNested || operand.type == type && isTry { return nil }
      return column(operand).flatMap {
        try? Functions.Cast.column($0, to: type, tryCast: isTry)
      }
    case .call(let call):
      let function = call.resolved.function
      guard Self.categories.contains(function.category), !Self.refused.contains(function.name),
        !call.resolved.overload.isVolatile, !call.resolved.resultType.isNested
      else { return nil }
      var arguments: [Column] = []
      for argument in call.arguments {
        guard !argument.type.isNested, let made = column(argument) else { return nil }
        arguments.append(made)
      }
      return try? ScalarEvaluation.call(call.resolved, arguments, count: count)
    case .and, .or, .not, .isNull, .inList, .caseWhen, .predict, .listLambda: return nil
    }
  }

  /// Different combinations of the keys' values in a table of `total` rows, NULL being a value; nil
  /// where the sample shows too few of them twice to tell.
  func distinct(_ keys: [Expression], total: Double) -> Double? {
    var hashes = [UInt64](repeating: 0, count: count)
    for key in keys {
      guard let column = column(key) else { return nil }
      let values = Self.hashes(column)
      for row in 0..<count {
        hashes[row] = Hashing.combine(hashes[row], column.isNull(row) ? 1 : values[row])
      }
    }
    var times: [UInt64: Int] = [:]
    for hash in hashes { times[hash, default: 0] += 1 }
    let single = times.values.reduce(0) { $0 + ($1 == 1 ? 1 : 0) }
    if Double(single) > 0.5 * Double(count), Double(count) < total { return nil }
    return DistinctEstimate.fromSample(
      rows: Double(count), distinct: Double(times.count), single: Double(single), total: total)
  }
}
