import Columnar
import Diagnostics
import Functions

/// Finds the rows whose key no row before had, like `NewGroups`, for any number of keys: when the memory
/// is full the keys go to disk, in partitions of their hash, and so do the rows that follow, with their
/// places in the input. At the end of a round of rows each partition's keys are read again, and what is
/// new in its rows is merged with that of the other partitions in the order of the input.
final class SeenRows {
  private let types: [LogicalType]
  private let keys: [Int]
  private let query: QueryContext
  private let memory: MemoryHolder
  /// Whether rows come again after `finishRound`.
  private let hasRounds: Bool
  private var groups: NewGroups?
  /// By partition, once they are on disk.
  private var known: [SpilledRows] = []
  private var waiting: RowPartitioner?
  private var arrived: Int64 = 0
  private let encoder = BlockEncoder()

  /// `keys` are positions in rows of `types`; `name` is who holds the memory.
  init(
    _ types: [LogicalType], keys: [Int], name: String, hasRounds: Bool = false, query: QueryContext
  ) {
    self.types = types
    self.keys = keys
    self.hasRounds = hasRounds
    self.query = query
    memory = MemoryHolder(query.memory, name)
    groups = NewGroups(keys.map { types[$0] })
  }

  var isSpilled: Bool { groups == nil }
  var peakBytes: Int { memory.peak }

  /// The new ones of these rows, nil for none. Once keys are on disk all rows wait for `finishRound`.
  func newRows(_ batch: Batch) throws -> Batch? {
    guard let groups else {
      try wait(batch)
      return nil
    }
    let rows = groups.firstRows(keys.map { batch.columns[$0] }, count: batch.rowCount)
    if !memory.holdOrSpill(groups.nextByteCount) { try spill(groups) }
    return rows.map { batch.selecting($0) }
  }

  /// The new ones of the rows that wait; nil when there are none.
  func finishRound() throws -> RunMerger? {
    guard let rows = try waiting?.finish() else { return nil }
    waiting = nil
    var runs: [SpilledRows] = []
    for partition in rows.indices where rows[partition].rowCount > 0 {
      let run = try newRows(of: rows[partition], partition)
      if run.rowCount > 0 { runs.append(run) }
    }
    try memory.hold(0)
    if runs.isEmpty { return nil }
    return try RunMerger(runs, types: types, keys: [], query: query)
  }

  // MARK: On disk

  private func spill(_ groups: NewGroups) throws {
    let keyTypes = keys.map { types[$0] }
    let partitioner = try RowPartitioner(
      keyTypes, keys: Array(keyTypes.indices), level: 0, query: query)
    try groups.forEachBatch { try partitioner.append($0) }
    known = try partitioner.finish()
    self.groups = nil
    memory.keep()
    try memory.hold(0)
    returnFreedMemory()
  }

  private func wait(_ batch: Batch) throws {
    let partitioner =
      try waiting ?? RowPartitioner(types + [.bigint], keys: keys, level: 0, query: query)
    waiting = partitioner
    let places = Column(flat: .bigint, count: batch.rowCount)
    let values = places.values(as: Int64.self)
    for row in 0..<batch.rowCount { values[row] = arrived + Int64(row) }
    arrived += Int64(batch.rowCount)
    try partitioner.append(
      Batch(
        columns: batch.columns + [places], rowCount: batch.rowCount, sequence: batch.sequence))
  }

  /// The rows of a partition whose keys are new, by place; with further rounds these are known then.
  private func newRows(of rows: SpilledRows, _ partition: Int) throws -> SpilledRows {
    let groups = NewGroups(keys.map { types[$0] })
    let before = SpilledRowsSource(known[partition], query: query, isLast: !hasRounds)
    while let batch = try before.next() {
      _ = groups.firstRows(batch.columns, count: batch.rowCount)
      try memory.hold(groups.nextByteCount)
    }
    var run = SpilledRows(try query.spillFile(), types: types + [.bigint])
    var open = RowCollector(types + [.bigint])
    func write() throws {
      let count = open.rowCount
      let bytes = open.byteCount
      let all = Batch(columns: open.finish(), rowCount: count)
      for piece in all.pieces(of: RunWriter.blockRows(bytes: bytes, rows: count, query: query)) {
        try run.append(piece, with: encoder)
        if !hasRounds { continue }
        let keyColumns = keys.map { piece.columns[$0] }
        try known[partition].append(
          Batch(columns: keyColumns, rowCount: piece.rowCount), with: encoder)
      }
    }
    let source = SpilledRowsSource(rows, query: query)
    while let batch = try source.next() {
      let found = groups.firstRows(keys.map { batch.columns[$0] }, count: batch.rowCount)
      try memory.hold(groups.nextByteCount)
      guard let found else { continue }
      open.append(batch.selecting(found).columns, rowCount: found.count)
      if open.byteCount >= RunMerger.blockBytes { try write() }
    }
    if open.rowCount > 0 { try write() }
    return run
  }
}
