import CVectorMath

extension LayerDefinition {
  static let logSoftmax = LayerDefinition.elementwise(
    "log_softmax", aliases: ["logsoftmax"],
    summary: "xᵢ - ln Σ eˣ over the features of a row.", example: "log_softmax()"
  ) { _ in
    LogSoftmaxOperator()
  }
}

/// Backward needs the output: it may overwrite the input.
struct LogSoftmaxOperator: LayerOperator {
  var inPlace: Bool { true }
  var outputUse: OutputUse { .value }

  func forward(_ run: LayerRun) {
    apus_log_softmax(run.input, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_log_softmax_backward(
      run.output, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
