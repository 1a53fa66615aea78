import Columnar
import Diagnostics

/// Kernels of `+ - * /` on dates, times, timestamps and intervals. Results that do not fit their
/// type are `.outOfRange` errors.
enum TemporalArithmetic {
  static func dateAndDays(_ date: Column, _ days: Column, _ count: Int, sign: Int32) throws
    -> Column
  {
    let x = ColumnReader<Int32>(date)
    let y = ColumnReader<Int32>(days)
    return try Kernels.rows([date, days], count, .date, Int32.self) { row in
      let (sum, overflows) =
        sign > 0
        ? x[row].addingReportingOverflow(y[row]) : x[row].subtractingReportingOverflow(y[row])
      if !Calendar.isFinite(x[row]) { return x[row] }
      if overflows || !Calendar.isFinite(sum) { throw outOfRange(.date) }
      return sum
    }
  }

  static func dateMinusDate(_ a: Column, _ b: Column, _ count: Int) -> Column {
    Kernels.binary(a, b, count, .bigint, Int32.self, Int32.self, Int64.self) {
      Int64($0) &- Int64($1)
    }
  }

  static func dateAndInterval(_ date: Column, _ interval: Column, _ count: Int, negated: Bool)
    throws -> Column
  {
    let x = ColumnReader<Int32>(date)
    let y = ColumnReader<Interval>(interval)
    return try Kernels.rows([date, interval], count, .timestamp, Int64.self) { row in
      guard let step = signed(y[row], negated), let sum = Calendar.add(step, toDate: x[row]) else {
        throw outOfRange(.timestamp)
      }
      return sum
    }
  }

  static func timestampAndInterval(
    _ timestamp: Column, _ interval: Column, _ count: Int, negated: Bool
  ) throws -> Column {
    let x = ColumnReader<Int64>(timestamp)
    let y = ColumnReader<Interval>(interval)
    return try Kernels.rows([timestamp, interval], count, .timestamp, Int64.self) { row in
      guard let step = signed(y[row], negated),
        let sum = Calendar.add(step, toTimestamp: x[row])
      else { throw outOfRange(.timestamp) }
      return sum
    }
  }

  /// A time of day wraps around midnight; months and days of the interval do not matter.
  static func timeAndInterval(_ time: Column, _ interval: Column, _ count: Int, negated: Bool)
    -> Column
  {
    let x = ColumnReader<Int64>(time)
    let y = ColumnReader<Interval>(interval)
    return Kernels.rows([time, interval], count, .time, Int64.self) { row in
      let day = Calendar.microsecondsPerDay
      let step = y[row].microseconds % day
      let moved = (x[row] &+ (negated ? 0 &- step : step)) % day
      return moved < 0 ? moved &+ day : moved
    }
  }

  static func dateAndTime(_ date: Column, _ time: Column, _ count: Int) throws -> Column {
    let x = ColumnReader<Int32>(date)
    let y = ColumnReader<Int64>(time)
    return try Kernels.rows([date, time], count, .timestamp, Int64.self) { row in
      guard let sum = Calendar.timestamp(days: x[row], microseconds: y[row]) else {
        throw outOfRange(.timestamp)
      }
      return sum
    }
  }

  /// Days and microseconds, no months.
  static func timestampMinusTimestamp(_ a: Column, _ b: Column, _ count: Int) throws -> Column {
    let x = ColumnReader<Int64>(a)
    let y = ColumnReader<Int64>(b)
    return try Kernels.rows([a, b], count, .interval, Interval.self) { row in
      guard Calendar.isFinite(x[row]), Calendar.isFinite(y[row]) else {
        throw infiniteDifference()
      }
      let (difference, overflows) = x[row].subtractingReportingOverflow(y[row])
      let days = difference / Calendar.microsecondsPerDay
      guard !overflows, let whole = Int32(exactly: days) else { throw outOfRange(.interval) }
      return Interval(days: whole, microseconds: difference % Calendar.microsecondsPerDay)
    }
  }

  static func intervals(_ a: Column, _ b: Column, _ count: Int, negated: Bool) throws -> Column {
    let x = ColumnReader<Interval>(a)
    let y = ColumnReader<Interval>(b)
    return try Kernels.rows([a, b], count, .interval, Interval.self) { row in
      guard let other = signed(y[row], negated) else { throw outOfRange(.interval) }
      let months = x[row].months.addingReportingOverflow(other.months)
      let days = x[row].days.addingReportingOverflow(other.days)
      let rest = x[row].microseconds.addingReportingOverflow(other.microseconds)
      if months.overflow || days.overflow || rest.overflow { throw outOfRange(.interval) }
      return Interval(
        months: months.partialValue, days: days.partialValue, microseconds: rest.partialValue)
    }
  }

  static func intervalTimesInteger(_ interval: Column, _ factor: Column, _ count: Int) throws
    -> Column
  {
    let x = ColumnReader<Interval>(interval)
    let y = ColumnReader<Int64>(factor)
    return try Kernels.rows([interval, factor], count, .interval, Interval.self) { row in
      let months = Int64(x[row].months).multipliedReportingOverflow(by: y[row])
      let days = Int64(x[row].days).multipliedReportingOverflow(by: y[row])
      let rest = x[row].microseconds.multipliedReportingOverflow(by: y[row])
      guard !months.overflow, !days.overflow, !rest.overflow,
        let wholeMonths = Int32(exactly: months.partialValue),
        let wholeDays = Int32(exactly: days.partialValue)
      else { throw outOfRange(.interval) }
      return Interval(
        months: wholeMonths, days: wholeDays, microseconds: rest.partialValue)
    }
  }

  /// Fractions of months become 30-day days, fractions of days microseconds.
  static func intervalTimesDouble(
    _ interval: Column, _ factor: Column, _ count: Int, divide: Bool
  ) throws -> Column {
    let x = ColumnReader<Interval>(interval)
    let y = ColumnReader<Double>(factor)
    return try Kernels.nullableRows([interval, factor], count, .interval, Interval.self) { row in
      if divide && y[row] == 0 { return nil }
      let by = divide ? 1 / y[row] : y[row]
      let months = scaled(Double(x[row].months), by, divide ? y[row] : nil)
      let wholeMonths = months.rounded(.towardZero)
      let days =
        scaled(Double(x[row].days), by, divide ? y[row] : nil) + (months - wholeMonths) * 30
      let wholeDays = days.rounded(.towardZero)
      let rest =
        scaled(Double(x[row].microseconds), by, divide ? y[row] : nil)
        + ((days - wholeDays) * Double(Calendar.microsecondsPerDay)).rounded()
      guard let m = Int32(exactly: wholeMonths), let d = Int32(exactly: wholeDays),
        let u = Int64(exactly: rest.rounded())
      else { throw outOfRange(.interval) }
      return Interval(months: m, days: d, microseconds: u)
    }
  }

  @inline(__always)
  private static func scaled(_ value: Double, _ factor: Double, _ divisor: Double?) -> Double {
    if let divisor { return value / divisor }
    return value * factor
  }

  @inline(__always)
  private static func signed(_ interval: Interval, _ negated: Bool) -> Interval? {
    negated ? Calendar.negated(interval) : interval
  }

  static func infiniteDifference() -> SQLError {
    SQLError(.invalidInput, "infinite timestamps have no difference")
  }

  static func outOfRange(_ type: LogicalType) -> SQLError {
    SQLError(.outOfRange, "the result is out of range for \(type)")
  }
}
