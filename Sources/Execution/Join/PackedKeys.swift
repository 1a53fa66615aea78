import Columnar

/// Join keys that fit one 64-bit word together: equal words are equal keys, so that tables compare
/// words and never columns. -0 and NaN are made canonical; a single integer is sign-extended, so
/// that words also keep its distances.
struct PackedKeys: Sendable {
  /// Width of each key in bits and where it starts in the word.
  private let fields: [(shift: UInt64, mask: UInt64)]

  /// Nil when the keys do not fit, or when NULL of one of several can equal NULL (a word has no room
  /// for it; rows where the only key is NULL are linked apart).
  init?(_ types: [LogicalType], nullSafe: [Bool]) {
    if types.isEmpty || (types.count > 1 && nullSafe.contains(true)) { return nil }
    var fields: [(shift: UInt64, mask: UInt64)] = []
    var bits = 0
    for type in types {
      switch type.physical {
      case .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float, .double:
        break
      case .int128, .uint128, .string, .interval, .list, .array, .structure: return nil
      }
      let width = type.physical.width * 8
      if bits + width > 64 { return nil }
      fields.append((UInt64(bits), types.count == 1 ? .max : .max >> UInt64(64 - width)))
      bits += width
    }
    self.fields = fields
  }

  /// The words of the first `rows` rows. Those of rows with a NULL key mean nothing.
  func pack(_ columns: [Column], rows: Int, into words: UnsafeMutablePointer<UInt64>) {
    for (position, column) in columns.enumerated() {
      let field = fields[position]
      let first = position == 0
      switch column.type.physical {
      case .bool, .uint8: integers(column, UInt8.self, rows, field, first, words)
      case .int8: integers(column, Int8.self, rows, field, first, words)
      case .int16: integers(column, Int16.self, rows, field, first, words)
      case .int32: integers(column, Int32.self, rows, field, first, words)
      case .int64: integers(column, Int64.self, rows, field, first, words)
      case .uint16: integers(column, UInt16.self, rows, field, first, words)
      case .uint32: integers(column, UInt32.self, rows, field, first, words)
      case .uint64: integers(column, UInt64.self, rows, field, first, words)
      case .float:
        each(column, Float.self, rows, field, first, words) {
          UInt64(Hashing.canonical($0).bitPattern)
        }
      case .double:
        each(column, Double.self, rows, field, first, words) { Hashing.canonical($0).bitPattern }
      case .int128, .uint128, .string, .interval, .list, .array, .structure:
        preconditionFailure("\(column.type) does not fit a packed key")
      }
    }
  }

  @inline(__always)
  private func integers<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ rows: Int, _ field: (shift: UInt64, mask: UInt64),
    _ first: Bool, _ words: UnsafeMutablePointer<UInt64>
  ) {
    each(column, T.self, rows, field, first, words) { UInt64(truncatingIfNeeded: $0) }
  }

  @inline(__always)
  private func each<T: BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ rows: Int, _ field: (shift: UInt64, mask: UInt64),
    _ first: Bool, _ words: UnsafeMutablePointer<UInt64>, _ word: (T) -> UInt64
  ) {
    let shift = field.shift
    let mask = field.mask
    let values = column.values(as: T.self)
    if column.encoding == .flat && first {
      for row in 0..<rows { words[row] = word(values[row]) & mask }
      return
    }
    let reader = ColumnReader<T>(column)
    for row in 0..<rows {
      let bits = (word(reader[row]) & mask) << shift
      words[row] = first ? bits : words[row] | bits
    }
  }
}

/// Which rows have a NULL among key columns for which NULL matches nothing.
enum KeyNulls {
  /// Whether any of the columns may hold one at all.
  static func mayOccur(_ columns: [Column], nullSafe: [Bool]) -> Bool {
    for (position, column) in columns.enumerated()
    where !nullSafe[position] && column.mayHaveNulls { return true }
    return false
  }

  /// Calls `body` for those among the first `rows` rows; a row may come more than once.
  @inline(__always)
  static func forEach(_ columns: [Column], nullSafe: [Bool], rows: Int, _ body: (Int) -> Void) {
    for (position, column) in columns.enumerated()
    where !nullSafe[position] && column.mayHaveNulls {
      let reader = ColumnReader<UInt8>(column)
      for row in 0..<rows where reader.isNull(row) { body(row) }
    }
  }
}
