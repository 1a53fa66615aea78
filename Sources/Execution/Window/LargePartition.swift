import Columnar
import Diagnostics
import Planner

/// What the operators of a window are told.
struct WindowDescription {
  let types: [LogicalType]
  /// Of the input's columns so many are handed on.
  let outputCount: Int
  let partition: [Int]
  let order: [SortKey]
  let calls: [WindowCall]

  /// Numbers of keys whose changes are marked: those of the partition, then those of peers.
  var keyCounts: [Int] {
    var counts = [partition.count]
    for call in calls where !counts.contains(partition.count + call.orderCount) {
      counts.append(partition.count + call.orderCount)
    }
    return counts
  }

  /// The keys in columns of the input.
  func keys(_ columns: [Column]) -> [SortColumn] {
    partition.map { SortColumn(columns[$0], descending: false, nullsFirst: false) }
      + order.map {
        SortColumn(columns[$0.column], descending: $0.descending, nullsFirst: $0.nullsFirst)
      }
  }

  /// Rows of one partition, in their order.
  func chunk(_ columns: [Column], rowCount: Int, query: QueryContext) -> WindowChunk {
    let rows = SortedRows(inOrder: keys(columns), keyCounts: keyCounts, rowCount: rowCount)
    return WindowChunk(
      rows: rows, range: 0..<rowCount, store: columns, partitionKeys: partition.count, query: query)
  }
}

/// One window partition that is too large for memory. A first pass writes its sorted rows to disk in
/// blocks, and finds out what a call must know of other blocks: how many rows count before each, the
/// running totals there, where peers begin. Then some blocks at a time are evaluated as any chunk,
/// with as many blocks before and behind them as the frames of their rows reach into.
final class LargePartition: BatchSource {
  private let window: WindowDescription
  private let query: QueryContext
  private let memory: MemoryHolder
  private let summaries: [CallSummary]
  private var rows: SpilledRows
  private let encoder = BlockEncoder()
  /// Where each block begins among the partition's rows; their number at the end.
  private var starts = [0]
  private var open: RowCollector
  private var lastKeys: [Column] = []
  /// By how many keys of the order make peers.
  private var marks: [Int: PartitionMarks] = [:]

  // The second pass.
  private var nextBlock = 0
  /// How many blocks around it the last piece needed.
  private var reach = (before: 0, behind: 0)
  private var results: [Column] = []
  private var resultCount = 0
  private var emitted = 0

  /// nil when a call must have the whole partition in memory.
  init?(_ window: WindowDescription, query: QueryContext) throws {
    var summaries: [CallSummary] = []
    for call in window.calls {
      guard let streamed = StreamedCall(call, types: window.types) else { return nil }
      summaries.append(try CallSummary(call, streamed, types: window.types))
    }
    self.window = window
    self.query = query
    memory = MemoryHolder(query.memory, "window")
    self.summaries = summaries
    rows = SpilledRows(try query.spillFile(), types: window.types)
    open = RowCollector(window.types)
    for call in window.calls where call.function.seesPeers || call.runsByPeers {
      marks[call.orderCount] = PartitionMarks()
    }
  }

  // MARK: First pass

  /// Takes the next rows of the partition, in order.
  func append(_ batch: Batch) throws {
    open.append(Array(batch.columns.prefix(window.types.count)), rowCount: batch.rowCount)
    if open.byteCount >= RunMerger.blockBytes || open.rowCount >= 1 << 14 { try flush() }
  }

  /// All rows of the partition were taken.
  func finish() throws {
    try flush()
    memory.holdRegardless(keptBytes)
  }

  private func flush() throws {
    let count = open.rowCount
    if count == 0 { return }
    try query.checkCancelled()
    let bytes = open.byteCount
    let all = Batch(columns: open.finish(), rowCount: count)
    for piece in all.pieces(of: RunWriter.blockRows(bytes: bytes, rows: count, query: query)) {
      try rows.append(piece, with: encoder)
      starts.append((starts.last ?? 0) + piece.rowCount)
      let chunk = window.chunk(piece.columns, rowCount: piece.rowCount, query: query)
      note(peers: chunk, chunkNumber: starts.count - 2)
      for summary in summaries { try summary.add(chunk) }
    }
    try memory.hold(bytes + keptBytes)
  }

