import CVectorMath

extension LayerDefinition {
  static let logSoftmax = LayerDefinition(
    "log_softmax", aliases: ["logsoftmax"], parameters: [LayerParameter("axis", .integer(-1))],
    summary: "xᵢ - ln Σ eˣ along an axis, the last unless told otherwise.",
    example: "log_softmax()"
  ) { arguments, input in
    MadeLayer(
      output: input, operation: LogSoftmaxOperator(places: try AxisPlaces(arguments, input)))
  }
}

/// Backward needs the output: it may overwrite the input.
struct LogSoftmaxOperator: LayerOperator {
  let places: AxisPlaces

  var inPlace: Bool { true }
  var outputUse: OutputUse { .value }

  func forward(_ run: LayerRun) {
    places.forEach { first in
      let at = first * run.stride
      apus_log_softmax(
        run.input + at, run.output + at, places.extent, run.rows, run.stride * places.pitch)
    }
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    places.forEach { first in
      let at = first * run.stride
      apus_log_softmax_backward(
        run.output + at, run.outputGradient + at, inputGradient + at, places.extent, run.rows,
        run.stride * places.pitch)
    }
  }
}
