import CPCRE2
import Columnar
import Glibc

/// Code points in UTF-8 bytes. Invalid bytes count as a code point each and never trap.
enum UTF8Text {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  /// How many code points: bytes that do not continue another.
  static func count(_ bytes: Bytes) -> Int {
    guard let base = UnsafeRawPointer(bytes.baseAddress) else { return 0 }
    let length = bytes.count
    var continued = 0
    var position = 0
    // Eight at a time: a byte 10xxxxxx leaves its lowest bit set below.
    while position &+ 8 <= length {
      let word = base.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      continued &+= ((word >> 7) & ~(word >> 6) & 0x0101_0101_0101_0101).nonzeroBitCount
      position &+= 8
    }
    while position < length {
      let byte = base.load(fromByteOffset: position, as: UInt8.self)
      continued &+= byte & 0xC0 == 0x80 ? 1 : 0
      position &+= 1
    }
    return length &- continued
  }

  /// Whether the bytes are UTF-8: no stray or missing continuations, surrogates or long forms.
  static func isValid(_ bytes: Bytes) -> Bool {
    if isASCII(bytes) { return true }
    var position = 0
    while position < bytes.count {
      let length = width(bytes, position)
      let first = bytes[position]
      let found = scalar(bytes, position)
      if first < 0x80 ? length != 1 : found == "\u{FFFD}" {
        // U+FFFD itself may be there.
        guard length == 3, first == 0xEF, bytes[position + 1] == 0xBF, bytes[position + 2] == 0xBD
        else { return false }
      } else if UTF8.width(found) != length {
        return false
      }
      position += length
    }
    return true
  }

  static func isASCII(_ bytes: Bytes) -> Bool {
    guard let base = UnsafeRawPointer(bytes.baseAddress) else { return true }
    let length = bytes.count
    var all: UInt64 = 0
    var position = 0
    while position &+ 8 <= length {
      all |= base.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      position &+= 8
    }
    while position < length {
      all |= UInt64(base.load(fromByteOffset: position, as: UInt8.self))
      position &+= 1
    }
    return all & 0x8080_8080_8080_8080 == 0
  }

  /// Where code point `index` starts; the end when there are fewer.
  static func offset(_ bytes: Bytes, of index: Int) -> Int {
    if index <= 0 { return 0 }
    var seen = 0
    for position in 0..<bytes.count where bytes[position] & 0xC0 != 0x80 {
      if seen == index { return position }
      seen += 1
    }
    return bytes.count
  }

  /// The bytes that the code point at `position` takes, at least 1 and never past the end.
  @inline(__always)
  static func width(_ bytes: Bytes, _ position: Int) -> Int {
    var end = position + 1
    while end < bytes.count && bytes[end] & 0xC0 == 0x80 { end += 1 }
    return end - position
  }

  /// The code point at `position`; U+FFFD when the bytes are not valid.
  static func scalar(_ bytes: Bytes, _ position: Int) -> Unicode.Scalar {
    let first = bytes[position]
    if first < 0x80 { return Unicode.Scalar(first) }
    let length = width(bytes, position)
    var value: UInt32
    switch first {
    case 0xC2...0xDF where length == 2: value = UInt32(first & 0x1F)
    case 0xE0...0xEF where length == 3: value = UInt32(first & 0x0F)
    case 0xF0...0xF4 where length == 4: value = UInt32(first & 0x07)
    default: return "\u{FFFD}"
    }
    for offset in 1..<length { value = value << 6 | UInt32(bytes[position + offset] & 0x3F) }
    return Unicode.Scalar(value) ?? "\u{FFFD}"
  }

