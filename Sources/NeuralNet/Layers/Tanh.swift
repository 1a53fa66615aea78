import CVectorMath

extension LayerDefinition {
  static let tanh = LayerDefinition.elementwise(
    "tanh",
    summary: "The hyperbolic tangent.", example: "tanh()"
  ) { _ in
    TanhOperator()
  }
}

/// Backward needs the output: it may overwrite the input.
struct TanhOperator: LayerOperator {
  var inPlace: Bool { true }
  var outputUse: OutputUse { .value }

  func forward(_ run: LayerRun) {
    apus_tanh(run.input, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_tanh_backward(
      run.output, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
