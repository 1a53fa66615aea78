import Columnar
import Diagnostics
import Storage

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
}

/// Where the workers of a WITH leave their rows, by the morsel they come from.
final class SharedRowsCollector: @unchecked Sendable {
  let types: [LogicalType]
  private let lock = Lock()
  private let groups: RowGroupCollector
  private var disk: [(sequence: Int, part: SharedPart)] = []
  private var memory: [(sequence: Int, part: SharedPart)] = []

  /// SAFETY: the parts are read and written under `lock`.
  init(types: [LogicalType]) {
    self.types = types
    groups = RowGroupCollector(types: types)
  }

  func add(sequence: Int, _ batch: Batch) {
    groups.add(sequence, [RowGroup(rowCount: batch.rowCount, columns: batch.columns)])
    lock.withLock { memory.append((sequence, .memory(batch))) }
  }

  func add(_ parts: [(sequence: Int, part: SharedPart)]) {
    lock.withLock { disk += parts }
  }

  /// All parts in the definition's order. Small neighbours are joined when all are in memory.
  func finish() throws -> [SharedPart] {
    let (disk, memory) = lock.withLock { (self.disk, self.memory) }
    lock.withLock { (self.disk, self.memory) = ([], []) }
    if disk.isEmpty {
      return try groups.finish().groups.enumerated().map { number, group in
        var batch = try group.batch()
        batch.sequence = number
        return .memory(batch)
      }
    }
    let ordered = (disk + memory).enumerated().sorted {
      ($0.element.sequence, $0.offset) < ($1.element.sequence, $1.offset)
    }
    return ordered.map(\.element.part)
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
    for batch in finished { collector.add(sequence: batch.sequence, batch) }
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
      let bytes = batch.columns.reduce(0) { $0 + $1.byteCount }
      let size = RunWriter.blockRows(bytes: bytes, rows: batch.rowCount, query: worker.query)
      for piece in batch.pieces(of: size) {
        try worker.query.checkCancelled()
        try rows.append(piece, with: encoder)
        if let block = rows.blocks.last {
          disk.append((batch.sequence, .disk(SpilledRows(rows.file, types: rows.types), block)))
        }
      }
    }
    written = rows
    finished = []
    finishedBytes = 0
    try memory.hold(0)
    returnFreedMemory()
  }
}
