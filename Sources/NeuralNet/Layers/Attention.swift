import CVectorMath

extension LayerDefinition {
  static let attention = LayerDefinition(
    "attention", aliases: ["multihead_attention", "mha"],
    parameters: [LayerParameter("heads", .integer(4)), LayerParameter("causal", .boolean(false))],
    tensors: 1...3,
    summary: "Every step sees every other: softmax(QKᵀ/√d)V in heads, [steps, features] as before. "
      + "A second sequence is what the steps look at in its place; a last number says how many of "
      + "its steps count. Vaswani et al. 2017.",
    example: "attention(heads => 4)"
  ) { arguments, inputs in
    let input = inputs[0]
    let isCausal = try arguments.boolean("causal")
    if inputs.count > 1 {
      let operation = try CrossAttentionOperator(arguments, inputs, isCausal: isCausal)
      return MadeLayer(
        output: input, parameters: operation.parameterSpecs, flopsPerRow: operation.flopsPerRow,
        operation: operation)
    }
    let operation = try AttentionOperator(arguments, input, isCausal: isCausal)
    return MadeLayer(
      output: input, parameters: operation.parameterSpecs(prefix: ""),
      flopsPerRow: operation.flopsPerRow, operation: operation)
  }
}

/// Self-attention. Shapes: X [steps, width, rows] -> the same.
/// State: q, k, v of each step; the weights [heads, steps, steps]; the heads' outputs.
struct AttentionOperator: LayerOperator {
  let steps: Int
  let width: Int
  let heads: Int
  let isCausal: Bool

  init(_ arguments: LayerArguments, _ input: Shape, isCausal: Bool) throws {
    guard input.dimensions.count == 2, input.dimensions[0] > 0 else {
      throw arguments.error("expects an input of shape [steps, features], got \(input)")
    }
    steps = input.dimensions[0]
    width = input.dimensions[1]
    heads = try arguments.integer("heads") ?? 1
    self.isCausal = isCausal
    guard width % heads == 0, width > 0 else {
      throw arguments.error("cannot divide \(width) features of \(input) by \(heads) heads")
    }
    _ = try Shape([3 * width, width]).elementCount()
    _ = try Shape([heads, steps, steps]).elementCount()
  }

  func parameterSpecs(prefix: String) -> [ParameterSpec] {
    Self.parameterSpecs(prefix: prefix, width: width)
  }

  static func parameterSpecs(prefix: String, width: Int) -> [ParameterSpec] {
    let fan = ParameterRole.weight(fanIn: width, fanOut: width)
    return [
      ParameterSpec(name: prefix + "in_proj_weight", shape: [3 * width, width], role: fan),
      ParameterSpec(name: prefix + "in_proj_bias", shape: [3 * width], role: .constant(0)),
      ParameterSpec(name: prefix + "out_proj.weight", shape: [width, width], role: fan),
      ParameterSpec(name: prefix + "out_proj.bias", shape: [width], role: .constant(0)),
    ]
  }

  static func parameterCount(_ width: Int) -> Int { 4 * width * width + 4 * width }
  var flopsPerRow: Int { steps * (8 * width * width + 4 * steps * width) }

  private var entrance: LinearOperator {
    LinearOperator(inputs: width, outputs: 3 * width, steps: steps, hasBias: true, relu: false)
  }
  private var exit: LinearOperator {
    LinearOperator(inputs: width, outputs: width, steps: steps, hasBias: true, relu: false)
  }
  private var exitOffset: Int { 3 * width * (width + 1) }
  private var depth: Int { width / heads }
  private var shape: apus_attention_shape {
    apus_attention_shape(
      queries: steps, keys: steps, depth: depth, query_pitch: 3 * width, key_pitch: 3 * width,
      output_pitch: width, causal: isCausal ? 1 : 0)
  }

  func stateCount(stride: Int) -> Int { (4 * width + heads * steps) * steps * stride }
  func scratchCount(stride: Int) -> Int {
    (4 * width * steps + steps) * stride + entrance.scratchCount(stride: stride)
  }

  func forward(_ run: LayerRun) {
    let stride = run.stride
    var inner = run
    inner.output = run.state
    entrance.forward(inner)
    let weights = run.state + 3 * width * steps * stride
    let mixed = weights + heads * steps * steps * stride
    var shape = self.shape
    for head in 0..<heads {
      let q = run.state + head * depth * stride
      apus_attention(
        &shape, q, q + width * stride, q + 2 * width * stride, nil,
        weights + head * steps * steps * stride, mixed + head * depth * stride, run.rows, stride)
    }
    inner.input = mixed
    inner.output = run.output
    inner.parameters = run.parameters + exitOffset
    exit.forward(inner)
  }

  func backward(_ run: LayerRun) {
    let stride = run.stride
    let size = width * steps * stride
    let weights = run.state + 3 * size
    let slopes = run.scratch
    let mixedSlope = run.scratch + 3 * size
    let row = mixedSlope + size
    var inner = run
    inner.scratch = row + steps * stride
    inner.input = weights + heads * steps * steps * stride
    inner.inputGradient = mixedSlope
    inner.parameters = run.parameters + exitOffset
    inner.gradients = run.gradients + exitOffset
    exit.backward(inner)
    slopes.update(repeating: 0, count: 3 * size)
    var shape = self.shape
    for head in 0..<heads {
      let part = head * depth * stride
      let q = run.state + part
      let dq = slopes + part
      apus_attention_backward(
        &shape, q, q + width * stride, q + 2 * width * stride,
        weights + head * steps * steps * stride, mixedSlope + part, dq, dq + width * stride,
        dq + 2 * width * stride, row, run.rows, stride)
    }
    inner.input = run.input
    inner.inputGradient = run.inputGradient
    inner.outputGradient = slopes
    inner.parameters = run.parameters
    inner.gradients = run.gradients
    entrance.backward(inner)
  }
}
