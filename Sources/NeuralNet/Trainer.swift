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
  let outputs: [TrainedOutput]
  let training: any TrainingSource
  let validation: (any TrainingSource)?
  let isCancelled: @Sendable () -> Bool
  let optimizer: OptimizerDefinition
  let optimizerValues: [Double]
  let batchRows: Int
  /// Where it works; the next training of the same shape may go on in it.
  let memory: TrainerMemory
  /// What the step at hand adds up.
  var stepSums: PassSums
  let nextLane = Atomic<Int>(0)
  let cancelled = Atomic<Bool>(false)
  /// Told a few times a second, within an epoch: the rows that were trained on, and their loss.
  package var onProgress: ((_ rows: Int, _ loss: Double) -> Void)?
  /// The row weights of a 'full' batch that comes in pieces, once they are known.
  var fullWeights: [Double]?
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

  /// On sets in memory; at work in `memory`, if that has the shape. Errors: no rows, widths that do not
  /// fit the network, options out of range.
  package convenience init(
    network: Network, weights: Weights, training: TrainingSet, validation: TrainingSet? = nil,
    options: TrainerOptions, memory: TrainerMemory? = nil,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws {
    var training = training
    var validation = validation
    if validation == nil, options.validationSplit > 0 {
      let parts = try training.split(fraction: options.validationSplit, seed: options.seed)
      training = parts.training
      validation = parts.validation
    }
    try self.init(
      network: network, weights: weights, source: MemorySource(training),
      validation: validation.map { MemorySource($0) }, options: options, memory: memory,
      isCancelled: isCancelled)
  }

  /// On any source of rows. The network's outputs are compared with the layout's targets, in their
  /// order. Errors: as above.
  package init(
    network: Network, weights: Weights, source training: any TrainingSource,
    validation: (any TrainingSource)? = nil, options: TrainerOptions,
    memory earlier: TrainerMemory? = nil,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws {
    try options.check()
    guard training.rows > 0 else { throw Self.noRows() }
    if let validation, validation.rows == 0 { throw Self.noValidationRows() }
    try Self.checkLayout(network, training.layout)
    if let validation { try Self.checkLayout(network, validation.layout) }
    try Self.checkNames(network, options)
    let outputs = try network.outputs.indices.map { index in
      try TrainedOutput(
        network.outputs[index], index: index, isOnly: network.outputs.count == 1,
        options: options, source: training)
    }
    if let validation {
      for output in outputs {
        try TrainedOutput.checkWidths(
          network.outputs[output.index], output.loss, validation.layout.targets[output.index],
          subject: "output \"\(output.name)\"")
      }
    }

    try Self.checkMonitor(options, outputs)
    self.network = network
    self.options = options
    self.outputs = outputs
    self.training = training
    self.validation = validation
    self.isCancelled = isCancelled
    optimizer = try OptimizerDefinition.named(options.optimizer)
    optimizerValues = try optimizer.values(options.optimizerOptions)
    switch options.batchSize {
    case .full: batchRows = training.rows
    case .rows(let rows): batchRows = min(rows, training.rows)
    }
    memory = try TrainerMemory.of(
      network: network, outputs: outputs, batchRows: batchRows,
      optimizerStates: optimizer.stateCount(optimizerValues), threads: options.threads,
      earlier: earlier)
    memory.begin(with: weights)
    stepSums = PassSums(outputs: outputs.count)
  }

  /// The loss of the (first) output by its canonical name.
  package var lossName: String { outputs[0].loss.name }

  /// Makes the epoch that ended the last: `weights` are then what training has come to.
  package func stop() { isFinished = true }

  /// The current weights; after the last epoch those of the best, where `restoreBest` asks for it
  /// and there was a loss to monitor.
  package var weights: Weights {
    get throws {
      if isFinished, options.restoreBest, monitors, let bestWeights { return bestWeights }
      return try Weights(network: network, copying: memory.parameters.pointer)
    }
  }

  /// Those of the best whole epoch so far, by the monitored loss; nil before the first has ended.
  package var weightsOfBest: Weights? { bestWeights }

  /// Of the epoch that is under way, or the last; 0 before the first.
  package var epochNumber: Int { epoch }

  /// Whether epochs are compared: only then is there a best one to restore.
  var monitors: Bool { validation != nil || options.earlyStop }

  private static func checkLayout(_ network: Network, _ layout: TrainingLayout) throws {
    guard layout.width == network.inputWidth else {
      throw SQLError(
        .model, "the network expects \(network.inputWidth) inputs, the data has \(layout.width)")
    }
    guard layout.targets.count == network.outputs.count else {
      throw SQLError(
        .model,
        "the network has \(network.outputs.count) outputs, the data has \(layout.targets.count) "
          + "targets")
    }
  }

  /// Errors: a loss or weights for an output that the network does not have.
  private static func checkNames(_ network: Network, _ options: TrainerOptions) throws {
    for name in options.outputNames where network.outputIndex(name) == nil {
      throw SQLError(
        .model, "an option names the output \"\(name)\", which the model does not have",
        hint: didYouMean(name, among: network.outputs.map(\.name))
          ?? "it has " + network.outputs.map(\.name).joined(separator: ", "))
    }
  }

  /// Errors: the option "monitor" names what an epoch's row does not have.
  private static func checkMonitor(_ options: TrainerOptions, _ outputs: [TrainedOutput]) throws {
    let names =
      ["loss"]
      + outputs.flatMap { output -> [String] in
        let name = outputs.count == 1 ? "" : output.name.lowercased() + "_"
        return (outputs.count == 1 ? [] : [name + "loss"])
          + (output.loss.kind == .regression ? [] : [name + "accuracy"])
      }
    let known = names.flatMap { [$0, "val_" + $0] }
    if known.contains(options.monitor) { return }
    throw SQLError(
      .model, "option \"monitor\" names \"\(options.monitor)\", which this training does not give",
      hint: didYouMean(options.monitor, among: known)
        ?? "one of " + known.joined(separator: ", "))
  }

  static func noRows() -> SQLError {
    SQLError(.model, "there are no rows to train on")
  }
  static func noValidationRows() -> SQLError {
    SQLError(.model, "there are no rows to validate on")
  }
}

/// The cores that this process may use.
package func usableCores() -> Int {
  max(1, Int(apus_usable_cores()))
}
