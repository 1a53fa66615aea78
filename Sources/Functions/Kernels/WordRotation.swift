extension UInt32 {
  /// The word turned by 0 to 31 bits: what comes out at one end goes in at the other.
  @inline(__always)
  func rotatedLeft(_ by: UInt32) -> UInt32 { self &<< by | self &>> (32 &- by) }

  @inline(__always)
  func rotatedRight(_ by: UInt32) -> UInt32 { self &>> by | self &<< (32 &- by) }
}
