import Columnar
import Diagnostics

/// Kernels of date_trunc, date_diff, date_sub, age and time_bucket over timestamps.
enum DateKernels {
  /// An era has no beginning in the calendar.
  static func checkTruncation(_ part: DatePart) throws {
    if part == .era { throw SQLError(.notSupported, "date_trunc does not go by eras") }
  }

  /// The beginning of the part that the moment lies in; nil out of range.
  static func truncated(_ timestamp: Int64, _ part: DatePart) throws -> Int64? {
    if !Calendar.isFinite(timestamp) { return timestamp }
    let (days, clock) = Calendar.split(timestamp)
    switch part {
    case .microsecond, .nanosecond: return timestamp
    case .millisecond, .second, .epoch, .minute, .hour:
      guard let unit = part.fixedMicroseconds else { return nil }
      return Calendar.timestamp(days: days, microseconds: clock - clock % unit)
    case .day, .dayofweek, .isodow, .dayofyear, .julian:
      return Calendar.timestamp(days: days, microseconds: 0)
    case .week, .yearweek:
      let monday = Int(days) - Calendar.isoDayOfWeek(days) + 1
      return Int32(exactly: monday).flatMap { Calendar.timestamp(days: $0, microseconds: 0) }
    case .isoyear:
      let iso = Calendar.isoWeek(days)
      let monday = Int(days) - Calendar.isoDayOfWeek(days) + 1 - (iso.week - 1) * 7
      return Int32(exactly: monday).flatMap { Calendar.timestamp(days: $0, microseconds: 0) }
    case .era, .timezone, .timezoneHour, .timezoneMinute: throw noUnit(part)
    case .month, .quarter, .year, .decade, .century, .millennium:
      let known: DayTable.Field? = part == .month ? .day : part == .year ? .dayOfYear : nil
      if let known, let place = DayTable.shared.value(known, of: days) {
        return Calendar.timestamp(
          days: days &- Int32(truncatingIfNeeded: place - 1), microseconds: 0)
      }
      let date = Calendar.civil(days)
      var year = date.year
      var month = 1
      switch part {
      case .month: month = date.month
      case .quarter: month = (date.month - 1) / 3 * 3 + 1
      case .decade: year = year / 10 * 10
      case .century: year = year / 100 * 100
      case .millennium: year = year / 1000 * 1000
      default: break
      }
      return Calendar.days(year: year, month: month, day: 1).flatMap {
        Calendar.timestamp(days: $0, microseconds: 0)
      }
    }
  }

  static func truncated(_ interval: Interval, _ part: DatePart) -> Interval? {
    if let months = part.months {
      let unit = Int32(months)
      return Interval(months: interval.months / unit * unit)
    }
    switch part {
    case .week, .yearweek: return Interval(months: interval.months, days: interval.days / 7 * 7)
    case .day, .dayofweek, .isodow, .dayofyear, .julian:
      return Interval(months: interval.months, days: interval.days)
    default:
      guard let unit = part.fixedMicroseconds else { return nil }
      return Interval(
        months: interval.months, days: interval.days,
        microseconds: interval.microseconds / unit * unit)
    }
  }

  /// How many boundaries of the part lie between: date_diff.
  static func boundaries(_ start: Int64, _ end: Int64, _ part: DatePart) throws -> Int64 {
    if !part.isLengthOfTime { throw noUnit(part) }
    let (startDays, _) = Calendar.split(start)
    let (endDays, _) = Calendar.split(end)
    if part == .isoyear {
      return Int64(Calendar.isoWeek(endDays).year - Calendar.isoWeek(startDays).year)
    }
    if let months = part.months {
      let table = DayTable.shared
      func index(_ days: Int32) -> Int {
        if let year = table.value(.year, of: days), let month = table.value(.month, of: days) {
          return months >= 12
            ? Int(year) / (months / 12) : (Int(year) * 12 + Int(month) - 1) / months
        }
        let date = Calendar.civil(days)
        // Cut towards year 0 on both sides of it, as date_trunc cuts decades.
        return months >= 12
          ? date.year / (months / 12) : (date.year * 12 + date.month - 1) / months
      }
      return Int64(index(endDays) - index(startDays))
    }
    if part == .week || part == .yearweek {
      // Whole weeks, not Mondays: as DuckDB 2 counts.
      return (Int64(endDays) - Int64(startDays)) / 7
    }
    let unit = Int(part.fixedMicroseconds ?? 1)
    return Int64(floored(Int(end), unit) &- floored(Int(start), unit))
  }

  /// How many whole parts lie between: date_sub.
  static func wholeParts(_ start: Int64, _ end: Int64, _ part: DatePart) throws -> Int64 {
    if !part.isLengthOfTime { throw noUnit(part) }
    if let months = part.months {
      return wholeMonths(start, end) / Int64(months)
    }
    let (difference, overflows) = end.subtractingReportingOverflow(start)
    return overflows ? 0 : difference / (part.fixedMicroseconds ?? 1)
  }

  /// boundaries of instants: hours and less are lengths of time between beginnings by the zone's
  /// clock, days and more are those of its calendar. Nil out of range.
  static func boundaries(
    _ start: Int64, _ end: Int64, _ part: DatePart, _ cursor: inout ZoneCursor
  ) throws -> Int64? {
    guard let first = cursor.local(start), let last = cursor.local(end) else { return nil }
    if part == .yearweek {
      // Mondays, of which 1969-12-29 was one; the weeks of others are whole ones.
      func week(_ moment: Int64) -> Int { floored(Int(Calendar.split(moment).days) + 3, 7) }
      return Int64(week(last) - week(first))
    }
    guard let unit = part.fixedMicroseconds, unit <= Calendar.microsecondsPerHour else {
      return try boundaries(first, last, part)
    }
    guard let begin = try truncated(first, part).flatMap({ cursor.instant($0) }),
      let stop = try truncated(last, part).flatMap({ cursor.instant($0) })
    else { return nil }
    let (difference, overflows) = stop.subtractingReportingOverflow(begin)
    return overflows ? nil : difference / unit
  }

