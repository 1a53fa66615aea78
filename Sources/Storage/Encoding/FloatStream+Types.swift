import CVectorMath

extension Double: DecimalScalable {
  static var largestExponent: Int { 18 }
  static var largestWhole: Double { 0x1p51 }
  static var rounder: Double { 0x1.8p52 }
  var word: UInt64 { bitPattern }
  typealias Whole = Int64

  static func power(_ exponent: Int) -> Double { FloatStream.powers[exponent] }
  static func inverse(_ exponent: Int) -> Double { FloatStream.inverses[exponent] }
  static func scale(
    _ values: UnsafeMutableRawPointer, _ count: Int, _ factor: Double, _ inverse: Double
  ) {
    apus_scale_64(values, count, factor, inverse)
  }
}

extension Float: DecimalScalable {
  static var largestExponent: Int { 10 }
  static var largestWhole: Float { 0x1p22 }
  static var rounder: Float { 0x1.8p23 }
  var word: UInt32 { bitPattern }
  typealias Whole = Int32

  static func power(_ exponent: Int) -> Float { Float(FloatStream.powers[exponent]) }
  static func inverse(_ exponent: Int) -> Float { Float(FloatStream.inverses[exponent]) }
  static func scale(
    _ values: UnsafeMutableRawPointer, _ count: Int, _ factor: Float, _ inverse: Float
  ) {
    apus_scale_32(values, count, factor, inverse)
  }
}
