import Columnar

/// A data page with its levels decoded, read from front to back.
///
/// Levels come in entries: one per value, per NULL, and per missing or empty list around them. A
/// slot is an entry at which the innermost list has an element; without lists all entries are
/// slots, and slots are rows.
struct ParquetPage {
  enum Form {
    case values(ParquetValues)
    case indices(RunLengthDecoder)
  }

  var entryCount = 0
  var entryPosition = 0
  var slotCount = 0
  var slotPosition = 0
  /// Values used so far, of those that the page holds.
  var valuePosition = 0
  private(set) var valueCount = 0
  /// Per slot; nil when no slot is NULL.
  private(set) var validity: UnsafeMutablePointer<UInt64>?
  /// Per entry; nil where the leaf's maximum is 0 or validity says it all.
  private(set) var definitions: UnsafeMutablePointer<UInt8>?
  private(set) var repetitions: UnsafeMutablePointer<UInt8>?
  var form: Form
  private var owners: [Buffer] = []

  /// No page yet.
  init(empty start: UnsafeRawPointer) throws {
    form = .indices(try RunLengthDecoder(start, count: 0, width: 0))
  }

  init(_ header: ParquetPageHeader, _ body: ParquetPageReader.Body, leaf: ParquetLeaf) throws {
    // Pointers into the body are no uses of its owners.
    defer { withExtendedLifetime(body) {} }
    entryCount = header.valueCount
    slotCount = entryCount
    valueCount = entryCount
    form = .indices(try RunLengthDecoder(body.data, count: 0, width: 0))
    var data = body.data
    var left = body.dataCount
    if header.kind == .dataV2 {
      try decodeLevels(
        leaf, repetition: (body.levels, header.repetitionBytes),
        definition: (body.levels + header.repetitionBytes, header.definitionBytes))
    } else {
      /// Levels of version 1 are preceded by their length.
      func part(_ isThere: Bool, _ encoding: Int) throws -> (UnsafeRawPointer, Int) {
        guard isThere else { return (data, 0) }
        guard encoding == ParquetEncoding.runLength.rawValue else {
          throw ParquetDamage("its levels are in an old encoding (BIT_PACKED)", code: .notSupported)
        }
        guard left >= 4 else { throw ParquetDamage.badLevels }
        let length = Int(data.loadUnaligned(as: UInt32.self))
        guard length <= left - 4 else { throw ParquetDamage.badLevels }
        let found = (data + 4, length)
        data += 4 + length
        left -= 4 + length
        return found
      }
      let repetition = try part(leaf.maxRepetition > 0, header.repetitionEncoding)
      let definition = try part(leaf.maxDefinition > 0, header.definitionEncoding)
      try decodeLevels(leaf, repetition: repetition, definition: definition)
    }
    try decodeValues(header, data, left, leaf: leaf, owner: body.owner)
  }

  private mutating func decodeLevels(
    _ leaf: ParquetLeaf, repetition: (UnsafeRawPointer, Int), definition: (UnsafeRawPointer, Int)
  ) throws {
    if leaf.maxDefinition == 0 || entryCount == 0 { return }
    let width = Int.bitWidth - leaf.maxDefinition.leadingZeroBitCount
    var decoder = try RunLengthDecoder(definition.0, count: definition.1, width: width)
    if leaf.isFlat {
      if try decoder.isRun(of: 1, count: entryCount) { return }
      let words = try makePageBuffer(Validity.wordCount(entryCount) * 8)
      owners.append(words)
      let bits = words.pointer.assumingMemoryBound(to: UInt64.self)
      try decoder.decodeBits(into: bits, count: entryCount)
      valueCount = Validity.countValid(bits, entryCount)
      if valueCount < entryCount { validity = bits }
      return
    }
    let levels = try makePageBuffer(entryCount * 2)
    owners.append(levels)
    let definitions = levels.pointer.assumingMemoryBound(to: UInt8.self)
    try decoder.decodeLevels(into: definitions, count: entryCount, limit: leaf.maxDefinition)
    self.definitions = definitions
    if leaf.maxRepetition > 0 {
      let repetitions = definitions + entryCount
      let width = Int.bitWidth - leaf.maxRepetition.leadingZeroBitCount
      var decoder = try RunLengthDecoder(repetition.0, count: repetition.1, width: width)
      try decoder.decodeLevels(into: repetitions, count: entryCount, limit: leaf.maxRepetition)
      self.repetitions = repetitions
    }
    let words = try makePageBuffer(Validity.wordCount(entryCount) * 8)
    owners.append(words)
    let bits = words.pointer.assumingMemoryBound(to: UInt64.self)
    let most = UInt8(leaf.maxDefinition)
    let least = UInt8(leaf.slotDefinition)
    slotCount = 0
    valueCount = 0
    for entry in 0..<entryCount where definitions[entry] >= least {
      let isValue = definitions[entry] == most
      appendBits(bits, slotCount, repeating: isValue, count: 1)
      slotCount += 1
      if isValue { valueCount += 1 }
    }
    if valueCount < slotCount { validity = bits }
  }

