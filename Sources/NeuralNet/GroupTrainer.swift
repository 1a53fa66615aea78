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
  }

  private let network: Network
  private let options: TrainerOptions
  private let isCancelled: @Sendable () -> Bool

  /// Errors: options out of range.
  package init(
    network: Network, options: TrainerOptions,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws {
    try options.check()
    self.network = network
    self.options = options
    self.isCancelled = isCancelled
  }

  /// Trains a network on each set, from the same first weights or from `initial` of the group's
  /// number. A group that fails (a loss that is not a number, no rows) leaves the others alone: its
  /// error stands in its place.
  ///
  /// Errors: cancelled.
  package func train(
    _ groups: [TrainingSet], initial: (@Sendable (Int) throws -> Weights)? = nil
  ) throws -> [Result<Trained, SQLError>] {
    let fresh = try Weights(
      network: network, initializer: options.initializer, seed: options.seed)
    let results = GroupResults(count: groups.count)
    let next = Atomic<Int>(0)
    let wanted = options.threads == 0 ? usableCores() : options.threads
    ThreadTeam(count: max(1, min(wanted, groups.count))).run { _ in
      while !isCancelled() {
        let group = next.add(1, ordering: .relaxed).oldValue
        guard group < groups.count else { return }
        results.set(group, to: trained(groups[group]) { try initial?(group) ?? fresh })
      }
    }
    return try results.all(orElse: Self.interrupted)
  }

  private func trained(_ set: TrainingSet, _ initial: () throws -> Weights)
    -> Result<Trained, SQLError>
  {
    do {
      var options = options
      options.threads = 1
      let trainer = try Trainer(
        network: network, weights: initial(), training: set, options: options,
        isCancelled: isCancelled)
      var reports: [EpochReport] = []
      while let report = try trainer.nextEpoch() { reports.append(report) }
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
