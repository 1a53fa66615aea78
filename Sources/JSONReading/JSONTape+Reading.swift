extension JSONTape {
  /// Reads a whole document and gives the place of its root. A mistake leaves the tape as it was.
  package mutating func read(
    _ input: UnsafeBufferPointer<UInt8>, _ rules: JSONRules
  ) throws(JSONMistake) -> Int {
    let root = count
    let end = try readFirst(input, rules)
    var position = end
    while position < input.count {
      guard JSONTape.isSpace(input[position]) else {
        count = root
        throw JSONMistake(offset: position, reason: "unexpected content after document")
      }
      position += 1
    }
    return root
  }

  /// Reads the document at the beginning of the input, whose root becomes node `count`, and gives
  /// the offset behind it. A mistake leaves the tape as it was.
  package mutating func readFirst(
    _ input: UnsafeBufferPointer<UInt8>, _ rules: JSONRules
  ) throws(JSONMistake) -> Int {
    guard let start = input.baseAddress, input.count > 0 else {
      throw JSONMistake(offset: 0, reason: "input length is 0")
    }
    guard input.count < Int(UInt32.max) else {
      throw JSONMistake(offset: 0, reason: "input is longer than 4 GiB")
    }
    let end = start + input.count
    var from = start
    while from < end, JSONTape.isSpace(from.pointee) { from += 1 }
    guard from < end else { throw JSONMistake(offset: 0, reason: "input data is empty") }
    let root = count
    var reader = JSONReader(start: start, end: end, rules: rules)
    do {
      return try reader.value(from, &self) - start
    } catch {
      count = root
      throw error
    }
  }

  @inline(__always)
  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }
}

/// The parser: one pass, no recursion. The node of an open container holds its parent's place in
/// `next` until it is closed.
private struct JSONReader {
  typealias Place = UnsafePointer<UInt8>

  let start: Place
  let end: Place
  let rules: JSONRules
  static let noParent = UInt32.max

  mutating func value(_ first: Place, _ tape: inout JSONTape) throws(JSONMistake) -> Place {
    var at = first
    var open = JSONReader.noParent
    var isObject = false
    var depth = 0
    while true {
      guard at < end else { throw endOfData() }
      let byte = at.pointee
      if !isObject, open != JSONReader.noParent { tape.nodes[Int(open)].count &+= 1 }
      var opened = false
      switch byte {
      case 0x22:
        at = try string(at, &tape, open)
      case 0x7B, 0x5B:
        depth += 1
        if depth > rules.maximumDepth {
          throw mistake(at, "nested deeper than \(rules.maximumDepth) levels")
        }
        isObject = byte == 0x7B
        let kind: JSONKind = isObject ? .object : .array
        tape.append(JSONNode(kind, at, length: 0, next: open, isPlain: true))
        open = UInt32(truncatingIfNeeded: tape.count &- 1)
        at += 1
        opened = true
      case 0x2D, 0x30...0x39:
        at = try number(at, &tape, open)
      case UInt8(ascii: "t"):
        at = try word(at, "true", .true, &tape)
      case UInt8(ascii: "f"):
        at = try word(at, "false", .false, &tape)
      case UInt8(ascii: "n") where !isNonFinite(at):
        at = try word(at, "null", .null, &tape)
      default:
        guard let after = nonFinite(at) else { throw mistake(at, "unexpected character") }
        tape.append(
          JSONNode(
            .wide, at, length: UInt32(after - at), next: next(tape), isPlain: true))
        at = after
      }
      // Behind a value, or behind an opening bracket: on to the next value.
      var needsValue = false
      while !needsValue {
        if open == JSONReader.noParent { return at }
        let container = Int(open)
        at = skipSpace(at, &tape, container)
        guard at < end else { throw endOfData() }
        let closing: UInt8 = isObject ? 0x7D : 0x5D
        if at.pointee == closing {
          at += 1
          depth -= 1
          open = close(container, at, &tape)
          isObject = open != JSONReader.noParent && tape.nodes[Int(open)].kind == .object
          opened = false
          continue
        }
        if !opened {
          guard at.pointee == 0x2C else { throw mistake(at, "unexpected character") }
          at = skipSpace(at + 1, &tape, container)
          guard at < end else { throw endOfData() }
          if at.pointee == closing {
            guard rules.allowsTrailingCommas else {
              throw mistake(at, "trailing comma is not allowed")
            }
            tape.nodes[container].isPlain = false
            opened = true
            continue
          }
        }
        if isObject { at = try key(at, &tape, open) }
        needsValue = true
      }
    }
  }

  /// Completes a container and gives its parent.
  private func close(_ container: Int, _ after: Place, _ tape: inout JSONTape) -> UInt32 {
    let parent = tape.nodes[container].next
    let text = tape.nodes[container].text
    tape.nodes[container].length = UInt32(truncatingIfNeeded: after - text)
    tape.nodes[container].next = UInt32(truncatingIfNeeded: tape.count)
    if parent != JSONReader.noParent, !tape.nodes[container].isPlain {
      tape.nodes[Int(parent)].isPlain = false
    }
    return parent
  }

