import Columnar
import Diagnostics

extension WindowChunk {
  /// RANGE with an offset: where the order key reaches (for an end: passes) the bound. Rows without
  /// a key, or without a bound, see their peers.
  func rangeBound(
    _ bounds: Column, key: Column, isPreceding: Bool, isStart: Bool, isDescending: Bool,
    peers: (start: Numbers, end: Numbers)
  ) throws -> Numbers {
    let search = RangeSearch(
      chunk: self, bounds: bounds, key: key, isPreceding: isPreceding, isStart: isStart,
      isDescending: isDescending, peers: peers)
    let keys = codes(key)
    let wanted = codes(bounds)
    if let keys, let wanted {
      return try search.run(
        compare: { place, row in
          keys[place] < wanted[row] ? -1 : keys[place] == wanted[row] ? 0 : 1
        })
    }
    let comparator = ColumnComparator(key, bounds)
    return try search.run(compare: { place, row in comparator.compare(place, row) })
  }

  /// The values as integers in the same order; nil for types of more than 64 bits.
  private func codes(_ column: Column) -> UnsafeMutablePointer<Int64>? {
    switch column.type.physical {
    case .int8: return codes(column, Int8.self) { Int64($0) }
    case .int16: return codes(column, Int16.self) { Int64($0) }
    case .int32: return codes(column, Int32.self) { Int64($0) }
    case .int64: return codes(column, Int64.self) { $0 }
    case .bool, .uint8: return codes(column, UInt8.self) { Int64($0) }
    case .uint16: return codes(column, UInt16.self) { Int64($0) }
    case .uint32: return codes(column, UInt32.self) { Int64($0) }
    case .uint64: return codes(column, UInt64.self) { Int64(bitPattern: $0 ^ (1 << 63)) }
    case .float: return codes(column, Float.self) { WindowChunk.code(Double($0)) }
    case .double: return codes(column, Double.self) { WindowChunk.code($0) }
    case .int128, .uint128, .string, .interval, .list, .array, .structure: return nil
    }
  }

  private static func code(_ value: Double) -> Int64 {
    let bits = Int64(bitPattern: Hashing.canonical(value).bitPattern)
    return bits < 0 ? bits ^ Int64.max : bits
  }

  @inline(__always)
  private func codes<T: BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ code: (T) -> Int64
  ) -> UnsafeMutablePointer<Int64> {
    let result = allocate(Int64.self, count)
    let reader = ColumnReader<T>(column)
    for row in 0..<count { result[row] = reader.isNull(row) ? 0 : code(reader[row]) }
    withExtendedLifetime(column) {}
    return result
  }
}

private struct RangeSearch {
  let chunk: WindowChunk
  let bounds: Column
  let key: Column
  let isPreceding: Bool
  let isStart: Bool
  let isDescending: Bool
  let peers: (start: WindowChunk.Numbers, end: WindowChunk.Numbers)

  /// `compare` tells the order of the key of one row and the bound of another.
  @inline(__always)
  func run(compare: (_ place: Int, _ row: Int) -> Int) throws -> WindowChunk.Numbers {
    let result = chunk.allocate(UInt32.self, chunk.count)
    let partition = chunk.partitions
    let sign = isDescending ? -1 : 1
    /// An end lies behind the last key that the bound still holds.
    let least = isStart ? 0 : 1
    var partitionStart = -1
    var low = 0
    var high = 0
    var hint = 0
    for row in 0..<chunk.count {
      if Int(partition.start[row]) != partitionStart {
        partitionStart = Int(partition.start[row])
        (low, high) = valid(partitionStart, Int(partition.end[row]))
        hint = low
      }
      if bounds.isNull(row) || key.isNull(row) {
        result[row] = isStart ? peers.start[row] : peers.end[row]
        continue
      }
      let side = compare(row, row) * sign
      if isPreceding ? side < 0 : side > 0 { throw invalidOffset() }
      hint = search(low, high, from: hint) { compare($0, row) * sign >= least }
      result[row] = UInt32(truncatingIfNeeded: hint)
    }
    return result
  }

  /// The rows of a partition that have a key: NULLs stand together at one end.
  private func valid(_ start: Int, _ end: Int) -> (Int, Int) {
    if !key.mayHaveNulls { return (start, end) }
    var low = start
    var high = end
    while low < high && key.isNull(low) { low += 1 }
    while high > low && key.isNull(high - 1) { high -= 1 }
    return (low, high)
  }

  /// The first of the ascending places `low ..< high` that is reached, in steps that double from
  /// where the row before found its own.
  @inline(__always)
  private func search(_ low: Int, _ high: Int, from hint: Int, _ reached: (Int) -> Bool) -> Int {
    var low = low
    var high = high
    var step = 1
    if hint < high && !reached(hint) {
      low = hint + 1
      while low + step < high && !reached(low + step) {
        low += step + 1
        step *= 2
      }
      high = min(high, low + step)
    } else {
      high = hint
      while high - step >= low && reached(high - step) {
        high -= step
        step *= 2
      }
      low = max(low, high - step)
    }
    while low < high {
      let middle = (low + high) / 2
      if reached(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }

  private func invalidOffset() -> SQLError {
    SQLError(
      .outOfRange,
      "the offset of RANGE … \(isPreceding ? "PRECEDING" : "FOLLOWING") cannot be negative")
  }
}
