import Columnar
import Diagnostics
import NeuralNet
import Planner

/// PREDICT with a model that has a network for each key: behind the features among the arguments
/// stand the keys. A row with a NULL among what is read, or with a key that has no network, gives
/// NULL.
final class GroupedPredictOperator: RewindableSource {
  private let input: any BatchSource
  private let passed: Int
  private let arguments: [Int]
  private let reads: [Bool]
  private let featureCount: Int
  private let networks: [Weights]
  private let predictor: GroupedPredictor
  private let outputs: [Output]
  /// By the network's output, those that a gradient is asked of.
  private let gradients: [Int: GradientColumns]
  /// A key that no row has must not be an error.
  private let takesUnused: Bool
  private let counters: PredictCounters?

  private enum Output {
    case predicted(PredictedColumn)
    case gradient(GradientColumns, output: Int, feature: Int, Range<Int>, LogicalType)
  }

  init(
    input: any BatchSource, passed: Int, arguments: [Int], model: Model, groups: ModelGroups,
    outputs: [(PredictExpression.Form, LogicalType)], counters: PredictCounters? = nil
  ) throws {
    self.input = input
    self.passed = passed
    self.arguments = arguments
    self.counters = counters
    networks = groups.weights
    takesUnused = !model.refusesUnseenKeys
    let wanted = Array(Set(outputs.map(\.0.output))).sorted()
    let predictor = try GroupedPredictor(model, outputs: wanted, groups: groups)
    self.predictor = predictor
    featureCount = model.transform.features.count
    var gradients: [Int: GradientColumns] = [:]
    self.outputs = try outputs.map { form, type in
      let range = predictor.ranges[wanted.firstIndex(of: form.output) ?? 0]
      if case .gradient(let output, let feature) = form {
        let gradient = try gradients[output] ?? GradientColumns(model, output: output)
        gradients[output] = gradient
        return .gradient(gradient, output: output, feature: feature, range, type)
      }
      return .predicted(
        try PredictedColumn(
          form, type, model: model, range: range, rowWidth: predictor.outputWidth))
    }
    self.gradients = gradients
    // A gradient is taken at all of the inputs.
    reads = gradients.isEmpty ? model.readsFeatures(wanted) : arguments.map { _ in true }
  }

  func rewind() -> Bool { Execution.rewind(input) }

  func next() throws -> Batch? {
    guard let batch = try input.next() else { return nil }
    let made = try DistinctInputs.map(
      arguments.map { batch.columns[$0] }, reads: reads, rows: batch.rowCount,
      takesUnused: takesUnused, run)
    return Batch(
      columns: batch.columns[0..<passed] + made, rowCount: batch.rowCount, sequence: batch.sequence)
  }

  private func run(_ columns: [Column], _ rows: Int) throws -> [Column] {
    let given = columns.map(\.withNullsOfElements)
    let start = counters == nil ? 0 : monotonicNanoseconds()
    let features = try FeatureColumns(
      Array(given.prefix(featureCount)), rows: rows, reads: reads)
    let raw = Buffer(byteCount: max(1, rows * predictor.outputWidth * 4))
    let values = raw.pointer.assumingMemoryBound(to: Float.self)
    values.update(repeating: 0, count: rows * predictor.outputWidth)
    let keyed = try predictor.predict(
      rows: rows, features: features, keys: Array(given.dropFirst(featureCount)),
      rowMajor: values)
    let known = Column(flat: .boolean, count: rows)
    for row in 0..<rows where keyed.isUnknown[row] { known.setNull(row) }
    var slopes: [Int: Column] = [:]
    let made = try outputs.map { output in
      let column: Column
      switch output {
      case .predicted(let predicted): column = try predicted.column(values, rows)
      case .gradient(let gradient, let output, let feature, let range, let type):
        let all =
          slopes[output]
          ?? gradient.compute(
            features, rows: rows, predicted: values, range: range,
            rowWidth: predictor.outputWidth, by: keyed, networks)
        slopes[output] = all
        column = gradient.column(all, feature: feature, rows: rows, type)
      }
      return zip(given, reads).reduce(column.withNulls(of: known)) {
        $1.1 ? $0.withNulls(of: $1.0) : $0
      }
    }
    withExtendedLifetime(raw) {}
    counters?.add(
      distinct: keyed.order.count, batches: keyed.networkCount,
      flopsPerRow: predictor.flopsPerRow, nanoseconds: monotonicNanoseconds() - start)
    return made
  }
}
