/// The bytes of a chunk under construction, little-endian.
struct ChunkWriter {
  private(set) var bytes: [UInt8] = []

  private var decodedBytes = 0

  /// Counts the memory that a reader will need: what it would refuse is not written.
  mutating func count(_ rows: Int, width: Int) throws {
    let (bytes, overflow) = rows.multipliedReportingOverflow(by: width)
    guard !overflow, bytes <= ChunkReader.byteLimit / 4 - decodedBytes else {
      throw ChunkDamage.tooLarge
    }
    decodedBytes += bytes
  }

  mutating func append<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ encoding: ChunkEncoding) { bytes.append(encoding.rawValue) }

  mutating func append(_ start: UnsafeRawPointer, byteCount: Int) {
    bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: byteCount))
  }

  /// Appends `count` bytes, zero at first, that `fill` writes.
  mutating func append(count: Int, _ fill: (UnsafeMutableRawPointer) throws -> Void) rethrows {
    if count == 0 { return }
    let offset = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: count))
    try bytes.withUnsafeMutableBytes { all in
      if let start = all.baseAddress { try fill(start + offset) }
    }
  }

  /// Writes over what lies at `offset`.
  mutating func replace<T: FixedWidthInteger>(at offset: Int, with value: T) {
    withUnsafeBytes(of: value.littleEndian) { source in
      for (position, byte) in source.enumerated() { bytes[offset + position] = byte }
    }
  }

  /// Gives up what was appended after there were `count` bytes.
  mutating func truncate(to count: Int) { bytes.removeLast(bytes.count - count) }
}
