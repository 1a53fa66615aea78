import Columnar
import Glibc

/// Values of one type, not nested, apart by group in the order they came: a chain of segments per
/// group, each up to four times as long as the one before. A value is written once, a group is read
/// in long runs, and merging refers to the other's segments instead of copying their values. (One
/// log of all values with a linked list of rows per group, as in `GroupChains`, costs a cache miss
/// for each value read.)
final class GroupSegments {
  /// The head of a segment; `capacity` values follow it and, from more than 64 on, their NULL bits.
  struct Segment {
    var next: UnsafeMutablePointer<Segment>?
    /// Of a reference (capacity 0): the segment whose first `count` values it stands for.
    var target: UnsafeMutablePointer<Segment>?
    /// The NULL bits of up to 64 values.
    var nulls: UInt64
    var count: UInt32
    var capacity: UInt16
    var hasNulls: Bool
  }

  /// First and last segment of a group; zero-filled memory is two times nil.
  private struct Chain {
    var first: UnsafeMutablePointer<Segment>?
    var last: UnsafeMutablePointer<Segment>?
  }

  /// Values of a segment that lie one after the other.
  struct Run {
    let values: UnsafeMutableRawPointer
    /// A set bit is a NULL; nil when there are none.
    let nulls: UnsafeMutablePointer<UInt64>?
    let count: Int
  }

  /// A multiple of 16, so that the values behind it are aligned.
  private static let headBytes = 32
  private static let largest = 8192

  let type: LogicalType
  private let width: Int
  private let keepsNulls: Bool
  private let chains = StateMemory(stride: MemoryLayout<Chain>.stride)
  private let arena = SegmentArena()
  /// Those of merged states, whose segments this one refers to.
  private var borrowed: [SegmentArena] = []

  init(_ type: LogicalType, keepsNulls: Bool) {
    precondition(type.physical.width > 0, "nested values reach aggregates as bytes")
    precondition(MemoryLayout<Segment>.size <= GroupSegments.headBytes, "a head fills its room")
    self.type = type
    self.keepsNulls = keepsNulls
    width = type.physical.width
    _ = arena.byteCount(for: self)
  }

  deinit { for kept in [arena] + borrowed { kept.leave(self) } }

  /// Of arenas that several refer to, each is counted by one of them.
  var byteCount: Int {
    borrowed.reduce(chains.byteCount + arena.byteCount(for: self)) {
      $0 + $1.byteCount(for: self)
    }
  }

  /// Who holds the bytes of long strings.
  var heaps: [AnyObject] {
    type.physical == .string ? [arena.heap] + borrowed.map(\.heap) : []
  }

  func resize(groups count: Int) { chains.resize(count) }

  // MARK: Adding

  /// Adds each row of a column to its group; without `keepsNulls`, those that are not NULL.
  func append(_ column: Column, groups: UnsafePointer<UInt32>, count: Int) {
    switch width {
    case 1: append(column, UInt8.self, groups, count)
    case 2: append(column, UInt16.self, groups, count)
    case 4: append(column, UInt32.self, groups, count)
    case 8: append(column, UInt64.self, groups, count)
    default:
      if type.physical == .string {
        append(column, StringView.self, groups, count)
      } else {
        append(column, UInt128.self, groups, count)
      }
    }
  }

  @inline(__always)
  private func append<T: BitwiseCopyable>(
    _ column: Column, _: T.Type, _ groups: UnsafePointer<UInt32>, _ count: Int
  ) {
    let chains = chains.values(Chain.self)
    let reader = ColumnReader<T>(column)
    let keepsNulls = keepsNulls
    let heap = arena.heap
    for row in 0..<count {
      let isNull = reader.isNull(row)
      if isNull && !keepsNulls { continue }
      let chain = chains + Int(groups[row])
      var segment: UnsafeMutablePointer<Segment>
      if let last = chain.pointee.last, last.pointee.count < UInt32(last.pointee.capacity) {
        segment = last
      } else {
        segment = extend(chain)
      }
      let place = Int(segment.pointee.count)
      if isNull {
        segment.pointee.hasNulls = true
        nulls(of: segment)[place >> 6] |= 1 << UInt64(place & 63)
      } else {
        let values = GroupSegments.values(of: segment).assumingMemoryBound(to: T.self)
        values[place] = GroupSegments.kept(reader[row], heap)
      }
      segment.pointee.count = UInt32(truncatingIfNeeded: place &+ 1)
    }
  }

