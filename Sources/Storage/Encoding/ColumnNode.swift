import Columnar
import Diagnostics

/// A column inside a chunk: its encoding, the kind of its values, how many rows, and a body. Nested
/// columns hold those of their children.
enum ColumnNode {
  /// Writes any column; gives the encoding that says most about it.
  @discardableResult
  static func encode(_ column: Column, into writer: inout ChunkWriter) throws -> ChunkEncoding {
    let count = column.count
    guard let small = UInt32(exactly: count) else { throw ChunkDamage.tooLarge }
    try writer.count(count, width: column.type.physical.width + 1)
    let start = writer.bytes.count
    writer.append(ChunkEncoding.plain)
    writer.append(column.type.physical.chunkKind)
    writer.append(small)
    var encoding = ChunkEncoding.plain
    if count > 0 && nullCount(column) == count {
      encoding = .nulls
    } else if count > 1 && column.isConstant {
      encoding = .constant
      try encodePlain(column.flatValue(0), into: &writer, nested: true)
    } else {
      let flat = column.flattened()
      if isConstant(flat) {
        encoding = .constant
        try encodePlain(flat.slice(0, 1), into: &writer, nested: true)
      } else if let dictionary = dictionary(flat) {
        encoding = .dictionary
        let rows = Selection(dictionary.firstRows)
        try encodePlain(Column.dictionary(flat, rows).flattened(), into: &writer, nested: true)
        IntegerStream.encode(UnsafePointer(dictionary.codes.indices), count, into: &writer)
      } else {
        return try encodePlain(flat, into: &writer, nested: false)
      }
    }
    writer.replace(at: start, with: encoding.rawValue)
    return encoding
  }

  static func nullCount(_ column: Column) -> Int {
    guard let validity = column.validity else { return 0 }
    if column.encoding == .flat {
      return column.count - Validity.countValid(validity, column.count)
    }
    var nulls = 0
    for row in 0..<column.count where column.isNull(row) { nulls += 1 }
    return nulls
  }

  /// Whether a flat column without NULLs has one value throughout.
  private static func isConstant(_ column: Column) -> Bool {
    let width = column.type.physical.width
    if column.count < 2 || width == 0 || column.type.physical == .list { return false }
    if column.mayHaveNulls && nullCount(column) > 0 { return false }
    switch width {
    case 1: return IntegerStream.isConstant(column.values(as: UInt8.self), column.count)
    case 2: return IntegerStream.isConstant(column.values(as: UInt16.self), column.count)
    case 4: return IntegerStream.isConstant(column.values(as: UInt32.self), column.count)
    case 8: return IntegerStream.isConstant(column.values(as: UInt64.self), column.count)
    default: break
    }
    if column.type.physical == .string {
      let views = UnsafePointer(column.values(as: StringView.self))
      for row in 1..<column.count where !(views[row] == views[0]) { return false }
      return true
    }
    let words = column.values(as: UInt64.self)
    for row in 1..<column.count
    where words[row * 2] != words[0] || words[row * 2 + 1] != words[1] {
      return false
    }
    return true
  }

  /// The dictionary of a flat column, where it makes the chunk smaller.
  private static func dictionary(_ column: Column) -> DictionaryBuilder? {
    let count = column.count
    let plain: Double
    let width: Double
    switch column.type.physical {
    case .int32: (plain, width) = (integerBytes(column, Int32.self), 4)
    case .uint32: (plain, width) = (integerBytes(column, UInt32.self), 4)
    case .int64: (plain, width) = (integerBytes(column, Int64.self), 8)
    case .uint64: (plain, width) = (integerBytes(column, UInt64.self), 8)
    case .int128, .uint128:
      // Low and high halves; most such columns have only low ones.
      (plain, width) = (integerBytes(column, UInt64.self), 16)
    case .float:
      (plain, width) = (FloatStream.choose(column.values(as: Float.self), count).bytes, 4)
    case .double:
      (plain, width) = (FloatStream.choose(column.values(as: Double.self), count).bytes, 8)
    case .string:
      let bytes = StringStream.averageLength(column)
      // What Zstandard makes of texts, roughly.
      (plain, width) = (Double(count) * (bytes * 0.45 + 1), bytes + 1)
    case .bool, .int8, .int16, .uint8, .uint16, .interval, .list, .array, .structure: return nil
    }
    if count < 64 { return nil }
    let limit = min(1 << 16, count / 2)
    let distinct = DictionaryBuilder.estimate(column)
    if distinct > Double(limit) { return nil }
    let bits = Double(Int.bitWidth - Int(distinct).leadingZeroBitCount)
    if distinct * width + Double(count) * bits / 8 > plain * 0.85 { return nil }
    return DictionaryBuilder(column, limit: limit)
  }

  private static func integerBytes<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _ type: T.Type
  ) -> Double where T.Magnitude: PackableWord {
    let halves = column.type.physical.width / MemoryLayout<T>.size
    return IntegerStream.Estimate(column.values(as: T.self), column.count * halves)
      .best(allowRuns: true).bytes
  }
}
