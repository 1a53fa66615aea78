import Columnar
import Diagnostics

/// `+` and `-` of TIMESTAMPTZ and TIMETZ. Months and days are those of the session's calendar, so
/// that a day may have 23 or 25 hours; hours and less are lengths of time.
enum ZonedArithmetic {
  static func instantAndInterval(
    _ instants: Column, _ intervals: Column, _ count: Int, negated: Bool
  ) throws -> Column {
    let x = ColumnReader<Int64>(instants)
    let y = ColumnReader<Interval>(intervals)
    var cursor = SessionTime.cursor
    return try Kernels.rows([instants, intervals], count, .timestampTZ, Int64.self) { row in
      let interval = y[row]
      guard let step = negated ? Calendar.negated(interval) : interval,
        let moved = add(step, to: x[row], &cursor)
      else { throw TemporalArithmetic.outOfRange(.timestampTZ) }
      return moved
    }
  }

  /// An instant moved by months and days of the zone's calendar and by a length of time: the length
  /// first where anything goes back, as DuckDB does. Nil out of range.
  static func add(
    _ interval: Interval, to instant: Int64, _ cursor: inout ZoneCursor
  ) -> Int64? {
    if !Calendar.isFinite(instant) { return instant }
    let date = Interval(months: interval.months, days: interval.days)
    if date == Interval() { return add(micros: interval.microseconds, to: instant) }
    let goesBack = interval.months < 0 || interval.days < 0 || interval.microseconds < 0
    let start = goesBack ? add(micros: interval.microseconds, to: instant) : instant
    guard let start, let local = cursor.local(start),
      let moved = Calendar.add(date, toTimestamp: local), let result = cursor.instant(moved)
    else { return nil }
    return goesBack ? result : add(micros: interval.microseconds, to: result)
  }

  private static func add(micros: Int64, to instant: Int64) -> Int64? {
    let (sum, overflows) = instant.addingReportingOverflow(micros)
    return overflows || !Calendar.isInRange(sum) ? nil : sum
  }

  /// Whole days of the calendar, and the length of time that is left.
  static func difference(_ a: Column, _ b: Column, _ count: Int) throws -> Column {
    let x = ColumnReader<Int64>(a)
    let y = ColumnReader<Int64>(b)
    var cursor = SessionTime.cursor
    return try Kernels.rows([a, b], count, .interval, Interval.self) { row in
      let (end, start) = (x[row], y[row])
      guard Calendar.isFinite(end), Calendar.isFinite(start) else {
        throw TemporalArithmetic.infiniteDifference()
      }
      guard let endClock = cursor.local(end), let startClock = cursor.local(start) else {
        throw TemporalArithmetic.outOfRange(.interval)
      }
      let (apart, overflows) = endClock.subtractingReportingOverflow(startClock)
      let days = apart / Calendar.microsecondsPerDay
      let whole = startClock &+ days &* Calendar.microsecondsPerDay
      guard !overflows, let near = cursor.instant(whole), let count = Int32(exactly: days) else {
        throw TemporalArithmetic.outOfRange(.interval)
      }
      return Interval(days: count, microseconds: end &- near)
    }
  }

  /// The time of day in the same zone; it wraps around midnight.
  static func timeAndInterval(
    _ times: Column, _ intervals: Column, _ count: Int, negated: Bool
  ) -> Column {
    let x = ColumnReader<UInt64>(times)
    let y = ColumnReader<Interval>(intervals)
    return Kernels.rows([times, intervals], count, .timeTZ, UInt64.self) { row in
      let day = Calendar.microsecondsPerDay
      let (time, offset) = ZonedTime.unpack(x[row])
      let step = y[row].microseconds % day
      let moved = (time &+ (negated ? 0 &- step : step)) % day
      return ZonedTime.pack(microseconds: moved < 0 ? moved &+ day : moved, offset: offset)
    }
  }

  static func dateAndTime(_ dates: Column, _ times: Column, _ count: Int) throws -> Column {
    let x = ColumnReader<Int32>(dates)
    let y = ColumnReader<UInt64>(times)
    return try Kernels.rows([dates, times], count, .timestampTZ, Int64.self) { row in
      guard
        let sum = Calendar.timestamp(
          days: x[row], microseconds: ZonedTime.instant(y[row]))
      else { throw TemporalArithmetic.outOfRange(.timestampTZ) }
      return sum
    }
  }
}
