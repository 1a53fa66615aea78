import Columnar

/// The patterns of file names: `*`, `?`, `[a-z]`, `[!a-z]`, and `\` before a character that means
/// itself. No recursion and no more than one place to go back to: at worst length times length.
enum GlobPattern {
  static func matches(_ text: UTF8Text.Bytes, _ pattern: UTF8Text.Bytes) -> Bool {
    var position = 0
    var place = 0
    /// Where the last star stands, and up to where it has taken the text.
    var star: (place: Int, position: Int)?
    while position < text.count {
      if place < pattern.count, pattern[place] == 0x2A {
        place += 1
        star = (place, position)
        continue
      }
      if place < pattern.count, let next = one(text, position, pattern, place) {
        position = next.position
        place = next.place
        continue
      }
      guard let last = star else { return false }
      let resumed = last.position + UTF8Text.width(text, last.position)
      star = (last.place, resumed)
      position = resumed
      place = last.place
    }
    while place < pattern.count, pattern[place] == 0x2A { place += 1 }
    return place == pattern.count
  }

  /// The places behind one character that matches one item of the pattern; nil when it does not.
  private static func one(
    _ text: UTF8Text.Bytes, _ position: Int, _ pattern: UTF8Text.Bytes, _ place: Int
  ) -> (position: Int, place: Int)? {
    switch pattern[place] {
    case 0x3F:
      return (position + UTF8Text.width(text, position), place + 1)
    case 0x5B:
      guard let end = set(text[position], pattern, place + 1) else { return nil }
      return (position + 1, end)
    case 0x5C where place + 1 < pattern.count:
      return pattern[place + 1] == text[position] ? (position + 1, place + 2) : nil
    default:
      return pattern[place] == text[position] ? (position + 1, place + 1) : nil
    }
  }

  /// The place behind a set that has the byte; nil when it has not, or is not closed.
  private static func set(_ byte: UInt8, _ pattern: UTF8Text.Bytes, _ start: Int) -> Int? {
    var place = start
    var isNegated = false
    if place < pattern.count, pattern[place] == 0x21 {
      isNegated = true
      place += 1
    }
    var found = false
    var isFirst = true
    while place < pattern.count, isFirst || pattern[place] != 0x5D {
      isFirst = false
      let low = pattern[place]
      if place + 2 < pattern.count, pattern[place + 1] == 0x2D, pattern[place + 2] != 0x5D {
        if low <= byte && byte <= pattern[place + 2] { found = true }
        place += 3
      } else {
        if low == byte { found = true }
        place += 1
      }
    }
    guard place < pattern.count, found != isNegated else { return nil }
    return place + 1
  }
}
