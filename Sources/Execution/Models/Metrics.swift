import Columnar
import Diagnostics
import NeuralNet
import Syntax

/// What EVALUATE measures: one row per metric.
struct Metric: Sendable {
  let name: String
  let aliases: [String]
  let summary: String
  /// Classes need probabilities; numbers need none.
  let isForClasses: Bool
  let compute: @Sendable (EvaluatedRows) -> Double?
  /// Where it is no number but counts by two classes.
  var matrix: (@Sendable (EvaluatedRows) -> [[Int]])?

  var type: LogicalType { matrix == nil ? .double : .list(.list(.bigint)) }
}

/// A metric of an output, and its column.
struct ChosenMetric: Sendable {
  let metric: Metric
  let output: Int
  let column: String

  init(_ metric: Metric, _ output: Int, _ model: Model) {
    self.init(metric, output, model.definition)
  }

  init(_ metric: Metric, _ output: Int, _ definition: ModelDefinition) {
    self.metric = metric
    self.output = output
    column =
      definition.outputs.count == 1
      ? metric.name : "\(definition.outputs[output].field.name)_\(metric.name)"
  }
}

/// The rows of one group with their predictions. For numbers, `label` and `score` are the values;
/// for classes, `label` is the class's position and `probabilities` has `classCount` per row.
struct EvaluatedRows: Sendable {
  var labels: [Double] = []
  var scores: [Float] = []
  var classCount = 0
  var threshold: Float = 0.5

  /// Values to compare: of an output of several numbers as many for each row.
  var count: Int { labels.count }
  /// Rows that EVALUATE has judged.
  var judged = 0

  /// The class that is predicted.
  func predicted(_ row: Int) -> Int {
    if classCount == 2 {
      return scores[row * 2 + 1] > threshold ? 1 : 0
    }
    var best = 0
    for index in 1..<max(classCount, 1)
    where scores[row * classCount + index] > scores[row * classCount + best] {
      best = index
    }
    return best
  }
}

enum Metrics {
  static let rows: [Metric] = [
    Metric(
      name: "accuracy", aliases: [], summary: "the share of rows whose class is predicted",
      isForClasses: true,
      compute: { rows in
        mean(rows.count) { rows.predicted($0) == Int(rows.labels[$0]) ? 1 : 0 }
      }),
    Metric(
      name: "auc", aliases: ["roc_auc"],
      summary: "the area under the ROC curve: ties count half",
      isForClasses: true, compute: { averaged($0, undefined: nil, areaUnderCurve) }),
    Metric(
      name: "confusion", aliases: ["confusion_matrix"],
      summary: "how many rows of each class (outer list) were predicted as each (inner lists)",
      isForClasses: true, compute: { _ in nil }, matrix: confusion),
    Metric(
      name: "f1", aliases: ["f1_score"], summary: "the harmonic mean of precision and recall",
      isForClasses: true,
      compute: { rows in
        averaged(rows, undefined: 0) { rows, positive in
          guard let p = precision(rows, positive), let r = recall(rows, positive) else {
            return nil
          }
          return p + r == 0 ? 0 : 2 * p * r / (p + r)
        }
      }),
    Metric(
      name: "logloss", aliases: ["log_loss"],
      summary: "the mean negative log probability of the label",
      isForClasses: true,
      compute: { rows in
        mean(rows.count) { row in
          let p = rows.scores[row * rows.classCount + Int(rows.labels[row])]
          return -logarithm(min(max(Double(p), 1e-15), 1))
        }
      }),
    Metric(
      name: "mae", aliases: ["mean_absolute_error"], summary: "the mean absolute error",
      isForClasses: false,
      compute: { rows in
        mean(rows.count) { abs(Double(rows.scores[$0]) - rows.labels[$0]) }
      }),
    Metric(
      name: "mse", aliases: ["mean_squared_error"], summary: "the mean squared error",
      isForClasses: false, compute: squaredError),
    Metric(
      name: "precision", aliases: [],
      summary:
        "of rows predicted as the second class, the share that is; of more classes the mean over each",
      isForClasses: true, compute: { averaged($0, undefined: 0, precision) }),
    Metric(
      name: "r2", aliases: ["r2_score"],
      summary: "the share of the label's variance that is explained",
      isForClasses: false,
      compute: { rows in
        guard let error = squaredError(rows), rows.count > 0 else { return nil }
        let average = rows.labels.reduce(0, +) / Double(rows.count)
        let variance =
          rows.labels.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(rows.count)
        return variance == 0 ? nil : 1 - error / variance
      }),
    Metric(
      name: "recall", aliases: [],
      summary:
        "of rows of the second class, the share predicted so; of more classes the mean over each",
      isForClasses: true, compute: { averaged($0, undefined: 0, recall) }),
    Metric(
      name: "rmse", aliases: ["root_mean_squared_error"],
      summary: "the root of the mean squared error",
      isForClasses: false, compute: { squaredError($0)?.squareRoot() }),
  ]

  /// Errors: unknown, with the nearest.
  static func named(_ text: String, at span: SourceSpan?) throws -> Metric {
    let name = text.lowercased()
    if let metric = rows.first(where: { $0.name == name || $0.aliases.contains(name) }) {
      return metric
    }
    throw SQLError(
      .model, "metric \"\(text)\" is unknown", at: span,
      hint: didYouMean(name, among: rows.map(\.name)))
  }

  /// What the option `metrics` asks of a training; a metric that fits some outputs only is measured of
  /// these.
  static func chosen(_ names: [String], for definition: ModelDefinition) throws -> [ChosenMetric] {
    try names.flatMap { name -> [ChosenMetric] in
      let metric = try named(name, at: nil)
      let fitting = definition.outputs.indices.filter {
        fits(metric, definition, definition.network, $0)
      }
      if fitting.isEmpty { throw misfit(metric, definition.name, at: nil) }
      return fitting.map { ChosenMetric(metric, $0, definition) }
    }
  }

