import Columnar
import Testing

@Suite struct TextParsingTests {
  static let integers: [(String, Int32?)] = [
    ("1_000", 1000), ("1e3", 1000), ("1.5", 2), ("2.5", 3), ("-1.5", -2), ("-2.5", -3),
    (" 12 ", 12),
    ("+12", 12), ("1.", 1), ("1_", nil), ("_1", nil), (".5", 1), ("0x1F", 31), ("1e-1", 0),
    ("15e-1", 2), ("1.5e1", 15), ("", nil), ("-", nil), ("1e10", nil), ("0b11", 3), ("1 2", nil),
    ("1e", nil), ("1e+2", 100), ("1.49999", 1), ("1__0", nil), ("5e-1", 1), ("45e-1", 5),
    ("1.e2", 100), ("-.5", -1), ("1e400", nil), ("0e400", 0), ("1 .5", nil), ("007", 7),
    ("-0x1F", nil), ("2147483647", 2_147_483_647), ("2147483648", nil),
    ("-2147483648", -2_147_483_648), ("-2147483649", nil), (" ", nil), ("a", nil),
    ("00000000000000000000000000012", 12), ("2147483647.4", 2_147_483_647), ("2147483647.5", nil),
  ]

  @Test(arguments: integers)
  func readsIntegers(_ text: String, _ expected: Int32?) {
    #expect(TextParsing.withText(text) { TextParsing.integer($0, as: Int32.self) } == expected)
  }

