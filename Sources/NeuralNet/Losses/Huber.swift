import CVectorMath

extension LossDefinition {
  static let huber = LossDefinition(
    "huber", aliases: ["huber_loss"], kind: .regression, parameter: ("delta", 1),
    summary: "d²/2 for |d| ≤ delta, delta (|d| - delta/2) above. Huber 1964.",
    example: "loss = 'huber'"
  ) { $0.elementwise(APUS_HUBER) }
}
