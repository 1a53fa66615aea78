import Columnar

/// Fingerprints of texts and bytes.
enum HashFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "md5", category: "hash", summary: "The MD5 digest in hexadecimal digits.",
      examples: [("md5('a')", "0cc175b9c0f1b6a831c399e269772661")],
      overloads: [
        .taking([.varchar], returns: .varchar) { a, n, _ in try md5(a[0], n) },
        .taking([.blob], returns: .varchar) { a, n, _ in try md5(a[0], n) },
      ]),
    number(
      "md5_number", "The MD5 digest as a number of 128 bits.", .uhugeint,
      "129134844867590561315626153795017621772", UInt128.self
    ) { littleEndian($0[...]) },
    number(
      "md5_number_lower", "The second half of the MD5 digest as a number of 64 bits.", .ubigint,
      "7000413967451013937", UInt64.self
    ) { UInt64(truncatingIfNeeded: littleEndian($0[8...])) },
    number(
      "md5_number_upper", "The first half of the MD5 digest as a number of 64 bits.", .ubigint,
      "12157170054180749580", UInt64.self
    ) { UInt64(truncatingIfNeeded: littleEndian($0[..<8])) },
    hexadecimal(
      "sha1", "The SHA-1 digest in hexadecimal digits.", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
      Digest.sha1),
    hexadecimal(
      "sha256", "The SHA-256 digest in hexadecimal digits.",
      "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", Digest.sha256),
  ]

  private static func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt128 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt128($1) }
  }

  private static func md5(_ texts: Column, _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(texts)
    return try Kernels.texts([texts], count) { row, buffer in
      let words = MD5.digest(x.pointer(row).buffer)
      try buffer.reserve(32)
      let target = UnsafeMutableRawPointer(buffer.start)
      for word in 0..<4 {
        target.storeBytes(
          of: hexadecimal(words[word]).littleEndian, toByteOffset: 8 * word, as: UInt64.self)
      }
      buffer.count = 32
    }
  }

  /// The digits of a word's bytes, the lowest byte first: each half byte gets a byte of its own, and
  /// those above 9 what lies between '9' and 'a' besides.
  @inline(__always)
  private static func hexadecimal(_ word: UInt32) -> UInt64 {
    var bytes = UInt64(word)
    bytes = (bytes | bytes << 16) & 0x0000_FFFF_0000_FFFF
    bytes = (bytes | bytes << 8) & 0x00FF_00FF_00FF_00FF
    let halves = (bytes >> 4 | bytes << 8) & 0x0F0F_0F0F_0F0F_0F0F
    let letters = (halves &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return halves &+ 0x3030_3030_3030_3030 &+ letters &* 39
  }

  private static func hexadecimal(
    _ name: String, _ summary: String, _ result: String,
    _ digest: @escaping @Sendable (Digest.Bytes) -> [UInt8]
  ) -> ScalarFunction {
    let digits = Array("0123456789abcdef".utf8)
    let kernel: ScalarOverload.Kernel = { a, n, _ in
      let x = ColumnReader<StringView>(a[0])
      return try Kernels.texts(a, n) { row, buffer in
        for byte in digest(x.pointer(row).buffer) {
          try buffer.append(digits[Int(byte >> 4)])
          try buffer.append(digits[Int(byte & 15)])
        }
      }
    }
    return ScalarFunction(
      name, category: "hash", summary: summary, examples: [("\(name)('a')", result)],
      overloads: [
        .taking([.varchar], returns: .varchar, kernel), .taking([.blob], returns: .varchar, kernel),
      ])
  }

  private static func number<T: BitwiseCopyable>(
    _ name: String, _ summary: String, _ type: LogicalType, _ result: String, _: T.Type,
    _ value: @escaping @Sendable ([UInt8]) -> T
  ) -> ScalarFunction {
    let kernel: ScalarOverload.Kernel = { a, n, t in
      let x = ColumnReader<StringView>(a[0])
      return Kernels.rows(a, n, t, T.self) { value(MD5.bytes(x.pointer($0).buffer)) }
    }
    return ScalarFunction(
      name, category: "hash", summary: summary, examples: [("\(name)('a')", result)],
      overloads: [
        .taking([.varchar], returns: type, kernel), .taking([.blob], returns: type, kernel),
      ])
  }
}
