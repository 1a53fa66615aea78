import Columnar
import Synchronization

/// What an operator tells the scans below it: which keys a join's build side has, or where the rows
/// of a Top-N end. Nothing until the build is complete or as many rows as are wanted have been seen,
/// and for ever when the build side does not lend itself to it: then every row passes.
final class RuntimeFilter: Sendable {
  private enum Teller {
    case nobody
    case join(KeySet)
    case top(TopBoundary)
  }

  private let teller = Mutex(Teller.nobody)

  /// What is known at present; nil while nothing is.
  var test: RuntimeTest? {
    teller.withLock {
      switch $0 {
      case .nobody: nil
      case .join(let keys): .keys(keys)
      case .top(let boundary): boundary.test.map { .boundary($0) }
      }
    }
  }

  /// Tells the keys of a complete build side; once, by one worker, before any probing.
  func publish(_ column: Column, range: ClosedRange<Int128>?) {
    guard let range, let keys = KeySet(column, range: range) else { return }
    teller.withLock { $0 = .join(keys) }
  }

  /// From now on tells what the boundary says.
  func follow(_ boundary: TopBoundary) { teller.withLock { $0 = .top(boundary) } }
}

/// A test of the rows of one column, and of whole partitions.
enum RuntimeTest: Sendable {
  case keys(KeySet)
  case boundary(BoundaryTest)

  /// See `KeySet.select`.
  func select(
    _ column: Column, count: Int, from rows: UnsafePointer<UInt32>?,
    into target: UnsafeMutablePointer<UInt32>
  ) -> Int {
    switch self {
    case .keys(let keys): keys.select(column, count: count, from: rows, into: target)
    case .boundary(let test): test.select(column, count: count, from: rows, into: target)
    }
  }

  /// Whether some row of the partition may pass.
  func mayPass(_ scan: any PartitionedScan, _ partition: Int, column: Int) -> Bool {
    switch self {
    case .keys(let keys): scan.mayHold(keys.range, column: column, in: partition)
    case .boundary(let test): test.mayPass(scan, partition, column: column)
    }
  }
}

/// A set of integers: exact, a bit for each number of a range, where that is small beside the rows;
/// else a Bloom filter (Putze, Sanders and Singler 2007) of two bits within one word per key.
final class KeySet: @unchecked Sendable {
  /// Build sides beyond this are taken to be most of what there is.
  private static let mostRows = 4 << 20

  let range: ClosedRange<Int128>
  private let isExact: Bool
  private let minimum: UInt64
  private let width: UInt64
  private let memory: ZeroedMemory
  private let bits: UnsafeMutablePointer<UInt64>
  private let wordMask: Int

  /// SAFETY: the bits are written here, before anybody else sees the object.
  init?(_ column: Column, range: ClosedRange<Int128>) {
    if column.count > KeySet.mostRows { return nil }
    self.range = range
    let span = range.upperBound - range.lowerBound + 1
    minimum = UInt64(truncatingIfNeeded: range.lowerBound)
    isExact = span <= max(1 << 18, Int128(column.count) * 64)
    width = isExact ? UInt64(span) : 0
    var words = isExact ? Int(span) / 64 + 1 : 16
    if !isExact { while words * 64 < column.count * 16 { words *= 2 } }
    wordMask = words - 1
    memory = ZeroedMemory(byteCount: words * 8)
    bits = memory.pointer.assumingMemoryBound(to: UInt64.self)
    switch column.type.physical {
    case .uint8: fill(column, UInt8.self)
    case .int8: fill(column, Int8.self)
    case .int16: fill(column, Int16.self)
    case .int32: fill(column, Int32.self)
    case .int64: fill(column, Int64.self)
    case .uint16: fill(column, UInt16.self)
    case .uint32: fill(column, UInt32.self)
    case .uint64: fill(column, UInt64.self)
    case .bool, .int128, .uint128, .float, .double, .string, .interval, .list, .array, .structure:
      return nil
    }
  }

  private func fill<T: FixedWidthInteger & BitwiseCopyable>(_ column: Column, _ type: T.Type) {
    let reader = ColumnReader<T>(column)
    for row in 0..<column.count where !reader.isNull(row) {
      let word = UInt64(truncatingIfNeeded: reader[row])
      if isExact {
        let offset = word &- minimum
        bits[Int(truncatingIfNeeded: offset >> 6)] |= 1 << (offset & 63)
      } else {
        let hash = Hashing.hash(word)
        bits[Int(truncatingIfNeeded: hash >> 32) & wordMask] |= KeySet.pattern(hash)
      }
    }
  }

  @inline(__always)
  private static func pattern(_ hash: UInt64) -> UInt64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63)
  }

  /// Writes the rows (of `rows`, or 0 ..< count) whose value may be a key into `target`, in order,
  /// and gives how many they are. NULL is no key. `target` may be the memory of `rows`.
  func select(
    _ column: Column, count: Int, from rows: UnsafePointer<UInt32>?,
    into target: UnsafeMutablePointer<UInt32>
  ) -> Int {
    switch column.type.physical {
    case .uint8: select(column, UInt8.self, count, rows, target)
    case .int8: select(column, Int8.self, count, rows, target)
    case .int16: select(column, Int16.self, count, rows, target)
    case .int32: select(column, Int32.self, count, rows, target)
    case .int64: select(column, Int64.self, count, rows, target)
    case .uint16: select(column, UInt16.self, count, rows, target)
    case .uint32: select(column, UInt32.self, count, rows, target)
    case .uint64: select(column, UInt64.self, count, rows, target)
    case .bool, .int128, .uint128, .float, .double, .string, .interval, .list, .array, .structure:
      preconditionFailure("\(column.type) has no key set")
    }
  }

  @inline(__always)
  private func select<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ count: Int, _ rows: UnsafePointer<UInt32>?,
    _ target: UnsafeMutablePointer<UInt32>
  ) -> Int {
    if column.mayHaveNulls || column.encoding != .flat {
      let reader = ColumnReader<T>(column)
      return RowPicking.pick(count, rows, target) { row in
        holds(UInt64(truncatingIfNeeded: reader[row])) & (reader.isNull(row) ? 0 : 1)
      }
    }
    let values = column.values(as: T.self)
    return RowPicking.pick(count, rows, target) { holds(UInt64(truncatingIfNeeded: values[$0])) }
  }

  /// 1 when the value may be a key, without a branch on the outcome.
  @inline(__always)
  private func holds(_ word: UInt64) -> Int {
    if isExact {
      let offset = word &- minimum
      let isInside = offset < width
      let place = isInside ? offset : 0
      let bit = bits[Int(truncatingIfNeeded: place >> 6)] >> (place & 63) & 1
      return Int(truncatingIfNeeded: bit) & (isInside ? 1 : 0)
    }
    let hash = Hashing.hash(word)
    let pattern = KeySet.pattern(hash)
    let found = bits[Int(truncatingIfNeeded: hash >> 32) & wordMask]
    return found & pattern == pattern ? 1 : 0
  }
}
