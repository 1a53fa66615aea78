import Columnar
import Diagnostics

/// Functions of dates and timestamps that move, cut or compare them.
enum DateFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "age", category: "date",
      summary: "From the second moment to the first, in years to days; "
        + "with one argument, until today.",
      examples: [
        ("age(TIMESTAMP '2024-03-01', TIMESTAMP '2023-01-31')", "1 year 1 month 1 day")
      ],
      overloads: [
        .taking([.timestamp, .timestamp], returns: .interval) { a, n, t in
          let x = ColumnReader<Int64>(a[0])
          let y = ColumnReader<Int64>(a[1])
          return try Kernels.nullableRows(a, n, t, Interval.self) { row in
            try age(x[row], y[row])
          }
        },
        ScalarOverload([.exactly(.timestamp)], returns: .interval, isVolatile: true) { a, n, t in
          let x = ColumnReader<Int64>(a[0])
          let today = Calendar.timestamp(days: Calendar.day(of: Clock.local()), microseconds: 0)
          return try Kernels.nullableRows(a, n, t, Interval.self) { row in
            try age(today ?? 0, x[row])
          }
        },
      ].andInSessionZone),
    ScalarFunction(
      "current_date", aliases: ["today"], category: "date",
      summary: "Today, by the session's clock.", examples: [],
      overloads: [
        ScalarOverload([], returns: .date, isVolatile: true) { _, n, t in
          try Column.constant(.date(Calendar.day(of: Clock.local())), t, count: n)
        }
      ]),
    ScalarFunction(
      "current_time", aliases: ["get_current_time"], category: "date",
      summary: "The time of day in the session's zone.", examples: [],
      overloads: [
        ScalarOverload([], returns: .timeTZ, isVolatile: true) { _, n, t in
          var cursor = SessionTime.cursor
          let bits = ZonedTime.pack(
            microseconds: Calendar.split(Clock.local()).microseconds,
            offset: Int(cursor.offset(at: Clock.statement()) / 1_000_000))
          return try Column.constant(.timeTZ(bits), t, count: n)
        }
      ]),
    ScalarFunction(
      "current_timestamp", aliases: ["now", "get_current_timestamp", "transaction_timestamp"],
      category: "date", summary: "The moment of the statement, or of its transaction.",
      examples: [],
      overloads: [
        ScalarOverload([], returns: .timestampTZ, isVolatile: true) { _, n, t in
          try Column.constant(.timestamp(Clock.statement()), t, count: n)
        }
      ]),
    ScalarFunction(
      "date_add", category: "date", summary: "The moment moved by an interval.",
      examples: [("date_add(DATE '2024-01-31', INTERVAL 1 MONTH)", "2024-02-29 00:00:00")],
      overloads: [
        .taking([.date, .interval], returns: .timestamp) { a, n, _ in
          try TemporalArithmetic.dateAndInterval(a[0], a[1], n, negated: false)
        },
        .taking([.timestamp, .interval], returns: .timestamp) { a, n, _ in
          try TemporalArithmetic.timestampAndInterval(a[0], a[1], n, negated: false)
        },
        .taking([.timestampTZ, .interval], returns: .timestampTZ) { a, n, _ in
          try ZonedArithmetic.instantAndInterval(a[0], a[1], n, negated: false)
        },
      ]),
    ScalarFunction(
      "date_diff", aliases: ["datediff"], category: "date",
      summary: "How many boundaries of a part (years, days, …) lie between two moments.",
      examples: [("date_diff('year', DATE '2023-12-31', DATE '2024-01-01')", "1")],
      overloads: differences(
        { try DateKernels.boundaries($0, $1, $2) },
        { try DateKernels.boundaries($0, $1, $2, &$3) })),
    ScalarFunction(
      "date_sub", aliases: ["datesub"], category: "date",
      summary: "How many whole parts (years, days, …) lie between two moments.",
      examples: [("date_sub('year', DATE '2023-12-31', DATE '2024-01-01')", "0")],
      overloads: differences(
        { try DateKernels.wholeParts($0, $1, $2) },
        { try DateKernels.wholeParts($0, $1, $2, &$3) })),
    ScalarFunction(
      "date_trunc", aliases: ["datetrunc"], category: "date",
      summary: "The beginning of the part (month, hour, …) that the moment lies in.",
      examples: [("date_trunc('month', DATE '2024-05-17')", "2024-05-01 00:00:00")],
      overloads: [
        .taking([.varchar, .timestamp], returns: .timestamp) { a, n, t in
          let x = ColumnReader<Int64>(a[1])
          return try withParts(a[0]) { part in
            try Kernels.rows(a, n, t, Int64.self) { row in
              guard let start = try DateKernels.truncated(x[row], try part(row)) else {
                throw TemporalArithmetic.outOfRange(.timestamp)
              }
              return start
            }
          }
        },
        .taking([.varchar, .interval], returns: .interval) { a, n, t in
          let x = ColumnReader<Interval>(a[1])
          return try withParts(a[0]) { part in
            try Kernels.rows(a, n, t, Interval.self) { row in
              let wanted = try part(row)
              try DateKernels.checkTruncation(wanted)
              guard let start = DateKernels.truncated(x[row], wanted) else {
                throw TemporalArithmetic.outOfRange(.interval)
              }
              return start
            }
          }
        },
      ].andInSessionZone),
    ScalarFunction(
      "last_day", category: "date", summary: "The last day of the month.",
      examples: [("last_day(DATE '2024-02-10')", "2024-02-29")],
      overloads: [
        .taking([.date], returns: .date) { a, n, t in
          let x = ColumnReader<Int32>(a[0])
          return try Kernels.nullableRows(a, n, t, Int32.self) { try lastDay(x[$0]) }
        },
        .taking([.timestamp], returns: .date) { a, n, t in
          let x = ColumnReader<Int64>(a[0])
          return try Kernels.nullableRows(a, n, t, Int32.self) {
            try lastDay(Calendar.day(of: x[$0]))
          }
        },
      ].andInSessionZone),
    ScalarFunction(
      "make_date", category: "date", summary: "The date of a year, month and day.",
      examples: [("make_date(2024, 2, 29)", "2024-02-29")],
      overloads: [
        .taking([.bigint, .bigint, .bigint], returns: .date) { a, n, t in
          let (y, m, d) = (
            ColumnReader<Int64>(a[0]), ColumnReader<Int64>(a[1]), ColumnReader<Int64>(a[2])
          )
          return try Kernels.rows(a, n, t, Int32.self) { try days(y[$0], m[$0], d[$0]) }
        },
        .taking([.integer], returns: .date) { a, _, t in a[0].reinterpreted(as: t) },
        .taking(
          [.structure([Field("year", .bigint), Field("month", .bigint), Field("day", .bigint)])],
          returns: .date
        ) { a, n, t in
          let parts = a[0].flattened().children.map { $0.flattened() }
          let (y, m, d) = (
            ColumnReader<Int64>(parts[0]), ColumnReader<Int64>(parts[1]),
            ColumnReader<Int64>(parts[2])
          )
          return try Kernels.rows(a + parts, n, t, Int32.self) { try days(y[$0], m[$0], d[$0]) }
        },
      ]),
    ScalarFunction(
      "make_time", category: "date", summary: "The time of an hour, minute and second.",
      examples: [("make_time(13, 5, 7.5)", "13:05:07.5")],
      overloads: [
        .taking([.bigint, .bigint, .double], returns: .time) { a, n, t in
          let (h, m, s) = (
            ColumnReader<Int64>(a[0]), ColumnReader<Int64>(a[1]), ColumnReader<Double>(a[2])
          )
          return try Kernels.rows(a, n, t, Int64.self) { try clock(h[$0], m[$0], s[$0]) }
        }
      ]),
    ScalarFunction(
      "make_timestamp", category: "date",
      summary: "The timestamp of year to second, or of microseconds since 1970.",
      examples: [("make_timestamp(2024, 1, 2, 3, 4, 5.5)", "2024-01-02 03:04:05.5")],
      overloads: [
        .taking(
          [.bigint, .bigint, .bigint, .bigint, .bigint, .double], returns: .timestamp
        ) { a, n, _ in try timestamps(a, n) },
        .taking([.bigint], returns: .timestamp) { a, n, t in try checkedTimestamps(a[0], n, t) },
      ]),
  ]

  // MARK: Parts

  /// Gives `body` the part for each row: parsed once when it is constant. Where `accepts` is given,
  /// asking for a part that it refuses throws its error; rows that are NULL do not ask.
  static func withParts(
    _ names: Column, accepts check: ((DatePart) throws -> Void)? = nil,
    _ body: ((Int) throws -> DatePart) throws -> Column
  ) throws -> Column {
    let reader = ColumnReader<StringView>(names)
    guard names.isConstant, names.count > 0 else {
      return try body { row in
        let part = try DatePart.named(reader.pointer(row).buffer)
        try check?(part)
        return part
      }
    }
    let part = try DatePart.named(reader.pointer(0).buffer)
    do { try check?(part) } catch { return try body { _ in throw error } }
    return try body { _ in part }
  }

  private static func age(_ end: Int64, _ start: Int64) throws -> Interval? {
    guard Calendar.isFinite(end), Calendar.isFinite(start) else { return nil }
    guard let age = DateKernels.age(end, start) else {
      throw TemporalArithmetic.outOfRange(.interval)
    }
    return age
  }

  /// Of moments, or of times of one day, or of instants. Infinite ones give NULL.
  private static func differences(
    _ kernel: @escaping @Sendable (Int64, Int64, DatePart) throws -> Int64,
    _ zoned: @escaping @Sendable (Int64, Int64, DatePart, inout ZoneCursor) throws -> Int64?
  ) -> [ScalarOverload] {
    let plain = [LogicalType.timestamp, .time].map { type -> ScalarOverload in
      .taking([.varchar, type, type], returns: .bigint) { a, n, t in
        let x = ColumnReader<Int64>(a[1])
        let y = ColumnReader<Int64>(a[2])
        return try withParts(a[0], accepts: { try $0.check(of: type) }) { part in
          try Kernels.nullableRows(a, n, t, Int64.self) { row in
            guard Calendar.isFinite(x[row]), Calendar.isFinite(y[row]) else { return nil }
            return try kernel(x[row], y[row], try part(row))
          }
        }
      }
    }
    return plain + [
      .taking([.varchar, .timestampTZ, .timestampTZ], returns: .bigint) { a, n, t in
        let x = ColumnReader<Int64>(a[1])
        let y = ColumnReader<Int64>(a[2])
        var cursor = SessionTime.cursor
        return try withParts(a[0]) { part in
          try Kernels.nullableRows(a, n, t, Int64.self) { row in
            guard Calendar.isFinite(x[row]), Calendar.isFinite(y[row]) else { return nil }
            guard let count = try zoned(x[row], y[row], try part(row), &cursor) else {
              throw TemporalArithmetic.outOfRange(.bigint)
            }
            return count
          }
        }
      }
    ]
  }

  // MARK: Making

  /// Year, month, day, hour and minute as BIGINT, seconds as DOUBLE.
  static func timestamps(_ a: [Column], _ count: Int) throws -> Column {
    let parts = a.prefix(5).map { ColumnReader<Int64>($0) }
    let seconds = ColumnReader<Double>(a[5])
    return try Kernels.rows(a, count, .timestamp, Int64.self) { row in
      guard
        let moment = Calendar.timestamp(
          days: try days(parts[0][row], parts[1][row], parts[2][row]),
          microseconds: try clock(parts[3][row], parts[4][row], seconds[row]))
      else { throw TemporalArithmetic.outOfRange(.timestamp) }
      return moment
    }
  }

  /// Microseconds since 1970 as a timestamp.
  static func checkedTimestamps(
    _ micros: Column, _ count: Int, _ type: LogicalType
  ) throws -> Column {
    let x = ColumnReader<Int64>(micros)
    return try Kernels.rows([micros], count, type, Int64.self) { row in
      guard Calendar.isInRange(x[row]) else { throw TemporalArithmetic.outOfRange(type) }
      return x[row]
    }
  }

  private static func lastDay(_ days: Int32) throws -> Int32? {
    if !Calendar.isFinite(days) { return nil }
    guard let last = Calendar.lastDayOfMonth(days) else {
      throw TemporalArithmetic.outOfRange(.date)
    }
    return last
  }

  static func days(_ year: Int64, _ month: Int64, _ day: Int64) throws -> Int32 {
    guard let days = Calendar.days(year: Int(year), month: Int(month), day: Int(day)) else {
      throw SQLError(.conversion, "there is no date of year \(year), month \(month), day \(day)")
    }
    return days
  }

  private static func clock(_ hour: Int64, _ minute: Int64, _ second: Double) throws -> Int64 {
    let micros = (second * 1e6).rounded()
    guard micros >= 0, micros <= 60e6,
      let start = Calendar.clock(hour: Int(hour), minute: Int(minute), second: 0),
      start + Int64(micros) <= Calendar.microsecondsPerDay
    else {
      throw SQLError(
        .conversion, "there is no time of hour \(hour), minute \(minute), second \(second)")
    }
    return start + Int64(micros)
  }
}
