import Columnar
import Diagnostics

/// The mean of values that are known by sums and counts of parts of them: sums are exact where the
/// parts' are.
final class PartAverageState: AggregateState {
  private struct Sum: BitwiseCopyable {
    var whole: Int128
    var floating: Double
    var count: Int64
  }

  private let isFloating: Bool
  private let divisor: Double
  private let sums = StateMemory(stride: MemoryLayout<Sum>.stride)

  /// `sums`: the type of the parts' sums; DOUBLE, HUGEINT or DECIMAL(38, s).
  init(sums type: LogicalType) {
    isFloating = type == .double
    divisor = powerOfTen(scaleOf: type)
  }

  var byteCount: Int { sums.byteCount }

  func resize(groups count: Int) { sums.resize(count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) throws {
    let target = sums.values(Sum.self)
    if isFloating {
      forEachValidPair(arguments[0], Double.self, arguments[1], Int64.self, count) {
        row, sum, count in
        let group = Int(groups[row])
        target[group].floating += sum
        target[group].count &+= count
      }
      return
    }
    var failed = false
    forEachValidPair(arguments[0], Int128.self, arguments[1], Int64.self, count) {
      row, sum, count in
      if Self.add(sum, count, to: &target[Int(groups[row])]) { failed = true }
    }
    if failed { throw Self.overflow }
  }

  func update(_ arguments: [Column], count: Int) throws {
    try withGroupZero(count) { try update(arguments, groups: $0, count: count) }
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) throws {
    let mine = sums.values(Sum.self)
    let theirs = sameState(other, as: PartAverageState.self).sums.values(Sum.self)
    var failed = false
    for row in 0..<count {
      let from = theirs[Int(source[row])]
      let to = Int(target[row])
      mine[to].floating += from.floating
      if Self.add(from.whole, from.count, to: &mine[to]) { failed = true }
    }
    if failed { throw Self.overflow }
  }

  func finish(first: Int, count: Int) -> Column {
    let source = sums.values(Sum.self) + first
    return resultColumn(.double, count, zero: 0.0) { row in
      let sum = source[row]
      if sum.count == 0 { return nil }
      let total = isFloating ? sum.floating : Double(nearest: sum.whole)
      return total / (Double(sum.count) * divisor)
    }
  }

  /// Whether the sum left its range.
  @inline(__always)
  private static func add(_ part: Int128, _ count: Int64, to sum: inout Sum) -> Bool {
    let (whole, overflow) = sum.whole.addingReportingOverflow(part)
    sum.whole = whole
    sum.count &+= count
    return overflow
  }

  private static var overflow: SQLError {
    SQLError(.outOfRange, "the sum behind an average is out of range")
  }
}
