/// One epoch of training: a row of what TRAIN yields.
package struct EpochReport: Sendable {
  package struct Metric: Hashable, Sendable {
    package var name: String
    package var value: Double
    /// Counts by class and predicted class, in place of a value.
    package var matrix: [[Int]]

    package init(name: String, value: Double, matrix: [[Int]] = []) {
      self.name = name
      self.value = value
      self.matrix = matrix
    }
  }

  /// From 1.
  package var epoch: Int
  /// Mean over the rows, as the training passes saw them (dropout on, weights moving).
  package var loss: Double
  /// Mean over the validation rows after the epoch.
  package var validationLoss: Double?
  /// accuracy, val_accuracy for losses over classes.
  package var metrics: [Metric]
  package var learningRate: Double
  package var rows: Int
  package var seconds: Double
  /// The best of the epochs so far, by the monitored loss.
  package var best: Bool
  /// Set on the last epoch: "epochs", "early_stop", "max_seconds".
  package var stopReason: String?

  package init(
    epoch: Int, loss: Double, validationLoss: Double?, metrics: [Metric], learningRate: Double,
    rows: Int, seconds: Double, best: Bool, stopReason: String?
  ) {
    self.epoch = epoch
    self.loss = loss
    self.validationLoss = validationLoss
    self.metrics = metrics
    self.learningRate = learningRate
    self.rows = rows
    self.seconds = seconds
    self.best = best
    self.stopReason = stopReason
  }
}
