import CVectorMath

extension LossDefinition {
  static let negativeLogLikelihood = LossDefinition(
    "nll", aliases: ["nll_loss"], kind: .classes,
    summary: "-z[class]; z are log-probabilities, as log_softmax gives them",
    example: "loss = 'nll'"
  ) { run in
    if let classes = run.classes {
      apus_nll_classes(
        run.predictions, classes, run.weights, run.gradient, run.scale, run.width, run.rows,
        run.stride)
    } else {
      apus_nll_soft(
        run.predictions, run.targets, run.weights, run.gradient, run.scale, run.width, run.rows,
        run.stride)
    }
  }
}
