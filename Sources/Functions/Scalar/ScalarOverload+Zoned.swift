import Columnar
import Diagnostics

extension ScalarOverload {
  /// The same overload for TIMESTAMPTZ in place of TIMESTAMP: the kernel sees what the session's
  /// clock shows, and a timestamp that it gives is a reading of that clock.
  func inSessionZone() -> ScalarOverload {
    let zoned = parameters.map { pattern -> TypePattern in
      if case .exactly(.timestamp) = pattern { .exactly(.timestampTZ) } else { pattern }
    }
    let (plainKernel, plainResult) = (kernel, result)
    return ScalarOverload(
      zoned,
      resultFrom: { types in
        let type = try plainResult(types.map { $0 == .timestampTZ ? .timestamp : $0 })
        return type == .timestamp ? .timestampTZ : type
      }, nulls: nullRule, isVolatile: isVolatile
    ) { arguments, count, type in
      let local = try arguments.map {
        $0.type == .timestampTZ ? try Cast.column($0, to: .timestamp) : $0
      }
      if type != .timestampTZ { return try plainKernel(local, count, type) }
      return try Cast.column(try plainKernel(local, count, .timestamp), to: .timestampTZ)
    }
  }
}

extension Array where Element == ScalarOverload {
  /// These, and those that take a TIMESTAMP also for TIMESTAMPTZ.
  var andInSessionZone: [ScalarOverload] {
    self
      + filter { overload in
        overload.parameters.contains { pattern in
          if case .exactly(.timestamp) = pattern { true } else { false }
        }
      }.map { $0.inSessionZone() }
  }
}

extension Kernels {
  /// `operation` of every row, without a branch; an infinite date or timestamp gives NULL.
  @inline(__always)
  static func ofFinite<
    A: SignedInteger & FixedWidthInteger & BitwiseCopyable, R: BitwiseCopyable
  >(
    _ column: Column, _ count: Int, _ type: LogicalType, _ a: A.Type, _ r: R.Type,
    _ operation: (A) -> R
  ) -> Column {
    let result = unary(column, count, type, a, r, operation)
    let reader = ColumnReader<A>(column)
    var infinite = 0
    for row in 0..<count { infinite |= Calendar.isFinite(reader[row]) ? 0 : 1 }
    if infinite == 0 { return result }
    let target = result.values(as: R.self)
    for row in 0..<count where !Calendar.isFinite(reader[row]) && !result.isNull(row) {
      clear(target + row)
      result.setNull(row)
    }
    return result
  }
}
