/// Reads little-endian numbers from untrusted bytes; nil past their end.
struct ByteReader {
  let bytes: [UInt8]
  var position: Int

  init(_ bytes: [UInt8], at position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  mutating func byte() -> UInt8? {
    guard position >= 0, position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  /// An unsigned number of up to 8 bytes.
  mutating func integer(_ size: Int) -> UInt64? {
    guard let part = take(size) else { return nil }
    return part.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The same, where it is to be a size or a place.
  mutating func count(_ size: Int) -> Int? { integer(size).flatMap { Int(exactly: $0) } }

  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard position >= 0, count >= 0, count <= bytes.count - min(position, bytes.count),
      position <= bytes.count
    else { return nil }
    defer { position += count }
    return bytes[position..<position + count]
  }

  /// Up to a byte, which is read too.
  mutating func take(until end: UInt8) -> ArraySlice<UInt8>? {
    guard position >= 0, position < bytes.count,
      let found = bytes[position...].firstIndex(of: end)
    else { return nil }
    defer { position = found + 1 }
    return bytes[position..<found]
  }
}
