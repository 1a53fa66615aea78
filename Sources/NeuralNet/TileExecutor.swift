import CVectorMath
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
  /// Gradients on their way to be added.
  private let added: FloatBuffer
  /// All nodes' operands one after the other, and where each node's begin.
  private let operands: UnsafeMutableBufferPointer<LayerOperand>
  private let operandAt: [Int]
  /// What each node runs, and where: for a call only the weights and the rows are still to be put in.
  private let operations: [BoundOperator]
  /// The layer of each node: a copy of a node counts its references.
  private let layerOf: [Int]
  private let prepared: UnsafeMutableBufferPointer<PreparedNode>

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
    added = try FloatBuffer(count: training ? plan.addedWidth * stride : 0)
    let starts = plan.slots.indices.map { [stride] value in
      offsets[plan.slots[value]]
        + (value < plan.inputCount ? plan.inputOffsets[value] * stride : 0)
    }
    valueAt = starts.map { [values] in values.pointer + $0 }
    slopeAt = starts.map { [slopes] in slopes.pointer + (training ? $0 : 0) }
    (operands, operandAt) = Self.operands(
      of: plan, valueAt, slopeAt, added: added.pointer, stride: stride)
    operations = plan.nodes.map { $0.operation.bound }
    layerOf = plan.nodes.map(\.layer)
    prepared = .allocate(capacity: plan.nodes.count)
    prepareNodes()
  }

  deinit {
    operands.deallocate()
    prepared.deallocate()
  }

  /// Trivial values in memory of its own: nothing is counted when a node runs.
  private struct PreparedNode {
    var run: LayerRun
    var parameterOffset: Int
    var bufferOffset: Int
    /// Something is to be done on the way back.
    var needsBackward: Bool
    /// Some gradient is added to what another reader of the value has written.
    var hasAdditions: Bool
  }

  private func prepareNodes() {
    for (index, node) in plan.nodes.enumerated() {
      let own = UnsafeBufferPointer(
        rebasing: UnsafeBufferPointer(operands)[operandAt[index]...].prefix(node.inputs.count))
      let run = LayerRun(
        input: own[0].values, output: valueAt[node.output], inputWidth: own[0].width,
        outputWidth: plan.widths[node.output], outputGradient: slopeAt[node.output],
        inputGradient: own[0].gradient, operands: own, parameters: UnsafePointer(values.pointer),
        gradients: slopes.pointer, buffers: UnsafePointer(values.pointer),
        bufferChanges: slopes.pointer, state: stateAt[index], scratch: scratch.pointer, rows: 0,
        rowCount: 0, stride: stride, isTraining: false, randomKey: 0, firstRow: 0)
      prepared.initializeElement(
        at: index,
        to: PreparedNode(
          run: run, parameterOffset: node.parameterOffset, bufferOffset: node.bufferOffset,
          needsBackward: plan.needsGradient[node.output],
          hasAdditions: plan.addsGradient[index].contains(true)))
    }
  }

  /// The random key of each node's layer in this epoch.
  func setRandomKeys(_ key: (_ layer: Int) -> UInt64) {
    for (index, layer) in layerOf.enumerated() { prepared[index].run.randomKey = key(layer) }
  }

  private static func operands(
    of plan: ExecutionPlan, _ valueAt: [UnsafeMutablePointer<Float>],
    _ slopeAt: [UnsafeMutablePointer<Float>], added: UnsafeMutablePointer<Float>, stride: Int
  ) -> (UnsafeMutableBufferPointer<LayerOperand>, [Int]) {
    var all: [LayerOperand] = []
    var starts: [Int] = []
    for (index, node) in plan.nodes.enumerated() {
      starts.append(all.count)
      var next = added
      for (place, input) in node.inputs.enumerated() {
        var gradient = plan.needsGradient[input] ? slopeAt[input] : nil
        if plan.addsGradient[index][place] {
          gradient = next
          next += plan.widths[input] * stride
        }
        all.append(
          LayerOperand(values: valueAt[input], width: plan.widths[input], gradient: gradient))
      }
    }
    let memory = UnsafeMutableBufferPointer<LayerOperand>.allocate(capacity: all.count)
    _ = memory.initialize(fromContentsOf: all)
    return (memory, starts)
  }

  /// [inputWidth, stride], to be filled before `forward`.
  var input: UnsafeMutablePointer<Float> { valueAt[0] }
  /// [width, stride] of each output that the plan gives.
  func output(_ result: Int = 0) -> UnsafeMutablePointer<Float> { valueAt[plan.results[result]] }
  /// The gradient at an output, to be filled before `backward`; zero in the padding.
  func outputGradient(_ result: Int = 0) -> UnsafeMutablePointer<Float> {
    slopeAt[plan.results[result]]
  }

  /// The gradient at the inputs, where the plan asks for it.
  var inputGradient: UnsafeMutablePointer<Float> { slopeAt[0] }

  func forward(
    parameters: UnsafePointer<Float>, rows: Int, firstRow: Int, isTraining: Bool
  ) {
    for index in operations.indices {
      operations[index].forward(
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
    for index in operations.indices.reversed() where prepared[index].needsBackward {
      operations[index].backward(
        run(
          index, parameters: parameters, gradients: gradients, rowCount: rows, firstRow: firstRow,
          isTraining: isTraining))
      if prepared[index].hasAdditions { addGradients(index, rows: roundedUpTo16(rows)) }
    }
  }

  private func addGradients(_ index: Int, rows: Int) {
    for (place, isAdded) in plan.addsGradient[index].enumerated() where isAdded {
      let operand = operands[operandAt[index] + place]
      let target = slopeAt[plan.nodes[index].inputs[place]]
      guard let gradient = operand.gradient else { continue }
      apus_add_vectors(gradient, target, target, operand.width, rows, stride)
    }
  }

  private func run(
    _ index: Int, parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    rowCount: Int, firstRow: Int, isTraining: Bool
  ) -> LayerRun {
    let node = prepared[index]
    var run = node.run
    run.parameters = parameters + node.parameterOffset
    run.gradients = gradients + node.parameterOffset
    run.buffers = parameters + node.bufferOffset
    run.bufferChanges = gradients + node.bufferOffset
    run.rows = roundedUpTo16(rowCount)
    run.rowCount = rowCount
    run.isTraining = isTraining
    run.firstRow = UInt64(truncatingIfNeeded: firstRow)
    return run
  }

  private static func tooWide(_ width: Int) -> SQLError {
    SQLError(.model, "a layer of width \(width) does not fit in memory")
  }
}
