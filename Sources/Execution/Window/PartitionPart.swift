import Columnar
import Diagnostics
import Planner

/// Neighbouring blocks of a large partition in memory: results are wanted for the rows `piece`, the
/// others are what those rows' frames may reach into.
struct PartitionPart {
  let chunk: WindowChunk
  let blocks: Range<Int>
  /// The place of the chunk's first row in its partition, and the partition's rows.
  let first: Int
  let partitionCount: Int
  /// Rows of the chunk.
  let piece: Range<Int>
  let storeBytes: Int

  var byteCount: Int { storeBytes + chunk.byteCount }

  private var isAtStart: Bool { first == 0 }
  private var isAtEnd: Bool { first + chunk.count == partitionCount }

  /// The rows of the piece.
  func columns(_ count: Int) -> [Column] {
    chunk.store.prefix(count).map { $0.slice(piece.lowerBound, piece.count) }
  }

  /// The results of a call for the rows of the piece; nil, with `lack` set, when rows are missing.
  /// `before` gives the running result of all rows before a place.
  func evaluate(
    _ summary: CallSummary, _ marks: PartitionMarks?, _ lack: inout Lack,
    before: (Int) throws -> Column
  ) throws -> Column? {
    let call = summary.call
    if case .running = summary.streamed, call.runsByPeers, let marks {
      return cut(try byPeers(summary, marks, before))
    }
    switch summary.streamed {
    case .whole: return Column(repeating: try summary.wholeResult(), count: piece.count).flattened()
    case .place: return cut(try placed(call, marks))
    case .shifted:
      guard case .builtin(let function) = call.function, hasShifted(function, call, &lack) else {
        return nil
      }
      return cut(try chunk.shifted(function, call))
    case .picked:
      guard case .builtin(let function) = call.function, try hasFrames(call, &lack) else {
        return nil
      }
      return try chunk.picked(function, call, summary, blocks, piece, &lack).map(cut)
    case .framed, .running, .remaining, .merged:
      guard try hasFrames(call, &lack) else { return nil }
      switch call.function {
      case .aggregate(let resolved):
        return cut(try chunk.aggregate(call, resolved, outside: try summary.outside(blocks)))
      case .builtin(let function): return cut(try chunk.picked(function, call))
      }
    }
  }

  private func cut(_ column: Column) -> Column { column.slice(piece.lowerBound, piece.count) }

  // MARK: What is there

  /// Whether the frames of the piece's rows lie in the chunk, but for what begins or ends with the
  /// partition.
  private func hasFrames(_ call: WindowCall, _ lack: inout Lack) throws -> Bool {
    let frame = call.frame
    let starts = frame.startsWithPartition(orderCount: call.orderCount)
    let ends = frame.endsWithPartition(orderCount: call.orderCount)
    // Where one end is the row itself it is there, and so is the other if it is the partition's.
    let isRows = frame.unit == .rows
    let looksBefore = !isAtStart && !(isRows && (starts ? frame.end : frame.start).isCurrentRow)
    let looksBehind = !isAtEnd && !(isRows && (ends ? frame.start : frame.end).isCurrentRow)
    if !looksBefore && !looksBehind { return true }
    let segments = try chunk.segments(call)
    guard let start = segments.first?.start, let end = segments.last?.end else { return true }
    // A bound on the chunk's edge may lie beyond it.
    let (low, high) = (starts ? end : start, ends ? start : end)
    var isComplete = true
    for row in piece {
      if looksBefore && low[row] == 0 {
        lack.before = true
        isComplete = false
      }
      if looksBehind && high[row] == UInt32(truncatingIfNeeded: chunk.count) {
        lack.behind = true
        isComplete = false
      }
    }
    return isComplete
  }

  /// Whether the rows that lag or lead give are there.
  private func hasShifted(_ function: WindowFunction, _ call: WindowCall, _ lack: inout Lack)
    -> Bool
  {
    let kept = chunk.keptValues(call)
    let offsets = call.arguments.count > 1 ? chunk.sorted(call.arguments[1]) : nil
    let reader = offsets.map { ColumnReader<Int64>($0) }
    var isComplete = true
    for row in piece {
      if let reader, reader.isNull(row) { continue }
      let offset = reader.map { $0[row] } ?? 1
      // Beyond the partition, however long it is.
      if offset.magnitude >= UInt64(partitionCount) { continue }
      let distance = function == .lag ? -Int(offset) : Int(offset)
      if distance < 0 && !isAtStart && kept.pick(atOrAfter: row) + distance < 0 {
        lack.before = true
        isComplete = false
      }
      if distance > 0 && !isAtEnd && kept.pick(atOrAfter: row + 1) + distance > kept.count {
        lack.behind = true
        isComplete = false
      }
    }
    withExtendedLifetime(offsets) {}
    return isComplete
  }

  // MARK: Peers

