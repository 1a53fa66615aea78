import Columnar
import Diagnostics

extension WindowOperator {
  /// By partition, then as the calls see the rows.
  var sortKeys: [SortKey] {
    window.partition.map { SortKey(column: $0, descending: false, nullsFirst: false) }
      + window.order
  }

  /// Rows are on disk: worker 0 merges them and evaluates them, some partitions at a time.
  func begin(spilled runs: [SpilledRows]) throws {
    try memory.hold(0)
    isDone = worker.index > 0
    if isDone { return }
    let query = worker.query
    let merger = try RunMerger(runs, types: window.types, keys: sortKeys, query: query)
    spilled = SpilledWindow(
      merger, window: window, chunkRows: Self.chunkRows, memory: memory, query: query
    ) { [window] rows in
      WindowOperator(
        input: rows, inputTypes: window.types, outputCount: window.outputCount,
        partition: window.partition, order: window.order, calls: window.calls,
        shared: WindowShared(workers: 1), worker: Worker(query: query), isPart: true)
    }
  }

  /// Whether rows that fit into memory leave no room for what the calls compute of the largest
  /// partition, so that it is better evaluated from disk.
  func isTooLarge(_ rows: SortedRows) -> Bool {
    if isPart || window.calls.contains(where: { StreamedCall($0, types: window.types) == nil }) {
      return false
    }
    // Bounds of partitions and frames, columns in order, running totals, results: about as much.
    let rowBytes = 24 + 48 * window.calls.count
    let room = worker.query.memory.partitionLimit - worker.query.memory.current
    if rows.count < room / rowBytes { return false }
    return rows.largestPartition > room / rowBytes
  }

  /// Worker 0 writes the sorted rows to disk, as one run.
  func spill(_ rows: SortedRows, _ assembly: RowAssembly) throws {
    isDone = worker.index > 0
    if isDone {
      store = []
      return
    }
    let query = worker.query
    var run = SpilledRows(try query.spillFile(), types: window.types + [.bigint])
    let encoder = BlockEncoder()
    let bytes = store.reduce(0) { $0 + $1.byteCount }
    let blockRows = RunWriter.blockRows(bytes: bytes, rows: rows.count, query: query)
    var start = 0
    while start < rows.count {
      try query.checkCancelled()
      let count = min(blockRows, rows.count - start)
      let selection = Selection(capacity: count)
      selection.indices.update(from: rows.order + start, count: count)
      let columns = store.map { Column.dictionary($0, selection) }
      let sequence = try Column.constant(.integer(0), .bigint, count: count)
      try run.append(Batch(columns: columns + [sequence], rowCount: count), with: encoder)
      start += count
    }
    store = []
    assembly.releaseColumns()
    shared.releaseRows()
    returnFreedMemory()
    try begin(spilled: [run])
  }
}
