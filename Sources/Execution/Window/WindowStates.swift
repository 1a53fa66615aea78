import Columnar
import Diagnostics
import Functions

/// Frames of aggregates that are known by their states only.
extension WindowAggregation {
  private static let fanout = 16

  /// A tree of states: those of runs of 16 rows, of 16 such runs, and so on. A frame is put together
  /// from left to right, so that it may be any aggregate; the rows of a batch take each step
  /// together.
  func merged() throws -> Column {
    let fanout = WindowAggregation.fanout
    var levels: [(state: any AggregateState, count: Int)] = []
    var size = kept.count / fanout
    while size > 0 {
      let state = try resolved.makeState()
      state.resize(groups: size)
      let below = size * fanout
      if let last = levels.last {
        let (source, target) = numbers(below)
        try forEachChunk(count: below) { first, count in
          try state.merge(
            last.state, source: source + first, target: target + first, count: count)
        }
      } else {
        let target = numbers(below).target
        try forEachChunk(count: below) { first, count in
          try chunk.query.checkCancelled()
          try update(state, arguments.map { $0.slice(first, count) }, target + first, count)
        }
      }
      levels.append((state, size))
      size /= fanout
    }
    return try byBatches { state, rows in
      if outside.state?.isBefore == true { try addOutside(to: state, count: rows.count) }
      for segment in segments { try add(segment, rows, levels, to: state) }
      if outside.state?.isBefore == false { try addOutside(to: state, count: rows.count) }
    }
  }

  /// Adds what every frame has in other parts of the partition.
  private func addOutside(to state: any AggregateState, count: Int) throws {
    guard let (groups, group, _) = outside.state else { return }
    let sources = [UInt32](repeating: UInt32(truncatingIfNeeded: group), count: count)
    let targets = (0..<count).map { UInt32(truncatingIfNeeded: $0) }
    try sources.withUnsafeBufferPointer { sources in
      try targets.withUnsafeBufferPointer { targets in
        guard let source = sources.baseAddress, let target = targets.baseAddress else { return }
        try state.merge(groups, source: source, target: target, count: count)
      }
    }
  }

  /// 0, 1, 2 … and each divided by the fanout.
  private func numbers(_ count: Int) -> (
    source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>
  ) {
    let source = chunk.allocate(UInt32.self, count)
    let target = chunk.allocate(UInt32.self, count)
    for number in 0..<count {
      source[number] = UInt32(truncatingIfNeeded: number)
      target[number] = UInt32(truncatingIfNeeded: number / WindowAggregation.fanout)
    }
    return (UnsafePointer(source), UnsafePointer(target))
  }

  /// Adds one segment of the frames of `rows`, level by level up and down again.
  private func add(
    _ segment: FrameSegment, _ rows: Range<Int>,
    _ levels: [(state: any AggregateState, count: Int)], to state: any AggregateState
  ) throws {
    let fanout = WindowAggregation.fanout
    var starts = rows.map { Int(segment.start[$0]) }
    var ends = rows.map { Int(segment.end[$0]) }
    // Per level: what stands left of the nodes above, and right of them.
    var right: [(sources: [UInt32], targets: [UInt32])] = []
    for level in 0...levels.count {
      var (sources, targets): ([UInt32], [UInt32]) = ([], [])
      var (rightSources, rightTargets): ([UInt32], [UInt32]) = ([], [])
      for index in starts.indices {
        let (start, end) = (starts[index], ends[index])
        if start >= end { continue }
        let nextStart = (start + fanout - 1) / fanout
        let nextEnd = end / fanout
        let target = UInt32(truncatingIfNeeded: index)
        if level == levels.count || nextStart >= nextEnd {
          for node in start..<end {
            sources.append(UInt32(truncatingIfNeeded: node))
            targets.append(target)
          }
          (starts[index], ends[index]) = (0, 0)
          continue
        }
        for node in start..<(nextStart * fanout) {
          sources.append(UInt32(truncatingIfNeeded: node))
          targets.append(target)
        }
        for node in (nextEnd * fanout)..<end {
          rightSources.append(UInt32(truncatingIfNeeded: node))
          rightTargets.append(target)
        }
        (starts[index], ends[index]) = (nextStart, nextEnd)
      }
      try add(level, sources, targets, levels, to: state)
      right.append((rightSources, rightTargets))
    }
    for level in right.indices.reversed() {
      try add(level, right[level].sources, right[level].targets, levels, to: state)
    }
  }

  /// Level 0 are the rows themselves, level n the nodes of `levels[n - 1]`.
  private func add(
    _ level: Int, _ sources: [UInt32], _ targets: [UInt32],
    _ levels: [(state: any AggregateState, count: Int)], to state: any AggregateState
  ) throws {
    if sources.isEmpty { return }
    if level > 0 {
      let (nodes, nodeCount) = levels[level - 1]
      try forEachPart(of: sources.count, bytes: nodes.byteCount / nodeCount * sources.count) {
        first, count in
        try sources.withUnsafeBufferPointer { sources in
          try targets.withUnsafeBufferPointer { targets in
            guard let source = sources.baseAddress, let target = targets.baseAddress else { return }
            try state.merge(
              nodes, source: source + first, target: target + first, count: count)
          }
        }
      }
      return
    }
    let selection = Selection(capacity: sources.count)
    for (position, source) in sources.enumerated() { selection.indices[position] = source }
    let rows = arguments.map { Column.dictionary($0, selection) }
    try targets.withUnsafeBufferPointer { targets in
      guard let target = targets.baseAddress else { return }
      try update(state, rows, target, sources.count)
    }
  }