  /// A member's key and its colon.
  private func key(
    _ from: Place, _ tape: inout JSONTape, _ object: UInt32
  ) throws(JSONMistake) -> Place {
    guard from.pointee == 0x22 else { throw mistake(from, "unexpected character") }
    var at = try string(from, &tape, object)
    let container = Int(object)
    tape.nodes[container].count &+= 1
    at = skipSpace(at, &tape, container)
    guard at < end else { throw endOfData() }
    guard at.pointee == 0x3A else { throw mistake(at, "unexpected character") }
    return skipSpace(at + 1, &tape, container)
  }

  @inline(__always)
  private func skipSpace(_ from: Place, _ tape: inout JSONTape, _ container: Int) -> Place {
    if from < end, from.pointee > 0x20 { return from }
    var at = from
    while at < end, JSONTape.isSpace(at.pointee) { at += 1 }
    if at != from { tape.nodes[container].isPlain = false }
    return at
  }

  @inline(__always)
  private func next(_ tape: borrowing JSONTape) -> UInt32 {
    UInt32(truncatingIfNeeded: tape.count &+ 1)
  }

  // MARK: Words

  private func word(
    _ from: Place, _ word: StaticString, _ kind: JSONKind, _ tape: inout JSONTape
  ) throws(JSONMistake) -> Place {
    for position in 0..<word.utf8CodeUnitCount {
      guard from + position < end else { throw endOfData() }
      guard from[position] == word.utf8Start[position] else {
        throw mistake(from + position, "unexpected character")
      }
    }
    let length = word.utf8CodeUnitCount
    tape.append(JSONNode(kind, from, length: UInt32(length), next: next(tape), isPlain: true))
    return from + length
  }

  private func isNonFinite(_ from: Place) -> Bool { nonFinite(from) != nil }

  /// The end of `nan`, `inf` or `infinity`, where the rules have them.
  private func nonFinite(_ from: Place) -> Place? {
    guard rules.allowsNonFinite else { return nil }
    for word: StaticString in ["infinity", "inf", "nan"] {
      let length = word.utf8CodeUnitCount
      guard end - from >= length else { continue }
      var matches = true
      for position in 0..<length where from[position] | 32 != word.utf8Start[position] {
        matches = false
      }
      if matches { return from + length }
    }
    return nil
  }

  // MARK: Numbers

  /// `-? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`
  private func number(
    _ from: Place, _ tape: inout JSONTape, _ open: UInt32
  ) throws(JSONMistake) -> Place {
    var at = from
    let isNegative = at.pointee == 0x2D
    if isNegative {
      at += 1
      guard at < end else { throw endOfData() }
      if let after = nonFinite(at) {
        tape.append(
          JSONNode(.wide, from, length: UInt32(after - from), next: next(tape), isPlain: true))
        return after
      }
    }
    let digits = at
    var magnitude: UInt64 = 0
    var overflows = false
    while at < end {
      let digit = at.pointee &- 0x30
      if digit > 9 { break }
      if at - digits < 19 {
        magnitude = magnitude &* 10 &+ UInt64(digit)
      } else {
        let (tenfold, first) = magnitude.multipliedReportingOverflow(by: 10)
        let (sum, second) = tenfold.addingReportingOverflow(UInt64(digit))
        if first || second { overflows = true }
        magnitude = sum
      }
      at += 1
    }
    let whole = at - digits
    if whole == 0 { throw mistake(at, "no digit after minus sign") }
    if whole > 1, digits.pointee == 0x30 {
      throw mistake(digits, "number with leading zero is not allowed")
    }
    if at < end, at.pointee == 0x2E || at.pointee | 32 == 0x65 {
      return try floating(from, point: at, digits: digits, &tape, open)
    }
    var kind: JSONKind = isNegative ? .signed : .unsigned
    if overflows || (isNegative && magnitude > 1 << 63) { kind = .wide }
    let isPlain = !(isNegative && magnitude == 0)
    if !isPlain { spoil(&tape, open) }
    tape.append(
      JSONNode(kind, from, length: UInt32(at - from), next: next(tape), isPlain: isPlain))
    return at
  }

  private func floating(
    _ from: Place, point: Place, digits: Place, _ tape: inout JSONTape, _ open: UInt32
  ) throws(JSONMistake) -> Place {
    var at = point
    var fraction = 0
    if at.pointee == 0x2E {
      at += 1
      let first = at
      while at < end, at.pointee &- 0x30 <= 9 { at += 1 }
      fraction = at - first
      if fraction == 0 {
        throw at < end ? mistake(at, "no digit after decimal point") : endOfData()
      }
    }
    let mantissaEnd = at
    var hasExponent = false
    if at < end, at.pointee | 32 == 0x65 {
      hasExponent = true
      at += 1
      if at < end, at.pointee == 0x2B || at.pointee == 0x2D { at += 1 }
      let first = at
      while at < end, at.pointee &- 0x30 <= 9 { at += 1 }
      if at == first { throw at < end ? mistake(at, "no digit after exponent sign") : endOfData() }
    }
    // At most 15 digits are the shortest that give their number back.
    let isPlain =
      !hasExponent && mantissaEnd - digits <= 16
      && (fraction == 1 || mantissaEnd[-1] != 0x30)
      && (digits.pointee != 0x30 || fraction <= 5 || !isTiny(digits + 2, fraction))
    let mayOverflow = hasExponent || mantissaEnd - digits > 300
    let kind: JSONKind = mayOverflow && isInfinite(from, at) ? .wide : .double
    let plain = isPlain || kind == .wide
    if !plain { spoil(&tape, open) }
    tape.append(JSONNode(kind, from, length: UInt32(at - from), next: next(tape), isPlain: plain))
    return at
  }

