import Columnar
import Diagnostics

/// Casts between dates, times and timestamps of every kind. Between TIMESTAMPTZ and the kinds without
/// a zone stands the session's zone. Infinite values stay so; what is rounded is rounded half away
/// from zero.
enum TemporalCast {
  static func exists(_ from: LogicalType, _ to: LogicalType) -> Bool {
    switch (from, to) {
    case (.time, .timeTZ), (.timeTZ, .time): true
    case (.date, _): to.isTimestamp
    case (_, .date), (_, .timeTZ): from.isTimestamp
    // An instant has a time only with a zone: as in DuckDB, by way of TIMESTAMP or TIMETZ.
    case (_, .time): from.isTimestamp && from != .timestampTZ
    default: from.isTimestamp && to.isTimestamp
    }
  }

  /// The price of an implicit cast: DATE to timestamps, timestamps to finer units and to zones.
  static func implicitCost(_ from: LogicalType, _ to: LogicalType) -> Int? {
    switch (from, to) {
    case (.date, .timestamp): 2
    case (.date, .timestampSeconds), (.date, .timestampMilliseconds): 5
    case (.date, .timestampNanoseconds): 6
    case (.date, .timestampTZ): 4
    case (.time, .timeTZ): 3
    case (.timestampSeconds, .timestampMilliseconds): 3
    case (.timestampSeconds, .timestamp), (.timestampMilliseconds, .timestamp): 2
    case (.timestampNanoseconds, .timestamp): 2
    case (.timestampSeconds, .timestampNanoseconds),
      (.timestampMilliseconds, .timestampNanoseconds), (.timestamp, .timestampNanoseconds):
      5
    case (.timestampSeconds, .timestampTZ), (.timestampMilliseconds, .timestampTZ),
      (.timestampNanoseconds, .timestampTZ), (.timestamp, .timestampTZ):
      4
    default: nil
    }
  }

  /// The finer of two timestamps; one with a zone where there is one, but TIMESTAMP_NS keeps its
  /// digits.
  static func commonType(_ a: LogicalType, _ b: LogicalType) -> LogicalType? {
    switch (a, b) {
    case (.time, .timeTZ), (.timeTZ, .time): return .timeTZ
    case (.date, _): return b.isTimestamp ? b : nil
    case (_, .date): return a.isTimestamp ? a : nil
    default:
      guard a.isTimestamp && b.isTimestamp else { return nil }
      return rank(a) >= rank(b) ? a : b
    }
  }

  private static func rank(_ type: LogicalType) -> Int {
    switch type {
    case .timestampSeconds: 0
    case .timestampMilliseconds: 1
    case .timestamp: 2
    case .timestampTZ: 3
    default: 4
    }
  }

