/// A time without change of clocks: from `start` until before `end` (seconds since 1970, UTC) clocks
/// show `offset` seconds more than UTC.
package struct ZoneSpan: Hashable, Sendable {
  package var start: Int64
  package var end: Int64
  package var offset: Int
  package var isDaylight: Bool
  package var abbreviation: String

  static func always(_ offset: Int, _ abbreviation: String) -> ZoneSpan {
    ZoneSpan(
      start: .min, end: .max, offset: offset, isDaylight: false, abbreviation: abbreviation)
  }
}

/// When the clocks of a place change, and to what: the transitions of a file of the tz database, and
/// behind the last a rule for all years.
package final class TimeZoneRules: Sendable {
  package let name: String
  /// Ascending and without a gap; the first begins with time, the last ends with it.
  let spans: [ZoneSpan]
  /// What holds from the start of the last span on.
  let rule: PosixZoneRule?

  package static let utc = TimeZoneRules("UTC", offset: 0)

  init(name: String, spans: [ZoneSpan], rule: PosixZoneRule?) {
    self.name = name
    self.spans = spans.isEmpty ? [.always(0, "UTC")] : spans
    self.rule = rule
  }

  /// A fixed distance from UTC, in seconds.
  package convenience init(_ name: String, offset: Int) {
    self.init(name: name, spans: [.always(offset, name)], rule: nil)
  }

  /// The span of an instant. O(log n) in the transitions of the file.
  package func span(at second: Int64) -> ZoneSpan {
    find {
      second >= $0.start
    } inRule: {
      second >= $0.start
    }
  }

  /// The span that a reading of the clock belongs to: what the clock shows twice is the later
  /// instant, what it skips counts as before the change (as ICU does by default). Both come from
  /// one rule: a span begins where its first instant shows, by its own offset.
  package func span(atLocal second: Int64) -> ZoneSpan {
    let begins: (ZoneSpan) -> Bool = { span in
      span.start == .min || second &- Int64(span.offset) >= span.start
    }
    return find(begins, inRule: begins)
  }

  private func find(
    _ begins: (ZoneSpan) -> Bool, inRule beginsInRule: (ZoneSpan) -> Bool
  ) -> ZoneSpan {
    var low = 0
    var high = spans.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if begins(spans[middle]) { low = middle } else { high = middle }
    }
    guard low == spans.count - 1, let rule else { return spans[low] }
    return rule.span(after: spans[low], beginsInRule)
  }
}

/// Looks offsets up row by row: remembers the last span, for neighbouring rows lie in it.
package struct ZoneCursor {
  private let rules: TimeZoneRules
  // Microseconds of the span for instants and for readings of the clock; empty at first.
  private var start: Int64 = 1
  private var end: Int64 = 0
  private var offset: Int64 = 0
  private var localStart: Int64 = 1
  private var localEnd: Int64 = 0
  private var localOffset: Int64 = 0

  package init(_ rules: TimeZoneRules) { self.rules = rules }

  package var zoneName: String { rules.name }

  /// Microseconds that clocks are ahead of UTC at an instant.
  @inline(__always)
  package mutating func offset(at instant: Int64) -> Int64 {
    if instant < start || instant >= end { look(at: instant) }
    return offset
  }

  /// What the clock shows at an instant; nil out of range. Infinite instants stay so.
  @inline(__always)
  package mutating func local(_ instant: Int64) -> Int64? {
    if !Calendar.isFinite(instant) { return instant }
    let (shown, overflows) = instant.addingReportingOverflow(offset(at: instant))
    return overflows || !Calendar.isInRange(shown) ? nil : shown
  }

  /// The instant at which the clock shows that; nil out of range. Infinite instants stay so.
  @inline(__always)
  package mutating func instant(_ local: Int64) -> Int64? {
    if !Calendar.isFinite(local) { return local }
    if local < localStart || local >= localEnd { look(atLocal: local) }
    let (moment, overflows) = local.subtractingReportingOverflow(localOffset)
    return overflows || !Calendar.isInRange(moment) ? nil : moment
  }

  @inline(never)
  private mutating func look(at instant: Int64) {
    let span = rules.span(at: ZoneCursor.seconds(instant))
    (start, end) = (ZoneCursor.micros(span.start), ZoneCursor.micros(span.end))
    offset = Int64(span.offset) &* 1_000_000
  }

  @inline(never)
  private mutating func look(atLocal local: Int64) {
    let span = rules.span(atLocal: ZoneCursor.seconds(local))
    localOffset = Int64(span.offset) &* 1_000_000
    // Up to where both this span and the next agree: the end is by the next span's clock.
    localStart = ZoneCursor.micros(span.start == .min ? .min : span.start &+ Int64(span.offset))
    if span.end == .max {
      localEnd = .max
    } else {
      let next = rules.span(at: span.end)
      localEnd = ZoneCursor.micros(span.end &+ Int64(next.offset))
    }
  }

  private static func seconds(_ micros: Int64) -> Int64 {
    let whole = micros / 1_000_000
    return micros % 1_000_000 < 0 ? whole &- 1 : whole
  }

  private static func micros(_ seconds: Int64) -> Int64 {
    let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000)
    return overflows ? (seconds < 0 ? .min : .max) : product
  }
}
