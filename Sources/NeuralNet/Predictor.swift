import CVectorMath
import Diagnostics

/// What a predictor gives.
package enum OutputForm: Hashable, Sendable {
  /// What the last layer gives.
  case raw
  /// Probabilities where the loss is over classes: softmax or sigmoid is applied to logits, and
  /// log-probabilities are raised. The same as `raw` for the other losses.
  case probabilities(loss: String)
}

/// An output that a predictor shall give.
package struct PredictedOutput: Hashable, Sendable {
  /// The number of the network's output.
  package var index: Int
  package var form: OutputForm

  package init(_ index: Int, _ form: OutputForm = .raw) {
    self.index = index
    self.form = form
  }
}

/// A network with fixed weights, for many threads at once, each with a scratch of its own. Where it
/// shall give some outputs only, the layers that only the others need do not run.
package final class Predictor: Sendable {
  package let network: Network
  /// Floats of a row of all inputs, whether they are read or not.
  package let inputWidth: Int
  /// Floats of a row of the outputs asked for, one after the other in the order asked.
  package let outputWidth: Int
  /// Where each of the outputs asked for begins in a row, and its width.
  package let ranges: [Range<Int>]
  let plan: ExecutionPlan
  let parameters: FloatBuffer
  private let finishes: [Finish]

  enum Finish: Sendable {
    case none, softmax, sigmoid, exponential

    init(_ form: OutputForm, lastLayer: String?) throws {
      guard case .probabilities(let name) = form else {
        self = .none
        return
      }
      let loss = try LossDefinition.named(name)
      switch (loss.kind, lastLayer) {
      case (.regression, _), (.binary, "sigmoid"), (.classes, "softmax"): self = .none
      case (.binary, _) where loss.threshold > 0: self = .none
      case (.binary, _): self = .sigmoid
      case (.classes, "log_softmax"): self = .exponential
      case (.classes, _): self = loss.name == "nll" ? .exponential : .softmax
      }
    }
  }

  /// Rows of a tile: the widest layer of a small network then stays in the first-level cache.
  static let tileRows = 128

  /// All outputs in the same form.
  package convenience init(network: Network, weights: Weights, output: OutputForm = .raw) throws {
    try self.init(
      network: network, weights: weights,
      outputs: network.outputs.indices.map { PredictedOutput($0, output) })
  }

  /// Errors: no output, one that the network does not have.
  package init(network: Network, weights: Weights, outputs: [PredictedOutput]) throws {
    guard !outputs.isEmpty, outputs.allSatisfy({ network.outputs.indices.contains($0.index) })
    else { throw Self.noOutput() }
    self.network = network
    inputWidth = network.inputWidth
    plan = ExecutionPlan(network, outputs: outputs.map(\.index), training: false)
    parameters = weights.storage
    var ranges: [Range<Int>] = []
    for output in outputs {
      let start = ranges.last?.upperBound ?? 0
      ranges.append(start..<start + network.outputs[output.index].width)
    }
    self.ranges = ranges
    outputWidth = ranges.last?.upperBound ?? 0
    finishes = try outputs.map {
      try Finish($0.form, lastLayer: network.outputs[$0.index].lastLayerName)
    }
  }

  /// For each of the network's inputs, whether the outputs asked for hang on it. The columns of
  /// the others are not read.
  package var readsInput: [Bool] { plan.readsInput }

  /// Floating-point operations for a row: of the layers that run.
  package var flopsPerRow: Int { plan.flops }

  /// Buffers for one worker.
  package func makeScratch() throws -> PredictorScratch {
    let read = zip(network.inputs, readsInput).filter(\.1).map(\.0)
    return PredictorScratch(
      try TileExecutor(plan: plan, capacity: Self.tileRows, training: false),
      columnsRead: read.map { $0.offset..<$0.offset + $0.width })
  }

  /// Columns in, columns out: `columns[j]` and `outputs[k]` hold `rows` values each.
  package func predict(
    rows: Int, columns: UnsafePointer<UnsafePointer<Float>>,
    into outputs: UnsafePointer<UnsafeMutablePointer<Float>>, scratch: PredictorScratch
  ) {
    var first = 0
    while first < rows {
      let count = min(Self.tileRows, rows - first)
      fill(scratch, columns, first: first, count: count)
      run(scratch, count, parameters)
      let executor = scratch.executor
      for (result, range) in ranges.enumerated() {
        var source = executor.output(result)
        for k in range {
          (outputs[k] + first).update(from: source, count: count)
          source += executor.stride
        }
      }
      first += count
    }
  }

  /// Columns in, [rows, outputWidth] out. With `weights`, those of another network of the same shape.
  package func predict(
    rows: Int, columns: UnsafePointer<UnsafePointer<Float>>,
    rowMajor output: UnsafeMutablePointer<Float>, scratch: PredictorScratch,
    weights: Weights? = nil
  ) {
    let parameters = storage(of: weights)
    var first = 0
    while first < rows {
      let count = min(Self.tileRows, rows - first)
      fill(scratch, columns, first: first, count: count)
      run(scratch, count, parameters)
      store(scratch, first: first, count: count, output)
      first += count
    }
  }

  /// [rows, inputWidth] in, [rows, outputWidth] out. The matrix may be read up to 16 floats past
  /// its end only inside `paddedMatrix`; here the last rows are copied first. With `weights`, those
  /// of another network of the same shape.
  package func predict(
    rows: Int, matrix: UnsafePointer<Float>, rowMajor output: UnsafeMutablePointer<Float>,
    scratch: PredictorScratch, weights: Weights? = nil
  ) {
    let parameters = storage(of: weights)
    var first = 0
    let executor = scratch.executor
    while first < rows {
      let count = min(Self.tileRows, rows - first)
      for i in 0..<count {
        let row = matrix + (first + i) * inputWidth
        for j in 0..<inputWidth { executor.input[j * executor.stride + i] = row[j] }
      }
      run(scratch, count, parameters)
      store(scratch, first: first, count: count, output)
      first += count
    }
  }

  private func storage(of weights: Weights?) -> FloatBuffer {
    precondition(
      weights.map { $0.count == parameters.count } ?? true, "weights are of the same shape")
    return weights?.storage ?? parameters
  }

  private func fill(
    _ scratch: PredictorScratch, _ columns: UnsafePointer<UnsafePointer<Float>>, first: Int,
    count: Int
  ) {
    let input = scratch.executor.input
    let stride = scratch.executor.stride
    for part in scratch.columnsRead {
      for j in part { (input + j * stride).update(from: columns[j] + first, count: count) }
    }
  }

  private func run(_ scratch: PredictorScratch, _ count: Int, _ parameters: FloatBuffer) {
    let executor = scratch.executor
    executor.forward(
      parameters: UnsafePointer(parameters.pointer), rows: count, firstRow: 0, isTraining: false)
    let rows = roundedUpTo16(count)
    for (result, finish) in finishes.enumerated() {
      let output = executor.output(result)
      let width = ranges[result].count
      switch finish {
      case .none: break
      case .softmax: apus_softmax(output, output, width, rows, executor.stride)
      case .sigmoid: apus_sigmoid(output, output, width, rows, executor.stride)
      case .exponential: apus_exp(output, output, width * executor.stride)
      }
    }
  }

  private func store(
    _ scratch: PredictorScratch, first: Int, count: Int, _ output: UnsafeMutablePointer<Float>
  ) {
    let executor = scratch.executor
    if outputWidth == 1 {
      (output + first).update(from: executor.output(), count: count)
      return
    }
    for (result, range) in ranges.enumerated() {
      var source = executor.output(result)
      for k in range {
        var at = first * outputWidth + k
        for i in 0..<count {
          output[at] = source[i]
          at += outputWidth
        }
        source += executor.stride
      }
    }
  }

  private static func noOutput() -> SQLError {
    SQLError(.model, "a prediction needs an output that the network has")
  }
}

/// A worker's buffers; not to be used by two threads at once.
package final class PredictorScratch: @unchecked Sendable {
  // SAFETY: one worker at a time, by contract.
  let executor: TileExecutor
  /// Columns of the inputs that are read.
  let columnsRead: [Range<Int>]

  init(_ executor: TileExecutor, columnsRead: [Range<Int>]) {
    self.executor = executor
    self.columnsRead = columnsRead
  }
}
