import Columnar
import NeuralNet

/// Makes the rows of TRAIN out of epochs.
struct EpochRows {
  /// A row: of an epoch, or of a network whose training failed.
  struct Row {
    /// Empty without FOR EACH.
    var key: [Value] = []
    var report: EpochReport?
    /// Why it failed.
    var failure: String?
  }

  private let version: Int
  private let keys: [Field]
  private let schema: [Field]
  private let metrics: [Field]

  /// With the columns of FOR EACH in front.
  init(_ provider: TrainProvider, keys: [Field]) {
    version = provider.entry.lastVersion + 1
    self.keys = keys
    schema = provider.epochSchema
    metrics = provider.metricFields
  }

  func batch(_ rows: [Row]) throws -> Batch {
    var builders = (keys + schema).map { ColumnBuilder($0.type, capacity: rows.count) }
    for row in rows {
      let values = row.key + (row.report.map { self.values($0) } ?? failed(row))
      for (index, value) in values.enumerated() { try builders[index].append(value) }
    }
    return Batch(columns: builders.indices.map { builders[$0].finish() }, rowCount: rows.count)
  }

  private func values(_ report: EpochReport) -> [Value] {
    [
      .integer(Int128(version)), .integer(Int128(report.epoch)), .double(report.loss),
      report.validationLoss.map { .double($0) } ?? .null,
    ]
      + metrics.map { field in
        report.metrics.first { $0.name == field.name }?.sqlValue ?? .null
      } + [
        .double(report.learningRate), .integer(Int128(report.rows)), .double(report.seconds),
        .boolean(report.best), report.stopReason.map { .varchar($0) } ?? .null,
      ]
  }

  private func failed(_ row: Row) -> [Value] {
    [Value](repeating: .null, count: schema.count - 1)
      + [.varchar("failed: " + (row.failure ?? "unknown"))]
  }
}
