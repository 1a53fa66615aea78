import Columnar
import Diagnostics
import Planner

/// Functions that give the argument of another row: first which row, then all values at once.
extension WindowChunk {
  /// first_value, last_value, nth_value.
  func picked(_ function: WindowFunction, _ call: WindowCall) throws -> Column {
    let kept = keptValues(call)
    let segments = kept.translated(try segments(call), self)
    let targets = allocate(UInt32.self, count)
    let nth = call.arguments.count > 1 ? sorted(call.arguments[1]) : nil
    let reader = nth.map { ColumnReader<Int64>($0) }
    /// Which row of the frame's so many; nil for none.
    func wanted(_ row: Int, _ size: Int) -> Int? {
      if size == 0 { return nil }
      guard let reader else { return function == .firstValue ? 0 : size - 1 }
      if reader.isNull(row) || reader[row] < 1 || reader[row] > Int64(size) { return nil }
      return Int(reader[row]) - 1
    }
    let ordered = call.order.isEmpty ? nil : try argumentOrder(call, kept)
    for row in 0..<count {
      targets[row] = .max
      var size = 0
      for segment in segments { size += Int(segment.end[row]) - Int(segment.start[row]) }
      guard var place = wanted(row, size) else { continue }
      if let ordered {
        let found = smallest(place, ordered, segments, row)
        targets[row] = UInt32(truncatingIfNeeded: kept.row(found))
        continue
      }
      for segment in segments {
        let length = Int(segment.end[row]) - Int(segment.start[row])
        if place < length {
          let pick = Int(segment.start[row]) + place
          targets[row] = UInt32(truncatingIfNeeded: kept.row(pick))
          break
        }
        place -= length
      }
    }
    withExtendedLifetime(nth) {}
    return gathered(call.arguments[0], call.type, targets)
  }

  /// The pick of the frame's rows that `place` others come before.
  func smallest(_ place: Int, _ ordered: RowOrder, _ segments: [FrameSegment], _ row: Int) -> Int {
    let found: UInt32
    if segments.count == 1 {
      found = ordered.tree.smallest(
        place, from: Int(segments[0].start[row]), to: Int(segments[0].end[row]))
    } else {
      // On the stack: this runs once a row.
      found = withUnsafeTemporaryAllocation(of: RangeTree.Run.self, capacity: segments.count) {
        runs in
        for (index, segment) in segments.enumerated() {
          runs.initializeElement(
            at: index, to: .init(from: Int(segment.start[row]), to: Int(segment.end[row])))
        }
        return ordered.tree.smallest(place, in: runs)
      }
    }
    return Int(ordered.pick[Int(found)])
  }

  /// All rows, or with IGNORE NULLS those whose first argument has a value.
  func keptValues(_ call: WindowCall) -> KeptRows {
    if !call.ignoresNulls { return KeptRows(all: count) }
    let values = sorted(call.arguments[0])
    if !values.mayHaveNulls { return KeptRows(all: count) }
    return KeptRows(self) { !values.isNull($0) }
  }

