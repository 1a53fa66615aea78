import CVectorMath

extension LayerDefinition {
  static let maxPool = LayerDefinition(
    "max_pool2d", aliases: ["maxpool2d", "max_pool1d", "maxpool1d"],
    parameters: [
      LayerParameter("kernel_size", .integer(2)), LayerParameter("stride", isOptional: true),
      LayerParameter("padding", .integer(0)), LayerParameter("ceil_mode", .boolean(false)),
    ],
    summary: "The largest value under each window; the stride is the kernel's size unless given.",
    example: "max_pool2d(2)"
  ) { arguments, input in
    var window = try ImageWindow(arguments, input, kernel: true)
    guard 2 * window.padding.height <= window.kernel.height,
      2 * window.padding.width <= window.kernel.width
    else { throw arguments.error("needs a padding of at most half the kernel's size") }
    try window.place(arguments, input, ceiling: arguments.boolean("ceil_mode"))
    return MadeLayer(
      output: window.pooled(input), flopsPerRow: window.poolingFlops,
      operation: MaxPoolOperator(window: window))
  }

  static let globalMaxPool = LayerDefinition(
    "global_max_pool", aliases: ["global_maxpool"],
    summary: "The largest value of each channel: [channels, …] gives [channels].",
    example: "global_max_pool()"
  ) { arguments, input in
    var window = try ImageWindow(whole: arguments, input)
    window.rows = 1
    window.columns = 1
    return MadeLayer(
      output: Shape([window.channels]), flopsPerRow: window.poolingFlops,
      operation: MaxPoolOperator(window: window))
  }
}

/// Of equal values the first gets the gradient. Backward needs input and output.
struct MaxPoolOperator: LayerOperator {
  let window: ImageWindow

  var outputUse: OutputUse { .value }
  func scratchCount(stride: Int) -> Int { stride }

  func forward(_ run: LayerRun) {
    eachWindow(run) { output in
      (run.output + output).update(repeating: -.infinity, count: run.rows)
    } tap: { output, input in
      apus_largest(run.input + input, run.output + output, run.rows)
    }
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    inputGradient.update(repeating: 0, count: run.inputWidth * run.stride)
    eachWindow(run) { _ in
      run.scratch.update(repeating: 0, count: run.rows)
    } tap: { output, input in
      apus_largest_backward(
        run.input + input, run.output + output, run.outputGradient + output,
        inputGradient + input, run.scratch, run.rows)
    }
  }

  private func eachWindow(
    _ run: LayerRun, begin: (Int) -> Void, tap: (Int, Int) -> Void
  ) {
    for channel in 0..<window.channels {
      for place in 0..<window.placeCount {
        let output = (channel * window.placeCount + place) * run.stride
        begin(output)
        for index in 0..<window.kernelCount {
          guard let pixel = window.pixel(place: place, tap: index) else { continue }
          tap(output, (channel * window.pixelCount + pixel) * run.stride)
        }
      }
    }
  }
}
