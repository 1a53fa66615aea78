import CVectorMath

extension LayerDefinition {
  static let conv1d = convolution(
    "conv1d", axes: 1, summary: "Sums of a sequence's neighbours; [channels, steps].")
  static let conv2d = convolution(
    "conv2d", axes: 2, summary: "Sums of an image's neighbours; [channels, height, width].")

  private static func convolution(_ name: String, axes: Int, summary: String) -> LayerDefinition {
    LayerDefinition(
      name,
      parameters: [
        LayerParameter("in", isOptional: true), LayerParameter("out"),
        LayerParameter("kernel_size", .integer(3)), LayerParameter("stride", .integer(1)),
        LayerParameter("padding", .integer(0)), LayerParameter("dilation", .integer(1)),
        LayerParameter("groups", .integer(1)), LayerParameter("bias", .boolean(true)),
      ],
      shortForm: ["out"], summary: summary + " Weight [out, in / groups, …kernel].",
      example: "\(name)(16, kernel_size => 3, padding => 1)"
    ) { arguments, input in
      guard input.dimensions.count == axes + 1 else {
        throw arguments.error(
          "expects an input of shape [channels\(axes == 2 ? ", height, width" : ", steps")], "
            + "got \(input)", hint: "put reshape(…) before it")
      }
      var window = try ImageWindow(arguments, input)
      try window.place(arguments, input)
      return try convolution(arguments, input, window)
    }
  }

  private static func convolution(
    _ arguments: LayerArguments, _ input: Shape, _ window: ImageWindow
  ) throws -> MadeLayer {
    let groups = try arguments.integer("groups") ?? 1
    guard let out = try arguments.integer("out") else {
      throw arguments.error("needs the argument \"out\"")
    }
    if let expected = try arguments.integer("in"), expected != window.channels {
      throw arguments.error("expects \(expected) channels, got an input of shape \(input)")
    }
    guard window.channels % groups == 0, out % groups == 0 else {
      throw arguments.error(
        "cannot divide \(window.channels) and \(out) channels by \(groups) groups")
    }
    let hasBias = try arguments.boolean("bias")
    let isFlat = input.dimensions.count == 2
    let kernel =
      isFlat ? [window.kernel.width] : [window.kernel.height, window.kernel.width]
    let inputs = window.channels / groups * window.kernelCount
    var parameters = [
      ParameterSpec(
        name: "weight", shape: [out, window.channels / groups] + kernel,
        role: .weight(fanIn: inputs, fanOut: out / groups * window.kernelCount))
    ]
    if hasBias {
      parameters.append(ParameterSpec(name: "bias", shape: [out], role: .bias(fanIn: inputs)))
    }
    let places = isFlat ? [window.columns] : [window.rows, window.columns]
    return MadeLayer(
      output: Shape([out] + places), parameters: parameters,
      flopsPerRow: 2 * inputs * out * window.placeCount,
      operation: ConvolutionOperator(
        window: window, outputs: out, groups: groups, hasBias: hasBias))
  }
}

/// At each place of the window Y = W patch + b. Shapes: W [out, channels / groups x taps],
/// X [channels, height x width, rows], Y [out, places, rows].
struct ConvolutionOperator: LayerOperator {
  let window: ImageWindow
  let outputs: Int
  let groups: Int
  let hasBias: Bool

  private var channels: Int { window.channels / groups }
  private var product: DenseProduct {
    DenseProduct(inputs: channels * window.kernelCount, outputs: outputs / groups)
  }
  private var weightCount: Int { outputs * product.inputs }

  /// The patch at hand; backward uses its scratch.
  func stateCount(stride: Int) -> Int { product.inputs * stride }
  func scratchCount(stride: Int) -> Int {
    product.inputs * stride + product.scratchCount(stride: stride)
  }

  func forward(_ run: LayerRun) {
    let pitch = window.placeCount * run.stride
    for place in 0..<window.placeCount {
      for group in 0..<groups {
        let first = group * product.outputs
        let patch = patch(run, place: place, group: group)
        product.forward(
          run.parameters + first * product.inputs,
          hasBias ? run.parameters + weightCount + first : nil, patch, inputPitch: run.stride,
          run.output + first * pitch + place * run.stride, outputPitch: pitch, rows: run.rows)
      }
    }
  }

  func backward(_ run: LayerRun) {
    let pitch = window.placeCount * run.stride
    if hasBias {
      for output in 0..<outputs {
        for place in 0..<window.placeCount {
          apus_add_row_sums(
            run.outputGradient + output * pitch + place * run.stride, 1, run.rows, run.stride,
            run.gradients + weightCount + output)
        }
      }
    }
    run.inputGradient?.update(repeating: 0, count: run.inputWidth * run.stride)
    for place in 0..<window.placeCount {
      for group in 0..<groups {
        let first = group * product.outputs
        let slope = run.outputGradient + first * pitch + place * run.stride
        let patch = patch(run, place: place, group: group)
        product.weightGradient(
          slope, slopePitch: pitch, patch, inputPitch: run.stride,
          run.gradients + first * product.inputs,
          scratch: run.scratch + product.inputs * run.stride, rows: run.rows)
        guard let inputGradient = run.inputGradient else { continue }
        product.inputGradient(
          run.parameters + first * product.inputs, slope, slopePitch: pitch, run.scratch,
          inputPitch: run.stride, rows: run.rows)
        window.scatter(
          run.scratch, place: place, channels: range(group), into: inputGradient, rows: run.rows,
          stride: run.stride)
      }
    }
  }

  private func range(_ group: Int) -> Range<Int> { group * channels..<(group + 1) * channels }

  private func patch(_ run: LayerRun, place: Int, group: Int) -> UnsafePointer<Float> {
    window.gather(
      run.input, place: place, channels: range(group), into: run.state, rows: run.rows,
      stride: run.stride)
    return UnsafePointer(run.state)
  }
}
