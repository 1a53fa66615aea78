import Columnar
import Planner
import Storage
import Synchronization

/// The rows of a shared query while a statement runs: complete before anybody reads them.
final class SharedRows: @unchecked Sendable {
  /// In the definition's row order, of any size.
  private(set) var parts: [SharedPart] = []

  /// SAFETY: `parts` is written by one worker between barriers (or between the rounds of a recursion,
  /// which runs on one worker), and read after them.
  init() {}

  func replace(_ parts: [SharedPart]) { self.parts = parts }
  func replace(_ batches: [Batch]) { parts = batches.map { .memory($0) } }
}

/// The rows of every shared query of a statement, by the query's identity.
final class SharedRowsTable: @unchecked Sendable {
  private var rows: [ObjectIdentifier: SharedRows] = [:]
  private let lock = Lock()

  /// SAFETY: `rows` is read and written under `lock`: steps of recursions are built by workers.
  init() {}

  func rows(of query: SharedQuery) -> SharedRows {
    lock.withLock {
      if let known = rows[ObjectIdentifier(query)] { return known }
      let made = SharedRows()
      rows[ObjectIdentifier(query)] = made
      return made
    }
  }
}

/// What the workers of one WITH share.
final class WithShared: Sendable {
  let barrier: TeamBarrier
  let collector: SharedRowsCollector

  init(workers: Int, types: [LogicalType]) {
    barrier = TeamBarrier(parties: workers)
    collector = SharedRowsCollector(types: types)
  }
}

/// Runs the definition to its end, all workers together, then passes the body's batches on.
final class WithOperator: BatchSource {
  private var definition: (any BatchSource)?
  /// Holds what the rows take until the body has ended.
  private let sink: SharedRowsSink
  private let body: any BatchSource
  private let rows: SharedRows
  private let shared: WithShared
  private let worker: Worker
  private var isReady = false

  init(
    definition: any BatchSource, body: any BatchSource, rows: SharedRows, shared: WithShared,
    worker: Worker
  ) {
    sink = SharedRowsSink(input: definition, collector: shared.collector, worker: worker)
    self.body = body
    self.rows = rows
    self.shared = shared
    self.worker = worker
  }

  func next() throws -> Batch? {
    if !isReady {
      isReady = true
      do {
        try collect()
      } catch {
        shared.barrier.breakBarrier(error)
        throw error
      }
    }
    return try body.next()
  }

  private func collect() throws {
    try sink.run()
    try shared.barrier.wait(worker.query)
    if worker.index == 0 { rows.replace(try shared.collector.finish()) }
    try shared.barrier.wait(worker.query)
  }
}

/// Where the workers of a region are in the rows of a shared query.
final class SharedCursor: Sendable {
  private let position = Atomic<Int>(0)

  func claim() -> Int { position.wrappingAdd(1, ordering: .relaxed).oldValue }
  func reset() { position.store(0, ordering: .relaxed) }
}

/// Reads some columns of a shared query's rows.
final class SharedScanOperator: RewindableSource {
  private let rows: SharedRows
  private let columns: [Int]
  private let cursor: SharedCursor
  private let query: QueryContext
  private var current: Batch?
  private var offset = 0

  init(rows: SharedRows, columns: [Int], cursor: SharedCursor, query: QueryContext) {
    self.rows = rows
    self.columns = columns
    self.cursor = cursor
    self.query = query
  }

  func next() throws -> Batch? {
    try query.checkCancelled()
    while true {
      if let part = current {
        let count = min(query.batchRows, part.rowCount - offset)
        let batch = part.slice(offset, count)
        offset += count
        if offset >= part.rowCount { current = nil }
        if count > 0 { return batch }
      }
      let index = cursor.claim()
      let parts = rows.parts
      guard index < parts.count else { return nil }
      let part = try parts[index].batch()
      current = Batch(
        columns: columns.map { part.columns[$0] }, rowCount: part.rowCount, sequence: index)
      offset = 0
    }
  }

  func rewind() -> Bool {
    cursor.reset()
    current = nil
    return true
  }
}
