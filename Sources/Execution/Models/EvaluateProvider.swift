import Columnar
import Diagnostics
import Glibc
import NeuralNet
import Planner

func logarithm(_ value: Double) -> Double { Glibc.log(value) }

/// EVALUATE MODEL as a source of rows: one per group, with the metrics as columns. Of several
/// outputs each has its own, after its name.
final class EvaluateProvider: RunnableRowProvider, Sendable {
  let model: Model
  let metrics: [ChosenMetric]
  let groups: [Field]

  init(model: Model, metrics: [ChosenMetric], groups: [Field]) {
    self.model = model
    self.metrics = metrics
    self.groups = groups
  }

  var title: String { "Evaluate" }
  var details: [String] {
    [
      "model: \(model.name) \(model.versionLabel)",
      "metrics: " + metrics.map(\.column).joined(separator: ", "),
    ]
  }
  var schema: [Field] {
    groups + [Field("rows", .bigint)] + metrics.map { Field($0.column, $0.metric.type) }
  }

  func run(input: (any BatchSource)?, query: QueryContext) throws -> any BatchSource {
    guard let input else { throw SQLError(.internal, "EVALUATE has no input") }
    return try EvaluateSource(provider: self, input: input, query: query)
  }
}

private final class EvaluateSource: BatchSource {
  private let provider: EvaluateProvider
  private var input: (any BatchSource)?
  private let query: QueryContext
  private let predict: (FeatureColumns, [Column], Int, UnsafeMutablePointer<Float>) throws -> [Bool]
  private let ranges: [Range<Int>]
  private let outputWidth: Int
  /// By group, then by output.
  private var groups: [[EvaluatedRows]] = []

  init(provider: EvaluateProvider, input: any BatchSource, query: QueryContext) throws {
    self.provider = provider
    self.input = input
    self.query = query
    let outputs = Array(provider.model.outputs.indices)
    if let networks = provider.model.groups {
      let predictor = try GroupedPredictor(provider.model, outputs: outputs, groups: networks)
      (ranges, outputWidth) = (predictor.ranges, predictor.outputWidth)
      predict = {
        try predictor.predict(rows: $2, features: $0, keys: $1, rowMajor: $3).isUnknown
      }
    } else {
      let predictor = try provider.model.predictor(outputs)
      let scratch = try predictor.makeScratch()
      (ranges, outputWidth) = (predictor.ranges, predictor.outputWidth)
      predict = { features, _, rows, target in
        features.withPointers {
          predictor.predict(rows: rows, columns: $0, rowMajor: target, scratch: scratch)
        }
        return []
      }
    }
  }

  func next() throws -> Batch? {
    guard let source = input else { return nil }
    input = nil
    let table = GroupTable(provider.groups.isEmpty ? [.boolean] : provider.groups.map(\.type))
    while let batch = try source.next() {
      try query.checkCancelled()
      try add(batch, table)
    }
    if provider.groups.isEmpty, groups.isEmpty { groups = [newGroup()] }
    if groups.isEmpty { return nil }
    var columns = provider.groups.isEmpty ? [] : table.keys(first: 0, count: groups.count)
    let counts = Column(flat: .bigint, count: groups.count)
    for (row, group) in groups.enumerated() {
      counts.values(as: Int64.self)[row] = Int64(group[0].judged)
    }
    columns.append(counts)
    for chosen in provider.metrics {
      if let matrix = chosen.metric.matrix {
        var builder = ColumnBuilder(chosen.metric.type, capacity: groups.count)
        for group in groups { try builder.append(.matrix(matrix(group[chosen.output]))) }
        columns.append(builder.finish())
        continue
      }
      let column = Column(flat: .double, count: groups.count)
      let values = column.values(as: Double.self)
      for (row, group) in groups.enumerated() {
        values[row] = 0
        if let value = chosen.metric.compute(group[chosen.output]) {
          values[row] = value
        } else {
          column.setNull(row)
        }
      }
      columns.append(column)
    }
    return Batch(columns: columns, rowCount: groups.count)
  }

  private func newGroup() -> [EvaluatedRows] {
    let model = provider.model
    return model.outputs.indices.map { output in
      var rows = EvaluatedRows()
      let width = ranges[output].count
      rows.classCount = Metrics.isClassifier(model, output) ? max(width, 2) : 0
      rows.threshold = model.definition.options.threshold
      return rows
    }
  }

