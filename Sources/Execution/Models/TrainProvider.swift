import Columnar
import Diagnostics
import NeuralNet
import Planner
import Syntax

/// TRAIN MODEL as a source of rows: reads its query, trains, gives a row per epoch, and adds the
/// weights to the model as a new version when it ends: a part of the statement's writes, so that a
/// failure or ROLLBACK leaves the model as it was. Runs to its end whoever reads it.
final class TrainProvider: RunnableRowProvider, Sendable {
  let entry: ModelEntry
  let key: CatalogState.Key
  let target: any ModelTarget
  let options: TrainerOptions
  let validationFraction: Double
  let hasAccuracy: Bool
  /// Inputs then the label, as the plan below gives them.
  let columnNames: [String]
  let onProgress: @Sendable (String?) -> Void

  init(
    entry: ModelEntry, key: CatalogState.Key, target: any ModelTarget, options: TrainerOptions,
    validationFraction: Double, columnNames: [String],
    onProgress: @escaping @Sendable (String?) -> Void
  ) {
    self.entry = entry
    self.key = key
    self.target = target
    self.options = options
    self.validationFraction = validationFraction
    self.columnNames = columnNames
    self.onProgress = onProgress
    let loss = (options.loss ?? "mse").lowercased()
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

  func run(input: (any BatchSource)?, query: QueryContext) throws -> any BatchSource {
    guard let input else { throw SQLError(.internal, "TRAIN has no input") }
    return TrainSource(provider: self, input: input, query: query)
  }
}

/// The running of one TRAIN.
private final class TrainSource: CompletingSource {
  private let provider: TrainProvider
  private var input: (any BatchSource)?
  private let query: QueryContext
  private var trainer: Trainer?
  private var classes: [Value] = []
  private var reports: [EpochReport] = []
  private var isFinished = false
  private let memory: MemoryHolder

