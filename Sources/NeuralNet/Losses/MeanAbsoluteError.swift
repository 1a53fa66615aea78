import CVectorMath

extension LossDefinition {
  static let meanAbsoluteError = LossDefinition(
    "mae", aliases: ["mean_absolute_error", "l1"], kind: .regression,
    summary: "|z - y|; slope 0 at 0", example: "loss = 'mae'"
  ) { $0.elementwise(APUS_MAE) }
}
