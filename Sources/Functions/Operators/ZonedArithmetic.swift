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
    var result = goesBack ? add(micros: interval.microseconds, to: instant) : instant
    if interval.months != 0 {
      result = result.flatMap { cursor.local($0) }
        .flatMap { Calendar.add(Interval(months: interval.months), toTimestamp: $0) }
        .flatMap { cursor.instant($0) }
    }
    if interval.days != 0 {
      result = result.flatMap { add(days: Int64(interval.days), to: $0, &cursor) }
    }
    return goesBack ? result : result.flatMap { add(micros: interval.microseconds, to: $0) }
  }

  /// The same time of another day; where clocks show it twice, the one with the offset of before
  /// (as ICU's Calendar.add).
  private static func add(
    days: Int64, to instant: Int64, _ cursor: inout ZoneCursor
  ) -> Int64? {
    let (length, overflows) = days.multipliedReportingOverflow(by: Calendar.microsecondsPerDay)
    guard !overflows, let clock = cursor.local(instant),
      let moved = add(micros: length, to: instant),
      let shown = cursor.local(moved)
    else { return nil }
    let wanted = Calendar.split(clock).microseconds
    if Calendar.split(shown).microseconds == wanted { return moved }
    let shift = cursor.offset(at: instant) &- cursor.offset(at: moved)
    guard let shifted = add(micros: shift % Calendar.microsecondsPerDay, to: moved),
      let again = cursor.local(shifted)
    else { return nil }
    // A time that the clocks skip is as much later as they skip.
    return Calendar.split(again).microseconds != wanted && shift < 0 ? moved : shifted
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
      var days = apart / Calendar.microsecondsPerDay
      guard !overflows, var near = add(days: days, to: start, &cursor) else {
        throw TemporalArithmetic.outOfRange(.interval)
      }
      // A time shown twice may be the later one.
      if days != 0, end >= start ? near > end : near < end {
        days -= days.signum()
        near = add(days: days, to: start, &cursor) ?? near
      }
      // Where a zone repeated a day, clocks are a day apart less than time is.
      if (end &- near).magnitude >= UInt64(Calendar.microsecondsPerDay) {
        let more = days &+ (end >= start ? 1 : -1)
        if let next = add(days: more, to: start, &cursor), end >= start ? next <= end : next >= end
        {
          (days, near) = (more, next)
        }
      }
      guard let count = Int32(exactly: days) else {
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
