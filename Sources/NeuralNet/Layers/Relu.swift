import CVectorMath

extension LayerDefinition {
  static let relu = LayerDefinition.elementwise(
    "relu",
    summary: "max(x, 0). Nair, Hinton 2010.", example: "relu()"
  ) { _ in
    ReluOperator()
  }
}

/// Backward needs the output: it may overwrite the input.
struct ReluOperator: LayerOperator {
  var inPlace: Bool { true }
  var outputUse: OutputUse { .sign }
  var keepsSign: Bool { true }

  func forward(_ run: LayerRun) {
    apus_relu(run.input, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_relu_backward(
      run.output, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
