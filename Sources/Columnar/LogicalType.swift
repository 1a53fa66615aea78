/// A field of a STRUCT, a table or a result.
@usableFromInline package struct Field: Hashable, Sendable {
  package var name: String
  package var type: LogicalType

  package init(_ name: String, _ type: LogicalType) {
    self.name = name
    self.type = type
  }
}

/// The SQL type of a column or an expression. `description` is its name in SQL.
///
/// Every column of every batch has one, so the cases that all threads copy all the time hold no
/// reference: a box's count would go back and forth between the cores.
@usableFromInline package enum LogicalType: Hashable, Sendable, CustomStringConvertible {
  /// The type of a bare NULL; casts to everything.
  case null
  case boolean
  case tinyint, smallint, integer, bigint, hugeint
  case utinyint, usmallint, uinteger, ubigint, uhugeint
  /// 32-bit and 64-bit IEEE 754; their SQL names are FLOAT and DOUBLE.
  case float, double
  /// `precision` digits in all (1 to 38), `scale` of them after the point; stored as scaled integers.
  case decimal(precision: Int, scale: Int)
  case varchar, blob
  /// Days since 1970-01-01.
  case date
  /// Microseconds since midnight.
  case time
  /// Microseconds since midnight at UTC and the offset of the zone: see `ZonedTime`.
  case timeTZ
  /// Microseconds since 1970-01-01 00:00:00, no zone.
  case timestamp
  /// The same in seconds, milliseconds and nanoseconds.
  case timestampSeconds, timestampMilliseconds, timestampNanoseconds
  /// An instant: microseconds since 1970-01-01 00:00:00 UTC, shown and taken apart in the session's
  /// time zone.
  case timestampTZ
  case interval
  /// 128 bits, ordered as unsigned.
  case uuid
  /// One of a few texts, stored as its position among them and ordered by it.
  case enumeration(EnumLabels)
  /// Text that is valid JSON.
  case json
  indirect case list(LogicalType)
  /// A fixed number of elements, stored contiguously: a batch of FLOAT[n] is a matrix.
  indirect case array(LogicalType, count: Int)
  case structure([Field])
  /// Keys, each once and never NULL, with their values: stored as a list of structs `key`, `value`.
  indirect case map(key: LogicalType, value: LogicalType)

  @usableFromInline package var description: String {
    switch self {
    case .null: "\"NULL\""
    case .boolean: "BOOLEAN"
    case .tinyint: "TINYINT"
    case .smallint: "SMALLINT"
    case .integer: "INTEGER"
    case .bigint: "BIGINT"
    case .hugeint: "HUGEINT"
    case .utinyint: "UTINYINT"
    case .usmallint: "USMALLINT"
    case .uinteger: "UINTEGER"
    case .ubigint: "UBIGINT"
    case .uhugeint: "UHUGEINT"
    case .float: "FLOAT"
    case .double: "DOUBLE"
    case .decimal(let precision, let scale): "DECIMAL(\(precision),\(scale))"
    case .varchar: "VARCHAR"
    case .blob: "BLOB"
    case .date: "DATE"
    case .time: "TIME"
    case .timeTZ: "TIME WITH TIME ZONE"
    case .timestamp: "TIMESTAMP"
    case .timestampSeconds: "TIMESTAMP_S"
    case .timestampMilliseconds: "TIMESTAMP_MS"
    case .timestampNanoseconds: "TIMESTAMP_NS"
    case .timestampTZ: "TIMESTAMP WITH TIME ZONE"
    case .interval: "INTERVAL"
    case .uuid: "UUID"
    case .enumeration(let labels): labels.description
    case .json: "JSON"
    case .list(let element): "\(element)[]"
    case .array(let element, let count): "\(element)[\(count)]"
    case .structure(let fields) where fields.allSatisfy(\.name.isEmpty) && !fields.isEmpty:
      "TUPLE(" + fields.map(\.type.description).joined(separator: ", ") + ")"
    case .structure(let fields) where fields.isEmpty: "STRUCT"
    case .structure(let fields):
      "STRUCT(" + fields.map { "\(quotedField($0.name)) \($0.type)" }.joined(separator: ", ")
        + ")"
    case .map(let key, let value): "MAP(\(key), \(value))"
    }
  }

  package var isInteger: Bool {
    switch self {
    case .tinyint, .smallint, .integer, .bigint, .hugeint, .utinyint, .usmallint, .uinteger,
      .ubigint, .uhugeint:
      true
    default: false
    }
  }

  package var isFloatingPoint: Bool { self == .float || self == .double }

  package var isDecimal: Bool {
    if case .decimal = self { true } else { false }
  }

  /// Integers, decimals and floating point.
  package var isNumeric: Bool { isInteger || isFloatingPoint || isDecimal }

  /// Lists, arrays, structs and maps: types with child columns.
  package var isNested: Bool {
    switch self {
    case .list, .array, .structure, .map: true
    default: false
    }
  }

  /// Whether parts are read by `value.name`: structs, maps and JSON.
  package var hasFields: Bool {
    switch self {
    case .structure, .map, .json: true
    default: false
    }
  }

  /// TIMESTAMP in any unit, with a zone or without: a 64-bit count since 1970.
  package var isTimestamp: Bool {
    switch self {
    case .timestamp, .timestampSeconds, .timestampMilliseconds, .timestampNanoseconds, .timestampTZ:
      true
    default: false
    }
  }

  /// DATE, TIME and TIMESTAMP of every kind; not INTERVAL.
  package var isTemporal: Bool {
    self == .date || self == .time || self == .timeTZ || isTimestamp
  }

  /// What a list's child column holds; for a MAP its entries.
  package var listElement: LogicalType? {
    switch self {
    case .list(let element), .array(let element, _): element
    case .map(let key, let value): .mapEntry(key, value)
    default: nil
    }
  }

  /// The entries of a MAP as its child column holds them.
  package static func mapEntry(_ key: LogicalType, _ value: LogicalType) -> LogicalType {
    .structure([Field("key", key), Field("value", value)])
  }

  /// The element type of a LIST or an array.
  package var elementType: LogicalType? {
    switch self {
    case .list(let element), .array(let element, _): element
    default: nil
    }
  }

  /// How values of the type are laid out in memory.
  package var physical: PhysicalType {
    switch self {
    case .null, .boolean: .bool
    case .tinyint: .int8
    case .smallint: .int16
    case .integer, .date: .int32
    case .bigint, .time, .timestamp, .timestampSeconds, .timestampMilliseconds,
      .timestampNanoseconds, .timestampTZ:
      .int64
    case .hugeint: .int128
    case .utinyint: .uint8
    case .usmallint: .uint16
    case .uinteger: .uint32
    case .ubigint, .timeTZ: .uint64
    case .uhugeint, .uuid: .uint128
    case .enumeration(let labels): labels.physical
    case .float: .float
    case .double: .double
    case .decimal(let precision, _):
      precision <= 4 ? .int16 : precision <= 9 ? .int32 : precision <= 18 ? .int64 : .int128
    case .varchar, .blob, .json: .string
    case .interval: .interval
    case .list, .map: .list
    case .array: .array
    case .structure: .structure
    }
  }
}

