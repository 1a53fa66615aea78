import Columnar

// Columns of which no rows are at hand, only bounds.
extension Cardinality {
  private static let evenRows = 512

  /// Values from the least to the greatest at even distances, in place of a sample: enough to tell how
  /// many years there are, or how large a number is in the mean. nil for expressions of several
  /// columns, and of those without bounds.
  func evenEvaluation(of expression: Expression) -> SampleEvaluation? {
    guard let reference = Self.onlyColumn(of: expression), let known = guess(reference.id),
      let low = known.minimum, let high = known.maximum
    else { return nil }
    var builder = ColumnBuilder(reference.type, capacity: Self.evenRows)
    for row in 0..<Self.evenRows {
      let number = low + (high - low) * Double(row) / Double(Self.evenRows - 1)
      guard let value = Self.value(number, reference.type), (try? builder.append(value)) != nil
      else { return nil }
    }
    return SampleEvaluation(columns: [reference.id: builder.finish()], count: Self.evenRows)
  }

  private static func onlyColumn(of expression: Expression) -> ColumnReference? {
    var found: ColumnReference?
    var isOne = true
    _ = expression.contains { part in
      if case .column(let reference) = part {
        if let found, found.id != reference.id { isOne = false }
        found = reference
      }
      return false
    }
    return isOne ? found : nil
  }

  /// What `Value.orderedNumber` makes a number of; nil for types that are no numbers or dates.
  private static func value(_ number: Double, _ type: LogicalType) -> Value? {
    switch type {
    case .tinyint, .smallint, .integer, .bigint, .hugeint:
      Int128(exactly: number.rounded()).map { .integer($0) }
    case .decimal: Int128(exactly: number.rounded()).map { .decimal($0) }
    case .double: .double(number)
    case .date: Int32(exactly: number.rounded()).map { .date($0) }
    case .timestamp: Int64(exactly: number.rounded()).map { .timestamp($0) }
    default: nil
    }
  }

  /// As `SampleEvaluation.distinct`, for one key.
  func evenDistinct(_ key: Expression) -> Double? {
    if case .column = key { return nil }
    guard let even = evenEvaluation(of: key), let column = even.column(key) else { return nil }
    let distinct = Set(SampleEvaluation.hashes(column)).count
    return distinct * 2 < even.count ? Double(distinct) : nil
  }
}