  private func add(_ given: Batch, _ table: GroupTable) throws {
    let batch = Batch(
      columns: given.columns.map(\.withNullsOfElements), rowCount: given.rowCount)
    let model = provider.model
    let rows = batch.rowCount
    let inputCount = model.transform.features.count
    let outputCount = model.outputs.count
    let features = try FeatureColumns(Array(batch.columns[0..<inputCount]), rows: rows)
    let firstGroup = inputCount + outputCount
    let firstKey = firstGroup + provider.groups.count
    var raw = [Float](repeating: 0, count: rows * outputWidth)
    let isUnknown = try raw.withUnsafeMutableBufferPointer { buffer in
      try buffer.baseAddress.map {
        try predict(features, Array(batch.columns[firstKey...]), rows, $0)
      } ?? []
    }
    var ids = [UInt32](repeating: 0, count: rows)
    let keys =
      provider.groups.isEmpty
      ? [try Column.constant(.boolean(true), .boolean, count: rows)]
      : Array(batch.columns[firstGroup..<firstKey])
    table.lookUp(keys, count: rows, groups: &ids)
    while groups.count < table.count { groups.append(newGroup()) }
    let nullable = (0..<inputCount + outputCount).filter { batch.columns[$0].mayHaveNulls }
    // As PREDICT gives NULL for a NULL input, and for a key without a network, such rows are not
    // judged.
    let judged = (0..<rows).filter { row in
      (isUnknown.isEmpty || !isUnknown[row]) && !nullable.contains { batch.columns[$0].isNull(row) }
    }
    for output in 0..<outputCount {
      let labels = try labelValues(batch.columns[inputCount + output], output, rows)
      let range = ranges[output]
      let isWide = range.count > 1 || !Metrics.isClassifier(model, output)
      for row in judged {
        let start = row * outputWidth + range.lowerBound
        let group = Int(ids[row])
        let width = labels.count / rows
        groups[group][output].judged += 1
        groups[group][output].labels += labels[row * width..<(row + 1) * width]
        if isWide {
          groups[group][output].scores += raw[start..<start + range.count]
        } else {
          groups[group][output].scores += [1 - raw[start], raw[start]]
        }
      }
    }
  }

  /// The label as a number, or as the position of its class; the numbers of an array row by row.
  private func labelValues(_ label: Column, _ output: Int, _ rows: Int) throws -> [Double] {
    let model = provider.model
    let definition = model.definition.outputs[output]
    if definition.kind == .number, definition.field.type.elementType != nil {
      let width = ModelDefinition.width(of: definition.field.type)
      return try FeatureColumns([label], rows: rows).keepingAlive { pointers in
        (0..<rows * width).map { Double(pointers[$0 % width][$0 / width]) }
      }
    }
    if definition.kind == .number {
      let column = try castColumn(label, to: .double).flattened()
      let values = (0..<rows).map { column.values(as: Double.self)[$0] }
      guard Metrics.isClassifier(model, output) else { return values }
      // A probability is judged by what happened or did not.
      for row in 0..<rows where values[row] != 0 && values[row] != 1 && !column.isNull(row) {
        throw SQLError(
          .model,
          "a label to evaluate is \(values[row]): output \"\(definition.field.name)\" of model "
            + "\"\(model.name)\" is a probability, its labels are 0 and 1")
      }
      return values.map { $0 == 1 ? 1 : 0 }
    }
    let table = GroupTable([label.type])
    var ids = [UInt32](repeating: 0, count: rows)
    table.lookUp([label], count: rows, groups: &ids)
    let known = table.keys(first: 0, count: table.count)[0]
    let classes = model.state.classes[output]
    let positions = try (0..<table.count).map { row -> Double in
      let value = known.value(row)
      if value.isNull { return 0 }
      guard let position = classes.firstIndex(of: value) else {
        throw SQLError(
          .model,
          "a label to evaluate is no class of model \"\(model.name)\": "
            + ModelKeys.text([value], [Field(definition.field.name, label.type)]),
          hint: "its classes are " + model.classNames[output].joined(separator: ", "))
      }
      return Double(position)
    }
    return ids.map { positions[Int($0)] }
  }
}
