import Columnar
import Diagnostics
import Functions

/// What a recursion is, apart from its anchor and step.
struct RecursionPlan {
  let types: [LogicalType]
  let isDistinct: Bool
  /// USING KEY
  let key: [Int]
  let working: SharedRows
  let accumulated: SharedRows?
}

/// WITH RECURSIVE: the anchor's rows, then those of one round of the step after the other; the step
/// reads the rows of the round before from `working`. Runs on one worker. With USING KEY the rows
/// come when the last round has ended, otherwise as they are made.
final class RecursiveOperator: BatchSource {
  private let plan: RecursionPlan
  private let makeStep: () throws -> any BatchSource
  private let query: QueryContext
  private let memory: MemoryHolder
  private var anchor: (any BatchSource)?
  private var step: (any BatchSource)?
  private var seen: NewGroups?
  private var keyed: KeyedRows?
  private var everything: [Batch] = []
  /// Rows that have been made and not been passed on.
  private var waiting: [Batch] = []
  private var waitingStart = 0
  private var lastRound: [Batch] = []
  private var failure: (any Error)?
  private var isDone = false

  init(
    plan: RecursionPlan, anchor: any BatchSource,
    makeStep: @escaping () throws -> any BatchSource, query: QueryContext
  ) {
    self.plan = plan
    self.anchor = anchor
    self.makeStep = makeStep
    self.query = query
    memory = MemoryHolder(query.memory, "recursive query")
    if !plan.key.isEmpty {
      keyed = KeyedRows(plan.types, key: plan.key, isDistinct: plan.isDistinct)
    } else if plan.isDistinct {
      seen = NewGroups(plan.types)
    }
  }

  func next() throws -> Batch? {
    while true {
      if waitingStart < waiting.count {
        let batch = waiting[waitingStart]
        waitingStart += 1
        return batch
      }
      waiting.removeAll(keepingCapacity: true)
      waitingStart = 0
      if let failure { throw failure }
      if isDone { return nil }
      if let keyed {
        while !isDone { try advance() }
        waiting = cut([keyed.rows()])
      } else {
        try gatherRounds()
      }
    }
  }

  /// Rounds of few rows are passed on together, as long as they are quick: a batch of one row costs
  /// the operators above as much as one of a thousand. An error waits until the rows before it have
  /// been read, since LIMIT may never ask for it.
  private func gatherRounds() throws {
    try advance()
    if lastRound.reduce(0, { $0 + $1.rowCount }) * 2 >= query.batchRows || isDone {
      waiting = cut(lastRound)
      return
    }
    var collector = RowCollector(plan.types)
    let start = monotonicNanoseconds()
    var rounds = 0
    while true {
      for batch in lastRound { collector.append(batch.columns, rowCount: batch.rowCount) }
      if collector.rowCount >= query.batchRows || isDone { break }
      rounds += 1
      if rounds & 7 == 0 && monotonicNanoseconds() - start > 2_000_000 { break }
      do {
        try advance()
      } catch {
        failure = error
        break
      }
    }
    let rows = collector.rowCount
    waiting = cut([Batch(columns: collector.finish(), rowCount: rows)])
  }

  private func cut(_ batches: [Batch]) -> [Batch] {
    batches.flatMap { batch in
      var rows = batch
      rows.sequence = 0
      return rows.pieces(of: query.batchRows)
    }
  }

  /// The anchor, or one round of the step: `lastRound` has its rows afterwards.
  private func advance() throws {
    try query.checkCancelled()
    let source = try nextSource()
    var round: [Batch] = []
    var collector: RowCollector?
    while let batch = try source.next() {
      guard let fresh = newRows(batch) else { continue }
      // Small batches become one; what stays as it is lets go of the buffers it was made from.
      if collector == nil { collector = RowCollector(plan.types) }
      collector?.append(fresh.columns, rowCount: fresh.rowCount)
      if let rows = collector?.rowCount, rows >= EngineLimits.rowGroupRows,
        let columns = collector?.finish()
      {
        round.append(Batch(columns: columns, rowCount: rows))
        try hold(round)
      }
    }
    if let rows = collector?.rowCount, rows > 0, let columns = collector?.finish() {
      round.append(Batch(columns: columns, rowCount: rows))
    }
    anchor = nil
    lastRound = round
    if round.isEmpty {
      isDone = true
      step = nil
      return
    }
    try hold(round)
    keyed?.add(round)
    plan.working.replace(round)
    if let accumulated = plan.accumulated {
      if let keyed {
        accumulated.replace([keyed.rows()])
      } else {
        everything += round
        accumulated.replace(everything)
      }
    }
  }

