import Columnar

/// What is known of a chunk's values without decoding it: their bounds, how many are NULL, and about
/// how many differ.
package struct ChunkZone: Sendable {
  /// Bytes whose order, as memcmp sees it, is that of the values: integers from the highest byte on
  /// with the sign flipped; floating point with -0 as 0 and NaN greatest; texts by their first
  /// bytes. nil without values, and for intervals and nested types.
  package let minimum: [UInt8]?
  /// Not less than any value; nil also for texts that no short text is beyond.
  package let maximum: [UInt8]?
  package let nullCount: Int
  package let rowCount: Int
  /// Different values; a guess by a sample, nil for types without one.
  package let distinctCount: Double?

  /// Longer texts are cut, the upper bound to the next text of that length.
  static let textBytes = 32

  /// `sketch`: of the column, when the caller has one.
  package init(_ column: Column, sketch: DistinctSketch? = nil) {
    let flat = column.flattened()
    rowCount = flat.count
    nullCount = ColumnNode.nullCount(flat)
    let bounds: (low: [UInt8], high: [UInt8]?)?
    switch flat.type.physical {
    case .bool, .uint8: bounds = Self.bounds(flat, UInt8.self, Self.key)
    case .int8: bounds = Self.bounds(flat, Int8.self, Self.key)
    case .int16: bounds = Self.bounds(flat, Int16.self, Self.key)
    case .int32: bounds = Self.bounds(flat, Int32.self, Self.key)
    case .int64: bounds = Self.bounds(flat, Int64.self, Self.key)
    case .int128: bounds = Self.bounds(flat, Int128.self, Self.key)
    case .uint16: bounds = Self.bounds(flat, UInt16.self, Self.key)
    case .uint32: bounds = Self.bounds(flat, UInt32.self, Self.key)
    case .uint64: bounds = Self.bounds(flat, UInt64.self, Self.key)
    case .uint128: bounds = Self.bounds(flat, UInt128.self, Self.key)
    case .float: bounds = Self.numberBounds(flat, Float.self)
    case .double: bounds = Self.numberBounds(flat, Double.self)
    case .string: bounds = Self.textBounds(flat)
    case .interval, .list, .array, .structure: bounds = nil
    }
    minimum = bounds?.low
    maximum = bounds?.high
    let hasSample = flat.count > 0 && flat.type.physical.width >= 4 && bounds != nil
    distinctCount = hasSample ? sketch?.distinctCount ?? DictionaryBuilder.estimate(flat) : nil
  }

  /// An integer's bytes in the order of integers.
  static func key<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    let flip = T.isSigned ? T.Magnitude(1) << (T.bitWidth - 1) : 0
    let word = T.Magnitude(truncatingIfNeeded: value) ^ flip
    return withUnsafeBytes(of: word.bigEndian) { Array($0) }
  }

  /// What `key` made; nil when there are other bytes than its.
  static func integer<T: FixedWidthInteger>(_ key: [UInt8], _ type: T.Type) -> T? {
    guard key.count == MemoryLayout<T>.size else { return nil }
    let flip = T.isSigned ? T.Magnitude(1) << (T.bitWidth - 1) : 0
    let word = key.reduce(T.Magnitude(0)) { $0 << 8 | T.Magnitude($1) }
    return T(truncatingIfNeeded: word ^ flip)
  }

  /// The bytes of a value to compare with bounds; nil for kinds that are compared otherwise.
  static func key(_ value: Value) -> [UInt8]? {
    switch value {
    case .varchar(let text): Array(text.utf8)
    case .blob(let bytes): bytes
    case .double(let number): key(ordered(number))
    case .float(let number): key(ordered(number))
    case .null, .boolean, .integer, .unsigned, .decimal, .date, .time, .timeTZ, .timestamp,
      .interval, .uuid, .list, .structure:
      nil
    }
  }

  private static func bounds<T: Comparable & BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ key: (T) -> [UInt8]
  ) -> ([UInt8], [UInt8]?)? {
    let values = column.values(as: T.self)
    guard let first = (0..<column.count).first(where: { !column.isNull($0) }) else { return nil }
    var low = values[first]
    var high = low
    if let validity = column.validity {
      for row in first..<column.count where Validity.isValid(validity, row) {
        low = min(low, values[row])
        high = max(high, values[row])
      }
    } else {
      for row in 0..<column.count {
        low = min(low, values[row])
        high = max(high, values[row])
      }
    }
    return (key(low), key(high))
  }

  private static func numberBounds<T: DecimalScalable>(
    _ column: Column, _ type: T.Type
  ) -> ([UInt8], [UInt8]?)? {
    let values = column.values(as: T.self)
    var low: [UInt8]?
    var high: [UInt8]?
    var bounds: (low: T.Word, high: T.Word)?
    for row in 0..<column.count where !column.isNull(row) {
      let word = ordered(values[row])
      let known = bounds ?? (word, word)
      bounds = (min(known.low, word), max(known.high, word))
    }
    if let bounds { (low, high) = (key(bounds.low), key(bounds.high)) }
    return low.map { ($0, high) }
  }

  /// An unsigned number in the order of SQL's floating point.
  static func ordered<T: DecimalScalable>(_ value: T) -> T.Word {
    if value.isNaN { return .max }
    let word = value == 0 ? 0 : value.word
    let sign = T.Word(1) << (T.Word.bitWidth - 1)
    return word & sign == 0 ? word | sign : ~word
  }

  /// Whether two views are equal bit for bit; equal texts may be not.
  @inline(__always)
  private static func isSame(_ a: StringView, _ b: StringView) -> Bool {
    a.head == b.head && a.tail == b.tail
  }

  private static func textBounds(_ column: Column) -> ([UInt8], [UInt8]?)? {
    let views = UnsafePointer(column.values(as: StringView.self))
    guard var low = (0..<column.count).first(where: { !column.isNull($0) }) else { return nil }
    var high = low
    let validity = column.validity
    for row in low..<column.count {
      if let validity, !Validity.isValid(validity, row) { continue }
      // Where few texts repeat, most rows are one of the bounds already.
      if isSame(views[row], views[low]) || isSame(views[row], views[high]) { continue }
      if StringView.compare(views[row], views[low]) < 0 { low = row }
      if StringView.compare(views[row], views[high]) > 0 { high = row }
    }
    let least = Array((views + low).buffer.prefix(textBytes))
    var greatest = Array((views + high).buffer.prefix(textBytes))
    if (views + high).pointee.count <= textBytes { return (least, greatest) }
    while let last = greatest.popLast() {
      if last < .max { return (least, greatest + [last + 1]) }
    }
    return (least, nil)
  }
}
