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
///
/// Rows of rounds, and what UNION has seen, go to disk when they fill the memory; the rows of USING KEY
/// must fit.
final class RecursiveOperator: BatchSource {
  private let plan: RecursionPlan
  private let makeStep: () throws -> any BatchSource
  private let query: QueryContext
  private let memory: MemoryHolder
  private var anchor: (any BatchSource)?
  private var step: (any BatchSource)?
  private var seen: SeenRows?
  private var keyed: KeyedRows?
  /// The rows of all rounds, where the step reads them.
  private var everything: [SharedPart] = []
  /// Rows that have been made and not been passed on.
  private var waiting: [SharedPart] = []
  private var waitingStart = 0
  private var current: Batch?
  private var currentStart = 0
  private var lastRound: [SharedPart] = []
  private var spilled: SpilledRows?
  private let encoder = BlockEncoder()
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
      seen = SeenRows(
        plan.types, keys: Array(plan.types.indices), name: "recursive query", hasRounds: true,
        query: query)
    }
  }

  func next() throws -> Batch? {
    while true {
      if let rows = current, currentStart < rows.rowCount {
        let count = min(query.batchRows, rows.rowCount - currentStart)
        var batch = rows.slice(currentStart, count)
        batch.sequence = 0
        currentStart += count
        return batch
      }
      current = nil
      if waitingStart < waiting.count {
        current = try waiting[waitingStart].batch()
        currentStart = 0
        waitingStart += 1
        continue
      }
      waiting.removeAll(keepingCapacity: true)
      waitingStart = 0
      if let failure { throw failure }
      if isDone { return nil }
      if let keyed {
        while !isDone { try advance() }
        waiting = [.memory(keyed.rows())]
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
      waiting = lastRound
      return
    }
    var collector = RowCollector(plan.types)
    let start = monotonicNanoseconds()
    var rounds = 0
    while true {
      for part in lastRound {
        let batch = try part.batch()
        collector.append(batch.columns, rowCount: batch.rowCount)
      }
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
    waiting = [.memory(Batch(columns: collector.finish(), rowCount: rows))]
  }

  /// The anchor, or one round of the step: `lastRound` has its rows afterwards.
  private func advance() throws {
    try query.checkCancelled()
    let source = try nextSource()
    var round = RecursionRound(plan.types)
    while let batch = try source.next() {
      guard let fresh = try newRows(batch) else { continue }
      try add(fresh, to: &round)
    }
    // What UNION has not told apart at once, since its rows are on disk.
    if let rest = try seen?.finishRound() {
      while let batch = try rest.next() {
        try add(
          Batch(columns: Array(batch.columns.prefix(plan.types.count)), rowCount: batch.rowCount),
          to: &round)
      }
    }
    round.close()
    anchor = nil
    let before = lastRound
    lastRound = round.parts
    // Nobody reads them any more, unless they are among all.
    if plan.accumulated == nil { for part in before { part.free() } }
    if lastRound.isEmpty {
      isDone = true
      step = nil
      return
    }
    try hold(&round)
    lastRound = round.parts
    if let keyed { for part in lastRound { keyed.add([try part.batch()]) } }
    plan.working.replace(lastRound)
    if let accumulated = plan.accumulated {
      if let keyed {
        accumulated.replace([keyed.rows()])
      } else {
        everything += lastRound
        accumulated.replace(everything)
      }
    }
  }

  private func add(_ rows: Batch, to round: inout RecursionRound) throws {
    if round.add(rows) { try hold(&round) }
  }

  /// Says what is held, and writes rows to disk when that is too much.
  private func hold(_ round: inout RecursionRound) throws {
    let kept = everything.reduce(0) { $0 + $1.heldBytes }
    let bytes = (keyed?.byteCount ?? 0) + kept + round.byteCount
    if keyed != nil {
      try memory.hold(bytes)
      return
    }
    if memory.holdOrSpill(bytes) { return }
    try spill(&everything)
    try spill(&round.parts)
    plan.accumulated?.replace(everything)
    let rest = (everything + round.parts).reduce(0) { $0 + $1.heldBytes }
    memory.keep()
    try memory.hold(rest)
    returnFreedMemory()
  }

  private func spill(_ parts: inout [SharedPart]) throws {
    var rows = try spilled ?? SpilledRows(query.spillFile(), types: plan.types)
    var result: [SharedPart] = []
    for part in parts {
      guard case .memory(let batch) = part, part.heldBytes > 0 else {
        result.append(part)
        continue
      }
      result += try rows.parts(of: batch, encoder: encoder, query: query)
    }
    parts = result
    spilled = rows
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
  private func newRows(_ batch: Batch) throws -> Batch? {
    if let keyed { return keyed.changes(batch) }
    guard let seen else { return batch }
    return try seen.newRows(batch)
  }
}

extension RecursiveOperator: MemoryReporting {
  var peakBytes: Int { memory.peak + (seen?.peakBytes ?? 0) }
}

/// The rows of a round as they come. Small batches become one; what stays as it is lets go of the
/// buffers it was made from.
private struct RecursionRound {
  private static let partBytes = 4 << 20

  private let types: [LogicalType]
  var parts: [SharedPart] = []
  private var open: RowCollector?

  init(_ types: [LogicalType]) { self.types = types }

  var byteCount: Int { parts.reduce(open?.byteCount ?? 0) { $0 + $1.heldBytes } }

  /// True when a part has been completed.
  mutating func add(_ rows: Batch) -> Bool {
    if open == nil { open = RowCollector(types) }
    open?.append(rows.columns, rowCount: rows.rowCount)
    guard let open, open.rowCount >= EngineLimits.batchRows else { return false }
    if open.rowCount < EngineLimits.rowGroupRows && open.byteCount < RecursionRound.partBytes {
      return false
    }
    close()
    return true
  }

  mutating func close() {
    guard let count = open?.rowCount, count > 0, let columns = open?.finish() else { return }
    parts.append(.memory(Batch(columns: columns, rowCount: count)))
  }
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
