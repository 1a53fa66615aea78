import Columnar
import Diagnostics

/// date_part and a function for each part; names of days and months; interval constructors.
enum DatePartFunctions {
  static let rows: [ScalarFunction] = parts + names + intervals

  private static let names: [ScalarFunction] = [
    ScalarFunction(
      "date_part", aliases: ["datepart", "extract"], category: "date",
      summary: "A part of a date, time, timestamp or interval by its name.",
      examples: [("date_part('year', DATE '2024-05-17')", "2024")], overloads: byName,
      signature: { try MomentFunctions.partSignature($0) }),
    ScalarFunction(
      "dayname", category: "date", summary: "The weekday in English.",
      examples: [("dayname(DATE '2024-02-29')", "Thursday")],
      overloads: named { DateNames.days[Calendar.dayOfWeek($0)] }),
    ScalarFunction(
      "epoch", category: "date", summary: "Seconds since 1970, or of an interval.",
      examples: [("epoch(TIMESTAMP '1970-01-01 00:01:00.5')", "60.5")],
      overloads: [
        .taking([.date], returns: .double) { a, n, t in
          Kernels.ofFinite(a[0], n, t, Int32.self, Double.self) { Double($0) * 86_400 }
        },
        .taking([.timestamp], returns: .double) { a, n, t in
          Kernels.ofFinite(a[0], n, t, Int64.self, Double.self) { Double($0) / 1e6 }
        },
        .taking([.timestampTZ], returns: .double) { a, n, t in
          Kernels.ofFinite(a[0], n, t, Int64.self, Double.self) { Double($0) / 1e6 }
        },
        .taking([.timeTZ], returns: .double) { a, n, t in
          Kernels.unary(a[0], n, t, UInt64.self, Double.self) {
            Double(ZonedTime.unpack($0).microseconds) / 1e6
          }
        },
        .taking([.time], returns: .double) { a, n, t in
          Kernels.unary(a[0], n, t, Int64.self, Double.self) { Double($0) / 1e6 }
        },
        .taking([.interval], returns: .double) { a, n, t in
          Kernels.unary(a[0], n, t, Interval.self, Double.self) { DatePart.seconds($0) }
        },
      ]),
    ScalarFunction(
      "julian", category: "date", summary: "Days since the beginning of the Julian calendar.",
      examples: [("julian(TIMESTAMP '2024-01-01 12:00:00')", "2460311.5")],
      overloads: [
        .taking([.date], returns: .double) { a, n, t in
          Kernels.ofFinite(a[0], n, t, Int32.self, Double.self) { Double($0) + 2_440_588 }
        },
        .taking([.timestamp], returns: .double) { a, n, t in
          Kernels.ofFinite(a[0], n, t, Int64.self, Double.self) {
            Double($0) / 86_400_000_000 + 2_440_588
          }
        },
      ].andInSessionZone),
    ScalarFunction(
      "monthname", category: "date", summary: "The month in English.",
      examples: [("monthname(DATE '2024-02-29')", "February")],
      overloads: named { DateNames.months[Calendar.civil($0).month - 1] }),
  ]

  private static let parts: [ScalarFunction] = [
    part(.century, "Century.", "21"),
    part(.day, aliases: ["dayofmonth"], "Day of the month.", "17"),
    part(.dayofweek, aliases: ["weekday", "dow"], "Day of the week, Sunday 0.", "5"),
    part(.dayofyear, aliases: ["doy"], "Day of the year.", "138"),
    part(.decade, "Year divided by ten.", "202"),
    part(.era, "1 for our era, 0 before.", "1"),
    part(.hour, "Hour.", "0"),
    part(.isodow, "Day of the week, Monday 1 to Sunday 7.", "5"),
    part(.isoyear, aliases: ["weekyear"], "The year of the ISO week.", "2024"),
    part(.microsecond, "Microseconds within the minute.", "0"),
    part(.millennium, "Millennium.", "3"),
    part(.millisecond, "Milliseconds within the minute.", "0"),
    part(.minute, "Minute.", "0"),
    part(.month, "Month, from 1.", "5"),
    part(.nanosecond, "Nanoseconds within the minute.", "0"),
    part(.quarter, "Quarter, from 1.", "2"),
    part(.second, "Whole seconds within the minute.", "0"),
    part(.week, aliases: ["weekofyear"], "ISO week.", "20"),
    part(.year, "Year.", "2024"),
    part(.yearweek, "ISO year and week as one number.", "202420"),
  ]

