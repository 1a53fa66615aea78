import Columnar
import Diagnostics

/// How alike two strings are, byte by byte.
enum SimilarityFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "damerau_levenshtein", category: "string",
      summary: "As levenshtein, with exchanges of neighbours as one step.",
      examples: [("damerau_levenshtein('ab', 'ba')", "1")],
      overloads: [
        .taking([.varchar, .varchar], returns: .bigint) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          let y = ColumnReader<StringView>(a[1])
          let cancellation = Cancellation.current
          return try Kernels.rows(a, n, t, Int64.self) { row in
            try cancellation.check()
            return try damerau(x.pointer(row).buffer, y.pointer(row).buffer)
          }
        }
      ]),
    ScalarFunction(
      "jaccard", category: "string",
      summary: "Characters that both strings have, as a part of those that one has.",
      examples: [("jaccard('duck', 'luck')", "0.6")],
      overloads: [
        .taking([.varchar, .varchar], returns: .double) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          let y = ColumnReader<StringView>(a[1])
          return try Kernels.rows(a, n, t, Double.self) { row in
            let (p, q) = (bytes(of: x.pointer(row).buffer), bytes(of: y.pointer(row).buffer))
            if x[row].length == 0 || y[row].length == 0 {
              throw SQLError(.invalidInput, "jaccard takes strings that are not empty")
            }
            let (both, either) = (p & q, p | q)
            return Double((0..<4).reduce(0) { $0 + both[$1].nonzeroBitCount })
              / Double((0..<4).reduce(0) { $0 + either[$1].nonzeroBitCount })
          }
        }
      ]),
    jaroFunction(
      "jaro_similarity", "Jaro's similarity of two strings, 0 to 1; below a cutoff 0.",
      "0.8888888888888888"
    ) { jaro($0, $1) },
    jaroFunction(
      "jaro_winkler_similarity",
      "Jaro's similarity, higher for strings that begin alike; below a cutoff 0.",
      "0.9333333333333333"
    ) { a, b in
      let similarity = jaro(a, b)
      if similarity <= 0.7 { return similarity }
      var prefix = 0
      while prefix < min(4, a.count, b.count), a[prefix] == b[prefix] { prefix += 1 }
      return similarity + Double(prefix) * 0.1 * (1 - similarity)
    },
  ]

  /// Which of the 256 bytes a string has, a bit each.
  private static func bytes(of text: UTF8Text.Bytes) -> SIMD4<UInt64> {
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    for byte in text {
      let bit = UInt64(1) << UInt64(byte & 63)
      switch byte >> 6 {
      case 0: words.0 |= bit
      case 1: words.1 |= bit
      case 2: words.2 |= bit
      default: words.3 |= bit
      }
    }
    return SIMD4(words.0, words.1, words.2, words.3)
  }

  private static func jaroFunction(
    _ name: String, _ summary: String, _ result: String,
    _ similarity: @escaping @Sendable (UTF8Text.Bytes, UTF8Text.Bytes) -> Double
  ) -> ScalarFunction {
    let kernel: ScalarOverload.Kernel = { a, n, t in
      let x = ColumnReader<StringView>(a[0])
      let y = ColumnReader<StringView>(a[1])
      let cutoff = a.count > 2 ? ColumnReader<Double>(a[2]) : nil
      let cancellation = Cancellation.current
      return try Kernels.rows(a, n, t, Double.self) { row in
        try cancellation.check()
        // Every byte of one may be looked for in half of the other.
        let (p, q) = (Int(x[row].length), Int(y[row].length))
        guard q == 0 || p <= 400_000_000 / q else {
          throw SQLError(.outOfRange, "\(name) takes strings of up to 20,000 bytes")
        }
        let value = similarity(x.pointer(row).buffer, y.pointer(row).buffer)
        // Nothing reaches a NaN.
        if let cutoff, !(value >= cutoff[row]) { return 0 }
        return value
      }
    }
    return ScalarFunction(
      name, category: "string", summary: summary, examples: [("\(name)('duck', 'duckdb')", result)],
      overloads: [
        .taking([.varchar, .varchar], returns: .double, kernel),
        .taking([.varchar, .varchar, .double], returns: .double, kernel),
      ])
  }

  /// Jaro 1989: characters that match within half the longer length, and how many are out of order.
  private static func jaro(_ a: UTF8Text.Bytes, _ b: UTF8Text.Bytes) -> Double {
    if a.isEmpty || b.isEmpty { return 0 }
    let reach = max(0, max(a.count, b.count) / 2 - 1)
    var matchedA = [Bool](repeating: false, count: a.count)
    var matchedB = [Bool](repeating: false, count: b.count)
    var matches = 0
    for i in 0..<a.count {
      let low = max(0, i - reach)
      let high = min(b.count, i + reach + 1)
      if low >= high { continue }
      for j in low..<high where !matchedB[j] && a[i] == b[j] {
        matchedA[i] = true
        matchedB[j] = true
        matches += 1
        break
      }
    }
    if matches == 0 { return 0 }
    var transposed = 0
    var j = 0
    for i in 0..<a.count where matchedA[i] {
      while !matchedB[j] { j += 1 }
      if a[i] != b[j] { transposed += 1 }
      j += 1
    }
    let m = Double(matches)
    return (m / Double(a.count) + m / Double(b.count) + (m - Double(transposed / 2)) / m) / 3
  }

  /// The unrestricted distance (Lowrance and Wagner 1975).
  private static func damerau(_ a: UTF8Text.Bytes, _ b: UTF8Text.Bytes) throws -> Int64 {
    if a.isEmpty || b.isEmpty { return Int64(max(a.count, b.count)) }
    guard a.count <= 25_000_000 / b.count else {
      throw SQLError(.outOfRange, "damerau_levenshtein takes strings of up to 5,000 bytes")
    }
    let width = b.count + 2
    let far = a.count + b.count
    var table = [Int32](repeating: 0, count: (a.count + 2) * width)
    table[0] = Int32(far)
    for i in 0...a.count {
      table[(i + 1) * width] = Int32(far)
      table[(i + 1) * width + 1] = Int32(i)
    }
    for j in 0...b.count {
      table[j + 1] = Int32(far)
      table[width + j + 1] = Int32(j)
    }
    var lastRow = [Int](repeating: 0, count: 256)
    for i in 1...a.count {
      var lastMatch = 0
      for j in 1...b.count {
        let (fromRow, fromColumn) = (lastRow[Int(b[j - 1])], lastMatch)
        var cost: Int32 = 1
        if a[i - 1] == b[j - 1] {
          cost = 0
          lastMatch = j
        }
        let exchanged =
          table[fromRow * width + fromColumn] + Int32(i - fromRow - 1 + 1 + j - fromColumn - 1)
        table[(i + 1) * width + j + 1] = min(
          table[i * width + j] + cost, table[(i + 1) * width + j] + 1,
          table[i * width + j + 1] + 1, exchanged)
      }
      lastRow[Int(a[i - 1])] = i
    }
    return Int64(table[(a.count + 1) * width + b.count + 1])
  }
}
