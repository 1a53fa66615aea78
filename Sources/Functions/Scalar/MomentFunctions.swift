import Columnar
import Diagnostics

/// More of dates: parts as a struct, months' lengths, the local clock, bins.
enum MomentFunctions {
  static let rows: [ScalarFunction] =
    [
      ScalarFunction(
        "current_localtime", category: "date", summary: "The time of day (UTC), without a zone.",
        examples: [],
        overloads: [
          ScalarOverload([], returns: .time, isVolatile: true) { _, n, t in
            try Column.constant(.time(Calendar.split(Clock.now()).microseconds), t, count: n)
          }
        ]),
      ScalarFunction(
        "current_localtimestamp", category: "date", summary: "The moment (UTC), without a zone.",
        examples: [],
        overloads: [
          ScalarOverload([], returns: .timestamp, isVolatile: true) { _, n, t in
            try Column.constant(.timestamp(Clock.now()), t, count: n)
          }
        ]),
      ScalarFunction(
        "days_in_month", category: "date", summary: "How many days the month has.",
        examples: [("days_in_month(DATE '2024-02-10')", "29")],
        overloads: [
          .taking([.date], returns: .bigint) { a, n, t in
            Kernels.unary(a[0], n, t, Int32.self, Int64.self) { length($0) }
          },
          .taking([.timestamp], returns: .bigint) { a, n, t in
            Kernels.unary(a[0], n, t, Int64.self, Int64.self) { length(Calendar.split($0).days) }
          },
        ]),
      ScalarFunction(
        "epoch_ns", category: "date", summary: "Nanoseconds since 1970, or of a time or interval.",
        examples: [("epoch_ns(TIMESTAMP '1970-01-01 00:00:01')", "1000000000")],
        overloads: [
          nanoseconds(.timestamp, Int64.self) { $0 }, nanoseconds(.time, Int64.self) { $0 },
          nanoseconds(.date, Int32.self) {
            Calendar.timestamp(days: $0, microseconds: 0)
          },
          nanoseconds(.interval, Interval.self) { DatePart.microseconds($0) },
        ]),
      ScalarFunction(
        "make_timestamp_ms", category: "date", summary: "The timestamp of milliseconds since 1970.",
        examples: [("make_timestamp_ms(1500)", "1970-01-01 00:00:01.5")],
        overloads: [
          .taking([.bigint], returns: .timestamp) { a, n, t in
            let x = ColumnReader<Int64>(a[0])
            return try Kernels.rows(a, n, t, Int64.self) { row in
              let (moment, overflows) = x[row].multipliedReportingOverflow(by: 1000)
              if overflows { throw TemporalArithmetic.outOfRange(.timestamp) }
              return moment
            }
          }
        ]),
      ScalarFunction(
        "normalized_interval", category: "date",
        summary: "The interval with hours carried over into days, and days into months.",
        examples: [
          ("normalized_interval(INTERVAL '40 days 25 hours')", "1 month 11 days 01:00:00")
        ],
        overloads: [
          .taking([.interval], returns: .interval) { a, n, t in
            let x = ColumnReader<Interval>(a[0])
            return try Kernels.rows(a, n, t, Interval.self) { row in
              let parts = x[row].normalized
              guard let months = Int32(exactly: parts.months), let days = Int32(exactly: parts.days)
              else { throw TemporalArithmetic.outOfRange(.interval) }
              return Interval(months: months, days: days, microseconds: parts.microseconds)
            }
          }
        ]),
    ] + zones

  /// Moments have no zone yet, so that theirs is UTC.
  private static let zones = ["timezone_hour", "timezone_minute"].map { name in
    ScalarFunction(
      name, category: "date", summary: "The zone's distance from UTC: always 0.",
      examples: [("\(name)(TIMESTAMP '2024-01-01 00:00:00')", "0")],
      overloads: [LogicalType.timestamp, .time, .interval].map { type in
        .taking([type], returns: .bigint) { a, n, t in
          Kernels.rows(a, n, t, Int64.self) { _ in 0 }
        }
      } + [
        .taking([.date], returns: .bigint) { _, _, _ in
          throw SQLError(.notSupported, "a date has no zone: \(name) takes moments and times")
        }
      ])
  }

  private static func length(_ days: Int32) -> Int64 {
    let date = Calendar.civil(days)
    return Int64(Calendar.daysInMonth(date.year, date.month))
  }

  private static func nanoseconds<T: BitwiseCopyable>(
    _ type: LogicalType, _: T.Type, _ micros: @escaping @Sendable (T) -> Int64?
  ) -> ScalarOverload {
    .taking([type], returns: .bigint) { a, n, t in
      let x = ColumnReader<T>(a[0])
      return try Kernels.rows(a, n, t, Int64.self) { row in
        guard let value = micros(x[row]) else { throw TemporalArithmetic.outOfRange(.bigint) }
        let (nanos, overflows) = value.multipliedReportingOverflow(by: 1000)
        if overflows { throw TemporalArithmetic.outOfRange(.bigint) }
        return nanos
      }
    }
  }

  // MARK: date_part

  /// With a list of parts a struct of them; epoch and julian, which have fractions, as DOUBLE.
  static func partSignature(
    _ arguments: [CallArgument]
  ) throws -> (overload: ScalarOverload, types: [LogicalType])? {
    guard arguments.count == 2 else { return nil }
    if let name = arguments[0].text, let part = DatePart(named: name),
      part == .epoch || part == .julian
    {
      let found = try ScalarFunctions.resolve(
        name: part.functionName, arguments: [arguments[1].type])
      let kernel = found.overload.kernel
      return (
        ScalarOverload([.any, .any], returns: .double) { a, n, t in try kernel([a[1]], n, t) },
        [.varchar, found.argumentTypes[0]]
      )
    }
    guard case .list(let names)? = arguments[0].value else { return nil }
    var fields: [Field] = []
    var parts: [ResolvedScalar] = []
    for case .varchar(let name) in names {
      guard let part = DatePart(named: name) else {
        throw SQLError(.invalidInput, "there is no date part '\(name)'")
      }
      let found = try ScalarFunctions.resolve(
        name: part.functionName, arguments: [arguments[1].type])
      fields.append(Field(name, found.resultType))
      parts.append(found)
    }
    guard !fields.isEmpty else { throw SQLError(.binder, "date_part needs a part") }
    let (type, resolved) = (LogicalType.structure(fields), parts)
    return (
      ScalarOverload([.any, .any], returns: type) { a, n, t in
        let children = try resolved.map { part in
          try part.overload.kernel(
            [try Cast.column(a[1], to: part.argumentTypes[0])], n, part.resultType
          ).flattened()
        }
        let result = Column(flat: t, count: n, children: children)
        result.addNulls(of: a[1])
        return result
      }, [.list(.varchar), arguments[1].type]
    )
  }
}
