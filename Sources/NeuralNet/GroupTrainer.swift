import Diagnostics
import Synchronization

/// Many networks of one shape, each trained on rows of its own: FOR EACH.
///
/// Every network comes out bit for bit as a `Trainer` would have made it alone with the same options,
/// whatever the number of threads: groups, not tiles, are what the threads share, and a group's
/// training runs on one. That a small network's steps are too short to be shared costs nothing here.
package final class GroupTrainer {
  /// What became of a group.
  package struct Trained: Sendable {
    package let weights: Weights
    package let reports: [EpochReport]

    package init(weights: Weights, reports: [EpochReport]) {
      self.weights = weights
      self.reports = reports
    }
  }

  /// The rows of a group.
  package struct Rows: Sendable {
    /// To train on, and to validate on; nil: `validationSplit` draws some of the others, if anything
    /// does.
    package typealias Sets = (training: TrainingSet, validation: TrainingSet?)

    /// Called once, by the thread that trains.
    let sets: @Sendable () throws -> Sets
    /// What its training starts from; nil: fresh weights, the same for all.
    let initial: Weights?

    package init(initial: Weights? = nil, _ sets: @escaping @Sendable () throws -> Sets) {
      self.sets = sets
      self.initial = initial
    }
  }

  /// What is to be done after an epoch: it may add to the report, and stop the trainer with a reason in
  /// the report. The number is that of the best epoch so far. Runs on any thread.
  package typealias EpochRule = @Sendable (Trainer, inout EpochReport, Int) throws -> Void

  private let network: Network
  private let options: TrainerOptions
  private let isCancelled: @Sendable () -> Bool
  private let afterEpoch: EpochRule?
  private let fresh: Weights

  /// Errors: options out of range.
  package init(
    network: Network, options: TrainerOptions, afterEpoch: EpochRule? = nil,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws {
    try options.check()
    self.network = network
    self.options = options
    self.afterEpoch = afterEpoch
    self.isCancelled = isCancelled
    fresh = try Weights(network: network, initializer: options.initializer, seed: options.seed)
  }

  /// The same where there is nothing but rows to train on.
  package func train(_ groups: [TrainingSet]) throws -> [Result<Trained, SQLError>] {
    try train(groups.map { set in Rows { (set, nil) } })
  }

  /// Trains a network on the rows of each group. A group that fails (a loss that is not a number, no
  /// rows) leaves the others alone: its error stands in its place.
  ///
  /// Errors: cancelled.
  package func train(_ groups: [Rows]) throws -> [Result<Trained, SQLError>] {
    let results = GroupResults(count: groups.count)
    let next = Atomic<Int>(0)
    let wanted = options.threads == 0 ? usableCores() : options.threads
    ThreadTeam(count: max(1, min(wanted, groups.count))).run { _ in
      var memory: TrainerMemory?
      while !isCancelled() {
        let group = next.add(1, ordering: .relaxed).oldValue
        guard group < groups.count else { return }
        results.set(group, to: trained(groups[group], in: &memory))
      }
    }
    return try results.all(orElse: Self.interrupted)
  }

  private func trained(
    _ rows: Rows, in memory: inout TrainerMemory?
  ) -> Result<Trained, SQLError> {
    do {
      var options = options
      options.threads = 1
      let sets = try rows.sets()
      let trainer = try Trainer(
        network: network, weights: rows.initial ?? fresh, training: sets.training,
        validation: sets.validation, options: options, memory: memory, isCancelled: isCancelled)
      memory = trainer.memory
      var reports: [EpochReport] = []
      var bestEpoch = 0
      while var report = try trainer.nextEpoch() {
        if report.best { bestEpoch = report.epoch }
        try afterEpoch?(trainer, &report, bestEpoch)
        reports.append(report)
      }
      return .success(Trained(weights: try trainer.weights, reports: reports))
    } catch let error as SQLError {
      return .failure(error)
    } catch {
      return .failure(SQLError(.internal, "training failed: \(error)"))
    }
  }

  private static func interrupted() -> SQLError {
    SQLError(.interrupted, "training was cancelled")
  }
}

/// A place for each group's result.
private final class GroupResults: @unchecked Sendable {
  // SAFETY: each place is written by one thread, and read after all threads have ended.
  private let places: UnsafeMutableBufferPointer<Result<GroupTrainer.Trained, SQLError>?>

  init(count: Int) {
    places = .allocate(capacity: count)
    places.initialize(repeating: nil)
  }

  deinit {
    places.deinitialize()
    places.deallocate()
  }

  func set(_ group: Int, to result: Result<GroupTrainer.Trained, SQLError>) {
    places[group] = result
  }

  func all(orElse interrupted: () -> SQLError) throws -> [Result<GroupTrainer.Trained, SQLError>] {
    try places.map { result in
      guard let result else { throw interrupted() }
      if case .failure(let error) = result, error.code == .interrupted { throw error }
      return result
    }
  }
}
