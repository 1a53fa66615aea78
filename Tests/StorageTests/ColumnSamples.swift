import Columnar

/// Seeded random numbers.
struct Draws {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= SplitMix64.increment
    return SplitMix64.mixed(state)
  }
}

/// Columns of every type in shapes that encodings care about, from a seed.
enum ColumnSamples {
  static let types: [LogicalType] = [
    .boolean, .tinyint, .smallint, .integer, .bigint, .hugeint, .utinyint, .usmallint, .uinteger,
    .ubigint, .uhugeint, .float, .double, .decimal(precision: 4, scale: 2),
    .decimal(precision: 9, scale: 2), .decimal(precision: 18, scale: 2),
    .decimal(precision: 38, scale: 2), .varchar, .blob, .date, .timestamp, .uuid, .interval,
    .enumeration(EnumLabels(["a", "b", "c"])), .list(.integer), .list(.varchar),
    .array(.float, count: 3), .structure([Field("a", .integer), Field("b", .varchar)]),
    .map(key: .varchar, value: .double), .list(.list(.smallint)),
    .structure([Field("a", .array(.list(.bigint), count: 2)), Field("b", .boolean)]),
  ]

  enum Shape: CaseIterable {
    case constant, sorted, few, runs, random, extremes
  }

  enum Nulls: CaseIterable {
    case none, some, most, runs, all
  }

  static func column(
    _ type: LogicalType, _ shape: Shape, _ nulls: Nulls, count: Int, seed: UInt64 = 7
  ) throws -> Column {
    var random = Draws(state: seed)
    var builder = ColumnBuilder(type, capacity: max(count, 1))
    for row in 0..<count {
      let isNull =
        switch nulls {
        case .none: false
        case .some: random.next() % 10 == 0
        case .most: random.next() % 10 != 0
        case .runs: row / 100 % 3 == 1
        case .all: true
        }
      let number: UInt64 =
        switch shape {
        case .constant: 42
        case .sorted: UInt64(row) * 3
        case .few: random.next() % 7
        case .runs: UInt64(row / 50)
        case .random, .extremes: random.next()
        }
      try builder.append(isNull ? .null : value(type, number, shape))
    }
    return builder.finish()
  }

  static func value(_ type: LogicalType, _ n: UInt64, _ shape: Shape) -> Value {
    let extreme = shape == .extremes
    switch type {
    case .boolean: return .boolean(n & 1 == 1)
    case .tinyint: return .integer(Int128(integer(n, extreme, Int8.self)))
    case .smallint: return .integer(Int128(integer(n, extreme, Int16.self)))
    case .integer: return .integer(Int128(integer(n, extreme, Int32.self)))
    case .bigint: return .integer(Int128(integer(n, extreme, Int64.self)))
    case .hugeint: return .integer(extreme ? integer(n, true, Int128.self) : Int128(n) &* Int128(n))
    case .utinyint: return .integer(Int128(integer(n, extreme, UInt8.self)))
    case .usmallint: return .integer(Int128(integer(n, extreme, UInt16.self)))
    case .uinteger: return .integer(Int128(integer(n, extreme, UInt32.self)))
    case .ubigint: return .integer(Int128(integer(n, extreme, UInt64.self)))
    case .uhugeint: return .unsigned(integer(n, extreme, UInt128.self))
    case .float: return .float(Float(double(n, extreme)))
    case .double: return .double(double(n, extreme))
    case .decimal(let precision, _):
      return .decimal(Int128(n % (precision <= 4 ? 9999 : 999_999_999)) * (n & 1 == 0 ? 1 : -1))
    case .varchar: return .varchar(text(n))
    case .blob: return .blob(Array(text(n).utf8) + [0, 255])
    case .date: return .date(integer(n, extreme, Int32.self))
    case .timestamp: return .timestamp(integer(n, extreme, Int64.self))
    case .uuid: return .uuid(UInt128(n) << 64 | UInt128(n ^ 0x5555))
    case .interval:
      return .interval(
        Interval(
          months: integer(n, extreme, Int32.self), days: Int32(n % 31),
          microseconds: integer(n, extreme, Int64.self)))
    case .enumeration(let labels): return .varchar(labels.labels[Int(n % 3)])
    case .list(let element):
      return .list((0..<(n % 4)).map { value(element, n &* ($0 + 1), shape) })
    case .array(let element, let count):
      return .list((0..<UInt64(count)).map { value(element, n &+ $0, shape) })
    case .structure(let fields): return .structure(fields.map { value($0.type, n, shape) })
    case .map(let key, let element):
      return .list([.structure([value(key, n, shape), value(element, n, shape)])])
    case .null, .time, .timeTZ, .timestampSeconds, .timestampMilliseconds, .timestampNanoseconds,
      .timestampTZ, .json:
      return .null
    }
  }

  private static func integer<T: FixedWidthInteger>(_ n: UInt64, _ extreme: Bool, _ type: T.Type)
    -> T
  {
    extreme ? [T.min, T.max, 0, 1, T.max - 1, T.min + 1][Int(n % 6)] : T(truncatingIfNeeded: n)
  }

  private static func double(_ n: UInt64, _ extreme: Bool) -> Double {
    if extreme {
      let odd: [Double] = [
        .nan, -0.0, 0, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1,
        -Double(bitPattern: 0x7FF8_0000_0000_1234), 0x1p51, -0x1p53,
      ]
      return odd[Int(n % UInt64(odd.count))]
    }
    return n > 1 << 60 ? Double(bitPattern: n) : Double(n % 100_000) / 100
  }

  private static func text(_ n: UInt64) -> String {
    String(repeating: "wörd \(n % 1000) ", count: Int(n % 5)) + String(n % 100)
  }
}
