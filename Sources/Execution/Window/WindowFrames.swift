import Columnar
import Diagnostics
import Planner

/// A run of rows per row of a chunk. A frame has one; with EXCLUDE up to three, ascending.
struct FrameSegment {
  /// `start[row] <= end[row]` always.
  let start: WindowChunk.Numbers
  let end: WindowChunk.Numbers
}

extension WindowChunk {
  /// The rows that a call sees from each row.
  func segments(_ call: WindowCall) throws -> [FrameSegment] {
    let frame = call.frame
    let partition = partitions
    // Frames of rows know no peers.
    let seesPeers = frame.unit != .rows || frame.exclusion != .noOthers
    let peers = seesPeers ? peers(orderCount: call.orderCount) : partition
    let start = try bound(frame.start, isStart: true, call, peers)
    let end = try bound(frame.end, isStart: false, call, peers)
    let isInside = { (numbers: Numbers) in
      numbers == partition.start || numbers == partition.end || numbers == peers.start
        || numbers == peers.end
    }
    if isInside(start) && isInside(end) {
      return excluding(frame.exclusion, FrameSegment(start: start, end: end), peers)
    }
    let low = allocate(UInt32.self, count)
    let high = allocate(UInt32.self, count)
    for row in 0..<count {
      let from = min(max(start[row], partition.start[row]), partition.end[row])
      low[row] = from
      high[row] = max(from, min(end[row], partition.end[row]))
    }
    return excluding(frame.exclusion, FrameSegment(start: low, end: high), peers)
  }

  // MARK: Bounds

  private func bound(
    _ bound: WindowFrameBounds.Bound, isStart: Bool, _ call: WindowCall,
    _ peers: (start: Numbers, end: Numbers)
  ) throws -> Numbers {
    let unit = call.frame.unit
    let partition = partitions
    switch bound {
    case .unboundedPreceding: return partition.start
    case .unboundedFollowing: return partition.end
    case .currentRow:
      if unit != .rows { return isStart ? peers.start : peers.end }
      let result = allocate(UInt32.self, count)
      for row in 0..<count { result[row] = UInt32(truncatingIfNeeded: row + (isStart ? 0 : 1)) }
      return result
    case .preceding(let source), .following(let source):
      var isPreceding = false
      if case .preceding = bound { isPreceding = true }
      switch unit {
      case .rows:
        return try rowBound(sorted(source), isPreceding: isPreceding, isStart: isStart)
      case .groups:
        return try groupBound(
          sorted(source), isPreceding: isPreceding, isStart: isStart, peers: peers)
      case .range:
        guard let key = call.frame.key else { return isStart ? peers.start : peers.end }
        return try rangeBound(
          sorted(source), key: sorted(key), isPreceding: isPreceding, isStart: isStart,
          isDescending: call.frame.isDescending, peers: peers)
      }
    }
  }

  private func rowBound(_ offsets: Column, isPreceding: Bool, isStart: Bool) throws -> Numbers {
    let result = allocate(UInt32.self, count)
    let partition = partitions
    let reader = ColumnReader<Int64>(offsets)
    let side = isPreceding ? "PRECEDING" : "FOLLOWING"
    let shift: Int64 = isStart ? 0 : 1
    for row in 0..<count {
      if reader.isNull(row) {
        throw SQLError(.outOfRange, "the offset of ROWS … \(side) cannot be NULL")
      }
      let offset = reader[row]
      if offset < 0 {
        throw SQLError(.outOfRange, "the offset of ROWS … \(side) cannot be negative: \(offset)")
      }
      let low = Int64(partition.start[row])
      let high = Int64(partition.end[row])
      let place = Int64(row) + shift
      // Offsets may be as large as BIGINT: they are cut before they are added.
      let cut = min(offset, Int64(count) + 1)
      result[row] = UInt32(
        truncatingIfNeeded: max(low, min(high, isPreceding ? place - cut : place + cut)))
    }
    withExtendedLifetime(offsets) {}
    return result
  }

  private func groupBound(
    _ offsets: Column, isPreceding: Bool, isStart: Bool, peers: (start: Numbers, end: Numbers)
  ) throws -> Numbers {
    let partition = partitions
    // Where each group of peers begins, over all partitions, and the number of a row's group.
    let groups = allocate(UInt32.self, count + 1)
    let groupOf = allocate(UInt32.self, count)
    var groupCount = 0
    for row in 0..<count {
      if peers.start[row] == UInt32(truncatingIfNeeded: row) {
        groups[groupCount] = peers.start[row]
        groupCount += 1
      }
      groupOf[row] = UInt32(truncatingIfNeeded: groupCount - 1)
    }
    groups[groupCount] = UInt32(truncatingIfNeeded: count)
    let result = allocate(UInt32.self, count)
    let reader = ColumnReader<Int64>(offsets)
    let side = isPreceding ? "PRECEDING" : "FOLLOWING"
    for row in 0..<count {
      if reader.isNull(row) {
        result[row] = isStart ? peers.start[row] : peers.end[row]
        continue
      }
      let offset = reader[row]
      if offset < 0 {
        throw SQLError(.outOfRange, "the offset of GROUPS … \(side) cannot be negative: \(offset)")
      }
      let cut = Int(min(offset, Int64(count) + 1))
      let group = Int(groupOf[row]) + (isPreceding ? -cut : cut) + (isStart ? 0 : 1)
      let place = groups[max(0, min(groupCount, group))]
      result[row] = max(partition.start[row], min(partition.end[row], place))
    }
    withExtendedLifetime(offsets) {}
    return result
  }

  // MARK: Exclusion

  private func excluding(
    _ exclusion: BoundFrame.Exclusion, _ frame: FrameSegment,
    _ peers: (start: Numbers, end: Numbers)
  ) -> [FrameSegment] {
    if exclusion == .noOthers { return [frame] }
    let before = (start: allocate(UInt32.self, count), end: allocate(UInt32.self, count))
    let after = (start: allocate(UInt32.self, count), end: allocate(UInt32.self, count))
    let own = (start: allocate(UInt32.self, count), end: allocate(UInt32.self, count))
    for row in 0..<count {
      let number = UInt32(truncatingIfNeeded: row)
      let cutsRow = exclusion == .currentRow
      let from = cutsRow ? number : peers.start[row]
      let to = cutsRow ? number + 1 : peers.end[row]
      let (start, end) = (frame.start[row], frame.end[row])
      before.start[row] = start
      before.end[row] = max(start, min(end, from))
      after.start[row] = min(end, max(start, to))
      after.end[row] = end
      let isSeen = exclusion == .ties && start <= number && number < end
      own.start[row] = isSeen ? number : before.end[row]
      own.end[row] = isSeen ? number + 1 : before.end[row]
    }
    let outer = [
      FrameSegment(start: before.start, end: before.end),
      FrameSegment(start: after.start, end: after.end),
    ]
    if exclusion != .ties { return outer }
    return [outer[0], FrameSegment(start: own.start, end: own.end), outer[1]]
  }
}
