import Columnar
import Diagnostics
import NeuralNet
import Planner

/// The running of one TRAIN: a row for each epoch.
final class TrainSource: CompletingSource {
  private let provider: TrainProvider
  private var input: TrainInput?
  private let query: QueryContext
  private let rows: EpochRows
  private let rule: EpochRule
  private var trainer: Trainer?
  private var state = ModelState()
  private var reports: [EpochReport] = []
  private var bestEpoch = 0
  private var pace = CheckpointPace(every: 0)
  private var progress: EpochProgress?
  private var isFinished = false
  private let memory: MemoryHolder

  init(provider: TrainProvider, input: TrainInput, query: QueryContext) {
    self.provider = provider
    self.input = input
    self.query = query
    rows = EpochRows(provider, keys: [])
    rule = EpochRule(provider, memory: query.memory)
    memory = MemoryHolder(query.memory, "TRAIN")
  }

  func next() throws -> Batch? {
    if isFinished { return nil }
    do {
      if let row = try nextRow() { return row }
      isFinished = true
      try publish()
      return nil
    } catch {
      isFinished = true
      provider.onProgress(nil)
      // Places in the text of CREATE MODEL are none in this statement's.
      guard var mistake = error as? SQLError else { throw error }
      mistake.span = nil
      throw mistake
    }
  }

  func complete() throws { while try next() != nil {} }

  private func nextRow() throws -> Batch? {
    try prepare()
    guard let trainer, var report = try nextEpoch(trainer) else { return nil }
    if report.best { bestEpoch = report.epoch }
    try rule.apply(trainer, &report, bestEpoch: bestEpoch)
    if let replay = provider.replay, replay.epoch == report.epoch { trainer.stop() }
    reports.append(report)
    progress?.note(report)
    if report.stopReason == nil { pace.note(epoch: report.epoch) { saveCheckpoint(trainer) } }
    return try rows.batch([EpochRows.Row(report: report)])
  }

  private func nextEpoch(_ trainer: Trainer) throws -> EpochReport? {
    do {
      return try trainer.nextEpoch()
    } catch let error as SQLError where error.code == .interrupted {
      guard let best = trainer.weightsOfBest, let last = reports.indices.last else { throw error }
      reports[last].stopReason = Self.interruption
      state.receipt?.ended = (reports[last].epoch, true)
      var entry = provider.target.model(provider.key) ?? provider.entry
      try entry.add(
        weights: best, state: state, epochs: reports,
        alias: provider.statement.versionName?.name)
      provider.target.keep(entry, at: provider.key)
      throw Self.interrupted(reports.count + 1, best: bestEpoch, version: entry.lastVersion)
    }
  }

  /// What `stop_reason` says of a training that was cancelled.
  static let interruption = "interrupted"

  private static func interrupted(_ epoch: Int, best: Int, version: Int) -> SQLError {
    SQLError(
      .interrupted,
      "training was interrupted in epoch \(epoch): version \(version) has the weights of epoch \(best), the best so far"
    )
  }

  /// A checkpoint that cannot be written is missed only after a crash: the training goes on.
  private func saveCheckpoint(_ trainer: Trainer) {
    guard let store = provider.checkpoints else { return }
    let checkpoint = TrainingCheckpoint(
      provider, state: state, epochs: reports, trainer: trainer.checkpoint())
    guard let bytes = try? checkpoint.bytes(provider.entry.definition) else { return }
    try? store.save(bytes, of: provider.key)
  }

  private func publish() throws {
    provider.onProgress(nil)
    guard let trainer else { return }
    if let last = reports.last, ["stop_when", "max_seconds"].contains(last.stopReason) {
      state.receipt?.ended = (last.epoch, false)
    }
    let kept = provider.replay?.keepsBest == true ? trainer.weightsOfBest : nil
    var entry = provider.target.model(provider.key) ?? provider.entry
    try entry.add(
      weights: try kept ?? trainer.weights, state: state, epochs: reports,
      alias: provider.statement.versionName?.name)
    provider.target.publish(entry, at: provider.key)
    provider.checkpoints?.forgetCheckpoint(of: provider.key)
    self.trainer = nil
  }

  private func prepare() throws {
    guard trainer == nil, let input else { return }
    self.input = nil
    let checkpoint = try provider.checkpointToResume()
    let prepared = try TrainPreparation(
      provider, input, query: query, memory: memory,
      known: checkpoint?.state ?? provider.start?.state)
    state = prepared.state
    let options = prepared.options
    let query = query
    let (training, validation) = try prepared.reader.finish(
      state.classes, prepared.network, split: options.validationSplit, seed: options.seed
    ) { try TrainPreparation.store(query) }
    let weights =
      try provider.start?.weights
      ?? Weights(network: prepared.network, initializer: options.initializer, seed: options.seed)
    let trainer = try Trainer(
      network: prepared.network, weights: weights, source: training, validation: validation,
      options: options, isCancelled: { query.isCancelled })
    if let checkpoint { try resume(checkpoint, trainer) }
    let progress = EpochProgress(provider, rows: training.rows)
    self.progress = progress
    trainer.onProgress = { [weak trainer] rows, loss in
      progress.report(epoch: trainer?.epochNumber ?? 1, rows: rows, loss: loss)
    }
    self.trainer = trainer
    pace = CheckpointPace(every: provider.options.checkpointEvery)
  }

  private func resume(_ checkpoint: TrainingCheckpoint, _ trainer: Trainer) throws {
    try checkpoint.check(state)
    try trainer.resume(from: checkpoint.trainer)
    state.receipt = checkpoint.state.receipt
    reports = checkpoint.epochs
    bestEpoch = reports.last(where: \.best)?.epoch ?? 0
  }

}
