import Glibc

/// MD5 (RFC 1321) of bytes: four words, whose little-endian bytes are the digest. For fingerprints,
/// not for secrets.
///
/// The steps of a round are written as four with shifts that the compiler knows, over a block in
/// place: no memory is asked for, whatever the text.
struct MD5 {
  private var a: UInt32 = 0x6745_2301
  private var b: UInt32 = 0xEFCD_AB89
  private var c: UInt32 = 0x98BA_DCFE
  private var d: UInt32 = 0x1032_5476

  static func digest(_ bytes: UnsafeBufferPointer<UInt8>) -> SIMD4<UInt32> {
    var state = MD5()
    let whole = bytes.count & ~63
    let rest = bytes.count - whole
    constants.withUnsafeBufferPointer { constants in
      if let start = UnsafeRawPointer(bytes.baseAddress) {
        for block in stride(from: 0, to: whole, by: 64) { state.add(start + block, constants) }
      }
      // What is left, a bit, zeros and the length in bits: one block, or two.
      withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { last in
        last.initializeMemory(as: UInt8.self, repeating: 0)
        guard let padded = last.baseAddress else { return }
        if let start = UnsafeRawPointer(bytes.baseAddress), rest > 0 {
          memcpy(padded, start + whole, rest)
        }
        last[rest] = 0x80
        let size = rest < 56 ? 64 : 128
        let length = UInt64(truncatingIfNeeded: bytes.count) &<< 3
        padded.storeBytes(of: length.littleEndian, toByteOffset: size - 8, as: UInt64.self)
        for block in stride(from: 0, to: size, by: 64) { state.add(padded + block, constants) }
      }
    }
    return SIMD4(state.a, state.b, state.c, state.d)
  }

  /// The sixteen bytes.
  static func bytes(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    let words = digest(text)
    return (0..<16).map { UInt8(truncatingIfNeeded: words[$0 / 4] >> (8 * UInt32($0 % 4))) }
  }

  private mutating func add(_ block: UnsafeRawPointer, _ constants: UnsafeBufferPointer<UInt32>) {
    @inline(__always) func word(_ index: Int, _ step: Int) -> UInt32 {
      let loaded = block.loadUnaligned(fromByteOffset: (index & 15) &* 4, as: UInt32.self)
      return UInt32(littleEndian: loaded) &+ constants[step]
    }
    // In registers: words of `self` would go through memory at each step.
    var (a, b, c, d) = (self.a, self.b, self.c, self.d)
    for i in stride(from: 0, to: 16, by: 4) {
      a = b &+ (a &+ ((b & c) | (~b & d)) &+ word(i, i)).rotatedLeft(7)
      d = a &+ (d &+ ((a & b) | (~a & c)) &+ word(i &+ 1, i &+ 1)).rotatedLeft(12)
      c = d &+ (c &+ ((d & a) | (~d & b)) &+ word(i &+ 2, i &+ 2)).rotatedLeft(17)
      b = c &+ (b &+ ((c & d) | (~c & a)) &+ word(i &+ 3, i &+ 3)).rotatedLeft(22)
    }
    for i in stride(from: 0, to: 16, by: 4) {
      a = b &+ (a &+ ((d & b) | (~d & c)) &+ word(5 &* i &+ 1, i &+ 16)).rotatedLeft(5)
      d = a &+ (d &+ ((c & a) | (~c & b)) &+ word(5 &* i &+ 6, i &+ 17)).rotatedLeft(9)
      c = d &+ (c &+ ((b & d) | (~b & a)) &+ word(5 &* i &+ 11, i &+ 18)).rotatedLeft(14)
      b = c &+ (b &+ ((a & c) | (~a & d)) &+ word(5 &* i &+ 16, i &+ 19)).rotatedLeft(20)
    }
    for i in stride(from: 0, to: 16, by: 4) {
      a = b &+ (a &+ (b ^ c ^ d) &+ word(3 &* i &+ 5, i &+ 32)).rotatedLeft(4)
      d = a &+ (d &+ (a ^ b ^ c) &+ word(3 &* i &+ 8, i &+ 33)).rotatedLeft(11)
      c = d &+ (c &+ (d ^ a ^ b) &+ word(3 &* i &+ 11, i &+ 34)).rotatedLeft(16)
      b = c &+ (b &+ (c ^ d ^ a) &+ word(3 &* i &+ 14, i &+ 35)).rotatedLeft(23)
    }
    for i in stride(from: 0, to: 16, by: 4) {
      a = b &+ (a &+ (c ^ (b | ~d)) &+ word(7 &* i, i &+ 48)).rotatedLeft(6)
      d = a &+ (d &+ (b ^ (a | ~c)) &+ word(7 &* i &+ 7, i &+ 49)).rotatedLeft(10)
      c = d &+ (c &+ (a ^ (d | ~b)) &+ word(7 &* i &+ 14, i &+ 50)).rotatedLeft(15)
      b = c &+ (b &+ (d ^ (c | ~a)) &+ word(7 &* i &+ 21, i &+ 51)).rotatedLeft(21)
    }
    self.a &+= a
    self.b &+= b
    self.c &+= c
    self.d &+= d
  }

  private static let constants: [UInt32] = [
    0xD76A_A478, 0xE8C7_B756, 0x2420_70DB, 0xC1BD_CEEE, 0xF57C_0FAF, 0x4787_C62A, 0xA830_4613,
    0xFD46_9501, 0x6980_98D8, 0x8B44_F7AF, 0xFFFF_5BB1, 0x895C_D7BE, 0x6B90_1122, 0xFD98_7193,
    0xA679_438E, 0x49B4_0821, 0xF61E_2562, 0xC040_B340, 0x265E_5A51, 0xE9B6_C7AA, 0xD62F_105D,
    0x0244_1453, 0xD8A1_E681, 0xE7D3_FBC8, 0x21E1_CDE6, 0xC337_07D6, 0xF4D5_0D87, 0x455A_14ED,
    0xA9E3_E905, 0xFCEF_A3F8, 0x676F_02D9, 0x8D2A_4C8A, 0xFFFA_3942, 0x8771_F681, 0x6D9D_6122,
    0xFDE5_380C, 0xA4BE_EA44, 0x4BDE_CFA9, 0xF6BB_4B60, 0xBEBF_BC70, 0x289B_7EC6, 0xEAA1_27FA,
    0xD4EF_3085, 0x0488_1D05, 0xD9D4_D039, 0xE6DB_99E5, 0x1FA2_7CF8, 0xC4AC_5665, 0xF429_2244,
    0x432A_FF97, 0xAB94_23A7, 0xFC93_A039, 0x655B_59C3, 0x8F0C_CC92, 0xFFEF_F47D, 0x8584_5DD1,
    0x6FA8_7E4F, 0xFE2C_E6E0, 0xA301_4314, 0x4E08_11A1, 0xF753_7E82, 0xBD3A_F235, 0x2AD7_D2BB,
    0xEB86_D391,
  ]
}
