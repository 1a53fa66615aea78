import Columnar
import Diagnostics

/// Binary digits, other bases, URLs, and bytes as text.
enum TextEncodingFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "bin", aliases: ["to_binary"], category: "string",
      summary: "Binary digits of an integer, or of a string's bytes.",
      examples: [("bin(10)", "1010"), ("bin('a')", "01100001")],
      overloads: [
        .taking([.varchar], returns: .varchar) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            for byte in x.pointer(row).buffer {
              for bit in (0..<8).reversed() { try buffer.append(0x30 + (byte >> UInt8(bit)) & 1) }
            }
          }
        },
        .taking([.bigint], returns: .varchar) { a, n, _ in
          let x = ColumnReader<Int64>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            try buffer.append(String(UInt64(bitPattern: x[row]), radix: 2))
          }
        },
        .taking([.ubigint], returns: .varchar) { a, n, _ in
          let x = ColumnReader<UInt64>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            try buffer.append(String(x[row], radix: 2))
          }
        },
        .taking([.hugeint], returns: .varchar) { a, n, _ in
          let x = ColumnReader<Int128>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            try buffer.append(String(UInt128(truncatingIfNeeded: x[row]), radix: 2))
          }
        },
        .taking([.uhugeint], returns: .varchar) { a, n, _ in
          let x = ColumnReader<UInt128>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            try buffer.append(String(x[row], radix: 2))
          }
        },
      ]),
    ScalarFunction(
      "decode", category: "blob",
      summary: "The text that the bytes are in UTF-8; what is none: an error, or as the "
        + "second argument says ('strict', 'replace' by ?, 'ignore').",
      examples: [("decode('abc'::BLOB)", "abc"), ("decode('\\xFFa'::BLOB, 'replace')", "?a")],
      overloads: [
        .taking([.blob, .varchar], returns: .varchar) { a, n, _ in try decoded(a, n) },
        .taking([.blob], returns: .varchar) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            let bytes = x.pointer(row).buffer
            guard UTF8Text.isValid(bytes) else {
              throw SQLError(.conversion, "the bytes of the blob are not valid UTF-8")
            }
            try buffer.append(bytes)
          }
        },
      ]),
    ScalarFunction(
      "encode", category: "blob", summary: "The bytes of a text in UTF-8.",
      examples: [("encode('ä')", "\\xC3\\xA4")],
      overloads: [.taking([.varchar], returns: .blob) { a, _, t in a[0].reinterpreted(as: t) }]),
    ScalarFunction(
      "to_base", category: "string",
      summary: "A number in a base from 2 to 36, with at least so many digits.",
      examples: [("to_base(255, 16)", "FF"), ("to_base(5, 2, 8)", "00000101")],
      overloads: [
        .taking([.bigint, .integer], returns: .varchar) { a, n, _ in try based(a, n) },
        .taking([.bigint, .integer, .integer], returns: .varchar) { a, n, _ in try based(a, n) },
      ]),
    ScalarFunction(
      "unbin", aliases: ["from_binary"], category: "blob", summary: "The bytes of binary digits.",
      examples: [("unbin('01100001')", "a")],
      overloads: [
        .taking([.varchar], returns: .blob) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          return try Kernels.texts(a, n, .blob) { row, buffer in
            let bytes = x.pointer(row).buffer
            // The first byte has the digits left over from whole bytes.
            var byte: UInt8 = 0
            for (position, digit) in bytes.enumerated() {
              guard digit == 0x30 || digit == 0x31 else {
                throw SQLError(.invalidInput, "'\(x[row].string)' is not binary")
              }
              byte = byte << 1 | (digit & 1)
              if (bytes.count - position - 1) % 8 == 0 {
                try buffer.append(byte)
                byte = 0
              }
            }
          }
        }
      ]),
    ScalarFunction(
      "url_decode", category: "string", summary: "A URL's text, its %XX put back.",
      examples: [("url_decode('a%20b')", "a b")],
      overloads: [
        .taking([.varchar], returns: .varchar) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            let bytes = x.pointer(row).buffer
            var position = 0
            while position < bytes.count {
              if bytes[position] == 0x25, position + 2 < bytes.count,
                let high = TextParsing.hexadecimalDigit(bytes[position + 1]),
                let low = TextParsing.hexadecimalDigit(bytes[position + 2])
              {
                try buffer.append(high << 4 | low)
                position += 3
              } else {
                try buffer.append(bytes[position])
                position += 1
              }
            }
            guard UTF8Text.isValid(UnsafeBufferPointer(start: buffer.start, count: buffer.count))
            else {
              throw SQLError(.invalidInput, "'\(x[row].string)' does not decode to valid UTF-8")
            }
          }
        }
      ]),
    ScalarFunction(
      "url_encode", category: "string",
      summary: "A text for a URL, all but plain characters as %XX.",
      examples: [("url_encode('a b/ä')", "a%20b%2F%C3%A4")],
      overloads: [
        .taking([.varchar], returns: .varchar) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            try appendURL(x.pointer(row).buffer, to: &buffer)
          }
        }
      ]),
  ]

  private static let hexDigits = Array("0123456789ABCDEF".utf8)

  /// All but letters, digits and -._~ as %XX.
  static func appendURL(_ bytes: UTF8Text.Bytes, to buffer: inout ResultText) throws {
    for byte in bytes {
      let isPlain =
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10
        || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
      if isPlain {
        try buffer.append(byte)
      } else {
        try buffer.append(UInt8(0x25))
        try buffer.append(hexDigits[Int(byte >> 4)])
        try buffer.append(hexDigits[Int(byte & 15)])
      }
    }
  }

  private static func decoded(_ a: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(a[0])
    let rules = ColumnReader<StringView>(a[1])
    return try Kernels.texts(a, count) { row, buffer in
      let bytes = x.pointer(row).buffer
      if UTF8Text.isValid(bytes) { return try buffer.append(bytes) }
      let rule = rules[row].string.lowercased()
      guard ["strict", "replace", "ignore"].contains(rule) else {
        throw SQLError(
          .conversion, "decode knows strict, replace and ignore, not '\(rules[row].string)'")
      }
      if rule == "strict" {
        throw SQLError(.conversion, "the bytes of the blob are not valid UTF-8")
      }
      var position = 0
      while position < bytes.count {
        let width = UTF8Text.validWidth(bytes, position)
        if width > 0 {
          try buffer.append(UTF8Text.part(bytes, position..<(position + width)))
        } else if rule == "replace" {
          try buffer.append(UInt8(0x3F))
        }
        position += max(1, width)
      }
    }
  }

  private static func based(_ a: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<Int64>(a[0])
    let bases = ColumnReader<Int32>(a[1])
    let lengths = a.count > 2 ? ColumnReader<Int32>(a[2]) : nil
    return try Kernels.texts(a, count) { row, buffer in
      guard x[row] >= 0 else {
        throw SQLError(.invalidInput, "to_base takes no negative number (\(x[row]))")
      }
      guard (2...36).contains(bases[row]) else {
        throw SQLError(.invalidInput, "a base is 2 to 36, not \(bases[row])")
      }
      let digits = String(x[row], radix: Int(bases[row]), uppercase: true)
      let length = Int(lengths?[row] ?? 0)
      guard (0...64).contains(length) else {
        throw SQLError(.invalidInput, "to_base gives 0 to 64 digits at least, not \(length)")
      }
      for _ in 0..<max(0, length - digits.utf8.count) { try buffer.append(UInt8(0x30)) }
      try buffer.append(digits)
    }
  }
}
