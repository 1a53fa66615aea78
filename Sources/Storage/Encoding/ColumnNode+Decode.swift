import Columnar

extension ColumnNode {
  /// Reads a column of `count` rows. Parts of encoded columns must be plain, so that the depth of a
  /// chunk is that of its type.
  static func decode(
    _ type: LogicalType, _ count: Int, from reader: inout ChunkReader, plainOnly: Bool = false
  ) throws -> Column {
    let encoding = try reader.encoding(of: "columns")
    let kind = try reader.read(UInt8.self)
    guard kind == type.physical.chunkKind else {
      throw ChunkDamage.error("its values are not those of a column of type \(type)")
    }
    let written = Int(try reader.read(UInt32.self))
    guard written == count else { throw ChunkDamage.count(written, expected: count, of: "rows") }
    switch encoding {
    case .plain: return try decodePlain(type, count, from: &reader)
    case .nulls where !plainOnly:
      try reader.claim(1, width: ChunkReader.flatWidth(type))
      return Column.nulls(type, count: count)
    case .constant where !plainOnly:
      let one = try decode(type, 1, from: &reader, plainOnly: true)
      return Column(repeating: one, count: count)
    case .dictionary where !plainOnly && !type.isNested:
      return try decodeDictionary(type, count, from: &reader)
    case .nulls, .constant, .dictionary, .raw, .packed, .delta, .runs, .alp, .zstd:
      throw ChunkDamage.encoding(encoding.rawValue, of: "columns")
    }
  }

  private static func decodeDictionary(
    _ type: LogicalType, _ count: Int, from reader: inout ChunkReader
  ) throws -> Column {
    // The size of the base stands in its own head, behind encoding and kind.
    var ahead = reader
    _ = try ahead.take(2)
    let size = Int(try ahead.read(UInt32.self))
    guard size <= count else { throw ChunkDamage.value("the size of a dictionary") }
    let base = try decode(type, size, from: &reader, plainOnly: true)
    try reader.claim(count, width: 4)
    let codes = Selection(capacity: count)
    try IntegerStream.decode(codes.indices, count, from: &reader)
    guard count == 0 || Int(UInt32.largest(codes.indices, count)) < size else {
      throw ChunkDamage.value("a dictionary code")
    }
    return Column.dictionary(base, codes)
  }

  private static func decodePlain(
    _ type: LogicalType, _ count: Int, from reader: inout ChunkReader
  ) throws -> Column {
    switch type.physical {
    case .bool, .int8, .uint8: return try decodeIntegers(type, count, UInt8.self, from: &reader)
    case .int16, .uint16: return try decodeIntegers(type, count, UInt16.self, from: &reader)
    case .int32, .uint32: return try decodeIntegers(type, count, UInt32.self, from: &reader)
    case .int64, .uint64: return try decodeIntegers(type, count, UInt64.self, from: &reader)
    case .float: return try decodeNumbers(type, count, Float.self, from: &reader)
    case .double: return try decodeNumbers(type, count, Double.self, from: &reader)
    case .int128, .uint128: return try decodeHalves(type, count, from: &reader)
    case .interval: return try decodeIntervals(type, count, from: &reader)
    case .string:
      return try StringStream.decode(type, count, from: &reader) { column, reader in
        try ValidityStream.decode(to: column, from: &reader)
      }
    case .list: return try decodeList(type, count, from: &reader)
    case .array, .structure: return try decodeChildren(type, count, from: &reader)
    }
  }

  private static func decodeIntegers<Word: PackableWord>(
    _ type: LogicalType, _ count: Int, _ word: Word.Type, from reader: inout ChunkReader
  ) throws -> Column {
    let column = try reader.makeColumn(type, count)
    try ValidityStream.decode(to: column, from: &reader)
    let values = column.values(as: Word.self)
    try IntegerStream.decode(values, count, from: &reader)
    // What indexes tables elsewhere must be in range, in NULL rows too.
    if type == .boolean, Word.largest(values, count) > 1 {
      throw ChunkDamage.value("a value of type BOOLEAN")
    }
    if case .enumeration(let labels) = type, count > 0,
      Int(Word.largest(values, count)) >= max(labels.labels.count, 1)
    {
      throw ChunkDamage.value("the position of an ENUM's value")
    }
    return column
  }

