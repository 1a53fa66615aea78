import Columnar

/// What the statistics of a column chunk say about its values, and which filters that rules out.
/// Only what is certain excludes: unknown or damaged statistics exclude nothing.
struct ParquetBounds {
  private let leaf: ParquetLeaf
  private let rowCount: Int
  private let nullCount: Int?
  private var minimum: Bound?
  private var maximum: Bound?

  private enum Bound {
    case number(Int128)
    case real(Double)
    case bytes([UInt8])
  }

  init(_ chunk: ParquetColumnChunk, leaf: ParquetLeaf, footer: [UInt8], rowCount: Int) {
    self.leaf = leaf
    self.rowCount = rowCount
    nullCount = chunk.statistics.nullCount
    let statistics = chunk.statistics
    minimum = Self.bound(statistics.minimum, leaf, footer)
    maximum = Self.bound(statistics.maximum, leaf, footer)
    if minimum == nil && maximum == nil && Self.trustsLegacy(leaf) {
      minimum = Self.bound(statistics.legacyMinimum, leaf, footer)
      maximum = Self.bound(statistics.legacyMaximum, leaf, footer)
    }
  }

  /// A bound as text; nil where there is none, or none that can be read without the decoders.
  static func text(_ range: Range<Int>?, _ leaf: ParquetLeaf, _ footer: [UInt8]) -> String? {
    guard let found = bound(range, leaf, footer), let value = value(of: found, leaf.type),
      let column = try? Column.constant(value, leaf.type, count: 1)
    else { return nil }
    guard case .varchar(let text) = ValueText.text(of: column).value(0) else { return nil }
    return text
  }

  private static func value(of bound: Bound, _ type: LogicalType) -> Value? {
    switch bound {
    case .bytes(let bytes):
      return type == .blob ? .blob(bytes) : .varchar(String(decoding: bytes, as: UTF8.self))
    case .real(let number): return type == .float ? .float(Float(number)) : .double(number)
    case .number(let number):
      switch type {
      case .boolean: return .boolean(number != 0)
      case .decimal: return .decimal(number)
      case .date: return Int32(exactly: number).map { .date($0) }
      case .time: return Int64(exactly: number).map { .time($0) }
      case .timestamp, .timestampSeconds, .timestampMilliseconds, .timestampNanoseconds,
        .timestampTZ:
        return Int64(exactly: number).map { .timestamp($0) }
      default: return type.isInteger ? .integer(number) : nil
      }
    }
  }

  /// Old bounds were ordered as signed numbers, and for bytes as somebody liked.
  private static func trustsLegacy(_ leaf: ParquetLeaf) -> Bool {
    switch leaf.type {
    case .utinyint, .usmallint, .uinteger, .ubigint: return false
    default: break
    }
    switch leaf.physicalType {
    case .boolean, .int32, .int64, .float, .double: return true
    case .int96, .byteArray, .fixedLengthByteArray: return false
    }
  }

  private static func bound(_ range: Range<Int>?, _ leaf: ParquetLeaf, _ footer: [UInt8]) -> Bound?
  {
    guard let range else { return nil }
    let bytes = footer[range]
    switch leaf.conversion {
    case .strings: return .bytes(Array(bytes))
    case .bits: return bytes.count == 1 ? .number(Int128(bytes[bytes.startIndex] & 1)) : nil
    // The order of these is undefined, or their bounds would need the decoders.
    case .int96, .fixedBytes, .uuid, .interval, .halfFloat, .variableDecimal, .timeTZ: return nil
    case .same, .int32ToInt8, .int32ToInt16, .int32ToInt64, .int32ToInt128, .int64ToInt16,
      .int64ToInt32, .int64ToInt128, .int32Milliseconds, .int64Milliseconds, .int64Nanoseconds,
      .fixedDecimal:
      break
    }
    return Array(bytes).withUnsafeBytes { raw -> Bound? in
      guard let start = raw.baseAddress else { return nil }
      if case .fixedDecimal = leaf.conversion {
        guard raw.count == leaf.typeLength else { return nil }
        return (try? decimal(start, raw.count, Int128.self)).map { .number($0) }
      }
      switch leaf.physicalType {
      case .float where raw.count == 4:
        let value = Double(start.loadUnaligned(as: Float.self))
        return value.isNaN ? nil : .real(value)
      case .double where raw.count == 8:
        let value = start.loadUnaligned(as: Double.self)
        return value.isNaN ? nil : .real(value)
      case .int32 where raw.count == 4:
        let bits = start.loadUnaligned(as: Int32.self)
        switch leaf.type {
        case .utinyint, .usmallint, .uinteger: return .number(Int128(UInt32(bitPattern: bits)))
        case .time: return .number(Int128(bits) * 1000)
        default: return .number(Int128(bits))
        }
      case .int64 where raw.count == 8:
        let bits = start.loadUnaligned(as: Int64.self)
        if leaf.type == .ubigint { return .number(Int128(UInt64(bitPattern: bits))) }
        switch leaf.conversion {
        case .int64Milliseconds where Calendar.isFinite(bits): return .number(Int128(bits) * 1000)
        case .int64Nanoseconds: return .number(Int128(bits / 1000 - (bits % 1000 < 0 ? 1 : 0)))
        default: return .number(Int128(bits))
        }
      default: return nil
      }
    }
  }

