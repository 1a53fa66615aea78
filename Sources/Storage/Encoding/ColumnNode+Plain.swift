import Columnar

extension ColumnNode {
  /// A flat column row by row; `nested` in a constant or a dictionary, which say nothing of it yet.
  /// Gives the encoding of its values, where it has one stream of them.
  @discardableResult
  static func encodePlain(
    _ column: Column, into writer: inout ChunkWriter, nested: Bool
  ) throws -> ChunkEncoding {
    if nested {
      writer.append(ChunkEncoding.plain)
      writer.append(column.type.physical.chunkKind)
      writer.append(UInt32(truncatingIfNeeded: column.count))
      try writer.count(column.count, width: column.type.physical.width + 1)
    }
    ValidityStream.encode(column.validity, column.count, into: &writer)
    let start = writer.bytes.count
    let count = column.count
    switch column.type.physical {
    case .bool, .uint8: encodeIntegers(column, UInt8.self, into: &writer)
    case .int8: encodeIntegers(column, Int8.self, into: &writer)
    case .int16: encodeIntegers(column, Int16.self, into: &writer)
    case .uint16: encodeIntegers(column, UInt16.self, into: &writer)
    case .int32: encodeIntegers(column, Int32.self, into: &writer)
    case .uint32: encodeIntegers(column, UInt32.self, into: &writer)
    case .int64: encodeIntegers(column, Int64.self, into: &writer)
    case .uint64: encodeIntegers(column, UInt64.self, into: &writer)
    case .float:
      withFilled(column, Float.self) { FloatStream.encode($0, count, into: &writer) }
    case .double:
      withFilled(column, Double.self) { FloatStream.encode($0, count, into: &writer) }
    case .int128, .uint128: encodeHalves(column, into: &writer)
    case .interval: encodeIntervals(column, into: &writer)
    case .string: try StringStream.encode(column, into: &writer)
    case .list: try encodeList(column, into: &writer)
    case .array, .structure:
      for child in column.children { try encode(child, into: &writer) }
      return .plain
    }
    switch column.type.physical {
    case .int128, .uint128, .interval, .list, .array, .structure: return .plain
    case .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float, .double,
      .string:
      return ChunkEncoding(rawValue: writer.bytes[start]) ?? .plain
    }
  }

  private static func encodeIntegers<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _ type: T.Type, into writer: inout ChunkWriter
  ) where T.Magnitude: PackableWord {
    withFilled(column, type) { IntegerStream.encode($0, column.count, into: &writer) }
  }

  /// The values with those of NULL rows replaced by their neighbour's: what lies there is nobody's,
  /// and must not cost bits.
  private static func withFilled<T: BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ body: (UnsafePointer<T>) -> Void
  ) {
    let values = UnsafePointer(column.values(as: T.self))
    guard let validity = column.validity, nullCount(column) > 0 else { return body(values) }
    let count = column.count
    let copy = Buffer(byteCount: count * MemoryLayout<T>.stride)
    let target = copy.pointer.assumingMemoryBound(to: T.self)
    guard let first = (0..<count).first(where: { Validity.isValid(validity, $0) }) else {
      // A lone NULL in a constant or a dictionary.
      (copy.pointer).initializeMemory(
        as: UInt8.self, repeating: 0, count: count * MemoryLayout<T>.stride)
      return withExtendedLifetime(copy) { body(target) }
    }
    var last = values[first]
    for row in 0..<count {
      if Validity.isValid(validity, row) { last = values[row] }
      target[row] = last
    }
    withExtendedLifetime(copy) { body(target) }
  }

  /// 128-bit integers as a stream of low halves and one of high halves.
  private static func encodeHalves(_ column: Column, into writer: inout ChunkWriter) {
    withFilled(column, UInt128.self) { values in
      encodeParts(column.count, UInt64.self, into: &writer) {
        UInt64(truncatingIfNeeded: values[$0])
      }
      encodeParts(column.count, Int64.self, into: &writer) {
        Int64(truncatingIfNeeded: values[$0] >> 64)
      }
    }
  }

  private static func encodeIntervals(_ column: Column, into writer: inout ChunkWriter) {
    withFilled(column, Interval.self) { values in
      encodeParts(column.count, Int32.self, into: &writer) { values[$0].months }
      encodeParts(column.count, Int32.self, into: &writer) { values[$0].days }
      encodeParts(column.count, Int64.self, into: &writer) { values[$0].microseconds }
    }
  }

  @inline(__always)
  private static func encodeParts<T: FixedWidthInteger & BitwiseCopyable>(
    _ count: Int, _ type: T.Type, into writer: inout ChunkWriter, _ part: (Int) -> T
  ) where T.Magnitude: PackableWord {
    let buffer = Buffer(byteCount: count * MemoryLayout<T>.size)
    let values = buffer.pointer.assumingMemoryBound(to: T.self)
    for row in 0..<count { values[row] = part(row) }
    withExtendedLifetime(buffer) {
      IntegerStream.encode(UnsafePointer(values), count, into: &writer)
    }
  }

  /// Lengths, then the elements in the order of the rows.
  private static func encodeList(_ column: Column, into writer: inout ChunkWriter) throws {
    let list = inRowOrder(column)
    let entries = list.values(as: ListEntry.self)
    var start: Int?
    var total = 0
    for row in 0..<list.count where !list.isNull(row) {
      if start == nil && entries[row].length > 0 { start = entries[row].offset }
      guard entries[row].length <= UInt32.max else { throw ChunkDamage.tooLarge }
      total += entries[row].length
    }
    encodeParts(list.count, UInt32.self, into: &writer) { row in
      list.isNull(row) ? 0 : UInt32(truncatingIfNeeded: entries[row].length)
    }
    try encode(list.children[0].slice(start ?? 0, total), into: &writer)
  }

  /// The same lists over a child that has their elements one after the other.
  private static func inRowOrder(_ column: Column) -> Column {
    let entries = column.values(as: ListEntry.self)
    var next: Int?
    var inOrder = true
    for row in 0..<column.count where !column.isNull(row) && entries[row].length > 0 {
      if let next, next != entries[row].offset { inOrder = false }
      next = entries[row].offset + entries[row].length
    }
    if inOrder { return column }
    var builder = ColumnBuilder(column.type, capacity: column.count)
    builder.append(column)
    return builder.finish()
  }
}
