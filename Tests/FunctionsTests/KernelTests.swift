import Columnar
import Diagnostics
import Functions
import Testing

/// Functions over every encoding and NULL pattern give what they give row by row.
struct KernelTests {
  enum Shape: CaseIterable, Sendable { case flat, constant, dictionary, selection, slice }
  enum Nulls: CaseIterable, Sendable { case none, some, all }

  /// A column of `values` (repeated) in the shape asked for, 70 rows.
  static func column(
    _ values: [Value], _ type: LogicalType, _ shape: Shape, _ nulls: Nulls
  ) throws -> Column {
    func value(_ row: Int) -> Value {
      switch nulls {
      case .none: values[row % values.count]
      case .some: row % 3 == 1 ? .null : values[row % values.count]
      case .all: .null
      }
    }
    func flat(_ count: Int) throws -> Column {
      var builder = ColumnBuilder(type)
      for row in 0..<count { try builder.append(value(row)) }
      return builder.finish()
    }
    switch shape {
    case .flat: return try flat(70)
    case .constant: return try Column.constant(value(1), type, count: 70)
    case .dictionary: return Column.dictionary(try flat(7), Selection((0..<70).map { $0 * 5 % 7 }))
    case .selection:
      return Column.dictionary(try flat(200), Selection((0..<70).map { 199 - $0 * 2 }))
    case .slice: return try flat(100).slice(13, 70)
    }
  }

  /// (function, types, values)
  static let cases: [(String, [(LogicalType, [Value])])] = [
    ("+", [(.integer, integers), (.integer, integers)]),
    ("-", [(.bigint, integers), (.bigint, integers)]),
    ("*", [(.smallint, integers), (.smallint, integers)]),
    (
      "+",
      [(.decimal(precision: 9, scale: 2), decimals), (.decimal(precision: 9, scale: 2), decimals)]
    ),
    ("/", [(.double, doubles), (.double, doubles)]),
    ("//", [(.integer, integers), (.integer, integers)]),
    ("%", [(.integer, integers), (.integer, integers)]),
    ("=", [(.varchar, strings), (.varchar, strings)]),
    ("<", [(.double, doubles), (.double, doubles)]),
    (">=", [(.varchar, strings), (.varchar, strings)]),
    ("IS DISTINCT FROM", [(.integer, integers), (.integer, integers)]),
    ("IS NOT DISTINCT FROM", [(.varchar, strings), (.varchar, strings)]),
    ("||", [(.varchar, strings), (.varchar, strings)]),
    ("upper", [(.varchar, strings)]),
    ("substring", [(.varchar, strings), (.bigint, integers)]),
    ("string_split", [(.varchar, strings), (.varchar, [.varchar(",")])]),
    ("like", [(.varchar, strings), (.varchar, [.varchar("%a%"), .varchar("_b%")])]),
    (
      "regexp_replace",
      [(.varchar, strings), (.varchar, [.varchar("a+")]), (.varchar, [.varchar("-")])]
    ),
    ("coalesce", [(.integer, integers), (.integer, integers)]),
    ("greatest", [(.double, doubles), (.double, doubles)]),
    ("list_value", [(.integer, integers), (.integer, integers)]),
    ("abs", [(.integer, integers)]),
    ("round", [(.decimal(precision: 9, scale: 2), decimals)]),
    ("year", [(.date, [.date(0), .date(-1), .date(19_000)])]),
    (
      "date_trunc",
      [
        (.varchar, [.varchar("month")]),
        (.timestamp, [.timestamp(0), .timestamp(1_700_000_000_000_000)]),
      ]
    ),
    ("concat_ws", [(.varchar, strings), (.varchar, strings), (.varchar, strings)]),
    ("list_extract", [(.list(.integer), lists), (.bigint, integers)]),
    ("list_slice", [(.list(.integer), lists), (.bigint, integers), (.bigint, integers)]),
    ("=", [(.list(.integer), lists), (.list(.integer), lists)]),
    ("<", [(.list(.integer), lists), (.list(.integer), lists)]),
    ("hash", [(.integer, integers), (.varchar, strings)]),
    ("split_hash", [(.varchar, strings), (.bigint, integers)]),
  ]

