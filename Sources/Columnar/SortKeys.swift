/// One key that rows are sorted by.
package struct SortColumn: Sendable {
  package let column: Column
  package let descending: Bool
  package let nullsFirst: Bool

  package init(_ column: Column, descending: Bool, nullsFirst: Bool) {
    self.column = column
    self.descending = descending
    self.nullsFirst = nullsFirst
  }
}

/// One step in telling rows apart. Rows are sorted by the first level's words; those that tie by the
/// next level's; and so on.
package enum SortLevel: Sendable {
  /// Codes of one or more keys packed into a word whose unsigned order is the rows' order.
  case packed([SortCode])
  /// A string key that is not NULL in a tie, seven bytes at a time, beginning at byte `start` (all
  /// strings agree before it).
  case string(SortColumn, start: Int)
  /// A nested key, by comparison.
  case comparing(ColumnComparator, descending: Bool, nullsFirst: Bool)
}

/// Normalised sort keys: a key's values become unsigned integers in the order wanted, less the
/// smallest that occurs, so that they need few bits; NULL takes one more code at either end.
/// Floats: -0 equals 0 and NaN is greatest. Words of 64 bits replace memcmp-able bytes: they compare
/// in one instruction and sort by radix.
package enum SortKeys {
  /// The levels for these keys. Looks at all values of each (their range, whether any is NULL).
  package static func levels(_ keys: [SortColumn]) -> [SortLevel] {
    var levels: [SortLevel] = []
    var codes: [SortCode] = []
    var used = 0
    func close() {
      if codes.isEmpty { return }
      // The first key takes the high bits.
      var shift = used
      for position in codes.indices {
        shift -= codes[position].bits
        codes[position].shift = UInt64(shift)
      }
      levels.append(.packed(codes))
      codes = []
      used = 0
    }
    func add(_ code: SortCode, _ keyIndex: Int) {
      if code.bits == 0 { return }
      var code = code
      code.keyIndex = keyIndex
      if used + code.bits > 64 { close() }
      codes.append(code)
      used += code.bits
    }
    for (index, key) in keys.enumerated() {
      switch key.column.type.physical {
      case .string:
        if key.column.mayHaveNulls { add(SortCode.nulls(key), index) }
        close()
        levels.append(.string(key, start: commonPrefix(key.column)))
      case .list, .array, .structure:
        close()
        levels.append(
          .comparing(
            ColumnComparator(key.column, key.column), descending: key.descending,
            nullsFirst: key.nullsFirst))
      case .bool, .int8, .int16, .int32, .int64, .int128, .uint8, .uint16, .uint32, .uint64,
        .uint128, .float, .double, .interval:
        for code in SortCode.codes(key) { add(code, index) }
      }
    }
    close()
    return levels
  }

  /// Bytes that all strings of the column begin with.
  private static func commonPrefix(_ column: Column) -> Int {
    let reader = ColumnReader<StringView>(column)
    var first: Int?
    var common = 0
    for row in 0..<column.count where !reader.isNull(row) {
      guard let first else {
        first = row
        common = reader[row].count
        continue
      }
      if common == 0 { return 0 }
      let a = reader.pointer(first).bytes
      let b = reader.pointer(row).bytes
      let limit = min(common, reader[row].count)
      var length = 0
      while length < limit && a[length] == b[length] { length += 1 }
      common = length
    }
    return common
  }

  /// For each of `rows`: seven bytes of the string from byte `offset` and, in the low byte, how many
  /// bytes are left there, eight for more than seven. Rows with equal words and less than eight left
  /// are equal strings.
  package static func stringWords(
    _ key: SortColumn, offset: Int, rows: UnsafePointer<UInt32>, count: Int,
    into words: UnsafeMutablePointer<UInt64>
  ) {
    let reader = ColumnReader<StringView>(key.column)
    let flip: UInt64 = key.descending ? .max : 0
    for position in 0..<count {
      let row = Int(rows[position])
      if reader.isNull(row) {
        words[position] = flip
        continue
      }
      let view = reader.pointer(row)
      let left = view.pointee.count - offset
      if left <= 0 {
        words[position] = flip
        continue
      }
      let bytes = UnsafeRawPointer(view.bytes + offset)
      var word: UInt64 = 0
      if left >= 8 {
        word = bytes.loadUnaligned(as: UInt64.self).bigEndian & ~0xFF
      } else {
        for byte in 0..<left {
          word |= UInt64(bytes.load(fromByteOffset: byte, as: UInt8.self)) << UInt64(56 - 8 * byte)
        }
      }
      words[position] = (word | UInt64(min(left, 8))) ^ flip
    }
  }

  /// A word for each row, in the order wanted, which rows that differ may share: of a word that is
  /// greater the row sorts behind. Not of nested types.
  package static func orderedWords(
    _ key: SortColumn, count: Int, into words: UnsafeMutablePointer<UInt64>
  ) {
    let flip: UInt64 = key.descending ? .max : 0
    let null: UInt64 = key.nullsFirst ? 0 : .max
    switch key.column.type.physical {
    case .string:
      let rows = Selection(Array(0..<count))
      stringWords(key, offset: 0, rows: rows.indices, count: count, into: words)
      let reader = ColumnReader<StringView>(key.column)
      for row in 0..<count where reader.isNull(row) { words[row] = null }
    case .int128, .uint128, .interval:
      SortCode.visit(key.column, rows: nil, count, null: { words[$0] = null }) { row, code in
        words[row] = flip ^ UInt64(truncatingIfNeeded: code >> 64)
      }
    default:
      SortCode.visit64(key.column, rows: nil, count, null: { words[$0] = null }) { row, code in
        words[row] = flip ^ code
      }
    }
  }

  /// Whether rows with this word of `stringWords` may differ further on.
  @inlinable
  package static func stringGoesOn(_ word: UInt64, descending: Bool) -> Bool {
    (descending ? ~word : word) & 0xFF == 8
  }
}

