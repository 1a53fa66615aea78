import CVectorMath

extension LayerDefinition {
  static let geluTanh = LayerDefinition.elementwise(
    "gelu_tanh", aliases: ["gelu_new"],
    summary: "gelu by its tanh formula. Hendrycks, Gimpel 2016.", example: "gelu_tanh()"
  ) { _ in
    GeluTanhOperator()
  }
}

/// Backward needs the input.
struct GeluTanhOperator: LayerOperator {
  func forward(_ run: LayerRun) {
    apus_gelu_tanh(run.input, nil, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_gelu_tanh(
      run.input, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
