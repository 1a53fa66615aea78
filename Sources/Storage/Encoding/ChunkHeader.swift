import Columnar
import Diagnostics

/// The first 32 bytes of a chunk: what it is, without decoding it.
package struct ChunkHeader: Sendable {
  static let byteCount = 32
  static let version: UInt8 = 1
  private static let magic: UInt32 = 0x4843_5041  // "APCH"
  private static let checksumOffset = 24

  /// What says most about how the values are written.
  package let encoding: ChunkEncoding
  package let rowCount: Int
  package let nullCount: Int
  /// Bytes behind the header.
  let payloadCount: Int
  let kind: UInt8

  /// Reads and checks a header; the payload is checked only against its checksum.
  package init(_ bytes: UnsafeRawBufferPointer) throws {
    guard let start = bytes.baseAddress, bytes.count >= Self.byteCount else {
      throw ChunkDamage.truncated
    }
    var reader = ChunkReader(start, count: Self.byteCount)
    guard try reader.read(UInt32.self) == Self.magic else { throw ChunkDamage.noChunk }
    let version = try reader.read(UInt8.self)
    if version > Self.version { throw ChunkDamage.newer(version) }
    if version == 0 { throw ChunkDamage.noChunk }
    kind = try reader.read(UInt8.self)
    encoding = try reader.encoding(of: "chunks")
    _ = try reader.read(UInt8.self)
    rowCount = Int(try reader.read(UInt32.self))
    nullCount = Int(try reader.read(UInt32.self))
    let payload = try reader.read(UInt64.self)
    let checksum = try reader.read(UInt64.self)
    guard payload >= UInt64(bytes.count - Self.byteCount) else { throw ChunkDamage.trailing }
    guard payload == UInt64(bytes.count - Self.byteCount) else { throw ChunkDamage.truncated }
    payloadCount = bytes.count - Self.byteCount
    guard rowCount <= EngineLimits.rowGroupRows else {
      throw ChunkDamage.value("its number of rows")
    }
    guard nullCount <= rowCount else { throw ChunkDamage.value("its number of NULLs") }
    guard Self.checksum(bytes) == checksum else { throw ChunkDamage.checksum }
  }

  /// Room for a header, to be sealed when the payload is there.
  static func reserve(_ column: Column, in writer: inout ChunkWriter) {
    writer.append(magic)
    writer.append(version)
    writer.append(column.type.physical.chunkKind)
    writer.append(UInt16(0))
    writer.append(UInt32(truncatingIfNeeded: column.count))
    writer.append(UInt32(truncatingIfNeeded: ColumnNode.nullCount(column)))
    writer.append(UInt64(0))
    writer.append(UInt64(0))
  }

  static func seal(_ writer: inout ChunkWriter, encoding: ChunkEncoding) {
    writer.replace(at: 6, with: encoding.rawValue)
    writer.replace(at: 16, with: UInt64(writer.bytes.count - byteCount))
    writer.replace(at: checksumOffset, with: writer.bytes.withUnsafeBytes { checksum($0) })
  }

  /// Of all bytes but its own.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let head = XXHash64.hash(UnsafeRawBufferPointer(rebasing: bytes[..<checksumOffset]))
    return XXHash64.hash(UnsafeRawBufferPointer(rebasing: bytes[byteCount...]), seed: head)
  }
}
