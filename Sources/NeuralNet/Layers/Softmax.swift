import CVectorMath

extension LayerDefinition {
  static let softmax = LayerDefinition.elementwise(
    "softmax",
    summary: "eˣ / Σ eˣ over the features of a row.", example: "softmax()"
  ) { _ in
    SoftmaxOperator()
  }
}

/// Backward needs the output: it may overwrite the input.
struct SoftmaxOperator: LayerOperator {
  var inPlace: Bool { true }
  var outputUse: OutputUse { .value }

  func forward(_ run: LayerRun) {
    apus_softmax(run.input, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_softmax_backward(
      run.output, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
