import CVectorMath

extension LayerDefinition {
  static let transformerEncoder = LayerDefinition(
    "transformer_encoder", aliases: ["transformer_encoder_layer"],
    parameters: [
      LayerParameter("heads"), LayerParameter("ff"), LayerParameter("activation", .text("relu")),
      LayerParameter("norm_first", .boolean(false)), LayerParameter("causal", .boolean(false)),
      LayerParameter("eps", .number(1e-5)),
    ],
    summary: "Attention and two linear layers, each with a way past it and a layernorm. "
      + "Vaswani et al. 2017; norm_first: Xiong et al. 2020.",
    example: "transformer_encoder(4, 128)"
  ) { arguments, input in
    let attention = try AttentionOperator(
      arguments, input, isCausal: try arguments.boolean("causal"))
    guard let inner = try arguments.integer("ff") else {
      throw arguments.error("needs the argument \"ff\"")
    }
    let activation: any LayerOperator
    switch try arguments.text("activation") {
    case "relu": activation = ReluOperator()
    case "gelu": activation = GeluOperator()
    case let other:
      throw arguments.error("needs 'relu' or 'gelu' for \"activation\", got '\(other)'")
    }
    let operation = TransformerEncoderOperator(
      attention: attention, inner: inner, activation: activation,
      normFirst: try arguments.boolean("norm_first"), eps: Float(try arguments.number("eps")))
    _ = try Shape([operation.width, inner]).elementCount()
    return MadeLayer(
      output: input, parameters: operation.parameterSpecs,
      flopsPerRow: attention.flopsPerRow + 4 * attention.steps * operation.width * inner,
      operation: operation)
  }
}

/// x = norm(x + attention(x)); norm(x + W₂ f(W₁ x)); or the norms on the way into each block.
/// State: the four values between the parts, two of the inner width, then attention's.
struct TransformerEncoderOperator: LayerOperator {
  let attention: AttentionOperator
  let inner: Int
  let activation: any LayerOperator
  let normFirst: Bool
  let eps: Float

  var width: Int { attention.width }
  private var steps: Int { attention.steps }
  private var first: LinearOperator {
    LinearOperator(inputs: width, outputs: inner, steps: steps, hasBias: true, relu: false)
  }
  private var second: LinearOperator {
    LinearOperator(inputs: inner, outputs: width, steps: steps, hasBias: true, relu: false)
  }
  private var norm: NormOperator {
    NormOperator(width: width, span: 1, weights: width, groups: 1, isCentered: true, eps: eps)
  }

  var parameterSpecs: [ParameterSpec] {
    func named(_ prefix: String, _ specs: [ParameterSpec]) -> [ParameterSpec] {
      specs.map { ParameterSpec(name: prefix + $0.name, shape: $0.shape, role: $0.role) }
    }
    func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> [ParameterSpec] {
      [
        ParameterSpec(
          name: name + ".weight", shape: [outputs, inputs],
          role: .weight(fanIn: inputs, fanOut: outputs)),
        ParameterSpec(name: name + ".bias", shape: [outputs], role: .bias(fanIn: inputs)),
      ]
    }
    return attention.parameterSpecs(prefix: "self_attn.") + linear("linear1", width, inner)
      + linear("linear2", inner, width)
      + named("norm1.", LayerDefinition.normParameters(width))
      + named("norm2.", LayerDefinition.normParameters(width))
  }

  private enum Part { case attention, first, second, norm1, norm2 }

  private func offset(_ part: Part) -> Int {
    let linear = AttentionOperator.parameterCount(width)
    let norms = linear + inner * (width + 1) + width * (inner + 1)
    switch part {
    case .attention: return 0
    case .first: return linear
    case .second: return linear + inner * (width + 1)
    case .norm1: return norms
    case .norm2: return norms + 2 * width
    }
  }

  func stateCount(stride: Int) -> Int {
    (4 * width + 2 * inner) * steps * stride + attention.stateCount(stride: stride)
  }
  func scratchCount(stride: Int) -> Int {
    (3 * width + inner) * steps * stride
      + max(
        attention.scratchCount(stride: stride), first.scratchCount(stride: stride),
        second.scratchCount(stride: stride))
  }

  /// The values between the parts: `a` after the first norm or sum, and so on.
  private struct Values {
    var a, b, c, d, wide, active, attention: UnsafeMutablePointer<Float>
  }

  private func values(_ run: LayerRun) -> Values {
    let size = width * steps * run.stride
    let state = run.state
    let wide = state + 4 * size
    let innerSize = inner * steps * run.stride
    return Values(
      a: state, b: state + size, c: state + 2 * size, d: state + 3 * size, wide: wide,
      active: wide + innerSize, attention: wide + 2 * innerSize)
  }

