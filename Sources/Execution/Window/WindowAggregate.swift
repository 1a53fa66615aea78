import Columnar
import Diagnostics
import Functions
import Planner

/// A call of an aggregate over one chunk, after FILTER, NULLs that do not count and repeated values
/// of DISTINCT were left out: from here on rows are picks.
struct WindowAggregation {
  let chunk: WindowChunk
  let call: WindowCall
  let resolved: ResolvedAggregate
  let kept: KeptRows
  /// Frames over picks.
  let segments: [FrameSegment]
  /// The arguments of the kept rows.
  let arguments: [Column]
  /// Of a chunk that is a part of its partition: what lies in the other parts.
  var outside = OutsideRows()
}

extension WindowChunk {
  /// Aggregates over frames. Each way does no more than about log(frame) steps a row:
  ///
  /// - frames that are the whole partition: one state a partition;
  /// - count, and sums of integers: differences of running totals;
  /// - sums of floats, min, max: running values while a frame grows, else a tree of partial results;
  /// - order statistics: a wavelet matrix;
  /// - the rest: a tree of aggregate states, or, where states hold all their values, those anew.
  ///
  /// A result hangs on the rows of its partition alone, to the last bit: not on what else is in the
  /// chunk, nor (with `outside`) on how much of the partition is.
  func aggregate(
    _ call: WindowCall, _ resolved: ResolvedAggregate, outside: OutsideRows? = nil
  ) throws -> Column {
    let isWhole = call.seesPartition && outside == nil
    let kind = AggregateKind(resolved)
    var kept = countedRows(call, skipsNulls: kind.skipsNulls)
    var call = call
    var repeats: Repeats?
    if call.isDistinct && kind != .extreme {
      let found = try Repeats(self, call, kept)
      if call.frame.exclusion == .noOthers
        && call.frame.startsWithPartition(orderCount: call.orderCount)
      {
        // Only what comes first in its partition counts.
        kept = found.firstInPartition(self, kept)
      } else {
        repeats = found
      }
    }
    call.isDistinct = repeats != nil
    if isWhole && repeats == nil && kind != .count {
      return try wholePartitions(call, resolved, kept)
    }
    var aggregation = WindowAggregation(
      chunk: self, call: call, resolved: resolved, kept: kept,
      segments: kept.translated(try segments(call), self),
      arguments: call.arguments.map { keep(picked($0, kept)) })
    if let outside { aggregation.outside = outside }
    if let repeats {
      if kind == .count, let counts = aggregation.distinctCounts(repeats) { return counts }
      return try aggregation.recomputed(repeats)
    }
    if !call.order.isEmpty { return try aggregation.recomputed(nil) }
    if aggregation.outside.state != nil { return try aggregation.merged() }
    switch kind {
    case .count: return aggregation.counts()
    case .sum, .average:
      let isAverage = kind == .average && !aggregation.outside.isForTotals
      if let sums = aggregation.sums(isAverage: isAverage) { return sums }
      return try aggregation.merged()
    case .extreme:
      if let extremes = aggregation.extremes(isLeast: resolved.function.name == "min") {
        return extremes
      }
      return try aggregation.merged()
    case .holding: return try aggregation.recomputed(nil)
    case .quantile:
      if let quantiles = try aggregation.quantiles() { return quantiles }
      return try aggregation.recomputed(nil)
    case .mergeable: return try aggregation.merged()
    }
  }

  /// The rows that FILTER lets through, less those of NULL where they do not count.
  func countedRows(_ call: WindowCall, skipsNulls: Bool) -> KeptRows {
    let filter = call.filter.map { sorted($0) }
    let passes = filter.map { ColumnReader<UInt8>($0) }
    var values: Column?
    if skipsNulls, let first = call.arguments.first {
      let column = sorted(first)
      if column.mayHaveNulls { values = column }
    }
    defer { withExtendedLifetime((filter, values)) {} }
    if passes == nil && values == nil { return KeptRows(all: count) }
    return KeptRows(self) { row in
      if let passes, passes.isNull(row) || passes[row] == 0 { return false }
      return !(values?.isNull(row) ?? false)
    }
  }

