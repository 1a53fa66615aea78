import Columnar

extension FloatStream {
  /// How numbers are best written, and how many bytes they would take.
  struct Choice {
    var encoding: ChunkEncoding
    var bytes: Double
    /// The pairs of exponents that some part of the numbers wants.
    var candidates: [DecimalExponents] = []
  }

  private static let sampleValues = 32

  /// All pairs of exponents are tried on a few numbers of a few blocks only: 190 trials for a block of
  /// 1,024 doubles would cost thirty times what encoding it does.
  static func choose<T: DecimalScalable>(_ values: UnsafePointer<T>, _ count: Int) -> Choice {
    let words = UnsafeRawPointer(values).assumingMemoryBound(to: T.Word.self)
    let asIntegers = IntegerStream.Estimate(words, count).best(allowRuns: true)
    var choice = Choice(encoding: asIntegers.encoding, bytes: asIntegers.bytes)
    if choice.encoding == .constant || count == 0 { return choice }
    let trial = DecimalTrial<T>()
    var bits = 0
    var seen = 0
    let blocks = (count - 1) / IntegerStream.blockValues + 1
    for block in stride(from: 0, to: blocks, by: max(1, blocks / 8)) {
      let start = block * IntegerStream.blockValues
      trial.load(values + start, min(IntegerStream.blockValues, count - start))
      let best = trial.best(of: T.allExponents)
      bits += best.bits
      seen += trial.count
      if !choice.candidates.contains(best.pair) { choice.candidates.append(best.pair) }
    }
    let alp = Double(bits) / 8 * Double(count) / Double(max(seen, 1))
    if alp * 1.05 < choice.bytes { (choice.encoding, choice.bytes) = (.alp, alp) }
    return choice
  }

  static func encode<T: DecimalScalable>(
    _ values: UnsafePointer<T>, _ count: Int, into writer: inout ChunkWriter
  ) {
    let choice = choose(values, count)
    if choice.encoding == .alp {
      encodeALP(values, count, choice.candidates, into: &writer)
    } else {
      let words = UnsafeRawPointer(values).assumingMemoryBound(to: T.Word.self)
      IntegerStream.encode(words, count, as: choice.encoding, into: &writer)
    }
  }

  /// Exponents of all blocks, the integers packed, places of the exceptions, the exceptions.
  private static func encodeALP<T: DecimalScalable>(
    _ values: UnsafePointer<T>, _ count: Int, _ candidates: [DecimalExponents],
    into writer: inout ChunkWriter
  ) {
    writer.append(ChunkEncoding.alp)
    let scratch = Buffer(byteCount: count * MemoryLayout<T>.size + IntegerStream.blockValues)
    defer { withExtendedLifetime(scratch) {} }
    let wholes = scratch.pointer.assumingMemoryBound(to: T.Whole.self)
    let misses = (scratch.pointer + count * MemoryLayout<T>.size)
      .assumingMemoryBound(to: UInt8.self)
    let trial = DecimalTrial<T>()
    var places: [UInt32] = []
    var exceptions: [T.Word] = []
    for start in stride(from: 0, to: count, by: IntegerStream.blockValues) {
      let rows = min(IntegerStream.blockValues, count - start)
      var pair = candidates[0]
      if candidates.count > 1 {
        trial.load(values + start, rows)
        pair = trial.best(of: candidates).pair
      }
      writer.append(UInt8(truncatingIfNeeded: pair.factor))
      writer.append(UInt8(truncatingIfNeeded: pair.exponent))
      if T.decimals(values + start, rows, pair, wholes + start, misses) == 0 { continue }
      // What stands in the place of an exception must not cost bits: a neighbour does not.
      let filler = (0..<rows).first { misses[$0] == 0 }.map { wholes[start + $0] } ?? 0
      for row in 0..<rows where misses[row] != 0 {
        places.append(UInt32(truncatingIfNeeded: start + row))
        exceptions.append(values[start + row].word)
        wholes[start + row] = filler
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

  /// A few numbers of a block, and what pairs of exponents make of them.
  private final class DecimalTrial<T: DecimalScalable> {
    private let buffer = Buffer(
      byteCount: sampleValues * (2 * MemoryLayout<T>.size + 1))
    private(set) var count = 0

    func load(_ values: UnsafePointer<T>, _ rows: Int) {
      let sample = buffer.pointer.assumingMemoryBound(to: T.self)
      let step = max(1, rows / sampleValues)
      count = min(sampleValues, (rows + step - 1) / step)
      for position in 0..<count { sample[position] = values[position * step] }
    }

    /// The pair that needs the fewest bits for them all; the first of equals.
    func best(of pairs: [DecimalExponents]) -> (pair: DecimalExponents, bits: Int) {
      let sample = buffer.pointer.assumingMemoryBound(to: T.self)
      let wholes = (buffer.pointer + sampleValues * MemoryLayout<T>.size)
        .assumingMemoryBound(to: T.Whole.self)
      let misses = (buffer.pointer + 2 * sampleValues * MemoryLayout<T>.size)
        .assumingMemoryBound(to: UInt8.self)
      var best = (pair: pairs[0], bits: Int.max)
      for pair in pairs {
        let missed = T.decimals(sample, count, pair, wholes, misses)
        var bits = missed * (T.Word.bitWidth + 16)
        // Where most are missed, the bits of the others decide nothing.
        if bits >= best.bits { continue }
        var low = T.Whole.max
        var high = T.Whole.min
        for row in 0..<count where misses[row] == 0 {
          low = min(low, wholes[row])
          high = max(high, wholes[row])
        }
        if low <= high { bits += IntegerStream.width(low, high) * count }
        if bits < best.bits { best = (pair, bits) }
      }
      return best
    }
  }
}