  init(provider: TrainProvider, input: any BatchSource, query: QueryContext) {
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
        "epoch \(report.epoch)/\(provider.options.epochs), loss \(rounded(report.loss))")
      return try row(report)
    } catch {
      isFinished = true
      provider.onProgress(nil)
      throw error
    }
  }

  func complete() throws { while try next() != nil {} }

  private func publish() throws {
    provider.onProgress(nil)
    guard let trainer else { return }
    var entry = provider.target.model(provider.key) ?? provider.entry
    try entry.add(
      weights: trainer.weights, state: ModelState(classes: classes), epochs: reports)
    provider.target.publish(entry, at: provider.key)
    self.trainer = nil
  }

  private func prepare() throws {
    guard trainer == nil, let source = input else { return }
    input = nil
    let definition = provider.entry.definition
    let reader = TrainingReader(definition: definition, columnNames: provider.columnNames)
    while let batch = try source.next() {
      try query.checkCancelled()
      try reader.append(batch)
      try memory.hold(reader.byteCount)
    }
    let (set, found) = try reader.finish()
    classes = found
    var validation: TrainingSet?
    var training = set
    if provider.validationFraction > 0 {
      (training, validation) = try set.split(
        fraction: provider.validationFraction, seed: provider.options.seed)
    }
    let weights = try Weights(
      network: definition.network, initializer: provider.options.initializer,
      seed: provider.options.seed)
    var options = provider.options
    if options.threads == 0 { options.threads = query.workerCount }
    let context = query
    trainer = try Trainer(
      network: definition.network, weights: weights, training: training, validation: validation,
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

/// Turns batches of inputs and a label into a training set; finds the classes where none are given.
final class TrainingReader {
  private let definition: ModelDefinition
  private let columnNames: [String]
  private var nullCounts: [Int]
  /// Numbers go straight to the set.
  private var set: TrainingSet?
  /// Class labels wait until all classes are known.
  private var pending: [(features: FeatureColumns, groups: [UInt32], rows: Int)] = []
  private let labels: GroupTable
  private(set) var byteCount = 0
  private var rows = 0

  init(definition: ModelDefinition, columnNames: [String]) {
    self.definition = definition
    self.columnNames = columnNames
    nullCounts = Array(repeating: 0, count: columnNames.count)
    labels = GroupTable([definition.output.type])
  }

  func append(_ batch: Batch) throws {
    rows += batch.rowCount
    for (position, column) in batch.columns.enumerated() where column.mayHaveNulls {
      for row in 0..<batch.rowCount where column.isNull(row) { nullCounts[position] += 1 }
    }
    if nullCounts.contains(where: { $0 > 0 }) { return }
    let features = try FeatureColumns(Array(batch.columns.dropLast()), rows: batch.rowCount)
    guard let label = batch.columns.last else { return }
    if definition.outputKind == .number {
      let targets = try FeatureColumns([label], rows: batch.rowCount)
      let target = try numberSet(width: targets.width)
      try features.keepingAlive { columns in
        try targets.keepingAlive {
          try target.append(rows: batch.rowCount, columns: columns, targets: $0)
        }
      }
      byteCount = target.byteCount
    } else {
      var groups = [UInt32](repeating: 0, count: batch.rowCount)
      labels.lookUp([label], count: batch.rowCount, groups: &groups)
      pending.append((features, groups, batch.rowCount))
      byteCount += batch.rowCount * (features.width + 1) * 4
    }
  }

  private func numberSet(width: Int) throws -> TrainingSet {
    if let set { return set }
    let made = try TrainingSet(
      width: definition.network.inputWidth, target: .values(width: width))
    set = made
    return made
  }

  /// The set and its classes. Errors name NULLs by column, missing rows, and labels that are no class.
  func finish() throws -> (set: TrainingSet, classes: [Value]) {
    let name = definition.name
    for (position, count) in nullCounts.enumerated() where count > 0 {
      throw SQLError(
        .model,
        "column \"\(columnNames[position])\" is NULL in \(count) of \(rows) training rows of model \"\(name)\"",
        hint: "filter them out with WHERE, or use coalesce")
    }
    if rows == 0 { throw SQLError(.model, "TRAIN of model \"\(name)\" got no rows") }
    if definition.outputKind == .number { return (try numberSet(width: 1), []) }

    let found = labels.keys(first: 0, count: labels.count)[0]
    let values = (0..<labels.count).map { found.value($0) }
    let classes: [Value]
    if definition.classes.isEmpty {
      let comparator = ColumnComparator(found, found)
      classes = (0..<labels.count).sorted { comparator.compare($0, $1) < 0 }.map { values[$0] }
    } else {
      classes = definition.classes
    }
    let units = definition.outputKind == .binary ? 2 : definition.network.outputWidth
    if definition.classes.isEmpty, classes.count != units {
      throw SQLError(
        .model,
        "the labels of model \"\(name)\" have \(classes.count) classes, its last layer is made for \(units)",
        hint: classes.count == 1 ? "one class cannot be learned" : nil)
    }
    let ids = try values.map { value -> Int32 in
      guard let position = classes.firstIndex(of: value) else {
        throw SQLError(
          .model, "a label of model \"\(name)\" is outside its CLASSES: \(text(value))")
      }
      return Int32(position)
    }
    let result = try TrainingSet(
      width: definition.network.inputWidth,
      target: definition.outputKind == .binary ? .values(width: 1) : .classes(count: units))
    try result.reserve(rows: rows)
    for part in pending {
      try part.features.keepingAlive { columns in
        if definition.outputKind == .binary {
          let targets = part.groups.map { Float(ids[Int($0)]) }
          try targets.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            try result.append(rows: part.rows, columns: columns, targets: [start])
          }
        } else {
          let targets = part.groups.map { ids[Int($0)] }
          try targets.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            try result.append(rows: part.rows, columns: columns, classes: start)
          }
        }
      }
    }
    pending = []
    return (result, classes)
  }

  private func text(_ value: Value) -> String {
    switch value {
    case .varchar(let text): "'\(text)'"
    case .integer(let number): "\(number)"
    case .boolean(let flag): "\(flag)"
    default: "\(value)"
    }
  }
}
