import Columnar
import Functions

extension TransformDefinition {
  static let targetEncode = TransformDefinition(
    "target_encode", parameters: [TransformParameter("smoothing", .number(10))],
    summary: "the mean label of the value's training rows, drawn towards the mean of all as if "
      + "`smoothing` rows more had that; unseen values have the mean of all",
    example: "target_encode(postcode)",
    fit: .query { _ in
      """
      SELECT x::VARCHAR, avg(label::DOUBLE), count(*)::DOUBLE FROM fitted
        WHERE x IS NOT NULL AND label IS NOT NULL GROUP BY ALL ORDER BY 1
      """
    }
  ) { arguments, state in
    guard let smoothing = arguments["smoothing"].number, smoothing >= 0 else {
      throw arguments.error("smoothing", "a number from 0 up")
    }
    var means: [Double] = []
    var counts: [Double] = []
    var vocabulary = Vocabulary([])
    if let state {
      guard let columns = state.items, columns.count == 3, let words = columns[0].texts else {
        throw FittedTransform.damagedFit()
      }
      vocabulary = Vocabulary(words)
      means = columns[1].items?.compactMap(\.number) ?? []
      counts = columns[2].items?.compactMap(\.number) ?? []
      guard means.count == words.count, counts.count == words.count else {
        throw FittedTransform.damagedFit()
      }
    }
    let total = counts.reduce(0, +)
    let all = total > 0 ? zip(means, counts).reduce(0) { $0 + $1.0 * $1.1 } / total : 0
    let encoded =
      [Float(all)]
      + zip(means, counts).map { Float(($0 * $1 + all * smoothing) / max($1 + smoothing, 1e-9)) }
    let id = FittedTransform.lookUp(vocabulary, arguments)
    return FittedTransform(
      overloads: [
        ScalarOverload([.any], returns: .float) { columns, count, _ in
          let texts = try DistinctTexts(columns[0], count)
          let values = try texts.texts.map { try $0.flatMap(id).map { encoded[Int($0)] } }
          let result = Column(flat: .float, count: count)
          let target = result.values(as: Float.self)
          for row in 0..<count {
            target[row] = values[Int(texts.groups[row])] ?? 0
            if values[Int(texts.groups[row])] == nil { result.setNull(row) }
          }
          return result
        }
      ])
  }
}
