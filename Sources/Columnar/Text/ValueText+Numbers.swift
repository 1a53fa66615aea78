extension ValueText {
  /// Exactly `scale` digits after the point; no zero before it when all digits are behind it.
  package static func append(
    decimal value: Int128, precision: Int, scale: Int, to buffer: inout TextBuffer
  ) {
    if value < 0 { buffer.append(0x2D) }
    let magnitude = value.magnitude
    if scale == 0 {
      buffer.append(wide: magnitude)
    } else if magnitude <= UInt128(UInt64.max), scale <= 18 {
      let unit = UInt64(TextParsing.powerOfTen(scale))
      let whole = UInt64(magnitude) / unit
      if whole > 0 || precision > scale { buffer.append(decimal: whole) }
      buffer.append(0x2E)
      buffer.append(decimal: UInt64(magnitude) - whole * unit, digits: scale)
    } else {
      let unit = UInt128(TextParsing.powerOfTen(scale))
      let whole = magnitude / unit
      if whole > 0 || precision > scale { buffer.append(wide: whole) }
      buffer.append(0x2E)
      buffer.append(wide: magnitude - whole * unit, digits: scale)
    }
  }

  /// The shortest digits that read back the same; `1e+16` and `1e-05` outside [1e-4, 1e16).
  package static func append(double value: Double, to buffer: inout TextBuffer) {
    guard value.isFinite else {
      appendSpecial(isNaN: value.isNaN, isNegative: value.sign == .minus, to: &buffer)
      return
    }
    if value.sign == .minus { buffer.append(0x2D) }
    let magnitude = value.magnitude
    if let (digits, scale) = shortDigits(magnitude) {
      append(digits: digits, exponent: -scale, to: &buffer)
    } else {
      append(description: magnitude.description, to: &buffer)
    }
  }

  package static func append(float value: Float, to buffer: inout TextBuffer) {
    guard value.isFinite else {
      appendSpecial(isNaN: value.isNaN, isNegative: value.sign == .minus, to: &buffer)
      return
    }
    if value.sign == .minus { buffer.append(0x2D) }
    let magnitude = value.magnitude
    if magnitude < 1e6, magnitude == magnitude.rounded(.towardZero) {
      append(digits: UInt64(magnitude), exponent: 0, to: &buffer)
    } else {
      append(description: magnitude.description, to: &buffer)
    }
  }

  /// digits · 10^-scale when that is the shortest text. A decimal of at most 15 digits survives a
  /// double and back, so two of them never read as the same double: the first found is the one.
  private static func shortDigits(_ magnitude: Double) -> (digits: UInt64, scale: Int)? {
    guard magnitude < 1e9 else {
      if magnitude < 1e15 {
        let whole = UInt64(magnitude)
        if Double(whole) == magnitude { return (whole, 0) }
      }
      return nil
    }
    var power = 1.0
    for scale in 0...6 {
      let digits = UInt64(magnitude * power + 0.5)
      if Double(digits) / power == magnitude { return (digits, scale) }
      power *= 10
    }
    return nil
  }

  private static func appendSpecial(
    isNaN: Bool, isNegative: Bool, to buffer: inout TextBuffer
  ) {
    // The sign of a NaN means nothing, and is not the same on every processor.
    if isNegative && !isNaN { buffer.append(0x2D) }
    if isNaN { buffer.append("nan") } else { buffer.append("inf") }
  }

  /// Swift prints the same shortest digits, but chooses between the forms by other limits.
  private static func append(description: String, to buffer: inout TextBuffer) {
    let (digits, exponent) = shortestDigits(description)
    append(digits: digits, exponent: exponent, to: &buffer)
  }

  /// `digits` · 10^`exponent` of what Swift prints for a positive number.
  package static func shortestDigits(_ description: String) -> (digits: UInt64, exponent: Int) {
    var digits: UInt64 = 0
    var exponent = 0
    var afterPoint = false
    var written = 0
    var isWritten = false
    var isNegative = false
    for byte in description.utf8 {
      switch byte {
      case 0x2E: afterPoint = true
      case 0x65: isWritten = true
      case 0x2D: isNegative = true
      case 0x2B: break
      default:
        if isWritten {
          written = written * 10 + Int(byte - 0x30)
        } else {
          digits = digits &* 10 &+ UInt64(byte - 0x30)
          if afterPoint { exponent -= 1 }
        }
      }
    }
    return (digits, exponent + (isNegative ? -written : written))
  }

  /// digits · 10^exponent in the form that its size asks for.
  private static func append(
    digits: UInt64, exponent: Int, to buffer: inout TextBuffer
  ) {
    var digits = digits
    var exponent = exponent
    if digits == 0 {
      buffer.append("0.0")
      return
    }
    while digits % 10 == 0 {
      digits /= 10
      exponent += 1
    }
    var count = 1
    var power: UInt64 = 10
    while count < 20, digits >= power {
      count += 1
      let next = power.multipliedReportingOverflow(by: 10)
      if next.overflow { break }
      power = next.partialValue
    }
    let leading = exponent + count - 1
    if leading < -4 || leading >= 16 {
      let start = buffer.count
      buffer.append(decimal: digits)
      if count > 1 { insertPoint(at: start + 1, &buffer) }
      buffer.append(0x65)
      buffer.append(leading < 0 ? 0x2D : 0x2B)
      buffer.append(decimal: UInt64(leading.magnitude), digits: 2)
    } else if exponent >= 0 {
      buffer.append(decimal: digits)
      for _ in 0..<exponent { buffer.append(0x30) }
      buffer.append(".0")
    } else {
      let start = buffer.count
      // Enough zeros in front for one digit before the point.
      buffer.append(decimal: digits, digits: 1 - exponent)
      insertPoint(at: max(start + count + exponent, start + 1), &buffer)
    }
  }

  private static func insertPoint(at position: Int, _ buffer: inout TextBuffer) {
    buffer.append(0)
    let start = buffer.start
    var index = buffer.count - 1
    while index > position {
      start[index] = start[index - 1]
      index -= 1
    }
    start[position] = 0x2E
  }
}
