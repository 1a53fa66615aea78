import CVectorMath

extension LayerDefinition {
  static let layerNorm = LayerDefinition(
    "layernorm", aliases: ["layer_norm"], parameters: [LayerParameter("eps", .number(1e-5))],
    summary: "Mean 0 and variance 1 over the last axis, then a scale and a shift. Ba et al. 2016.",
    example: "layernorm()"
  ) { arguments, input in
    let width = input.dimensions.last ?? 1
    return MadeLayer(
      output: input, parameters: normParameters(width),
      operation: NormOperator(
        width: width, span: 1, weights: width, groups: 1, isCentered: true,
        eps: Float(try arguments.number("eps"))))
  }

  static let rmsNorm = LayerDefinition(
    "rmsnorm", aliases: ["rms_norm"], parameters: [LayerParameter("eps", .number(1e-6))],
    summary: "Root mean square 1 over the last axis, then a scale. Zhang, Sennrich 2019.",
    example: "rmsnorm()"
  ) { arguments, input in
    let width = input.dimensions.last ?? 1
    return MadeLayer(
      output: input, parameters: [normParameters(width)[0]],
      operation: NormOperator(
        width: width, span: 1, weights: width, groups: 1, isCentered: false,
        eps: Float(try arguments.number("eps"))))
  }

  static let groupNorm = LayerDefinition(
    "groupnorm", aliases: ["group_norm"],
    parameters: [LayerParameter("groups"), LayerParameter("eps", .number(1e-5))],
    summary: "Mean 0 and variance 1 over groups of channels. Wu, He 2018.", example: "groupnorm(8)"
  ) { arguments, input in
    let channels = input.dimensions.first ?? 1
    let groups = try arguments.integer("groups") ?? 1
    guard channels % groups == 0 else {
      throw arguments.error("cannot divide \(channels) channels of \(input) by \(groups) groups")
    }
    let span = try input.elementCount() / channels
    return MadeLayer(
      output: input, parameters: normParameters(channels),
      operation: NormOperator(
        width: channels / groups * span, span: span, weights: channels, groups: groups,
        isCentered: true, eps: Float(try arguments.number("eps"))))
  }

  /// weight (1 at first) and bias (0 at first) of a normalisation.
  static func normParameters(_ count: Int) -> [ParameterSpec] {
    [
      ParameterSpec(name: "weight", shape: [count], role: .constant(1)),
      ParameterSpec(name: "bias", shape: [count], role: .constant(0)),
    ]
  }
}

/// Normalises each `width` values of a row. Backward needs the input, and computes the statistics
/// again: cheaper than keeping the normalised values.
struct NormOperator: LayerOperator {
  let width: Int
  /// Values in a row that share a weight.
  let span: Int
  let weights: Int
  /// After so many parts the weights begin anew.
  let groups: Int
  let isCentered: Bool
  let eps: Float

  func forward(_ run: LayerRun) {
    for part in 0..<run.outputWidth / width {
      let at = part * width * run.stride
      let weight = part % groups * (width / span)
      apus_normalize(
        run.input + at, run.output + at, run.parameters + weight,
        isCentered ? run.parameters + weights + weight : nil, width, span, isCentered ? 1 : 0, eps,
        run.rows, run.stride)
    }
  }

  func backward(_ run: LayerRun) {
    for part in 0..<run.outputWidth / width {
      let at = part * width * run.stride
      let weight = part % groups * (width / span)
      apus_normalize_backward(
        run.input + at, run.outputGradient + at, run.inputGradient.map { $0 + at },
        run.parameters + weight, run.gradients + weight,
        isCentered ? run.gradients + weights + weight : nil, width, span, isCentered ? 1 : 0, eps,
        run.rows, run.stride)
    }
  }
}
