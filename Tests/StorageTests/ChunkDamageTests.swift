import Columnar
import Diagnostics
import Testing

@testable import Storage

@Suite struct ChunkDamageTests {
  static func decode(_ bytes: [UInt8], _ type: LogicalType) throws -> Column {
    try bytes.withUnsafeBytes { try ColumnChunk.decode($0, type: type) }
  }

  /// As somebody would who wants the checksum to hold.
  static func sealed(_ bytes: [UInt8]) -> [UInt8] {
    if bytes.count < ChunkHeader.byteCount { return bytes }
    var bytes = bytes
    func put(_ value: UInt64, at offset: Int) {
      for byte in 0..<8 { bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> (byte * 8)) }
    }
    put(UInt64(bytes.count - ChunkHeader.byteCount), at: 16)
    put(bytes.withUnsafeBytes { ChunkHeader.checksum($0) }, at: 24)
    return bytes
  }

  /// Reads all there is, so that a pointer out of bounds is followed.
  static func touch(_ column: Column) {
    for row in 0..<column.count { _ = column.value(row) }
  }

  @Test(arguments: ColumnSamples.types)
  func noticesEveryFlippedBitAndMissingByte(_ type: LogicalType) throws {
    let column = try ColumnSamples.column(type, .few, .some, count: 20)
    let bytes = try ColumnChunk.encode(column)
    for offset in bytes.indices {
      var damaged = bytes
      damaged[offset] ^= 1 << UInt8(offset % 8)
      #expect(throws: SQLError.self) { try Self.decode(damaged, type) }
      #expect(throws: SQLError.self) { try Self.decode(Array(bytes[..<offset]), type) }
    }
    #expect(throws: SQLError.self) { try Self.decode(bytes + [0], type) }
  }

  /// With a good checksum bad bytes are other values or an error, and never a crash.
  @Test(arguments: ColumnSamples.types)
  func survivesHostileBytes(_ type: LogicalType) throws {
    var random = Draws(state: 11)
    var refused = 0
    for shape in ColumnSamples.Shape.allCases {
      for nulls in [ColumnSamples.Nulls.none, .some, .runs] {
        let column = try ColumnSamples.column(type, shape, nulls, count: 300)
        let bytes = try ColumnChunk.encode(column)
        for attempt in 0..<150 {
          var damaged = bytes
          // Heads and counts stand at the beginning of a payload: mostly hit those.
          let reach = attempt % 2 == 0 ? min(bytes.count, 96) : bytes.count
          for _ in 0...(attempt % 3) {
            let offset = 4 + Int(random.next() % UInt64(reach - 4))
            damaged[offset] = attempt % 5 == 0 ? 255 : UInt8(truncatingIfNeeded: random.next())
          }
          if attempt % 7 == 0 { damaged.removeLast(Int(random.next() % 20)) }
          do {
            Self.touch(try Self.decode(Self.sealed(damaged), type))
          } catch is SQLError {
            refused += 1
          }
        }
      }
    }
    #expect(refused > 0)
  }

  @Test func refusesOtherTypesAndNewerVersions() throws {
    var bytes = try ColumnChunk.encode(
      ColumnSamples.column(.integer, .random, .none, count: 10))
    #expect(throws: SQLError.self) { try Self.decode(bytes, .varchar) }
    #expect(throws: SQLError.self) { try Self.decode([], .integer) }
    bytes[4] = 99
    do {
      _ = try Self.decode(Self.sealed(bytes), .integer)
      Issue.record("a newer version was read")
    } catch let error as SQLError {
      #expect(error.message.contains("format version 99"))
    }
  }
}
