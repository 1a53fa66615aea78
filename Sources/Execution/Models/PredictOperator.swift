import Columnar
import Diagnostics
import NeuralNet
import Planner

/// Runs a model over batches and adds its results as columns. Rows with a NULL among the features
/// that are read give NULL.
///
/// Columns go to the network as they lie: no row is assembled. Where all that varies comes from one
/// dictionary, the network sees each of its values once; where nothing varies, one row.
final class PredictOperator: RewindableSource {
  private let input: any BatchSource
  /// How many of the input's columns are passed on.
  private let passed: Int
  private let arguments: [Int]
  /// Of the arguments, those that the network reads for the outputs wanted.
  private let reads: [Bool]
  private let predictor: Predictor
  private let scratch: PredictorScratch
  private let outputs: [Output]
  /// By the network's output, those that a gradient is asked of.
  private let gradients: [Int: GradientColumns]
  private let counters: PredictCounters?
  private var raw: Buffer
  private let flopsPerRow: Int

  private enum Output {
    case predicted(PredictedColumn)
    case gradient(output: Int, feature: Int, Range<Int>, LogicalType)
  }

  init(
    input: any BatchSource, passed: Int, arguments: [Int], model: Model,
    outputs: [(PredictExpression.Form, LogicalType)], counters: PredictCounters? = nil
  ) throws {
    self.input = input
    self.passed = passed
    self.arguments = arguments
    self.counters = counters
    let wanted = Array(Set(outputs.map(\.0.output))).sorted()
    let predictor = try model.predictor(wanted)
    self.predictor = predictor
    scratch = try predictor.makeScratch()
    var gradients: [Int: GradientColumns] = [:]
    self.outputs = try outputs.map { form, type in
      let place = wanted.firstIndex(of: form.output) ?? 0
      let range = predictor.ranges[place]
      if case .gradient(let output, let feature) = form {
        if gradients[output] == nil {
          gradients[output] = try GradientColumns(model, output: output)
        }
        return .gradient(output: output, feature: feature, range, type)
      }
      return .predicted(
        try PredictedColumn(
          form, type, model: model, range: range, rowWidth: predictor.outputWidth))
    }
    self.gradients = gradients
    // A gradient is taken at all of the inputs.
    reads =
      gradients.isEmpty
      ? model.readsFeatures(wanted) : model.transform.features.map { _ in true }
    flopsPerRow = predictor.flopsPerRow
    raw = Buffer(byteCount: 0)
  }

  func rewind() -> Bool { Execution.rewind(input) }

  func next() throws -> Batch? {
    guard let batch = try input.next() else { return nil }
    let made = try DistinctInputs.map(
      arguments.map { batch.columns[$0] }, reads: reads, rows: batch.rowCount, run)
    return Batch(
      columns: batch.columns[0..<passed] + made, rowCount: batch.rowCount, sequence: batch.sequence)
  }

  private func run(_ given: [Column], _ rows: Int) throws -> [Column] {
    let columns = given.map(\.withNullsOfElements)
    let start = counters == nil ? 0 : monotonicNanoseconds()
    let features = try FeatureColumns(columns, rows: rows, reads: reads)
    let bytes = rows * predictor.outputWidth * 4
    if raw.byteCount < bytes { raw = Buffer(byteCount: bytes) }
    let values = raw.pointer.assumingMemoryBound(to: Float.self)
    features.withPointers { pointers in
      predictor.predict(rows: rows, columns: pointers, rowMajor: values, scratch: scratch)
    }
    var slopes: [Int: Column] = [:]
    let made = try outputs.map { output in
      let column: Column
      switch output {
      case .predicted(let predicted): column = try predicted.column(values, rows)
      case .gradient(let output, let feature, let range, let type):
        guard let gradient = gradients[output] else {
          throw SQLError(.internal, "no gradient was made for an output")
        }
        let all =
          slopes[output]
          ?? gradient.compute(
            features, rows: rows, predicted: values, range: range,
            rowWidth: predictor.outputWidth)
        slopes[output] = all
        column = gradient.column(all, feature: feature, rows: rows, type)
      }
      return zip(columns, reads).reduce(column) { $1.1 ? $0.withNulls(of: $1.0) : $0 }
    }
    counters?.add(
      distinct: rows, flopsPerRow: flopsPerRow, nanoseconds: monotonicNanoseconds() - start)
    return made
  }
}
