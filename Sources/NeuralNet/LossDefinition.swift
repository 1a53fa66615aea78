import CVectorMath
import Diagnostics

/// A loss: one row of the table in `Losses/LossBuiltins.swift`.
package struct LossDefinition: Sendable {
  package let name: String
  package let aliases: [String]
  package let kind: LossKind
  /// Averaged over rows only; else over rows and outputs.
  package let isPerRow: Bool
  /// The last layer that the loss absorbs: softmax for cross_entropy, sigmoid for bce.
  package let fusesWith: String?
  /// A tuning constant, with its default: delta, beta.
  package let parameter: (name: String, defaultValue: Double)?
  package let summary: String
  package let example: String
  /// Target values beyond those of the prediction: which rows are alike.
  let extraTargets: Int
  /// From which prediction on a binary case counts as positive: 0 of a logit.
  let threshold: Float
  /// The sum over the tile of weight x loss; writes `gradient` = derivative x weight x scale.
  let evaluate: @Sendable (LossRun) -> Double

  init(
    _ name: String, aliases: [String] = [], kind: LossKind, isPerRow: Bool? = nil,
    fusesWith: String? = nil,
    parameter: (name: String, defaultValue: Double)? = nil, extraTargets: Int = 0,
    threshold: Float = 0, summary: String, example: String,
    evaluate: @escaping @Sendable (LossRun) -> Double
  ) {
    self.name = name
    self.aliases = aliases
    self.kind = kind
    self.isPerRow = isPerRow ?? (kind == .classes)
    self.fusesWith = fusesWith
    self.parameter = parameter
    self.extraTargets = extraTargets
    self.threshold = threshold
    self.summary = summary
    self.example = example
    self.evaluate = evaluate
  }

  /// The loss of that name or alias, case ignored. Errors: unknown, with the nearest names.
  package static func named(_ name: String) throws -> LossDefinition {
    let wanted = name.lowercased()
    for row in lossTable where row.name == wanted || row.aliases.contains(wanted) { return row }
    throw SQLError(
      .model, "there is no loss named \"\(name)\"",
      hint: didYouMean(name, among: lossTable.flatMap { [$0.name] + $0.aliases }))
  }
}

/// What a loss compares; decides the reduction and the metrics.
package enum LossKind: Sendable {
  /// Mean over rows and outputs.
  case regression
  /// Mean over rows and outputs, of logits against 0 and 1; accuracy at 0.5.
  case binary
  /// Mean over rows, of a class or a distribution; accuracy of the largest.
  case classes
}

/// A tile of predictions [width, rows] and its targets: values in the same layout, or class ids.
/// SAFETY: all pointers belong to the trainer's worker and outlive the call.
struct LossRun {
  var predictions: UnsafePointer<Float>
  var targets: UnsafePointer<Float>
  var classes: UnsafePointer<Int32>?
  var weights: UnsafePointer<Float>
  /// Required; may not be `predictions`.
  var gradient: UnsafeMutablePointer<Float>
  var scale: Float
  var parameter: Float
  /// Of the labels; 0: none.
  var smoothing: Float
  /// [width] weights of the positive cases; nil: all 1.
  var positiveWeights: UnsafePointer<Float>?
  var width: Int
  var rows: Int
  var stride: Int

  func elementwise(_ kind: apus_loss_kind) -> Double {
    apus_elementwise_loss(
      Int32(kind.rawValue), parameter, predictions, targets, weights, gradient, scale, width, rows,
      stride)
  }
}
