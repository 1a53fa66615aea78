import Columnar
import Diagnostics

/// The elements of one `range` or `generate_series`: by arithmetic, or laid out where the steps are
/// months, which differ in length.
package struct Series: Sendable {
  package let count: Int
  private let start: Int64
  private let step: Int64
  private let laidOut: [Int64]

  package static let empty = Series(numbers: [], isInclusive: false)

  /// One argument is the stop, two are start and stop, a third is the step. A step of 0 gives
  /// nothing.
  package init(numbers: [Int64], isInclusive: Bool) {
    laidOut = []
    guard let first = numbers.first else {
      (start, step, count) = (0, 1, 0)
      return
    }
    start = numbers.count == 1 ? 0 : first
    step = numbers.count == 3 ? numbers[2] : 1
    let stop = numbers.count == 1 ? first : numbers[1]
    let distance = Int128(stop) - Int128(start)
    let width = Int128(step)
    if width == 0 || (distance != 0 && (distance > 0) != (width > 0))
      || (distance == 0 && !isInclusive)
    {
      count = 0
      return
    }
    let whole = distance / width
    count = Int(clamping: isInclusive || distance % width != 0 ? whole + 1 : whole)
  }

  /// Timestamps from `start`, each an interval after the last. An interval of 0 gives nothing; one
  /// with parts of both signs is an error.
  /// With a cursor these are instants, and days and months those of the zone's calendar.
  package init(
    from start: Int64, to stop: Int64, by step: Interval, isInclusive: Bool,
    zone: ZoneCursor? = nil
  ) throws {
    let parts = [Int64(step.months), Int64(step.days), step.microseconds]
    let goesDown = parts.contains { $0 < 0 }
    if goesDown && parts.contains(where: { $0 > 0 }) { throw Series.mixedSigns() }
    if !Calendar.isFinite(start) || !Calendar.isFinite(stop) {
      throw Series.infinite()
    }
    if step.months == 0 && (zone == nil || step.days == 0) {
      let (micros, overflows) = Int64(step.days).multipliedReportingOverflow(
        by: Calendar.microsecondsPerDay)
      let (width, overflowsToo) = micros.addingReportingOverflow(step.microseconds)
      if overflows || overflowsToo { throw TemporalArithmetic.outOfRange(.interval) }
      self.init(numbers: [start, stop, width], isInclusive: isInclusive)
      return
    }
    var values: [Int64] = []
    var next: Int64? = start
    var zone = zone
    while let value = next,
      isInclusive && value == stop || (goesDown ? value > stop : value < stop)
    {
      values.append(value)
      if values.count > Series.mostLaidOut { throw Series.tooLong() }
      if zone == nil {
        next = Calendar.add(step, toTimestamp: value)
      } else {
        next = zone.flatMap { cursor in
          var own = cursor
          let moved = ZonedArithmetic.add(step, to: value, &own)
          zone = own
          return moved
        }
      }
    }
    self.init(laidOut: values)
  }

  private init(laidOut: [Int64]) {
    (count, start, step) = (laidOut.count, 0, 0)
    self.laidOut = laidOut
  }

  /// The element at a position below `count`.
  package subscript(position: Int) -> Int64 {
    laidOut.isEmpty ? start &+ Int64(position) &* step : laidOut[position]
  }

  /// One series per row, from columns of the types that `SeriesFunctions` takes; NULL gives nil.
  package static func rows(
    _ arguments: [Column], _ count: Int, isInclusive: Bool
  ) throws -> [Series?] {
    let isTemporal = arguments.count == 3 && arguments[2].type == .interval
    let numbers = arguments.prefix(isTemporal ? 2 : 3).map { ColumnReader<Int64>($0) }
    let steps = isTemporal ? ColumnReader<Interval>(arguments[2]) : nil
    let zone = isTemporal && arguments[0].type == .timestampTZ ? SessionTime.cursor : nil
    return try withExtendedLifetime(arguments) {
      try (0..<count).map { row in
        if arguments.contains(where: { $0.isNull(row) }) { return nil }
        if let steps {
          return try Series(
            from: numbers[0][row], to: numbers[1][row], by: steps[row], isInclusive: isInclusive,
            zone: zone)
        }
        return Series(numbers: numbers.map { $0[row] }, isInclusive: isInclusive)
      }
    }
  }

  static func mixedSigns() -> SQLError {
    SQLError(.invalidInput, "a step with parts of both signs is not supported")
  }

  /// What is laid out lies in memory.
  private static let mostLaidOut = 1 << 26

  static func tooLong() -> SQLError {
    SQLError(.outOfMemory, "a series of that many months or days is too long")
  }

  static func infinite() -> SQLError {
    SQLError(.invalidInput, "a series needs finite bounds")
  }
}
