import CVectorMath

extension LossDefinition {
  static let binaryCrossEntropy = LossDefinition(
    "bce", aliases: ["binary_crossentropy", "binary_cross_entropy", "logloss"], kind: .binary,
    fusesWith: "sigmoid",
    summary: "-y ln p - (1 - y) ln(1 - p), p = sigmoid(z), computed from the logit z",
    example: "loss = 'bce'"
  ) { binaryCrossEntropyOfLogits($0) }

  static let binaryCrossEntropyWithLogits = LossDefinition(
    "bce_with_logits", aliases: ["bcewithlogits"], kind: .binary, fusesWith: "sigmoid",
    summary: "the same as bce: both take the logit, given bare or through a last sigmoid",
    example: "loss = 'bce_with_logits'"
  ) { binaryCrossEntropyOfLogits($0) }

  /// For probabilities that no sigmoid layer gives; the others are exact where these saturate.
  static let binaryCrossEntropyOfProbabilities = LossDefinition(
    "bce_probabilities", kind: .binary, threshold: 0.5,
    summary: "bce of what the last layer gives as a probability; logarithms end at -100",
    example: "loss = 'bce_probabilities'"
  ) { run in
    apus_bce_probabilities(
      run.predictions, run.targets, run.weights, run.gradient, run.scale, run.width, run.rows,
      run.stride)
  }
}

private func binaryCrossEntropyOfLogits(_ run: LossRun) -> Double {
  guard let positive = run.positiveWeights else { return run.elementwise(APUS_BCE_LOGITS) }
  return apus_bce_logits_weighted(
    run.predictions, run.targets, run.weights, positive, run.gradient, run.scale, run.width,
    run.rows, run.stride)
}