  private static let intervals: [ScalarFunction] = [
    interval("to_centuries", months: 1200),
    interval("to_days", days: 1),
    interval("to_decades", months: 120),
    interval("to_hours", microseconds: Calendar.microsecondsPerHour),
    interval("to_microseconds", microseconds: 1),
    interval("to_millennia", months: 12_000),
    fractional("to_milliseconds", microseconds: 1000),
    interval("to_minutes", microseconds: Calendar.microsecondsPerMinute),
    interval("to_months", months: 1),
    interval("to_quarters", months: 3),
    fractional("to_seconds", microseconds: 1_000_000),
    interval("to_weeks", days: 7),
    interval("to_years", months: 12),
  ]

  static func part(
    _ part: DatePart, aliases: [String] = [], _ summary: String, _ example: String
  ) -> ScalarFunction {
    ScalarFunction(
      part.functionName, aliases: aliases, category: "date", summary: summary,
      examples: [
        ("\(part.functionName)(\(part.isOfZone ? "TIMESTAMP" : "DATE") '2024-05-17')", example)
      ],
      overloads: overloads(part))
  }

  static func overloads(_ part: DatePart) -> [ScalarOverload] {
    let date: ScalarOverload = .taking([.date], returns: .bigint) { a, n, t in
      if let field = DayTable.Field.of(part) {
        let table = DayTable.shared
        return Kernels.ofFinite(a[0], n, t, Int32.self, Int64.self) {
          table.value(field, of: $0) ?? part.value($0, 0)
        }
      }
      return Kernels.ofFinite(a[0], n, t, Int32.self, Int64.self) { part.value($0, 0) }
    }
    let interval: ScalarOverload = .taking([.interval], returns: .bigint) { a, n, t in
      let x = ColumnReader<Interval>(a[0])
      return Kernels.nullableRows(a, n, t, Int64.self) { part.value(x[$0]) }
    }
    var all: [ScalarOverload] = [
      part.isPart(of: .date) ? date : refusing(part, .date),
      .taking([.timestamp], returns: .bigint) { a, n, t in
        if let field = DayTable.Field.of(part) {
          let table = DayTable.shared
          return Kernels.ofFinite(a[0], n, t, Int64.self, Int64.self) {
            let days = Calendar.split($0).days
            return table.value(field, of: days) ?? part.value(days, 0)
          }
        }
        return Kernels.ofFinite(a[0], n, t, Int64.self, Int64.self) {
          let (days, clock) = Calendar.split($0)
          return part.value(days, clock)
        }
      },
      .taking([.timestampTZ], returns: .bigint) { a, n, t in
        let x = ColumnReader<Int64>(a[0])
        var cursor = SessionTime.cursor
        return Kernels.nullableRows(a, n, t, Int64.self) { row in
          part.value(instant: x[row], &cursor)
        }
      },
      part.isPart(of: .interval) ? interval : refusing(part, .interval),
    ]
    if part.isPart(of: .time) { all += ofTimes(part) }
    if part != .nanosecond { return all }
    // A TIMESTAMP_NS has more digits than others.
    return all + [
      .taking([.timestampNanoseconds], returns: .bigint) { a, n, t in
        Kernels.ofFinite(a[0], n, t, Int64.self, Int64.self) { value in
          let rest = value % 60_000_000_000
          return rest < 0 ? rest &+ 60_000_000_000 : rest
        }
      }
    ]
  }

  private static func ofTimes(_ part: DatePart) -> [ScalarOverload] {
    [
      .taking([.timeTZ], returns: .bigint) { a, n, t in
        Kernels.unary(a[0], n, t, UInt64.self, Int64.self) { part.value(timeTZ: $0) }
      },
      .taking([.time], returns: .bigint) { a, n, t in
        Kernels.unary(a[0], n, t, Int64.self, Int64.self) { part.value(0, $0) }
      },
    ]
  }

  /// For a type whose values do not have the part: an error, or NULL of NULL.
  static func refusing(_ part: DatePart, _ type: LogicalType) -> ScalarOverload {
    .taking([type], returns: .bigint) { a, n, t in
      try Kernels.rows(a, n, t, Int64.self) { _ in
        try part.check(of: type)
        return 0
      }
    }
  }

