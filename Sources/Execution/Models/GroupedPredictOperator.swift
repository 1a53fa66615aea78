import Columnar
import Diagnostics
import NeuralNet
import Planner

/// PREDICT with a model that has a network for each key: behind the features among the arguments
/// stand the keys. A row with a NULL among what is read, or with a key that has no network, gives
/// NULL.
final class GroupedPredictOperator: BatchSource {
  private let input: any BatchSource
  private let passed: Int
  private let arguments: [Int]
  private let reads: [Bool]
  private let featureCount: Int
  private let predictor: GroupedPredictor
  private let outputs: [PredictedColumn]

  init(
    input: any BatchSource, passed: Int, arguments: [Int], model: Model, groups: ModelGroups,
    outputs: [(PredictExpression.Form, LogicalType)]
  ) throws {
    self.input = input
    self.passed = passed
    self.arguments = arguments
    let wanted = Array(Set(outputs.map(\.0.output))).sorted()
    let predictor = try GroupedPredictor(model, outputs: wanted, groups: groups)
    self.predictor = predictor
    reads = model.readsFeatures(wanted)
    featureCount = model.transform.features.count
    self.outputs = try outputs.map { form, type in
      let place = wanted.firstIndex(of: form.output) ?? 0
      return try PredictedColumn(
        form, type, model: model, range: predictor.ranges[place],
        rowWidth: predictor.outputWidth)
    }
  }

  func next() throws -> Batch? {
    guard let batch = try input.next() else { return nil }
    let rows = batch.rowCount
    let given = arguments.map { batch.columns[$0] }
    let features = try FeatureColumns(
      Array(given.prefix(featureCount)), rows: rows, reads: reads)
    let raw = Buffer(byteCount: max(1, rows * predictor.outputWidth * 4))
    let values = raw.pointer.assumingMemoryBound(to: Float.self)
    values.update(repeating: 0, count: rows * predictor.outputWidth)
    let isUnknown = try predictor.predict(
      rows: rows, features: features, keys: Array(given.dropFirst(featureCount)),
      rowMajor: values)
    let known = Column(flat: .boolean, count: rows)
    for row in 0..<rows where isUnknown[row] { known.setNull(row) }
    let made = try outputs.map { output in
      let column = try output.column(values, rows).withNulls(of: known)
      return zip(given, reads).reduce(column) { $1.1 ? $0.withNulls(of: $1.0) : $0 }
    }
    return Batch(
      columns: batch.columns[0..<passed] + made, rowCount: rows, sequence: batch.sequence)
  }
}
