import Columnar
import Diagnostics

/// Lengths, parts of strings, and splitting. Positions count code points from 1.
enum SubstringFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "bit_length", category: "string", summary: "Bits of the string in UTF-8.",
      examples: [("bit_length('abc')", "24")],
      overloads: [
        .taking([.varchar], returns: .bigint) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          return Kernels.rows(a, n, t, Int64.self) { Int64(x[$0].count) * 8 }
        }
      ]),
    ScalarFunction(
      "left", category: "string",
      summary: "The first n characters; with negative n, all but the last -n.",
      examples: [("left('hello', 2)", "he"), ("left('hello', -2)", "hel")],
      overloads: [
        .taking([.varchar, .bigint], returns: .varchar) { a, n, _ in end(a, n, left: true) }
      ]),
    ScalarFunction(
      "length", aliases: ["len", "char_length", "character_length"], category: "string",
      summary: "Characters (Unicode code points) of a string, elements of a list.",
      examples: [("length('äb')", "2"), ("len([1, 2, 3])", "3")],
      overloads: [
        .taking([.varchar], returns: .bigint) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          return Kernels.rows(a, n, t, Int64.self) {
            Int64(UTF8Text.count(x.pointer($0).buffer))
          }
        },
        ScalarOverload([.anyList], returns: .bigint) { a, n, t in
          let x = ColumnReader<ListEntry>(a[0])
          return Kernels.rows(a, n, t, Int64.self) { Int64(x[$0].length) }
        },
      ]),
    ScalarFunction(
      "right", category: "string",
      summary: "The last n characters; with negative n, all but the first -n.",
      examples: [("right('hello', 2)", "lo"), ("right('hello', -2)", "llo")],
      overloads: [
        .taking([.varchar, .bigint], returns: .varchar) { a, n, _ in end(a, n, left: false) }
      ]),
    ScalarFunction(
      "split_part", category: "string",
      summary: "Part n between separators, from 1; negative n counts from the end.",
      examples: [("split_part('a-b-c', '-', 2)", "b"), ("split_part('a-b-c', '-', -1)", "c")],
      overloads: [
        .taking([.varchar, .varchar, .bigint], returns: .varchar) { a, n, _ in splitPart(a, n) }
      ]),
    ScalarFunction(
      "string_split", aliases: ["split", "str_split", "string_to_array"], category: "string",
      summary: "The parts between separators as a list; an empty separator splits characters.",
      examples: [("string_split('a,b', ',')", "[a, b]"), ("split('abc', '')", "[a, b, c]")],
      overloads: [
        ScalarOverload(
          [.exactly(.varchar), .exactly(.varchar)], returns: .list(.varchar), nulls: .custom
        ) { a, n, _ in try split(a, n) }
      ]),
    ScalarFunction(
      "strlen", aliases: ["octet_length"], category: "string",
      summary: "Bytes of a string or blob.", examples: [("strlen('ä')", "2")],
      overloads: [
        .taking([.varchar], returns: .bigint) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          return Kernels.rows(a, n, t, Int64.self) { Int64(x[$0].count) }
        },
        .taking([.blob], returns: .bigint) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          return Kernels.rows(a, n, t, Int64.self) { Int64(x[$0].count) }
        },
      ]),
    ScalarFunction(
      "substring", aliases: ["substr", "mid"], category: "string",
      summary:
        "From a position, from 1 or from the end when negative, so many characters or all.",
      examples: [("substring('hello', 2, 3)", "ell"), ("substr('hello', -3)", "llo")],
      overloads: [
        .taking([.varchar, .bigint, .bigint], returns: .varchar) { a, n, _ in substring(a, n) },
        .taking([.varchar, .bigint], returns: .varchar) { a, n, _ in substring(a, n) },
      ]),
  ]

  private static func substring(_ arguments: [Column], _ count: Int) -> Column {
    let x = ColumnReader<StringView>(arguments[0])
    let starts = ColumnReader<Int64>(arguments[1])
    let lengths = arguments.count > 2 ? ColumnReader<Int64>(arguments[2]) : nil
    return Kernels.rows(arguments, count, .varchar, StringView.self) { row in
      let bytes = x.pointer(row).buffer
      let ascii = UTF8Text.isASCII(bytes)
      let total = ascii ? bytes.count : UTF8Text.count(bytes)
      let range = Substrings.range(start: starts[row], length: lengths?[row], count: total)
      let (low, high) = (range.lowerBound, range.upperBound)
      if low >= high { return StringView() }
      if ascii { return UTF8Text.view(bytes, low, high) }
      let first = UTF8Text.offset(bytes, of: low)
      let rest = UTF8Text.part(bytes, first..<bytes.count)
      return UTF8Text.view(bytes, first, first + UTF8Text.offset(rest, of: high - low))
    }
  }

  private static func end(_ arguments: [Column], _ count: Int, left: Bool) -> Column {
    let x = ColumnReader<StringView>(arguments[0])
    let sizes = ColumnReader<Int64>(arguments[1])
    return Kernels.rows(arguments, count, .varchar, StringView.self) { row in
      let bytes = x.pointer(row).buffer
      let total = Int64(UTF8Text.count(bytes))
      let size = max(-total, min(total, sizes[row]))
      let taken = Int(size >= 0 ? size : total + size)
      if left { return UTF8Text.view(bytes, 0, UTF8Text.offset(bytes, of: taken)) }
      return UTF8Text.view(bytes, UTF8Text.offset(bytes, of: Int(total) - taken), bytes.count)
    }
  }

  /// Calls `body` with the bounds of each part until it returns false.
  @inline(__always)
  private static func forEachPart(
    _ bytes: UTF8Text.Bytes, _ separator: UTF8Text.Bytes, _ body: (Int, Int) -> Bool
  ) {
    var position = 0
    if separator.isEmpty {
      if bytes.isEmpty { _ = body(0, 0) }
      while position < bytes.count {
        let next = position + UTF8Text.width(bytes, position)
        if !body(position, next) { return }
        position = next
      }
      return
    }
    while let found = UTF8Text.find(separator, in: bytes, from: position) {
      if !body(position, found) { return }
      position = found + separator.count
    }
    _ = body(position, bytes.count)
  }

  private static func splitPart(_ arguments: [Column], _ count: Int) -> Column {
    let x = ColumnReader<StringView>(arguments[0])
    let separators = ColumnReader<StringView>(arguments[1])
    let numbers = ColumnReader<Int64>(arguments[2])
    return Kernels.rows(arguments, count, .varchar, StringView.self) { row in
      let bytes = x.pointer(row).buffer
      let separator = separators.pointer(row).buffer
      var wanted = numbers[row]
      if wanted < 0 {
        var parts: Int64 = 0
        forEachPart(bytes, separator) { _, _ in
          parts += 1
          return true
        }
        if wanted < 0 - parts { return StringView() }
        wanted = parts + wanted + 1
      }
      if wanted == 0 { return StringView() }
      var seen: Int64 = 0
      var result = StringView()
      forEachPart(bytes, separator) { start, end in
        seen += 1
        if seen == wanted { result = UTF8Text.view(bytes, start, end) }
        return seen < wanted
      }
      return result
    }
  }

  private static func split(_ arguments: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(arguments[0])
    let separators = ColumnReader<StringView>(arguments[1])
    var parts = ColumnBuilder(.varchar, capacity: count)
    let result = Column(flat: .list(.varchar), count: count)
    result.addNulls(of: arguments[0])
    let target = result.values(as: ListEntry.self)
    for row in 0..<count {
      let offset = parts.count
      if !result.isNull(row) {
        let bytes = x.pointer(row).buffer
        // Without a separator all is one part.
        if separators.isNull(row) {
          parts.append(bytes: bytes)
          target[row] = ListEntry(offset: offset, length: 1)
          continue
        }
        var tooMany: (any Error)?
        forEachPart(bytes, separators.pointer(row).buffer) { start, end in
          parts.append(bytes: UTF8Text.part(bytes, start..<end))
          do { try ListKernels.checkParts(parts) } catch { tooMany = error }
          return tooMany == nil
        }
        if let tooMany { throw tooMany }
      }
      target[row] = ListEntry(offset: offset, length: parts.count - offset)
    }
    result.replaceChildren([parts.finish()])
    return result
  }
}

/// What substring's numbers mean.
enum Substrings {
  /// The places of `length` characters (all, when nil) from position `start`, from 1 or negative
  /// from the end, of a string of `count` characters. A negative length goes to the left.
  static func range(start: Int64, length: Int64?, count: Int) -> Range<Int> {
    let total = Int64(count)
    // No string is longer than 2^32: what lies beyond is all the same, and sums cannot overflow.
    let reach: Int64 = 1 << 33
    let start = max(-reach, min(reach, start))
    let bounded = length.map { max(-2 * reach, min(2 * reach, $0)) } ?? 2 * reach
    var from = start > 0 ? start - 1 : start < 0 ? total + start : -1
    var to = length == nil ? total : from + bounded
    if bounded < 0 { (from, to) = (to, from) }
    let low = Int(max(0, min(total, from)))
    let high = Int(max(0, min(total, to)))
    return low..<max(low, high)
  }
}