  private func update(
    _ state: any AggregateState, _ rows: [Column], _ groups: UnsafePointer<UInt32>, _ total: Int
  ) throws {
    let bytes = rows.reduce(0) { max($0, $1.copiedBytes) }
    try forEachPart(of: total, bytes: bytes) { first, count in
      try state.update(
        count == total ? rows : rows.map { $0.slice(first, count) }, groups: groups + first,
        count: count)
    }
  }

  /// Parts of so many rows, of which a state may copy this many bytes: the limit is asked between.
  private func forEachPart(
    of rows: Int, bytes: Int, _ body: (_ first: Int, _ count: Int) throws -> Void
  ) throws {
    let parts = min(rows, bytes / WindowAggregation.copiedAtOnce + 1)
    let length = (rows + parts - 1) / parts
    for first in stride(from: 0, to: rows, by: length) {
      if parts > 1 { try chunk.query.checkCancelled() }
      try body(first, min(length, rows - first))
    }
  }

  private static let copiedAtOnce = 16 << 20

  /// Adds each frame's rows anew: for states that hold all their values, and for rows that must be
  /// sorted or told apart first.
  func recomputed(_ repeats: Repeats?) throws -> Column {
    let ordered = call.order.isEmpty ? nil : try chunk.argumentOrder(call, kept)
    var stamps = repeats.map { [Int](repeating: -1, count: $0.valueCount) } ?? []
    var pending: (rows: [UInt32], targets: [UInt32]) = ([], [])
    func flush(_ state: any AggregateState) throws {
      if pending.rows.isEmpty { return }
      try add(0, pending.rows, pending.targets, [], to: state)
      pending.rows.removeAll(keepingCapacity: true)
      pending.targets.removeAll(keepingCapacity: true)
    }
    return try byBatches { state, rows in
      for (index, row) in rows.enumerated() {
        let first = pending.rows.count
        for segment in segments {
          for pick in Int(segment.start[row])..<Int(segment.end[row]) {
            if let repeats {
              let value = Int(repeats.value[pick])
              if stamps[value] == row { continue }
              stamps[value] = row
            }
            pending.rows.append(UInt32(truncatingIfNeeded: pick))
          }
        }
        if let ordered {
          pending.rows[first...].sort { ordered.place[Int($0)] < ordered.place[Int($1)] }
        }
        pending.targets.append(
          contentsOf: repeatElement(
            UInt32(truncatingIfNeeded: index), count: pending.rows.count - first))
        if pending.rows.count > 1 << 16 {
          try chunk.query.checkCancelled()
          try flush(state)
        }
      }
      try flush(state)
    }
  }

  /// Results of all rows, a new state for each batch of them.
  private func byBatches(_ fill: (any AggregateState, Range<Int>) throws -> Void) throws -> Column {
    var builder = ColumnBuilder(call.type, capacity: chunk.count)
    try forEachChunk(count: chunk.count) { first, count in
      try chunk.query.checkCancelled()
      let state = try resolved.makeState()
      state.resize(groups: count)
      try fill(state, first..<first + count)
      builder.append(try state.finish(first: 0, count: count))
    }
    return builder.finish()
  }
}

/// Which picks have equal arguments, for DISTINCT.
struct Repeats {
  /// By pick: the number of its value.
  let value: WindowChunk.Numbers
  let valueCount: Int
  /// By pick: one more than the last pick before it of the same value, 0 for none.
  let previous: WindowChunk.Numbers
  private let count: Int

  init(_ chunk: WindowChunk, _ call: WindowCall, _ kept: KeptRows) throws {
    count = kept.count
    value = chunk.allocate(UInt32.self, kept.count)
    previous = chunk.allocate(UInt32.self, kept.count)
    let arguments = call.arguments.map { chunk.picked($0, kept) }
    let table = GroupTable(arguments.map(\.type))
    let value = value
    forEachChunk(count: kept.count) { first, count in
      table.lookUp(arguments.map { $0.slice(first, count) }, count: count, groups: value + first)
    }
    valueCount = table.count
    var last = [UInt32](repeating: 0, count: max(1, table.count))
    for pick in 0..<kept.count {
      previous[pick] = last[Int(value[pick])]
      last[Int(value[pick])] = UInt32(truncatingIfNeeded: pick + 1)
    }
  }

  /// The kept rows that are the first of their value in their partition.
  func firstInPartition(_ chunk: WindowChunk, _ kept: KeptRows) -> KeptRows {
    let starts = chunk.partitions.start
    let isFirst = chunk.allocate(UInt8.self, chunk.count)
    isFirst.update(repeating: 0, count: chunk.count)
    for pick in 0..<count {
      let row = kept.row(pick)
      let isRepeated =
        previous[pick] > 0 && kept.row(Int(previous[pick]) - 1) >= Int(starts[row])
      isFirst[row] = isRepeated ? 0 : 1
    }
    return KeptRows(chunk) { isFirst[$0] != 0 }
  }
}

extension WindowAggregation {
  /// count(DISTINCT …): the rows of the frame whose value the frame has not seen before; nil for
  /// frames in several pieces.
  func distinctCounts(_ repeats: Repeats) -> Column? {
    guard segments.count == 1 else { return nil }
    let tree = RangeTree(
      repeats.previous, count: kept.count, maximum: UInt32(truncatingIfNeeded: kept.count),
      chunk: chunk)
    let result = Column(flat: call.type, count: chunk.count)
    let target = result.values(as: Int64.self)
    for row in 0..<chunk.count {
      let start = segments[0].start[row]
      target[row] = Int64(
        tree.countBelow(start + 1, from: Int(start), to: Int(segments[0].end[row])))
    }
    return result
  }
}
