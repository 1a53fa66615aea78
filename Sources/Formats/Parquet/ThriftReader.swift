/// Reads Thrift's compact protocol from memory that may hold anything: every length is checked
/// against the bytes that are there, nesting is bounded, and nothing traps.
struct ThriftReader {
  enum Kind: UInt8 {
    case stop = 0, yes, no, int8, int16, int32, int64, double, binary, list, set, map, structure
  }

  private let start: UnsafeRawPointer
  private let count: Int
  private(set) var position: Int
  private var depth = 0

  /// SAFETY: the caller keeps the bytes alive while the reader is used.
  init(_ start: UnsafeRawPointer, count: Int, position: Int = 0) {
    self.start = start
    self.count = count
    self.position = position
  }

  private mutating func byte() throws -> UInt8 {
    guard position < count else { throw ParquetDamage.truncatedMetadata }
    defer { position += 1 }
    return start.load(fromByteOffset: position, as: UInt8.self)
  }

  /// A byte that has been read before.
  func peek(_ position: Int) -> UInt8 { start.load(fromByteOffset: position, as: UInt8.self) }

  private mutating func variableLength() throws -> UInt64 {
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      result |= UInt64(next & 0x7f) << shift
      if next < 0x80 { return result }
      shift += 7
      if shift > 63 { throw ParquetDamage("its metadata hold an overlong integer") }
    }
  }

  /// Any of the integer kinds (they share one encoding, except `int8`).
  mutating func integer() throws -> Int64 {
    let raw = try variableLength()
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  /// An integer that counts something: not negative, not absurd.
  mutating func size(limit: Int = 1 << 48) throws -> Int {
    let value = try integer()
    guard value >= 0, value <= Int64(limit) else {
      throw ParquetDamage("its metadata hold an impossible size (\(value))")
    }
    return Int(value)
  }

  /// Where the next byte string lies.
  mutating func bytes() throws -> Range<Int> {
    let length = try variableLength()
    guard length <= UInt64(count - position) else { throw ParquetDamage.truncatedMetadata }
    let range = position..<(position + Int(length))
    position = range.upperBound
    return range
  }

  mutating func text() throws -> String {
    let range = try bytes()
    return String(
      decoding: UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count),
      as: UTF8.self)
  }

  /// Calls `body` for every field; it gives false for fields that it has not read.
  mutating func fields(_ body: (inout ThriftReader, Int, Kind) throws -> Bool) throws {
    depth += 1
    defer { depth -= 1 }
    guard depth < 32 else { throw ParquetDamage("its metadata are nested too deeply") }
    var field = 0
    while true {
      let header = try byte()
      guard let kind = Kind(rawValue: header & 15) else {
        throw ParquetDamage("its metadata hold a field of an unknown kind")
      }
      if kind == .stop { return }
      let step = Int(header >> 4)
      field = step == 0 ? Int(Int16(truncatingIfNeeded: try integer())) : field &+ step
      if try !body(&self, field, kind) { try skip(kind) }
    }
  }

  /// Calls `body` once per element of a list.
  mutating func elements(_ body: (inout ThriftReader, Kind) throws -> Void) throws {
    let (kind, length) = try listHeader()
    for _ in 0..<length { try body(&self, kind) }
  }

  private mutating func listHeader() throws -> (Kind, Int) {
    let header = try byte()
    guard let kind = Kind(rawValue: header & 15) else {
      throw ParquetDamage("its metadata hold a list of an unknown kind")
    }
    var length = UInt64(header >> 4)
    if length == 15 { length = try variableLength() }
    // Every element takes at least a byte.
    guard length <= UInt64(count - position) else { throw ParquetDamage.truncatedMetadata }
    return (kind, Int(length))
  }

  mutating func skip(_ kind: Kind) throws {
    depth += 1
    defer { depth -= 1 }
    guard depth < 32 else { throw ParquetDamage("its metadata are nested too deeply") }
    switch kind {
    case .stop, .yes, .no: break
    case .int8: _ = try byte()
    case .int16, .int32, .int64: _ = try variableLength()
    case .double:
      guard count - position >= 8 else { throw ParquetDamage.truncatedMetadata }
      position += 8
    case .binary: _ = try bytes()
    case .list, .set:
      let (element, length) = try listHeader()
      for _ in 0..<length { try skipElement(element) }
    case .map:
      let length = try variableLength()
      guard length <= UInt64(count - position) else { throw ParquetDamage.truncatedMetadata }
      if length == 0 { return }
      let kinds = try byte()
      guard let key = Kind(rawValue: kinds >> 4), let value = Kind(rawValue: kinds & 15) else {
        throw ParquetDamage("its metadata hold a map of an unknown kind")
      }
      for _ in 0..<length {
        try skipElement(key)
        try skipElement(value)
      }
    case .structure: try fields { _, _, _ in false }
    }
  }

  /// Booleans take a byte as elements, none as fields.
  private mutating func skipElement(_ kind: Kind) throws {
    if kind == .yes || kind == .no { _ = try byte() } else { try skip(kind) }
  }
}
