import Columnar
import Diagnostics

/// Functions that choose among their arguments; CASE, AND, OR and NOT are expressions, not here.
/// Arguments are all evaluated first; where that matters the binder makes a CASE.
enum ConditionalFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "coalesce", aliases: ["ifnull", "nvl"], category: "conditional",
      summary: "The first argument that is not NULL.",
      examples: [("coalesce(NULL, 2, 3)", "2"), ("ifnull(NULL, 'x')", "x")],
      overloads: [
        ScalarOverload([.common], variadic: .common, resultFrom: { $0[0] }, nulls: .custom) {
          a, n, type in
          choose(a, n, type) { row in a.firstIndex { !$0.isNull(row) } }
        }
      ]),
    ScalarFunction(
      "error", category: "conditional", summary: "Raises an error with that message.",
      examples: [],
      overloads: [
        ScalarOverload([.exactly(.varchar)], returns: .null, isVolatile: true) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          for row in 0..<n where !x.isNull(row) {
            throw SQLError(.invalidInput, x[row].string)
          }
          return Column.nulls(t, count: n)
        }
      ]),
    ScalarFunction(
      "greatest", category: "conditional", summary: "The largest argument; NULLs are left out.",
      examples: [("greatest(1, NULL, 3, 2)", "3")], overloads: extreme(sign: 1)),
    ScalarFunction(
      "if", aliases: ["iff"], category: "conditional",
      summary: "The second argument where the first is true, else the third.",
      examples: [("if(1 < 2, 'yes', 'no')", "yes")],
      overloads: [
        ScalarOverload(
          [.exactly(.boolean), .common, .common], resultFrom: { $0[1] }, nulls: .custom
        ) { a, n, type in
          let condition = ColumnReader<UInt8>(a[0])
          return choose(Array(a.dropFirst()), n, type) { row in
            !condition.isNull(row) && condition[row] != 0 ? 0 : 1
          }
        }
      ]),
    ScalarFunction(
      "least", category: "conditional", summary: "The smallest argument; NULLs are left out.",
      examples: [("least(3, NULL, 1, 2)", "1")], overloads: extreme(sign: -1)),
    ScalarFunction(
      "nullif", category: "conditional", summary: "The first argument, or NULL if both are equal.",
      examples: [("nullif(1, 1)", "NULL"), ("nullif(1, 2)", "1")],
      overloads: [
        ScalarOverload([.common, .common], resultFrom: { $0[0] }, nulls: .custom) { a, n, type in
          choose([a[0]], n, type) { row in
            if a[0].isNull(row) { return nil }
            return !a[1].isNull(row) && NestedComparison.compare(a[0], row, a[1], row) == 0
              ? nil : 0
          }
        }
      ]),
    ScalarFunction(
      "typeof", category: "conditional", summary: "The name of the argument's type.",
      examples: [("typeof(1)", "INTEGER"), ("typeof([1.5])", "DECIMAL(2,1)[]")],
      overloads: [
        ScalarOverload([.any], returns: .varchar, nulls: .custom) { a, n, t in
          try Column.constant(.varchar(a[0].type.description), t, count: n)
        }
      ]),
  ]

  private static func extreme(sign: Int) -> [ScalarOverload] {
    [
      ScalarOverload([.common], variadic: .common, resultFrom: { $0[0] }, nulls: .custom) {
        a, n, type in
        if !type.isNested && type != .null {
          return try withOrderedType(
            type.physical, Extreme(columns: a, count: n, type: type, largest: sign > 0))
        }
        return choose(a, n, type) { row in
          var best: Int?
          for (position, column) in a.enumerated() where !column.isNull(row) {
            if let known = best,
              NestedComparison.compare(column, row, a[known], row) * sign <= 0
            {
              continue
            }
            best = position
          }
          return best
        }
      }
    ]
  }

  /// greatest and least of types that compare by themselves: column by column.
  private struct Extreme: OrderedTypeVisitor {
    let columns: [Column]
    let count: Int
    let type: LogicalType
    let largest: Bool

    func visit<T: OrderedValue>(_ t: T.Type) throws -> Column {
      let result = Column(flat: type, count: count, heaps: columns)
      let target = result.values(as: T.self)
      let words = result.makeValidity()
      for row in 0..<count {
        Kernels.clear(target + row)
        Validity.setNull(words, row)
      }
      for column in columns {
        let reader = ColumnReader<T>(column)
        for row in 0..<count where !reader.isNull(row) {
          let value = reader[row]
          if Validity.isValid(words, row) {
            let known = target[row]
            if largest ? !T.precedes(known, value) : !T.precedes(value, known) { continue }
          }
          target[row] = value
          Validity.setValid(words, row)
        }
      }
      return result
    }
  }

  /// Rows picked from columns of one type: the columns are laid end to end once, and the result
  /// is a dictionary over them.
  static func choose(
    _ columns: [Column], _ count: Int, _ type: LogicalType, _ pick: (Int) -> Int?
  ) -> Column {
    if type == .null { return Column.nulls(type, count: count) }
    var starts: [Int] = []
    var total = 0
    for column in columns {
      starts.append(total)
      total += column.isConstant ? 1 : count
    }
    var builder = ColumnBuilder(type, capacity: total + 1)
    for column in columns {
      builder.append(column.isConstant ? column.slice(0, min(1, count)) : column)
    }
    builder.appendNull()
    let base = builder.finish()
    let rows = Selection(capacity: count)
    for row in 0..<count {
      var value = total
      if let chosen = pick(row) { value = starts[chosen] + (columns[chosen].isConstant ? 0 : row) }
      rows.indices[row] = UInt32(truncatingIfNeeded: value)
    }
    return Column.dictionary(base, rows)
  }
}
