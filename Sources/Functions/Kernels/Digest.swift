/// SHA-1 and SHA-256 (FIPS 180-4) of bytes. For fingerprints, not for secrets.
enum Digest {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  static func sha1(_ bytes: Bytes) -> [UInt8] {
    // Eight lanes for five words: a vector is no memory of its own.
    var state = SIMD8<UInt32>(
      0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0, 0, 0, 0)
    var schedule = [UInt32](repeating: 0, count: 80)
    forEachBlock(bytes) { words in
      for step in 0..<16 { schedule[step] = words[step] }
      for step in 16..<80 {
        let mixed =
          schedule[step - 3] ^ schedule[step - 8] ^ schedule[step - 14] ^ schedule[step - 16]
        schedule[step] = mixed.rotatedLeft(1)
      }
      var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
      for step in 0..<80 {
        let (mixed, constant): (UInt32, UInt32) =
          switch step / 20 {
          case 0: ((b & c) | (~b & d), 0x5A82_7999)
          case 1: (b ^ c ^ d, 0x6ED9_EBA1)
          case 2: ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC)
          default: (b ^ c ^ d, 0xCA62_C1D6)
          }
        let next = a.rotatedLeft(5) &+ mixed &+ e &+ constant &+ schedule[step]
        (a, b, c, d, e) = (next, a, b.rotatedLeft(30), c, d)
      }
      state &+= SIMD8(a, b, c, d, e, 0, 0, 0)
    }
    return bigEndianBytes(state, count: 5)
  }

  static func sha256(_ bytes: Bytes) -> [UInt8] {
    var state = SIMD8<UInt32>(
      0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB,
      0x5BE0_CD19)
    var w = [UInt32](repeating: 0, count: 64)
    forEachBlock(bytes) { words in
      for step in 0..<16 { w[step] = words[step] }
      for step in 16..<64 {
        let (x, y) = (w[step - 15], w[step - 2])
        let low = x.rotatedRight(7) ^ x.rotatedRight(18) ^ (x >> 3)
        let high = y.rotatedRight(17) ^ y.rotatedRight(19) ^ (y >> 10)
        w[step] = w[step - 16] &+ low &+ w[step - 7] &+ high
      }
      var v = state
      for step in 0..<64 {
        let turnedE = v[4].rotatedRight(6) ^ v[4].rotatedRight(11) ^ v[4].rotatedRight(25)
        let choice = (v[4] & v[5]) ^ (~v[4] & v[6])
        let first = v[7] &+ turnedE &+ choice &+ sha256Constants[step] &+ w[step]
        let turnedA = v[0].rotatedRight(2) ^ v[0].rotatedRight(13) ^ v[0].rotatedRight(22)
        let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2])
        v = SIMD8(
          first &+ turnedA &+ majority, v[0], v[1], v[2], v[3] &+ first, v[4], v[5], v[6])
      }
      state &+= v
    }
    return bigEndianBytes(state, count: 8)
  }

  // MARK: Blocks

  /// Calls `body` with the sixteen words of each 64-byte block, padding and length at the end.
  private static func forEachBlock(_ bytes: Bytes, _ body: ([UInt32]) -> Void) {
    var words = [UInt32](repeating: 0, count: 16)
    let length = UInt64(bytes.count) &* 8
    let total = (bytes.count + 9 + 63) / 64 * 64
    func byte(_ position: Int) -> UInt8 {
      if position < bytes.count { return bytes[position] }
      if position == bytes.count { return 0x80 }
      if position < total - 8 { return 0 }
      let place = UInt64(position - (total - 8))
      return UInt8(truncatingIfNeeded: length >> (8 * (7 - place)))
    }
    for start in stride(from: 0, to: total, by: 64) {
      for word in 0..<16 {
        let place = start + word * 4
        if place + 4 <= bytes.count {
          let loaded = UnsafeRawBufferPointer(bytes).loadUnaligned(
            fromByteOffset: place, as: UInt32.self)
          words[word] = UInt32(bigEndian: loaded)
          continue
        }
        var value: UInt32 = 0
        for offset in 0..<4 { value = value << 8 | UInt32(byte(place + offset)) }
        words[word] = value
      }
      body(words)
    }
  }

  private static func bigEndianBytes(_ state: SIMD8<UInt32>, count: Int) -> [UInt8] {
    (0..<count * 4).map {
      UInt8(truncatingIfNeeded: state[$0 / 4] >> (24 - 8 * UInt32($0 % 4)))
    }
  }

  private static let sha256Constants: [UInt32] = [
    0x428A_2F98, 0x7137_4491, 0xB5C0_FBCF, 0xE9B5_DBA5, 0x3956_C25B, 0x59F1_11F1, 0x923F_82A4,
    0xAB1C_5ED5, 0xD807_AA98, 0x1283_5B01, 0x2431_85BE, 0x550C_7DC3, 0x72BE_5D74, 0x80DE_B1FE,
    0x9BDC_06A7, 0xC19B_F174, 0xE49B_69C1, 0xEFBE_4786, 0x0FC1_9DC6, 0x240C_A1CC, 0x2DE9_2C6F,
    0x4A74_84AA, 0x5CB0_A9DC, 0x76F9_88DA, 0x983E_5152, 0xA831_C66D, 0xB003_27C8, 0xBF59_7FC7,
    0xC6E0_0BF3, 0xD5A7_9147, 0x06CA_6351, 0x1429_2967, 0x27B7_0A85, 0x2E1B_2138, 0x4D2C_6DFC,
    0x5338_0D13, 0x650A_7354, 0x766A_0ABB, 0x81C2_C92E, 0x9272_2C85, 0xA2BF_E8A1, 0xA81A_664B,
    0xC24B_8B70, 0xC76C_51A3, 0xD192_E819, 0xD699_0624, 0xF40E_3585, 0x106A_A070, 0x19A4_C116,
    0x1E37_6C08, 0x2748_774C, 0x34B0_BCB5, 0x391C_0CB3, 0x4ED8_AA4A, 0x5B9C_CA4F, 0x682E_6FF3,
    0x748F_82EE, 0x78A5_636F, 0x84C8_7814, 0x8CC7_0208, 0x90BE_FFFA, 0xA450_6CEB, 0xBEF9_A3F7,
    0xC671_78F2,
  ]
}
