import CVectorMath

extension Double: DecimalScalable {
  static var largestExponent: Int { 18 }
  static let allExponents = DecimalExponents.all(to: largestExponent)
  var word: UInt64 { bitPattern }
  typealias Whole = Int64

  static func power(_ exponent: Int) -> Double { FloatStream.powers[exponent] }
  static func inverse(_ exponent: Int) -> Double { FloatStream.inverses[exponent] }
  static func scale(
    _ values: UnsafeMutableRawPointer, _ count: Int, _ factor: Double, _ inverse: Double
  ) {
    apus_scale_64(values, count, factor, inverse)
  }
  static func decimals(
    _ values: UnsafePointer<Double>, _ count: Int, _ pair: DecimalExponents,
    _ wholes: UnsafeMutablePointer<Int64>, _ misses: UnsafeMutablePointer<UInt8>
  ) -> Int {
    let scale = apus_decimal_scale_64(
      up: power(pair.exponent), down: inverse(pair.factor), back_up: power(pair.factor),
      back_down: inverse(pair.exponent))
    return apus_decimals_64(values, count, scale, wholes, misses)
  }
}

extension Float: DecimalScalable {
  static var largestExponent: Int { 10 }
  static let allExponents = DecimalExponents.all(to: largestExponent)
  var word: UInt32 { bitPattern }
  typealias Whole = Int32

  static func power(_ exponent: Int) -> Float { Float(FloatStream.powers[exponent]) }
  static func inverse(_ exponent: Int) -> Float { Float(FloatStream.inverses[exponent]) }
  static func scale(
    _ values: UnsafeMutableRawPointer, _ count: Int, _ factor: Float, _ inverse: Float
  ) {
    apus_scale_32(values, count, factor, inverse)
  }
  static func decimals(
    _ values: UnsafePointer<Float>, _ count: Int, _ pair: DecimalExponents,
    _ wholes: UnsafeMutablePointer<Int32>, _ misses: UnsafeMutablePointer<UInt8>
  ) -> Int {
    let scale = apus_decimal_scale_32(
      up: power(pair.exponent), down: inverse(pair.factor), back_up: power(pair.factor),
      back_down: inverse(pair.exponent))
    return apus_decimals_32(values, count, scale, wholes, misses)
  }
}
