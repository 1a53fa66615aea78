/// A checksum against flipped bytes, not against malice: SQLite does not check what is in a blob.
/// Four lanes of 8-byte words, each multiplied by an odd constant and rotated; several bytes a cycle.
package enum ChunkChecksum {
  package static func of(_ bytes: UnsafeRawBufferPointer) -> Int64 {
    let prime: UInt64 = 0x9E37_79B9_7F4A_7C15
    var a: UInt64 = 1
    var b: UInt64 = 2
    var c: UInt64 = 3
    var d: UInt64 = 4
    var offset = 0
    while offset + 32 <= bytes.count {
      a = mixed(a, word(bytes, offset))
      b = mixed(b, word(bytes, offset + 8))
      c = mixed(c, word(bytes, offset + 16))
      d = mixed(d, word(bytes, offset + 24))
      offset += 32
    }
    while offset < bytes.count {
      a = mixed(a, UInt64(bytes[offset]))
      offset += 1
    }
    var result = UInt64(bytes.count)
    for lane in [a, b, c, d] { result = mixed(result, lane) }
    result = (result ^ result >> 32) &* prime
    return Int64(bitPattern: result ^ result >> 29)
  }

  @inline(__always)
  private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// A bijection of `state` for every word and of the word for every state: a change of one word is
  /// never lost.
  @inline(__always)
  private static func mixed(_ state: UInt64, _ word: UInt64) -> UInt64 {
    let product = (state ^ word) &* 0x9E37_79B9_7F4A_7C15
    return product << 31 | product >> 33
  }
}
