import Columnar
import Diagnostics
import NeuralNet
import Planner
import Syntax

/// TRAIN MODEL as a source of rows: reads its query, trains, gives a row per epoch, and adds the
/// weights to the model as a new version when it ends: a part of the statement's writes, so that a
/// failure or ROLLBACK leaves the model as it was. Runs to its end whoever reads it.
final class TrainProvider: TrainingRowProvider, Sendable {
  let entry: ModelEntry
  let key: CatalogState.Key
  let target: any ModelTarget
  let statement: TrainModel
  let options: ModelOptions
  let query: TrainQuery
  /// The columns of the outputs.
  let labels: [String]
  /// The version to go on from.
  let start: Model?
  let stop: StopCondition?
  let onProgress: @Sendable (String?) -> Void

  init(
    _ statement: TrainModel, entry: ModelEntry, key: CatalogState.Key, target: any ModelTarget,
    options: ModelOptions, query: TrainQuery, labels: [String], start: Model?,
    onProgress: @escaping @Sendable (String?) -> Void
  ) throws {
    self.statement = statement
    self.entry = entry
    self.key = key
    self.target = target
    self.options = options
    self.query = query
    self.labels = labels
    self.start = start
    self.onProgress = onProgress
    stop = try statement.stopWhen.map {
      try StopCondition($0, schema: Self.schema(of: entry.definition, options))
    }
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

  var schema: [Field] { Self.schema(of: entry.definition, options) }

  private static func schema(of definition: ModelDefinition, _ options: ModelOptions) -> [Field] {
    [
      Field("version", .integer), Field("epoch", .integer), Field("loss", .double),
      Field("val_loss", .double),
    ] + metricNames(definition, options).map { Field($0, .double) } + [
      Field("learning_rate", .double), Field("rows", .bigint), Field("seconds", .double),
      Field("best", .boolean), Field("stop_reason", .varchar),
    ]
  }

  /// The metrics that the trainer reports, by the names that it gives them.
  static func metricNames(_ definition: ModelDefinition, _ options: ModelOptions) -> [String] {
    let outputs = definition.outputs
    let names = outputs.flatMap { output -> [String] in
      let prefix = outputs.count == 1 ? "" : "\(output.field.name)_"
      let loss = try? LossDefinition.named(options.training.lossName(of: output))
      var names = outputs.count == 1 ? [] : ["\(prefix)loss"]
      if loss?.kind != .regression { names.append("\(prefix)accuracy") }
      return names
    }
    return names.flatMap { [$0, "val_\($0)"] }
  }

  func source(_ input: TrainInput, query: QueryContext) -> any CompletingSource {
    TrainSource(provider: self, input: input, query: query)
  }
}

/// What runs a training: it reads its rows in its own way, and more than once.
protocol TrainingRowProvider: RowProvider {
  func source(_ input: TrainInput, query: QueryContext) -> any CompletingSource
}

/// The rows that TRAIN reads: the model's inputs, its labels, and the marks of `TrainQuery`.
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
  private var bestEpoch = 0
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
      if let row = try nextRow() { return row }
      isFinished = true
      try publish()
      return nil
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

  private func nextRow() throws -> Batch? {
    try prepare()
    guard let trainer, var report = try trainer.nextEpoch() else { return nil }
    if report.best { bestEpoch = report.epoch }
    if report.stopReason == nil, let stop = provider.stop,
      try stop.holds(try row(report), bestEpoch: bestEpoch)
    {
      report.stopReason = "stop_when"
      trainer.stop()
    }
    reports.append(report)
    provider.onProgress(progress(report))
    return try row(report)
  }

  private func progress(_ report: EpochReport) -> String {
    let epochs = provider.options.training.epochs
    let seconds = reports.reduce(0) { $0 + $1.seconds }
    let rate = report.seconds > 0 ? Int(Double(report.rows) / report.seconds) : 0
    let left = Int(seconds / Double(max(report.epoch, 1)) * Double(epochs - report.epoch))
    return
      "epoch \(report.epoch)/\(epochs), loss \(rounded(report.loss)), \(rate) rows/s, \(left) s left"
  }

  private func publish() throws {
    provider.onProgress(nil)
    guard let trainer else { return }
    var entry = provider.target.model(provider.key) ?? provider.entry
    try entry.add(
      weights: trainer.weights, state: state, epochs: reports,
      alias: provider.statement.versionName?.name)
    provider.target.publish(entry, at: provider.key)
    self.trainer = nil
  }

  private func prepare() throws {
    guard trainer == nil, let input else { return }
    self.input = nil
    let definition = provider.entry.definition
    provider.onProgress("reading")
    if let start = provider.start {
      state.transforms = start.state.transforms
    } else if definition.transform.needsFit {
      state.transforms = try TransformFitting(
        transform: definition.transform,
        columns: input.plan.output.map { Field($0.name, $0.type) },
        label: definition.outputs[0].field, rows: trainingRows(input.plan), run: input.run
      ).states()
    }
    let reader = try read(input, try definition.transform.bound(state.transforms))
    state.classes = try reader.findClasses(known: provider.start?.state.classes ?? [])
    let network = try definition.network(for: state).network
    var options = provider.options.training
    let context = query
    let (training, validation) = try reader.finish(
      state.classes, network, split: options.validationSplit, file: { try context.spillFile() })
    options.validationSplit = 0
    if options.threads == 0 { options.threads = query.workerCount }
    try options.resolveClassWeights(
      try zip(definition.outputs, state.classes).filter { !$1.isEmpty }.map {
        ($0.field.name, try ModelState.texts(of: $1, $0.field.type))
      })
    state.receipt = TrainingReceipt(
      statement: provider.statement, of: definition, start: provider.start?.version,
      rows: reader.rows, hash: reader.hash)
    let weights =
      try provider.start?.weights
      ?? Weights(network: network, initializer: options.initializer, seed: options.seed)
    trainer = try Trainer(
      network: network, weights: weights, source: training, validation: validation,
      options: options, isCancelled: { context.isCancelled })
  }

  /// Only rows to train on fit a transform.
  private func trainingRows(_ plan: Plan) -> Plan {
    guard provider.query.hasValidation, let flag = plan.output.last else { return plan }
    return .filter(
      FilterNode(
        input: plan,
        condition: .or([.isNull(.column(flag), isNegated: false), .not(.column(flag))])))
  }

  private func read(_ input: TrainInput, _ transform: BoundTransform) throws -> TrainingReader {
    let definition = provider.entry.definition
    let columns = input.plan.output.map { Expression.column($0) }
    let source = try input.open(
      transform.features(of: Array(columns.prefix(definition.inputs.count)))
        + columns.dropFirst(definition.inputs.count))
    let reader = TrainingReader(
      definition, provider.options, transform: transform, labels: provider.labels,
      query: provider.query)
    while let batch = try source.next() {
      try query.checkCancelled()
      try reader.append(batch)
      // The set that is made of the rows takes as much again while it is made.
      if !memory.holdOrSpill(reader.byteCount, share: 0.4) {
        let context = query
        try reader.spill(to: { try context.spillFile() })
        memory.holdRegardless(reader.byteCount)
      }
    }
    memory.keep()
    return reader
  }

  private func row(_ report: EpochReport) throws -> Batch {
    var values: [Value] = [
      .integer(Int128(provider.entry.lastVersion + 1)), .integer(Int128(report.epoch)),
      .double(report.loss), report.validationLoss.map { .double($0) } ?? .null,
    ]
    for name in TrainProvider.metricNames(provider.entry.definition, provider.options) {
      values.append(report.metrics.first { $0.name == name }.map { .double($0.value) } ?? .null)
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
