import Columnar
import Diagnostics

/// What `extract`, `date_trunc` and `date_diff` are asked for.
package enum DatePart: String, Sendable, CaseIterable {
  case year, month, day, hour, minute, second, millisecond, microsecond, nanosecond
  case quarter, week, yearweek, isoyear, dayofweek, isodow, dayofyear
  case decade, century, millennium, epoch, era, julian
  case timezone, timezoneHour = "timezone_hour", timezoneMinute = "timezone_minute"

  /// The part of that name or abbreviation, whatever its case.
  package init?(named name: String) {
    switch name.lowercased() {
    case "year", "yr", "y", "years", "yrs": self = .year
    case "month", "mon", "months", "mons": self = .month
    case "day", "days", "d", "dayofmonth": self = .day
    case "hour", "hr", "hours", "hrs", "h": self = .hour
    case "minute", "min", "minutes", "mins", "m": self = .minute
    case "second", "sec", "seconds", "secs", "s": self = .second
    case "millisecond", "milliseconds", "ms", "msec", "msecs": self = .millisecond
    case "microsecond", "microseconds", "us", "usec", "usecs": self = .microsecond
    case "nanosecond", "nanoseconds", "ns", "nsec", "nsecs": self = .nanosecond
    case "quarter", "quarters": self = .quarter
    case "week", "weeks", "w", "weekofyear": self = .week
    case "yearweek": self = .yearweek
    case "isoyear", "weekyear": self = .isoyear
    case "dow", "dayofweek", "weekday": self = .dayofweek
    case "isodow": self = .isodow
    case "doy", "dayofyear": self = .dayofyear
    case "decade", "decades", "dec", "decs": self = .decade
    case "century", "centuries", "cent", "c": self = .century
    case "millennium", "millennia", "mil", "mils", "millenium": self = .millennium
    case "epoch": self = .epoch
    case "era": self = .era
    case "julian": self = .julian
    case "timezone": self = .timezone
    case "timezone_hour": self = .timezoneHour
    case "timezone_minute": self = .timezoneMinute
    default: return nil
    }
  }

  /// The function of one argument that gives the part: with a constant part, the binder should
  /// call this instead of `date_part`, since `epoch` and `julian` are DOUBLE.
  package var functionName: String { rawValue }

  /// `.invalidInput` error for a name that is no part.
  static func named(_ bytes: UnsafeBufferPointer<UInt8>) throws -> DatePart {
    let name = String(decoding: bytes, as: UTF8.self)
    guard let part = DatePart(named: name) else {
      throw SQLError(
        .invalidInput, "there is no date part '\(name)'",
        hint: didYouMean(name.lowercased(), among: allCases.map(\.rawValue)))
    }
    return part
  }

  /// The part of a moment given as its day and the microseconds since midnight.
  @inline(__always)
  func value(_ days: Int32, _ clock: Int64) -> Int64 {
    switch self {
    case .year: Int64(Calendar.civil(days).year)
    case .month: Int64(Calendar.civil(days).month)
    case .day: Int64(Calendar.civil(days).day)
    case .hour: clock / Calendar.microsecondsPerHour
    case .minute: clock / Calendar.microsecondsPerMinute % 60
    case .second: clock / Calendar.microsecondsPerSecond % 60
    case .millisecond: clock % Calendar.microsecondsPerMinute / 1000
    case .microsecond: clock % Calendar.microsecondsPerMinute
    case .nanosecond: clock % Calendar.microsecondsPerMinute * 1000
    case .quarter: Int64((Calendar.civil(days).month - 1) / 3 + 1)
    case .week: Int64(Calendar.isoWeek(days).week)
    case .yearweek: DatePart.yearWeek(Calendar.isoWeek(days))
    case .isoyear: Int64(Calendar.isoWeek(days).year)
    case .dayofweek: Int64(Calendar.dayOfWeek(days))
    case .isodow: Int64(Calendar.isoDayOfWeek(days))
    case .dayofyear: Int64(Calendar.dayOfYear(days))
    case .decade: Int64(Calendar.civil(days).year / 10)
    case .century: DatePart.period(Calendar.civil(days).year, 100)
    case .millennium: DatePart.period(Calendar.civil(days).year, 1000)
    case .epoch: Int64(days) * 86_400 + clock / Calendar.microsecondsPerSecond
    case .era: Calendar.civil(days).year > 0 ? 1 : 0
    case .julian: Int64(days) + 2_440_588
    case .timezone, .timezoneHour, .timezoneMinute: 0
    }
  }

  /// The part of an instant as the zone's clocks show it; nil of an infinite one.
  @inline(__always)
  func value(instant: Int64, _ cursor: inout ZoneCursor) -> Int64? {
    guard Calendar.isFinite(instant), let local = cursor.local(instant) else { return nil }
    switch self {
    case .timezone, .timezoneHour, .timezoneMinute:
      return value(offset: Int(cursor.offset(at: instant) / 1_000_000))
    case .epoch:
      let (days, clock) = Calendar.split(instant)
      return value(days, clock)
    default:
      let (days, clock) = Calendar.split(local)
      return value(days, clock)
    }
  }

  /// The part of a time with a zone.
  @inline(__always)
  func value(timeTZ bits: UInt64) -> Int64 {
    let (clock, offset) = ZonedTime.unpack(bits)
    return isOfZone ? value(offset: offset) : value(0, clock)
  }

  var isOfZone: Bool {
    self == .timezone || self == .timezoneHour || self == .timezoneMinute
  }

  /// A part of the time of day.
  var isOfClock: Bool {
    switch self {
    case .hour, .minute, .second, .millisecond, .microsecond, .nanosecond, .epoch: true
    default: false
    }
  }

  /// Whether values of the type have the part: a time has no year, a date no zone.
  func isPart(of type: LogicalType) -> Bool {
    switch type {
    case .time, .timeTZ: isOfClock || isOfZone
    case .date: !isOfZone
    case .interval: value(Interval()) != nil
    default: true
    }
  }

  /// `.notSupported` error for a part that values of the type do not have.
  func check(of type: LogicalType) throws {
    if !isPart(of: type) {
      throw SQLError(.notSupported, "a value of type \(type) has no \(rawValue)")
    }
  }

  /// Neither the parts of a zone nor eras can be counted between two moments.
  var isLengthOfTime: Bool { !isOfZone && self != .era }

  private func value(offset: Int) -> Int64 {
    switch self {
    case .timezoneHour: Int64(offset / 3600)
    case .timezoneMinute: Int64(offset / 60 % 60)
    default: Int64(offset)
    }
  }

  private static func yearWeek(_ iso: (year: Int, week: Int)) -> Int64 {
    Int64(iso.year * 100 + (iso.year > 0 ? iso.week : -iso.week))
  }

  private static func period(_ year: Int, _ length: Int) -> Int64 {
    Int64(year > 0 ? (year - 1) / length + 1 : year / length - 1)
  }

  /// The part of an interval, which has months, days and microseconds only.
  func value(_ interval: Interval) -> Int64? {
    let months = Int64(interval.months)
    let clock = interval.microseconds
    switch self {
    case .year: return months / 12
    case .month: return months % 12
    case .day: return Int64(interval.days)
    case .quarter: return months % 12 / 3 + 1
    case .decade: return months / 120
    case .century: return months / 1200
    case .millennium: return months / 12_000
    case .hour: return clock / Calendar.microsecondsPerHour
    case .minute: return clock / Calendar.microsecondsPerMinute % 60
    case .second: return clock / Calendar.microsecondsPerSecond % 60
    case .millisecond: return clock % Calendar.microsecondsPerMinute / 1000
    case .microsecond: return clock % Calendar.microsecondsPerMinute
    case .nanosecond: return clock % Calendar.microsecondsPerMinute * 1000
    case .epoch: return Int64(DatePart.seconds(interval))
    case .week, .yearweek, .isoyear, .dayofweek, .isodow, .dayofyear, .era, .julian, .timezone,
      .timezoneHour, .timezoneMinute:
      return nil
    }
  }

  /// Microseconds of an interval of 30-day months; nil beyond BIGINT.
  static func microseconds(_ interval: Interval) -> Int64? {
    let days = Int128(interval.months) * 30 + Int128(interval.days)
    return Int64(
      exactly: days * Int128(Calendar.microsecondsPerDay) + Int128(interval.microseconds))
  }

  /// Seconds of an interval: 365.25 days a year, 30 days for the months beyond.
  static func seconds(_ interval: Interval) -> Double {
    let years = Double(interval.months / 12)
    let months = Double(interval.months % 12)
    let days = years * 365.25 + months * 30 + Double(interval.days)
    return days * 86_400 + Double(interval.microseconds) / 1e6
  }

  /// The microseconds of a part of fixed length up to a week.
  var fixedMicroseconds: Int64? {
    switch self {
    case .microsecond, .nanosecond: 1
    case .millisecond: 1000
    case .second, .epoch: Calendar.microsecondsPerSecond
    case .minute: Calendar.microsecondsPerMinute
    case .hour: Calendar.microsecondsPerHour
    case .day, .dayofweek, .isodow, .dayofyear, .julian: Calendar.microsecondsPerDay
    case .week, .yearweek: Calendar.microsecondsPerDay * 7
    case .year, .month, .quarter, .isoyear, .decade, .century, .millennium, .era, .timezone,
      .timezoneHour, .timezoneMinute:
      nil
    }
  }

  /// The months of a part that is made of months.
  var months: Int? {
    switch self {
    case .month: 1
    case .quarter: 3
    case .year, .isoyear: 12
    case .decade: 120
    case .century: 1200
    case .millennium: 12_000
    default: nil
    }
  }
}