  /// lag and lead.
  func shifted(_ function: WindowFunction, _ call: WindowCall) throws -> Column {
    let kept = keptValues(call)
    let targets = allocate(UInt32.self, count)
    let sign: Int64 = function == .lag ? -1 : 1
    let offsets = call.arguments.count > 1 ? sorted(call.arguments[1]) : nil
    let reader = offsets.map { ColumnReader<Int64>($0) }
    /// Rows whose target lies outside take the default, except where the offset is NULL.
    var outside = [Int]()
    let hasDefault = call.arguments.count > 2
    /// How far to go on; nil for NULL.
    func distance(_ row: Int) -> Int? {
      guard let reader else { return Int(sign) }
      if reader.isNull(row) { return nil }
      // Far beyond any chunk is as good as the exact distance.
      let limit = Int64(count) + 1
      return Int(sign * max(-limit, min(limit, reader[row])))
    }
    func set(_ row: Int, _ target: Int?) {
      if let target {
        targets[row] = UInt32(truncatingIfNeeded: target)
      } else {
        targets[row] = .max
        if hasDefault { outside.append(row) }
      }
    }
    if call.order.isEmpty {
      let partition = partitions
      for row in 0..<count {
        guard let distance = distance(row) else {
          targets[row] = .max
          continue
        }
        if distance == 0 {
          targets[row] = UInt32(truncatingIfNeeded: row)
          continue
        }
        let low: Int
        let high: Int
        var pick = row + distance
        if let before = kept.before {
          low = Int(before[Int(partition.start[row])])
          high = Int(before[Int(partition.end[row])])
          pick =
            distance < 0 ? Int(before[row]) + distance : Int(before[row + 1]) + distance - 1
        } else {
          low = Int(partition.start[row])
          high = Int(partition.end[row])
        }
        set(row, pick >= low && pick < high ? kept.row(pick) : nil)
      }
    } else {
      try shiftByOrder(call, kept, distance: distance, set: set) { targets[$0] = .max }
    }
    withExtendedLifetime(offsets) {}
    let values = gathered(call.arguments[0], call.type, targets)
    if outside.isEmpty { return values }
    return merged(values, sorted(call.arguments[2]), rows: outside)
  }

  /// lag and lead over the frame in the order of the arguments' ORDER BY.
  private func shiftByOrder(
    _ call: WindowCall, _ kept: KeptRows, distance: (Int) -> Int?, set: (Int, Int?) -> Void,
    setNull: (Int) -> Void
  ) throws {
    let all = try argumentOrder(call, KeptRows(all: count))
    let frames = try segments(call)
    let segments = kept.translated(frames, self)
    let ordered = kept.numbers == nil ? all : try argumentOrder(call, kept)
    // With IGNORE NULLS: the kept rows' places among all, ascending as in their own order.
    for row in 0..<count {
      guard let distance = distance(row) else {
        setNull(row)
        continue
      }
      if distance == 0 {
        set(row, row)
        continue
      }
      var size = 0
      var before = 0
      for segment in segments {
        let (start, end) = (Int(segment.start[row]), Int(segment.end[row]))
        size += end - start
        if kept.numbers == nil {
          before += ordered.tree.countBelow(ordered.place[row], from: start, to: end)
        }
      }
      if let keptBefore = kept.before {
        before = keptPlaces(row, all, frames, keptBefore, kept)
      }
      var target = before + distance
      if let keptBefore = kept.before, distance > 0, keptBefore[row] == keptBefore[row + 1] {
        target -= 1
      }
      set(
        row,
        target >= 0 && target < size ? kept.row(smallest(target, ordered, segments, row)) : nil)
    }
  }

  /// Kept rows of the frame that come before the row in the arguments' order.
  private func keptPlaces(
    _ row: Int, _ all: RowOrder, _ frames: [FrameSegment], _ keptBefore: Numbers, _ kept: KeptRows
  ) -> Int {
    var result = 0
    for frame in frames {
      for pick in Int(keptBefore[Int(frame.start[row])])..<Int(keptBefore[Int(frame.end[row])])
      where all.place[kept.row(pick)] < all.place[row] { result += 1 }
    }
    return result
  }

  /// `values` with some rows taken from another column.
  func merged(_ values: Column, _ other: Column, rows: [Int]) -> Column {
    var builder = ColumnBuilder(values.type, capacity: count + rows.count)
    builder.append(values)
    builder.append(Column.dictionary(other, Selection(rows)))
    let both = builder.finish()
    let selection = Selection(capacity: count)
    for row in 0..<count { selection.indices[row] = UInt32(truncatingIfNeeded: row) }
    for (position, row) in rows.enumerated() {
      selection.indices[row] = UInt32(truncatingIfNeeded: count + position)
    }
    return Column.dictionary(both, selection).flattened()
  }
}
