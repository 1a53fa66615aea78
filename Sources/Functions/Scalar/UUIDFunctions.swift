import Columnar
import Diagnostics

/// UUIDs: drawing them and taking them apart (RFC 9562). Stored as the 128-bit number that their
/// digits are.
enum UUIDFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "uuid", aliases: ["gen_random_uuid", "uuidv4"], category: "uuid",
      summary: "A random UUID (version 4).", examples: [("uuid_extract_version(uuid())", "4")],
      overloads: [
        drawing { generator in
          let random = UInt128(generator.next()) << 64 | UInt128(generator.next())
          return stamped(random, version: 4)
        }
      ]),
    ScalarFunction(
      "uuid_extract_timestamp", category: "uuid",
      summary: "When a UUID of version 7 was made, to the millisecond.",
      examples: [
        ("uuid_extract_timestamp('019482e4-1441-7aad-8127-eec99573b0a0') IS NULL", "false")
      ],
      overloads: [
        .taking([.uuid], returns: .timestampTZ) { a, n, t in
          let x = ColumnReader<UInt128>(a[0])
          return try Kernels.rows(a, n, t, Int64.self) { row in
            guard version(x[row]) == 7 else {
              throw SQLError(
                .invalidInput, "a UUID of version \(version(x[row])) has no time: 7 is needed")
            }
            return Int64(truncatingIfNeeded: x[row] >> 80) &* 1000
          }
        }
      ]),
    ScalarFunction(
      "uuid_extract_version", category: "uuid", summary: "The version of a UUID.",
      examples: [("uuid_extract_version('019482e4-1441-7aad-8127-eec99573b0a0')", "7")],
      overloads: [
        .taking([.uuid], returns: .uinteger) { a, n, t in
          Kernels.unary(a[0], n, t, UInt128.self, UInt32.self) { version($0) }
        }
      ]),
    ScalarFunction(
      "uuidv7", category: "uuid",
      summary: "A UUID (version 7) that begins with the time, so that later ones are greater.",
      examples: [("uuid_extract_version(uuidv7())", "7")],
      overloads: [
        drawing { generator in
          let milliseconds = Clock.now() / 1000
          let random = UInt128(generator.next() & 0xFFFF) << 64 | UInt128(generator.next())
          return stamped(
            UInt128(UInt64(bitPattern: milliseconds) & 0xFFFF_FFFF_FFFF) << 80 | random, version: 7)
        }
      ]),
  ]

  private static func version(_ value: UInt128) -> UInt32 {
    UInt32(truncatingIfNeeded: (value >> 76) & 15)
  }

  /// The version and RFC 9562's variant in their places.
  private static func stamped(_ value: UInt128, version: UInt128) -> UInt128 {
    let cleared = value & ~(UInt128(15) << 76) & ~(UInt128(3) << 62)
    return cleared | version << 76 | UInt128(2) << 62
  }

  private static func drawing(
    _ draw: @escaping @Sendable (inout RandomSource) -> UInt128
  ) -> ScalarOverload {
    ScalarOverload([], returns: .uuid, isVolatile: true) { _, n, t in
      let result = Column(flat: t, count: n)
      let target = result.values(as: UInt128.self)
      var generator = RandomSource.fork()
      for row in 0..<n { target[row] = draw(&generator) }
      return result
    }
  }
}
