extension TextParsing {
  /// An INTERVAL: amounts with units (`1 year 2 months`, `1.5 days`, `3h`), a clock time with a
  /// sign, `ago` at the end to turn all round. Fractions go down to days and microseconds.
  package static func interval(_ text: Text) -> Interval? {
    guard var cursor = TextCursor(text) else { return nil }
    var sum = IntervalSum()
    cursor.skipSpaces()
    if cursor.take(0x40) { cursor.skipSpaces() }
    var isEmpty = true
    while !cursor.isAtEnd {
      if !isEmpty, equalsIgnoringCase(word(&cursor), "ago") {
        cursor.skipSpaces()
        guard cursor.isAtEnd, let total = sum.interval else { return nil }
        return Calendar.negated(total)
      }
      guard amount(&cursor, into: &sum, isOnly: isEmpty) else { return nil }
      isEmpty = false
      cursor.skipSpaces()
    }
    return isEmpty ? nil : sum.interval
  }

  /// One `[-]number unit` or `[-]hh:mm[:ss[.f]]`; a bare number alone means seconds.
  private static func amount(
    _ cursor: inout TextCursor, into sum: inout IntervalSum, isOnly: Bool
  ) -> Bool {
    let isNegative = cursor.take(0x2D)
    guard let whole = cursor.number(atMost: 18) else { return false }
    let sign: Int64 = isNegative ? -1 : 1
    if cursor.take(0x3A) {
      guard let time = clock(hours: whole, &cursor) else { return false }
      return sum.add(microseconds: sign * time)
    }
    var fraction: Int64 = 0
    if cursor.take(0x2E) {
      let start = cursor.position
      fraction = Int64(cursor.number(atMost: 6) ?? 0)
      for _ in (cursor.position - start)..<6 { fraction *= 10 }
      while cursor.peek &- 0x30 <= 9 { cursor.position += 1 }
    }
    cursor.skipSpaces()
    if cursor.isAtEnd {
      return isOnly && sum.add(Int64(whole), fraction, sign, of: .second)
    }
    guard let unit = IntervalUnit(word(&cursor)) else { return false }
    return sum.add(Int64(whole), fraction, sign, of: unit)
  }

  /// The minutes and seconds after `hours:`.
  private static func clock(hours: Int, _ cursor: inout TextCursor) -> Int64? {
    guard hours <= 2_000_000_000, let minute = cursor.number(atMost: 2), minute < 60 else {
      return nil
    }
    var total = Int64(hours * 60 + minute) * Calendar.microsecondsPerMinute
    if cursor.take(0x3A) {
      guard let second = cursor.number(atMost: 2), second < 60 else { return nil }
      var fraction: Int64 = 0
      if cursor.take(0x2E) {
        let start = cursor.position
        fraction = Int64(cursor.number(atMost: 6) ?? 0)
        for _ in (cursor.position - start)..<6 { fraction *= 10 }
        while cursor.peek &- 0x30 <= 9 { cursor.position += 1 }
      }
      total += Int64(second) * Calendar.microsecondsPerSecond + fraction
    }
    return total
  }

  /// The letters at the cursor.
  private static func word(_ cursor: inout TextCursor) -> Text {
    let start = cursor.position
    var end = start
    while end < cursor.count {
      let letter = cursor.bytes[end] | 0x20
      if letter < 0x61 || letter > 0x7A { break }
      end += 1
    }
    cursor.position = end
    return Text(start: cursor.bytes + start, count: end - start)
  }
}

/// What an amount of an INTERVAL counts. The names of the functions over dates too.
package enum IntervalUnit: String, Sendable, CaseIterable {
  case millennium, century, decade, year, quarter, month, week, day, hour, minute, second
  case millisecond, microsecond

  /// The unit of a name or an abbreviation, in any case, singular or plural.
  package init?(_ word: UnsafeBufferPointer<UInt8>) {
    switch String(decoding: word, as: UTF8.self).lowercased() {
    case "millennium", "millennia", "millenniums", "mil", "mils": self = .millennium
    case "century", "centuries", "cent", "c": self = .century
    case "decade", "decades", "dec", "decs": self = .decade
    case "year", "years", "yr", "yrs", "y": self = .year
    case "quarter", "quarters": self = .quarter
    case "month", "months", "mon", "mons": self = .month
    case "week", "weeks", "w": self = .week
    case "day", "days", "d", "dayofmonth": self = .day
    case "hour", "hours", "hr", "hrs", "h": self = .hour
    case "minute", "minutes", "min", "mins", "m": self = .minute
    case "second", "seconds", "sec", "secs", "s": self = .second
    case "millisecond", "milliseconds", "ms", "msec", "msecs": self = .millisecond
    case "microsecond", "microseconds", "us", "usec", "usecs": self = .microsecond
    default: return nil
    }
  }

  /// How many months, days or microseconds one is; the two others are 0.
  var size: (months: Int64, days: Int64, microseconds: Int64) {
    switch self {
    case .millennium: (12_000, 0, 0)
    case .century: (1200, 0, 0)
    case .decade: (120, 0, 0)
    case .year: (12, 0, 0)
    case .quarter: (3, 0, 0)
    case .month: (1, 0, 0)
    case .week: (0, 7, 0)
    case .day: (0, 1, 0)
    case .hour: (0, 0, 3_600_000_000)
    case .minute: (0, 0, 60_000_000)
    case .second: (0, 0, 1_000_000)
    case .millisecond: (0, 0, 1000)
    case .microsecond: (0, 0, 1)
    }
  }
}

/// The parts of an interval while its text is read, in 64 bits.
private struct IntervalSum {
  private var months: Int64 = 0
  private var days: Int64 = 0
  private var microseconds: Int64 = 0

  /// Nil when a part does not fit its 32 bits.
  var interval: Interval? {
    guard let months = Int32(exactly: months), let days = Int32(exactly: days) else { return nil }
    return Interval(months: months, days: days, microseconds: microseconds)
  }

  mutating func add(microseconds more: Int64) -> Bool {
    IntervalSum.add(&microseconds, more, 1)
  }

  /// Adds `sign * (whole + millionths / 10^6)` units; false on overflow. A fraction of a month is
  /// days (30 to the month), a fraction of a day microseconds.
  mutating func add(
    _ whole: Int64, _ millionths: Int64, _ sign: Int64, of unit: IntervalUnit
  ) -> Bool {
    let size = unit.size
    guard IntervalSum.add(&months, sign * whole, size.months),
      IntervalSum.add(&days, sign * whole, size.days),
      IntervalSum.add(&microseconds, sign * whole, size.microseconds)
    else { return false }
    if millionths == 0 { return true }
    let monthParts = millionths * size.months
    let dayParts = millionths * size.days + monthParts % 1_000_000 * 30
    let clockParts =
      millionths * size.microseconds / 1_000_000
      + dayParts % 1_000_000 * Calendar.microsecondsPerDay / 1_000_000
    return IntervalSum.add(&months, sign, monthParts / 1_000_000)
      && IntervalSum.add(&days, sign, dayParts / 1_000_000)
      && IntervalSum.add(&microseconds, sign, clockParts)
  }

  private static func add(_ sum: inout Int64, _ count: Int64, _ size: Int64) -> Bool {
    let product = count.multipliedReportingOverflow(by: size)
    let total = sum.addingReportingOverflow(product.partialValue)
    sum = total.partialValue
    return !product.overflow && !total.overflow
  }
}