  /// Whether a fraction begins with so many zeros that the number is written with an exponent.
  private func isTiny(_ fraction: Place, _ count: Int) -> Bool {
    for position in 0..<count where fraction[position] != 0x30 { return position > 5 }
    return false
  }

  private func isInfinite(_ from: Place, _ to: Place) -> Bool {
    Double(String(decoding: UnsafeBufferPointer(start: from, count: to - from), as: UTF8.self))
      .map { $0.isInfinite } ?? true
  }

  @inline(__always)
  private func spoil(_ tape: inout JSONTape, _ open: UInt32) {
    if open != JSONReader.noParent { tape.nodes[Int(open)].isPlain = false }
  }

  // MARK: Strings

  private func string(
    _ from: Place, _ tape: inout JSONTape, _ open: UInt32
  ) throws(JSONMistake) -> Place {
    var at = from + 1
    var isPlain = true
    while true {
      // Eight bytes at once while they are ASCII without quotes, backslashes and controls.
      while end - at >= 8 {
        let word = UnsafeRawPointer(at).loadUnaligned(as: UInt64.self)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let slash = word ^ (ones &* 0x5C)
        let found =
          ((quote &- ones) & ~quote) | ((slash &- ones) & ~slash) | (word &- (ones &* 0x20)) | word
        let hits = found & (ones &* 0x80)
        if hits != 0 {
          // The lowest hit is one; those above may be borrowed.
          at += hits.trailingZeroBitCount >> 3
          break
        }
        at += 8
      }
      guard at < end else { throw endOfData() }
      let byte = at.pointee
      if byte == 0x22 { break }
      if byte == 0x5C {
        isPlain = false
        at = try escape(at, from)
      } else if byte < 0x20 {
        throw mistake(at, "unexpected control character in string")
      } else if byte < 0x80 {
        at += 1
      } else {
        at = try scalar(at)
      }
    }
    at += 1
    if !isPlain { spoil(&tape, open) }
    tape.append(
      JSONNode(
        .string, from, length: UInt32(truncatingIfNeeded: at - from), next: next(tape),
        isPlain: isPlain))
    return at
  }

  private func escape(_ from: Place, _ string: Place) throws(JSONMistake) -> Place {
    guard from + 1 < end else { throw endOfData() }
    switch from[1] {
    case 0x22, 0x5C, 0x2F, UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      return from + 2
    case UInt8(ascii: "u"): break
    default: throw mistake(from + 1, "invalid escaped character in string")
    }
    let unit = try hexadecimal(from)
    let after = from + 6
    guard unit & 0xF800 == 0xD800, !rules.allowsLoneSurrogates else { return after }
    guard unit & 0xFC00 == 0xD800 else { throw mistake(from, "invalid high surrogate in string") }
    guard after + 1 < end, after[0] == 0x5C, after[1] == UInt8(ascii: "u") else {
      throw mistake(after, "no low surrogate in string")
    }
    guard try hexadecimal(after) & 0xFC00 == 0xDC00 else {
      throw mistake(after, "invalid low surrogate in string")
    }
    return after + 6
  }

  /// The digits of `\uXXXX`.
  private func hexadecimal(_ from: Place) throws(JSONMistake) -> UInt32 {
    guard end - from >= 6 else { throw endOfData() }
    for position in 2..<6 {
      switch from[position] {
      case 0x30...0x39, 0x41...0x46, 0x61...0x66: break
      default: throw mistake(from, "invalid escaped sequence in string")
      }
    }
    return JSONTape.fourDigits(from + 2)
  }

  /// The end of a UTF-8 sequence of two to four bytes.
  private func scalar(_ from: Place) throws(JSONMistake) -> Place {
    let lead = from.pointee
    let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    guard lead >= 0xC2, lead <= 0xF4, end - from >= length else {
      throw mistake(from, "invalid UTF-8 encoding in string")
    }
    for position in 1..<length where from[position] & 0xC0 != 0x80 {
      throw mistake(from, "invalid UTF-8 encoding in string")
    }
    let second = from[1]
    // Overlong forms, surrogates and what lies beyond U+10FFFF.
    if (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)
      || (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)
    {
      throw mistake(from, "invalid UTF-8 encoding in string")
    }
    return from + length
  }

  // MARK: Messages

  private func mistake(_ place: Place, _ reason: String) -> JSONMistake {
    JSONMistake(offset: place - start, reason: reason)
  }

  private func endOfData() -> JSONMistake {
    JSONMistake(offset: end - start, reason: "unexpected end of data")
  }
}
