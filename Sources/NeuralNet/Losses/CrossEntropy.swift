import CVectorMath

extension LossDefinition {
  static let crossEntropy = LossDefinition(
    "cross_entropy",
    aliases: ["crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"],
    kind: .classes, fusesWith: "softmax",
    summary: "-ln softmax(z)[class], from the logits z; class ids or a distribution",
    example: "loss = 'cross_entropy'"
  ) { run in
    if let classes = run.classes, run.smoothing > 0 {
      apus_cross_entropy_smoothed(
        run.predictions, classes, run.weights, run.smoothing, run.gradient, run.scale, run.width,
        run.rows, run.stride)
    } else if let classes = run.classes {
      apus_cross_entropy_classes(
        run.predictions, classes, run.weights, run.gradient, run.scale, run.width, run.rows,
        run.stride)
    } else {
      apus_cross_entropy_soft(
        run.predictions, run.targets, run.weights, run.gradient, run.scale, run.width, run.rows,
        run.stride)
    }
  }
}
