import CVectorMath

extension LossDefinition {
  static let cosineDistance = LossDefinition(
    "cosine", aliases: ["cosine_similarity", "cosine_distance"], kind: .regression,
    isPerRow: true,
    summary: "1 - cos(z, y) of a row", example: "loss = 'cosine'"
  ) { run in
    apus_cosine_loss(
      run.predictions, run.targets, run.weights, run.gradient, run.scale, run.width, run.rows,
      run.stride)
  }
}
