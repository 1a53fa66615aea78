import Columnar

extension FloatStream {
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
