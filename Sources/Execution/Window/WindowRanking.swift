import Columnar
import Diagnostics
import Functions
import Planner

extension WindowChunk {
  /// The results of one call for all rows of the chunk.
  func evaluate(_ call: WindowCall) throws -> Column {
    switch call.function {
    case .aggregate(let resolved): return try aggregate(call, resolved)
    case .builtin(let function):
      switch function {
      case .rowNumber, .rank, .denseRank, .percentRank, .cumeDist, .ntile:
        return call.order.isEmpty ? try ranking(function, call) : try orderedRanking(function, call)
      case .lag, .lead: return try shifted(function, call)
      case .firstValue, .lastValue, .nthValue: return try picked(function, call)
      case .fill: return try filled(call)
      }
    }
  }

  /// Places within the partition: frames do not matter.
  private func ranking(_ function: WindowFunction, _ call: WindowCall) throws -> Column {
    let partition = partitions
    let seesPeers = function != .rowNumber && function != .ntile
    let peers = seesPeers ? peers(orderCount: call.orderCount) : partition
    switch function {
    case .rowNumber:
      return numbers { Int64(truncatingIfNeeded: $0) - Int64(partition.start[$0]) + 1 }
    case .rank:
      return numbers { Int64(peers.start[$0]) - Int64(partition.start[$0]) + 1 }
    case .denseRank:
      var current: Int64 = 0
      return numbers { row in
        if partition.start[row] == UInt32(truncatingIfNeeded: row) { current = 0 }
        if peers.start[row] == UInt32(truncatingIfNeeded: row) { current += 1 }
        return current
      }
    case .percentRank:
      return fractions { row in
        let others = Double(partition.end[row] - partition.start[row]) - 1
        return others > 0 ? Double(peers.start[row] - partition.start[row]) / others : 0
      }
    case .cumeDist:
      return fractions { row in
        Double(peers.end[row] - partition.start[row])
          / Double(partition.end[row] - partition.start[row])
      }
    case .ntile:
      return try tiles(call) { row in
        (row - Int(partition.start[row]), Int(partition.end[row] - partition.start[row]))
      }
    case .lag, .lead, .firstValue, .lastValue, .nthValue, .fill:
      throw SQLError(.internal, "\(function.rawValue) does not rank")
    }
  }

  /// With ORDER BY among the arguments: where the row would stand in its frame.
  private func orderedRanking(_ function: WindowFunction, _ call: WindowCall) throws -> Column {
    let segments = try segments(call)
    let ordered = try argumentOrder(call, KeptRows(all: count))
    let tree = ordered.tree
    func size(_ row: Int) -> Int {
      segments.reduce(0) { $0 + Int($1.end[row]) - Int($1.start[row]) }
    }
    func before(_ row: Int, _ place: UInt32) -> Int {
      segments.reduce(0) {
        $0 + tree.countBelow(place, from: Int($1.start[row]), to: Int($1.end[row]))
      }
    }
    switch function {
    case .rowNumber: return numbers { Int64(before($0, ordered.place[$0]) + 1) }
    case .rank, .denseRank: return numbers { Int64(before($0, ordered.tieStart[$0]) + 1) }
    case .percentRank:
      return fractions { row in
        let others = size(row) - 1
        return others > 0 ? Double(before(row, ordered.tieStart[row])) / Double(others) : 0
      }
    case .cumeDist:
      return fractions { row in
        let all = size(row)
        return all > 0 ? Double(before(row, ordered.tieEnd[row])) / Double(all) : 0
      }
    case .ntile:
      return try tiles(call) { row in
        let all = size(row)
        return (min(before(row, ordered.place[row]), all - 1), all)
      }
    case .lag, .lead, .firstValue, .lastValue, .nthValue, .fill:
      throw SQLError(.internal, "\(function.rawValue) does not rank")
    }
  }

  /// ntile of a place among so many rows: the first buckets get one row more.
  func tiles(_ call: WindowCall, _ place: (Int) -> (place: Int, size: Int)) throws -> Column {
    let buckets = sorted(call.arguments[0])
    let reader = ColumnReader<Int64>(buckets)
    let result = Column(flat: .bigint, count: count)
    let target = result.values(as: Int64.self)
    for row in 0..<count {
      let (place, size) = place(row)
      target[row] = 0
      if reader.isNull(row) || size == 0 {
        result.setNull(row)
        continue
      }
      if reader[row] <= 0 {
        throw SQLError(.outOfRange, "ntile needs a number greater than zero, not \(reader[row])")
      }
      let count = Int(min(reader[row], Int64(size)))
      let small = size / count
      let large = size % count
      let inLarge = large * (small + 1)
      target[row] = Int64(
        place < inLarge ? place / (small + 1) + 1 : large + (place - inLarge) / small + 1)
    }
    withExtendedLifetime(buckets) {}
    return result
  }

  @inline(__always)
  func numbers(_ value: (Int) -> Int64) -> Column {
    let result = Column(flat: .bigint, count: count)
    let target = result.values(as: Int64.self)
    for row in 0..<count { target[row] = value(row) }
    return result
  }

  @inline(__always)
  func fractions(_ value: (Int) -> Double) -> Column {
    let result = Column(flat: .double, count: count)
    let target = result.values(as: Double.self)
    for row in 0..<count { target[row] = value(row) }
    return result
  }
}
