import Columnar
import Diagnostics
import Glibc

/// Casts among booleans, integers, decimals and floating point; the column is flat.
enum NumericCast {
  static func column(_ column: Column, to type: LogicalType, tryCast: Bool) throws -> Column {
    let job = Job(column: column, type: type, tryCast: tryCast)
    switch column.type {
    case .boolean:
      let wide = Kernels.unary(column, column.count, .utinyint, UInt8.self, UInt8.self) {
        $0 != 0 ? 1 : 0
      }
      return try Cast.flat(wide, to: type, tryCast: tryCast)
    case .float: return try fromFloating(job, Float.self)
    case .double: return try fromFloating(job, Double.self)
    case .decimal(_, let scale):
      guard
        let result = try withIntegerType(
          column.type.physical, DecimalSource(job: job, scale: scale))
      else { throw Cast.noCast(column.type, type) }
      return result
    default:
      guard let result = try withIntegerType(column.type.physical, IntegerSource(job: job)) else {
        throw Cast.noCast(column.type, type)
      }
      return result
    }
  }

  struct Job {
    let column: Column
    let type: LogicalType
    let tryCast: Bool

    @inline(__always)
    func convert<A: BitwiseCopyable, B: BitwiseCopyable>(
      _ a: A.Type, _ b: B.Type, _ operation: (A) -> B?
    ) throws -> Column {
      try Cast.convert(column, to: type, tryCast, a, b, operation)
    }

    @inline(__always)
    func map<A: BitwiseCopyable, B: BitwiseCopyable>(
      _ a: A.Type, _ b: B.Type, _ operation: (A) -> B
    ) -> Column {
      Kernels.unary(column, column.count, type, a, b, operation)
    }
  }

  // MARK: From integers

  private struct IntegerSource: IntegerTypeVisitor {
    let job: Job

    func visit<A: FixedWidthInteger & BitwiseCopyable>(_ a: A.Type) throws -> Column {
      switch job.type {
      case .boolean: return job.map(A.self, UInt8.self) { $0 != 0 ? 1 : 0 }
      case .float: return job.map(A.self, Float.self) { Float($0) }
      case .double: return job.map(A.self, Double.self) { Double(nearest: $0) }
      case .decimal(let precision, let scale):
        switch job.type.physical {
        case .int16: return try scaledUp(job, A.self, Int16.self, by: scale, precision)
        case .int32: return try scaledUp(job, A.self, Int32.self, by: scale, precision)
        case .int64: return try scaledUp(job, A.self, Int64.self, by: scale, precision)
        default: return try scaledUp(job, A.self, Int128.self, by: scale, precision)
        }
      default:
        guard
          let result = try withIntegerType(
            job.type.physical, IntegerTarget<A>(job: job))
        else { throw Cast.noCast(job.column.type, job.type) }
        return result
      }
    }
  }

  private struct IntegerTarget<A: FixedWidthInteger & BitwiseCopyable>: IntegerTypeVisitor {
    let job: Job

    func visit<B: FixedWidthInteger & BitwiseCopyable>(_ b: B.Type) throws -> Column {
      let widens =
        B.bitWidth > A.bitWidth && (B.isSigned || !A.isSigned)
        || B.bitWidth == A.bitWidth && B.isSigned == A.isSigned
      if widens { return job.map(A.self, B.self) { B(truncatingIfNeeded: $0) } }
      return try narrowed(job, A.self, B.self)
    }
  }

  /// Truncates the whole batch without a branch, and looks again only if something was lost.
  @inline(__always)
  private static func narrowed<
    A: FixedWidthInteger & BitwiseCopyable, B: FixedWidthInteger & BitwiseCopyable
  >(_ job: Job, _ a: A.Type, _ b: B.Type) throws -> Column {
    let column = job.column
    let count = column.count
    let source = column.values(as: A.self)
    let result = Column(flat: job.type, count: count)
    let target = result.values(as: B.self)
    var lost: A = 0
    for row in 0..<count {
      let value = source[row]
      let short = B(truncatingIfNeeded: value)
      target[row] = short
      // Back to A loses what was cut off; a sign that changed meaning shows in the top bit.
      let top: A = A.isSigned == B.isSigned ? 0 : (value >> A(truncatingIfNeeded: A.bitWidth - 1))
      let flipped: A = A.isSigned == B.isSigned ? 0 : (short < 0 ? 1 : 0)
      lost |= (A(truncatingIfNeeded: short) ^ value) | top | flipped
    }
    if lost == 0 {
      result.addNulls(of: column)
      return result
    }
    return try job.convert(A.self, B.self) { B(exactly: $0) }
  }