  static func scalars(_ bytes: Bytes) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var position = 0
    while position < bytes.count {
      result.append(scalar(bytes, position))
      position += width(bytes, position)
    }
    return result
  }

  /// Where `needle` first occurs at or after `start`: the places, eight at a time, where its first
  /// and last byte are as far apart as in it, then a comparison. Long texts go to glibc's memmem,
  /// which prepares a table for each call, but never compares a place again and again.
  @inline(__always)
  static func find(_ needle: Bytes, in bytes: Bytes, from start: Int = 0) -> Int? {
    if needle.isEmpty { return start <= bytes.count ? start : nil }
    guard start < bytes.count, let base = bytes.baseAddress, let sought = needle.baseAddress,
      needle.count <= bytes.count - start
    else { return nil }
    if bytes.count - start <= 256 {
      return findShort(sought, needle.count, in: base, bytes.count, from: start)
    }
    guard let found = memmem(base + start, bytes.count - start, sought, needle.count) else {
      return nil
    }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }

  private static func findShort(
    _ needle: UnsafePointer<UInt8>, _ length: Int, in bytes: UnsafePointer<UInt8>, _ count: Int,
    from start: Int
  ) -> Int? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let base = UnsafeRawPointer(bytes)
    let apart = length &- 1
    let first = ones &* UInt64(needle[0])
    let last = ones &* UInt64(needle[apart])
    var position = start
    while position &+ apart &+ 8 <= count {
      let low = base.loadUnaligned(fromByteOffset: position, as: UInt64.self).littleEndian
      let high = base.loadUnaligned(fromByteOffset: position &+ apart, as: UInt64.self).littleEndian
      let unlike = (low ^ first) | (high ^ last)
      // The lowest bit set is a place where both are alike; those above it may be mistaken.
      var places = (unlike &- ones) & ~unlike & (ones << 7)
      while places != 0 {
        let place = position &+ places.trailingZeroBitCount >> 3
        if memcmp(bytes + place, needle, length) == 0 { return place }
        places &= places &- 1
      }
      position &+= 8
    }
    while position &+ apart < count {
      if bytes[position] == needle[0], memcmp(bytes + position, needle, length) == 0 {
        return position
      }
      position &+= 1
    }
    return nil
  }

  @inline(__always)
  static func hasPrefix(_ bytes: Bytes, _ prefix: Bytes) -> Bool {
    guard prefix.count <= bytes.count else { return false }
    guard let a = bytes.baseAddress, let b = prefix.baseAddress else { return true }
    return memcmp(a, b, prefix.count) == 0
  }

  @inline(__always)
  static func hasSuffix(_ bytes: Bytes, _ suffix: Bytes) -> Bool {
    guard suffix.count <= bytes.count else { return false }
    guard let a = bytes.baseAddress, let b = suffix.baseAddress else { return true }
    return memcmp(a + (bytes.count - suffix.count), b, suffix.count) == 0
  }

  static func part(_ bytes: Bytes, _ range: Range<Int>) -> Bytes { Bytes(rebasing: bytes[range]) }

  /// A view of part of a string that lives as long as the column it came from: short parts are
  /// copied into the view, long ones refer to the original bytes.
  @inline(__always)
  static func view(_ bytes: Bytes, _ start: Int, _ end: Int) -> StringView {
    guard end > start, let base = bytes.baseAddress else { return StringView() }
    return StringView(referring: base + start, end - start)
  }

  fileprivate static func simpleCase(_ scalar: Unicode.Scalar, upper: Bool) -> Unicode.Scalar {
    if scalar == "ß", upper { return "ẞ" }
    let properties = scalar.properties
    let full = (upper ? properties.uppercaseMapping : properties.lowercaseMapping).unicodeScalars
    if full.count == 1, let only = full.first { return only }
    // The full mapping is longer: İ is i and a dot, ᾳ becomes two letters or the one of titles.
    if !upper { return full.first ?? scalar }
    let title = properties.titlecaseMapping.unicodeScalars
    return title.count == 1 ? title.first ?? scalar : scalar
  }

  /// The bytes of the character at a position; 0 where the bytes are none.
  static func validWidth(_ bytes: Bytes, _ position: Int) -> Int {
    let most = min(4, bytes.count - position)
    if most < 1 { return 0 }
    for width in 1...most where isValid(part(bytes, position..<(position + width))) {
      return width
    }
    return 0
  }

  /// Lower or upper case: ASCII by bytes, everything else by Unicode's simple mapping, which keeps
  /// the number of characters: ß becomes ẞ, as in DuckDB.
  @inline(__always)
  static func appendCase(_ bytes: Bytes, upper: Bool, to buffer: inout ResultText) throws {
    try buffer.reserve(bytes.count)
    if isASCII(bytes) {
      let target = buffer.start + buffer.count
      let first: UInt8 = upper ? 0x61 : 0x41
      let length = bytes.count
      var position = 0
      // Eight at a time: sums with 7-bit bytes carry into bit 7 from the first letter on, and no
      // longer behind the last; that bit, moved, is the bit of the case.
      let ones: UInt64 = 0x0101_0101_0101_0101
      let fromFirst = ones &* UInt64(0x80 &- first)
      let behindLast = ones &* UInt64(0x80 &- first &- 26)
      while position &+ 8 <= length, let start = UnsafeRawPointer(bytes.baseAddress) {
        let word = start.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        let letters = ((word &+ fromFirst) ^ (word &+ behindLast)) & (ones << 7)
        UnsafeMutableRawPointer(target).storeBytes(
          of: word ^ (letters >> 2), toByteOffset: position, as: UInt64.self)
        position &+= 8
      }
      while position < length {
        let byte = bytes[position]
        target[position] = byte ^ (byte &- first < 26 ? 0x20 : 0)
        position &+= 1
      }
      buffer.count += bytes.count
      return
    }
    let table = upper ? CaseTable.upper : CaseTable.lower
    var position = 0
    while position < bytes.count {
      let letter = scalar(bytes, position)
      try buffer.append(table[letter] ?? simpleCase(letter, upper: upper))
      position += width(bytes, position)
    }
  }
}

/// The simple mappings of the alphabets that have cases, made once: Unicode's properties take a hundred
/// times as long to ask. They lie below U+3000 but for some compatibility forms and dead scripts.
private struct CaseTable {
  static let upper = CaseTable(upper: true)
  static let lower = CaseTable(upper: false)

  private let mapped: [Unicode.Scalar]

  private init(upper: Bool) {
    mapped = (UInt32(0)..<0x3000).map { code in
      Unicode.Scalar(code).map { UTF8Text.simpleCase($0, upper: upper) } ?? "\u{FFFD}"
    }
  }

  /// nil beyond the table.
  @inline(__always)
  subscript(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    scalar.value < 0x3000 ? mapped[Int(scalar.value)] : nil
  }
}
