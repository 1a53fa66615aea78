/// The 64-bit hash XXH64 (Collet, xxHash specification 0.1.1): the checksum of chunks. Several GB/s,
/// and `xxhsum` computes it too.
enum XXHash64 {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    guard let start = bytes.baseAddress else { return finish(seed &+ prime5) }
    let count = bytes.count
    var position = 0
    var state: UInt64
    if count >= 32 {
      var a = seed &+ prime1 &+ prime2
      var b = seed &+ prime2
      var c = seed
      var d = seed &- prime1
      while position + 32 <= count {
        a = round(a, word(start, position))
        b = round(b, word(start, position + 8))
        c = round(c, word(start, position + 16))
        d = round(d, word(start, position + 24))
        position += 32
      }
      state = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
      for lane in [a, b, c, d] { state = (state ^ round(0, lane)) &* prime1 &+ prime4 }
    } else {
      state = seed &+ prime5
    }
    state = state &+ UInt64(count)
    while position + 8 <= count {
      state = rotate(state ^ round(0, word(start, position)), 27) &* prime1 &+ prime4
      position += 8
    }
    if position + 4 <= count {
      let half = UInt64(start.loadUnaligned(fromByteOffset: position, as: UInt32.self))
      state = rotate(state ^ (half &* prime1), 23) &* prime2 &+ prime3
      position += 4
    }
    while position < count {
      let byte = UInt64(start.load(fromByteOffset: position, as: UInt8.self))
      state = rotate(state ^ (byte &* prime5), 11) &* prime1
      position += 1
    }
    return finish(state)
  }

  private static func finish(_ state: UInt64) -> UInt64 {
    var state = state
    state = (state ^ (state >> 33)) &* prime2
    state = (state ^ (state >> 29)) &* prime3
    return state ^ (state >> 32)
  }

  @inline(__always)
  private static func word(_ start: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }

  @inline(__always)
  private static func round(_ state: UInt64, _ input: UInt64) -> UInt64 {
    rotate(state &+ input &* prime2, 31) &* prime1
  }

  @inline(__always)
  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value &<< bits | value &>> (64 &- bits)
  }
}
