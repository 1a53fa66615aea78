import Columnar
import Diagnostics

/// Moments as numbers since 1970, and back.
enum EpochFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "epoch_ms", category: "date",
      summary: "Milliseconds since 1970, or the timestamp of so many.",
      examples: [("epoch_ms(TIMESTAMP '1970-01-01 00:00:01')", "1000")],
      overloads: counts(perSecond: 1000) + [ofMilliseconds]),
    ScalarFunction(
      "epoch_ns", category: "date", summary: "Nanoseconds since 1970, or of a time or interval.",
      examples: [("epoch_ns(TIMESTAMP '1970-01-01 00:00:01')", "1000000000")],
      overloads: counts(perSecond: 1_000_000_000) + [
        .taking([.timestampNanoseconds], returns: .bigint) { a, n, t in
          Kernels.ofFinite(a[0], n, t, Int64.self, Int64.self) { $0 }
        }
      ]),
    ScalarFunction(
      "epoch_us", category: "date", summary: "Microseconds since 1970.",
      examples: [("epoch_us(TIMESTAMP '1970-01-01 00:00:01')", "1000000")],
      overloads: counts(perSecond: 1_000_000)),
    ScalarFunction(
      "make_timestamp_ms", category: "date", summary: "The timestamp of milliseconds since 1970.",
      examples: [("make_timestamp_ms(1500)", "1970-01-01 00:00:01.5")],
      overloads: [ofMilliseconds]),
    ScalarFunction(
      "make_timestamp_ns", category: "date", summary: "The timestamp of nanoseconds since 1970.",
      examples: [("make_timestamp_ns(1500)", "1970-01-01 00:00:00.0000015")],
      overloads: [
        .taking([.bigint], returns: .timestampNanoseconds) { a, n, t in
          let x = ColumnReader<Int64>(a[0])
          return try Kernels.rows(a, n, t, Int64.self) { row in
            guard Calendar.isFinite(x[row]) else { throw TemporalArithmetic.outOfRange(t) }
            return x[row]
          }
        }
      ]),
    ScalarFunction(
      "to_timestamp", category: "date", summary: "The instant of seconds since 1970.",
      examples: [("epoch(to_timestamp(1.5))", "1.5")],
      overloads: [
        .taking([.double], returns: .timestampTZ) { a, n, t in
          let x = ColumnReader<Double>(a[0])
          return try Kernels.rows(a, n, t, Int64.self) { row in
            guard let moment = Int64(exactly: (x[row] * 1e6).rounded()),
              Calendar.isInRange(moment)
            else { throw TemporalArithmetic.outOfRange(.timestampTZ) }
            return moment
          }
        }
      ]),
  ]

  private static let ofMilliseconds = ScalarOverload.taking([.bigint], returns: .timestamp) {
    a, n, t in
    let x = ColumnReader<Int64>(a[0])
    return try Kernels.rows(a, n, t, Int64.self) { row in
      let (moment, overflows) = x[row].multipliedReportingOverflow(by: 1000)
      if overflows || !Calendar.isInRange(moment) { throw TemporalArithmetic.outOfRange(t) }
      return moment
    }
  }

  /// Units since 1970, rounded, or whole ones since midnight, or of an interval, whose months have
  /// 30 days. An infinite moment gives NULL.
  private static func counts(perSecond: Int64) -> [ScalarOverload] {
    [
      counts(perSecond, .date, Int32.self) { days in
        Calendar.isFinite(days) ? Int128(days) * Int128(Calendar.microsecondsPerDay) : nil
      },
      counts(perSecond, .timestamp, Int64.self) { Calendar.isFinite($0) ? Int128($0) : nil },
      counts(perSecond, .timestampTZ, Int64.self) { Calendar.isFinite($0) ? Int128($0) : nil },
      counts(perSecond, .time, Int64.self) { Int128($0) },
      counts(perSecond, .timeTZ, UInt64.self) { Int128(ZonedTime.unpack($0).microseconds) },
      counts(perSecond, .interval, Interval.self) { interval in
        let days = Int128(interval.months) * 30 + Int128(interval.days)
        return days * Int128(Calendar.microsecondsPerDay) + Int128(interval.microseconds)
      },
    ]
  }

  private static func counts<T: BitwiseCopyable>(
    _ perSecond: Int64, _ type: LogicalType, _: T.Type,
    _ micros: @escaping @Sendable (T) -> Int128?
  ) -> ScalarOverload {
    let up = Int128(max(1, perSecond / 1_000_000))
    let down = Int128(max(1, 1_000_000 / perSecond))
    let half = type.isTimestamp ? down / 2 : 0
    return .taking([type], returns: .bigint) { a, n, t in
      let x = ColumnReader<T>(a[0])
      return try Kernels.nullableRows(a, n, t, Int64.self) { row in
        guard let value = micros(x[row]) else { return nil }
        guard let count = Int64(exactly: (value * up + (value < 0 ? -half : half)) / down) else {
          throw TemporalArithmetic.outOfRange(.bigint)
        }
        return count
      }
    }
  }
}