  @inline(__always)
  private static func kept<T: BitwiseCopyable>(_ value: T, _ heap: StringHeap) -> T {
    if T.self == StringView.self {
      return unsafeBitCast(heap.store(unsafeBitCast(value, to: StringView.self)), to: T.self)
    }
    return value
  }

  @inline(never)
  private func extend(_ chain: UnsafeMutablePointer<Chain>) -> UnsafeMutablePointer<Segment> {
    let before = Int(chain.pointee.last?.pointee.capacity ?? 0)
    let capacity = min(max(2, before * 4), GroupSegments.largest)
    let bits = capacity > 64 ? capacity / 8 : 0
    let segment = link(chain, byteCount: GroupSegments.headBytes + capacity * width + bits)
    segment.pointee.capacity = UInt16(capacity)
    return segment
  }

  /// An empty segment at the end of a chain.
  private func link(
    _ chain: UnsafeMutablePointer<Chain>, byteCount: Int
  ) -> UnsafeMutablePointer<Segment> {
    let segment = arena.allocate(byteCount).assumingMemoryBound(to: Segment.self)
    if let last = chain.pointee.last {
      last.pointee.next = segment
    } else {
      chain.pointee.first = segment
    }
    chain.pointee.last = segment
    return segment
  }

  /// Adds groups `source[i]` of `other`, as they are now, to groups `target[i]`: O(segments). The
  /// other is only read, so that it may go on growing, and several threads may merge from it.
  func merge(
    _ other: GroupSegments, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    for lender in [other.arena] + other.borrowed
    where lender !== arena && !borrowed.contains(where: { $0 === lender }) {
      borrowed.append(lender)
    }
    let theirs = other.chains.values(Chain.self)
    let mine = chains.values(Chain.self)
    for position in 0..<count {
      var segment = theirs[Int(source[position])].first
      while let current = segment {
        let reference = link(mine + Int(target[position]), byteCount: GroupSegments.headBytes)
        reference.pointee.target = current.pointee.target ?? current
        reference.pointee.count = current.pointee.count
        segment = current.pointee.next
      }
    }
  }

  // MARK: Reading

  func count(of group: Int) -> Int {
    var total = 0
    var segment = chains.values(Chain.self)[group].first
    while let current = segment {
      total += Int(current.pointee.count)
      segment = current.pointee.next
    }
    return total
  }

  /// Calls `body` with the values of a group, run by run.
  @inline(__always)
  func forEachRun(of group: Int, _ body: (Run) throws -> Void) rethrows {
    var segment = chains.values(Chain.self)[group].first
    while let current = segment {
      let owner = current.pointee.target ?? current
      try body(
        Run(
          values: GroupSegments.values(of: owner),
          nulls: owner.pointee.hasNulls ? nulls(of: owner) : nil,
          count: Int(current.pointee.count)))
      segment = current.pointee.next
    }
  }

  /// Writes the values of a group into rows `start...` of a flat column.
  func copy(_ group: Int, to column: Column, from start: Int) {
    var position = start
    forEachRun(of: group) { run in
      memcpy(column.data + position * width, run.values, run.count * width)
      if let nulls = run.nulls {
        for item in 0..<run.count where nulls[item >> 6] >> UInt64(item & 63) & 1 != 0 {
          column.setNull(position + item)
        }
      }
      position += run.count
    }
  }

  @inline(__always)
  private static func values(of segment: UnsafeMutablePointer<Segment>) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(segment) + headBytes
  }

  private func nulls(of segment: UnsafeMutablePointer<Segment>) -> UnsafeMutablePointer<UInt64> {
    let capacity = Int(segment.pointee.capacity)
    if capacity > 64 {
      return (GroupSegments.values(of: segment) + capacity * width)
        .assumingMemoryBound(to: UInt64.self)
    }
    let place = UnsafeMutableRawPointer(segment) + GroupSegments.nullsOffset
    return place.assumingMemoryBound(to: UInt64.self)
  }

  /// Where `Segment.nulls` lies: behind two pointers.
  private static let nullsOffset = 2 * MemoryLayout<UnsafeMutableRawPointer?>.size
}
