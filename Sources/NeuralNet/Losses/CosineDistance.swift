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

  static let cosineEmbedding = LossDefinition(
    "cosine_embedding", kind: .regression, isPerRow: true, parameter: ("margin", 0),
    extraTargets: 1,
    summary: "1 - cos(z, y) for rows that are alike, max(0, cos(z, y) - margin) for others; the "
      + "target's last value says which: 1 or -1",
    example: "loss = 'cosine_embedding'"
  ) { run in
    apus_cosine_embedding(
      run.predictions, run.targets, run.weights, run.parameter, run.gradient, run.scale, run.width,
      run.rows, run.stride)
  }
}
