import CVectorMath

extension LayerDefinition {
  static let softsign = LayerDefinition.elementwise(
    "softsign",
    summary: "x / (1 + |x|).", example: "softsign()"
  ) { _ in
    SoftsignOperator()
  }
}

/// Backward needs the input.
struct SoftsignOperator: LayerOperator {
  func forward(_ run: LayerRun) {
    apus_softsign(run.input, nil, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_softsign(
      run.input, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
