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
  /// The columns of FOR EACH.
  let keys: [Field]
  /// The version to go on from.
  let start: Model?
  let stop: StopCondition?
  /// What the option `metrics` asks for.
  let metrics: [ChosenMetric]
  let onProgress: @Sendable (String?) -> Void
  /// nil: the training leaves none.
  let checkpoints: (any CheckpointStore)?
  /// Where a training ended that is to be done again: neither clocks nor STOP WHEN end it before.
  let replay: (epoch: Int, keepsBest: Bool)?

  init(
    _ statement: TrainModel, entry: ModelEntry, key: CatalogState.Key, target: any ModelTarget,
    options: ModelOptions, query: TrainQuery, labels: [String], keys: [Field], start: Model?,
    checkpoints: (any CheckpointStore)?, replay: (epoch: Int, keepsBest: Bool)?,
    onProgress: @escaping @Sendable (String?) -> Void
  ) throws {
    self.statement = statement
    self.entry = entry
    self.key = key
    self.target = target
    self.options = options
    self.query = query
    self.labels = labels
    self.keys = keys
    self.start = start
    self.checkpoints = checkpoints
    self.replay = replay
    self.onProgress = onProgress
    metrics = try options.metrics.map { try Metrics.chosen($0, for: entry.definition) } ?? []
    metricFields = Self.metricFields(entry.definition, options, metrics)
    let schema = Self.epochSchema(metricFields)
    stop = try statement.stopWhen.map { try StopCondition($0, schema: schema) }
  }

  var title: String { "Train" }

  var details: [String] {
    let network = entry.definition.network
    return [
      "model: \(entry.definition.name)",
      "network: "
        + network.layers.map { "\($0.description) \($0.outputShape)" }.joined(separator: ", "),
      "parameters: \(network.parameterCount), \(network.parameterCount &* 4) bytes",
      "\(network.flopsPerRow) flop a row forward",
    ] + (keys.isEmpty ? [] : ["for each: " + keys.map(\.name).joined(separator: ", ")])
  }

  var schema: [Field] { keys + epochSchema }

  /// The columns of the metrics.
  let metricFields: [Field]

  /// Of an epoch, without the keys.
  var epochSchema: [Field] { Self.epochSchema(metricFields) }

  private static func epochSchema(_ metrics: [Field]) -> [Field] {
    [
      Field("version", .integer), Field("epoch", .integer), Field("loss", .double),
      Field("val_loss", .double),
    ] + metrics + [
      Field("learning_rate", .double), Field("rows", .bigint), Field("seconds", .double),
      Field("best", .boolean), Field("stop_reason", .varchar),
    ]
  }

  /// Those that the trainer reports, by the names that it gives them, or those that were asked for.
  private static func metricFields(
    _ definition: ModelDefinition, _ options: ModelOptions, _ chosen: [ChosenMetric]
  ) -> [Field] {
    let outputs = definition.outputs
    var fields: [Field] = []
    for output in outputs {
      let prefix = outputs.count == 1 ? "" : "\(output.field.name)_"
      let loss = try? LossDefinition.named(options.training.lossName(of: output))
      if outputs.count > 1 { fields.append(Field("\(prefix)loss", .double)) }
      if loss?.kind != .regression, options.metrics == nil {
        fields.append(Field("\(prefix)accuracy", .double))
      }
    }
    fields += chosen.map { Field($0.column, $0.metric.type) }
    return fields.flatMap { [$0, Field("val_\($0.name)", $0.type)] }
  }

  func source(_ input: TrainInput, query: QueryContext) -> any CompletingSource {
    keys.isEmpty
      ? TrainSource(provider: self, input: input, query: query)
      : GroupTrainSource(provider: self, input: input, query: query)
  }
}

/// What runs a training: it reads its rows in its own way, and more than once.
protocol TrainingRowProvider: RowProvider {
  func source(_ input: TrainInput, query: QueryContext) -> any CompletingSource
}

extension TrainingRowProvider {
  /// The same rows give the same weights.
  var needsSameFloats: Bool { true }
}

/// The rows that TRAIN reads: the model's inputs, its labels, and the marks of `TrainQuery`.
struct TrainInput {
  let plan: Plan
  /// These expressions over the plan's rows.
  let open: ([Expression]) throws -> any BatchSource
  /// Another plan over the same rows, run to its end.
  let run: (Plan) throws -> [[Value]]
}