  @Test func readsWideIntegers() {
    for value in [Int128.min, Int128.max, 0, -1] {
      #expect(
        TextParsing.withText("\(value)") { TextParsing.integer($0, as: Int128.self) } == value)
    }
    let top = "340282366920938463463374607431768211455"
    #expect(TextParsing.withText(top) { TextParsing.integer($0, as: UInt128.self) } == .max)
    #expect(TextParsing.withText(top) { TextParsing.integer($0, as: Int128.self) } == nil)
    #expect(TextParsing.withText("-1") { TextParsing.integer($0, as: UInt8.self) } == nil)
    #expect(TextParsing.withText("-0") { TextParsing.integer($0, as: UInt8.self) } == 0)
    #expect(
      TextParsing.withText("-9223372036854775808") { TextParsing.integer($0, as: Int64.self) }
        == .min)
  }

  static let doubles: [(String, Double?)] = [
    ("inf", .infinity), ("infinity", .infinity), ("-inf", -.infinity), ("+inf", .infinity),
    (" 1.5 ", 1.5), ("1_000.5", 1000.5), ("1e400", .infinity), ("1e-400", 0), ("1.", 1),
    (".", nil), (".5", 0.5), ("1e5", 1e5), ("0x10", nil), ("1.5d", nil), ("+1.5", 1.5), ("1e", nil),
    ("--1", nil), ("1_0.0_1", 10.01), ("", nil), ("-", nil), ("0.1", 0.1), ("1e23", 1e23),
    ("9007199254740993", 9_007_199_254_740_992),
    ("9007199254740993.0000000001", 9_007_199_254_740_994),
    ("5e-324", 5e-324), ("1.7976931348623157e308", 1.7976931348623157e308), ("1.2.3", nil),
    ("123456789012345678901234567890", 123_456_789_012_345_678_901_234_567_890),
    ("-0", -0.0), ("1,5", nil),
  ]

  @Test(arguments: doubles)
  func readsDoubles(_ text: String, _ expected: Double?) {
    #expect(
      TextParsing.withText(text) { TextParsing.double($0) }?.bitPattern == expected?.bitPattern)
  }

  @Test func roundTripsRandomDoubles() {
    var generator = SplitMix(state: 7)
    for turn in 0..<200_000 {
      let value: Double
      switch turn % 4 {
      case 0: value = Double(bitPattern: generator.next())
      case 1: value = Double(generator.next() >> 11) / 9_007_199_254_740_992
      case 2: value = Double(Int64(truncatingIfNeeded: generator.next()) >> 30) / 100
      default: value = Double(generator.next() % 1_000_000) * 1e-3
      }
      guard value.isFinite else { continue }
      var buffer = TextBuffer()
      ValueText.append(double: value, to: &buffer)
      #expect(TextParsing.double(buffer.bytes)?.bitPattern == value.bitPattern, "\(value)")
      let digits = value.description.utf8.filter { $0 >= 0x30 && $0 <= 0x39 }
      let ours = buffer.string.utf8.prefix { $0 != 0x65 }.filter { $0 >= 0x30 && $0 <= 0x39 }
      if digits.count < 16 && !value.description.contains("e") && value.magnitude >= 1e-3 {
        #expect(trim(ours) == trim(digits), "\(value) printed as \(buffer.string)")
      }
      let wide = String(value)
      #expect(TextParsing.withText(wide) { TextParsing.double($0) }?.bitPattern == value.bitPattern)
      let long = "\(generator.next() >> 1).\(generator.next() % 1_000_000_000)"
      #expect(TextParsing.withText(long) { TextParsing.double($0) } == Double(long), "\(long)")
      #expect(TextParsing.withText(long) { TextParsing.float($0) } == Float(long), "\(long)")
      let narrow = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
      if narrow.isFinite {
        #expect(TextParsing.withText("\(narrow)") { TextParsing.float($0) } == narrow)
        buffer.removeAll()
        ValueText.append(float: narrow, to: &buffer)
        #expect(TextParsing.float(buffer.bytes) == narrow)
      }
    }
  }

  private func trim(_ digits: [UInt8]) -> ArraySlice<UInt8> {
    var slice = digits[...]
    while slice.last == 0x30 { slice.removeLast() }
    while slice.first == 0x30 { slice.removeFirst() }
    return slice
  }

  static let decimals: [(String, Int128?)] = [
    ("1.005", 101), ("1e1", 1000), ("1.995", 200), ("-1.005", -101), ("1_0.5", 1050),
    ("99.999", 10000), ("123456", nil), ("1.5e-1", 15), (" 1.5 ", 150), ("+1", 100), ("1.", 100),
    ("12e-1", 120), ("", nil), ("abc", nil), ("0.004999", 0), ("1e-5", 0), ("995e-2", 995),
    ("1.0050001", 101), ("125e-3", 13), ("999.99", 99999), ("999.995", nil), ("1000", nil),
    ("-999.99", -99999), (".", nil), ("-", nil), ("1.2.3", nil),
  ]

  @Test(arguments: decimals)
  func readsDecimals(_ text: String, _ expected: Int128?) {
    #expect(
      TextParsing.withText(text) { TextParsing.decimal($0, precision: 5, scale: 2) } == expected)
  }

  @Test func readsBooleans() {
    for word in ["true", "t", "1", "T", "TRUE", "yes", "y", "tRue"] {
      #expect(TextParsing.withText(word) { TextParsing.boolean($0) } == true)
    }
    for word in ["false", "f", "0", "no", "N"] {
      #expect(TextParsing.withText(word) { TextParsing.boolean($0) } == false)
    }
    for word in ["on", "off", " true ", "2", "1.0", "", "truee"] {
      #expect(TextParsing.withText(word) { TextParsing.boolean($0) } == nil)
    }
  }

  /// Text as read and printed again; nil where reading fails. The right side is DuckDB's.
  static let dates: [(String, String?)] = [
    ("2024-1-31", "2024-01-31"), ("2024/01/31", "2024-01-31"), ("2024-01/31", nil),
    ("2024 01 31", "2024-01-31"), ("24-01-01", "0024-01-01"), ("2024-1-1 ", "2024-01-01"),
    ("0044-03-15 (BC)", "0044-03-15 (BC)"), ("0044-03-15 BC", nil),
    ("-44-01-01", "0045-01-01 (BC)"),
    ("epoch", "1970-01-01"), ("2024-02-30", nil), ("2024-01-31 12:00:00", "2024-01-31"),
    ("2024-01-31T", nil), ("20240131", nil), ("10000-01-01", "10000-01-01"), ("2024-01-31x", nil),
    ("5877642-01-01", "5877642-01-01"), ("5000000-01-01", "5000000-01-01"), ("2024-13-01", nil),
    ("  2024-01-01", "2024-01-01"), ("2024.01.01", nil), ("2024-001-01", nil), ("", nil),
    ("2024-00-01", nil), ("2024-01-00", nil), ("9999999-01-01", nil),
  ]

  @Test(arguments: dates)
  func readsDates(_ text: String, _ expected: String?) {
    var printed: String?
    if let days = TextParsing.withText(text, { TextParsing.date($0) }) {
      var buffer = TextBuffer()
      ValueText.append(date: days, to: &buffer)
      printed = buffer.string
    }
    #expect(printed == expected)
  }

  static let times: [(String, String?)] = [
    ("12:34:56", "12:34:56"), ("12:34", "12:34:00"), ("1:2:3", "01:02:03"),
    ("12:34:56.1234567", "12:34:56.123456"), ("24:00:00", "24:00:00"), ("23:59:60", nil),
    ("12:34:56.", "12:34:56"), ("12", nil), ("12:34:56+02", "12:34:56"), (" 12:34:56 ", "12:34:56"),
    ("12:34:56Z", "12:34:56"), ("2024-01-01 12:00:00", "12:00:00"), ("100:00:00", nil),
    ("12:34:56.1", "12:34:56.1"), ("24:00:01", nil), ("12:60", nil), ("12:3x", nil),
  ]

  @Test(arguments: times)
  func readsTimes(_ text: String, _ expected: String?) {
    var printed: String?
    if let time = TextParsing.withText(text, { TextParsing.time($0) }) {
      var buffer = TextBuffer()
      ValueText.append(time: time, to: &buffer)
      printed = buffer.string
    }
    #expect(printed == expected)
  }

  static let timestamps: [(String, String?)] = [
    ("2024-01-31 12:34:56.123456", "2024-01-31 12:34:56.123456"),
    ("2024-01-31T12:34:56", "2024-01-31 12:34:56"), ("2024-01-31", "2024-01-31 00:00:00"),
    ("2024-01-31 12:34:56Z", "2024-01-31 12:34:56"),
    ("2024-01-31 12:34:56+02", "2024-01-31 12:34:56"),
    ("2024-01-31 12:34:56+02:30", "2024-01-31 12:34:56"),
    ("2024-01-31 12:34:56 +02", "2024-01-31 12:34:56"), ("2024-01-31 12:34", "2024-01-31 12:34:00"),
    ("2024-01-31 12", nil), ("epoch", "1970-01-01 00:00:00"),
    ("2024-01-31 12:34:56.123456789", "2024-01-31 12:34:56.123456"),
    ("2024-01-31 24:00:00", "2024-02-01 00:00:00"),
    ("0044-03-15 (BC) 12:00:00", "0044-03-15 (BC) 12:00:00"),
    ("2024-01-31 12:34:56 UTC", "2024-01-31 12:34:56"),
    ("2024-01-31  12:34:56", "2024-01-31 12:34:56"),
    ("2024-01-31T12:34:56.5Z ", "2024-01-31 12:34:56.5"),
    ("294247-01-10 04:00:54.775806", "294247-01-10 04:00:54.775806"), ("294248-01-01", nil),
    ("2024-1-1 1:2:3", "2024-01-01 01:02:03"),
    ("2024-01-31 12:34:56 America/New_York", "2024-01-31 12:34:56"),
    ("290309-12-22 (BC) 00:00:00", "290309-12-22 (BC) 00:00:00"),
    ("2024-01-31 12:34:56+0230", "2024-01-31 12:34:56"), ("2024-01-31Z", nil),
    ("2024-01-31+02", nil),
    ("1969-12-31 23:59:59.999999", "1969-12-31 23:59:59.999999"), ("2024-01-311 10:00:00", nil),
    ("2024-01-31 12:34:56x", nil), ("2024-01-31T", nil),
  ]

  @Test(arguments: timestamps)
  func readsTimestamps(_ text: String, _ expected: String?) {
    var printed: String?
    if let value = TextParsing.withText(text, { TextParsing.timestamp($0) }) {
      var buffer = TextBuffer()
      ValueText.append(timestamp: value, to: &buffer)
      printed = buffer.string
    }
    #expect(printed == expected)
  }

  static let intervals: [(String, String?)] = [
    ("1 year 2 months 3 days 04:05:06", "1 year 2 months 3 days 04:05:06"),
    ("5 minutes", "00:05:00"), ("1 day ago", "-1 day"), ("1.5 days", "1 day 12:00:00"),
    ("1.5 months", "1 month 15 days"), ("1y", "1 year"), ("2 weeks", "14 days"),
    ("1 quarter", "3 months"), ("3 decades", "30 years"), ("1 century", "100 years"),
    ("1 millennium", "1000 years"), ("500 ms", "00:00:00.5"), ("500 us", "00:00:00.0005"),
    ("-1 day", "-1 day"), ("1 day -1 hour", "1 day -01:00:00"), ("04:05:06.789", "04:05:06.789"),
    ("-04:05", "-04:05:00"), ("1 mon", "1 month"), ("5", "00:00:05"),
    ("1year2months", "1 year 2 months"), ("1.5 years", "1 year 6 months"), ("@ 1 day", "1 day"),
    ("P1D", nil), ("100:00:00", "100:00:00"), ("1 hour 30 min", "01:30:00"), ("", nil),
    ("1 day 5", nil), ("0.5 seconds", "00:00:00.5"), ("1.1 microseconds", "00:00:00.000001"),
    ("+1 day", nil), ("1.5 hours", "01:30:00"), ("1.5 weeks", "10 days 12:00:00"),
    ("1e3 days", nil), ("1.25 quarters", "3 months 22 days 12:00:00"), ("2147483648 days", nil),
    ("1 days ago 5 hours", nil), ("12 hours 04:05:06", "16:05:06"), ("25 hours", "25:00:00"),
    ("-13 months -1 day -01:00:00.5", "-1 year -1 month -1 day -01:00:00.5"),
    ("0 days", "00:00:00"), ("14 months -3 days", "1 year 2 months -3 days"),
    ("99999999999999999999 days", nil),
  ]

  @Test(arguments: intervals)
  func readsIntervals(_ text: String, _ expected: String?) {
    var printed: String?
    if let value = TextParsing.withText(text, { TextParsing.interval($0) }) {
      var buffer = TextBuffer()
      ValueText.append(interval: value, to: &buffer)
      printed = buffer.string
    }
    #expect(printed == expected)
  }
}

