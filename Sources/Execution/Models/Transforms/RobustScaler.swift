extension TransformDefinition {
  static let robustScaler = TransformDefinition(
    "robust_scaler",
    summary: "(x - median) / (third quartile - first), which outliers do not move",
    example: "robust_scaler(income)",
    fit: .aggregates { _, x in
      [
        "median(\(x)::DOUBLE)", "quantile_cont(\(x)::DOUBLE, 0.25)",
        "quantile_cont(\(x)::DOUBLE, 0.75)",
      ]
    }
  ) { _, state in
    let found = try FittedTransform.numbers(state, 3)
    let range = (found[2] ?? 1) - (found[1] ?? 0)
    return .affine(offset: found[0] ?? 0, factor: range > 0 ? 1 / range : 1)
  }
}
