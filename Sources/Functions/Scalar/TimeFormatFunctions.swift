import Columnar
import Diagnostics

/// strftime and strptime.
enum TimeFormatFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "strftime", category: "date", summary: "A date or timestamp by a format of % letters.",
      examples: [("strftime(DATE '2024-03-05', '%d.%m.%Y')", "05.03.2024")],
      overloads: [LogicalType.timestamp, .timestampNanoseconds, .timestampTZ].flatMap { type in
        [
          .taking([type, .varchar], returns: .varchar) { a, n, _ in try print(a[0], a[1], n) },
          .taking([.varchar, type], returns: .varchar) { a, n, _ in try print(a[1], a[0], n) },
        ]
      }),
    ScalarFunction(
      "strptime", category: "date",
      summary: "The timestamp that a text shows by a format, or by the first that fits of a list; "
        + "an instant where the format has %z or %Z, a TIMESTAMP_NS where it has %n.",
      examples: [("strptime('5.3.2024', '%d.%m.%Y')", "2024-03-05 00:00:00")],
      overloads: [parse(trying: false)], signature: { try signature($0, trying: false) }),
    ScalarFunction(
      "try_strptime", category: "date", summary: "As strptime, but NULL where the text differs.",
      examples: [("try_strptime('x', '%d')", "NULL")], overloads: [parse(trying: true)],
      signature: { try signature($0, trying: true) }),
  ]

  // MARK: Printing

  private static func print(_ moments: Column, _ formats: Column, _ count: Int) throws -> Column {
    let x = ColumnReader<Int64>(moments)
    let y = ColumnReader<StringView>(formats)
    var cursor = SessionTime.cursor
    let zone = cursor.zoneName
    let isZoned = moments.type == .timestampTZ
    let hasNanoseconds = moments.type == .timestampNanoseconds
    return try Kernels.texts([moments, formats], count) { row, buffer in
      var moment = TimeFormat.Moment(local: x[row])
      if isZoned {
        guard let local = cursor.local(x[row]) else {
          throw TemporalArithmetic.outOfRange(.timestamp)
        }
        moment.local = local
        if Calendar.isFinite(local) {
          moment.offset = Int(cursor.offset(at: x[row]) / 1_000_000)
          moment.zone = zone
        }
      } else if hasNanoseconds, Calendar.isFinite(x[row]) {
        let rest = x[row] % 1000
        moment.nanoseconds = Int(rest < 0 ? rest &+ 1000 : rest)
        moment.local = (x[row] / 1000) &- (rest < 0 ? 1 : 0)
      }
      let format = y.pointer(row).buffer
      if format.isEmpty { throw TimeFormat.empty() }
      try TimeFormat.append(moment, format, to: &buffer)
    }
  }

  // MARK: Parsing

  /// With constant formats the type follows their letters.
  private static func signature(
    _ arguments: [CallArgument], trying: Bool
  ) throws -> (overload: ScalarOverload, types: [LogicalType])? {
    guard arguments.count == 2 else { return nil }
    var formats: [String] = []
    let isList: Bool
    if let text = arguments[1].text {
      formats = [text]
      isList = false
    } else if case .list(let items)? = arguments[1].value {
      for case .varchar(let text) in items { formats.append(text) }
      isList = true
      if formats.isEmpty { throw SQLError(.binder, "strptime needs a format") }
    } else if case .list = arguments[1].type, arguments[1].value == .null {
      let overload = ScalarOverload([.any, .any], returns: .timestamp) { _, n, t in
        Column.nulls(t, count: n)
      }
      return (overload, [.varchar, .list(.varchar)])
    } else {
      return nil
    }
    if formats.contains("") { throw TimeFormat.empty() }
    let letters = formats.reduce(into: Set<UInt8>()) { $0.formUnion(TimeFormat.letters($1)) }
    let type: LogicalType =
      !letters.isDisjoint(with: [0x7A, 0x5A])
      ? .timestampTZ : letters.contains(0x6E) ? .timestampNanoseconds : .timestamp
    let all = formats
    let overload = ScalarOverload(
      [.exactly(.varchar), .any], returns: type
    ) { a, n, t in
      let x = ColumnReader<StringView>(a[0])
      var cursor = SessionTime.cursor
      return try Kernels.nullableRows(a, n, t, Int64.self) { row in
        for var format in all {
          let reading = try format.withUTF8 { try TimeFormat.parse(x.pointer(row).buffer, $0) }
          guard let reading else { continue }
          if let value = try value(reading, t, &cursor) { return value }
        }
        if trying { return nil }
        throw differs(x[row].string, all.joined(separator: "', '"))
      }
    }
    guard
      ImplicitCast.cost(
        from: arguments[0].type, literal: arguments[0].text == nil ? .none : .string, to: .varchar)
        != nil
    else { return nil }
    return (overload, [.varchar, isList ? .list(.varchar) : .varchar])
  }

  private static func value(
    _ reading: TimeFormat.Reading, _ type: LogicalType, _ cursor: inout ZoneCursor
  ) throws -> Int64? {
    let local = reading.local
    if !Calendar.isFinite(local) { return local }
    switch type {
    case .timestampNanoseconds:
      return Int64(exactly: Int128(local) * 1000 + Int128(reading.nanoseconds))
    case .timestampTZ:
      if let offset = reading.offset { return shifted(local, offset) }
      guard let zone = reading.zone else { return cursor.instant(local) }
      var other = ZoneCursor(try ZoneFunctions.zone(zone))
      return other.instant(local)
    default: return local
    }
  }

  private static func shifted(_ local: Int64, _ offset: Int) -> Int64? {
    let (instant, overflows) = local.subtractingReportingOverflow(Int64(offset) &* 1_000_000)
    return overflows || !Calendar.isInRange(instant) ? nil : instant
  }

  /// Formats that are not constant: whatever they say, a TIMESTAMP, by UTC where they have an offset.
  private static func parse(trying: Bool) -> ScalarOverload {
    .taking([.varchar, .varchar], returns: .timestamp) { a, n, t in
      let x = ColumnReader<StringView>(a[0])
      let y = ColumnReader<StringView>(a[1])
      return try Kernels.nullableRows(a, n, t, Int64.self) { row in
        if y[row].length == 0 { throw TimeFormat.empty() }
        let reading = try TimeFormat.parse(x.pointer(row).buffer, y.pointer(row).buffer)
        if let reading, let moment = shifted(reading.local, reading.offset ?? 0) { return moment }
        if trying { return nil }
        throw differs(x[row].string, y[row].string)
      }
    }
  }

  private static func differs(_ text: String, _ format: String) -> SQLError {
    SQLError(.invalidInput, "could not parse string '\(text)' by the format '\(format)'")
  }
}
