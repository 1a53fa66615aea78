import Columnar
import Testing

@testable import Execution

/// Which rows pass a Top-N's boundary, against the order by definition.
@Suite struct TopBoundaryTests {
  private static let keys = [false, true].flatMap { descending in
    [false, true].map { SortKey(column: 0, descending: descending, nullsFirst: $0) }
  }

  /// Every seventh value is NULL.
  private static func values(_ sortCase: SortCase, _ count: Int) -> [Value] {
    (0..<count).map { $0 % 7 == 3 ? .null : sortCase.make($0 &* 37 % 211) }
  }

  private static func column(_ values: [Value], _ type: LogicalType) throws -> Column {
    var builder = ColumnBuilder(type, capacity: values.count)
    for value in values { try builder.append(value) }
    return builder.finish()
  }

  /// Negative when `a` comes first.
  private static func order(_ a: Value, _ b: Value, _ key: SortKey) -> Int {
    if a.isNull || b.isNull {
      return a.isNull && b.isNull ? 0 : a.isNull == key.nullsFirst ? -1 : 1
    }
    return key.descending ? orderOf(b, a) : orderOf(a, b)
  }

  @Test("rows before the boundary, and ties where they are kept", arguments: sortCases)
  func passing(_ sortCase: SortCase) throws {
    let values = Self.values(sortCase, 150)
    let flat = try Self.column(values, sortCase.type)
    let numbers = (0..<150).map { $0 * 61 % 150 }
    let few = Array(numbers.prefix(20))
    let repeated = (0..<150).map { few[$0 * 7 % 20] }
    let small = try Self.column(few.map { values[$0] }, sortCase.type)
    let columns: [(column: Column, values: [Value])] = [
      (flat, values),
      (Column.dictionary(flat, Selection(numbers)), numbers.map { values[$0] }),
      (
        Column.dictionary(small, Selection(repeated.map { few.firstIndex(of: $0) ?? 0 })),
        repeated.map { values[$0] }
      ),
      (Column(repeating: flat, row: 5, count: 40), Array(repeating: values[5], count: 40)),
    ]
    for key in Self.keys {
      for bound in [0, 3, 8, 21, 90] {
        let worst = try Self.column([values[bound]], sortCase.type)
        for keepsTies in [false, true] {
          let test = BoundaryTest(
            worst: worst, descending: key.descending, nullsFirst: key.nullsFirst,
            keepsTies: keepsTies)
          for (column, values) in columns {
            let expected = values.indices.filter {
              let order = Self.order(values[$0], worst.value(0), key)
              return order < 0 || (keepsTies && order == 0)
            }
            let odd = values.indices.filter { $0 % 2 == 1 }
            #expect(Self.picked(test, column, nil) == expected)
            #expect(Self.picked(test, column, odd) == expected.filter { $0 % 2 == 1 })
          }
        }
      }
    }
  }

  private static func picked(_ test: BoundaryTest, _ column: Column, _ rows: [Int]?) -> [Int] {
    let asked = rows.map { Selection($0) }
    let target = Selection(capacity: column.count)
    let count = test.select(
      column, count: rows?.count ?? column.count, from: asked.map { UnsafePointer($0.indices) },
      into: target.indices)
    return withExtendedLifetime((asked, target)) {
      (0..<count).map { Int(target.indices[$0]) }
    }
  }

  @Test("a boundary only moves towards the first row", arguments: sortCases)
  func tightening(_ sortCase: SortCase) throws {
    let values = Self.values(sortCase, 60)
    for key in Self.keys {
      let boundary = TopBoundary(key)
      #expect(boundary.worst == nil)
      var best: Value?
      for value in values {
        let order = best.map { Self.order(value, $0, key) } ?? -1
        let isBest = boundary.tighten(to: try Self.column([value], sortCase.type))
        #expect(isBest == (order <= 0))
        if order < 0 { best = value }
        let worst = try #require(boundary.worst)
        #expect(Self.order(worst.value(0), best ?? .null, key) == 0)
      }
    }
  }
}
