import Columnar
import Diagnostics
import Functions
import NeuralNet
import Planner

/// The running of one TRAIN … FOR EACH: all networks are trained, some groups at a time; then a row
/// for each network and epoch, by key. A network whose training fails has a row that says why, and no
/// part in the version.
final class GroupTrainSource: CompletingSource {
  private let provider: TrainProvider
  private var input: TrainInput?
  private let query: QueryContext
  private let rows: EpochRows
  private let memory: MemoryHolder
  private var waiting: [EpochRows.Row] = []
  private var position = 0

  init(provider: TrainProvider, input: TrainInput, query: QueryContext) {
    self.provider = provider
    self.input = input
    self.query = query
    rows = EpochRows(provider, keys: provider.keys)
    memory = MemoryHolder(query.memory, "TRAIN")
  }

  func complete() throws { while try next() != nil {} }

  func next() throws -> Batch? {
    if let input {
      self.input = nil
      defer { provider.onProgress(nil) }
      do {
        try train(input)
      } catch {
        // Places in the text of CREATE MODEL are none in this statement's.
        guard var mistake = error as? SQLError else { throw error }
        mistake.span = nil
        throw mistake
      }
    }
    if position == waiting.count { return nil }
    let end = min(waiting.count, position + query.batchRows)
    defer { position = end }
    return try rows.batch(Array(waiting[position..<end]))
  }

  private func train(_ input: TrainInput) throws {
    let checkpoint = try provider.checkpointToResume()
    var prepared = try TrainPreparation(
      provider, input, query: query, memory: memory,
      known: checkpoint?.state ?? provider.start?.state)
    if let checkpoint {
      try checkpoint.check(prepared.state)
      prepared.state.receipt = checkpoint.state.receipt
    }
    let done = try checkpoint.map {
      try GroupCheckpoint($0.trainer, provider.keys, prepared.network)
    }
    let keys = prepared.reader.keys()
    let groups = try prepared.reader.finishGroups(prepared.state.classes, prepared.network)
    memory.holdRegardless(groups.byteCount)
    let results = try train(groups, prepared, keys: keys, done: done ?? GroupCheckpoint())
    let order = Self.order(of: keys, count: results.count)
    var state = prepared.state
    var trained: [(network: Int, GroupTrainer.Trained)] = []
    var failure: (network: Int, error: SQLError)?
    for network in order {
      let key = keys.map { $0.value(network) }
      switch results[network] {
      case .success(let one)?:
        trained.append((network, one))
        for report in one.reports { waiting.append(EpochRows.Row(key: key, report: report)) }
      case .failure(let error)?:
        if failure == nil { failure = (network, error) }
        waiting.append(EpochRows.Row(key: key, failure: error.message))
      case nil: throw SQLError(.internal, "a group of FOR EACH was not trained")
      }
    }
    if trained.isEmpty, let (network, reason) = failure {
      var error = reason
      let key = keys.map { $0.value(network) }
      error.message += " (\(ModelKeys.text(key, provider.keys)), and no other network was trained)"
      throw error
    }
    let found = ModelKeys(
      fields: provider.keys,
      values: keys.map { column in trained.map { column.value($0.network) } })
    state.keys = found
    try publish(
      ModelGroups(
        keys: found, weights: trained.map(\.1.weights), epochs: trained.map(\.1.reports)), state)
  }

  /// By the groups' numbers.
  private func train(
    _ groups: GroupedRows, _ prepared: TrainPreparation, keys: [Column], done: GroupCheckpoint
  ) throws -> [Result<GroupTrainer.Trained, SQLError>?] {
    let count = keys.first?.count ?? 0
    let query = query
    let rule = EpochRule(provider, memory: query.memory)
    let trainer = try GroupTrainer(
      network: prepared.network, options: prepared.options,
      afterEpoch: { try rule.apply($0, &$1, bestEpoch: $2) },
      isCancelled: { query.isCancelled })
    let initial = InitialWeights(provider.start)
    var results = [Result<GroupTrainer.Trained, SQLError>?](repeating: nil, count: count)
    let start = Double(monotonicNanoseconds()) * 1e-9
    var checkpoint = done
    var pace = CheckpointPace(every: provider.options.checkpointEvery)
    var done = 0
    while let all = try groups.next() {
      try query.checkCancelled()
      var wave: [GroupedRows.Group] = []
      for group in all {
        results[Int(group.key)] = checkpoint.results[keys.map { $0.value(Int(group.key)) }]
        if results[Int(group.key)] == nil { wave.append(group) }
      }
      let made = try trainer.train(
        wave.map { group in
          GroupTrainer.Rows(initial: initial.weights(of: keys, Int(group.key)), group.sets)
        })
      for (group, result) in zip(wave, made) {
        results[Int(group.key)] = result
        checkpoint.add(keys.map { $0.value(Int(group.key)) }, result)
      }
      done += all.count
      if done < count { pace.note(epoch: 0) { saveCheckpoint(checkpoint, prepared.state) } }
      let seconds = Double(monotonicNanoseconds()) * 1e-9 - start
      let left = Int(seconds / Double(max(done, 1)) * Double(count - done))
      provider.onProgress("\(done) of \(count) networks, \(left) s left")
    }
    return results
  }

  /// A checkpoint that cannot be written is missed only after a crash: the training goes on.
  private func saveCheckpoint(_ groups: GroupCheckpoint, _ state: ModelState) {
    guard let store = provider.checkpoints, let trained = try? groups.bytes(provider.keys) else {
      return
    }
    let checkpoint = TrainingCheckpoint(provider, state: state, epochs: [], trainer: trained)
    guard let bytes = try? checkpoint.bytes(provider.entry.definition) else { return }
    try? store.save(bytes, of: provider.key)
  }

  /// Rows of the keys' columns, ascending.
  private static func order(of keys: [Column], count: Int) -> [Int] {
    let comparators = keys.map { ColumnComparator($0, $0) }
    return (0..<count).sorted { first, second in
      for comparator in comparators {
        let order = comparator.compare(first, second)
        if order != 0 { return order < 0 }
      }
      return false
    }
  }

  private func publish(_ groups: ModelGroups, _ state: ModelState) throws {
    var entry = provider.target.model(provider.key) ?? provider.entry
    try entry.add(
      weights: nil, groups: groups, state: state, epochs: [],
      alias: provider.statement.versionName?.name)
    provider.target.publish(entry, at: provider.key)
    provider.checkpoints?.forgetCheckpoint(of: provider.key)
  }
}

/// What WARM START begins with: the network of the same key, or the one that there is. A key that the
/// version does not have begins afresh.
private struct InitialWeights {
  private let common: Weights?
  private var byKey: [[Value]: Weights] = [:]

  init(_ start: Model?) {
    common = start?.weights
    guard let groups = start?.groups else { return }
    for (network, weights) in groups.weights.enumerated() {
      byKey[groups.keys.key(network)] = weights
    }
  }

  func weights(of keys: [Column], _ group: Int) -> Weights? {
    byKey.isEmpty ? common : byKey[keys.map { $0.value(group) }]
  }
}