@Suite struct CalendarTests {
  @Test func countsEveryDay() {
    var date = CivilDate(year: -401, month: 1, day: 1)
    var days = Int32(Calendar.dayNumber(year: -401, month: 1, day: 1))
    var weekday = Calendar.dayOfWeek(days)
    for _ in 0..<1_500_000 {
      #expect(Calendar.civil(days) == date)
      #expect(Calendar.days(year: date.year, month: date.month, day: date.day) == days)
      #expect(Calendar.dayOfWeek(days) == weekday)
      days += 1
      weekday = (weekday + 1) % 7
      date.day += 1
      if date.day > Calendar.daysInMonth(date.year, date.month) {
        date.day = 1
        date.month += 1
        if date.month > 12 { (date.year, date.month) = (date.year + 1, 1) }
      }
    }
    #expect(Calendar.dayOfWeek(0) == 4)
  }

  @Test func survivesTheEnds() {
    for days in [Int32.min, -1, 0, 1, .max] {
      let date = Calendar.civil(days)
      #expect(Calendar.dayNumber(year: date.year, month: date.month, day: date.day) == Int(days))
      _ = Calendar.isoWeek(days)
      _ = Calendar.lastDayOfMonth(days)
      _ = Calendar.addMonths(days, Int(Int32.max))
      _ = Calendar.add(Interval(months: .max, days: .min, microseconds: .min), toDate: days)
    }
    for timestamp: Int64 in [Calendar.firstTimestamp, -1, 0, .max - 1] {
      let parts = Calendar.split(timestamp)
      #expect(Calendar.timestamp(days: parts.days, microseconds: parts.microseconds) == timestamp)
    }
    // Infinite, or before the first whole day.
    for timestamp: Int64 in [.min, .max] {
      let parts = Calendar.split(timestamp)
      #expect(Calendar.timestamp(days: parts.days, microseconds: parts.microseconds) == nil)
    }
  }

