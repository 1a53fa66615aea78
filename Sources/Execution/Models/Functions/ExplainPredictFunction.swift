import Columnar
import Diagnostics
import NeuralNet

extension ModelFunction {
  /// Integrated gradients, Sundararajan et al. 2017: what each feature adds to the prediction on the
  /// straight way from all zeros (for standardized features: the mean) to the row.
  static let explainPredict = ModelFunction(
    "explain_predict", takesRows: true, options: ["top_k", "steps", "output"],
    summary: "each row, and the features that moved its prediction most",
    example: "SELECT explanation FROM explain_predict(MODEL m, TABLE t, top_k => 3)"
  ) { call in
    var output = 0
    if case .varchar(let name)? = call.options["output"] {
      guard let index = call.model.network.outputIndex(name) else {
        throw SQLError(
          .model, "model \"\(call.model.name)\" has no output \"\(name)\"", at: call.span,
          hint: didYouMean(name, among: call.model.outputs.map(\.name)))
      }
      output = index
    }
    return ExplainPredictProvider(
      model: call.model, rows: call.rows, output: output, top: try call.integer("top_k", 3),
      steps: min(try call.integer("steps", 32), 10_000))
  }
}

private final class ExplainPredictProvider: RunnableRowProvider, Sendable {
  let model: Model
  let rows: [Field]
  let output: Int
  let top: Int
  let steps: Int

  init(model: Model, rows: [Field], output: Int, top: Int, steps: Int) {
    self.model = model
    self.rows = rows
    self.output = output
    self.top = top
    self.steps = steps
  }

  var title: String { "Explain predict" }
  var details: [String] { ["model: \(model.name) \(model.versionLabel)"] }
  static let element = LogicalType.structure([
    Field("feature", .varchar), Field("attribution", .float),
  ])
  var schema: [Field] { rows + [Field("explanation", .list(Self.element))] }

  func run(input: (any BatchSource)?, query: QueryContext) throws -> any BatchSource {
    guard let input else { throw SQLError(.internal, "explain_predict has no input") }
    let weights = try RowWeights(model)
    let definition = model.definition.outputs[output]
    let form: OutputForm =
      definition.kind == .number
      ? .raw : .probabilities(loss: model.definition.options.training.lossName(of: definition))
    return ExplainPredictSource(
      provider: self, input: input,
      gradient: try InputGradient(
        network: model.network, weights: weights.all[0], output: output, form: form),
      predictor: try model.predictor([output], weights.all[0]), weights: weights)
  }
}

private final class ExplainPredictSource: BatchSource {
  private let provider: ExplainPredictProvider
  private let input: any BatchSource
  private let gradient: InputGradient
  private let predictor: Predictor
  private let weights: RowWeights

  init(
    provider: ExplainPredictProvider, input: any BatchSource, gradient: InputGradient,
    predictor: Predictor, weights: RowWeights
  ) {
    self.provider = provider
    self.input = input
    self.gradient = gradient
    self.predictor = predictor
    self.weights = weights
  }

  func next() throws -> Batch? {
    guard let batch = try input.next() else { return nil }
    let features = provider.model.transform.features
    let passed = features.count + provider.model.keys.count
    let given = batch.columns.prefix(features.count).map(\.withNullsOfElements)
    var explanations = [Value](repeating: .null, count: batch.rowCount)
    try weights.forEachNetwork(
      keys: Array(batch.columns[features.count..<passed]), rows: batch.rowCount,
      where: { row in !given.contains { $0.isNull(row) } }
    ) { network, rows in
      let selection = Selection(rows)
      let columns = try FeatureColumns(
        given.map { Column.dictionary($0, selection).flattened() }, rows: rows.count)
      let attributions = try integrate(columns, rows: rows.count, weights.all[network])
      for (place, row) in rows.enumerated() {
        explanations[row] = explanation(attributions, place)
      }
    }
    var builder = ColumnBuilder(.list(ExplainPredictProvider.element), capacity: batch.rowCount)
    for explanation in explanations { try builder.append(explanation) }
    return Batch(
      columns: batch.columns.dropFirst(passed) + [builder.finish()],
      rowCount: batch.rowCount, sequence: batch.sequence)
  }

  /// The features that moved a row's prediction most; those of several values count as one.
  private func explanation(_ attributions: [[Float]], _ row: Int) -> Value {
    var place = 0
    let sums = provider.model.transform.features.map { feature -> (name: String, value: Float) in
      let width = ModelDefinition.width(of: feature.type)
      defer { place += width }
      return (feature.name, (place..<place + width).reduce(0) { $0 + attributions[$1][row] })
    }
    let best = sums.enumerated().sorted {
      (abs($0.element.value), $1.offset) > (abs($1.element.value), $0.offset)
    }.prefix(provider.top)
    return .list(best.map { .structure([.varchar($0.element.name), .float($0.element.value)]) })
  }

  /// By input, then by row: the row's value times the mean slope on the way to it.
  private func integrate(_ columns: FeatureColumns, rows: Int, _ weights: Weights) throws
    -> [[Float]]
  {
    let width = predictor.inputWidth
    let units = try self.units(columns, rows, weights)
    var sums = [[Float]](repeating: [Float](repeating: 0, count: rows), count: width)
    let place = Column(flat: .float, count: max(1, width * rows))
    let slope = Column(flat: .float, count: max(1, width * rows))
    let points = place.values(as: Float.self)
    let slopes = slope.values(as: Float.self)
    columns.keepingAlive { given in
      let inputs = (0..<width).map { UnsafePointer(points + $0 * rows) }
      let outputs = (0..<width).map { slopes + $0 * rows }
      for step in 0..<provider.steps {
        let share = (Float(step) + 0.5) / Float(provider.steps)
        for index in 0..<width {
          for row in 0..<rows { points[index * rows + row] = given[index][row] * share }
        }
        inputs.withUnsafeBufferPointer { inputs in
          outputs.withUnsafeBufferPointer { outputs in
            units.withUnsafeBufferPointer { units in
              guard let from = inputs.baseAddress, let to = outputs.baseAddress,
                let unit = units.baseAddress
              else { return }
              gradient.compute(
                rows: rows, columns: from, units: unit, into: to, weights: weights)
            }
          }
        }
        for index in 0..<width {
          for row in 0..<rows { sums[index][row] += slopes[index * rows + row] }
        }
      }
      for index in 0..<width {
        for row in 0..<rows { sums[index][row] *= given[index][row] / Float(provider.steps) }
      }
    }
    withExtendedLifetime((place, slope)) {}
    return sums
  }

  /// The class that is predicted for each row; 0 for a number.
  private func units(_ columns: FeatureColumns, _ rows: Int, _ weights: Weights) throws -> [Int32] {
    let width = predictor.outputWidth
    var units = [Int32](repeating: 0, count: rows)
    if provider.model.definition.outputs[provider.output].kind != .classes { return units }
    var raw = [Float](repeating: 0, count: rows * width)
    let scratch = try predictor.makeScratch()
    raw.withUnsafeMutableBufferPointer { buffer in
      guard let target = buffer.baseAddress else { return }
      columns.withPointers {
        predictor.predict(
          rows: rows, columns: $0, rowMajor: target, scratch: scratch, weights: weights)
      }
    }
    for row in 0..<rows {
      for unit in 1..<max(width, 1)
      where raw[row * width + unit] > raw[row * width + Int(units[row])] {
        units[row] = Int32(truncatingIfNeeded: unit)
      }
    }
    return units
  }
}
