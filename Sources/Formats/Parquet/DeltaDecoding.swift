import Columnar

/// Decoders of the encodings that are not PLAIN. Those of numbers give PLAIN bytes, so that the
/// conversions to the engine's types exist once.
enum DeltaDecoder {
  /// DELTA_BINARY_PACKED: `count` integers, and how many bytes they took.
  static func integers(
    _ start: UnsafeRawPointer, available: Int, count: Int
  ) throws -> (values: Buffer, used: Int) {
    var reader = ThriftReader(start, count: available)
    let blockSize = Int(try reader.unsigned(limit: 1 << 20))
    let miniblocks = Int(try reader.unsigned(limit: 1 << 10))
    let total = Int(try reader.unsigned(limit: 1 << 32))
    var value = try reader.integer()
    guard miniblocks > 0, blockSize % miniblocks == 0, (blockSize / miniblocks) % 8 == 0,
      blockSize > 0, total >= count
    else { throw ParquetDamage("a delta-encoded page is damaged") }
    let perMiniblock = blockSize / miniblocks
    let buffer = try makePageBuffer(count * 8)
    let target = buffer.pointer.assumingMemoryBound(to: Int64.self)
    var position = reader.position
    if count > 0 { target[0] = value }
    var done = 1
    try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: perMiniblock) { scratch in
      guard let deltas = scratch.baseAddress else { return }
      // All of the page's values are walked, to find where they end.
      while done < total {
        var header = ThriftReader(start, count: available, position: position)
        let least = try header.integer()
        let widths = header.position
        guard miniblocks <= available - widths else { throw ParquetDamage.truncatedPage }
        position = widths + miniblocks
        for miniblock in 0..<miniblocks where done < total {
          let width = Int(start.load(fromByteOffset: widths + miniblock, as: UInt8.self))
          let bytes = perMiniblock / 8 * width
          guard width <= 64, position <= available else { throw ParquetDamage.truncatedPage }
          // The last miniblock's padding may be cut off.
          let take = min(perMiniblock, total - done)
          guard (take * width + 7) / 8 <= available - position else {
            throw ParquetDamage.truncatedPage
          }
          if done < count {
            let wanted = min(take, count - done)
            unpackWide(start + position, width, wanted, deltas)
            for delta in 0..<wanted {
              value = value &+ least &+ Int64(bitPattern: deltas[delta])
              target[done + delta] = value
            }
          }
          done += take
          position += min(bytes, available - position)
        }
      }
    }
    return (buffer, position)
  }

  /// SAFETY: reads up to 15 bytes behind the packed values; pages have that slack.
  private static func unpackWide(
    _ bytes: UnsafeRawPointer, _ width: Int, _ count: Int, _ target: UnsafeMutablePointer<UInt64>
  ) {
    if width == 0 {
      target.update(repeating: 0, count: count)
      return
    }
    let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) &- 1
    if width <= 57 {
      for row in 0..<count {
        let bit = row &* width
        let word = bytes.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self)
        target[row] = word &>> UInt64(truncatingIfNeeded: bit & 7) & mask
      }
    } else {
      for row in 0..<count {
        let bit = row &* width
        let low = bytes.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self)
        let high = UInt64(bytes.load(fromByteOffset: (bit >> 3) + 8, as: UInt8.self))
        let shift = UInt64(bit & 7)
        target[row] = (shift == 0 ? low : low >> shift | high << (64 - shift)) & mask
      }
    }
  }

  /// DELTA_BINARY_PACKED as PLAIN bytes of 4 or 8 each.
  static func plainIntegers(
    _ start: UnsafeRawPointer, available: Int, count: Int, width: Int
  ) throws -> Buffer {
    let (values, _) = try integers(start, available: available, count: count)
    if width == 8 { return values }
    let wide = values.pointer.assumingMemoryBound(to: Int64.self)
    let narrow = values.pointer.assumingMemoryBound(to: Int32.self)
    // SAFETY: in place; every value is read before its place is overwritten.
    for row in 0..<count { narrow[row] = Int32(truncatingIfNeeded: wide[row]) }
    return values
  }

  /// DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes.
  static func lengthPrefixed(
    _ start: UnsafeRawPointer, available: Int, count: Int, leaf: ParquetLeaf, owner: AnyObject
  ) throws -> ParquetValues {
    let (lengths, used) = try integers(start, available: available, count: count)
    defer { withExtendedLifetime(lengths) {} }
    let sizes = lengths.pointer.assumingMemoryBound(to: Int64.self)
    let buffer = try makePageBuffer(count * 16)
    let views = buffer.pointer.assumingMemoryBound(to: StringView.self)
    var position = used
    for row in 0..<count {
      guard sizes[row] >= 0, sizes[row] <= Int64(available - position) else {
        throw ParquetDamage.truncatedPage
      }
      views[row] = paddedView(start + position, Int(sizes[row]))
      position += Int(sizes[row])
    }
    return try .views(
      buffer, count, bytes: start + used, byteCount: position - used, leaf: leaf, owner: owner)
  }

  /// DELTA_BYTE_ARRAY: what each value shares with the one before, then the rest.
  static func incremental(
    _ start: UnsafeRawPointer, available: Int, count: Int, leaf: ParquetLeaf
  ) throws -> ParquetValues {
    let (prefixes, usedByPrefixes) = try integers(start, available: available, count: count)
    let rest = start + usedByPrefixes
    let (suffixes, usedBySuffixes) = try integers(
      rest, available: available - usedByPrefixes, count: count)
    defer { withExtendedLifetime((prefixes, suffixes)) {} }
    let shared = prefixes.pointer.assumingMemoryBound(to: Int64.self)
    let own = suffixes.pointer.assumingMemoryBound(to: Int64.self)
    var source = rest + usedBySuffixes
    var left = available - usedByPrefixes - usedBySuffixes
    var total = 0
    var previous: Int64 = 0
    for row in 0..<count {
      guard own[row] >= 0, own[row] <= Int64(left), shared[row] >= 0, shared[row] <= previous else {
        throw ParquetDamage("a delta-encoded page is damaged")
      }
      left -= Int(own[row])
      previous = shared[row] + own[row]
      total += Int(previous)
      guard total <= 1 << 31 else { throw ParquetDamage("a page is too large") }
    }
    let bytes = try makePageBuffer(total)
    let isFixed = leaf.conversion.plainWidth(typeLength: leaf.typeLength) != nil
    let buffer = try makePageBuffer(isFixed ? 0 : count * 16)
    defer { withExtendedLifetime(bytes) {} }
    let views = buffer.pointer.assumingMemoryBound(to: StringView.self)
    var target = bytes.pointer
    var last = UnsafeRawPointer(target)
    for row in 0..<count {
      let common = Int(shared[row])
      let more = Int(own[row])
      if common > 0 { target.copyMemory(from: last, byteCount: common) }
      if more > 0 { (target + common).copyMemory(from: source, byteCount: more) }
      source += more
      last = UnsafeRawPointer(target)
      if isFixed {
        guard common + more == leaf.typeLength else {
          throw ParquetDamage("a value of a fixed length has another length")
        }
      }
      target += common + more
    }
    if isFixed {
      return try ParquetValues(
        plain: bytes.pointer, available: total, count: count, leaf: leaf, owner: bytes)
    }
    var position = 0
    for row in 0..<count {
      let length = Int(shared[row] + own[row])
      views[row] = paddedView(bytes.pointer + position, length)
      position += length
    }
    return try .views(
      buffer, count, bytes: bytes.pointer, byteCount: total, leaf: leaf, owner: bytes)
  }

  /// BYTE_STREAM_SPLIT: first all first bytes, then all second bytes, ….
  static func unsplit(
    _ start: UnsafeRawPointer, available: Int, count: Int, width: Int
  ) throws -> Buffer {
    guard width > 0, count <= available / width else { throw ParquetDamage.truncatedPage }
    let buffer = try makePageBuffer(count * width)
    let target = buffer.pointer.assumingMemoryBound(to: UInt8.self)
    let source = start.assumingMemoryBound(to: UInt8.self)
    for byte in 0..<width {
      let stream = source + byte * count
      for row in 0..<count { target[row &* width &+ byte] = stream[row] }
    }
    return buffer
  }
}

extension ThriftReader {
  /// A plain (not zigzag) varint, as delta headers have.
  mutating func unsigned(limit: UInt64) throws -> UInt64 {
    let signed = try integer()
    // `integer` undoes zigzag; do it again.
    let raw = UInt64(bitPattern: signed << 1) ^ UInt64(bitPattern: signed >> 63)
    guard raw <= limit else { throw ParquetDamage("a delta-encoded page is damaged") }
    return raw
  }
}