  @Test func knowsIsoWeeks() {
    let cases = [
      (2005, 1, 1, 2004, 53), (2008, 12, 29, 2009, 1), (2020, 12, 31, 2020, 53),
      (2021, 1, 4, 2021, 1), (1969, 12, 31, 1970, 1),
    ]
    for (year, month, day, isoYear, week) in cases {
      let days = Int32(Calendar.dayNumber(year: year, month: month, day: day))
      let found = Calendar.isoWeek(days)
      #expect(found.year == isoYear && found.week == week)
    }
  }

  @Test func clampsMonths() {
    let january = Int32(Calendar.dayNumber(year: 2024, month: 1, day: 31))
    #expect(
      Calendar.civil(Calendar.addMonths(january, 1) ?? 0)
        == CivilDate(year: 2024, month: 2, day: 29))
    #expect(
      Calendar.civil(Calendar.addMonths(january, -2) ?? 0)
        == CivilDate(year: 2023, month: 11, day: 30))
    #expect(
      Calendar.civil(Calendar.addMonths(january, -13) ?? 0)
        == CivilDate(year: 2022, month: 12, day: 31))
  }
}

@Suite struct ValueTextTests {
  static let doubles: [(Double, String)] = [
    (0.1, "0.1"), (1, "1.0"), (1e15, "1000000000000000.0"), (1e16, "1e+16"),
    (123_456_789_012_345_678, "1.2345678901234568e+17"), (1e-4, "0.0001"), (1e-5, "1e-05"),
    (1.5e300, "1.5e+300"), (5e-324, "5e-324"), (-0.0, "-0.0"), (1e100, "1e+100"),
    (9_999_999_999_999_998, "9999999999999998.0"), (1_234_567_890_123_456, "1234567890123456.0"),
    (.nan, "nan"), (.infinity, "inf"), (-.infinity, "-inf"), (0, "0.0"), (1e22, "1e+22"),
    (123.456, "123.456"), (0.30000000000000004, "0.30000000000000004"), (-1.5, "-1.5"),
    (0.00012345, "0.00012345"), (0.000012345, "1.2345e-05"), (100, "100.0"), (1234.5, "1234.5"),
  ]