  /// One state a partition, whose result all its rows share.
  private func wholePartitions(
    _ call: WindowCall, _ resolved: ResolvedAggregate, _ kept: KeptRows
  ) throws -> Column {
    let partition = partitions
    let groupOf = allocate(UInt32.self, count)
    var groups = 0
    for row in 0..<count {
      if partition.start[row] == UInt32(truncatingIfNeeded: row) { groups += 1 }
      groupOf[row] = UInt32(truncatingIfNeeded: groups - 1)
    }
    let state = try resolved.makeState()
    state.resize(groups: groups)
    if kept.count > 0 {
      var arguments = call.arguments.map { picked($0, kept) }
      var targets = groupOf
      if kept.numbers != nil || !call.order.isEmpty {
        targets = allocate(UInt32.self, kept.count)
        var order: Selection?
        if !call.order.isEmpty {
          let ordered = try argumentOrder(call, kept)
          let selection = Selection(capacity: kept.count)
          selection.indices.update(from: ordered.pick, count: kept.count)
          arguments = arguments.map { Column.dictionary($0, selection) }
          order = selection
        }
        for pick in 0..<kept.count {
          targets[pick] = groupOf[kept.row(order.map { Int($0.indices[pick]) } ?? pick)]
        }
      }
      try forEachChunk(count: kept.count) { first, rows in
        try state.update(
          arguments.map { $0.slice(first, rows) }, groups: targets + first, count: rows)
      }
    }
    let results = try state.finish(first: 0, count: groups)
    let selection = Selection(capacity: count)
    selection.indices.update(from: groupOf, count: count)
    return Column.dictionary(results, selection).flattened()
  }
}

/// How an aggregate is computed over frames.
enum AggregateKind {
  case count, sum, average, extreme
  /// States keep all values, so that merging costs as much as adding them again.
  case holding
  /// As holding; what counts is the order of the values that are not NULL.
  case quantile
  case mergeable

  init(_ resolved: ResolvedAggregate) {
    switch resolved.function.name {
    case "count": self = .count
    case "sum": self = .sum
    case "avg": self = .average
    case "min", "max": self = resolved.argumentTypes.count == 1 ? .extreme : .holding
    case "median", "quantile_cont", "quantile_disc": self = .quantile
    case "list", "string_agg", "mode", "mad", "histogram", "entropy": self = .holding
    default: self = .mergeable
    }
  }

  /// Whether states of parts make the state of the whole at little cost.
  var isMergeable: Bool {
    switch self {
    case .count, .sum, .average, .extreme, .mergeable: true
    case .holding, .quantile: false
    }
  }

  /// Whether rows whose argument is NULL may be left out at once.
  var skipsNulls: Bool {
    switch self {
    case .count, .sum, .average, .extreme, .quantile: true
    case .holding, .mergeable: false
    }
  }
}

extension WindowAggregation {
  /// count: how long the frame is.
  func counts() -> Column {
    let result = Column(flat: call.type, count: chunk.count)
    let target = result.values(as: Int64.self)
    if segments.count == 1 {
      let (start, end) = (segments[0].start, segments[0].end)
      let hidden = Int64(outside.count)
      for row in 0..<chunk.count { target[row] = Int64(end[row] &- start[row]) &+ hidden }
      return result
    }
    for row in 0..<chunk.count {
      target[row] = segments.reduce(0) { $0 + Int64($1.end[row] - $1.start[row]) }
    }
    return result
  }

  // MARK: Sums

  /// sum and avg of numbers; nil for other types.
  func sums(isAverage: Bool) -> Column? {
    let argument = arguments[0]
    let isWanted =
      isAverage ? call.type == .double : call.type.physical == .int128 || call.type == .double
    guard argument.type.isNumeric || argument.type == .boolean, isWanted else { return nil }
    switch argument.type.physical {
    case .int8: return totals(Int8.self, Int64.self, isAverage)
    case .int16: return totals(Int16.self, Int64.self, isAverage)
    case .int32: return totals(Int32.self, Int64.self, isAverage)
    case .bool, .uint8: return totals(UInt8.self, Int64.self, isAverage)
    case .uint16: return totals(UInt16.self, Int64.self, isAverage)
    case .uint32: return totals(UInt32.self, Int64.self, isAverage)
    case .int64: return totals(Int64.self, Int128.self, isAverage)
    case .uint64: return totals(UInt64.self, Int128.self, isAverage)
    case .float: return floatSums(Float.self, isAverage)
    case .double: return floatSums(Double.self, isAverage)
    case .int128, .uint128, .string, .interval, .list, .array, .structure: return nil
    }
  }

