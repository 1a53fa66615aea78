extension TransformDefinition {
  static let standardize = TransformDefinition(
    "standardize", aliases: ["standard_scaler"],
    summary: "(x - mean) / deviation, both of the training rows; 0 where they are all equal",
    example: "standardize(age)",
    fit: .aggregates { _, x in ["avg(\(x)::DOUBLE)", "stddev_pop(\(x)::DOUBLE)"] }
  ) { _, state in
    let found = try FittedTransform.numbers(state, 2)
    let deviation = found[1] ?? 1
    return .affine(offset: found[0] ?? 0, factor: deviation > 0 ? 1 / deviation : 1)
  }
}