  /// Running results up to the end of each row's peers. Those of the piece's last row may be more than
  /// fit: their result, which is the same for all of them, comes from `before`.
  private func byPeers(
    _ summary: CallSummary, _ marks: PartitionMarks, _ before: (Int) throws -> Column
  ) throws -> Column {
    guard case .aggregate(let resolved) = summary.call.function else {
      return Column.nulls(summary.call.type, count: chunk.count)
    }
    let values = try chunk.aggregate(
      summary.call, resolved, outside: summary.outside(blocks))
    let last = first + piece.upperBound - 1
    let end = marks.end(of: last)
    if end <= first + chunk.count { return values }
    let start = max(piece.lowerBound, marks.start(of: last) - first)
    let result = Column(repeating: try before(end), count: chunk.count)
    return chunk.merged(values, result, rows: Array(start..<piece.upperBound))
  }

  // MARK: Places

  /// The ranking functions, by the place of the rows in their partition.
  private func placed(_ call: WindowCall, _ marks: PartitionMarks?) throws -> Column {
    guard case .builtin(let function) = call.function else {
      return Column.nulls(call.type, count: 0)
    }
    let (first, total) = (first, partitionCount)
    func start(_ row: Int) -> Int { marks?.start(of: first + row) ?? 0 }
    switch function {
    case .rowNumber: return chunk.numbers { Int64(first + $0 + 1) }
    case .rank:
      var peers = start(0)
      return chunk.numbers { row in
        if marks?.isMarked(first + row) == true { peers = first + row }
        return Int64(peers + 1)
      }
    case .denseRank:
      var rank = marks?.marksBefore[blocks.lowerBound] ?? 0
      return chunk.numbers { row in
        if marks?.isMarked(first + row) == true { rank += 1 }
        return Int64(rank)
      }
    case .percentRank:
      var peers = start(0)
      return chunk.fractions { row in
        if marks?.isMarked(first + row) == true { peers = first + row }
        return total > 1 ? Double(peers) / (Double(total) - 1) : 0
      }
    case .cumeDist:
      var end = marks?.end(of: first) ?? total
      return chunk.fractions { row in
        if first + row >= end { end = marks?.end(of: first + row) ?? total }
        return Double(end) / Double(total)
      }
    case .ntile: return try chunk.tiles(call) { (first + $0, total) }
    case .lag, .lead, .firstValue, .lastValue, .nthValue, .fill:
      throw SQLError(.internal, "\(function.rawValue) does not rank")
    }
  }
}

extension WindowFrameBounds.Bound {
  fileprivate var isCurrentRow: Bool { if case .currentRow = self { true } else { false } }
}

extension WindowChunk {
  /// first_value, last_value, nth_value over frames that begin or end with a partition of which the
  /// chunk is a part: blocks `blocks` of it. Values outside the chunk are those that the summary has;
  /// nil, with `lack` set, when another is needed.
  fileprivate func picked(
    _ function: WindowFunction, _ call: WindowCall, _ summary: CallSummary, _ blocks: Range<Int>,
    _ piece: Range<Int>, _ lack: inout Lack
  ) throws -> Column? {
    let kept = keptValues(call)
    let segments = kept.translated(try segments(call), self)
    guard let segment = segments.first, let all = summary.keptBefore.last else { return nil }
    let starts = call.frame.startsWithPartition(orderCount: call.orderCount)
    let ends = call.frame.endsWithPartition(orderCount: call.orderCount)
    let before = starts ? summary.keptBefore[blocks.lowerBound] : 0
    let behind = ends ? all - summary.keptBefore[blocks.upperBound] : 0
    let nth = call.arguments.count > 1 ? sorted(call.arguments[1]) : nil
    let reader = nth.map { ColumnReader<Int64>($0) }
    let targets = allocate(UInt32.self, count)
    targets.update(repeating: .max, count: count)
    var outside: [Int] = []
    for row in piece {
      let inside = Int(segment.end[row]) - Int(segment.start[row])
      let size = before + inside + behind
      if size == 0 { continue }
      var place = function == .firstValue ? 0 : size - 1
      if let reader {
        if reader.isNull(row) || reader[row] < 1 || reader[row] > Int64(size) { continue }
        place = Int(reader[row]) - 1
      }
      if place >= before && place < before + inside {
        targets[row] = UInt32(
          truncatingIfNeeded: kept.row(Int(segment.start[row]) + place - before))
      } else if place < before || function == .lastValue {
        outside.append(row)
      } else {
        lack.behind = true
        return nil
      }
    }
    withExtendedLifetime(nth) {}
    let values = gathered(call.arguments[0], call.type, targets)
    let isLast = function == .lastValue
    let known =
      isLast
      ? summary.lasts[behind > 0 ? summary.lasts.count - 1 : blocks.lowerBound] : summary.chosen
    guard !outside.isEmpty, let known else { return values }
    return merged(values, Column(repeating: known, count: count), rows: outside)
  }
}