  // MARK: Decimals

  /// times 10^scale, which must stay below 10^precision.
  @inline(__always)
  private static func scaledUp<
    A: FixedWidthInteger & BitwiseCopyable,
    B: FixedWidthInteger & SignedInteger & BitwiseCopyable
  >(_ job: Job, _ a: A.Type, _ b: B.Type, by scale: Int, _ precision: Int) throws -> Column {
    guard precision >= scale else { throw Cast.noCast(job.column.type, job.type) }
    let factor = B(truncatingIfNeeded: TextParsing.powerOfTen(scale))
    // |value| below this fits: 10^(precision - scale).
    let bound = TextParsing.powerOfTen(precision - scale)
    guard let limit = B(exactly: bound) else { throw Cast.noCast(job.column.type, job.type) }
    if scale == 38 || B(exactly: TextParsing.powerOfTen(scale)) == nil {
      // Only 0 fits.
      return try job.convert(A.self, B.self) { $0 == 0 ? 0 : nil }
    }
    if let most = wholeBound(job.column.type, a), most <= bound {
      return job.map(A.self, B.self) { B(truncatingIfNeeded: $0) &* factor }
    }
    return try job.convert(A.self, B.self) { value in
      guard let narrow = B(exactly: value), narrow < limit, narrow > 0 &- limit else {
        return nil
      }
      return narrow &* factor
    }
  }

  /// What the unscaled values of a type are below, in magnitude; nil when 128 bits cannot say.
  private static func wholeBound<A: FixedWidthInteger>(
    _ type: LogicalType, _ a: A.Type
  ) -> Int128? {
    if case .decimal(let precision, _) = type { return TextParsing.powerOfTen(precision) }
    return A.bitWidth < 128 ? Int128(1) << (A.isSigned ? A.bitWidth - 1 : A.bitWidth) + 1 : nil
  }

  private struct DecimalSource: IntegerTypeVisitor {
    let job: Job
    let scale: Int

    func visit<A: FixedWidthInteger & BitwiseCopyable>(_ a: A.Type) throws -> Column {
      switch job.type {
      case .boolean: return job.map(A.self, UInt8.self) { $0 != 0 ? 1 : 0 }
      case .double: return toDouble(A.self, Double.self)
      case .float:
        let wide = Double(TextParsing.powerOfTen(scale))
        return job.map(A.self, Float.self) { Float(Double(nearest: $0) / wide) }
      case .decimal(let precision, let newScale):
        if newScale == scale, job.type.physical == job.column.type.physical,
          case .decimal(let digits, _) = job.column.type, digits <= precision
        {
          return job.column.reinterpreted(as: job.type)
        }
        if newScale >= scale {
          switch job.type.physical {
          case .int16:
            return try scaledUp(job, A.self, Int16.self, by: newScale - scale, precision)
          case .int32:
            return try scaledUp(job, A.self, Int32.self, by: newScale - scale, precision)
          case .int64:
            return try scaledUp(job, A.self, Int64.self, by: newScale - scale, precision)
          default:
            return try scaledUp(job, A.self, Int128.self, by: newScale - scale, precision)
          }
        }
        let bound = TextParsing.powerOfTen(precision)
        guard
          let result = try withIntegerType(
            job.type.physical,
            RoundedTarget<A>(job: job, digits: scale - newScale, bound: bound))
        else { throw Cast.noCast(job.column.type, job.type) }
        return result
      default:
        guard
          let result = try withIntegerType(
            job.type.physical, RoundedTarget<A>(job: job, digits: scale, bound: nil))
        else { throw Cast.noCast(job.column.type, job.type) }
        return result
      }
    }

    private func toDouble<A: FixedWidthInteger & BitwiseCopyable>(
      _ a: A.Type, _ b: Double.Type
    ) -> Column {
      let power = TextParsing.powerOfTen(scale)
      let wide = Double(power)
      if A.bitWidth < 64 || scale > 18 {
        return job.map(A.self, Double.self) { Double(nearest: $0) / wide }
      }
      // Past 2^53 whole and fraction apart lose less than the whole digits together.
      let divisor = A(truncatingIfNeeded: power)
      return job.map(A.self, Double.self) { value in
        if value.magnitude <= 1 << 53 { return Double(nearest: value) / wide }
        let (whole, rest) = value.quotientAndRemainder(dividingBy: divisor)
        return Double(nearest: whole) + Double(nearest: rest) / wide
      }
    }
  }

