import Columnar
import NeuralNet
import Planner

/// What TRAIN does after each epoch: the metrics that were asked for, and STOP WHEN. One for all
/// networks of FOR EACH.
struct EpochRule: Sendable {
  private let definition: ModelDefinition
  private let metrics: [ChosenMetric]
  private let stop: StopCondition?
  private let rows: EpochRows
  private let memory: MemoryBroker

  init(_ provider: TrainProvider, memory: MemoryBroker) {
    definition = provider.entry.definition
    metrics = provider.metrics
    stop = provider.replay == nil ? provider.stop : nil
    rows = EpochRows(provider, keys: [])
    self.memory = memory
  }

  /// `bestEpoch`: the best so far, this one included.
  func apply(_ trainer: Trainer, _ report: inout EpochReport, bestEpoch: Int) throws {
    if !metrics.isEmpty {
      try measure(trainer, onValidation: false, &report)
      if trainer.hasValidation { try measure(trainer, onValidation: true, &report) }
    }
    guard report.stopReason == nil, let stop else { return }
    let row = try rows.batch([EpochRows.Row(report: report)])
    if try stop.holds(row, bestEpoch: bestEpoch) {
      report.stopReason = "stop_when"
      trainer.stop()
    }
  }

  /// Of all rows, with the weights that the epoch has come to: what EVALUATE measures.
  private func measure(
    _ trainer: Trainer, onValidation: Bool, _ report: inout EpochReport
  ) throws {
    let network = trainer.network
    let forms = definition.outputs.map { output -> OutputForm in
      output.kind == .number
        ? .raw : .probabilities(loss: definition.options.training.lossName(of: output))
    }
    var found = definition.outputs.indices.map { output -> EvaluatedRows in
      var rows = EvaluatedRows()
      let isClassifier = Metrics.isClassifier(definition, network, output)
      rows.classCount = isClassifier ? max(network.outputs[output].width, 2) : 0
      rows.threshold = definition.options.threshold
      return rows
    }
    let holder = MemoryHolder(memory, "TRAIN metrics")
    try trainer.evaluate(onValidation: onValidation, forms: forms) { outputs in
      for (output, part) in outputs.enumerated() {
        found[output].labels += part.labels
        if found[output].classCount == 2, network.outputs[output].width == 1 {
          for score in part.scores { found[output].scores += [1 - score, score] }
        } else {
          found[output].scores += part.scores
        }
      }
      try holder.hold(found.reduce(0) { $0 + 8 * $1.labels.count + 4 * $1.scores.count })
    }
    let prefix = onValidation ? "val_" : ""
    for chosen in metrics {
      let name = prefix + chosen.column
      let rows = found[chosen.output]
      report.metrics.removeAll { $0.name == name }
      if let matrix = chosen.metric.matrix {
        report.metrics.append(EpochReport.Metric(name: name, value: 0, matrix: matrix(rows)))
      } else if let value = chosen.metric.compute(rows) {
        report.metrics.append(EpochReport.Metric(name: name, value: value))
      }
    }
  }
}

extension Value {
  /// As BIGINT[][].
  static func matrix(_ rows: [[Int]]) -> Value {
    .list(rows.map { .list($0.map { .integer(Int128($0)) }) })
  }
}

extension EpochReport.Metric {
  var sqlValue: Value { matrix.isEmpty ? .double(value) : .matrix(matrix) }
}
