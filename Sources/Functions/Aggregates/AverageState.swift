import Columnar
import Diagnostics

/// avg of moments, times and intervals, and decimal_average: whole sums, divided at the end.
final class AverageState: AggregateState {
  private struct Sum: BitwiseCopyable {
    /// Of an interval, the microseconds.
    var sum: Int128
    var months: Int64
    var days: Int64
    var count: Int64
  }

  private let result: LogicalType
  private let sums = StateMemory(stride: MemoryLayout<Sum>.stride)

  init(result: LogicalType) { self.result = result }

  var byteCount: Int { sums.byteCount }

  func resize(groups count: Int) { sums.resize(count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) throws {
    let column = arguments[0]
    switch column.type.physical {
    case .interval:
      let target = sums.values(Sum.self)
      forEachValid(column, Interval.self, count) { row, value in
        let group = Int(groups[row])
        target[group].sum &+= Int128(value.microseconds)
        target[group].months &+= Int64(value.months)
        target[group].days &+= Int64(value.days)
        target[group].count &+= 1
      }
    case .int16: try add(column, Int16.self, groups, count)
    case .int32: try add(column, Int32.self, groups, count)
    case .int64: try add(column, Int64.self, groups, count)
    case .uint64:
      let target = sums.values(Sum.self)
      forEachValid(column, UInt64.self, count) { row, bits in
        let group = Int(groups[row])
        target[group].sum &+= Int128(ZonedTime.instant(bits))
        target[group].count &+= 1
      }
    default: try add(column, Int128.self, groups, count)
    }
  }

  private func add<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ groups: UnsafePointer<UInt32>, _ count: Int
  ) throws {
    let target = sums.values(Sum.self)
    var failed = false
    forEachValid(column, T.self, count) { row, value in
      let group = Int(groups[row])
      let (sum, overflows) = target[group].sum.addingReportingOverflow(
        Int128(truncatingIfNeeded: value))
      failed = failed || overflows
      target[group].sum = sum
      target[group].count &+= 1
    }
    if failed { throw SQLError(.outOfRange, "the sum behind an average is out of range") }
  }

  func update(_ arguments: [Column], count: Int) throws {
    try withGroupZero(count) { try update(arguments, groups: $0, count: count) }
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) throws {
    let mine = sums.values(Sum.self)
    let theirs = sameState(other, as: AverageState.self).sums.values(Sum.self)
    for row in 0..<count {
      let from = theirs[Int(source[row])]
      let to = Int(target[row])
      let (sum, overflows) = mine[to].sum.addingReportingOverflow(from.sum)
      if overflows { throw SQLError(.outOfRange, "the sum behind an average is out of range") }
      mine[to].sum = sum
      mine[to].months &+= from.months
      mine[to].days &+= from.days
      mine[to].count &+= from.count
    }
  }

  func finish(first: Int, count: Int) throws -> Column {
    let source = sums.values(Sum.self) + first
    var builder = ColumnBuilder(result, capacity: max(count, 1))
    for row in 0..<count {
      let one = source[row]
      if one.count == 0 {
        builder.appendNull()
        continue
      }
      try builder.append(value(one))
    }
    return builder.finish()
  }

  private func value(_ one: Sum) -> Value {
    if result == .interval { return .interval(interval(one)) }
    // Half to even, as DuckDB rounds.
    let count = Int128(one.count)
    var (whole, rest) = one.sum.quotientAndRemainder(dividingBy: count)
    let twice = rest.magnitude * 2
    if twice > count.magnitude || (twice == count.magnitude && whole % 2 != 0) {
      whole += one.sum < 0 ? -1 : 1
      rest = 0
    }
    switch result {
    case .time: return .time(Int64(clamping: whole))
    case .timestamp, .timestampTZ: return .timestamp(Int64(clamping: whole))
    case .timeTZ: return .timeTZ(ZonedTime.pack(instantOfDay: Int64(clamping: whole)))
    default: return .decimal(whole)
    }
  }

  /// What is left of the months becomes days of thirty to a month, what is left of these hours.
  private func interval(_ one: Sum) -> Interval {
    let months = one.months / one.count
    let allDays = Int128(one.days) + Int128(one.months % one.count) * 30
    let days = allDays / Int128(one.count)
    let rest = one.sum + allDays % Int128(one.count) * Int128(Calendar.microsecondsPerDay)
    return Interval(
      months: Int32(clamping: months), days: Int32(clamping: days),
      microseconds: Int64(clamping: rest / Int128(one.count)))
  }
}