  static let integers: [Value] = [.integer(3), .integer(0), .integer(-7), .integer(12)]
  static let decimals: [Value] = [.decimal(150), .decimal(-275), .decimal(0)]
  static let doubles: [Value] = [.double(1.5), .double(0), .double(-2.25), .double(.nan)]
  static let strings: [Value] = [
    .varchar("abc"), .varchar(""), .varchar("a,b,äöü and more than twelve"), .varchar("xbz"),
  ]
  static let lists: [Value] = [
    .list([.integer(1), .integer(2)]), .list([]), .list([.integer(1), .null, .integer(5)]),
  ]

  @Test(arguments: cases.indices) func everyEncoding(index: Int) throws {
    let (name, parameters) = Self.cases[index]
    let resolved = try ScalarFunctions.resolve(name: name, arguments: parameters.map(\.0))
    for shape in Shape.allCases {
      for other in Shape.allCases {
        for nulls in Nulls.allCases {
          var columns: [Column] = []
          for (position, parameter) in parameters.enumerated() {
            columns.append(
              try Cast.column(
                Self.column(
                  parameter.1, parameter.0, position == 0 ? shape : other,
                  position == 0 ? nulls : .some),
                to: resolved.argumentTypes[position]))
          }
          let whole = try ScalarEvaluation.call(resolved, columns, count: 70)
          #expect(whole.count == 70 && whole.type == resolved.resultType)
          for row in 0..<70 {
            let one = try ScalarEvaluation.call(
              resolved, columns.map { $0.flatValue(row) }, count: 1)
            #expect(
              same(whole.value(row), one.value(0)), "\(name) \(shape) \(other) \(nulls) row \(row)")
          }
        }
      }
    }
  }

  /// Filters agree with comparison columns.
  @Test func selectionsAgree() throws {
    for comparison in Comparison.allCases {
      for shape in Shape.allCases {
        for nulls in Nulls.allCases {
          let left = try Self.column(Self.integers, .integer, shape, nulls)
          let right = try Self.column(Self.integers.reversed(), .integer, .flat, .some)
          let flags = try Comparison.column(comparison, left, right, count: 70)
          let expected = (0..<70).filter { flags.value($0) == .boolean(true) }
          let rows = Selection(capacity: 70)
          let found = try Comparison.select(comparison, left, right, count: 70, into: rows.indices)
          #expect((0..<found).map { Int(rows.indices[$0]) } == expected)
          let some = Selection((0..<35).map { $0 * 2 })
          let fewer = try Comparison.select(
            comparison, left, right, count: 35, into: some.indices, from: some.indices)
          #expect((0..<fewer).map { Int(some.indices[$0]) } == expected.filter { $0 % 2 == 0 })
        }
      }
    }
  }

  /// Garbage in NULL slots never raises an overflow.
  @Test func nullsDoNotOverflow() throws {
    let left = Column(flat: .integer, count: 4)
    for row in 0..<4 { left.values(as: Int32.self)[row] = .max }
    left.setNull(0)
    left.setNull(2)
    left.values(as: Int32.self)[1] = 1
    left.values(as: Int32.self)[3] = 2
    let sum = try ScalarFunctions.resolve(name: "+", arguments: [.integer, .integer])
    let result = try ScalarEvaluation.call(sum, [left, left], count: 4)
    #expect((0..<4).map { result.value($0) } == [.null, .integer(2), .null, .integer(4)])
    left.values(as: Int32.self)[3] = .max
    #expect(throws: SQLError.self) { try ScalarEvaluation.call(sum, [left, left], count: 4) }
  }

  private func same(_ a: Value, _ b: Value) -> Bool {
    if case .double(let x) = a, case .double(let y) = b { return x == y || (x.isNaN && y.isNaN) }
    return a == b
  }
}
