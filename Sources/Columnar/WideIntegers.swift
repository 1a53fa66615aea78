extension Double {
  /// The double nearest to an integer of any width, ties to even. The standard library's own way to
  /// convert 128 bits goes through witness tables and takes a hundred times as long.
  @inlinable @inline(__always)
  package init<T: FixedWidthInteger>(nearest value: T) {
    if T.bitWidth <= 64 {
      self =
        T.isSigned
        ? Double(Int64(truncatingIfNeeded: value)) : Double(UInt64(truncatingIfNeeded: value))
    } else {
      let magnitude = Double(nearestTo: unsafeBitCast(value.magnitude, to: UInt128.self))
      self = value < 0 ? -magnitude : magnitude
    }
  }

  /// Of a number beyond 64 bits its 64 highest, the lowest of these set when something is below it:
  /// so it is rounded once, to the right side.
  @inlinable
  init(nearestTo magnitude: UInt128) {
    let high = UInt64(truncatingIfNeeded: magnitude >> 64)
    if high == 0 {
      self = Double(UInt64(truncatingIfNeeded: magnitude))
      return
    }
    let shift = 64 - high.leadingZeroBitCount
    let top = UInt64(truncatingIfNeeded: magnitude >> UInt128(shift))
    let isCut = magnitude != UInt128(top) << UInt128(shift)
    self =
      Double(isCut ? top | 1 : top)
      * Double(sign: .plus, exponent: shift, significand: 1)
  }
}
