import Columnar
import Diagnostics
import Glibc

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
          return try Kernels.rows(a, n, t, Interval.self) { row in
            guard let age = DateKernels.age(x[row], y[row]) else {
              throw TemporalArithmetic.outOfRange(.interval)
            }
            return age
          }
        },
        ScalarOverload([.exactly(.timestamp)], returns: .interval, isVolatile: true) { a, n, t in
          let x = ColumnReader<Int64>(a[0])
          let today = Calendar.timestamp(days: Calendar.split(Clock.now()).days, microseconds: 0)
          return try Kernels.rows(a, n, t, Interval.self) { row in
            guard let age = DateKernels.age(today ?? 0, x[row]) else {
              throw TemporalArithmetic.outOfRange(.interval)
            }
            return age
          }
        },
      ]),
    ScalarFunction(
      "current_date", aliases: ["today"], category: "date", summary: "Today (UTC).", examples: [],
      overloads: [
        ScalarOverload([], returns: .date, isVolatile: true) { _, n, t in
          try Column.constant(.date(Calendar.split(Clock.now()).days), t, count: n)
        }
      ]),
    ScalarFunction(
      "current_time", aliases: ["get_current_time"], category: "date",
      summary: "The time of day (UTC).", examples: [],
      overloads: [
        ScalarOverload([], returns: .time, isVolatile: true) { _, n, t in
          try Column.constant(.time(Calendar.split(Clock.now()).microseconds), t, count: n)
        }
      ]),
    ScalarFunction(
      "current_timestamp", aliases: ["now", "get_current_timestamp", "transaction_timestamp"],
      category: "date", summary: "The moment (UTC) of the statement.", examples: [],
      overloads: [
        ScalarOverload([], returns: .timestamp, isVolatile: true) { _, n, t in
          try Column.constant(.timestamp(Clock.now()), t, count: n)
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
      ]),
    ScalarFunction(
      "date_diff", aliases: ["datediff"], category: "date",
      summary: "How many boundaries of a part (years, days, …) lie between two moments.",
      examples: [("date_diff('year', DATE '2023-12-31', DATE '2024-01-01')", "1")],
      overloads: differences(DateKernels.boundaries)),
    ScalarFunction(
      "date_sub", aliases: ["datesub"], category: "date",
      summary: "How many whole parts (years, days, …) lie between two moments.",
      examples: [("date_sub('year', DATE '2023-12-31', DATE '2024-01-01')", "0")],
      overloads: differences(DateKernels.wholeParts)),
    ScalarFunction(
      "date_trunc", aliases: ["datetrunc"], category: "date",
      summary: "The beginning of the part (month, hour, …) that the moment lies in.",
      examples: [("date_trunc('month', DATE '2024-05-17')", "2024-05-01 00:00:00")],
      overloads: [
        .taking([.varchar, .timestamp], returns: .timestamp) { a, n, t in
          let x = ColumnReader<Int64>(a[1])
          return try withParts(a[0]) { part in
            try Kernels.rows(a, n, t, Int64.self) { row in
              let wanted = try part(row)
              try DateKernels.checkTruncation(wanted)
              guard let start = DateKernels.truncated(x[row], wanted) else {
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
      ]),
    ScalarFunction(
      "epoch_ms", category: "date",
      summary: "Milliseconds since 1970, or the timestamp of so many.",
      examples: [("epoch_ms(TIMESTAMP '1970-01-01 00:00:01')", "1000")],
      overloads: sinceEpoch(unit: 1000)),
    ScalarFunction(
      "epoch_us", category: "date", summary: "Microseconds since 1970.",
      examples: [("epoch_us(TIMESTAMP '1970-01-01 00:00:01')", "1000000")],
      overloads: sinceEpoch(unit: 1)),
    ScalarFunction(
      "last_day", category: "date", summary: "The last day of the month.",
      examples: [("last_day(DATE '2024-02-10')", "2024-02-29")],
      overloads: [
        .taking([.date], returns: .date) { a, n, t in
          let x = ColumnReader<Int32>(a[0])
          return try Kernels.rows(a, n, t, Int32.self) { try lastDay(x[$0]) }
        },
        .taking([.timestamp], returns: .date) { a, n, t in
          let x = ColumnReader<Int64>(a[0])
          return try Kernels.rows(a, n, t, Int32.self) { try lastDay(Calendar.split(x[$0]).days) }
        },
      ]),
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
        ) { a, n, t in
          let parts = a.dropLast().map { ColumnReader<Int64>($0) }
          let seconds = ColumnReader<Double>(a[5])
          return try Kernels.rows(a, n, t, Int64.self) { row in
            guard
              let moment = Calendar.timestamp(
                days: try days(parts[0][row], parts[1][row], parts[2][row]),
                microseconds: try clock(parts[3][row], parts[4][row], seconds[row]))
            else { throw TemporalArithmetic.outOfRange(.timestamp) }
            return moment
          }
        },
        .taking([.bigint], returns: .timestamp) { a, _, t in a[0].reinterpreted(as: t) },
      ]),
    ScalarFunction(
      "time_bucket", category: "date",
      summary: "The beginning of the interval-wide bucket that the moment lies in.",
      examples: [
        ("time_bucket(INTERVAL 2 HOUR, TIMESTAMP '2024-01-01 05:30:00')", "2024-01-01 04:00:00")
      ],
      overloads: [
        bucket([.interval, .timestamp]), bucket([.interval, .date]),
        bucket([.interval, .timestamp, .interval]), bucket([.interval, .date, .interval]),
        bucket([.interval, .timestamp, .timestamp]), bucket([.interval, .date, .date]),
        bucket([.interval, .time]), bucket([.interval, .time, .interval]),
        bucket([.interval, .time, .time]),
      ]),
    ScalarFunction(
      "to_timestamp", category: "date", summary: "The timestamp of seconds since 1970.",
      examples: [("to_timestamp(1.5)", "1970-01-01 00:00:01.5")],
      overloads: [
        .taking([.double], returns: .timestamp) { a, n, t in
          let x = ColumnReader<Double>(a[0])
          return try Kernels.rows(a, n, t, Int64.self) { row in
            guard let moment = Int64(exactly: (x[row] * 1e6).rounded()) else {
              throw TemporalArithmetic.outOfRange(.timestamp)
            }
            return moment
          }
        }
      ]),
  ]

  // MARK: Parts

  /// Gives `body` the part for each row: parsed once when it is constant.
  static func withParts(
    _ names: Column, _ body: ((Int) throws -> DatePart) throws -> Column
  ) throws -> Column {
    let reader = ColumnReader<StringView>(names)
    if names.isConstant, names.count > 0 {
      let part = try DatePart.named(reader.pointer(0).buffer)
      return try body { _ in part }
    }
    return try body { row in try DatePart.named(reader.pointer(row).buffer) }
  }

  /// Of moments, or of times of one day.
  private static func differences(
    _ kernel: @escaping @Sendable (Int64, Int64, DatePart) -> Int64
  ) -> [ScalarOverload] {
    [LogicalType.timestamp, .time].map { type in
      .taking([.varchar, type, type], returns: .bigint) { a, n, t in
        let x = ColumnReader<Int64>(a[1])
        let y = ColumnReader<Int64>(a[2])
        return try withParts(a[0]) { part in
          try Kernels.rows(a, n, t, Int64.self) { row in
            let wanted = try part(row)
            let isWithin = (wanted.fixedMicroseconds ?? .max) <= Calendar.microsecondsPerHour
            if type == .time && !isWithin || wanted == .era {
              throw SQLError(.notSupported, "\(type) has no difference in units of \(wanted)")
            }
            return kernel(x[row], y[row], wanted)
          }
        }
      }
    }
  }

  private static func sinceEpoch(unit: Int64) -> [ScalarOverload] {
    [
      .taking([.timestamp], returns: .bigint) { a, n, t in
        Kernels.unary(a[0], n, t, Int64.self, Int64.self) { Rounding.divided($0, unit, .nearest) }
      },
      .taking([.time], returns: .bigint) { a, n, t in
        Kernels.unary(a[0], n, t, Int64.self, Int64.self) {
          Rounding.divided($0, unit, .towardZero)
        }
      },
      .taking([.date], returns: .bigint) { a, n, t in
        let perDay = Calendar.microsecondsPerDay / unit
        return Kernels.unary(a[0], n, t, Int32.self, Int64.self) { Int64($0) &* perDay }
      },
      .taking([.interval], returns: .bigint) { a, n, t in
        let x = ColumnReader<Interval>(a[0])
        return try Kernels.rows(a, n, t, Int64.self) { row in
          guard let micros = DatePart.microseconds(x[row]) else {
            throw TemporalArithmetic.outOfRange(.bigint)
          }
          return micros / unit
        }
      },
      .taking([.bigint], returns: .timestamp) { a, n, t in
        let x = ColumnReader<Int64>(a[0])
        return try Kernels.rows(a, n, t, Int64.self) { row in
          let (moment, overflows) = x[row].multipliedReportingOverflow(by: unit)
          if overflows { throw TemporalArithmetic.outOfRange(.timestamp) }
          return moment
        }
      },
    ]
  }

  /// A third argument is an interval that buckets are moved by, or a moment one begins at.
  private static func bucket(_ types: [LogicalType]) -> ScalarOverload {
    let moment = types[1]
    return .taking(types, returns: moment) { a, n, t in
      let widths = ColumnReader<Interval>(a[0])
      // A time of day is one of 1970-01-01.
      let moments =
        try moment == .time ? a[1].reinterpreted(as: .timestamp) : Cast.column(a[1], to: .timestamp)
      let more = try a.count > 2 && types[2] == .date ? Cast.column(a[2], to: .timestamp) : a.last
      let x = ColumnReader<Int64>(moments)
      let offsets =
        a.count > 2 && types[2] == .interval ? more.map { ColumnReader<Interval>($0) } : nil
      let origins =
        a.count > 2 && types[2] != .interval ? more.map { ColumnReader<Int64>($0) } : nil
      let starts = try withExtendedLifetime((moments, more)) {
        try Kernels.rows(a, n, .timestamp, Int64.self) { row in
          var start: Int64?
          if let offsets {
            let offset = offsets[row]
            start = try Calendar.negated(offset).flatMap { Calendar.add($0, toTimestamp: x[row]) }
              .flatMap { try DateKernels.bucket(widths[row], $0) }
              .flatMap { Calendar.add(offset, toTimestamp: $0) }
          } else {
            start = try DateKernels.bucket(widths[row], x[row], origin: origins?[row])
          }
          guard let start else { throw TemporalArithmetic.outOfRange(.timestamp) }
          return moment == .time ? Calendar.split(start).microseconds : start
        }
      }
      if moment == .time { return starts.reinterpreted(as: t) }
      return try Cast.column(starts, to: t)
    }
  }

  // MARK: Making

  private static func lastDay(_ days: Int32) throws -> Int32 {
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
    guard micros >= 0, micros < 60e6,
      let start = Calendar.clock(hour: Int(hour), minute: Int(minute), second: 0)
    else {
      throw SQLError(
        .conversion, "there is no time of hour \(hour), minute \(minute), second \(second)")
    }
    return start + Int64(micros)
  }
}

/// The system's clock, UTC.
package enum Clock {
  /// Microseconds since 1970.
  package static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }

  /// Functions that the binder replaces by constants, so that one statement sees one moment.
  package static let functions: Set<String> = [
    "current_date", "current_time", "current_timestamp",
  ]
}
