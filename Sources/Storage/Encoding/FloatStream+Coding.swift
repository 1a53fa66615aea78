import Columnar

extension FloatStream {
  /// How many bytes the numbers would take, and how.
  static func estimate<T: DecimalScalable>(
    _ values: UnsafePointer<T>, _ count: Int
  ) -> (encoding: ChunkEncoding, bytes: Double) {
    let words = UnsafeRawPointer(values).assumingMemoryBound(to: T.Word.self)
    let asIntegers = IntegerStream.Estimate(words, count).best(allowRuns: true)
    if asIntegers.encoding == .constant || count == 0 { return asIntegers }
    var bits = 0
    var seen = 0
    let step = max(1, count / (8 * 256))
    for start in stride(from: 0, to: count, by: 256 * step) {
      let rows = min(256, count - start)
      bits += bestPair(values + start, rows, sample: 32).bits
      seen += rows
    }
    let alp = Double(bits) / 8 * Double(count) / Double(max(seen, 1))
    return alp * 1.05 < asIntegers.bytes ? (.alp, alp) : asIntegers
  }

  static func encode<T: DecimalScalable>(
    _ values: UnsafePointer<T>, _ count: Int, into writer: inout ChunkWriter
  ) {
    let choice = estimate(values, count).encoding
    if choice == .alp {
      encodeALP(values, count, into: &writer)
    } else {
      let words = UnsafeRawPointer(values).assumingMemoryBound(to: T.Word.self)
      IntegerStream.encode(words, count, as: choice, into: &writer)
    }
  }

  /// The pair of exponents that needs the fewest bits for some of the numbers, and how many bits all
  /// of them would take.
  private static func bestPair<T: DecimalScalable>(
    _ values: UnsafePointer<T>, _ count: Int, sample: Int
  ) -> (factor: Int, exponent: Int, bits: Int) {
    var best = (factor: 0, exponent: 0, bits: Int.max)
    let step = max(1, count / sample)
    // Large exponents first: they keep the most digits, and a factor takes their zeros away.
    for exponent in stride(from: T.largestExponent, through: 0, by: -1) {
      for factor in 0...exponent {
        var low = T.Whole.max
        var high = T.Whole.min
        var misses = 0
        var seen = 0
        for row in stride(from: 0, to: count, by: step) {
          seen += 1
          if let whole = values[row].whole(factor: factor, exponent: exponent) {
            low = min(low, whole)
            high = max(high, whole)
          } else {
            misses += 1
          }
        }
        let width = misses == seen ? 0 : IntegerStream.width(low, high)
        let bits = (width * seen + misses * (T.Word.bitWidth + 16)) * count / max(seen, 1)
        if bits < best.bits { best = (factor, exponent, bits) }
      }
    }
    return best
  }

  /// Exponents of all blocks, the integers packed, places of the exceptions, the exceptions.
  private static func encodeALP<T: DecimalScalable>(
    _ values: UnsafePointer<T>, _ count: Int, into writer: inout ChunkWriter
  ) {
    let size = MemoryLayout<T>.size
    writer.append(ChunkEncoding.alp)
    let scratch = Buffer(byteCount: count * size)
    defer { withExtendedLifetime(scratch) {} }
    let wholes = scratch.pointer.assumingMemoryBound(to: T.Whole.self)
    var places: [UInt32] = []
    var exceptions: [T.Word] = []
    for start in stride(from: 0, to: count, by: IntegerStream.blockValues) {
      let rows = min(IntegerStream.blockValues, count - start)
      let pair = bestPair(values + start, rows, sample: 32)
      writer.append(UInt8(truncatingIfNeeded: pair.factor))
      writer.append(UInt8(truncatingIfNeeded: pair.exponent))
      var filler: T.Whole?
      var leading = 0
      for row in start..<start + rows {
        let whole = values[row].whole(factor: pair.factor, exponent: pair.exponent)
        if let whole {
          if filler == nil { for earlier in start..<start + leading { wholes[earlier] = whole } }
          filler = whole
        } else {
          places.append(UInt32(truncatingIfNeeded: row))
          exceptions.append(values[row].word)
          if filler == nil { leading += 1 }
        }
        wholes[row] = whole ?? filler ?? 0
      }
    }
    IntegerStream.encode(wholes, count, as: .packed, into: &writer)
    writer.append(UInt32(truncatingIfNeeded: places.count))
    if places.isEmpty { return }
    places.withUnsafeBufferPointer {
      if let start = $0.baseAddress { IntegerStream.encode(start, $0.count, into: &writer) }
    }
    for word in exceptions { writer.append(word) }
  }

  static func decode<T: DecimalScalable>(
    _ target: UnsafeMutablePointer<T>, _ count: Int, from reader: inout ChunkReader
  ) throws {
    let words = UnsafeMutableRawPointer(target).assumingMemoryBound(to: T.Word.self)
    var ahead = reader
    guard try ahead.encoding(of: "numbers") == .alp else {
      return try IntegerStream.decode(words, count, from: &reader)
    }
    reader = ahead
    let blocks = (count + IntegerStream.blockValues - 1) / IntegerStream.blockValues
    let pairs = try reader.take(blocks, width: 2)
    guard try reader.encoding(of: "decimals") == .packed else {
      throw ChunkDamage.value("the encoding of decimals")
    }
    try IntegerStream.decodePacked(words, count, from: &reader)
    for block in 0..<blocks {
      let factor = Int(pairs.load(fromByteOffset: block * 2, as: UInt8.self))
      let exponent = Int(pairs.load(fromByteOffset: block * 2 + 1, as: UInt8.self))
      guard factor <= T.largestExponent, exponent <= T.largestExponent else {
        throw ChunkDamage.value("a decimal exponent")
      }
      let start = block * IntegerStream.blockValues
      T.scale(
        target + start, min(IntegerStream.blockValues, count - start), T.power(factor),
        T.inverse(exponent))
    }
    try patch(words, count, from: &reader)
  }

  private static func patch<Word: PackableWord>(
    _ words: UnsafeMutablePointer<Word>, _ count: Int, from reader: inout ChunkReader
  ) throws {
    let exceptions = Int(try reader.read(UInt32.self))
    if exceptions == 0 { return }
    guard exceptions <= count else { throw ChunkDamage.value("a number of exceptions") }
    let scratch = try reader.makeScratch(exceptions, width: 4)
    try withExtendedLifetime(scratch) {
      let places = scratch.pointer.assumingMemoryBound(to: UInt32.self)
      try IntegerStream.decode(places, exceptions, from: &reader)
      guard Int(UInt32.largest(places, exceptions)) < count else {
        throw ChunkDamage.value("the place of an exception")
      }
      let source = try reader.take(exceptions, width: MemoryLayout<Word>.size)
      for number in 0..<exceptions {
        words[Int(places[number])] = Word(
          littleEndian: source.loadUnaligned(
            fromByteOffset: number * MemoryLayout<Word>.size, as: Word.self))
      }
    }
  }
}