  /// Running totals, exact and without overflow: a frame's sum is the difference of two.
  @inline(__always)
  private func totals<T: FixedWidthInteger & BitwiseCopyable, Sum: FixedWidthInteger>(
    _ type: T.Type, _ sum: Sum.Type, _ isAverage: Bool
  ) -> Column where Sum: BitwiseCopyable {
    let totals = chunk.allocate(Sum.self, kept.count + 1)
    let reader = ColumnReader<T>(arguments[0])
    var total: Sum = 0
    for pick in 0..<kept.count {
      totals[pick] = total
      total &+= Sum(truncatingIfNeeded: reader[pick])
    }
    totals[kept.count] = total
    let result = Column(flat: call.type, count: chunk.count)
    var divisor = 1.0
    if case .decimal(_, let scale) = arguments[0].type { for _ in 0..<scale { divisor *= 10 } }
    let whole = isAverage ? nil : result.values(as: Int128.self)
    let mean = result.values(as: Double.self)
    func set(_ row: Int, _ sum: Sum, _ size: Int) {
      if let whole {
        whole[row] = Int128(truncatingIfNeeded: sum)
      } else {
        mean[row] = size == 0 ? 0 : Double(nearest: sum) / (Double(size) * divisor)
      }
      if size == 0 { result.setNull(row) }
    }
    if segments.count == 1 {
      let (starts, ends) = (segments[0].start, segments[0].end)
      let hidden = outside.count
      let rest = hidden == 0 ? 0 : Sum(truncatingIfNeeded: outside.value(Int128.self) ?? 0)
      for row in 0..<chunk.count {
        let (start, end) = (Int(starts[row]), Int(ends[row]))
        set(row, totals[end] &- totals[start] &+ rest, end - start + hidden)
      }
      return result
    }
    for row in 0..<chunk.count {
      var sum: Sum = 0
      var size = 0
      for segment in segments {
        let (start, end) = (Int(segment.start[row]), Int(segment.end[row]))
        sum &+= totals[end] &- totals[start]
        size += end - start
      }
      set(row, sum, size)
    }
    return result
  }

  @inline(__always)
  private func floatSums<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ type: T.Type, _ isAverage: Bool
  ) -> Column {
    // Room in front, so that nodes of the tree hold the same picks as those of the whole partition.
    let shift = outside.picksBefore % FoldTree<Double>.largestNode(within: kept.count)
    let room = chunk.allocate(Double.self, kept.count + shift)
    room.update(repeating: 0, count: shift)
    let values = room + shift
    let reader = ColumnReader<T>(arguments[0])
    for pick in 0..<kept.count { values[pick] = Double(reader[pick]) }
    let result = Column(flat: call.type, count: chunk.count)
    let target = result.values(as: Double.self)
    fold(values, 0.0, { $0 + $1 }, shift: shift) { row, sum, size in
      target[row] = isAverage && size > 0 ? sum / Double(size) : sum
      if size == 0 { result.setNull(row) }
    }
    return result
  }

  // MARK: Extremes

  /// min and max; nil for nested types.
  func extremes(isLeast: Bool) -> Column? {
    switch call.type.physical {
    case .bool, .uint8: extremes(UInt8.self, 0, isLeast) { $0 < $1 }
    case .int8: extremes(Int8.self, 0, isLeast) { $0 < $1 }
    case .int16: extremes(Int16.self, 0, isLeast) { $0 < $1 }
    case .int32: extremes(Int32.self, 0, isLeast) { $0 < $1 }
    case .int64: extremes(Int64.self, 0, isLeast) { $0 < $1 }
    case .int128: extremes(Int128.self, 0, isLeast) { $0 < $1 }
    case .uint16: extremes(UInt16.self, 0, isLeast) { $0 < $1 }
    case .uint32: extremes(UInt32.self, 0, isLeast) { $0 < $1 }
    case .uint64: extremes(UInt64.self, 0, isLeast) { $0 < $1 }
    case .uint128: extremes(UInt128.self, 0, isLeast) { $0 < $1 }
    // NaN is the greatest.
    case .float: extremes(Float.self, 0, isLeast) { $0 < $1 || ($1.isNaN && !$0.isNaN) }
    case .double: extremes(Double.self, 0, isLeast) { $0 < $1 || ($1.isNaN && !$0.isNaN) }
    case .string:
      extremes(StringView.self, StringView(), isLeast) { StringView.compare($0, $1) < 0 }
    case .interval:
      extremes(Interval.self, Interval(), isLeast) { $0.orderedBits < $1.orderedBits }
    case .list, .array, .structure: nil
    }
  }

  @inline(__always)
  private func extremes<T: BitwiseCopyable>(
    _ type: T.Type, _ zero: T, _ isLeast: Bool, _ isLess: (T, T) -> Bool
  ) -> Column? {
    if arguments[0].type.physical != call.type.physical { return nil }
    let argument = chunk.keep(arguments[0].flattened())
    let before = outside.total.map { [$0] } ?? []
    let result = Column(flat: call.type, count: chunk.count, heaps: [argument] + before)
    let target = result.values(as: T.self)
    let values = argument.values(as: T.self)
    func set(_ row: Int, _ value: T, _ size: Int) {
      target[row] = size == 0 ? zero : value
      if size == 0 { result.setNull(row) }
    }
    if isLeast {
      fold(values, zero, { isLess($1, $0) ? $1 : $0 }, shift: 0, set)
    } else {
      fold(values, zero, { isLess($0, $1) ? $1 : $0 }, shift: 0, set)
    }
    withExtendedLifetime(argument) {}
    return result
  }

  // MARK: Folding

  /// Folds each row's frame with an associative operation and hands over its result and size.
  ///
  /// Where frames begin with the partition and only grow, the last result goes on, value by value;
  /// short frames are folded value by value, others from the nodes of a tree over the partition. So
  /// the order of the operations hangs on the frame and the partition alone.
  @inline(__always)
  private func fold<T: BitwiseCopyable>(
    _ values: UnsafeMutablePointer<T>, _ zero: T, _ combine: (T, T) -> T, shift: Int,
    _ set: (_ row: Int, _ value: T, _ size: Int) -> Void
  ) {
    var tree: FoldTree<T>?
    var treeStart = 0
    let partition = chunk.partitions
    func span(_ row: Int, _ start: Int, _ end: Int) -> T {
      if end - start <= 48 {
        var value = values[start]
        for pick in (start + 1)..<max(end, start + 1) { value = combine(value, values[pick]) }
        return value
      }
      let first = kept.pick(atOrAfter: Int(partition.start[row])) - shift
      if let tree, treeStart == first { return tree.value(start - first, end - first, combine) }
      let count = kept.pick(atOrAfter: Int(partition.end[row])) - first
      let made = FoldTree(values + first, count: count, chunk: chunk, combine)
      (tree, treeStart) = (made, first)
      return made.value(start - first, end - first, combine)
    }
    if segments.count == 1 {
      let (starts, ends) = (segments[0].start, segments[0].end)
      let isRunning = call.isRunning
      let hidden = outside.count
      var (lastStart, lastEnd, last) = (-1, -1, zero)
      if hidden > 0, let value = outside.value(T.self) {
        (lastStart, lastEnd, last) = (0, 0, value)
      }
      for row in 0..<chunk.count {
        let (start, end) = (Int(starts[row]), Int(ends[row]))
        if start >= end && hidden == 0 {
          set(row, zero, 0)
          continue
        }
        if start == lastStart && (end == lastEnd || (isRunning && end > lastEnd)) {
          for pick in lastEnd..<end { last = combine(last, values[pick]) }
        } else if isRunning {
          last = values[start]
          for pick in (start + 1)..<max(end, start + 1) { last = combine(last, values[pick]) }
        } else {
          last = span(row, start, end)
        }
        (lastStart, lastEnd) = (start, end)
        set(row, last, end - start + hidden)
      }
      return
    }
    for row in 0..<chunk.count {
      var size = 0
      var value = zero
      for segment in segments {
        let (start, end) = (Int(segment.start[row]), Int(segment.end[row]))
        if start >= end { continue }
        let part = span(row, start, end)
        value = size == 0 ? part : combine(value, part)
        size += end - start
      }
      set(row, value, size)
    }
  }
}

