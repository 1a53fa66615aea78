import CVectorMath

extension LayerDefinition {
  static let softmax = LayerDefinition(
    "softmax",
    summary: "eˣ / Σ eˣ over the last axis.", example: "softmax()"
  ) { _, input in
    MadeLayer(output: input, operation: SoftmaxOperator(width: input.dimensions.last ?? 1))
  }
}

/// Backward needs the output: it may overwrite the input.
struct SoftmaxOperator: LayerOperator {
  /// The extent of the last axis.
  let width: Int

  var inPlace: Bool { true }
  var outputUse: OutputUse { .value }

  func forward(_ run: LayerRun) {
    for first in stride(from: 0, to: run.outputWidth, by: width) {
      let at = first * run.stride
      apus_softmax(run.input + at, run.output + at, width, run.rows, run.stride)
    }
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    for first in stride(from: 0, to: run.outputWidth, by: width) {
      let at = first * run.stride
      apus_softmax_backward(
        run.output + at, run.outputGradient + at, inputGradient + at, width, run.rows, run.stride)
    }
  }
}
