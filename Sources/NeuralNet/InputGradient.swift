import CVectorMath
import Diagnostics

/// How an output's values change with the inputs: what explains a prediction. One per worker.
package final class InputGradient {
  package let inputWidth: Int
  private let executor: TileExecutor
  private let parameters: FloatBuffer
  /// The weights' gradients, which nobody reads.
  private let discarded: FloatBuffer
  private let finish: Predictor.Finish
  private let width: Int

  /// Of the output number `output`, in the form that a predictor gives it.
  package init(network: Network, weights: Weights, output: Int = 0, form: OutputForm = .raw) throws
  {
    guard network.outputs.indices.contains(output) else { throw Self.noOutput() }
    inputWidth = network.inputWidth
    width = network.outputs[output].width
    finish = try Predictor.Finish(form, lastLayer: network.outputs[output].lastLayerName)
    parameters = weights.storage
    discarded = try FloatBuffer(count: network.parameterCount + 16)
    executor = try TileExecutor(
      plan: ExecutionPlan(network, outputs: [output], training: true, inputGradient: true),
      capacity: Predictor.tileRows, training: true)
  }

  /// The derivative of each row's value number `units[row]` by every input, with dropout off and
  /// running statistics fixed: `columns` and `gradients` have `inputWidth` pointers to `rows` values.
  /// Other weights of the network's shape may stand in for its own.
  package func compute(
    rows: Int, columns: UnsafePointer<UnsafePointer<Float>>, units: UnsafePointer<Int32>,
    into gradients: UnsafePointer<UnsafeMutablePointer<Float>>, weights: Weights? = nil
  ) {
    let stride = executor.stride
    let parameters = weights?.storage ?? self.parameters
    var first = 0
    while first < rows {
      let count = min(executor.capacity, rows - first)
      for j in 0..<inputWidth {
        (executor.input + j * stride).update(from: columns[j] + first, count: count)
      }
      executor.forward(
        parameters: UnsafePointer(parameters.pointer), rows: count, firstRow: 0, isTraining: false)
      setSlopes(units + first, count: count)
      executor.backward(
        parameters: UnsafePointer(parameters.pointer), gradients: discarded.pointer, rows: count,
        firstRow: 0, isTraining: false)
      for j in 0..<inputWidth {
        (gradients[j] + first).update(from: executor.inputGradient + j * stride, count: count)
      }
      first += count
    }
  }

  /// The slope at the last layer of the value that is asked for; zero in the padding.
  private func setSlopes(_ units: UnsafePointer<Int32>, count: Int) {
    let stride = executor.stride
    let values = executor.output()
    let slopes = executor.outputGradient()
    slopes.update(repeating: 0, count: width * stride)
    let rows = roundedUpTo16(count)
    switch finish {
    case .none: break
    case .softmax: apus_softmax(values, values, width, rows, stride)
    case .sigmoid: apus_sigmoid(values, values, width, rows, stride)
    case .exponential: apus_exp(values, values, width * stride)
    }
    for row in 0..<count {
      let unit = min(max(0, Int(units[row])), width - 1)
      let value = values[unit * stride + row]
      switch finish {
      case .none: slopes[unit * stride + row] = 1
      case .sigmoid: slopes[unit * stride + row] = value * (1 - value)
      case .exponential: slopes[unit * stride + row] = value
      case .softmax:
        for j in 0..<width {
          slopes[j * stride + row] = value * ((j == unit ? 1 : 0) - values[j * stride + row])
        }
      }
    }
  }

  private static func noOutput() -> SQLError {
    SQLError(.model, "the network has no such output to take a gradient of")
  }
}
