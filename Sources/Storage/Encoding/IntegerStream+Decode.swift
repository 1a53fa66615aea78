import Columnar

extension IntegerStream {
  /// Reads `count` values into `target`, which has room for them.
  static func decode<Word: PackableWord>(
    _ target: UnsafeMutablePointer<Word>, _ count: Int, from reader: inout ChunkReader,
    allowRuns: Bool = true
  ) throws {
    let encoding = try reader.encoding(of: "integers")
    switch encoding {
    case .constant: target.update(repeating: try reader.read(Word.self), count: count)
    case .raw:
      let source = try reader.take(count, width: MemoryLayout<Word>.size)
      UnsafeMutableRawPointer(target).copyMemory(
        from: source, byteCount: count * MemoryLayout<Word>.size)
    case .packed: try decodePacked(target, count, from: &reader)
    case .delta:
      let start = try reader.read(Word.self)
      try decodePacked(target, count, from: &reader)
      Word.accumulate(target, count, from: start)
    case .runs where allowRuns: try decodeRuns(target, count, from: &reader)
    case .runs, .nulls, .dictionary, .plain, .alp, .zstd:
      throw ChunkDamage.encoding(encoding.rawValue, of: "integers")
    }
  }

  static func decodePacked<Word: PackableWord>(
    _ target: UnsafeMutablePointer<Word>, _ count: Int, from reader: inout ChunkReader
  ) throws {
    if count == 0 { return }
    let headSize = MemoryLayout<Word>.size + 1
    let blocks = (count - 1) / blockValues + 1
    let heads = try reader.take(blocks, width: headSize)
    for block in 0..<blocks {
      let head = heads + block * headSize
      let base = Word(littleEndian: head.loadUnaligned(as: Word.self))
      let width = Int(head.load(fromByteOffset: headSize - 1, as: UInt8.self))
      guard width <= Word.bitWidth else { throw ChunkDamage.value("a bit width") }
      let start = block * blockValues
      let rows = min(blockValues, count - start)
      let packed = try reader.take(packedBytes(rows, width: width))
      if rows == blockValues {
        Word.unpack(packed, target + start, width, base)
      } else {
        Word.unpackTail(packed, rows, target + start, width, base)
      }
    }
  }

  private static func decodeRuns<Word: PackableWord>(
    _ target: UnsafeMutablePointer<Word>, _ count: Int, from reader: inout ChunkReader
  ) throws {
    let runCount = Int(try reader.read(UInt32.self))
    guard runCount <= count else { throw ChunkDamage.value("a number of runs") }
    let valueBuffer = try reader.makeScratch(runCount, width: MemoryLayout<Word>.size)
    let lengthBuffer = try reader.makeScratch(runCount, width: 4)
    try withExtendedLifetime((valueBuffer, lengthBuffer)) {
      let values = valueBuffer.pointer.assumingMemoryBound(to: Word.self)
      let lengths = lengthBuffer.pointer.assumingMemoryBound(to: UInt32.self)
      try decode(values, runCount, from: &reader, allowRuns: false)
      try decode(lengths, runCount, from: &reader, allowRuns: false)
      guard sum(lengths, runCount) == UInt64(count) else {
        throw ChunkDamage.value("the length of runs")
      }
      Word.kernels.fillRuns(values, lengths, runCount, target, count)
    }
  }

  /// Cannot overflow: 2^32 values of 32 bits at most.
  static func sum(_ values: UnsafePointer<UInt32>, _ count: Int) -> UInt64 {
    var total: UInt64 = 0
    for row in 0..<count { total &+= UInt64(values[row]) }
    return total
  }
}
