extension TransformDefinition {
  static let minMaxScaler = TransformDefinition(
    "min_max_scaler", aliases: ["min_max_scale"],
    summary: "(x - least) / (greatest - least): the training rows lie from 0 to 1",
    example: "min_max_scaler(age)",
    fit: .aggregates { _, x in ["min(\(x)::DOUBLE)", "max(\(x)::DOUBLE)"] }
  ) { _, state in
    let found = try FittedTransform.numbers(state, 2)
    let low = found[0] ?? 0
    let range = (found[1] ?? 1) - low
    return .affine(offset: low, factor: range > 0 ? 1 / range : 1)
  }
}
