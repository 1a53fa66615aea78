import CVectorMath

extension LossDefinition {
  static let smoothL1 = LossDefinition(
    "smooth_l1", kind: .regression, parameter: ("beta", 1),
    summary: "d²/(2 beta) for |d| < beta, |d| - beta/2 above. Girshick 2015.",
    example: "loss = 'smooth_l1'"
  ) { $0.elementwise(APUS_SMOOTH_L1) }
}
