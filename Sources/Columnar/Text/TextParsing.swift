/// Text to values, as casts and readers do it: nil when the text does not say a value of the type
/// or the value is out of range. Nothing here allocates but the slow path of floating point.
/// Spaces around numbers, dates and times are ignored, as DuckDB's casts do.
@usableFromInline package enum TextParsing {
  @usableFromInline package typealias Text = UnsafeBufferPointer<UInt8>

  // MARK: Integers

  /// An integer of any width. `1_000`, `1e3`, `1.5` (rounded half away from zero), `0x1F` and
  /// `0b11` are read too.
  @inlinable
  package static func integer<T: FixedWidthInteger>(_ text: Text, as type: T.Type = T.self) -> T? {
    let count = text.count
    guard count > 0, let bytes = text.baseAddress else { return nil }
    let isNegative = bytes[0] == 0x2D
    var position = isNegative ? 1 : 0
    if position < count, count &- position <= 18 {
      var magnitude: UInt64 = 0
      while position < count {
        let digit = bytes[position] &- 0x30
        if digit > 9 { return anyInteger(text, as: type) }
        magnitude = magnitude &* 10 &+ UInt64(digit)
        position &+= 1
      }
      let value = Int64(truncatingIfNeeded: magnitude)
      return T(exactly: isNegative ? 0 &- value : value)
    }
    return anyInteger(text, as: type)
  }

  @inlinable
  static func anyInteger<T: FixedWidthInteger>(_ text: Text, as type: T.Type) -> T? {
    guard let (isNegative, magnitude) = radixInteger(text) ?? scaled(text, scale: 0) else {
      return nil
    }
    if !isNegative { return T(exactly: magnitude) }
    guard magnitude <= UInt128(1) << 127 else { return nil }
    return T(exactly: Int128(truncatingIfNeeded: 0 &- magnitude))
  }

  /// `0x…` and `0b…`, no sign.
  @usableFromInline
  static func radixInteger(_ text: Text) -> (isNegative: Bool, magnitude: UInt128)? {
    let text = trimmed(text)
    guard text.count > 2, text[0] == 0x30 else { return nil }
    let shift: UInt8
    switch text[1] | 0x20 {
    case 0x78: shift = 4
    case 0x62: shift = 1
    default: return nil
    }
    var magnitude: UInt128 = 0
    for position in 2..<text.count {
      let byte = text[position]
      let letter = byte | 0x20
      let digit: UInt8
      if byte >= 0x30 && byte <= 0x39 {
        digit = byte - 0x30
      } else if letter >= 0x61 && letter <= 0x66 {
        digit = letter - 0x57
      } else {
        return nil
      }
      if digit >> shift != 0 || magnitude >> (128 - UInt128(shift)) != 0 { return nil }
      magnitude = magnitude << UInt128(shift) | UInt128(digit)
    }
    return (false, magnitude)
  }

  /// The number times 10^scale, rounded half away from zero, whatever way it is written.
  @usableFromInline
  static func scaled(_ text: Text, scale: Int) -> (isNegative: Bool, magnitude: UInt128)? {
    guard let number = NumberText(text) else { return nil }
    // The result is the first `wanted` digits, and the next one says how to round.
    let wanted = number.integerDigits + number.exponent + scale
    var magnitude: UInt128 = 0
    var taken = 0
    var roundsUp = false
    var position = number.start
    while position < number.end {
      let digit = text[position] &- 0x30
      position += 1
      if digit > 9 { continue }
      if taken >= wanted {
        roundsUp = taken == wanted && digit >= 5
        break
      }
      let product = magnitude.multipliedReportingOverflow(by: 10)
      let sum = product.partialValue.addingReportingOverflow(UInt128(digit))
      if product.overflow || sum.overflow { return nil }
      magnitude = sum.partialValue
      taken += 1
    }
    if magnitude != 0 {
      while taken < wanted {
        let product = magnitude.multipliedReportingOverflow(by: 10)
        if product.overflow { return nil }
        magnitude = product.partialValue
        taken += 1
      }
    }
    if roundsUp {
      let sum = magnitude.addingReportingOverflow(1)
      if sum.overflow { return nil }
      magnitude = sum.partialValue
    }
    return (number.isNegative, magnitude)
  }

  // MARK: Decimals

  /// The unscaled integer of a DECIMAL(precision, scale), rounded half away from zero.
  @inlinable
  package static func decimal(_ text: Text, precision: Int, scale: Int) -> Int128? {
    guard
      let (isNegative, magnitude) = quickScaled(text, scale: scale) ?? scaled(text, scale: scale)
    else { return nil }
    guard magnitude < UInt128(powerOfTen(precision)) else { return nil }
    let value = Int128(truncatingIfNeeded: magnitude)
    return isNegative ? -value : value
  }

  /// The common case, `-?digits[.digits]` with no more than `scale` digits after the point and 18
  /// in all, without wide arithmetic.
  @inlinable
  static func quickScaled(
    _ text: Text, scale: Int
  ) -> (isNegative: Bool, magnitude: UInt128)? {
    let count = text.count
    guard count > 0, count <= 19, scale <= 18, let bytes = text.baseAddress else { return nil }
    let isNegative = bytes[0] == 0x2D
    var position = isNegative ? 1 : 0
    let first = position
    var magnitude: UInt64 = 0
    var point = -1
    while position < count {
      let digit = bytes[position] &- 0x30
      if digit > 9 {
        if bytes[position] != 0x2E || point >= 0 { return nil }
        point = position
      } else {
        magnitude = magnitude &* 10 &+ UInt64(digit)
      }
      position &+= 1
    }
    let fraction = point < 0 ? 0 : count &- point &- 1
    let digits = count &- first &- (point < 0 ? 0 : 1)
    guard digits > 0, fraction <= scale, digits &+ scale &- fraction <= 18 else { return nil }
    for _ in 0..<(scale &- fraction) { magnitude = magnitude &* 10 }
    return (isNegative, UInt128(magnitude))
  }

  /// 10^exponent for 0...38.
  @inlinable
  package static func powerOfTen(_ exponent: Int) -> Int128 {
    var result: Int128 = 1
    for _ in 0..<min(exponent, 38) { result &*= 10 }
    return result
  }

  // MARK: Booleans

  /// true, t, yes, y, 1 and their opposites, in any case, without spaces.
  @inlinable
  package static func boolean(_ text: Text) -> Bool? {
    guard text.count <= 5, text.count > 0 else { return nil }
    var word: UInt64 = 0
    for byte in text {
      word = word << 8 | UInt64(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
    }
    switch word {
    case 0x74_7275_65, 0x74, 0x31, 0x79_6573, 0x79: return true
    case 0x66_616C_7365, 0x66, 0x30, 0x6E6F, 0x6E: return false
    default: return nil
    }
  }

  // MARK: Shared

  @inlinable
  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 9 && byte <= 13) }

  /// The text without the white space around it.
  @inlinable
  package static func trimmed(_ text: Text) -> Text {
    var start = 0
    var end = text.count
    while start < end, isSpace(text[start]) { start &+= 1 }
    while end > start, isSpace(text[end &- 1]) { end &-= 1 }
    return Text(rebasing: text[start..<end])
  }

  /// Calls `body` with the bytes of a Swift string. For tests and the edges.
  package static func withText<Result>(_ string: String, _ body: (Text) throws -> Result) rethrows
    -> Result
  {
    var copy = string
    return try copy.withUTF8(body)
  }
}

