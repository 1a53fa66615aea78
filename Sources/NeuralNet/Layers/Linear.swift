import CVectorMath
import Diagnostics

extension LayerDefinition {
  static let linear = LayerDefinition(
    "linear", aliases: ["dense", "fc"],
    parameters: [
      LayerParameter("in", isOptional: true), LayerParameter("out"),
      LayerParameter("bias", .boolean(true)),
    ],
    shortForm: ["out"],
    summary:
      "y = x Wᵀ + b; W [out, in], b [out]. On the last axis; its extent is inferred, or checked.",
    example: "linear(64)"
  ) { arguments, input in
    guard let width = input.dimensions.last else {
      throw arguments.error("expects a vector, got shape \(input)")
    }
    if let expected = try arguments.integer("in"), expected != width {
      let shape = Shape(input.dimensions.dropLast() + [expected])
      throw arguments.error("expects an input of shape \(shape), got \(input)")
    }
    guard let out = try arguments.integer("out") else {
      throw arguments.error("needs the argument \"out\"")
    }
    let hasBias = try arguments.boolean("bias")
    var parameters = [
      ParameterSpec(
        name: "weight", shape: [out, width], role: .weight(fanIn: width, fanOut: out))
    ]
    if hasBias {
      parameters.append(ParameterSpec(name: "bias", shape: [out], role: .bias(fanIn: width)))
    }
    let steps = input.dimensions.dropLast().reduce(1, *)
    return MadeLayer(
      output: Shape(input.dimensions.dropLast() + [out]), parameters: parameters,
      flopsPerRow: 2 * steps * (width * out + (hasBias ? out : 0)),
      operation: LinearOperator(
        inputs: width, outputs: out, steps: steps, hasBias: hasBias, relu: false))
  }
}

/// Y = W X + b at each of `steps` places, with a following relu fused in.
/// Shapes: W [out, in], X [steps, in, rows], Y [steps, out, rows].
struct LinearOperator: LayerOperator {
  let inputs: Int
  let outputs: Int
  var steps = 1
  let hasBias: Bool
  let relu: Bool

  private var product: DenseProduct { DenseProduct(inputs: inputs, outputs: outputs) }
  var outputUse: OutputUse { relu ? .sign : .none }

  func forward(_ run: LayerRun) {
    let bias = hasBias ? run.parameters + inputs * outputs : nil
    for step in 0..<steps {
      product.forward(
        run.parameters, bias, run.input + step * inputs * run.stride, inputPitch: run.stride,
        run.output + step * outputs * run.stride, outputPitch: run.stride, rows: run.rows,
        relu: relu)
    }
  }

  func backward(_ run: LayerRun) {
    for step in 0..<steps {
      let slope = run.outputGradient + step * outputs * run.stride
      let input = step * inputs * run.stride
      if relu {
        apus_relu_backward(
          run.output + step * outputs * run.stride, slope, slope, outputs, run.rows, run.stride)
      }
      if hasBias {
        apus_add_row_sums(slope, outputs, run.rows, run.stride, run.gradients + inputs * outputs)
      }
      product.weightGradient(
        slope, slopePitch: run.stride, run.input + input, inputPitch: run.stride, run.gradients,
        scratch: run.scratch, rows: run.rows, counted: run.rowCount)
      if let inputGradient = run.inputGradient {
        product.inputGradient(
          run.parameters, slope, slopePitch: run.stride, inputGradient + input,
          inputPitch: run.stride, rows: run.rows)
      }
    }
  }

  func scratchCount(stride: Int) -> Int {
    product.scratchCount(stride: stride)
  }

  func fused(with next: any LayerOperator) -> (any LayerOperator)? {
    guard !relu, next is ReluOperator else { return nil }
    return LinearOperator(
      inputs: inputs, outputs: outputs, steps: steps, hasBias: hasBias, relu: true)
  }
}
