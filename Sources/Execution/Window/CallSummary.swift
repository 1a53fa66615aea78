import Columnar
import Functions
import Planner

/// What the first pass over a large partition finds out for one call.
final class CallSummary {
  let call: WindowCall
  let streamed: StreamedCall
  /// Rows that count before each block, and of all at the end.
  private(set) var keptBefore = [0]
  /// The running result before each block, and of all at the end: a row each, nil before the first.
  private(set) var totals: [Column?] = [nil]
  /// The last value that counts before each block, and of all at the end.
  private(set) var lasts: [Column?] = [nil]
  /// The first value that counts, of nth_value the n-th.
  private(set) var chosen: Column?
  private var states: BlockStates?
  private var whole: AggregateCallState?
  /// Of `whole`: arguments that are the same for all rows; they stand behind the input's columns.
  private var constants: [Column] = []
  private var result: Column?
  /// The running result up to the end of some peers, of which there may be many.
  private var peers: (end: Int, result: Column)?

  init(_ call: WindowCall, _ streamed: StreamedCall, types: [LogicalType]) throws {
    self.call = call
    self.streamed = streamed
    if case .merged = streamed, case .aggregate(let resolved) = call.function {
      states = BlockStates(
        resolved, isBefore: call.frame.startsWithPartition(orderCount: call.orderCount))
    }
    guard case .whole = streamed, case .aggregate(let resolved) = call.function else { return }
    var types = types
    let arguments = call.arguments.map { source -> Int in
      switch source {
      case .column(let position): return position
      case .constant(let column):
        constants.append(column)
        types.append(column.type)
        return types.count - 1
      }
    }
    let state = try AggregateCallState(
      AggregateCall(
        resolved: resolved, arguments: arguments, isDistinct: call.isDistinct,
        filter: call.filter, order: call.order), inputTypes: types, hasGroups: true)
    state.resize(groups: 1)
    whole = state
  }

  var byteCount: Int {
    (whole?.byteCount ?? 0) + (states?.byteCount ?? 0) + keptBefore.count * 8 + totals.count * 256
      + lasts.count * 256
  }

  /// Takes the next block of the partition.
  func add(_ chunk: WindowChunk) throws {
    switch streamed {
    case .place, .shifted: break
    case .whole: try addWhole(chunk)
    case .merged:
      guard case .aggregate(let resolved) = call.function else { return }
      let kept = chunk.countedRows(call, skipsNulls: AggregateKind(resolved).skipsNulls)
      keptBefore.append((keptBefore.last ?? 0) + kept.count)
      try states?.add(call.arguments.map { chunk.picked($0, kept) }, count: kept.count)
    case .framed, .running, .remaining, .picked:
      if case .aggregate(let resolved) = call.function {
        try addTotal(chunk, resolved)
      } else {
        addPicks(chunk)
      }
    }
  }

  private func addWhole(_ chunk: WindowChunk) throws {
    guard let whole else { return }
    let groups = chunk.allocate(UInt32.self, EngineLimits.batchRows)
    groups.update(repeating: 0, count: EngineLimits.batchRows)
    let columns = chunk.store + constants.map { Column(repeating: $0, count: chunk.count) }
    let rows = Batch(columns: columns, rowCount: chunk.count)
    for piece in rows.pieces(of: EngineLimits.batchRows) {
      try whole.update(piece, groups: UnsafePointer(groups))
    }
  }

  private func addTotal(_ chunk: WindowChunk, _ resolved: ResolvedAggregate) throws {
    let kind = AggregateKind(resolved)
    if case .framed = streamed, kind != .sum && kind != .average { return }
    let known = keptBefore.last ?? 0
    let kept = chunk.countedRows(call, skipsNulls: kind.skipsNulls).count
    keptBefore.append(known + kept)
    if case .framed = streamed { return }
    if kind == .count || kept == 0 {
      totals.append(totals.last ?? nil)
      return
    }
    var running = call.runningByRows
    if kind != .extreme {
      running.type = call.isFloat(chunk.store.map(\.type)) ? .double : .hugeint
    }
    let outside = OutsideRows(count: known, total: totals.last ?? nil, isForTotals: true)
    let results = try chunk.aggregate(running, resolved, outside: outside)
    totals.append(results.copiedRow(results.count - 1))
  }

  private func addPicks(_ chunk: WindowChunk) {
    if case .framed = streamed { return }
    let known = keptBefore.last ?? 0
    let kept = chunk.keptValues(call)
    keptBefore.append(known + kept.count)
    let values = chunk.sorted(call.arguments[0])
    if let wanted = wantedPick, wanted >= known, wanted < known + kept.count {
      chosen = values.copiedRow(kept.row(wanted - known))
    }
    let last = kept.count == 0 ? nil : values.copiedRow(kept.row(kept.count - 1))
    lasts.append(last ?? lasts.last ?? nil)
  }

  /// Which of the partition's rows that count is to be kept.
  private var wantedPick: Int? {
    guard call.arguments.count > 1 else { return 0 }
    guard case .constant(let column) = call.arguments[1], !column.isNull(0) else { return nil }
    let place = column.values(as: Int64.self)[0]
    return place < 1 ? nil : Int(clamping: place - 1)
  }

  /// The result of a call that all rows share.
  func wholeResult() throws -> Column {
    if let result { return result }
    guard let whole else { return Column.nulls(call.type, count: 1) }
    try whole.complete()
    let made = try whole.state.finish(first: 0, count: 1)
    result = made
    self.whole = nil
    return made
  }

  /// The running result of all rows before place `end`, which lies in a chunk of one block.
  func result(
    before end: Int, in chunk: () throws -> (chunk: WindowChunk, first: Int, block: Int)
  ) throws -> Column {
    if let peers, peers.end == end { return peers.result }
    guard case .aggregate(let resolved) = call.function else {
      return Column.nulls(call.type, count: 1)
    }
    let (chunk, first, block) = try chunk()
    let results = try chunk.aggregate(
      call.runningByRows, resolved, outside: outside(block..<block + 1))
    let result = results.copiedRow(end - 1 - first)
    peers = (end, result)
    return result
  }

  /// What frames hold besides the blocks `blocks` of a partition.
  func outside(_ blocks: Range<Int>) throws -> OutsideRows {
    var outside = OutsideRows()
    guard keptBefore.count > blocks.upperBound else { return outside }
    outside.picksBefore = keptBefore[blocks.lowerBound]
    switch streamed {
    case .place, .whole, .shifted, .framed, .picked: break
    case .merged: outside.state = try states?.outside(blocks)
    case .running:
      outside.count = keptBefore[blocks.lowerBound]
      outside.total = totals[blocks.lowerBound]
    case .remaining:
      outside.count = (keptBefore.last ?? 0) - keptBefore[blocks.upperBound]
      guard let all = totals.last ?? nil else { break }
      let before = totals[blocks.upperBound]?.values(as: Int128.self)[0] ?? 0
      let rest = Column(flat: .hugeint, count: 1)
      rest.values(as: Int128.self)[0] = all.values(as: Int128.self)[0] &- before
      outside.total = rest
    }
    return outside
  }
}

extension Column {
  /// One row in memory of its own.
  func copiedRow(_ row: Int) -> Column {
    var builder = ColumnBuilder(type, capacity: 1)
    builder.append(slice(row, 1))
    return builder.finish()
  }
}
