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

/// A network with fixed weights, for many threads at once, each with a scratch of its own.
package final class Predictor: Sendable {
  package let network: Network
  package let inputWidth: Int
  package let outputWidth: Int
  let plan: ExecutionPlan
  let parameters: FloatBuffer
  let finish: Finish

  enum Finish: Sendable {
    case none, softmax, sigmoid, exponential
  }

  /// Rows of a tile: the widest layer of a small network then stays in the first-level cache.
  static let tileRows = 128

  package init(network: Network, weights: Weights, output: OutputForm = .raw) throws {
    self.network = network
    inputWidth = network.inputWidth
    outputWidth = network.outputWidth
    plan = ExecutionPlan(network, dropLast: false, training: false)
    parameters = weights.storage
    switch output {
    case .raw: finish = .none
    case .probabilities(let name):
      let loss = try LossDefinition.named(name)
      switch (loss.kind, network.lastLayerName) {
      case (.regression, _), (.binary, "sigmoid"), (.classes, "softmax"): finish = .none
      case (.binary, _): finish = .sigmoid
      case (.classes, "log_softmax"): finish = .exponential
      case (.classes, _): finish = loss.name == "nll" ? .exponential : .softmax
      }
    }
  }

  /// Buffers for one worker.
  package func makeScratch() throws -> PredictorScratch {
    PredictorScratch(
      try TileExecutor(plan: plan, capacity: Self.tileRows, training: false))
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
      run(scratch, count)
      let executor = scratch.executor
      for k in 0..<outputWidth {
        (outputs[k] + first).update(from: executor.output + k * executor.stride, count: count)
      }
      first += count
    }
  }

  /// Columns in, [rows, outputWidth] out.
  package func predict(
    rows: Int, columns: UnsafePointer<UnsafePointer<Float>>,
    rowMajor output: UnsafeMutablePointer<Float>, scratch: PredictorScratch
  ) {
    var first = 0
    while first < rows {
      let count = min(Self.tileRows, rows - first)
      fill(scratch, columns, first: first, count: count)
      run(scratch, count)
      store(scratch, first: first, count: count, output)
      first += count
    }
  }

  /// [rows, inputWidth] in, [rows, outputWidth] out. The matrix may be read up to 16 floats past
  /// its end only inside `paddedMatrix`; here the last rows are copied first.
  package func predict(
    rows: Int, matrix: UnsafePointer<Float>, rowMajor output: UnsafeMutablePointer<Float>,
    scratch: PredictorScratch
  ) {
    var first = 0
    let executor = scratch.executor
    while first < rows {
      let count = min(Self.tileRows, rows - first)
      for i in 0..<count {
        let row = matrix + (first + i) * inputWidth
        for j in 0..<inputWidth { executor.input[j * executor.stride + i] = row[j] }
      }
      run(scratch, count)
      store(scratch, first: first, count: count, output)
      first += count
    }
  }

  private func fill(
    _ scratch: PredictorScratch, _ columns: UnsafePointer<UnsafePointer<Float>>, first: Int,
    count: Int
  ) {
    let input = scratch.executor.input
    let stride = scratch.executor.stride
    for j in 0..<inputWidth {
      (input + j * stride).update(from: columns[j] + first, count: count)
    }
  }

  private func run(_ scratch: PredictorScratch, _ count: Int) {
    let executor = scratch.executor
    executor.forward(
      parameters: UnsafePointer(parameters.pointer), rows: count, firstRow: 0, isTraining: false)
    let output = executor.output
    let rows = roundedUpTo16(count)
    switch finish {
    case .none: break
    case .softmax: apus_softmax(output, output, outputWidth, rows, executor.stride)
    case .sigmoid: apus_sigmoid(output, output, outputWidth, rows, executor.stride)
    case .exponential: apus_exp(output, output, outputWidth * executor.stride)
    }
  }

  private func store(
    _ scratch: PredictorScratch, first: Int, count: Int, _ output: UnsafeMutablePointer<Float>
  ) {
    let executor = scratch.executor
    if outputWidth == 1 {
      (output + first).update(from: executor.output, count: count)
      return
    }
    for k in 0..<outputWidth {
      let source = executor.output + k * executor.stride
      var at = first * outputWidth + k
      for i in 0..<count {
        output[at] = source[i]
        at += outputWidth
      }
    }
  }
}

/// A worker's buffers; not to be used by two threads at once.
package final class PredictorScratch: @unchecked Sendable {
  // SAFETY: one worker at a time, by contract.
  let executor: TileExecutor
  init(_ executor: TileExecutor) {
    self.executor = executor
  }
}
