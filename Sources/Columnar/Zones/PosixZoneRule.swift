/// The rule at the end of a file of the tz database, as the TZ variable of POSIX spells it:
/// `CET-1CEST,M3.5.0,M10.5.0/3`. (IEEE Std 1003.1, chapter 8.3; RFC 8536, chapter 3.3.)
struct PosixZoneRule: Sendable, Equatable {
  /// A day of the year and the second of it at which clocks change, by the clock before.
  struct Change: Sendable, Equatable {
    enum Day: Sendable, Equatable {
      /// 1 to 365, without 29 February.
      case julian(Int)
      /// 0 to 365.
      case zeroBased(Int)
      case month(Int, week: Int, weekday: Int)
    }
    var day: Day
    var second: Int

    /// Seconds since 1970 by that clock.
    func second(of year: Int) -> Int64 {
      let first = Calendar.dayNumber(year: year, month: 1, day: 1)
      let number: Int
      switch day {
      case .julian(let day):
        number = first + day - 1 + (Calendar.isLeapYear(year) && day >= 60 ? 1 : 0)
      case .zeroBased(let day): number = first + day
      case .month(let month, let week, let weekday):
        let start = Calendar.dayNumber(year: year, month: month, day: 1)
        let startWeekday = ((start + 4) % 7 + 7) % 7
        var day = (weekday - startWeekday + 7) % 7 + (week - 1) * 7
        while day >= Calendar.daysInMonth(year, month) { day -= 7 }
        number = start + day
      }
      return Int64(number) * 86_400 + Int64(second)
    }
  }

  let standardName: String
  let standardOffset: Int
  /// Nil where clocks do not change any more.
  let daylight: (name: String, offset: Int, start: Change, end: Change)?

  static func == (a: PosixZoneRule, b: PosixZoneRule) -> Bool {
    a.standardName == b.standardName && a.standardOffset == b.standardOffset
      && a.daylight?.offset == b.daylight?.offset && a.daylight?.start == b.daylight?.start
      && a.daylight?.end == b.daylight?.end
  }

  /// The span that `begins` says yes to last, from `first` on, which begins before the rule holds.
  func span(after first: ZoneSpan, _ begins: (ZoneSpan) -> Bool) -> ZoneSpan {
    guard daylight != nil else { return first }
    // The year is found by trying: spans that begin in a year, bisected over all years there are.
    var low = first.start == .min ? -300_000 : PosixZoneRule.year(first.start)
    var high = 300_001
    let firstYear = low
    while high - low > 1 {
      let middle = (low + high) / 2
      if begins(changes(of: middle)[0]) { low = middle } else { high = middle }
    }
    var last: ZoneSpan?
    for year in max(firstYear, low - 1)...low + 1 {
      for change in changes(of: year) where change.start > first.start && begins(change) {
        last = change
      }
    }
    if let last { return last }
    var result = first
    for change in changes(of: firstYear) + changes(of: firstYear + 1)
    where change.start > first.start {
      result.end = change.start
      break
    }
    return result
  }

  /// The two spans that begin in a year, in their order.
  private func changes(of year: Int) -> [ZoneSpan] {
    guard let daylight else { return [.always(standardOffset, standardName)] }
    let start = daylight.start.second(of: year) - Int64(standardOffset)
    let end = daylight.end.second(of: year) - Int64(daylight.offset)
    let nextStart = daylight.start.second(of: year + 1) - Int64(standardOffset)
    let nextEnd = daylight.end.second(of: year + 1) - Int64(daylight.offset)
    let isNorthern = start < end
    let summer = ZoneSpan(
      start: start, end: isNorthern ? end : nextEnd, offset: daylight.offset, isDaylight: true,
      abbreviation: daylight.name)
    let winter = ZoneSpan(
      start: end, end: isNorthern ? nextStart : start, offset: standardOffset, isDaylight: false,
      abbreviation: standardName)
    return isNorthern ? [summer, winter] : [winter, summer]
  }

  private static func year(_ second: Int64) -> Int {
    Calendar.civil(Int32(clamping: second / 86_400)).year
  }
}

extension PosixZoneRule {
  /// Nil for what is no such rule.
  init?(_ text: some Sequence<UInt8>) {
    var parser = PosixZoneParser(Array(text))
    guard let name = parser.name(), let offset = parser.offset(limit: 24) else { return nil }
    standardName = name
    standardOffset = -offset
    if parser.isAtEnd {
      daylight = nil
      return
    }
    guard let summer = parser.name() else { return nil }
    var summerOffset = standardOffset + 3600
    if !parser.isAtEnd, !parser.take(0x2C) {
      guard let given = parser.offset(limit: 24), parser.take(0x2C) else { return nil }
      summerOffset = -given
    }
    guard let start = parser.change(), parser.take(0x2C), let end = parser.change(), parser.isAtEnd
    else { return nil }
    daylight = (summer, summerOffset, start, end)
  }
}

private struct PosixZoneParser {
  let bytes: [UInt8]
  var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position >= bytes.count }
  var peek: UInt8 { isAtEnd ? 0 : bytes[position] }

  mutating func take(_ byte: UInt8) -> Bool {
    if peek != byte || isAtEnd { return false }
    position += 1
    return true
  }

  mutating func name() -> String? {
    let isQuoted = take(0x3C)
    let start = position
    while !isAtEnd, isQuoted ? peek != 0x3E : (peek | 0x20) &- 0x61 < 26 { position += 1 }
    let end = position
    if isQuoted, !take(0x3E) { return nil }
    return end - start >= 3 ? String(decoding: bytes[start..<end], as: UTF8.self) : nil
  }

  mutating func number(_ limit: Int) -> Int? {
    var value = 0
    let start = position
    while peek &- 0x30 < 10, position - start < 4 {
      value = value * 10 + Int(peek - 0x30)
      position += 1
    }
    return position > start && value <= limit ? value : nil
  }

  /// `[+-]hh[:mm[:ss]]` in seconds.
  mutating func offset(limit: Int) -> Int? {
    let isNegative = take(0x2D)
    if !isNegative { _ = take(0x2B) }
    guard let hours = number(limit) else { return nil }
    var seconds = hours * 3600
    if take(0x3A) {
      guard let minutes = number(59) else { return nil }
      seconds += minutes * 60
      if take(0x3A) {
        guard let rest = number(59) else { return nil }
        seconds += rest
      }
    }
    return isNegative ? -seconds : seconds
  }

  mutating func change() -> PosixZoneRule.Change? {
    let day: PosixZoneRule.Change.Day
    if take(0x4A) {
      guard let number = number(365), number >= 1 else { return nil }
      day = .julian(number)
    } else if take(0x4D) {
      guard let month = number(12), month >= 1, take(0x2E), let week = number(5), week >= 1,
        take(0x2E), let weekday = number(6)
      else { return nil }
      day = .month(month, week: week, weekday: weekday)
    } else {
      guard let number = number(365) else { return nil }
      day = .zeroBased(number)
    }
    var second = 7200
    if take(0x2F) {
      guard let given = offset(limit: 167) else { return nil }
      second = given
    }
    return PosixZoneRule.Change(day: day, second: second)
  }
}