  private mutating func decodeValues(
    _ header: ParquetPageHeader, _ data: UnsafeRawPointer, _ left: Int, leaf: ParquetLeaf,
    owner: Buffer
  ) throws {
    defer { withExtendedLifetime(owner) {} }
    guard let encoding = ParquetEncoding(rawValue: header.encoding) else {
      throw ParquetDamage("encoding \(header.encoding) is unknown", code: .notSupported)
    }
    let width = leaf.conversion.plainWidth(typeLength: leaf.typeLength)
    switch (encoding, leaf.physicalType) {
    case (.plain, _):
      form = .values(
        try ParquetValues(plain: data, available: left, count: valueCount, leaf: leaf, owner: owner)
      )
    case (.plainDictionary, _), (.runLengthDictionary, _):
      if valueCount == 0 {
        form = .values(
          ParquetValues(pointer: UnsafeMutableRawPointer(mutating: data), count: 0, owners: [owner])
        )
        return
      }
      guard left >= 1 else { throw ParquetDamage.truncatedPage }
      let bits = Int(data.load(as: UInt8.self))
      form = .indices(try RunLengthDecoder(data + 1, count: left - 1, width: bits))
      owners.append(owner)
    case (.runLength, .boolean):
      guard left >= 4 || valueCount == 0 else { throw ParquetDamage.truncatedPage }
      var decoder = try RunLengthDecoder(data + min(left, 4), count: max(left - 4, 0), width: 1)
      let buffer = try makePageBuffer(valueCount)
      try decoder.decodeLevels(
        into: buffer.pointer.assumingMemoryBound(to: UInt8.self), count: valueCount, limit: 1)
      form = .values(ParquetValues(bytes: buffer, count: valueCount))
    case (.deltaBinaryPacked, .int32), (.deltaBinaryPacked, .int64):
      let bytes = leaf.physicalType == .int32 ? 4 : 8
      let plain = try DeltaDecoder.plainIntegers(
        data, available: left, count: valueCount, width: bytes)
      try decodePlain(plain, valueCount * bytes, leaf)
    case (.deltaLengthByteArray, .byteArray):
      form = .values(
        try DeltaDecoder.lengthPrefixed(
          data, available: left, count: valueCount, leaf: leaf, owner: owner))
    case (.deltaByteArray, .byteArray), (.deltaByteArray, .fixedLengthByteArray):
      form = .values(
        try DeltaDecoder.incremental(data, available: left, count: valueCount, leaf: leaf))
    case (.byteStreamSplit, _) where (width ?? 0) > 0:
      let bytes = width ?? 0
      let plain = try DeltaDecoder.unsplit(data, available: left, count: valueCount, width: bytes)
      try decodePlain(plain, valueCount * bytes, leaf)
    default:
      throw ParquetDamage(
        "encoding \(encoding) is not supported for \(leaf.physicalType)", code: .notSupported)
    }
  }

  private mutating func decodePlain(_ buffer: Buffer, _ count: Int, _ leaf: ParquetLeaf) throws {
    form = .values(
      try ParquetValues(
        plain: buffer.pointer, available: count, count: valueCount, leaf: leaf, owner: buffer))
  }
}
