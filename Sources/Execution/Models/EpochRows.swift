import Columnar
import NeuralNet

/// Makes the rows of TRAIN out of epochs.
struct EpochRows {
  /// A row: of an epoch, or of a network whose training failed. A class, since each column's loop
  /// passes all of them about.
  final class Row {
    /// Empty without FOR EACH.
    let key: [Value]
    let report: EpochReport?
    /// Why it failed.
    let failure: String?

    init(key: [Value] = [], report: EpochReport? = nil, failure: String? = nil) {
      self.key = key
      self.report = report
      self.failure = failure
    }
  }

  private let keys: [Field]
  private let schema: [Field]
  /// The value in each column but the last, which says too why a training failed.
  private let values: [@Sendable (Row) -> Value]

  /// With the columns of FOR EACH in front.
  init(_ provider: TrainProvider, keys: [Field]) {
    let version = provider.entry.lastVersion + 1
    self.keys = keys
    schema = provider.epochSchema
    let metrics: [@Sendable (Row) -> Value] = provider.metricFields.map { field in
      { row in
        row.report?.metrics.first { $0.name == field.name }?.sqlValue ?? .null
      }
    }
    values =
      [
        { $0.report == nil ? .null : .integer(Int128(version)) },
        { Self.integer($0.report?.epoch) }, { Self.double($0.report?.loss) },
        { Self.double($0.report?.validationLoss) },
      ] + metrics + [
        { Self.double($0.report?.learningRate) }, { Self.integer($0.report?.rows) },
        { Self.double($0.report?.seconds) },
        { ($0.report?.best).map { .boolean($0) } ?? .null },
      ]
  }

  private static func integer(_ value: Int?) -> Value {
    value.map { .integer(Int128($0)) } ?? .null
  }

  private static func double(_ value: Double?) -> Value {
    value.map { .double($0) } ?? .null
  }

  /// Column by column: FOR EACH has many rows.
  func batch(_ rows: [Row]) throws -> Batch {
    var columns: [Column] = []
    for (index, field) in keys.enumerated() {
      columns.append(try column(field, rows) { $0.key[index] })
    }
    for (field, value) in zip(schema, values) {
      columns.append(try column(field, rows, value))
    }
    if let last = schema.last {
      columns.append(
        try column(last, rows) { row in
          if let reason = row.report?.stopReason { return .varchar(reason) }
          return row.report == nil ? .varchar("failed: " + (row.failure ?? "unknown")) : .null
        })
    }
    return Batch(columns: columns, rowCount: rows.count)
  }

  private func column(_ field: Field, _ rows: [Row], _ value: (Row) -> Value) throws -> Column {
    var builder = ColumnBuilder(field.type, capacity: rows.count)
    for row in rows { try builder.append(value(row)) }
    return builder.finish()
  }
}
