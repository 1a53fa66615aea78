import CVectorMath
import Diagnostics
import Glibc
import Synchronization

/// Trains a network on a training set, one epoch for each call of `nextEpoch`.
///
/// Same seed, same rows: the same weights bit for bit, for any number of threads. A batch is cut
/// into tiles of a fixed number of rows; tile i adds its gradients to lane i mod L, the tiles of a
/// lane in their order; the lanes are then added in their order.
package final class Trainer {
  package let network: Network
  package let options: TrainerOptions
  package let lossName: String
  let loss: LossDefinition
  let training: TrainingSet
  let validation: TrainingSet?
  let isCancelled: @Sendable () -> Bool
  let plan: ExecutionPlan
  let optimizer: OptimizerDefinition
  let optimizerValues: [Double]
  let lossParameter: Float
  /// [outputs] weights of the positive cases, where they are not all 1.
  let positiveWeights: FloatBuffer?
  let batchRows: Int
  let tileRows: Int
  let laneCount: Int
  let team: ThreadTeam
  let workers: [TrainerWorker]
  let parameters: FloatBuffer
  let parameterStride: Int
  let lanes: FloatBuffer
  let optimizerState: [FloatBuffer]
  /// Sums of each lane in the step at hand.
  let laneSums: UnsafeMutablePointer<LaneSums>
  let nextLane = Atomic<Int>(0)
  let cancelled = Atomic<Bool>(false)
  var order: [UInt32]
  var epoch = 0
  var stepNumber = 0
  /// That of the epoch at hand.
  var learningRate = 0.0
  /// The monitored loss of each epoch, for a schedule that reads it.
  var monitoredLosses: [Double] = []
  var bestLoss = Double.infinity
  var epochsWithoutGain = 0
  var bestWeights: Weights?
  var totalSeconds = 0.0
  var isFinished = false

  /// Lanes of gradients: enough to keep many cores busy, few enough to add quickly.
  static let maximumLanes = 8
  static let maximumTileRows = 128

  /// Errors: no rows, widths that do not fit the network, options out of range.
  package init(
    network: Network, weights: Weights, training: TrainingSet, validation: TrainingSet? = nil,
    options: TrainerOptions, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws {
    try options.check()
    var training = training
    var validation = validation
    if validation == nil, options.validationSplit > 0 {
      let parts = try training.split(fraction: options.validationSplit, seed: options.seed)
      training = parts.training
      validation = parts.validation
    }
    guard training.rows > 0 else { throw Self.noRows() }
    if let validation, validation.rows == 0 { throw Self.noValidationRows() }
    let loss = try Self.chooseLoss(options.loss, target: training.target)
    let fuses = loss.fusesWith != nil && loss.fusesWith == network.lastLayerName
    try Self.checkWidths(network, loss, training)
    if let validation { try Self.checkWidths(network, loss, validation) }

    self.network = network
    self.options = options
    self.loss = loss
    self.lossName = loss.name
    self.training = training
    self.validation = validation
    self.isCancelled = isCancelled
    plan = ExecutionPlan(network, dropLast: fuses, training: true)
    optimizer = try OptimizerDefinition.named(options.optimizer)
    optimizerValues = try optimizer.values(options.optimizerOptions)
    let parameter = options.lossParameter ?? loss.parameter?.defaultValue ?? 0
    if let name = loss.parameter?.name, parameter <= 0 { throw Self.badLossParameter(name) }
    lossParameter = Float(parameter)
    positiveWeights = try Self.checkLossWeights(loss, options, network, training.target)
    switch options.batchSize {
    case .full: batchRows = training.rows
    case .rows(let rows): batchRows = min(rows, training.rows)
    }
    tileRows =
      plan.needsWholeBatch
      ? roundedUpTo16(batchRows) : min(Self.maximumTileRows, roundedUpTo16(batchRows))
    laneCount = min(Self.maximumLanes, (batchRows + tileRows - 1) / tileRows)

    let workload = batchRows.multipliedReportingOverflow(by: network.flopsPerRow)
    let isWorthThreads = laneCount > 1 && (workload.overflow || workload.partialValue > 200_000)
    let wanted = options.threads == 0 ? usableCores() : options.threads
    team = ThreadTeam(count: isWorthThreads ? min(wanted, laneCount) : 1)
    let tileRows = self.tileRows
    let plan = self.plan
    let targetWidth = network.outputWidth
    workers = try (0..<team.count).map { _ in
      try TrainerWorker(plan: plan, tileRows: tileRows, targetWidth: targetWidth)
    }
    let count = network.parameterCount
    parameterStride = roundedUpTo16(count) + 16
    parameters = try weights.storage.copy()
    lanes = try FloatBuffer(count: parameterStride * laneCount)
    optimizerState = try (0..<optimizer.stateCount(optimizerValues)).map { _ in
      try FloatBuffer(count: count)
    }
    laneSums = .allocate(capacity: Self.maximumLanes)
    laneSums.initialize(repeating: LaneSums(), count: Self.maximumLanes)
    order = []
  }

  deinit {
    laneSums.deallocate()
  }

  /// The current weights; after the last epoch those of the best, where `restoreBest` asks for it
  /// and there was a loss to monitor.
  package var weights: Weights {
    get throws {
      if isFinished, options.restoreBest, monitors, let bestWeights { return bestWeights }
      return try Weights(network: network, copying: parameters.pointer)
    }
  }

  /// Whether epochs are compared: only then is there a best one to restore.
  var monitors: Bool { validation != nil || options.earlyStop }

  static func chooseLoss(_ name: String?, target: TargetKind) throws -> LossDefinition {
    if let name { return try LossDefinition.named(name) }
    switch target {
    case .values: return .meanSquaredError
    case .classes: return .crossEntropy
    }
  }

  private static func checkWidths(_ network: Network, _ loss: LossDefinition, _ set: TrainingSet)
    throws
  {
    guard set.width == network.inputWidth else {
      throw SQLError(
        .model, "the network expects \(network.inputWidth) inputs, the data has \(set.width)")
    }
    let outputs = network.outputWidth
    guard loss.kind != .classes || network.outputShape.dimensions.count == 1 else {
      throw SQLError(
        .model,
        "loss '\(loss.name)' expects a vector of classes, the network gives \(network.outputShape)",
        hint: "end with flatten() and linear(…)")
    }
    switch set.target {
    case .values(let width):
      guard width == outputs else {
        throw SQLError(
          .model, "the network gives \(outputs) outputs, the target has \(width) values")
      }
    case .classes(let count):
      switch loss.kind {
      case .classes:
        guard count <= outputs else {
          throw SQLError(
            .model, "the network gives \(outputs) outputs, but there are \(count) classes",
            hint: "end with linear(\(count))")
        }
      case .binary, .regression:
        guard outputs == 1 ? count <= 2 : count <= outputs else {
          throw SQLError(
            .model,
            "loss '\(loss.name)' compares \(count) classes with \(outputs) output"
              + (outputs == 1 ? "" : "s"), hint: "loss = 'cross_entropy'")
        }
      }
    }
  }

  /// Errors: weights that do not fit the loss, the classes or the outputs.
  private static func checkLossWeights(
    _ loss: LossDefinition, _ options: TrainerOptions, _ network: Network, _ target: TargetKind
  ) throws -> FloatBuffer? {
    func refuse(_ name: String, _ reason: String) -> SQLError {
      SQLError(.model, "option \"\(name)\" \(reason)")
    }
    if !options.classWeights.isEmpty {
      guard case .classes(let count) = target, options.classWeights.count == count else {
        throw refuse("class_weights", "needs a class as target, and a weight for each class")
      }
      guard options.classWeights.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
        throw refuse("class_weights", "must be numbers from 0 up")
      }
    }
    if options.labelSmoothing > 0 {
      guard loss.name == "cross_entropy", case .classes = target else {
        throw refuse("label_smoothing", "needs cross_entropy over classes")
      }
    }
    guard !options.positiveWeights.isEmpty else { return nil }
    let outputs = network.outputWidth
    guard loss.kind == .binary, [1, outputs].contains(options.positiveWeights.count) else {
      throw refuse("pos_weight", "needs the loss bce, and a weight for each output")
    }
    let buffer = try FloatBuffer(count: outputs)
    for i in 0..<outputs {
      let given = options.positiveWeights
      buffer.pointer[i] = given[given.count == 1 ? 0 : i]
      guard buffer.pointer[i] >= 0, buffer.pointer[i].isFinite else {
        throw refuse("pos_weight", "must be a number from 0 up")
      }
    }
    return buffer
  }

  static func noRows() -> SQLError {
    SQLError(.model, "there are no rows to train on")
  }
  static func noValidationRows() -> SQLError {
    SQLError(.model, "there are no rows to validate on")
  }
  private static func badLossParameter(_ name: String) -> SQLError {
    SQLError(.model, "option \"\(name)\" must be above 0")
  }
}

/// What the tiles of a lane add up to.
struct LaneSums {
  var loss = 0.0
  var correct = 0.0
}

/// The cores that this process may use.
package func usableCores() -> Int {
  max(1, Int(apus_usable_cores()))
}