  /// A decimal without its last digits, rounded half away from zero.
  private struct RoundedTarget<A: FixedWidthInteger & BitwiseCopyable>: IntegerTypeVisitor {
    let job: Job
    let digits: Int
    let bound: Int128?

    func visit<B: FixedWidthInteger & BitwiseCopyable>(_ b: B.Type) throws -> Column {
      guard let divisor = A(exactly: TextParsing.powerOfTen(digits)) else {
        // The divisor is beyond every value of A: only rounding could leave anything, and does not
        // (|value| < 10^digits / 2 holds because A's precision is less than `digits`).
        return job.map(A.self, B.self) { _ in 0 }
      }
      let half = divisor / 2
      let limit = bound.flatMap { B(exactly: $0) }
      return try job.convert(A.self, B.self) { value in
        var (whole, rest) = value.quotientAndRemainder(dividingBy: divisor)
        if divisor > 1 {
          if rest >= half { whole = whole &+ 1 }
          if A.isSigned && rest <= 0 &- half { whole = whole &- 1 }
        }
        guard let narrow = B(exactly: whole) else { return nil }
        if let limit, narrow >= limit || narrow <= 0 &- limit { return nil }
        return narrow
      }
    }
  }

  // MARK: From floating point

  /// Rounded half to even. Adding 1.5 * 2^52 leaves no room for a fraction, which the processor then
  /// rounds away: no call, and loops of it are vectorised.
  @inline(__always)
  private static func nearest(_ value: Double) -> Double {
    let shift = 6_755_399_441_055_744.0
    return value.magnitude < 2_251_799_813_685_248 ? (value + shift) - shift : nearbyint(value)
  }

  @inline(__always)
  private static func fromFloating<A: BinaryFloatingPoint & BitwiseCopyable>(
    _ job: Job, _ a: A.Type
  ) throws -> Column {
    switch job.type {
    case .boolean: return job.map(A.self, UInt8.self) { $0 != 0 ? 1 : 0 }
    case .double: return job.map(A.self, Double.self) { Double($0) }
    case .float:
      return try job.convert(A.self, Float.self) { value in
        let narrow = Float(value)
        return narrow.isInfinite && value.isFinite ? nil : narrow
      }
    case .decimal(let precision, let scale):
      let factor = Double(TextParsing.powerOfTen(scale))
      let bound = Double(TextParsing.powerOfTen(precision))
      guard
        let result = try withIntegerType(
          job.type.physical, FloatingTarget<A>(job: job, factor: factor, bound: bound))
      else { throw Cast.noCast(job.column.type, job.type) }
      return result
    default:
      guard
        let result = try withIntegerType(
          job.type.physical, FloatingTarget<A>(job: job, factor: nil, bound: .infinity))
      else { throw Cast.noCast(job.column.type, job.type) }
      return result
    }
  }

  private struct FloatingTarget<A: BinaryFloatingPoint & BitwiseCopyable>: IntegerTypeVisitor {
    let job: Job
    let factor: Double?
    let bound: Double

    func visit<B: FixedWidthInteger & BitwiseCopyable>(_ b: B.Type) throws -> Column {
      // Powers of two are exact: the first value above the range, and the range's lowest.
      let above = scalbn(1.0, B.isSigned ? B.bitWidth - 1 : B.bitWidth)
      let lowest = B.isSigned ? -above : 0
      let (factor, bound) = (factor, bound)
      return try job.convert(A.self, B.self) { value in
        let rounded: Double
        if let factor {
          rounded = (Double(value) * factor).rounded(.toNearestOrAwayFromZero)
        } else {
          rounded = NumericCast.nearest(Double(value))
        }
        guard rounded < above, rounded >= lowest, abs(rounded) < bound else { return nil }
        // One instruction; the conversion to a type that is not known is a call.
        return B.bitWidth < 64 ? B(truncatingIfNeeded: Int64(rounded)) : B(rounded)
      }
    }
  }
}
