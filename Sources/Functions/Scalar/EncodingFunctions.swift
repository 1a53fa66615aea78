import Columnar
import Diagnostics

/// Code points, hexadecimal, base 64, and how far strings are apart.
enum EncodingFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "ascii", category: "string", summary: "The code point of the first character; 0 of ''.",
      examples: [("ascii('a')", "97")], overloads: codePoint(ofEmpty: 0)),
    ScalarFunction(
      "chr", aliases: ["char"], category: "string", summary: "The character of a code point.",
      examples: [("chr(228)", "ä")],
      overloads: [
        .taking([.integer], returns: .varchar) { a, n, _ in
          let x = ColumnReader<Int32>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            guard let value = UInt32(exactly: x[row]), let scalar = Unicode.Scalar(value) else {
              throw SQLError(.invalidInput, "there is no character \(x[row])")
            }
            try buffer.append(scalar)
          }
        }
      ]),
    ScalarFunction(
      "from_base64", aliases: ["unbase64"], category: "string", summary: "The bytes of base 64.",
      examples: [("from_base64('YWI=')", "ab")],
      overloads: [.taking([.varchar], returns: .blob) { a, n, _ in try fromBase64(a, n) }]),
    ScalarFunction(
      "hamming", aliases: ["mismatches"], category: "string",
      summary: "How many places two strings of one length differ in.",
      examples: [("hamming('abc', 'axc')", "1")],
      overloads: [
        .taking([.varchar, .varchar], returns: .bigint) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          let y = ColumnReader<StringView>(a[1])
          return try Kernels.rows(a, n, t, Int64.self) { row in
            let (p, q) = (x.pointer(row).buffer, y.pointer(row).buffer)
            guard p.count == q.count else {
              throw SQLError(.invalidInput, "hamming takes strings of equal length")
            }
            var total: Int64 = 0
            for index in 0..<p.count where p[index] != q[index] { total += 1 }
            return total
          }
        }
      ]),
    ScalarFunction(
      "hex", aliases: ["to_hex"], category: "string",
      summary: "Hexadecimal digits of a string's bytes or of an integer.",
      examples: [("hex('ab')", "6162"), ("hex(255)", "FF")],
      overloads: [
        .taking([.varchar], returns: .varchar) { a, n, _ in try hexOfBytes(a, n) },
        .taking([.blob], returns: .varchar) { a, n, _ in try hexOfBytes(a, n) },
        .taking([.bigint], returns: .varchar) { a, n, _ in
          let x = ColumnReader<Int64>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            try buffer.append(String(UInt64(bitPattern: x[row]), radix: 16, uppercase: true))
          }
        },
        .taking([.hugeint], returns: .varchar) { a, n, _ in
          let x = ColumnReader<Int128>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            try buffer.append(
              String(UInt128(truncatingIfNeeded: x[row]), radix: 16, uppercase: true))
          }
        },
        .taking([.uhugeint], returns: .varchar) { a, n, _ in
          let x = ColumnReader<UInt128>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            try buffer.append(String(x[row], radix: 16, uppercase: true))
          }
        },
      ]),
    ScalarFunction(
      "levenshtein", aliases: ["editdist3"], category: "string",
      summary: "Insertions, deletions and substitutions from one string to the other.",
      examples: [("levenshtein('kitten', 'sitting')", "3")],
      overloads: [
        .taking([.varchar, .varchar], returns: .bigint) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          let y = ColumnReader<StringView>(a[1])
          let cancellation = Cancellation.current
          return try Kernels.rows(a, n, t, Int64.self) { row in
            try cancellation.check()
            return try distance(x.pointer(row).buffer, y.pointer(row).buffer)
          }
        }
      ]),
    ScalarFunction(
      "to_base64", aliases: ["base64"], category: "string", summary: "Base 64 of the bytes.",
      examples: [("to_base64('ab')", "YWI=")],
      overloads: [
        .taking([.varchar], returns: .varchar) { a, n, _ in try toBase64(a, n) },
        .taking([.blob], returns: .varchar) { a, n, _ in try toBase64(a, n) },
      ]),
    ScalarFunction(
      "unhex", aliases: ["from_hex"], category: "string",
      summary: "The bytes of hexadecimal digits.",
      examples: [("unhex('6162')", "ab")],
      overloads: [
        .taking([.varchar], returns: .blob) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          return try Kernels.texts(a, n, .blob) { row, buffer in
            let bytes = x.pointer(row).buffer
            // An odd number of digits begins with half a byte.
            var pending: UInt8? = bytes.count % 2 == 1 ? 0 : nil
            for byte in bytes {
              guard let digit = TextParsing.hexadecimalDigit(byte) else {
                throw SQLError(.invalidInput, "'\(x[row].string)' is not hexadecimal")
              }
              if let high = pending {
                try buffer.append(high << 4 | digit)
                pending = nil
              } else {
                pending = digit
              }
            }
          }
        }
      ]),
    ScalarFunction(
      "unicode", aliases: ["ord"], category: "string",
      summary: "The code point of the first character; -1 of ''.",
      examples: [("unicode('ä')", "228"), ("unicode('')", "-1")], overloads: codePoint(ofEmpty: -1)),
  ]

  private static func codePoint(ofEmpty empty: Int32) -> [ScalarOverload] {
    [
      .taking([.varchar], returns: .integer) { a, n, t in
        let x = ColumnReader<StringView>(a[0])
        return Kernels.rows(a, n, t, Int32.self) { row in
          let bytes = x.pointer(row).buffer
          return bytes.isEmpty ? empty : Int32(UTF8Text.scalar(bytes, 0).value)
        }
      }
    ]
  }

  private static func hexOfBytes(_ a: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(a[0])
    let digits = Array("0123456789ABCDEF".utf8)
    return try Kernels.texts(a, count) { row, buffer in
      for byte in x.pointer(row).buffer {
        try buffer.append(digits[Int(byte >> 4)])
        try buffer.append(digits[Int(byte & 15)])
      }
    }
  }

  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static func toBase64(_ a: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(a[0])
    let alphabet = alphabet
    return try Kernels.texts(a, count) { row, buffer in
      let bytes = x.pointer(row).buffer
      var index = 0
      while index < bytes.count {
        let left = bytes.count - index
        var group = UInt32(bytes[index]) << 16
        if left > 1 { group |= UInt32(bytes[index + 1]) << 8 }
        if left > 2 { group |= UInt32(bytes[index + 2]) }
        try buffer.append(alphabet[Int(group >> 18)])
        try buffer.append(alphabet[Int(group >> 12 & 63)])
        try buffer.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : 0x3D)
        try buffer.append(left > 2 ? alphabet[Int(group & 63)] : 0x3D)
        index += 3
      }
    }
  }

  private static func fromBase64(_ a: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(a[0])
    return try Kernels.texts(a, count, .blob) { row, buffer in
      let bytes = x.pointer(row).buffer
      func malformed() -> SQLError {
        SQLError(.conversion, "could not convert string '\(x[row].string)' from base 64")
      }
      if bytes.count % 4 != 0 { throw malformed() }
      var index = 0
      while index < bytes.count {
        var group: UInt32 = 0
        var padding = 0
        for offset in 0..<4 {
          let byte = bytes[index + offset]
          if byte == 0x3D, offset >= 2, index + 4 == bytes.count {
            padding += 1
            group <<= 6
            continue
          }
          guard padding == 0, let digit = alphabet.firstIndex(of: byte) else { throw malformed() }
          group = group << 6 | UInt32(digit)
        }
        try buffer.append(UInt8(truncatingIfNeeded: group >> 16))
        if padding < 2 { try buffer.append(UInt8(truncatingIfNeeded: group >> 8)) }
        if padding < 1 { try buffer.append(UInt8(truncatingIfNeeded: group)) }
        index += 4
      }
    }
  }

  private static func distance(_ a: UTF8Text.Bytes, _ b: UTF8Text.Bytes) throws -> Int64 {
    // By bytes, as DuckDB counts.
    let (x, y) = (a, b)
    if x.isEmpty || y.isEmpty { return Int64(max(x.count, y.count)) }
    guard x.count <= 100_000_000 / y.count else {
      throw SQLError(.outOfRange, "levenshtein takes strings of up to 10,000 bytes")
    }
    var previous = Array(0...y.count)
    var current = previous
    for i in 0..<x.count {
      current[0] = i + 1
      for j in 0..<y.count {
        current[j + 1] = min(
          previous[j] + (x[i] == y[j] ? 0 : 1), previous[j + 1] + 1, current[j] + 1)
      }
      swap(&previous, &current)
    }
    return Int64(previous[y.count])
  }
}
