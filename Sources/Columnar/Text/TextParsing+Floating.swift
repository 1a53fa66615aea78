extension TextParsing {
  /// A DOUBLE, correctly rounded; `inf`, `infinity` and `nan` in any case and with a sign.
  /// Too large gives infinity and too small zero, as DuckDB reads them.
  @inlinable
  package static func double(_ text: Text) -> Double? {
    let count = text.count
    guard count > 0, let bytes = text.baseAddress else { return nil }
    let isNegative = bytes[0] == 0x2D
    var position = isNegative ? 1 : 0
    let first = position
    var mantissa: UInt64 = 0
    var point = -1
    // Digits and a point only; anything else (exponents, spaces) goes the general way.
    while position < count {
      let digit = bytes[position] &- 0x30
      if digit <= 9 {
        mantissa = mantissa &* 10 &+ UInt64(digit)
      } else if digit == 0xFE, point < 0 {
        point = position
      } else {
        return anyDouble(text)
      }
      position &+= 1
    }
    let digits = count &- first &- (point < 0 ? 0 : 1)
    if digits == 0 || digits > 19 { return anyDouble(text) }
    let exponent = point < 0 ? 0 : point &+ 1 &- count
    guard let magnitude = exactDouble(mantissa, exponent) else { return anyDouble(text) }
    return isNegative ? -magnitude : magnitude
  }

  /// mantissa · 10^exponent where one correctly rounded operation gives it (Clinger 1990).
  @inlinable
  static func exactDouble(_ mantissa: UInt64, _ exponent: Int) -> Double? {
    if mantissa <= 1 << 53, exponent >= -22, exponent <= 22 {
      let value = Double(Int64(truncatingIfNeeded: mantissa))
      return exponent < 0 ? value / smallPower(-exponent) : value * smallPower(exponent)
    }
    return wideDouble(mantissa, exponent)
  }

  /// 10^exponent for 0...22, all exact.
  @inlinable
  static func smallPower(_ exponent: Int) -> Double {
    switch exponent {
    case 0: 1
    case 1: 1e1
    case 2: 1e2
    case 3: 1e3
    case 4: 1e4
    case 5: 1e5
    case 6: 1e6
    case 7: 1e7
    case 8: 1e8
    case 9: 1e9
    case 10: 1e10
    case 11: 1e11
    case 12: 1e12
    case 13: 1e13
    case 14: 1e14
    case 15: 1e15
    case 16: 1e16
    case 17: 1e17
    case 18: 1e18
    case 19: 1e19
    case 20: 1e20
    case 21: 1e21
    default: 1e22
    }
  }

  /// The same in 80 bits, where 64-bit mantissas and powers up to 10^27 are exact. Rounding once
  /// more to 53 bits is right unless the first rounding ended exactly between two doubles.
  @usableFromInline
  static func wideDouble(_ mantissa: UInt64, _ exponent: Int) -> Double? {
    #if arch(x86_64)
      guard exponent >= -27, exponent <= 27, mantissa != 0 else {
        return mantissa == 0 ? 0 : nil
      }
      var power: Float80 = 1
      for _ in 0..<abs(exponent) { power *= 10 }
      let wide = exponent < 0 ? Float80(mantissa) / power : Float80(mantissa) * power
      return wide.significandBitPattern & 0x7FF == 0x400 ? nil : Double(wide)
    #else
      return mantissa == 0 ? 0 : nil
    #endif
  }

  @usableFromInline
  static func anyDouble(_ text: Text) -> Double? {
    if let number = NumberText(text) {
      if let value = roundedFromDigits(text, number) { return number.isNegative ? -value : value }
      return Double(plainNumber(text))
    }
    return specialDouble(text)
  }

  /// A FLOAT, correctly rounded, by the rules of `double`.
  @inlinable
  package static func float(_ text: Text) -> Float? {
    guard let wide = double(text) else { return nil }
    // A double halfway between two floats may itself have been rounded to get there.
    let narrow = Float(wide)
    if wide.bitPattern & 0x1FFF_FFFF != 0x1000_0000, narrow.isNormal || wide == 0 || !wide.isFinite
    {
      return narrow
    }
    return slowFloat(text)
  }

  @usableFromInline
  static func slowFloat(_ text: Text) -> Float? {
    if NumberText(text) == nil { return specialDouble(text).map { Float($0) } }
    return Float(plainNumber(text))
  }

  private static func roundedFromDigits(_ text: Text, _ number: NumberText) -> Double? {
    var mantissa: UInt64 = 0
    var digits = 0
    for position in number.start..<number.end {
      let digit = text[position] &- 0x30
      if digit > 9 { continue }
      if mantissa == 0 && digit == 0 { continue }
      digits += 1
      if digits > 19 { return nil }
      mantissa = mantissa &* 10 &+ UInt64(digit)
    }
    return exactDouble(mantissa, number.exponent - number.fractionDigits)
  }

  private static func specialDouble(_ text: Text) -> Double? {
    var word = trimmed(text)
    var isNegative = false
    if let sign = word.first, sign == 0x2D || sign == 0x2B {
      isNegative = sign == 0x2D
      word = Text(rebasing: word[1...])
    }
    let magnitude: Double
    if equalsIgnoringCase(word, "inf") || equalsIgnoringCase(word, "infinity") {
      magnitude = .infinity
    } else if equalsIgnoringCase(word, "nan") {
      magnitude = .nan
    } else {
      return nil
    }
    return isNegative ? -magnitude : magnitude
  }

  /// `word` is lower case.
  static func equalsIgnoringCase(_ text: Text, _ word: StaticString) -> Bool {
    guard text.count == word.utf8CodeUnitCount else { return false }
    for position in 0..<text.count {
      let byte = text[position]
      let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
      if lower != word.utf8Start[position] { return false }
    }
    return true
  }

  /// The trimmed text without underscores, for the standard library's exact (and slower) reader.
  private static func plainNumber(_ text: Text) -> String {
    String(decoding: trimmed(text).lazy.filter { $0 != 0x5F }, as: UTF8.self)
  }
}