/// One key, or a part of one, as an unsigned integer of `bits` bits.
package struct SortCode: Sendable {
  private enum Part { case nulls, low, high, whole }
  private let key: SortColumn
  private let part: Part
  private let low: UInt128
  private let high: UInt128
  private let nullCode: UInt64
  /// 1 when NULL has code 0, so that values begin at 1.
  private let lift: UInt64
  package let bits: Int
  package internal(set) var shift: UInt64 = 0
  /// Which of the keys it is of.
  package internal(set) var keyIndex = 0

  private init(
    _ key: SortColumn, _ part: Part, low: UInt128 = 0, high: UInt128 = 0, nullCode: UInt64 = 0,
    lift: UInt64 = 0, bits: Int
  ) {
    self.key = key
    self.part = part
    self.low = low
    self.high = high
    self.nullCode = nullCode
    self.lift = lift
    self.bits = bits
  }

  static func nulls(_ key: SortColumn) -> SortCode {
    SortCode(key, .nulls, nullCode: key.nullsFirst ? 0 : 1, lift: key.nullsFirst ? 1 : 0, bits: 1)
  }

  static func codes(_ key: SortColumn) -> [SortCode] {
    var low = UInt128.max
    var high = UInt128.min
    var nulls = false
    visit(key.column, rows: nil, key.column.count, null: { _ in nulls = true }) { _, code in
      low = min(low, code)
      high = max(high, code)
    }
    if low > high { return [] }  // nothing but NULLs
    let range = high - low
    if range < UInt128(UInt64.max) {
      let top = UInt64(range)
      let last = top + (nulls ? 1 : 0)
      return [
        SortCode(
          key, .whole, low: low, high: high, nullCode: key.nullsFirst ? 0 : last,
          lift: nulls && key.nullsFirst ? 1 : 0, bits: 64 - last.leadingZeroBitCount)
      ]
    }
    var result = nulls ? [SortCode.nulls(key)] : []
    let top = UInt64(truncatingIfNeeded: range >> 64)
    if top > 0 {
      result.append(
        SortCode(key, .high, low: low, high: high, bits: 64 - top.leadingZeroBitCount))
    }
    result.append(SortCode(key, .low, low: low, high: high, bits: 64))
    return result
  }

  /// Adds (by OR) the codes of `rows` to `words`.
  package func add(
    rows: UnsafePointer<UInt32>, count: Int, to words: UnsafeMutablePointer<UInt64>
  ) {
    let (shift, lift, low, high) = (self.shift, self.lift, self.low, self.high)
    let (nullCode, descending) = (self.nullCode << shift, key.descending)
    switch part {
    case .nulls:
      let reader = ColumnReader<UInt8>(key.column)
      for position in 0..<count {
        words[position] |= reader.isNull(Int(rows[position])) ? nullCode : lift << shift
      }
    case .whole where key.column.type.physical.width <= 8:
      let low = UInt64(truncatingIfNeeded: low)
      let high = UInt64(truncatingIfNeeded: high)
      SortCode.visit64(
        key.column, rows: rows, count, null: { words[$0] |= nullCode }
      ) { position, code in
        words[position] |= ((descending ? high &- code : code &- low) &+ lift) << shift
      }
    case .whole, .low:
      SortCode.visit(
        key.column, rows: rows, count, null: { words[$0] |= nullCode }
      ) { position, code in
        let distance = UInt64(truncatingIfNeeded: descending ? high &- code : code &- low)
        words[position] |= (distance &+ lift) << shift
      }
    case .high:
      SortCode.visit(key.column, rows: rows, count, null: { _ in }) { position, code in
        let distance = descending ? high &- code : code &- low
        words[position] |= UInt64(truncatingIfNeeded: distance >> 64) << shift
      }
    }
  }

  /// Calls `body` with position and order-preserving code of each row; all rows when `rows` is nil.
  @inline(__always)
  fileprivate static func visit(
    _ column: Column, rows: UnsafePointer<UInt32>?, _ count: Int, null: (Int) -> Void,
    _ body: (Int, UInt128) -> Void
  ) {
    switch column.type.physical {
    case .int128:
      each(column, Int128.self, rows, count, null) {
        body($0, UInt128(bitPattern: $1) ^ (1 << 127))
      }
    case .uint128: each(column, UInt128.self, rows, count, null) { body($0, $1) }
    case .interval: each(column, Interval.self, rows, count, null) { body($0, $1.orderedBits) }
    default: visit64(column, rows: rows, count, null: null) { body($0, UInt128($1)) }
    }
  }

  @inline(__always)
  fileprivate static func visit64(
    _ column: Column, rows: UnsafePointer<UInt32>?, _ count: Int, null: (Int) -> Void,
    _ body: (Int, UInt64) -> Void
  ) {
    let sign: UInt64 = 1 << 63
    switch column.type.physical {
    case .bool, .uint8: each(column, UInt8.self, rows, count, null) { body($0, UInt64($1)) }
    case .uint16: each(column, UInt16.self, rows, count, null) { body($0, UInt64($1)) }
    case .uint32: each(column, UInt32.self, rows, count, null) { body($0, UInt64($1)) }
    case .uint64: each(column, UInt64.self, rows, count, null) { body($0, $1) }
    case .int8:
      each(column, Int8.self, rows, count, null) { body($0, UInt64(bitPattern: Int64($1)) ^ sign) }
    case .int16:
      each(column, Int16.self, rows, count, null) { body($0, UInt64(bitPattern: Int64($1)) ^ sign) }
    case .int32:
      each(column, Int32.self, rows, count, null) { body($0, UInt64(bitPattern: Int64($1)) ^ sign) }
    case .int64:
      each(column, Int64.self, rows, count, null) { body($0, UInt64(bitPattern: $1) ^ sign) }
    case .float:
      each(column, Float.self, rows, count, null) {
        let bits = Hashing.canonical($1).bitPattern
        body($0, UInt64(bits >> 31 != 0 ? ~bits : bits | 1 << 31))
      }
    case .double:
      each(column, Double.self, rows, count, null) {
        let bits = Hashing.canonical($1).bitPattern
        body($0, bits >> 63 != 0 ? ~bits : bits | sign)
      }
    case .int128, .uint128, .string, .interval, .list, .array, .structure:
      preconditionFailure("\(column.type) has no 64-bit code")
    }
  }

  @inline(__always)
  private static func each<T: BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ rows: UnsafePointer<UInt32>?, _ count: Int,
    _ null: (Int) -> Void, _ body: (Int, T) -> Void
  ) {
    let reader = ColumnReader<T>(column)
    let hasNulls = reader.validity != nil
    for position in 0..<count {
      let row = rows.map { Int($0[position]) } ?? position
      if hasNulls && reader.isNull(row) {
        null(position)
      } else {
        body(position, reader[row])
      }
    }
  }
}