  private func hold(_ round: [Batch]) throws {
    var bytes = (seen?.byteCount ?? 0) + (keyed?.byteCount ?? 0)
    for batch in round + everything where batch.rowCount > 64 {
      bytes += batch.columns.reduce(0) { $0 + $1.byteCount }
    }
    try memory.hold(bytes)
  }

  private func nextSource() throws -> any BatchSource {
    if let anchor { return anchor }
    if let step, rewind(step) { return step }
    step = nil
    let made = try makeStep()
    step = made
    return made
  }

  /// The rows that count: of UNION those that never came before. nil for none.
  private func newRows(_ batch: Batch) -> Batch? {
    if let keyed { return keyed.changes(batch) }
    guard let seen else { return batch }
    return seen.firstRows(batch.columns, count: batch.rowCount).map { batch.selecting($0) }
  }
}

extension RecursiveOperator: MemoryReporting {
  var peakBytes: Int { memory.peak }
}

/// The rows of USING KEY: of each key the last that came.
private final class KeyedRows {
  private let types: [LogicalType]
  private let key: [Int]
  private let keys: GroupTable
  /// Whole rows that came, when rows that change nothing do not count.
  private let whole: GroupTable?
  private var log: RowCollector
  /// What `log` had when it was last put in order.
  private var finished: [Column] = []
  private var finishedCount = 0
  /// Of each key, where its row is (in `finished` or, beyond it, in `log`) and which whole row it is.
  private var latest: [Int] = []
  private var latestWhole: [UInt32] = []

  init(_ types: [LogicalType], key: [Int], isDistinct: Bool) {
    self.types = types
    self.key = key
    keys = GroupTable(key.map { types[$0] })
    whole = isDistinct ? GroupTable(types) : nil
    log = RowCollector(types)
  }

  var byteCount: Int {
    keys.byteCount + (whole?.byteCount ?? 0) + log.byteCount + latest.count * 8
      + finished.reduce(0) { $0 + $1.byteCount }
  }

  func add(_ round: [Batch]) {
    for batch in round {
      let groups = groups(keys, key.map { batch.columns[$0] }, batch.rowCount)
      let wholes = whole.map { self.groups($0, batch.columns, batch.rowCount) }
      for row in 0..<batch.rowCount {
        let place = finishedCount + log.rowCount + row
        let group = Int(groups[row])
        while group >= latest.count {
          latest.append(place)
          latestWhole.append(0)
        }
        latest[group] = place
        latestWhole[group] = wholes?[row] ?? 0
      }
      log.append(batch.columns, rowCount: batch.rowCount)
      if log.rowCount > 2 * latest.count + 10_000 { putInOrder() }
    }
  }

  /// The rows that differ from what their key has; nil for none.
  func changes(_ batch: Batch) -> Batch? {
    guard let whole else { return batch }
    let groups = groups(keys, key.map { batch.columns[$0] }, batch.rowCount)
    let wholes = self.groups(whole, batch.columns, batch.rowCount)
    let rows = (0..<batch.rowCount).filter { row in
      let group = Int(groups[row])
      return group >= latest.count || latestWhole[group] != wholes[row]
    }
    return rows.isEmpty ? nil : batch.selecting(Selection(rows))
  }

  /// The row of each key, in the order the keys came.
  func rows() -> Batch {
    putInOrder()
    return Batch(columns: finished, rowCount: finishedCount)
  }

  private func groups(_ table: GroupTable, _ columns: [Column], _ count: Int) -> [UInt32] {
    var ids = [UInt32](repeating: 0, count: count)
    ids.withUnsafeMutableBufferPointer { ids in
      guard let groups = ids.baseAddress else { return }
      table.lookUp(columns, count: count, groups: groups)
    }
    return ids
  }

  /// Moves every key's row to its place in `finished`.
  private func putInOrder() {
    if log.rowCount == 0 { return }
    var all = RowCollector(types)
    if finishedCount > 0 { all.append(finished, rowCount: finishedCount) }
    let added = log.rowCount
    all.append(log.finish(), rowCount: added)
    let columns = all.finish()
    let rows = Selection(latest)
    finished = columns.map { Column.dictionary($0, rows).flattened() }
    finishedCount = latest.count
    latest = Array(0..<latest.count)
  }
}