  /// A part's view of the run.
  private func view(
    _ run: LayerRun, _ part: Part, _ input: UnsafeMutablePointer<Float>,
    _ output: UnsafeMutablePointer<Float>, outputWidth: Int
  ) -> LayerRun {
    var inner = run
    inner.input = input
    inner.output = output
    inner.outputWidth = outputWidth
    inner.parameters = run.parameters + offset(part)
    inner.gradients = run.gradients + offset(part)
    inner.state = values(run).attention
    return inner
  }

  func forward(_ run: LayerRun) {
    let v = values(run)
    let full = width * steps
    func add(_ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
      apus_add_vectors(x, y, y, full, run.rows, run.stride)
    }
    if normFirst {
      // a = norm1(x), b = x + attention(a), c = norm2(b), y = b + block(c)
      norm.forward(view(run, .norm1, run.input, v.a, outputWidth: full))
      attention.forward(view(run, .attention, v.a, v.b, outputWidth: full))
      add(run.input, v.b)
      norm.forward(view(run, .norm2, v.b, v.c, outputWidth: full))
      block(run, v, from: v.c, to: run.output)
      add(v.b, run.output)
    } else {
      // a = x + attention(x), b = norm1(a), c = b + block(b), y = norm2(c)
      attention.forward(view(run, .attention, run.input, v.a, outputWidth: full))
      add(run.input, v.a)
      norm.forward(view(run, .norm1, v.a, v.b, outputWidth: full))
      block(run, v, from: v.b, to: v.c)
      add(v.b, v.c)
      norm.forward(view(run, .norm2, v.c, run.output, outputWidth: full))
    }
  }

  private func block(
    _ run: LayerRun, _ v: Values, from input: UnsafeMutablePointer<Float>,
    to output: UnsafeMutablePointer<Float>
  ) {
    first.forward(view(run, .first, input, v.wide, outputWidth: inner * steps))
    activation.forward(view(run, .first, v.wide, v.active, outputWidth: inner * steps))
    second.forward(view(run, .second, v.active, output, outputWidth: width * steps))
  }

  func backward(_ run: LayerRun) {
    let v = values(run)
    let full = width * steps
    let size = full * run.stride
    let one = run.scratch
    let two = one + size
    let three = two + size
    func add(_ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
      apus_add_vectors(x, y, y, full, run.rows, run.stride)
    }
    func back(
      _ operation: some LayerOperator, _ part: Part, _ input: UnsafeMutablePointer<Float>,
      _ slope: UnsafeMutablePointer<Float>, into target: UnsafeMutablePointer<Float>
    ) {
      var inner = view(run, part, input, run.output, outputWidth: full)
      inner.outputGradient = slope
      inner.inputGradient = target
      inner.scratch = three + size + self.inner * steps * run.stride
      operation.backward(inner)
    }
    let target = run.inputGradient ?? three
    if normFirst {
      blockBackward(run, v, from: v.c, run.outputGradient, into: one)
      back(norm, .norm2, v.b, one, into: two)
      add(run.outputGradient, two)
      back(attention, .attention, v.a, two, into: one)
      back(norm, .norm1, run.input, one, into: target)
      add(two, target)
    } else {
      back(norm, .norm2, v.c, run.outputGradient, into: one)
      blockBackward(run, v, from: v.b, one, into: two)
      add(one, two)
      back(norm, .norm1, v.a, two, into: one)
      back(attention, .attention, run.input, one, into: target)
      add(one, target)
    }
  }

  private func blockBackward(
    _ run: LayerRun, _ v: Values, from input: UnsafeMutablePointer<Float>,
    _ slope: UnsafeMutablePointer<Float>, into target: UnsafeMutablePointer<Float>
  ) {
    let wideSlope = run.scratch + 3 * width * steps * run.stride
    let rest = wideSlope + inner * steps * run.stride
    var part = view(run, .second, v.active, run.output, outputWidth: width * steps)
    part.outputGradient = slope
    part.inputGradient = wideSlope
    part.scratch = rest
    second.backward(part)
    part = view(run, .first, v.wide, v.active, outputWidth: inner * steps)
    part.outputGradient = wideSlope
    part.inputGradient = wideSlope
    activation.backward(part)
    part = view(run, .first, input, v.wide, outputWidth: inner * steps)
    part.outputGradient = wideSlope
    part.inputGradient = target
    part.scratch = rest
    first.backward(part)
  }
}