  /// The column, which is flat, as another type that `exists`.
  static func column(_ column: Column, to type: LogicalType, tryCast: Bool) throws -> Column {
    guard exists(column.type, type) else { throw Cast.noCast(column.type, type) }
    switch (column.type, type) {
    case (.timeTZ, .time):
      return Kernels.unary(column, column.count, type, UInt64.self, Int64.self) {
        ZonedTime.unpack($0).microseconds
      }
    case (.time, .timeTZ):
      let offset = SessionTime.currentOffset
      return Kernels.unary(column, column.count, type, Int64.self, UInt64.self) {
        ZonedTime.pack(microseconds: $0, offset: offset)
      }
    case (.date, .timestampTZ):
      var cursor = SessionTime.cursor
      return try convert(column, type, tryCast, Int32.self, Int64.self) { days in
        Calendar.timestamp(days: days, microseconds: 0).flatMap { cursor.instant($0) }
      }
    case (.date, .timestamp):
      return try convert(column, type, tryCast, Int32.self, Int64.self) {
        Calendar.timestamp(days: $0, microseconds: 0)
      }
    case (.date, _):
      let factor = unitsPerSecond(type) &* 86_400
      return try convert(column, type, tryCast, Int32.self, Int64.self) { days in
        if !Calendar.isFinite(days) { return days > 0 ? .max : 0 &- .max }
        let (value, overflows) = Int64(days).multipliedReportingOverflow(by: factor)
        return overflows ? nil : value
      }
    case (.timestampTZ, .timestamp):
      var cursor = SessionTime.cursor
      return try convert(column, type, tryCast, Int64.self, Int64.self) { cursor.local($0) }
    case (.timestampTZ, .date):
      var cursor = SessionTime.cursor
      return try convert(column, type, tryCast, Int64.self, Int32.self) { instant in
        cursor.local(instant).map { Calendar.day(of: $0) }
      }
    case (.timestampTZ, .timeTZ):
      var cursor = SessionTime.cursor
      return try Kernels.nullableRows([column], column.count, type, UInt64.self) { row in
        let instant = column.values(as: Int64.self)[row]
        guard Calendar.isFinite(instant), let local = cursor.local(instant) else { return nil }
        let offset = Int(cursor.offset(at: instant) / 1_000_000)
        return ZonedTime.pack(microseconds: Calendar.split(local).microseconds, offset: offset)
      }
    case (.timestampTZ, _):
      return try self.column(
        self.column(column, to: .timestamp, tryCast: tryCast), to: type, tryCast: tryCast)
    case (.timestamp, .timestampTZ):
      var cursor = SessionTime.cursor
      return try convert(column, type, tryCast, Int64.self, Int64.self) { cursor.instant($0) }
    case (.timestamp, .date):
      return Kernels.unary(column, column.count, type, Int64.self, Int32.self) {
        Calendar.day(of: $0)
      }
    case (.timestamp, .time):
      return try timeOfDay(column, type, tryCast, Int64.self) { $0 }
    case (.timestamp, .timeTZ):
      return try timeOfDay(column, type, tryCast, UInt64.self) {
        ZonedTime.pack(microseconds: $0, offset: 0)
      }
    case (_, .date), (_, .time), (_, .timeTZ), (_, .timestampTZ):
      return try self.column(
        self.column(column, to: .timestamp, tryCast: tryCast), to: type, tryCast: tryCast)
    default:
      return try rescaled(column, to: type, tryCast)
    }
  }

  // MARK: Units

  static func unitsPerSecond(_ type: LogicalType) -> Int64 {
    switch type {
    case .timestampSeconds: 1
    case .timestampMilliseconds: 1000
    case .timestampNanoseconds: 1_000_000_000
    default: 1_000_000
    }
  }

  private static func rescaled(
    _ column: Column, to type: LogicalType, _ tryCast: Bool
  ) throws -> Column {
    let (from, to) = (unitsPerSecond(column.type), unitsPerSecond(type))
    if from >= to {
      let factor = from / to
      return Kernels.unary(column, column.count, type, Int64.self, Int64.self) {
        Calendar.rounded($0, by: factor)
      }
    }
    let factor = to / from
    return try convert(column, type, tryCast, Int64.self, Int64.self) { value in
      if !Calendar.isFinite(value) { return value }
      let (scaled, overflows) = value.multipliedReportingOverflow(by: factor)
      if overflows || type == .timestamp && !Calendar.isInRange(scaled) { return nil }
      return scaled
    }
  }

  private static func timeOfDay<R: BitwiseCopyable>(
    _ column: Column, _ type: LogicalType, _ tryCast: Bool, _ r: R.Type, _ body: (Int64) -> R
  ) throws -> Column {
    try Kernels.nullableRows([column], column.count, type, r) { row in
      let value = column.values(as: Int64.self)[row]
      if Calendar.isFinite(value) { return body(Calendar.split(value).microseconds) }
      if tryCast { return nil }
      throw SQLError(.conversion, "an infinite timestamp has no time of day")
    }
  }

  @inline(__always)
  private static func convert<A: BitwiseCopyable, B: BitwiseCopyable>(
    _ column: Column, _ type: LogicalType, _ tryCast: Bool, _ a: A.Type, _ b: B.Type,
    _ operation: (A) -> B?
  ) throws -> Column {
    try Cast.convert(column, to: type, tryCast, a, b, operation)
  }
}
