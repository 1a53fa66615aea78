import CVectorMath

extension LayerDefinition {
  static let relu6 = LayerDefinition.elementwise(
    "relu6",
    summary: "min(max(x, 0), 6). Krizhevsky 2010.", example: "relu6()"
  ) { _ in
    Relu6Operator()
  }
}

/// Backward needs the input.
struct Relu6Operator: LayerOperator {
  func forward(_ run: LayerRun) {
    apus_relu6(run.input, nil, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_relu6(
      run.input, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
