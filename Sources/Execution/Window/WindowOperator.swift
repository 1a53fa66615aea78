import Columnar
import Diagnostics

/// Window functions: the input's columns, then a column a call, in the order of partitions and sort.
///
/// Phases, a barrier after each: collect into one store and sort as ORDER BY does; mark where
/// partitions and peers begin. From then on the workers claim whole partitions, some ten thousand
/// rows at a time, evaluate all calls over them, and emit.
package final class WindowOperator: BatchSource {
  static let chunkRows = 32_768

  private let input: any BatchSource
  let window: WindowDescription
  let shared: WindowShared
  let worker: Worker
  let memory: MemoryHolder
  /// Whether the input is known to be whole partitions that have been to disk already.
  let isPart: Bool
  private var rows: SortedRows?
  var spilled: SpilledWindow?
  var isDone = false
  var store: [Column] = []
  private var storeBytes = 0
  private var chunk: WindowChunk?
  private var results: [Column] = []
  private var emitted = 0

  /// Of the input's columns the first `outputCount` are handed on; the rest are keys and arguments.
  package init(
    input: any BatchSource, inputTypes: [LogicalType], outputCount: Int, partition: [Int],
    order: [SortKey], calls: [WindowCall], shared: WindowShared, worker: Worker,
    isPart: Bool = false
  ) {
    self.input = input
    window = WindowDescription(
      types: inputTypes, outputCount: outputCount, partition: partition, order: order, calls: calls)
    self.shared = shared
    self.worker = worker
    self.isPart = isPart
    memory = MemoryHolder(worker.query.memory, "window")
  }

  package func next() throws -> Batch? {
    do {
      if isDone { return nil }
      if rows == nil && spilled == nil { try sort() }
      if let spilled {
        let batch = try spilled.next()
        isDone = batch == nil
        return batch
      }
      while !isDone {
        try worker.query.checkCancelled()
        if let batch = emit() { return batch }
        isDone = try !evaluateNext()
      }
      return nil
    } catch {
      shared.barrier.breakBarrier(error)
      throw error
    }
  }

  // MARK: Sorting

  private func sort() throws {
    let query = worker.query
    let sort = shared.sort
    let assembly = sort.assembly(window.types)
    var collector = RowCollector(window.types)
    let writer = RunWriter(types: window.types, keys: sortKeys, worker: worker)
    let segments = try collector.collect(
      input, memory: memory, query: query, writer: isPart ? nil : writer)
    if let runs = try sort.spilledRuns(writer, &collector, segments, worker: worker) {
      try begin(spilled: runs)
      return
    }
    try sort.assemble(&collector, segments, into: assembly, worker: worker)
    let columns = assembly.columns
    let keys = window.keys(columns)
    let keyCounts = window.keyCounts
    try sort.sortRange(assembly, { keys }, worker: worker)
    try sort.barrier.wait(query)
    store = columns
    let rows = shared.rows(keyCounts, rowCount: assembly.rowCount)
    let sorter = sort.usedSorter
    let bits = keyCounts.compactMap { sorter?.bitsAfter(keys: $0) }
    let wordCount = (rows.count + 63) / 64
    let first = wordCount * worker.index / worker.count * 64
    let last = min(rows.count, wordCount * (worker.index + 1) / worker.count * 64)
    if first < last {
      rows.fill(first..<last, keys: keys, bits: bits.count == keyCounts.count ? bits : nil)
    }
    try sort.barrier.wait(query)
    if worker.index == 0 {
      rows.releaseWords()
      sort.releaseResult()
      shared.isTooLarge = isTooLarge(rows)
    }
    try sort.barrier.wait(query)
    if shared.isTooLarge {
      try spill(rows, assembly)
      return
    }
    storeBytes = memory.bytes
    self.rows = rows
  }

  // MARK: Evaluation

  private func evaluateNext() throws -> Bool {
    chunk = nil
    results = []
    guard let rows, let range = shared.claim(size: Self.chunkRows) else { return false }
    let chunk = WindowChunk(
      rows: rows, range: range, store: store, partitionKeys: window.partition.count,
      query: worker.query)
    for call in window.calls { results.append(try chunk.evaluate(call)) }
    try memory.hold(storeBytes + chunk.byteCount)
    self.chunk = chunk
    emitted = 0
    return true
  }

  private func emit() -> Batch? {
    guard let chunk, emitted < chunk.count else { return nil }
    let count = min(worker.query.batchRows, chunk.count - emitted)
    let selection = Selection(capacity: count)
    selection.indices.update(from: chunk.order + emitted, count: count)
    var columns: [Column] = []
    for position in 0..<window.outputCount {
      // What the calls have not read stays where it is until somebody looks.
      columns.append(
        chunk.sortedColumn(position)?.slice(emitted, count)
          ?? Column.dictionary(store[position], selection))
    }
    for result in results { columns.append(result.slice(emitted, count)) }
    let sequence = (chunk.first + emitted) / max(1, worker.query.batchRows)
    emitted += count
    return Batch(columns: columns, rowCount: count, sequence: sequence)
  }
}

extension WindowOperator: MemoryReporting {
  var peakBytes: Int { memory.peak }
}
