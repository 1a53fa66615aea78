import CVectorMath

/// Attention of one sequence to another, or to the steps of itself that count. Shapes: X [steps,
/// width, rows], Y [keys, width, rows] -> that of X; lengths [1, rows].
/// State: q of each step; k and v of each key; the weights [heads, steps, keys]; the heads' outputs.
struct CrossAttentionOperator: LayerOperator {
  let steps: Int
  let keys: Int
  let width: Int
  let heads: Int
  let isCausal: Bool
  /// Which operand the keys come from: 0 for a sequence that looks at itself.
  private let keyOperand: Int
  private let hasLengths: Bool

  init(_ arguments: LayerArguments, _ inputs: [Shape], isCausal: Bool) throws {
    let first = inputs[0]
    guard first.dimensions.count == 2, first.dimensions[0] > 0 else {
      throw arguments.error("expects an input of shape [steps, features], got \(first)")
    }
    steps = first.dimensions[0]
    width = first.dimensions[1]
    heads = try arguments.integer("heads") ?? 1
    self.isCausal = isCausal
    hasLengths = inputs[inputs.count - 1] == Shape([1])
    keyOperand = inputs.count == 2 && hasLengths ? 0 : 1
    let other = inputs[keyOperand]
    guard other.dimensions.count == 2, other.dimensions[0] > 0, other.dimensions[1] == width,
      inputs.count < 3 || hasLengths
    else {
      throw arguments.error(
        "expects a sequence of shape [steps, \(width)] to look at, and a number, got "
          + inputs.dropFirst().map(\.description).joined(separator: ", "))
    }
    keys = other.dimensions[0]
    guard width > 0, width % heads == 0 else {
      throw arguments.error("cannot divide \(width) features of \(first) by \(heads) heads")
    }
    _ = try Shape([3 * width, width]).elementCount()
    _ = try Shape([heads, steps, keys]).elementCount()
  }

  /// Those of attention to itself.
  var parameterSpecs: [ParameterSpec] { AttentionOperator.parameterSpecs(prefix: "", width: width) }
  var flopsPerRow: Int { 4 * width * width * (steps + keys) + 4 * steps * keys * width }

  private var depth: Int { width / heads }
  private var one: DenseProduct { DenseProduct(inputs: width, outputs: width) }
  private var two: DenseProduct { DenseProduct(inputs: width, outputs: 2 * width) }
  private var biasOffset: Int { 3 * width * width }
  private var exitOffset: Int { 3 * width * (width + 1) }
  private var shape: apus_attention_shape {
    apus_attention_shape(
      queries: steps, keys: keys, depth: depth, query_pitch: width, key_pitch: 2 * width,
      output_pitch: width, causal: isCausal ? 1 : 0)
  }

  func stateCount(stride: Int) -> Int {
    (2 * steps * width + 2 * keys * width + heads * steps * keys) * stride
  }
  /// The slopes of q, of k and v, of the heads' outputs and of the keys' sequence; a row of weights.
  func scratchCount(stride: Int) -> Int {
    (2 * steps * width + 3 * keys * width + keys) * stride + two.scratchCount(stride: stride)
  }

  private struct State {
    var q, kv, weights, mixed: UnsafeMutablePointer<Float>
  }

  private func state(_ run: LayerRun) -> State {
    let kv = run.state + steps * width * run.stride
    let weights = kv + 2 * keys * width * run.stride
    return State(
      q: run.state, kv: kv, weights: weights, mixed: weights + heads * steps * keys * run.stride)
  }

  func forward(_ run: LayerRun) {
    let stride = run.stride
    let state = state(run)
    let other = run.operands[keyOperand].values
    let bias = run.parameters + biasOffset
    for step in 0..<steps {
      let at = step * width * stride
      one.forward(
        run.parameters, bias, run.input + at, inputPitch: stride, state.q + at,
        outputPitch: stride, rows: run.rows)
    }
    for key in 0..<keys {
      two.forward(
        run.parameters + width * width, bias + width, other + key * width * stride,
        inputPitch: stride, state.kv + key * 2 * width * stride, outputPitch: stride,
        rows: run.rows)
    }
    var shape = self.shape
    for head in 0..<heads {
      let part = head * depth * stride
      apus_attention(
        &shape, state.q + part, state.kv + part, state.kv + width * stride + part,
        hasLengths ? UnsafePointer(run.operands[run.operands.count - 1].values) : nil,
        state.weights + head * steps * keys * stride, state.mixed + part, run.rows, stride)
    }
    for step in 0..<steps {
      let at = step * width * stride
      one.forward(
        run.parameters + exitOffset, run.parameters + exitOffset + width * width, state.mixed + at,
        inputPitch: stride, run.output + at, outputPitch: stride, rows: run.rows)
    }
  }

  func backward(_ run: LayerRun) {
    let stride = run.stride
    let state = state(run)
    let slopeQ = run.scratch
    let slopeKV = slopeQ + steps * width * stride
    let slopeMixed = slopeKV + 2 * keys * width * stride
    let slopeOther = slopeMixed + steps * width * stride
    let row = slopeOther + keys * width * stride
    let rest = row + keys * stride
    let bias = run.gradients + biasOffset
    back(
      run, one, exitOffset, run.gradients + exitOffset + width * width, run.outputGradient,
      state.mixed, into: slopeMixed, places: steps, scratch: rest)
    slopeQ.update(repeating: 0, count: (steps + 2 * keys) * width * stride)
    var shape = self.shape
    for head in 0..<heads {
      let part = head * depth * stride
      let values = width * stride + part
      apus_attention_backward(
        &shape, state.q + part, state.kv + part, state.kv + values,
        state.weights + head * steps * keys * stride, slopeMixed + part, slopeQ + part,
        slopeKV + part, slopeKV + values, row, run.rows, stride)
    }
    back(
      run, one, 0, bias, slopeQ, run.input, into: run.inputGradient, places: steps, scratch: rest)
    let other = run.operands[keyOperand]
    let isOwn = keyOperand == 0
    back(
      run, two, width * width, bias + width, slopeKV, other.values,
      into: isOwn ? slopeOther : other.gradient, places: keys, scratch: rest)
    if isOwn, let target = run.inputGradient {
      apus_add_vectors(slopeOther, target, target, keys * width, run.rows, stride)
    }
    // A length has no slope.
    if hasLengths, let gradient = run.operands[run.operands.count - 1].gradient {
      gradient.update(repeating: 0, count: stride)
    }
  }

  /// A product's way back at each of `places` steps.
  private func back(
    _ run: LayerRun, _ product: DenseProduct, _ weights: Int,
    _ biasSlope: UnsafeMutablePointer<Float>, _ slope: UnsafeMutablePointer<Float>,
    _ input: UnsafeMutablePointer<Float>, into target: UnsafeMutablePointer<Float>?, places: Int,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let stride = run.stride
    for place in 0..<places {
      let own = slope + place * product.outputs * stride
      let at = place * product.inputs * stride
      apus_add_row_sums(own, product.outputs, run.rows, stride, biasSlope)
      product.weightGradient(
        own, slopePitch: stride, input + at, inputPitch: stride, run.gradients + weights,
        scratch: scratch, rows: run.rows)
      if let target {
        product.inputGradient(
          run.parameters + weights, own, slopePitch: stride, target + at, inputPitch: stride,
          rows: run.rows)
      }
    }
  }
}
