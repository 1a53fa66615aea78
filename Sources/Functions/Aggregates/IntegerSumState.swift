import Columnar
import Diagnostics

/// A running sum of integers with the number of summands; all zero bits when empty.
protocol SumAccumulator: BitwiseCopyable {
  var count: Int64 { get set }
  var total: Int128 { get }
  /// Adds a value; true when the sum left its range.
  mutating func add<T: FixedWidthInteger>(_ value: T) -> Bool
  mutating func add(_ other: Self) -> Bool
  /// Adds what a batch's values of one group come to.
  mutating func add(part: Int128, count: Int64) -> Bool
  /// Adds a whole column at once.
  mutating func add<T: FixedWidthInteger>(flat values: UnsafePointer<T>, count: Int) -> Bool
}

/// For values of up to 32 bits: 2^31 rows of them cannot overflow.
struct NarrowSum: SumAccumulator {
  var sum: Int64
  var count: Int64

  @inline(__always) var total: Int128 { Int128(sum) }

  @inline(__always)
  mutating func add<T: FixedWidthInteger>(_ value: T) -> Bool {
    sum &+= Int64(truncatingIfNeeded: value)
    count &+= 1
    return false
  }

  @inline(__always)
  mutating func add(part: Int128, count rows: Int64) -> Bool {
    sum &+= Int64(truncatingIfNeeded: part)
    count &+= rows
    return false
  }

  @inline(__always)
  mutating func add(_ other: NarrowSum) -> Bool {
    sum &+= other.sum
    count &+= other.count
    return false
  }

  @inline(__always)
  mutating func add<T: FixedWidthInteger>(flat values: UnsafePointer<T>, count rows: Int) -> Bool {
    var part: Int64 = 0
    for row in 0..<rows { part &+= Int64(truncatingIfNeeded: values[row]) }
    sum &+= part
    count &+= Int64(rows)
    return false
  }
}

/// For 64-bit values: 128 bits as two words (an aligned Int128 would take 32 bytes with the count),
/// which no number of rows overflows.
struct WideSum: SumAccumulator {
  var low: UInt64
  var high: Int64
  var count: Int64

  @inline(__always) var total: Int128 { Int128(high) << 64 | Int128(low) }

  @inline(__always)
  mutating func add<T: FixedWidthInteger>(_ value: T) -> Bool {
    let (sum, carry) = low.addingReportingOverflow(UInt64(truncatingIfNeeded: value))
    let sign: Int64 = T.isSigned ? Int64(truncatingIfNeeded: value) >> 63 : 0
    low = sum
    high = high &+ sign &+ (carry ? 1 : 0)
    count &+= 1
    return false
  }

  @inline(__always)
  mutating func add(_ other: WideSum) -> Bool {
    let (sum, carry) = low.addingReportingOverflow(other.low)
    low = sum
    high = high &+ other.high &+ (carry ? 1 : 0)
    count &+= other.count
    return false
  }

  /// Halves of 32 bits are summed apart: no carries, so the loop runs in vector registers.
  @inline(__always)
  mutating func add<T: FixedWidthInteger>(flat values: UnsafePointer<T>, count rows: Int) -> Bool {
    var lows: UInt64 = 0
    var highs: Int64 = 0
    for row in 0..<rows {
      let bits = UInt64(truncatingIfNeeded: values[row])
      lows &+= bits & 0xFFFF_FFFF
      highs &+= T.isSigned ? Int64(bitPattern: bits) >> 32 : Int64(bitPattern: bits >> 32)
    }
    return add(part: Int128(highs) << 32 + Int128(lows), count: Int64(rows))
  }

  @inline(__always)
  mutating func add(part: Int128, count rows: Int64) -> Bool {
    add(
      WideSum(
        low: UInt64(truncatingIfNeeded: part), high: Int64(truncatingIfNeeded: part >> 64),
        count: rows))
  }
}

/// For 128-bit values, which may overflow.
struct HugeSum: SumAccumulator {
  var total: Int128
  var count: Int64

  @inline(__always)
  mutating func add<T: FixedWidthInteger>(_ value: T) -> Bool {
    let (sum, overflow) = total.addingReportingOverflow(Int128(truncatingIfNeeded: value))
    total = sum
    count &+= 1
    return overflow
  }

  @inline(__always)
  mutating func add(part: Int128, count rows: Int64) -> Bool {
    let (sum, overflow) = total.addingReportingOverflow(part)
    total = sum
    count &+= rows
    return overflow
  }

  @inline(__always)
  mutating func add(_ other: HugeSum) -> Bool {
    let (sum, overflow) = total.addingReportingOverflow(other.total)
    total = sum
    count &+= other.count
    return overflow
  }

  @inline(__always)
  mutating func add<T: FixedWidthInteger>(flat values: UnsafePointer<T>, count rows: Int) -> Bool {
    var failed = false
    for row in 0..<rows where add(values[row]) { failed = true }
    return failed
  }
}

