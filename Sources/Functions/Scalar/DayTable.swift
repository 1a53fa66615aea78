import Columnar

/// What the calendar says of each day of the years 1950 to 2049, a word a day: one look in place of a
/// dozen multiplications, for the days that most tables hold. 292 KB, made when first asked for.
struct DayTable: @unchecked Sendable {
  static let shared = DayTable()

  /// A part of the words.
  struct Field {
    let shift: UInt64
    let mask: UInt64
    /// What is added: years are kept in a byte.
    let base: Int64

    static let day = Field(shift: 0, mask: 31, base: 0)
    static let month = Field(shift: 8, mask: 15, base: 0)
    static let year = Field(shift: 16, mask: 255, base: DayTable.firstYear)
    static let dayOfYear = Field(shift: 24, mask: 511, base: 0)
    static let dayOfWeek = Field(shift: 40, mask: 7, base: 0)
    static let quarter = Field(shift: 44, mask: 7, base: 0)
    static let week = Field(shift: 48, mask: 63, base: 0)
    /// The last days of 1949 may be of the first week of 1950, but not the other way round.
    static let isoYear = Field(shift: 56, mask: 255, base: DayTable.firstYear - 1)

    /// nil of parts that the words do not hold.
    static func of(_ part: DatePart) -> Field? {
      switch part {
      case .day: day
      case .month: month
      case .year: year
      case .dayofyear: dayOfYear
      case .dayofweek: dayOfWeek
      case .quarter: quarter
      case .week: week
      case .isoyear: isoYear
      default: nil
      }
    }
  }

  private static let firstYear: Int64 = 1950
  private static let years = 100

  private let words: UnsafeMutablePointer<UInt64>
  private let first: Int32
  private let count: UInt32

  /// SAFETY: the words are written here only and live as long as the program.
  private init() {
    let begin = Calendar.days(year: Int(DayTable.firstYear), month: 1, day: 1) ?? 0
    let end =
      Calendar.days(year: Int(DayTable.firstYear) + DayTable.years, month: 1, day: 1) ?? begin
    first = begin
    count = UInt32(end - begin)
    words = .allocate(capacity: Int(count))
    let parts: [(DatePart, Field)] = [
      DatePart.day, .month, .year, .dayofyear, .dayofweek, .quarter, .week, .isoyear,
    ].compactMap { part in Field.of(part).map { (part, $0) } }
    for index in 0..<Int(count) {
      var word: UInt64 = 0
      for (part, field) in parts {
        let value = part.value(begin + Int32(index), 0) - field.base
        word |= UInt64(truncatingIfNeeded: value) << field.shift
      }
      words[index] = word
    }
  }

  /// nil of days that the table does not have.
  @inline(__always)
  func value(_ field: Field, of days: Int32) -> Int64? {
    let index = UInt32(bitPattern: days &- first)
    if index >= count { return nil }
    return Int64(truncatingIfNeeded: (words[Int(index)] >> field.shift) & field.mask) &+ field.base
  }
}
