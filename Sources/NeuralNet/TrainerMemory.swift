import CVectorMath

/// Where a trainer works: its threads, their tiles, and the flat vectors of weights and gradients. Many
/// trainings of one shape, one after the other, go on in the same (FOR EACH).
package final class TrainerMemory {
  /// What must be the same for another training to go on here.
  struct Shape: Equatable {
    /// Outputs whose last layer the loss absorbs.
    var absorbed: Set<Int>
    var tileRows: Int
    var laneCount: Int
    var threads: Int
    var optimizerStates: Int
  }

  let shape: Shape
  let plan: ExecutionPlan
  let team: ThreadTeam
  let workers: [TrainerWorker]
  let parameters: FloatBuffer
  let parameterStride: Int
  let lanes: FloatBuffer
  let optimizerState: [FloatBuffer]
  /// Where these lie.
  let states: [UnsafeMutablePointer<Float>]
  /// Sums of each lane in the step at hand: for each output the loss and the hits.
  let laneSums: UnsafeMutablePointer<Double>
  let laneSumStride: Int
  /// What each output's losses are multiplied with in the step at hand.
  let scales: UnsafeMutablePointer<Float>

  /// Lanes of gradients: enough to keep many cores busy, few enough to add quickly.
  static let maximumLanes = 8
  static let maximumTileRows = 128

  /// `earlier`, if it is of the shape that such a training has, else new memory.
  ///
  /// - Parameters:
  ///   - threads: 0: as many as there are cores.
  ///   - earlier: of a training of the same network and kinds of outputs that has ended.
  static func of(
    network: Network, outputs: [TrainedOutput], batchRows: Int, optimizerStates: Int, threads: Int,
    earlier: TrainerMemory?
  ) throws -> TrainerMemory {
    let absorbed = Set(outputs.filter(\.isFused).map(\.index))
    let known = earlier.flatMap { $0.shape.absorbed == absorbed ? $0.plan : nil }
    let plan = known ?? ExecutionPlan(network, absorbed: absorbed, training: true)
    let rows = roundedUpTo16(batchRows)
    let tileRows = plan.needsWholeBatch ? rows : min(maximumTileRows, rows)
    let laneCount = min(maximumLanes, (batchRows + tileRows - 1) / tileRows)
    let workload = batchRows.multipliedReportingOverflow(by: network.flopsPerRow)
    let isWorthThreads = laneCount > 1 && (workload.overflow || workload.partialValue > 200_000)
    let wanted = threads == 0 ? usableCores() : threads
    let shape = Shape(
      absorbed: absorbed, tileRows: tileRows, laneCount: laneCount,
      threads: isWorthThreads ? min(wanted, laneCount) : 1, optimizerStates: optimizerStates)
    if let earlier, earlier.shape == shape {
      for worker in earlier.workers { worker.outputs = outputs }
      return earlier
    }
    return try TrainerMemory(shape, plan, network, outputs)
  }

  private init(
    _ shape: Shape, _ plan: ExecutionPlan, _ network: Network, _ outputs: [TrainedOutput]
  ) throws {
    self.shape = shape
    self.plan = plan
    team = ThreadTeam(count: shape.threads)
    workers = try (0..<team.count).map { _ in
      try TrainerWorker(plan: plan, tileRows: shape.tileRows, outputs: outputs)
    }
    let count = network.parameterCount
    parameterStride = roundedUpTo16(count) + 16
    parameters = try FloatBuffer(count: count)
    lanes = try FloatBuffer(count: parameterStride * shape.laneCount)
    optimizerState = try (0..<shape.optimizerStates).map { _ in try FloatBuffer(count: count) }
    states = optimizerState.map(\.pointer)
    // A cache line of its own for each lane.
    laneSumStride = (2 * outputs.count + 15) & ~7
    laneSums = .allocate(capacity: Self.maximumLanes * laneSumStride)
    laneSums.initialize(repeating: 0, count: Self.maximumLanes * laneSumStride)
    scales = .allocate(capacity: outputs.count)
    scales.initialize(repeating: 0, count: outputs.count)
  }

  deinit {
    laneSums.deallocate()
    scales.deallocate()
  }

  /// As fresh memory, but for the weights. A training that failed may have left gradients.
  func begin(with weights: Weights) {
    parameters.pointer.update(from: weights.pointer, count: parameters.count)
    lanes.pointer.update(repeating: 0, count: lanes.count)
    for state in optimizerState { state.pointer.update(repeating: 0, count: state.count) }
  }
}