/// sum and avg of integers and decimals: exact in 128 bits.
final class IntegerSumState<T: FixedWidthInteger & BitwiseCopyable, Sum: SumAccumulator>:
  AggregateState
{
  private let result: LogicalType
  /// Of avg: 10 to the scale of a decimal argument; nil for sum.
  private let divisor: Double?
  private let sums = StateMemory(stride: MemoryLayout<Sum>.stride)

  init(result: LogicalType, divisor: Double?) {
    self.result = result
    self.divisor = divisor
  }

  var byteCount: Int { sums.byteCount }

  func resize(groups count: Int) { sums.resize(count) }

  /// Groups up to which a batch is summed in lanes.
  private static var fewGroups: Int { 64 }

  private struct Lane: BitwiseCopyable {
    var low: Int64
    var high: Int64
    var count: Int64
  }

  /// Few groups meet in nearly every row, and then each addition waits for the one before it. Four
  /// lanes a group, taken in turn, wait for nobody; halves of 32 bits need no carry.
  private func updateLanes(_ column: Column, _ groups: UnsafePointer<UInt32>, _ count: Int) throws {
    let laneCount = sums.count * 4
    let memory = Buffer(byteCount: laneCount * MemoryLayout<Lane>.stride)
    let lanes = memory.pointer.assumingMemoryBound(to: Lane.self)
    lanes.update(repeating: Lane(low: 0, high: 0, count: 0), count: laneCount)
    forEachValid(column, T.self, count) { row, value in
      let lane = lanes + (Int(groups[row]) << 2 | row & 3)
      if T.bitWidth <= 32 {
        lane.pointee.low &+= Int64(truncatingIfNeeded: value)
      } else {
        let bits = UInt64(truncatingIfNeeded: value)
        lane.pointee.low &+= Int64(truncatingIfNeeded: bits & 0xFFFF_FFFF)
        lane.pointee.high &+=
          T.isSigned ? Int64(bitPattern: bits) >> 32 : Int64(bitPattern: bits >> 32)
      }
      lane.pointee.count &+= 1
    }
    let target = sums.values(Sum.self)
    var overflow = false
    for lane in 0..<laneCount where lanes[lane].count > 0 {
      let part = Int128(lanes[lane].high) << 32 + Int128(lanes[lane].low)
      if target[lane >> 2].add(part: part, count: lanes[lane].count) { overflow = true }
    }
    withExtendedLifetime(memory) {}
    if overflow { throw sumOverflow(result) }
  }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) throws {
    if T.bitWidth <= 64, sums.count <= IntegerSumState.fewGroups, count >= sums.count * 16 {
      return try updateLanes(arguments[0], groups, count)
    }
    let target = sums.values(Sum.self)
    var overflow = false
    forEachValid(arguments[0], T.self, count) { row, value in
      if target[Int(groups[row])].add(value) { overflow = true }
    }
    if overflow { throw sumOverflow(result) }
  }

  func update(_ arguments: [Column], count: Int) throws {
    let target = sums.values(Sum.self)
    var sum = target[0]
    var overflow = false
    if arguments[0].encoding == .flat && !arguments[0].mayHaveNulls {
      overflow = sum.add(flat: UnsafePointer(arguments[0].values(as: T.self)), count: count)
    } else {
      forEachValid(arguments[0], T.self, count) { _, value in
        if sum.add(value) { overflow = true }
      }
    }
    target[0] = sum
    if overflow { throw sumOverflow(result) }
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) throws {
    let mine = sums.values(Sum.self)
    let theirs = sameState(other, as: IntegerSumState<T, Sum>.self).sums.values(Sum.self)
    var overflow = false
    for row in 0..<count where mine[Int(target[row])].add(theirs[Int(source[row])]) {
      overflow = true
    }
    if overflow { throw sumOverflow(result) }
  }

  func finish(first: Int, count: Int) -> Column {
    if let divisor { return averages(first, count, divisor) }
    let source = sums.values(Sum.self) + first
    return resultColumn(result, count, zero: Int128(0)) { row in
      source[row].count == 0 ? nil : source[row].total
    }
  }

  func finish(_ wanted: SummedResult, first: Int, count: Int) -> Column {
    switch wanted {
    case .own: return finish(first: first, count: count)
    case .average: return averages(first, count, divisor ?? powerOfTen(scaleOf: result))
    case .count:
      let source = sums.values(Sum.self) + first
      return resultColumn(.bigint, count, zero: Int64(0)) { source[$0].count }
    }
  }

  private func averages(_ first: Int, _ count: Int, _ divisor: Double) -> Column {
    let source = sums.values(Sum.self) + first
    return resultColumn(.double, count, zero: 0.0) { row in
      let sum = source[row]
      return sum.count == 0 ? nil : Double(nearest: sum.total) / (Double(sum.count) * divisor)
    }
  }
}

private func sumOverflow(_ type: LogicalType) -> SQLError {
  SQLError(.outOfRange, "the sum is out of range for type \(type)")
}

/// What the whole numbers that a DECIMAL is stored as are divided by; 1 of other types.
func powerOfTen(scaleOf type: LogicalType) -> Double {
  guard case .decimal(_, let scale) = type else { return 1 }
  return (0..<scale).reduce(1.0) { power, _ in power * 10 }
}
