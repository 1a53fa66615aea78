import Columnar

extension IntegerStream {
  /// Writes the values in the encoding that a sample finds smallest.
  static func encode<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, _ count: Int, into writer: inout ChunkWriter,
    allowRuns: Bool = true
  ) where T.Magnitude: PackableWord {
    let choice = Estimate(values, count).best(allowRuns: allowRuns).encoding
    encode(values, count, as: choice, into: &writer)
  }

  static func encode<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, _ count: Int, as encoding: ChunkEncoding,
    into writer: inout ChunkWriter
  ) where T.Magnitude: PackableWord {
    writer.append(encoding)
    switch encoding {
    case .constant: writer.append(values[0])
    case .packed: encodePacked(values, count, into: &writer)
    case .delta: encodeDelta(values, count, into: &writer)
    case .runs: encodeRuns(values, count, into: &writer)
    case .raw: writer.append(values, byteCount: count * MemoryLayout<T>.size)
    case .nulls, .dictionary, .plain, .alp, .zstd:
      preconditionFailure("\(encoding) is no encoding of integers")
    }
  }

  /// The heads of all blocks (base, width), then the blocks.
  private static func encodePacked<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, _ count: Int, into writer: inout ChunkWriter
  ) where T.Magnitude: PackableWord {
    typealias Word = T.Magnitude
    var heads: [(base: Word, width: Int, bytes: Int)] = []
    for start in stride(from: 0, to: count, by: blockValues) {
      let rows = min(blockValues, count - start)
      var low = values[start]
      var high = low
      for row in start..<start + rows {
        low = min(low, values[row])
        high = max(high, values[row])
      }
      let width = width(low, high)
      heads.append((Word(truncatingIfNeeded: low), width, packedBytes(rows, width: width)))
    }
    for head in heads {
      writer.append(head.base)
      writer.append(UInt8(truncatingIfNeeded: head.width))
    }
    let words = UnsafeRawPointer(values).assumingMemoryBound(to: Word.self)
    writer.append(count: heads.reduce(0) { $0 + $1.bytes }) { target in
      var place = target
      for (block, head) in heads.enumerated() where head.width > 0 {
        let start = block * blockValues
        let rows = min(blockValues, count - start)
        if rows == blockValues {
          Word.pack(words + start, place, head.width, head.base)
        } else {
          Word.packTail(words + start, rows, place, head.width, head.base)
        }
        place += head.bytes
      }
    }
  }

  /// The value before the first, then the differences, packed.
  private static func encodeDelta<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, _ count: Int, into writer: inout ChunkWriter
  ) where T.Magnitude: PackableWord {
    let scratch = Buffer(byteCount: count * MemoryLayout<T>.size)
    withExtendedLifetime(scratch) {
      let steps = scratch.pointer.assumingMemoryBound(to: T.self)
      for row in 1..<max(count, 1) { steps[row] = values[row] &- values[row - 1] }
      // The first step repeats the second, so that even steps need no bits.
      steps[0] = count > 1 ? steps[1] : 0
      writer.append(values[0] &- steps[0])
      if T.isSigned {
        encodePacked(steps, count, into: &writer)
      } else {
        encodeUnsignedSteps(steps, count, into: &writer)
      }
    }
  }

  /// Steps of an unsigned type may be negative all the same: their blocks are bounded as signed.
  private static func encodeUnsignedSteps<T: FixedWidthInteger & BitwiseCopyable>(
    _ steps: UnsafePointer<T>, _ count: Int, into writer: inout ChunkWriter
  ) where T.Magnitude: PackableWord {
    let raw = UnsafeRawPointer(steps)
    switch MemoryLayout<T>.size {
    case 1: encodePacked(raw.assumingMemoryBound(to: Int8.self), count, into: &writer)
    case 2: encodePacked(raw.assumingMemoryBound(to: Int16.self), count, into: &writer)
    case 4: encodePacked(raw.assumingMemoryBound(to: Int32.self), count, into: &writer)
    default: encodePacked(raw.assumingMemoryBound(to: Int64.self), count, into: &writer)
    }
  }

  /// How many runs, their values, their lengths.
  private static func encodeRuns<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, _ count: Int, into writer: inout ChunkWriter
  ) where T.Magnitude: PackableWord {
    var heads: [T] = []
    var lengths: [UInt32] = []
    var start = 0
    for row in 1..<max(count, 1) where values[row] != values[row - 1] {
      heads.append(values[row - 1])
      lengths.append(UInt32(truncatingIfNeeded: row - start))
      start = row
    }
    if count > 0 {
      heads.append(values[count - 1])
      lengths.append(UInt32(truncatingIfNeeded: count - start))
    }
    writer.append(UInt32(truncatingIfNeeded: heads.count))
    heads.withUnsafeBufferPointer { part in
      if let start = part.baseAddress {
        encode(start, part.count, into: &writer, allowRuns: false)
      }
    }
    lengths.withUnsafeBufferPointer { part in
      if let start = part.baseAddress {
        encode(start, part.count, into: &writer, allowRuns: false)
      }
    }
  }
}
