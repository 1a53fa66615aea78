/// A day by year, month and day of the proleptic Gregorian calendar; year 0 is 1 BC.
@frozen
@usableFromInline package struct CivilDate: Hashable, Sendable, BitwiseCopyable {
  @usableFromInline package var year: Int
  /// 1 to 12.
  @usableFromInline package var month: Int
  /// 1 to 31.
  @usableFromInline package var day: Int

  @inlinable
  package init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }
}

/// Dates are days and timestamps microseconds since 1970-01-01, in the proleptic Gregorian
/// calendar. Whatever does not fit its type gives nil, never a trap.
/// The conversions are Howard Hinnant's (chrono-Compatible Low-Level Date Algorithms), and for dates
/// of the usual range Cassio Neri's and Lorenz Schneider's (Euclidean affine functions and their
/// application to calendar algorithms, 2022), which needs no long division.
@usableFromInline package enum Calendar {
  @inlinable package static var microsecondsPerSecond: Int64 { 1_000_000 }
  @inlinable package static var microsecondsPerMinute: Int64 { 60_000_000 }
  @inlinable package static var microsecondsPerHour: Int64 { 3_600_000_000 }
  @inlinable package static var microsecondsPerDay: Int64 { 86_400_000_000 }

  @inlinable
  package static func isLeapYear(_ year: Int) -> Bool {
    year & 3 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  /// 28 to 31; `month` is 1 to 12.
  @inlinable
  package static func daysInMonth(_ year: Int, _ month: Int) -> Int {
    if month == 2 { return isLeapYear(year) ? 29 : 28 }
    return 30 + ((month ^ (month >> 3)) & 1)
  }

  /// The day number of a date that exists; years must stay within ±2^40.
  @inlinable
  package static func dayNumber(year: Int, month: Int, day: Int) -> Int {
    let shifted = month <= 2 ? year &- 1 : year
    let era = (shifted >= 0 ? shifted : shifted &- 399) / 400
    let yearOfEra = shifted &- era &* 400
    let monthFromMarch = month > 2 ? month &- 3 : month &+ 9
    let dayOfYear = (153 &* monthFromMarch &+ 2) / 5 &+ day &- 1
    let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
    return era &* 146_097 &+ dayOfEra &- 719_468
  }

  /// Days since 1970-01-01; nil when there is no such day or a DATE cannot hold it.
  @inlinable
  package static func days(year: Int, month: Int, day: Int) -> Int32? {
    guard month >= 1, month <= 12, day >= 1, year >= -6_000_000, year <= 6_000_000,
      day <= daysInMonth(year, month)
    else { return nil }
    let number = dayNumber(year: year, month: month, day: day)
    return number < Int(Int32.max) && number > 0 &- Int(Int32.max) ? Int32(number) : nil
  }

  /// The date of a day number.
  @inlinable
  package static func civil(_ days: Int32) -> CivilDate {
    // Days since 0000-03-01, moved by 3669 times 400 years; about 1.4 million years either way.
    let moved = UInt32(bitPattern: days &+ 719_468 &+ 146_097 &* 3669)
    if moved >= 1 << 30 { return farCivil(days) }
    let quarters = moved &* 4 &+ 3
    let century = quarters / 146_097
    let dayOfCentury = quarters % 146_097 / 4
    let product = UInt64(dayOfCentury &* 4 &+ 3) &* 2_939_745
    let yearOfCentury = UInt32(truncatingIfNeeded: product >> 32)
    let dayOfYear = UInt32(truncatingIfNeeded: product) / 2_939_745 / 4
    let scaled = dayOfYear &* 2141 &+ 197_913
    // From 3, March; January and February belong to the year that has begun before them.
    let month = scaled >> 16
    let isNextYear = dayOfYear >= 306
    return CivilDate(
      year: Int(century &* 100 &+ yearOfCentury) &- 400 &* 3669 &+ (isNextYear ? 1 : 0),
      month: Int(isNextYear ? month &- 12 : month), day: Int((scaled & 0xFFFF) / 2141) &+ 1)
  }

  @usableFromInline
  static func farCivil(_ days: Int32) -> CivilDate {
    let shifted = Int(days) &+ 719_468
    let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
    let dayOfEra = UInt32(truncatingIfNeeded: shifted &- era &* 146_097)
    let yearOfEra =
      (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
    let monthFromMarch = (5 &* dayOfYear &+ 2) / 153
    let day = Int(dayOfYear &- (153 &* monthFromMarch &+ 2) / 5) &+ 1
    let month = Int(monthFromMarch < 10 ? monthFromMarch &+ 3 : monthFromMarch &- 9)
    let year = Int(yearOfEra) &+ era &* 400 &+ (month <= 2 ? 1 : 0)
    return CivilDate(year: year, month: month, day: day)
  }

  /// 0 is Sunday, 6 Saturday.
  @inlinable
  package static func dayOfWeek(_ days: Int32) -> Int {
    let rest = (Int(days) &+ 4) % 7
    return rest < 0 ? rest &+ 7 : rest
  }

  /// 1 is Monday, 7 Sunday.
  @inlinable
  package static func isoDayOfWeek(_ days: Int32) -> Int {
    let day = dayOfWeek(days)
    return day == 0 ? 7 : day
  }

  /// 1 to 366.
  @inlinable
  package static func dayOfYear(_ days: Int32) -> Int {
    Int(days) &- dayNumber(year: civil(days).year, month: 1, day: 1) &+ 1
  }

  /// The ISO 8601 week, 1 to 53, and the year that it belongs to: that of its Thursday.
  @inlinable
  package static func isoWeek(_ days: Int32) -> (year: Int, week: Int) {
    let thursday = Int(days) &- isoDayOfWeek(days) &+ 4
    let clamped = Int32(clamping: thursday)
    let year = civil(clamped).year
    return (year, (thursday &- dayNumber(year: year, month: 1, day: 1)) / 7 &+ 1)
  }

  /// The last day of the day's month.
  @inlinable
  package static func lastDayOfMonth(_ days: Int32) -> Int32? {
    let date = civil(days)
    return Int32(exactly: Int(days) &+ daysInMonth(date.year, date.month) &- date.day)
  }

  // MARK: Infinity

  /// `infinity` is the largest value of the type, `-infinity` its negation.
  @inlinable
  package static func isFinite<T: SignedInteger & FixedWidthInteger>(_ value: T) -> Bool {
    value != .max && value != 0 &- T.max
  }

  /// The first microsecond of the first day that a TIMESTAMP holds whole, 290309-12-22 (BC).
  @inlinable package static var firstTimestamp: Int64 { -9_223_372_022_400_000_000 }

  /// Whether a TIMESTAMP may be that and finite.
  @inlinable
  package static func isInRange(_ timestamp: Int64) -> Bool {
    timestamp >= firstTimestamp && timestamp != .max
  }

  /// A timestamp in a coarser unit, rounded half away from zero; infinite ones stay so.
  @inlinable
  package static func rounded(_ value: Int64, by factor: Int64) -> Int64 {
    if !isFinite(value) { return value }
    let whole = value / factor
    let rest = value &- whole &* factor
    let half = factor / 2
    if rest >= half && half > 0 { return whole &+ 1 }
    return rest <= 0 &- half && half > 0 ? whole &- 1 : whole
  }

  // MARK: Timestamps

  /// The day and the microseconds since its midnight, also before 1970.
  @inlinable
  package static func split(_ timestamp: Int64) -> (days: Int32, microseconds: Int64) {
    var days = timestamp / microsecondsPerDay
    var rest = timestamp &- days &* microsecondsPerDay
    if rest < 0 {
      rest &+= microsecondsPerDay
      days &-= 1
    }
    return (Int32(truncatingIfNeeded: days), rest)
  }

  /// The day of a timestamp; an infinite one's is infinite.
  @inlinable
  package static func day(of timestamp: Int64) -> Int32 {
    if isFinite(timestamp) { return split(timestamp).days }
    return timestamp > 0 ? .max : 0 &- .max
  }

  /// Nil beyond the years that 64 bits of microseconds reach (290309 BC to 294247). An infinite date
  /// is an infinite timestamp.
  @inlinable
  package static func timestamp(days: Int32, microseconds: Int64) -> Int64? {
    let (midnight, overflows) = Int64(days).multipliedReportingOverflow(by: microsecondsPerDay)
    if overflows {
      if isFinite(days) { return nil }
      return days > 0 ? .max : 0 &- .max
    }
    let (sum, exceeds) = midnight.addingReportingOverflow(microseconds)
    return exceeds || !isInRange(sum) ? nil : sum
  }

  /// Microseconds since midnight of a clock time; 24:00:00 is the only one past 23:59:59.999999.
  @inlinable
  package static func clock(
    hour: Int, minute: Int, second: Int, microsecond: Int = 0
  ) -> Int64? {
    guard hour >= 0, minute >= 0, minute < 60, second >= 0, second < 60, microsecond >= 0,
      microsecond < 1_000_000,
      hour < 24 || (hour == 24 && minute == 0 && second == 0 && microsecond == 0)
    else { return nil }
    return Int64((hour &* 60 &+ minute) &* 60 &+ second) &* 1_000_000 &+ Int64(microsecond)
  }

  /// Hour, minute, second and microsecond of a time of day.
  @inlinable
  package static func clockParts(
    _ microseconds: Int64
  ) -> (hour: Int, minute: Int, second: Int, microsecond: Int) {
    let seconds = Int(microseconds / 1_000_000)
    let fraction = Int(microseconds) &- seconds &* 1_000_000
    return (seconds / 3600, seconds / 60 % 60, seconds % 60, fraction)
  }

  // MARK: Intervals

  /// The same day of another month, or that month's last day when it is shorter.
  @inlinable
  package static func addMonths(_ days: Int32, _ months: Int) -> Int32? {
    let date = civil(days)
    let total = date.year &* 12 &+ date.month &- 1 &+ months
    let year = (total >= 0 ? total : total &- 11) / 12
    let month = total &- year &* 12 &+ 1
    return Calendar.days(year: year, month: month, day: min(date.day, daysInMonth(year, month)))
  }

  /// A timestamp moved by an interval: months first, then days, then microseconds.
  @inlinable
  package static func add(_ interval: Interval, toTimestamp timestamp: Int64) -> Int64? {
    if !isFinite(timestamp) { return timestamp }
    var result = timestamp
    if interval.months != 0 {
      let parts = split(timestamp)
      guard let moved = addMonths(parts.days, Int(interval.months)),
        let whole = Calendar.timestamp(days: moved, microseconds: parts.microseconds)
      else { return nil }
      result = whole
    }
    let length = Int64(interval.days).multipliedReportingOverflow(by: microsecondsPerDay)
    let byDays = result.addingReportingOverflow(length.partialValue)
    if length.overflow || byDays.overflow { return nil }
    let sum = byDays.partialValue.addingReportingOverflow(interval.microseconds)
    return sum.overflow || !isInRange(sum.partialValue) ? nil : sum.partialValue
  }

  /// Midnight of a date moved by an interval: a timestamp, as DATE + INTERVAL is one.
  @inlinable
  package static func add(_ interval: Interval, toDate days: Int32) -> Int64? {
    guard let midnight = timestamp(days: days, microseconds: 0) else { return nil }
    return add(interval, toTimestamp: midnight)
  }

  /// The interval turned round; nil when a part is the smallest of its type.
  @inlinable
  package static func negated(_ interval: Interval) -> Interval? {
    guard interval.months != .min, interval.days != .min, interval.microseconds != .min else {
      return nil
    }
    return Interval(
      months: -interval.months, days: -interval.days, microseconds: -interval.microseconds)
  }
}
