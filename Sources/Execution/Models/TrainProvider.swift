import Columnar
import Diagnostics
import NeuralNet
import Planner
import Syntax

/// TRAIN MODEL as a source of rows: reads its query, trains, gives a row per epoch, and adds the
/// weights to the model as a new version when it ends: a part of the statement's writes, so that a
/// failure or ROLLBACK leaves the model as it was. Runs to its end whoever reads it.
final class TrainProvider: RowProvider, Sendable {
  let entry: ModelEntry
  let key: CatalogState.Key
  let target: any ModelTarget
  let options: ModelOptions
  let validationFraction: Double
  let hasAccuracy: Bool
  /// The column of the label.
  let label: String
  let onProgress: @Sendable (String?) -> Void

  init(
    entry: ModelEntry, key: CatalogState.Key, target: any ModelTarget, options: ModelOptions,
    validationFraction: Double, label: String,
    onProgress: @escaping @Sendable (String?) -> Void
  ) {
    self.entry = entry
    self.key = key
    self.target = target
    self.options = options
    self.validationFraction = validationFraction
    self.label = label
    self.onProgress = onProgress
    let loss = (options.training.loss ?? "mse").lowercased()
    hasAccuracy =
      entry.definition.outputKind != .number || loss.contains("bce")
      || loss.contains("crossentropy")
  }

  var title: String { "Train" }

  var details: [String] {
    let network = entry.definition.network
    return [
      "model: \(entry.definition.name)",
      "network: " + network.layers.map(\.description).joined(separator: ", "),
      "parameters: \(network.parameterCount)",
    ]
  }

  var schema: [Field] {
    var fields = [
      Field("version", .integer), Field("epoch", .integer), Field("loss", .double),
      Field("val_loss", .double),
    ]
    if hasAccuracy { fields += [Field("accuracy", .double), Field("val_accuracy", .double)] }
    return fields + [
      Field("learning_rate", .double), Field("rows", .bigint), Field("seconds", .double),
      Field("best", .boolean), Field("stop_reason", .varchar),
    ]
  }

  func source(_ input: TrainInput, query: QueryContext) -> any CompletingSource {
    TrainSource(provider: self, input: input, query: query)
  }
}

/// The rows that TRAIN reads: the model's inputs, its label.
struct TrainInput {
  let plan: Plan
  /// These expressions over the plan's rows.
  let open: ([Expression]) throws -> any BatchSource
  /// Another plan over the same rows, run to its end.
  let run: (Plan) throws -> [[Value]]
}

/// The running of one TRAIN.
private final class TrainSource: CompletingSource {
  private let provider: TrainProvider
  private var input: TrainInput?
  private let query: QueryContext
  private var trainer: Trainer?
  private var state = ModelState()
  private var reports: [EpochReport] = []
  private var isFinished = false
  private let memory: MemoryHolder

  init(provider: TrainProvider, input: TrainInput, query: QueryContext) {
    self.provider = provider
    self.input = input
    self.query = query
    memory = MemoryHolder(query.memory, "TRAIN")
  }

  func next() throws -> Batch? {
    if isFinished { return nil }
    do {
      try prepare()
      guard let trainer, let report = try trainer.nextEpoch() else {
        isFinished = true
        try publish()
        return nil
      }
      reports.append(report)
      provider.onProgress(
        "epoch \(report.epoch)/\(provider.options.training.epochs), loss \(rounded(report.loss))")
      return try row(report)
    } catch {
      isFinished = true
      provider.onProgress(nil)
      // Places in the text of CREATE MODEL are none in this statement's.
      guard var mistake = error as? SQLError else { throw error }
      mistake.span = nil
      throw mistake
    }
  }

  func complete() throws { while try next() != nil {} }

  private func publish() throws {
    provider.onProgress(nil)
    guard let trainer else { return }
    var entry = provider.target.model(provider.key) ?? provider.entry
    try entry.add(
      weights: trainer.weights, state: state, epochs: reports)
    provider.target.publish(entry, at: provider.key)
    self.trainer = nil
  }

  private func prepare() throws {
    guard trainer == nil, let input else { return }
    self.input = nil
    let definition = provider.entry.definition
    provider.onProgress("reading")
    if definition.transform.needsFit {
      state.transforms = try TransformFitting(
        transform: definition.transform,
        columns: definition.inputs + [definition.output], label: definition.output,
        rows: input.plan, run: input.run
      ).states()
    }
    let transform = try definition.transform.bound(state.transforms)
    let columns = input.plan.output.map { Expression.column($0) }
    let source = try input.open(
      transform.features(of: Array(columns.prefix(definition.inputs.count)))
        + columns.dropFirst(definition.inputs.count))
    let reader = TrainingReader(
      definition: definition, nulls: provider.options.nulls,
      width: transform.features.reduce(0) { $0 + ModelDefinition.width(of: $1.type) },
      columnNames: transform.features.map(\.name) + [provider.label])
    while let batch = try source.next() {
      try query.checkCancelled()
      try reader.append(batch)
      try memory.hold(reader.byteCount)
    }
    state.classes = try reader.findClasses()
    let network = try definition.network(for: state).network
    var training = try reader.finish(state.classes, network)
    var validation: TrainingSet?
    var options = provider.options.training
    if provider.validationFraction > 0 {
      let parts = try training.split(fraction: provider.validationFraction, seed: options.seed)
      (training, validation) = parts
    }
    let weights = try Weights(
      network: network, initializer: options.initializer, seed: options.seed)
    if options.threads == 0 { options.threads = query.workerCount }
    let context = query
    trainer = try Trainer(
      network: network, weights: weights, training: training, validation: validation,
      options: options, isCancelled: { context.isCancelled })
  }

  private func row(_ report: EpochReport) throws -> Batch {
    var values: [Value] = [
      .integer(Int128(provider.entry.lastVersion + 1)), .integer(Int128(report.epoch)),
      .double(report.loss), report.validationLoss.map { .double($0) } ?? .null,
    ]
    if provider.hasAccuracy {
      for name in ["accuracy", "val_accuracy"] {
        values.append(report.metrics.first { $0.name == name }.map { .double($0.value) } ?? .null)
      }
    }
    values += [
      .double(report.learningRate), .integer(Int128(report.rows)), .double(report.seconds),
      .boolean(report.best), report.stopReason.map { .varchar($0) } ?? .null,
    ]
    let columns = try zip(values, provider.schema).map { value, field in
      var builder = ColumnBuilder(field.type, capacity: 1)
      try builder.append(value)
      return builder.finish()
    }
    return Batch(columns: columns, rowCount: 1)
  }

  private func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
