import CVectorMath

extension LossDefinition {
  static let kullbackLeibler = LossDefinition(
    "kldiv", aliases: ["kl_div", "kullback_leibler_divergence"], kind: .regression,
    isPerRow: true,
    summary: "Σ y (ln y - z) of a row; z are log-probabilities, y a distribution",
    example: "loss = 'kldiv'"
  ) { run in
    apus_kl_divergence(
      run.predictions, run.targets, run.weights, run.gradient, run.scale, run.width, run.rows,
      run.stride)
  }
}
