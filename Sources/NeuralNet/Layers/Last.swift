extension LayerDefinition {
  static let last = LayerDefinition(
    "last", summary: "The last step of a sequence: [steps, features] gives [features].",
    example: "last()"
  ) { arguments, input in
    guard input.dimensions.count == 2 else {
      throw arguments.error("expects an input of shape [steps, features], got \(input)")
    }
    return MadeLayer(
      output: Shape([input.dimensions[1]]),
      operation: LastOperator(skipped: (input.dimensions[0] - 1) * input.dimensions[1]))
  }
}

/// Drops all features before the last step's.
struct LastOperator: LayerOperator {
  let skipped: Int

  func forward(_ run: LayerRun) {
    run.output.update(
      from: run.input + skipped * run.stride, count: run.outputWidth * run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    inputGradient.update(repeating: 0, count: skipped * run.stride)
    (inputGradient + skipped * run.stride).update(
      from: run.outputGradient, count: run.outputWidth * run.stride)
  }
}
