import CVectorMath

extension LayerDefinition {
  static let mish = LayerDefinition.elementwise(
    "mish",
    summary: "x tanh(softplus(x)). Misra 2019.", example: "mish()"
  ) { _ in
    MishOperator()
  }
}

/// Backward needs the input.
struct MishOperator: LayerOperator {
  func forward(_ run: LayerRun) {
    apus_mish(run.input, nil, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_mish(
      run.input, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
