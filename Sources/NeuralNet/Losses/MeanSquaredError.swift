import CVectorMath

extension LossDefinition {
  static let meanSquaredError = LossDefinition(
    "mse", aliases: ["mean_squared_error", "l2"], kind: .regression,
    summary: "(z - y)²", example: "loss = 'mse'"
  ) { $0.elementwise(APUS_MSE) }
}