  /// Both bounds as `Value.orderedNumber` gives them; nil where there are none.
  var numbers: ClosedRange<Double>? {
    let low: Double
    let high: Double
    switch (minimum, maximum) {
    case (.number(let a), .number(let b)): (low, high) = (Double(a), Double(b))
    case (.real(let a), .real(let b)): (low, high) = (a, b)
    default: return nil
    }
    return low <= high ? low...high : nil
  }

  /// Both bounds, where there are both.
  var partitionBounds: PartitionBounds? {
    if case .bytes(let low) = minimum, case .bytes(let high) = maximum {
      return PartitionBounds(.bytes(low), .bytes(high))
    }
    return numbers.map { PartitionBounds(.number($0.lowerBound), .number($0.upperBound)) }
  }

  /// Whether a value of the range (of integers and what is stored as such) may be among them.
  func mayHold(_ range: ClosedRange<Int128>) -> Bool {
    if nullCount == rowCount { return false }
    if case .number(let low) = minimum, low > range.upperBound { return false }
    if case .number(let high) = maximum, high < range.lowerBound { return false }
    return true
  }

  /// Whether no row can pass the filter.
  func excludes(_ filter: ScanFilter) -> Bool {
    switch filter.operator {
    case .isNull: return nullCount == 0
    case .isNotNull: return nullCount == rowCount
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual: break
    }
    if filter.value.isNull { return false }
    if nullCount == rowCount { return true }
    // NaN is greater than every number and missing from the bounds.
    let isReal = leaf.type.isFloatingPoint
    let isNaN = Self.isNaN(filter.value)
    switch filter.operator {
    case .equal:
      if isNaN { return false }
      return order(filter.value, minimum).map { $0 < 0 } ?? false
        || order(filter.value, maximum).map { $0 > 0 } ?? false
    case .less: return !isNaN && (order(filter.value, minimum).map { $0 <= 0 } ?? false)
    case .lessOrEqual: return !isNaN && (order(filter.value, minimum).map { $0 < 0 } ?? false)
    case .greater: return !isReal && (order(filter.value, maximum).map { $0 >= 0 } ?? false)
    case .greaterOrEqual: return !isReal && (order(filter.value, maximum).map { $0 > 0 } ?? false)
    case .isNull, .isNotNull: return false
    }
  }

  private static func isNaN(_ value: Value) -> Bool {
    switch value {
    case .float(let number): number.isNaN
    case .double(let number): number.isNaN
    default: false
    }
  }

  /// Negative when the value lies before the bound; nil when they cannot be compared.
  private func order(_ value: Value, _ bound: Bound?) -> Int? {
    guard let bound else { return nil }
    switch (value, bound) {
    case (.boolean(let v), .number(let b)): return compare(Int128(v ? 1 : 0), b)
    case (.integer(let v), .number(let b)), (.decimal(let v), .number(let b)): return compare(v, b)
    case (.date(let v), .number(let b)): return compare(Int128(v), b)
    case (.time(let v), .number(let b)), (.timestamp(let v), .number(let b)):
      return compare(Int128(v), b)
    case (.float(let v), .real(let b)): return compare(Double(v), b)
    case (.double(let v), .real(let b)): return compare(v, b)
    case (.varchar(let v), .bytes(let b)): return compare(Array(v.utf8), b)
    case (.blob(let v), .bytes(let b)): return compare(v, b)
    default: return nil
    }
  }

  private func compare<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a > b ? 1 : 0 }

  private func compare(_ a: [UInt8], _ b: [UInt8]) -> Int {
    a.lexicographicallyPrecedes(b) ? -1 : b.lexicographicallyPrecedes(a) ? 1 : 0
  }
}
