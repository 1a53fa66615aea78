import NeuralNet

/// The metrics of an epoch as a JSON object, numbers and matrices by name.
extension EpochReport {
  var metricsJSON: ModelJSON {
    .object(
      metrics.map { metric in
        guard !metric.matrix.isEmpty else { return (metric.name, .number(metric.value)) }
        return (
          metric.name,
          .array(metric.matrix.map { .array($0.map { .number(Double($0)) }) })
        )
      })
  }

  /// From what `metricsJSON` gave; what is anything else is left out.
  static func metrics(_ json: ModelJSON?) -> [Metric] {
    guard case .object(let members)? = json else { return [] }
    return members.compactMap { member in
      if let value = member.value.number { return Metric(name: member.key, value: value) }
      guard let rows = member.value.items else { return nil }
      let matrix = rows.map { row in
        (row.items ?? []).map { $0.number.flatMap { Int(exactly: $0) } ?? 0 }
      }
      return Metric(name: member.key, value: 0, matrix: matrix)
    }
  }
}
