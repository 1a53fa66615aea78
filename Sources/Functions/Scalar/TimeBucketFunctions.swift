import Columnar
import Diagnostics

/// time_bucket: moments cut to multiples of an interval.
enum TimeBucketFunctions {
  static let rows: [ScalarFunction] = [
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
        bucket([.interval, .timestampTZ]), bucket([.interval, .timestampTZ, .interval]),
        bucket([.interval, .timestampTZ, .timestampTZ]), zonedBucket, timeBucket([]),
        timeBucket([.interval]), timeBucket([.time]),
      ])
  ]

  /// A third argument is an interval that buckets are moved by, or a moment one begins at.
  private static func bucket(_ types: [LogicalType]) -> ScalarOverload {
    let moment = types[1]
    return .taking(types, returns: moment) { a, n, t in
      let widths = ColumnReader<Interval>(a[0])
      // Buckets of instants are those of UTC.
      let moments = try plain(a[1])
      let more = try a.count > 2 && types[2] != .interval ? plain(a[2]) : a.last
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
          return start
        }
      }
      return t == .timestampTZ ? starts.reinterpreted(as: t) : try Cast.column(starts, to: t)
    }
  }

  private static func plain(_ moments: Column) throws -> Column {
    moments.type == .timestampTZ
      ? moments.reinterpreted(as: .timestamp) : try Cast.column(moments, to: .timestamp)
  }

  /// Buckets of the calendar of a zone.
  private static let zonedBucket = ScalarOverload.taking(
    [.interval, .timestampTZ, .varchar], returns: .timestampTZ
  ) { a, n, t in
    let widths = ColumnReader<Interval>(a[0])
    let x = ColumnReader<Int64>(a[1])
    let names = ColumnReader<StringView>(a[2])
    var cursor: ZoneCursor?
    return try Kernels.rows(a, n, t, Int64.self) { row in
      if cursor == nil || !a[2].isConstant {
        cursor = ZoneCursor(try ZoneFunctions.zone(names[row].string))
      }
      let width = widths[row]
      if width.months == 0, width.days == 0 {
        // Lengths of time, from the zone's first Monday of 2000 on.
        guard let origin = cursor?.instant(DateKernels.firstMonday),
          let start = try DateKernels.bucket(width, x[row], origin: origin)
        else { throw TemporalArithmetic.outOfRange(.timestampTZ) }
        return start
      }
      guard let local = cursor?.local(x[row]),
        let start = try DateKernels.bucket(width, local),
        let instant = cursor?.instant(start)
      else { throw TemporalArithmetic.outOfRange(.timestampTZ) }
      return instant
    }
  }

  /// Buckets of the time of day, from midnight, moved by an interval or from a time on.
  private static func timeBucket(_ more: [LogicalType]) -> ScalarOverload {
    .taking([.interval, .time] + more, returns: .time) { a, n, t in
      let widths = ColumnReader<Interval>(a[0])
      let x = ColumnReader<Int64>(a[1])
      let moves = more == [.interval] ? ColumnReader<Interval>(a[2]) : nil
      let origins = more == [.time] ? ColumnReader<Int64>(a[2]) : nil
      return try Kernels.rows(a, n, t, Int64.self) { row in
        let width = widths[row]
        let day = Calendar.microsecondsPerDay
        let given = origins?[row] ?? (moves?[row].microseconds ?? 0) % day
        // A bucket of months holds the whole day, whatever time an origin names.
        if width.months > 0, width.days == 0, width.microseconds == 0 {
          return origins != nil ? 0 : given < 0 ? given + day : given
        }
        let (days, isTooLong) = Int64(width.days).multipliedReportingOverflow(by: day)
        let (length, isLonger) = days.addingReportingOverflow(width.microseconds)
        guard width.months == 0, !isTooLong, !isLonger, length > 0 else {
          throw SQLError(
            .invalidInput, "the width of a bucket of times is a positive length of time")
        }
        // Counted from the first Monday of 2000, as buckets of timestamps.
        let origin = origins == nil ? DateKernels.firstMonday % length + given : given
        let start = DateKernels.floored(Int(x[row] &- origin), Int(length))
        let (begin, overflows) = Int64(start).multipliedReportingOverflow(by: length)
        let (moved, exceeds) = begin.addingReportingOverflow(origin)
        if overflows || exceeds { throw TemporalArithmetic.outOfRange(.time) }
        let wrapped = moved % day
        return wrapped < 0 ? wrapped &+ day : wrapped
      }
    }
  }
}