  private static func decodeNumbers<T: DecimalScalable>(
    _ type: LogicalType, _ count: Int, _ number: T.Type, from reader: inout ChunkReader
  ) throws -> Column {
    let column = try reader.makeColumn(type, count)
    try ValidityStream.decode(to: column, from: &reader)
    try FloatStream.decode(column.values(as: T.self), count, from: &reader)
    return column
  }

  private static func decodeHalves(
    _ type: LogicalType, _ count: Int, from reader: inout ChunkReader
  ) throws -> Column {
    let column = try reader.makeColumn(type, count)
    try ValidityStream.decode(to: column, from: &reader)
    let scratch = try reader.makeScratch(count, width: 16)
    try withExtendedLifetime(scratch) {
      let low = scratch.pointer.assumingMemoryBound(to: UInt64.self)
      let high = low + count
      try IntegerStream.decode(low, count, from: &reader)
      try IntegerStream.decode(high, count, from: &reader)
      let target = column.values(as: UInt64.self)
      for row in 0..<count {
        target[row * 2] = low[row]
        target[row * 2 + 1] = high[row]
      }
    }
    return column
  }

  private static func decodeIntervals(
    _ type: LogicalType, _ count: Int, from reader: inout ChunkReader
  ) throws -> Column {
    let column = try reader.makeColumn(type, count)
    try ValidityStream.decode(to: column, from: &reader)
    let scratch = try reader.makeScratch(count, width: 16)
    try withExtendedLifetime(scratch) {
      let microseconds = scratch.pointer.assumingMemoryBound(to: UInt64.self)
      let months = (scratch.pointer + count * 8).assumingMemoryBound(to: UInt32.self)
      let days = months + count
      try IntegerStream.decode(months, count, from: &reader)
      try IntegerStream.decode(days, count, from: &reader)
      try IntegerStream.decode(microseconds, count, from: &reader)
      let target = column.values(as: Interval.self)
      for row in 0..<count {
        target[row] = Interval(
          months: Int32(bitPattern: months[row]), days: Int32(bitPattern: days[row]),
          microseconds: Int64(bitPattern: microseconds[row]))
      }
    }
    return column
  }

  private static func decodeList(
    _ type: LogicalType, _ count: Int, from reader: inout ChunkReader
  ) throws -> Column {
    let column = try reader.makeColumn(type, count)
    try ValidityStream.decode(to: column, from: &reader)
    let scratch = try reader.makeScratch(count, width: 4)
    let total = try withExtendedLifetime(scratch) {
      let lengths = scratch.pointer.assumingMemoryBound(to: UInt32.self)
      try IntegerStream.decode(lengths, count, from: &reader)
      let entries = column.values(as: ListEntry.self)
      var offset = 0
      for row in 0..<count {
        entries[row] = ListEntry(offset: offset, length: Int(lengths[row]))
        offset += Int(lengths[row])
      }
      return offset
    }
    let element = type.listElement ?? .null
    column.replaceChildren([try decodeFlat(element, total, from: &reader)])
    return column
  }

  private static func decodeChildren(
    _ type: LogicalType, _ count: Int, from reader: inout ChunkReader
  ) throws -> Column {
    let column = try reader.makeColumn(type, count)
    try ValidityStream.decode(to: column, from: &reader)
    switch type {
    case .array(let element, let width):
      let (total, overflow) = count.multipliedReportingOverflow(by: width)
      if overflow { throw ChunkDamage.tooLarge }
      column.replaceChildren([try decodeFlat(element, total, from: &reader)])
    case .structure(let fields):
      var children: [Column] = []
      for field in fields { children.append(try decodeFlat(field.type, count, from: &reader)) }
      column.replaceChildren(children)
    default: throw ChunkDamage.error("its type has no children")
    }
    return column
  }

  private static func decodeFlat(
    _ type: LogicalType, _ count: Int, from reader: inout ChunkReader
  ) throws -> Column {
    let column = try decode(type, count, from: &reader)
    return try reader.flattened(column)
  }
}
