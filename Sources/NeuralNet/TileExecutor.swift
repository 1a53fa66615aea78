import Diagnostics

/// Runs a plan on tiles of at most `capacity` rows, in buffers of its own. One per worker.
final class TileExecutor: @unchecked Sendable {
  // SAFETY: used by one worker at a time; its owner hands it out so.
  let plan: ExecutionPlan
  let capacity: Int
  /// Floats from one feature to the next.
  let stride: Int
  private let values: FloatBuffer
  private let slopes: FloatBuffer
  private let scratch: FloatBuffer
  private let states: FloatBuffer
  private let stateAt: [UnsafeMutablePointer<Float>]
  private let valueAt: [UnsafeMutablePointer<Float>]
  private let slopeAt: [UnsafeMutablePointer<Float>]
  /// Random key of each node's layer in this epoch.
  var randomKeys: [UInt64]

  init(plan: ExecutionPlan, capacity: Int, training: Bool) throws {
    self.plan = plan
    self.capacity = roundedUpTo16(capacity)
    // Rows whose distance is a power of two would compete for the same cache sets.
    stride = self.capacity < 64 ? self.capacity : self.capacity + 16
    var offsets: [Int] = []
    var total = 0
    for width in plan.slotWidths {
      offsets.append(total)
      let (size, overflow) = width.multipliedReportingOverflow(by: stride)
      guard !overflow, size <= FloatBuffer.maximumCount - total else { throw Self.tooWide(width) }
      total += size
    }
    var scratchCount = 0
    for node in plan.nodes {
      scratchCount = max(scratchCount, node.operation.scratchCount(stride: stride))
    }
    var stateOffsets: [Int] = []
    var stateTotal = 0
    for node in plan.nodes {
      stateOffsets.append(stateTotal)
      let size = roundedUpTo16(node.operation.stateCount(stride: stride))
      guard size <= FloatBuffer.maximumCount - stateTotal else {
        throw Self.tooWide(plan.widths[node.output])
      }
      stateTotal += size
    }
    states = try FloatBuffer(count: stateTotal)
    stateAt = stateOffsets.map { [states] in states.pointer + $0 }
    values = try FloatBuffer(count: total)
    slopes = try FloatBuffer(count: training ? total : 0)
    scratch = try FloatBuffer(count: training ? scratchCount : 0)
    valueAt = plan.slots.map { [values] in values.pointer + offsets[$0] }
    slopeAt = plan.slots.map { [slopes] in slopes.pointer + (training ? offsets[$0] : 0) }
    randomKeys = [UInt64](repeating: 0, count: plan.nodes.count)
  }

  /// [inputWidth, stride], to be filled before `forward`.
  var input: UnsafeMutablePointer<Float> { valueAt[0] }
  /// [outputWidth, stride].
  var output: UnsafeMutablePointer<Float> { valueAt[plan.result] }
  /// The gradient at the output, to be filled before `backward`; zero in the padding.
  var outputGradient: UnsafeMutablePointer<Float> { slopeAt[plan.result] }

  /// The gradient at the input, where the plan asks for it.
  var inputGradient: UnsafeMutablePointer<Float> { slopeAt[0] }

  func forward(
    parameters: UnsafePointer<Float>, rows: Int, firstRow: Int, isTraining: Bool
  ) {
    for index in plan.nodes.indices {
      plan.nodes[index].operation.forward(
        run(
          index, parameters: parameters, gradients: slopes.pointer, rowCount: rows,
          firstRow: firstRow, isTraining: isTraining))
    }
  }

  /// Adds the gradients of the weights to `gradients`.
  func backward(
    parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>, rows: Int,
    firstRow: Int, isTraining: Bool = true
  ) {
    for index in plan.nodes.indices.reversed() where plan.needsGradient[plan.nodes[index].output] {
      plan.nodes[index].operation.backward(
        run(
          index, parameters: parameters, gradients: gradients, rowCount: rows, firstRow: firstRow,
          isTraining: isTraining))
    }
  }

  private func run(
    _ index: Int, parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    rowCount: Int, firstRow: Int, isTraining: Bool
  ) -> LayerRun {
    let input = plan.nodes[index].input
    let output = plan.nodes[index].output
    let offset = plan.nodes[index].parameterOffset
    let bufferOffset = plan.nodes[index].bufferOffset
    return LayerRun(
      input: valueAt[input], output: valueAt[output], inputWidth: plan.widths[input],
      outputWidth: plan.widths[output], outputGradient: slopeAt[output],
      inputGradient: plan.needsGradient[input] ? slopeAt[input] : nil,
      parameters: parameters + offset, gradients: gradients + offset,
      buffers: parameters + bufferOffset, bufferChanges: gradients + bufferOffset,
      state: stateAt[index], scratch: scratch.pointer,
      rows: roundedUpTo16(rowCount), rowCount: rowCount, stride: stride, isTraining: isTraining,
      randomKey: randomKeys[index],
      firstRow: UInt64(truncatingIfNeeded: firstRow))
  }

  private static func tooWide(_ width: Int) -> SQLError {
    SQLError(.model, "a layer of width \(width) does not fit in memory")
  }
}