  @Test(arguments: doubles)
  func printsDoubles(_ value: Double, _ expected: String) {
    var buffer = TextBuffer()
    ValueText.append(double: value, to: &buffer)
    #expect(buffer.string == expected)
  }

  static let floats: [(Float, String)] = [
    (0.1, "0.1"), (16_777_216, "16777216.0"), (1e10, "10000000000.0"), (3.4e38, "3.4e+38"),
    (1e-5, "1e-05"), (1e15, "1000000000000000.0"), (123_456_789, "123456790.0"), (1e21, "1e+21"),
  ]

  @Test(arguments: floats)
  func printsFloats(_ value: Float, _ expected: String) {
    var buffer = TextBuffer()
    ValueText.append(float: value, to: &buffer)
    #expect(buffer.string == expected)
  }

  static let values: [(LogicalType, Value, String)] = [
    (.decimal(precision: 5, scale: 2), .decimal(-5), "-0.05"),
    (.decimal(precision: 1, scale: 1), .decimal(5), ".5"),
    (.decimal(precision: 10, scale: 3), .decimal(-5000), "-5.000"),
    (
      .decimal(precision: 38, scale: 20), .decimal(Int128(10).powered(37)),
      "100000000000000000.00000000000000000000"
    ),
    (.decimal(precision: 4, scale: 0), .decimal(12), "12"),
    (.hugeint, .integer(.min), "-170141183460469231731687303715884105728"),
    (.tinyint, .integer(-128), "-128"), (.boolean, .boolean(true), "true"),
    (.bigint, .integer(Int128(Int64.min)), "-9223372036854775808"),
    (.blob, .blob([0, 0x41, 0xFF]), "\\x00A\\xFF"), (.bigint, .null, "NULL"),
    (.list(.integer), .list([.integer(1), .integer(2), .null]), "[1, 2, NULL]"),
    (
      .list(.varchar),
      .list([
        .varchar("a"), .varchar("b,c"), .varchar("d'e"), .varchar("NULL"), .varchar(""),
        .varchar(" x"), .varchar("x;y"), .varchar("a\\b"),
      ]),
      #"[a, 'b,c', 'd\'e', 'NULL', '', ' x', x;y, 'a\\b']"#
    ),
    (
      .structure([Field("a", .integer), Field("c c", .varchar), Field("d", .varchar)]),
      .structure([.integer(1), .varchar("x y"), .varchar("it's")]),
      #"{'a': 1, 'c c': x y, 'd': 'it\'s'}"#
    ),
    (.array(.float, count: 2), .list([.float(1), .float(2.5)]), "[1.0, 2.5]"),
    (.list(.timestamp), .list([.timestamp(0)]), "['1970-01-01 00:00:00']"),
    (.list(.list(.integer)), .list([.list([.integer(1)]), .list([])]), "[[1], []]"),
  ]

  @Test(arguments: values)
  func printsValues(_ type: LogicalType, _ value: Value, _ expected: String) throws {
    var builder = ColumnBuilder(type)
    try builder.append(value)
    try builder.append(value)
    let column = builder.finish()
    var buffer = TextBuffer()
    ValueText.append(column, row: 1, to: &buffer)
    #expect(buffer.string == expected)
    let printed = ValueText.text(of: column)
    #expect(printed.value(0) == (value.isNull ? .null : .varchar(expected)))
    #expect(ValueText.text(of: Column(repeating: column, count: 5)).value(4) == printed.value(0))
    let picked = Column.dictionary(column, Selection([1, 0, 1]))
    #expect(ValueText.text(of: picked).value(2) == printed.value(0))
    #expect(
      ValueText.text(of: Column.dictionary(column, Selection([1]))).value(0) == printed.value(0))
  }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension Int128 {
  func powered(_ exponent: Int) -> Int128 {
    (0..<exponent).reduce(1) { product, _ in product * self }
  }
}
