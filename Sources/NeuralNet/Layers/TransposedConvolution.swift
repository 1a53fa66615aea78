import CVectorMath

extension LayerDefinition {
  static let transposedConv2d = LayerDefinition(
    "conv_transpose2d", aliases: ["convtranspose2d"],
    parameters: [
      LayerParameter("in", isOptional: true), LayerParameter("out"),
      LayerParameter("kernel_size", .integer(3)), LayerParameter("stride", .integer(1)),
      LayerParameter("padding", .integer(0)), LayerParameter("output_padding", .integer(0)),
      LayerParameter("dilation", .integer(1)), LayerParameter("groups", .integer(1)),
      LayerParameter("bias", .boolean(true)),
    ],
    shortForm: ["out"],
    summary:
      "The convolution's gradient as a layer: images grow. Weight [in, out / groups, kernel].",
    example: "conv_transpose2d(16, stride => 2)"
  ) { arguments, input in
    guard input.dimensions.count == 3 else {
      throw arguments.error("expects an input of shape [channels, height, width], got \(input)")
    }
    let channels = input.dimensions[0]
    if let expected = try arguments.integer("in"), expected != channels {
      throw arguments.error("expects \(expected) channels, got an input of shape \(input)")
    }
    guard let out = try arguments.integer("out") else {
      throw arguments.error("needs the argument \"out\"")
    }
    let groups = try arguments.integer("groups") ?? 1
    guard channels % groups == 0, out % groups == 0 else {
      throw arguments.error("cannot divide \(channels) and \(out) channels by \(groups) groups")
    }
    // The window moves over the output, once for each pixel of the input.
    var window = try ImageWindow(arguments, input)
    let extra = try arguments.pair("output_padding", atLeast: 0)
    window.rows = window.height
    window.columns = window.width
    window.channels = out
    window.height =
      (window.rows - 1) * window.stride.height - 2 * window.padding.height
      + window.dilation.height * (window.kernel.height - 1) + 1 + extra.0
    window.width =
      (window.columns - 1) * window.stride.width - 2 * window.padding.width
      + window.dilation.width * (window.kernel.width - 1) + 1 + extra.1
    guard window.height > 0, window.width > 0 else {
      throw arguments.error("has more padding than output for an input of \(input)")
    }
    let hasBias = try arguments.boolean("bias")
    let fan = out / groups * window.kernelCount
    var parameters = [
      ParameterSpec(
        name: "weight",
        shape: [channels, out / groups, window.kernel.height, window.kernel.width],
        role: .weight(fanIn: fan, fanOut: channels / groups * window.kernelCount))
    ]
    if hasBias {
      parameters.append(ParameterSpec(name: "bias", shape: [out], role: .bias(fanIn: fan)))
    }
    return MadeLayer(
      output: Shape([out, window.height, window.width]), parameters: parameters,
      flopsPerRow: 2 * fan * channels * window.placeCount,
      operation: TransposedConvolutionOperator(
        window: window, inputs: channels, groups: groups, hasBias: hasBias))
  }
}

/// Each input pixel adds Wᵀ x to the window at its place of the output.
struct TransposedConvolutionOperator: LayerOperator {
  let window: ImageWindow
  let inputs: Int
  let groups: Int
  let hasBias: Bool

  private var channels: Int { window.channels / groups }
  /// The convolution that goes the other way: patch of the output -> pixel of the input.
  private var product: DenseProduct {
    DenseProduct(inputs: channels * window.kernelCount, outputs: inputs / groups)
  }
  private var weightCount: Int { inputs * product.inputs }

  func stateCount(stride: Int) -> Int { product.inputs * stride }
  func scratchCount(stride: Int) -> Int { product.scratchCount(stride: stride) }

  func forward(_ run: LayerRun) {
    let pitch = window.placeCount * run.stride
    let pixels = window.pixelCount * run.stride
    for output in 0..<window.channels {
      (run.output + output * pixels).update(
        repeating: hasBias ? run.parameters[weightCount + output] : 0, count: pixels)
    }
    for place in 0..<window.placeCount {
      for group in 0..<groups {
        let first = group * product.outputs
        product.inputGradient(
          run.parameters + first * product.inputs,
          run.input + first * pitch + place * run.stride, slopePitch: pitch, run.state,
          inputPitch: run.stride, rows: run.rows)
        window.scatter(
          run.state, place: place, channels: range(group), into: run.output, rows: run.rows,
          stride: run.stride)
      }
    }
  }

  func backward(_ run: LayerRun) {
    let pitch = window.placeCount * run.stride
    if hasBias {
      for vector in 0..<window.channels * window.pixelCount {
        apus_add_row_sums(
          run.outputGradient + vector * run.stride, 1, run.rows, run.stride,
          run.gradients + weightCount + vector / window.pixelCount)
      }
    }
    for place in 0..<window.placeCount {
      for group in 0..<groups {
        let first = group * product.outputs
        window.gather(
          run.outputGradient, place: place, channels: range(group), into: run.state,
          rows: run.rows, stride: run.stride)
        let at = first * pitch + place * run.stride
        product.weightGradient(
          run.input + at, slopePitch: pitch, run.state, inputPitch: run.stride,
          run.gradients + first * product.inputs, scratch: run.scratch, rows: run.rows)
        if let inputGradient = run.inputGradient {
          product.forward(
            run.parameters + first * product.inputs, nil, run.state, inputPitch: run.stride,
            inputGradient + at, outputPitch: pitch, rows: run.rows)
        }
      }
    }
  }

  private func range(_ group: Int) -> Range<Int> { group * channels..<(group + 1) * channels }
}