/// How a value lies in memory. BOOLEAN is one byte, 0 or 1.
@usableFromInline package enum PhysicalType: Sendable {
  case bool, int8, int16, int32, int64, int128
  case uint8, uint16, uint32, uint64, uint128
  case float, double
  /// `StringView`, 16 bytes.
  case string
  /// `Interval`, 16 bytes.
  case interval
  /// `ListEntry`, 16 bytes, over one child column.
  case list
  /// No bytes of its own: row i is elements `i * n ..< (i + 1) * n` of the child column.
  case array
  /// No bytes of its own: one child column per field.
  case structure

  /// Bytes per value in the column's own memory; 0 where all data lie in children.
  package var width: Int {
    switch self {
    case .bool, .int8, .uint8: 1
    case .int16, .uint16: 2
    case .int32, .uint32, .float: 4
    case .int64, .uint64, .double: 8
    case .int128, .uint128, .string, .interval, .list: 16
    case .array, .structure: 0
    }
  }
}

/// Months, days and microseconds, kept apart because none is a fixed number of another.
@usableFromInline package struct Interval: Hashable, Sendable, BitwiseCopyable {
  @usableFromInline package var months: Int32
  @usableFromInline package var days: Int32
  @usableFromInline package var microseconds: Int64

  @inlinable
  package init(months: Int32 = 0, days: Int32 = 0, microseconds: Int64 = 0) {
    self.months = months
    self.days = days
    self.microseconds = microseconds
  }

  /// The interval with 30-day months and 24-hour days carried over, as comparison sees it.
  @inlinable
  package var normalized: (months: Int64, days: Int64, microseconds: Int64) {
    let dayMicroseconds: Int64 = 86_400_000_000
    var totalDays = Int64(days) &+ microseconds / dayMicroseconds
    var rest = microseconds % dayMicroseconds
    if rest < 0 {
      rest += dayMicroseconds
      totalDays -= 1
    }
    var wholeMonths = Int64(months) &+ totalDays / 30
    var restDays = totalDays % 30
    if restDays < 0 {
      restDays += 30
      wholeMonths -= 1
    }
    return (wholeMonths, restDays, rest)
  }
}

/// One row of a LIST column: a run of the child column.
@usableFromInline package struct ListEntry: Hashable, Sendable, BitwiseCopyable {
  @usableFromInline package var offset: Int
  @usableFromInline package var length: Int

  @inlinable
  package init(offset: Int, length: Int) {
    self.offset = offset
    self.length = length
  }
}
