import NeuralNet

/// The networks of a version that TRAIN … FOR EACH made: one for each key, all of one shape.
struct ModelGroups: Sendable {
  let keys: ModelKeys
  /// By the keys' order.
  let weights: [Weights]
  /// The epochs of each network's training.
  let epochs: [[EpochReport]]
}
