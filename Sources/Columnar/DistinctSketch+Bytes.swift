// A sketch as the database file keeps it; docs/file-format.md describes the bytes.
extension DistinctSketch {
  /// One more when `Hashing` gives other hashes: sketches of different ones must not be merged.
  private static let version: UInt8 = 1
  private static let headerBytes = 1 + 5 * 4
  /// Registers of which fewer are in use are listed one by one.
  private static let listedRegisters = 250

  package var bytes: [UInt8] {
    var result: [UInt8] = [Self.version]
    for count in [rowCount, seenRows, seenValues, seenRuns, seenBlocks] {
      withUnsafeBytes(of: UInt32(clamping: count).littleEndian) { result.append(contentsOf: $0) }
    }
    for registers in [first, second] { Self.append(registers, to: &result) }
    return result
  }

  /// A kind, then the registers: 0 and a list, or the least rank that is not reached by all, and half
  /// a byte for what each has beyond it.
  private static func append(_ registers: [UInt8], to result: inout [UInt8]) {
    let used = registers.indices.filter { registers[$0] > 0 }
    if used.count <= listedRegisters {
      result.append(0)
      result.append(UInt8(used.count))
      for register in used {
        // Ten bits of register, six of rank.
        let word = UInt16(register) << 6 | UInt16(min(registers[register], 63))
        withUnsafeBytes(of: word.littleEndian) { result.append(contentsOf: $0) }
      }
      return
    }
    let least = registers.min() ?? 0
    result.append(1)
    result.append(least)
    for pair in stride(from: 0, to: registerCount, by: 2) {
      // One register in some ten thousand is further beyond; cut, it counts for the same.
      let low = min(registers[pair] - least, 15)
      let high = min(registers[pair + 1] - least, 15)
      result.append(low | high << 4)
    }
  }

  /// nil for bytes that are no sketch, or one of another version: it is a guess that can be missed.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count > Self.headerBytes, bytes[0] == Self.version else { return nil }
    func word(_ offset: Int) -> Int {
      (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
    let (rows, seenRows, seenValues) = (word(1), word(5), word(9))
    let (seenRuns, seenBlocks) = (word(13), word(17))
    guard seenBlocks <= seenRuns, seenRuns <= seenValues, seenValues <= seenRows, seenRows <= rows
    else { return nil }
    var position = Self.headerBytes
    guard let first = Self.registers(bytes, &position),
      let second = Self.registers(bytes, &position), position == bytes.count
    else { return nil }
    self.init(
      rowCount: rows, seenRows: seenRows, seenValues: seenValues, seenRuns: seenRuns,
      seenBlocks: seenBlocks, first: first, second: second)
  }

  private static func registers(_ bytes: [UInt8], _ position: inout Int) -> [UInt8]? {
    guard position + 2 <= bytes.count else { return nil }
    let (kind, number) = (bytes[position], bytes[position + 1])
    position += 2
    var result = [UInt8](repeating: 0, count: registerCount)
    switch kind {
    case 0:
      guard position + 2 * Int(number) <= bytes.count else { return nil }
      for _ in 0..<number {
        let word = UInt16(bytes[position]) | UInt16(bytes[position + 1]) << 8
        result[Int(word >> 6)] = UInt8(word & 63)
        position += 2
      }
    case 1:
      guard number < 64, position + registerCount / 2 <= bytes.count else { return nil }
      for pair in 0..<registerCount / 2 {
        result[2 * pair] = number + bytes[position + pair] & 15
        result[2 * pair + 1] = number + bytes[position + pair] >> 4
      }
      position += registerCount / 2
    default: return nil
    }
    return result
  }
}