/// The parts of `[+-]digits[.digits][e[+-]digits]`, single underscores between digits allowed.
struct NumberText {
  var isNegative = false
  /// The range of digits, point and underscores.
  var start = 0
  var end = 0
  var integerDigits = 0
  var fractionDigits = 0
  /// Clamped to ±100,000, beyond which every number is 0 or out of range.
  var exponent = 0

  init?(_ text: UnsafeBufferPointer<UInt8>) {
    var position = 0
    var limit = text.count
    while position < limit, TextParsing.isSpace(text[position]) { position += 1 }
    while limit > position, TextParsing.isSpace(text[limit - 1]) { limit -= 1 }
    guard position < limit else { return nil }
    if text[position] == 0x2D || text[position] == 0x2B {
      isNegative = text[position] == 0x2D
      position += 1
    }
    start = position
    guard let whole = NumberText.digits(text, &position, limit) else { return nil }
    integerDigits = whole
    if position < limit, text[position] == 0x2E {
      position += 1
      guard let fraction = NumberText.digits(text, &position, limit) else { return nil }
      fractionDigits = fraction
    }
    guard integerDigits + fractionDigits > 0 else { return nil }
    end = position
    if position < limit, text[position] | 0x20 == 0x65 {
      position += 1
      var exponentIsNegative = false
      if position < limit, text[position] == 0x2D || text[position] == 0x2B {
        exponentIsNegative = text[position] == 0x2D
        position += 1
      }
      guard position < limit else { return nil }
      while position < limit {
        let digit = text[position] &- 0x30
        if digit > 9 { return nil }
        exponent = min(exponent * 10 + Int(digit), 100_000)
        position += 1
      }
      if exponentIsNegative { exponent = -exponent }
    }
    if position != limit { return nil }
  }

  /// How many digits follow; nil when an underscore is not between two of them.
  private static func digits(
    _ text: UnsafeBufferPointer<UInt8>, _ position: inout Int, _ limit: Int
  ) -> Int? {
    var count = 0
    while position < limit {
      if text[position] &- 0x30 <= 9 {
        count += 1
      } else if text[position] == 0x5F {
        guard count > 0, text[position - 1] != 0x5F, position + 1 < limit,
          text[position + 1] &- 0x30 <= 9
        else { return nil }
      } else {
        break
      }
      position += 1
    }
    return count
  }
}