  private static let byName: [ScalarOverload] = [
    .taking([.varchar, .date], returns: .bigint) { a, n, t in
      let x = ColumnReader<Int32>(a[1])
      return try DateFunctions.withParts(a[0], accepts: { try $0.check(of: .date) }) { part in
        try Kernels.nullableRows(a, n, t, Int64.self) { row in
          Calendar.isFinite(x[row]) ? try part(row).value(x[row], 0) : nil
        }
      }
    },
    .taking([.varchar, .timestamp], returns: .bigint) { a, n, t in
      let x = ColumnReader<Int64>(a[1])
      return try DateFunctions.withParts(a[0]) { part in
        try Kernels.nullableRows(a, n, t, Int64.self) { row in
          if !Calendar.isFinite(x[row]) { return nil }
          let (days, clock) = Calendar.split(x[row])
          return try part(row).value(days, clock)
        }
      }
    },
    .taking([.varchar, .timestampTZ], returns: .bigint) { a, n, t in
      let x = ColumnReader<Int64>(a[1])
      var cursor = SessionTime.cursor
      return try DateFunctions.withParts(a[0]) { part in
        try Kernels.nullableRows(a, n, t, Int64.self) { row in
          try part(row).value(instant: x[row], &cursor)
        }
      }
    },
    .taking([.varchar, .timeTZ], returns: .bigint) { a, n, t in
      let x = ColumnReader<UInt64>(a[1])
      return try DateFunctions.withParts(a[0], accepts: { try $0.check(of: .timeTZ) }) { part in
        try Kernels.rows(a, n, t, Int64.self) { try part($0).value(timeTZ: x[$0]) }
      }
    },
    .taking([.varchar, .time], returns: .bigint) { a, n, t in
      let x = ColumnReader<Int64>(a[1])
      return try DateFunctions.withParts(a[0], accepts: { try $0.check(of: .time) }) { part in
        try Kernels.rows(a, n, t, Int64.self) { try part($0).value(0, x[$0]) }
      }
    },
    .taking([.varchar, .interval], returns: .bigint) { a, n, t in
      let x = ColumnReader<Interval>(a[1])
      return try DateFunctions.withParts(a[0], accepts: { try $0.check(of: .interval) }) { part in
        try Kernels.nullableRows(a, n, t, Int64.self) { try part($0).value(x[$0]) }
      }
    },
  ]

  private static func named(_ name: @escaping @Sendable (Int32) -> String) -> [ScalarOverload] {
    [
      .taking([.date], returns: .varchar) { a, n, _ in
        let x = ColumnReader<Int32>(a[0])
        return try Kernels.nullableTexts(a, n) { row, buffer in
          if !Calendar.isFinite(x[row]) { return false }
          try buffer.append(name(x[row]))
          return true
        }
      },
      .taking([.timestamp], returns: .varchar) { a, n, _ in
        let x = ColumnReader<Int64>(a[0])
        return try Kernels.nullableTexts(a, n) { row, buffer in
          if !Calendar.isFinite(x[row]) { return false }
          try buffer.append(name(Calendar.split(x[row]).days))
          return true
        }
      },
    ].andInSessionZone
  }

  private static func interval(
    _ name: String, months: Int64 = 0, days: Int64 = 0, microseconds: Int64 = 0
  ) -> ScalarFunction {
    let unit = name.dropFirst(3)
    return ScalarFunction(
      name, category: "date", summary: "An interval of so many \(unit).",
      examples: [("\(name)(0)", "00:00:00")],
      overloads: [
        .taking([.bigint], returns: .interval) { a, n, t in
          let x = ColumnReader<Int64>(a[0])
          return try Kernels.rows(a, n, t, Interval.self) { row in
            let m = x[row].multipliedReportingOverflow(by: months)
            let d = x[row].multipliedReportingOverflow(by: days)
            let u = x[row].multipliedReportingOverflow(by: microseconds)
            guard !m.overflow, !d.overflow, !u.overflow,
              let wholeMonths = Int32(exactly: m.partialValue),
              let wholeDays = Int32(exactly: d.partialValue)
            else { throw TemporalArithmetic.outOfRange(.interval) }
            return Interval(
              months: wholeMonths, days: wholeDays, microseconds: u.partialValue)
          }
        }
      ])
  }

  /// Rounded to microseconds.
  private static func fractional(_ name: String, microseconds: Double) -> ScalarFunction {
    ScalarFunction(
      name, category: "date", summary: "An interval of so many \(name.dropFirst(3)).",
      examples: [("\(name)(0)", "00:00:00")],
      overloads: [
        .taking([.double], returns: .interval) { a, n, t in
          let x = ColumnReader<Double>(a[0])
          return try Kernels.rows(a, n, t, Interval.self) { row in
            guard let micros = Int64(exactly: (x[row] * microseconds).rounded()) else {
              throw TemporalArithmetic.outOfRange(.interval)
            }
            return Interval(microseconds: micros)
          }
        }
      ])
  }
}

/// English names of days and months.
enum DateNames {
  static let days: [String] = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]
  static let months: [String] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
}
