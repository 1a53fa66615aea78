import CVectorMath

extension LayerDefinition {
  static let gelu = LayerDefinition.elementwise(
    "gelu",
    summary: "x Φ(x), with the exact normal distribution. Hendrycks, Gimpel 2016.",
    example: "gelu()"
  ) { _ in
    GeluOperator()
  }
}

/// Backward needs the input.
struct GeluOperator: LayerOperator {
  func forward(_ run: LayerRun) {
    apus_gelu(run.input, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_gelu_backward(
      run.input, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