  /// wholeParts of instants.
  static func wholeParts(
    _ start: Int64, _ end: Int64, _ part: DatePart, _ cursor: inout ZoneCursor
  ) throws -> Int64? {
    if let unit = part.fixedMicroseconds, unit <= Calendar.microsecondsPerHour {
      return try wholeParts(start, end, part)
    }
    guard let first = cursor.local(start), let last = cursor.local(end) else { return nil }
    return part == .isoyear ? wholeISOYears(first, last) : try wholeParts(first, last, part)
  }

  static func noUnit(_ part: DatePart) -> SQLError {
    SQLError(.invalidInput, "\(part.rawValue) is no length of time")
  }

  /// From a weekday of an ISO week to the same of later years. Those without a zone's calendar go by
  /// months instead, both as in DuckDB.
  private static func wholeISOYears(_ start: Int64, _ end: Int64) -> Int64 {
    if start > end { return -wholeISOYears(end, start) }
    func place(_ moment: Int64) -> (year: Int, within: Int64) {
      let (days, clock) = Calendar.split(moment)
      let iso = Calendar.isoWeek(days)
      let day = Int64(iso.week * 7 + Calendar.isoDayOfWeek(days))
      return (iso.year, day * Calendar.microsecondsPerDay + clock)
    }
    let (first, last) = (place(start), place(end))
    return Int64(last.year - first.year - (last.within < first.within ? 1 : 0))
  }

  private static func wholeMonths(_ start: Int64, _ end: Int64) -> Int64 {
    if start > end { return -wholeMonths(end, start) }
    let (startDays, startClock) = Calendar.split(start)
    let (endDays, endClock) = Calendar.split(end)
    let a = Calendar.civil(startDays)
    let b = Calendar.civil(endDays)
    var months = (b.year - a.year) * 12 + b.month - a.month
    // The last day of a shorter month completes the month, whatever day it began on.
    let isLast = b.day == Calendar.daysInMonth(b.year, b.month)
    if b.day < a.day && !isLast
      || (b.day == a.day || isLast && b.day < a.day) && endClock < startClock
    {
      months -= 1
    }
    return Int64(months)
  }

  /// Years, months and days from `start` to `end` as people count them: age(end, start).
  static func age(_ end: Int64, _ start: Int64) -> Interval? {
    // Both are finite.
    if end < start { return age(start, end).flatMap { Calendar.negated($0) } }
    let (startDays, startClock) = Calendar.split(start)
    let (endDays, endClock) = Calendar.split(end)
    let a = Calendar.civil(startDays)
    let b = Calendar.civil(endDays)
    var months = (b.year - a.year) * 12 + b.month - a.month
    var days = b.day - a.day
    var clock = endClock - startClock
    if clock < 0 {
      clock += Calendar.microsecondsPerDay
      days -= 1
    }
    if days < 0 {
      days += Calendar.daysInMonth(a.year, a.month)
      months -= 1
    }
    guard let whole = Int32(exactly: months) else { return nil }
    return Interval(months: whole, days: Int32(truncatingIfNeeded: days), microseconds: clock)
  }

  /// 2000-01-03 as a timestamp.
  static let firstMonday: Int64 = 946_857_600_000_000

  /// The beginning of the bucket of that width; buckets of months start at 2000-01-01, others at
  /// Monday 2000-01-03, as in DuckDB.
  static func bucket(
    _ width: Interval, _ timestamp: Int64, origin given: Int64? = nil
  ) throws -> Int64? {
    if !Calendar.isFinite(timestamp) { return timestamp }
    if width.months > 0 && width.days == 0 && width.microseconds == 0 {
      let date = Calendar.civil(Calendar.split(timestamp).days)
      let first = given.map { Calendar.civil(Calendar.split($0).days) }
      let zero = first.map { $0.year * 12 + $0.month - 1 } ?? 24_000
      let index = date.year * 12 + date.month - 1 - zero
      let start = floored(index, Int(width.months)) * Int(width.months) + zero
      return Calendar.days(
        year: floored(start, 12), month: start - floored(start, 12) * 12 + 1, day: 1
      )
      .flatMap { Calendar.timestamp(days: $0, microseconds: 0) }
    }
    let (dayPart, overflows) = Int64(width.days).multipliedReportingOverflow(
      by: Calendar.microsecondsPerDay)
    let (total, more) = dayPart.addingReportingOverflow(width.microseconds)
    guard width.months == 0, !overflows, !more, total > 0 else {
      throw SQLError(
        .invalidInput, "the width of a time bucket must be positive, months or days and time")
    }
    let origin: Int64 = given ?? firstMonday
    let (offset, under) = timestamp.subtractingReportingOverflow(origin)
    if under { return nil }
    let (start, below) = Int64(floored(Int(offset), Int(total))).multipliedReportingOverflow(
      by: total)
    if below { return nil }
    let (moved, beyond) = start.addingReportingOverflow(origin)
    return beyond ? nil : moved
  }

  @inline(__always)
  static func floored(_ value: Int, _ unit: Int) -> Int {
    let quotient = value / unit
    return value < 0 && quotient * unit != value ? quotient - 1 : quotient
  }
}
