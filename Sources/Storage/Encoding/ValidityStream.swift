import Columnar

/// Which rows of a plain column are NULL: a byte for the form, then nothing, a bit a row, or the
/// lengths of runs, valid rows first.
enum ValidityStream {
  private static let allValid: UInt8 = 0
  private static let bits: UInt8 = 1
  private static let runs: UInt8 = 2

  static func encode(
    _ validity: UnsafePointer<UInt64>?, _ count: Int, into writer: inout ChunkWriter
  ) {
    guard let validity, Validity.countValid(validity, count) < count else {
      writer.append(allValid)
      return
    }
    let lengths = runLengths(validity, count)
    // A run takes about two bytes.
    if lengths.count * 16 < count {
      writer.append(runs)
      writer.append(UInt32(truncatingIfNeeded: lengths.count))
      lengths.withUnsafeBufferPointer {
        if let start = $0.baseAddress { IntegerStream.encode(start, $0.count, into: &writer) }
      }
      return
    }
    writer.append(bits)
    for word in 0..<(count >> 6) { writer.append(validity[word]) }
    let rest = count & 63
    if rest > 0 { writer.append(validity[count >> 6] & ((1 << UInt64(rest)) - 1)) }
  }

  private static func runLengths(_ validity: UnsafePointer<UInt64>, _ count: Int) -> [UInt32] {
    var lengths: [UInt32] = []
    var start = 0
    var isValid = true
    for row in 0..<count where Validity.isValid(validity, row) != isValid {
      lengths.append(UInt32(truncatingIfNeeded: row - start))
      start = row
      isValid.toggle()
    }
    lengths.append(UInt32(truncatingIfNeeded: count - start))
    return lengths
  }

  /// Gives the validity to a column of `count` rows that has none yet.
  static func decode(to column: Column, from reader: inout ChunkReader) throws {
    let count = column.count
    let form = try reader.read(UInt8.self)
    switch form {
    case allValid: return
    case bits:
      let wordCount = Validity.wordCount(count)
      let source = try reader.take(wordCount, width: 8)
      UnsafeMutableRawPointer(column.makeValidity()).copyMemory(
        from: source, byteCount: wordCount * 8)
    case runs: try decodeRuns(to: column, from: &reader)
    default: throw ChunkDamage.encoding(form, of: "validity")
    }
  }

  private static func decodeRuns(to column: Column, from reader: inout ChunkReader) throws {
    let runCount = Int(try reader.read(UInt32.self))
    // Only the first run may be empty.
    guard runCount <= column.count + 1 else { throw ChunkDamage.value("a number of NULL runs") }
    let scratch = try reader.makeScratch(runCount, width: 4)
    try withExtendedLifetime(scratch) {
      let lengths = scratch.pointer.assumingMemoryBound(to: UInt32.self)
      try IntegerStream.decode(lengths, runCount, from: &reader)
      guard IntegerStream.sum(lengths, runCount) == UInt64(column.count) else {
        throw ChunkDamage.value("the length of NULL runs")
      }
      let words = column.makeValidity()
      var row = 0
      for run in 0..<runCount {
        let end = row + Int(lengths[run])
        if run & 1 == 1 { setNulls(words, row, end) }
        row = end
      }
    }
  }

  private static func setNulls(_ words: UnsafeMutablePointer<UInt64>, _ start: Int, _ end: Int) {
    var row = start
    while row < end {
      if row & 63 == 0 && end - row >= 64 {
        words[row >> 6] = 0
        row += 64
      } else {
        Validity.setNull(words, row)
        row += 1
      }
    }
  }
}
