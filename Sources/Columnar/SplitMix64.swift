/// The generator SplitMix64 (Steele, Lea and Flood 2014): the state goes on by `increment`, the draw
/// is the state `mixed`. Small, seedable, good enough for sampling; not cryptographic. NeuralNet has
/// its own in `CounterRandom`, for it knows no columns.
package enum SplitMix64 {
  /// 2⁶⁴ over the golden ratio, made odd.
  @inlinable package static var increment: UInt64 { 0x9E37_79B9_7F4A_7C15 }

  @inlinable
  package static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
