import CVectorMath

extension LayerDefinition {
  static let mean = LayerDefinition(
    "mean", aliases: ["mean_pool"],
    summary: "The mean over the steps: [steps, features] gives "
      + "[features].", example: "mean()"
  ) { arguments, input in
    guard input.dimensions.count == 2, input.dimensions[0] > 0 else {
      throw arguments.error("expects an input of shape [steps, features], got \(input)")
    }
    return MadeLayer(
      output: Shape([input.dimensions[1]]), flopsPerRow: try input.elementCount(),
      operation: MeanOperator(steps: input.dimensions[0]))
  }
}

/// Shapes: [steps, features, rows] -> [features, rows].
struct MeanOperator: LayerOperator {
  let steps: Int

  func forward(_ run: LayerRun) {
    let size = run.outputWidth * run.stride
    run.output.update(from: run.input, count: size)
    for step in 1..<max(1, steps) { apus_add_scaled(run.input + step * size, run.output, size, 1) }
    apus_scale(run.output, size, 1 / Float(steps))
  }

  func backward(_ run: LayerRun) {
    guard let gradient = run.inputGradient else { return }
    let size = run.outputWidth * run.stride
    gradient.update(from: run.outputGradient, count: size)
    apus_scale(gradient, size, 1 / Float(steps))
    for step in 1..<max(1, steps) { (gradient + step * size).update(from: gradient, count: size) }
  }
}
