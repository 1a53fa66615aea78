/// Decodes the RLE / bit-packed hybrid: definition and repetition levels, booleans, and the
/// indices of dictionary pages. Resumes anywhere, so that batches need not end with runs.
///
/// SAFETY: the bytes must stay alive and be followed by `pageSlack` readable bytes.
struct RunLengthDecoder {
  private var cursor: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  private let width: Int
  private var runValue: UInt32 = 0
  private var runLeft = 0
  private var packed: UnsafePointer<UInt8>
  private var packedPosition = 0
  private var packedLeft = 0

  init(_ start: UnsafeRawPointer, count: Int, width: Int) throws {
    guard width <= 32, count >= 0 else { throw ParquetDamage.badIndex }
    cursor = start.assumingMemoryBound(to: UInt8.self)
    packed = cursor
    end = cursor + count
    self.width = width
  }

  /// Starts the next run.
  private mutating func nextRun() throws {
    var header: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard cursor < end, shift < 35 else { throw ParquetDamage.truncatedPage }
      let byte = cursor.pointee
      cursor += 1
      header |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { break }
      shift += 7
    }
    let length = Int(header >> 1)
    if header & 1 == 0 {
      let bytes = (width + 7) >> 3
      guard end - cursor >= bytes else { throw ParquetDamage.truncatedPage }
      var value: UInt32 = 0
      for byte in 0..<bytes { value |= UInt32(cursor[byte]) << UInt32(byte * 8) }
      if width < 32 && value >> UInt32(width) != 0 { throw ParquetDamage.badIndex }
      cursor += bytes
      runValue = value
      runLeft = length
    } else if width == 0 {
      runValue = 0
      runLeft = length * 8
    } else {
      // Some writers cut the last run's padding off.
      let bytes = min(length * width, end - cursor)
      packed = cursor
      packedPosition = 0
      packedLeft = min(length * 8, bytes * 8 / width)
      cursor += bytes
      guard packedLeft > 0 || length == 0 else { throw ParquetDamage.truncatedPage }
    }
  }

  /// The next `count` values.
  mutating func decode(into target: UnsafeMutablePointer<UInt32>, count: Int) throws {
    var out = target
    var left = count
    while left > 0 {
      if runLeft > 0 {
        let take = min(runLeft, left)
        out.update(repeating: runValue, count: take)
        out += take
        left -= take
        runLeft -= take
      } else if packedLeft > 0 {
        let take = min(packedLeft, left)
        unpack(take, out)
        out += take
        left -= take
      } else {
        try nextRun()
      }
    }
  }

  private mutating func unpack(_ count: Int, _ target: UnsafeMutablePointer<UInt32>) {
    let mask = UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(width)) &- 1)
    var done = 0
    while done < count && (packedPosition + done) & 7 != 0 {
      target[done] = unpackOne(packed, packedPosition + done, width, mask)
      done += 1
    }
    let groups = (count - done) >> 3
    if groups > 0 {
      unpackBits(
        packed + ((packedPosition + done) >> 3) * width, width: width, groups: groups,
        into: target + done)
      done += groups << 3
    }
    while done < count {
      target[done] = unpackOne(packed, packedPosition + done, width, mask)
      done += 1
    }
    packedPosition += count
    packedLeft -= count
  }

  /// The next `count` one-bit values as bits; gives how many are set.
  mutating func decodeBits(into target: UnsafeMutablePointer<UInt64>, count: Int) throws {
    var done = 0
    while done < count {
      if runLeft > 0 {
        let take = min(runLeft, count - done)
        appendBits(target, done, repeating: runValue != 0, count: take)
        done += take
        runLeft -= take
      } else if packedLeft > 0 {
        let take = min(packedLeft, count - done)
        appendBits(target, done, packed, from: packedPosition, count: take)
        done += take
        packedPosition += take
        packedLeft -= take
      } else {
        try nextRun()
      }
    }
  }

  /// Whether one run of `value` covers the next `count` values, as for a page without NULLs.
  mutating func isRun(of value: UInt32, count: Int) throws -> Bool {
    if runLeft == 0 && packedLeft == 0 { try nextRun() }
    return runLeft >= count && runValue == value
  }

  /// The next `count` values as bytes; `limit` is the largest that may occur.
  mutating func decodeLevels(
    into target: UnsafeMutablePointer<UInt8>, count: Int, limit: Int
  ) throws {
    try withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1024) { scratch in
      guard let wide = scratch.baseAddress else { return }
      var done = 0
      while done < count {
        let take = min(1024, count - done)
        try decode(into: wide, count: take)
        var largest: UInt32 = 0
        for position in 0..<take {
          largest = max(largest, wide[position])
          target[done + position] = UInt8(truncatingIfNeeded: wide[position])
        }
        guard Int(largest) <= limit else { throw ParquetDamage.badLevels }
        done += take
      }
    }
  }
}
