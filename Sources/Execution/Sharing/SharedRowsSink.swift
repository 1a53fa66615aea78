import Columnar

/// Some rows of a shared query, in memory or on disk.
enum SharedPart: Sendable {
  case memory(Batch)
  case disk(SpilledRows, SpilledBlock)

  func batch() throws -> Batch {
    switch self {
    case .memory(let batch): batch
    case .disk(let rows, let block): try rows.read(block)
    }
  }

  var rowCount: Int {
    switch self {
    case .memory(let batch): batch.rowCount
    case .disk(_, let block): block.rowCount
    }
  }

  /// Bytes in memory; nothing for a few rows.
  var heldBytes: Int {
    guard case .memory(let batch) = self, batch.rowCount > 64 else { return 0 }
    return batch.columns.reduce(0) { $0 + $1.byteCount }
  }

  /// Gives room on disk back; the part is not read again.
  func free() {
    if case .disk(let rows, let block) = self { rows.file.free(block) }
  }
}

extension SpilledRows {
  /// Writes a batch; gives its blocks as parts.
  mutating func parts(
    of batch: Batch, encoder: BlockEncoder, query: QueryContext
  ) throws -> [SharedPart] {
    let bytes = batch.columns.reduce(0) { $0 + $1.byteCount }
    let size = RunWriter.blockRows(bytes: bytes, rows: batch.rowCount, query: query)
    return try batch.pieces(of: size).compactMap { piece in
      try query.checkCancelled()
      try append(piece, with: encoder)
      return blocks.last.map { .disk(SpilledRows(file, types: types), $0) }
    }
  }
}

/// Where the workers of a WITH leave their rows, by the morsel they come from.
final class SharedRowsCollector: @unchecked Sendable {
  let types: [LogicalType]
  private let lock = Lock()
  private var disk: [(sequence: Int, part: SharedPart)] = []
  private var memory: [Batch] = []

  /// SAFETY: the parts are read and written under `lock`.
  init(types: [LogicalType]) { self.types = types }

  func add(_ batches: [Batch]) { lock.withLock { memory += batches } }

  func add(_ parts: [(sequence: Int, part: SharedPart)]) { lock.withLock { disk += parts } }

  /// All parts in the definition's order, after all workers have ended.
  func finish() -> [SharedPart] {
    lock.withLock {
      var parts = disk
      for batch in joined(memory.sorted { $0.sequence < $1.sequence }) {
        parts.append((batch.sequence, .memory(batch)))
      }
      (disk, memory) = ([], [])
      return parts.enumerated().sorted {
        ($0.element.sequence, $0.offset) < ($1.element.sequence, $1.offset)
      }.map(\.element.part)
    }
  }

  /// Small neighbours become one, so that many tiny morsels do not leave many tiny parts; from a
  /// quarter of a row group on a part is worth more than another copy of it.
  private func joined(_ batches: [Batch]) -> [Batch] {
    var result: [Batch] = []
    var small: [Batch] = []
    var pending = 0
    func join() {
      if small.count <= 1 {
        result += small
      } else {
        var collector = RowCollector(types, capacity: pending)
        for batch in small { collector.append(batch.columns, rowCount: batch.rowCount) }
        result.append(
          Batch(columns: collector.finish(), rowCount: pending, sequence: small[0].sequence))
      }
      small = []
      pending = 0
    }
    // What is on disk lies between them.
    let mayJoin = disk.isEmpty
    for batch in batches {
      if !mayJoin || batch.rowCount >= EngineLimits.rowGroupRows / 4 {
        join()
        result.append(batch)
        continue
      }
      if pending + batch.rowCount > EngineLimits.rowGroupRows { join() }
      small.append(batch)
      pending += batch.rowCount
    }
    join()
    return result
  }
}

/// Collects one worker's rows of a shared query, on disk when memory runs out.
final class SharedRowsSink {
  private let input: any BatchSource
  private let collector: SharedRowsCollector
  private let worker: Worker
  let memory: MemoryHolder
  private var open: RowCollector
  private var openSequence = 0
  private var finished: [Batch] = []
  private var finishedBytes = 0
  private var disk: [(sequence: Int, part: SharedPart)] = []
  private var written: SpilledRows?
  private let encoder = BlockEncoder()

  init(input: any BatchSource, collector: SharedRowsCollector, worker: Worker) {
    self.input = input
    self.collector = collector
    self.worker = worker
    memory = MemoryHolder(worker.query.memory, "shared query")
    open = RowCollector(collector.types)
  }

  /// Reads the input to its end.
  func run() throws {
    while let batch = try input.next() {
      try worker.query.checkCancelled()
      if batch.sequence != openSequence { close() }
      openSequence = batch.sequence
      open.append(batch.columns, rowCount: batch.rowCount)
      if open.rowCount >= EngineLimits.rowGroupRows { close() }
      if !memory.holdOrSpill(finishedBytes + open.byteCount) { try spill() }
    }
    memory.keep()
    close()
    if !disk.isEmpty { try spill() }
    collector.add(finished)
    finished = []
    collector.add(disk)
  }

  private func close() {
    let rows = open.rowCount
    if rows == 0 { return }
    let batch = Batch(columns: open.finish(), rowCount: rows, sequence: openSequence)
    finishedBytes += batch.columns.reduce(0) { $0 + $1.byteCount }
    finished.append(batch)
  }

  private func spill() throws {
    close()
    var rows = try written ?? SpilledRows(worker.query.spillFile(), types: collector.types)
    for batch in finished {
      for part in try rows.parts(of: batch, encoder: encoder, query: worker.query) {
        disk.append((batch.sequence, part))
      }
    }
    written = rows
    finished = []
    finishedBytes = 0
    try memory.hold(0)
    returnFreedMemory()
  }
}
