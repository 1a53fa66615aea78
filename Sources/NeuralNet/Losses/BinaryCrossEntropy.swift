import CVectorMath

extension LossDefinition {
  static let binaryCrossEntropy = LossDefinition(
    "bce", aliases: ["binary_crossentropy", "binary_cross_entropy", "logloss"], kind: .binary,
    fusesWith: "sigmoid",
    summary: "-y ln p - (1 - y) ln(1 - p), p = sigmoid(z), computed from the logit z",
    example: "loss = 'bce'"
  ) { $0.elementwise(APUS_BCE_LOGITS) }

  static let binaryCrossEntropyWithLogits = LossDefinition(
    "bce_with_logits", aliases: ["bcewithlogits"], kind: .binary, fusesWith: "sigmoid",
    summary: "the same as bce: both take the logit, given bare or through a last sigmoid",
    example: "loss = 'bce_with_logits'"
  ) { $0.elementwise(APUS_BCE_LOGITS) }
}