/// Partial results of runs of 16, of 16 such runs, and so on.
struct FoldTree<T: BitwiseCopyable> {
  private let levels: [UnsafeMutablePointer<T>]

  @inline(__always)
  init(
    _ values: UnsafeMutablePointer<T>, count: Int, chunk: WindowChunk, _ combine: (T, T) -> T
  ) {
    var levels = [values]
    var size = count
    while size >= 16 {
      let nodes = size / 16
      let below = levels[levels.count - 1]
      let level = chunk.allocate(T.self, nodes)
      for node in 0..<nodes {
        var value = below[node * 16]
        for child in (node * 16 + 1)..<(node * 16 + 16) { value = combine(value, below[child]) }
        level[node] = value
      }
      levels.append(level)
      size = nodes
    }
    self.levels = levels
  }

  /// How many values the largest node holds that fits into so many.
  static func largestNode(within count: Int) -> Int {
    var size = 1
    while size <= count / 16 { size *= 16 }
    return size
  }

  /// Of a run that is not empty, from left to right.
  @inline(__always)
  func value(_ start: Int, _ end: Int, _ combine: (T, T) -> T) -> T {
    var start = start
    var end = end
    var left: T?
    var right: T?
    for level in levels {
      let nextStart = (start + 15) / 16
      let nextEnd = end / 16
      if nextStart >= nextEnd {
        for node in start..<end {
          left = left.map { combine($0, level[node]) } ?? level[node]
        }
        break
      }
      for node in start..<(nextStart * 16) {
        left = left.map { combine($0, level[node]) } ?? level[node]
      }
      var node = end
      while node > nextEnd * 16 {
        node -= 1
        right = right.map { combine(level[node], $0) } ?? level[node]
      }
      start = nextStart
      end = nextEnd
    }
    switch (left, right) {
    case (let left?, let right?): return combine(left, right)
    case (let left?, nil): return left
    case (nil, let right?): return right
    case (nil, nil): return levels[0][start]
    }
  }
}
