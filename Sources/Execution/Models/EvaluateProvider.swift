import Columnar
import Diagnostics
import Glibc
import NeuralNet
import Planner

func logarithm(_ value: Double) -> Double { Glibc.log(value) }

/// EVALUATE MODEL as a source of rows: one per group, with the metrics as columns.
final class EvaluateProvider: RunnableRowProvider, Sendable {
  let model: Model
  let metrics: [Metric]
  let groups: [Field]

  init(model: Model, metrics: [Metric], groups: [Field]) {
    self.model = model
    self.metrics = metrics
    self.groups = groups
  }

  var title: String { "Evaluate" }
  var details: [String] {
    [
      "model: \(model.name) \(model.versionLabel)",
      "metrics: " + metrics.map(\.name).joined(separator: ", "),
    ]
  }
  var schema: [Field] {
    groups + [Field("rows", .bigint)] + metrics.map { Field($0.name, .double) }
  }

  func run(input: (any BatchSource)?, query: QueryContext) throws -> any BatchSource {
    guard let input else { throw SQLError(.internal, "EVALUATE has no input") }
    return EvaluateSource(provider: self, input: input, query: query)
  }
}

private final class EvaluateSource: BatchSource {
  private let provider: EvaluateProvider
  private var input: (any BatchSource)?
  private let query: QueryContext

  init(provider: EvaluateProvider, input: any BatchSource, query: QueryContext) {
    self.provider = provider
    self.input = input
    self.query = query
  }

  func next() throws -> Batch? {
    guard let source = input else { return nil }
    input = nil
    let table = GroupTable(provider.groups.isEmpty ? [.boolean] : provider.groups.map(\.type))
    var groups: [EvaluatedRows] = []
    while let batch = try source.next() {
      try query.checkCancelled()
      try add(batch, table, &groups)
    }
    if provider.groups.isEmpty, groups.isEmpty { groups = [EvaluatedRows()] }
    if groups.isEmpty { return nil }
    var columns = provider.groups.isEmpty ? [] : table.keys(first: 0, count: groups.count)
    let counts = Column(flat: .bigint, count: groups.count)
    for (row, group) in groups.enumerated() {
      counts.values(as: Int64.self)[row] = Int64(group.count)
    }
    columns.append(counts)
    for metric in provider.metrics {
      let column = Column(flat: .double, count: groups.count)
      let values = column.values(as: Double.self)
      for (row, group) in groups.enumerated() {
        values[row] = 0
        if let value = metric.compute(group) { values[row] = value } else { column.setNull(row) }
      }
      columns.append(column)
    }
    return Batch(columns: columns, rowCount: groups.count)
  }

  private func add(_ batch: Batch, _ table: GroupTable, _ groups: inout [EvaluatedRows]) throws {
    let model = provider.model
    let rows = batch.rowCount
    let inputCount = model.transform.features.count
    guard let predictor = model.predictor else { return }
    let features = try FeatureColumns(Array(batch.columns[0..<inputCount]), rows: rows)
    let width = predictor.outputWidth
    var raw = [Float](repeating: 0, count: rows * width)
    let scratch = try predictor.makeScratch()
    raw.withUnsafeMutableBufferPointer { buffer in
      guard let target = buffer.baseAddress else { return }
      features.withPointers {
        predictor.predict(rows: rows, columns: $0, rowMajor: target, scratch: scratch)
      }
    }
    let label = batch.columns[inputCount]
    let labels = try labelValues(label, rows)
    var ids = [UInt32](repeating: 0, count: rows)
    let keys =
      provider.groups.isEmpty
      ? [try Column.constant(.boolean(true), .boolean, count: rows)]
      : Array(batch.columns[(inputCount + 1)...])
    table.lookUp(keys, count: rows, groups: &ids)
    let isClass = Metrics.isClassifier(model)
    let isWide = width > 1 || !isClass
    while groups.count < table.count {
      var group = EvaluatedRows()
      group.classCount = isClass ? max(width, 2) : 0
      group.threshold = model.definition.threshold
      groups.append(group)
    }
    let nullable = (0...inputCount).filter { batch.columns[$0].mayHaveNulls }
    for row in 0..<rows {
      // As PREDICT gives NULL for a NULL input, such rows are not judged.
      if nullable.contains(where: { batch.columns[$0].isNull(row) }) { continue }
      let group = Int(ids[row])
      groups[group].labels.append(labels[row])
      if isWide {
        for index in 0..<width { groups[group].scores.append(raw[row * width + index]) }
      } else {
        groups[group].scores.append(1 - raw[row])
        groups[group].scores.append(raw[row])
      }
    }
  }

  /// The label as a number, or as the position of its class.
  private func labelValues(_ label: Column, _ rows: Int) throws -> [Double] {
    let model = provider.model
    if model.definition.outputKind == .number {
      let column = try castColumn(label, to: .double).flattened()
      return (0..<rows).map { column.values(as: Double.self)[$0] }
    }
    let table = GroupTable([label.type])
    var ids = [UInt32](repeating: 0, count: rows)
    table.lookUp([label], count: rows, groups: &ids)
    let known = table.keys(first: 0, count: table.count)[0]
    let positions = try (0..<table.count).map { row -> Double in
      let value = known.value(row)
      if value.isNull { return 0 }
      guard let position = model.classes.firstIndex(of: value) else {
        throw SQLError(
          .model, "a label to evaluate is no class of model \"\(model.name)\": \(value)")
      }
      return Double(position)
    }
    return ids.map { positions[Int($0)] }
  }
}