  private static func fits(
    _ metric: Metric, _ definition: ModelDefinition, _ network: Network, _ output: Int
  ) -> Bool {
    metric.isForClasses
      ? isClassifier(definition, network, output) : definition.outputs[output].kind == .number
  }

  private static func misfit(_ metric: Metric, _ model: String, at span: SourceSpan?) -> SQLError {
    SQLError(
      .model,
      metric.isForClasses
        ? "\(metric.name) needs a model of classes; \"\(model)\" gives numbers"
        : "\(metric.name) needs a model of numbers; \"\(model)\" gives classes", at: span)
  }

  /// The metrics asked for, or those that fit the model; unknown ones name the nearest. A metric
  /// that fits some outputs only is measured of these.
  static func chosen(_ wanted: [SyntaxExpression], for model: Model) throws -> [ChosenMetric] {
    let outputs = Array(model.outputs.indices)
    if wanted.isEmpty {
      return outputs.flatMap { output -> [ChosenMetric] in
        let names =
          !isClassifier(model, output)
          ? ["mse", "rmse", "mae", "r2"]
          : model.classNames[output].count > 2
            ? ["accuracy", "logloss"]
            : ["accuracy", "precision", "recall", "f1", "auc", "logloss"]
        return names.compactMap { name in rows.first { $0.name == name } }.map {
          ChosenMetric($0, output, model)
        }
      }
    }
    return try wanted.flatMap { expression -> [ChosenMetric] in
      guard case .column(let word) = expression.kind else {
        throw SQLError(.model, "METRICS takes names", at: expression.span)
      }
      let metric = try named(word.last.name, at: expression.span)
      let fitting = outputs.filter { fits(metric, model.definition, model.network, $0) }
      if fitting.isEmpty { throw misfit(metric, model.name, at: expression.span) }
      return fitting.map { ChosenMetric(metric, $0, model) }
    }
  }

  /// A FLOAT output trained as a probability counts as two classes, 0 and 1.
  static func isClassifier(_ model: Model, _ output: Int) -> Bool {
    isClassifier(model.definition, model.network, output)
  }

  static func isClassifier(_ model: ModelDefinition, _ network: Network, _ output: Int) -> Bool {
    let definition = model.outputs[output]
    if definition.kind != .number { return true }
    if network.outputs[output].width != 1 { return false }
    let loss = try? LossDefinition.named(model.options.training.lossName(of: definition))
    return loss?.kind == .binary
  }

  // MARK: Formulas

  private static func mean(_ count: Int, _ value: (Int) -> Double) -> Double? {
    if count == 0 { return nil }
    var sum = 0.0
    for row in 0..<count { sum += value(row) }
    return sum / Double(count)
  }

  private static func squaredError(_ rows: EvaluatedRows) -> Double? {
    mean(rows.count) {
      let difference = Double(rows.scores[$0]) - rows.labels[$0]
      return difference * difference
    }
  }

  private static func confusion(_ rows: EvaluatedRows) -> [[Int]] {
    let count = max(rows.classCount, 2)
    var matrix = [[Int]](repeating: [Int](repeating: 0, count: count), count: count)
    for row in 0..<rows.count {
      let label = Int(rows.labels[row])
      if label >= 0, label < count { matrix[label][rows.predicted(row)] += 1 }
    }
    return matrix
  }

  /// Of two classes the second is the event. Of more it is the mean over each against the rest, of
  /// those that are labels or predicted; one of which it cannot be told counts as `undefined`, or not.
  private static func averaged(
    _ rows: EvaluatedRows, undefined: Double?,
    _ measure: (EvaluatedRows, _ positive: Int) -> Double?
  ) -> Double? {
    if rows.classCount <= 2 { return measure(rows, 1) }
    let classes = Set(rows.labels.map { Int($0) }).union((0..<rows.count).map(rows.predicted))
    let values = classes.sorted().compactMap { measure(rows, $0) ?? undefined }
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  private static func precision(_ rows: EvaluatedRows, _ positive: Int) -> Double? {
    let predicted = (0..<rows.count).filter { rows.predicted($0) == positive }
    if predicted.isEmpty { return nil }
    let right = predicted.filter { rows.labels[$0] == Double(positive) }.count
    return Double(right) / Double(predicted.count)
  }

  private static func recall(_ rows: EvaluatedRows, _ positive: Int) -> Double? {
    let actual = (0..<rows.count).filter { rows.labels[$0] == Double(positive) }
    if actual.isEmpty { return nil }
    return Double(actual.filter { rows.predicted($0) == positive }.count) / Double(actual.count)
  }

  /// Mann-Whitney: the mean rank of positives, ties sharing their ranks.
  private static func areaUnderCurve(_ rows: EvaluatedRows, _ positive: Int) -> Double? {
    let width = max(rows.classCount, 2)
    func score(_ row: Int) -> Float { rows.scores[row * width + positive] }
    let order = (0..<rows.count).sorted { score($0) < score($1) }
    let positives = rows.labels.filter { $0 == Double(positive) }.count
    let negatives = rows.count - positives
    if positives == 0 || negatives == 0 { return nil }
    var rankSum = 0.0
    var start = 0
    while start < order.count {
      var end = start
      while end + 1 < order.count, score(order[end + 1]) == score(order[start]) { end += 1 }
      let rank = Double(start + end) / 2 + 1
      for position in start...end where rows.labels[order[position]] == Double(positive) {
        rankSum += rank
      }
      start = end + 1
    }
    let p = Double(positives)
    return (rankSum - p * (p + 1) / 2) / (p * Double(negatives))
  }
}