  /// Marks where peers begin.
  private func note(peers chunk: WindowChunk, chunkNumber: Int) {
    let keys = window.order.map { chunk.store[$0.column] }
    for orderCount in Array(marks.keys) {
      let goesOn =
        chunkNumber > 0
        && zip(keys, lastKeys).prefix(orderCount).allSatisfy {
          ColumnComparator($0, $1).compare(0, 0, nullsFirst: false) == 0
        }
      marks[orderCount]?.append(chunk.marks(orderCount), count: chunk.count, goesOn: goesOn)
    }
    lastKeys = keys.map { $0.copiedRow(chunk.count - 1) }
  }

  /// What stays until the partition has been evaluated.
  private var keptBytes: Int {
    summaries.reduce(0) { $0 + $1.byteCount } + marks.values.reduce(0) { $0 + $1.byteCount }
      + rows.blocks.count * 40
  }

  // MARK: Second pass

  func next() throws -> Batch? {
    if emitted == resultCount {
      if nextBlock == rows.blocks.count { return nil }
      try evaluatePiece()
    }
    let count = min(query.batchRows, resultCount - emitted)
    let columns = results.map { $0.slice(emitted, count) }
    emitted += count
    return Batch(columns: columns, rowCount: count)
  }

  /// The next blocks with the results of all calls.
  private func evaluatePiece() throws {
    results = []
    let piece = nextBlock..<pieceEnd(from: nextBlock)
    var calls: [Column?] = summaries.map { _ in nil }
    var columns: [Column] = []
    while true {
      let blocks =
        max(
          0, piece.lowerBound - reach.before)..<min(
          rows.blocks.count, piece.upperBound + reach.behind)
      let part = try read(blocks, piece: piece)
      if columns.isEmpty { columns = part.columns(window.outputCount) }
      var lack = Lack()
      for (index, summary) in summaries.enumerated() where calls[index] == nil {
        calls[index] = try part.evaluate(
          summary, marks[summary.call.orderCount], &lack
        ) { try result(of: summary, before: $0) }
      }
      try memory.hold(keptBytes + part.byteCount)
      if !lack.before && !lack.behind { break }
      if lack.before { reach.before = max(1, reach.before * 2) }
      if lack.behind { reach.behind = max(1, reach.behind * 2) }
    }
    results = columns + calls.compactMap { $0 }
    resultCount = starts[piece.upperBound] - starts[piece.lowerBound]
    emitted = 0
    nextBlock = piece.upperBound
  }

  /// The running result of a call up to a place that may be far behind the piece.
  private func result(of summary: CallSummary, before end: Int) throws -> Column {
    try summary.result(before: end) {
      var (low, high) = (0, rows.blocks.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if starts[middle + 1] >= end { high = middle } else { low = middle + 1 }
      }
      let part = try read(low..<low + 1, piece: low..<low + 1)
      return (part.chunk, part.first, low)
    }
  }

  private func pieceEnd(from first: Int) -> Int {
    var end = first + 1
    var bytes = rows.blocks[first].byteCount
    let most = max(query.memory.limit / 64, RunMerger.blockBytes)
    while end < rows.blocks.count && bytes + rows.blocks[end].byteCount <= most
      && starts[end] - starts[first] < 1 << 14
    {
      bytes += rows.blocks[end].byteCount
      end += 1
    }
    return end
  }

  private func read(_ blocks: Range<Int>, piece: Range<Int>) throws -> PartitionPart {
    try query.checkCancelled()
    let bytes = rows.blocks[blocks].reduce(0) { $0 + $1.byteCount }
    try memory.hold(keptBytes + bytes)
    var collector = RowCollector(
      window.types, capacity: starts[blocks.upperBound] - starts[blocks.lowerBound])
    for block in rows.blocks[blocks] {
      let batch = try rows.read(block)
      collector.append(batch.columns, rowCount: batch.rowCount)
    }
    let count = collector.rowCount
    let first = starts[blocks.lowerBound]
    return PartitionPart(
      chunk: window.chunk(collector.finish(), rowCount: count, query: query), blocks: blocks,
      first: first, partitionCount: starts.last ?? 0,
      piece: starts[piece.lowerBound] - first..<starts[piece.upperBound] - first, storeBytes: bytes)
  }
}

/// Which side of a part more rows are needed on.
struct Lack {
  var before = false
  var behind = false
}

extension BoundWindow.Function {
  fileprivate var seesPeers: Bool {
    switch self {
    case .builtin(.rank), .builtin(.denseRank), .builtin(.percentRank), .builtin(.cumeDist): true
    case .builtin, .aggregate: false
    }
  }
}
