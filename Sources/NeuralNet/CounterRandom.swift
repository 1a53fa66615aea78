/// Random numbers that depend on a key and a counter only, so that threads and order of use do not
/// matter. The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
package struct CounterRandom: Sendable {
  package let key: UInt64

  package init(_ parts: UInt64...) {
    var key: UInt64 = 0x243F_6A88_85A3_08D3
    for part in parts { key = Self.mix(key ^ part &* 0x9E37_79B9_7F4A_7C15) }
    self.key = key
  }

  /// The draw number `counter`: 64 uniform bits.
  package subscript(counter: UInt64) -> UInt64 {
    Self.mix(key &+ (counter &+ 1) &* 0x9E37_79B9_7F4A_7C15)
  }

  /// Uniform in [0, 1), 24 bits.
  package func unit(_ counter: UInt64) -> Float {
    Float(self[counter] >> 40) * 0x1p-24
  }

  /// Uniform in 0 ..< bound (Lemire's multiplication; the bias is below 2^-32 for 32-bit bounds).
  package func index(_ counter: UInt64, below bound: Int) -> Int {
    Int(truncatingIfNeeded: self[counter].multipliedFullWidth(by: UInt64(bound)).high)
  }

  static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
