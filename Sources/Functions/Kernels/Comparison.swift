import Columnar

/// Comparison operators over columns of one type, as BOOLEAN columns and as selections.
package enum Comparison: String, Sendable, CaseIterable {
  case equal = "="
  case notEqual = "<>"
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="

  /// The operator that gives the same with the sides exchanged.
  package var mirrored: Comparison {
    switch self {
    case .equal, .notEqual: self
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    }
  }

  /// Row by row `left op right`; NULL where either is NULL. Both columns have one type.
  package static func column(
    _ comparison: Comparison, _ left: Column, _ right: Column, count: Int
  ) throws -> Column {
    switch comparison {
    case .greater, .greaterOrEqual:
      return try column(comparison.mirrored, right, left, count: count)
    case .equal, .notEqual, .less, .lessOrEqual: break
    }
    if left.type.isNested {
      return Kernels.predicate([left, right], count) { row in
        comparison.holds(NestedComparison.compare(left, row, right, row))
      }
    }
    return try withOrderedType(
      left.type.physical,
      ColumnVisitor(comparison: comparison, left: left, right: right, count: count))
  }

  /// Writes the rows for which `left op right` holds (never a NULL row) into `target` in order,
  /// and returns how many. With `rows`, looks only at those `count` rows; else at 0 ..< count.
  /// `target` has room for `count` and may be the same memory as `rows`.
  package static func select(
    _ comparison: Comparison, _ left: Column, _ right: Column, count: Int,
    into target: UnsafeMutablePointer<UInt32>, from rows: UnsafePointer<UInt32>? = nil
  ) throws -> Int {
    switch comparison {
    case .greater, .greaterOrEqual:
      return try select(
        comparison.mirrored, right, left, count: count, into: target, from: rows)
    case .equal, .notEqual, .less, .lessOrEqual: break
    }
    if left.type.isNested {
      var found = 0
      for position in 0..<count {
        let row = rows.map { Int($0[position]) } ?? position
        if left.isNull(row) || right.isNull(row) { continue }
        if comparison.holds(NestedComparison.compare(left, row, right, row)) {
          target[found] = UInt32(truncatingIfNeeded: row)
          found += 1
        }
      }
      return found
    }
    return try withOrderedType(
      left.type.physical,
      SelectVisitor(
        comparison: comparison, left: left, right: right, count: count, target: target, rows: rows))
  }

  /// The rows among `rows` (or 0 ..< count) where a BOOLEAN column is true.
  package static func selectTrue(
    _ column: Column, count: Int, into target: UnsafeMutablePointer<UInt32>,
    from rows: UnsafePointer<UInt32>? = nil
  ) -> Int {
    let reader = ColumnReader<UInt8>(column)
    var found = 0
    for position in 0..<count {
      let row = rows.map { Int($0[position]) } ?? position
      target[found] = UInt32(truncatingIfNeeded: row)
      found += reader[row] != 0 && !reader.isNull(row) ? 1 : 0
    }
    return found
  }

  /// IS DISTINCT FROM (or IS NOT DISTINCT FROM): NULL is a value like any other, never NULL.
  package static func distinct(
    _ left: Column, _ right: Column, count: Int, negated: Bool
  ) throws -> Column {
    let equal = try column(.equal, left, right, count: count)
    let result = Column(flat: .boolean, count: count)
    let target = result.values(as: UInt8.self)
    let flags = equal.values(as: UInt8.self)
    let flip: UInt8 = negated ? 0 : 1
    let words = equal.validity
    // `equal` is read through its pointers only.
    return withExtendedLifetime(equal) {
      for row in 0..<count {
        if let words, !Validity.isValid(words, row) {
          target[row] = (left.isNull(row) && right.isNull(row) ? 1 : 0) ^ flip
        } else {
          target[row] = flags[row] ^ flip
        }
      }
      return result
    }
  }

  func holds(_ order: Int) -> Bool {
    switch self {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }

  private struct ColumnVisitor: OrderedTypeVisitor {
    let comparison: Comparison
    let left: Column
    let right: Column
    let count: Int

    func visit<T: OrderedValue>(_ type: T.Type) throws -> Column {
      if T.self == StringView.self && (left.mayHaveNulls || right.mayHaveNulls) {
        // NULL rows of strings hold no readable bytes.
        let x = ColumnReader<T>(left)
        let y = ColumnReader<T>(right)
        return Kernels.predicate([left, right], count) { row in
          switch comparison {
          case .equal: T.equals(x[row], y[row])
          case .notEqual: !T.equals(x[row], y[row])
          case .less: T.precedes(x[row], y[row])
          default: !T.precedes(y[row], x[row])
          }
        }
      }
      switch comparison {
      case .equal:
        return Kernels.binary(left, right, count, .boolean, T.self, T.self, UInt8.self) {
          T.equals($0, $1) ? 1 : 0
        }
      case .notEqual:
        return Kernels.binary(left, right, count, .boolean, T.self, T.self, UInt8.self) {
          T.equals($0, $1) ? 0 : 1
        }
      case .less, .greater:
        return Kernels.binary(left, right, count, .boolean, T.self, T.self, UInt8.self) {
          T.precedes($0, $1) ? 1 : 0
        }
      case .lessOrEqual, .greaterOrEqual:
        return Kernels.binary(left, right, count, .boolean, T.self, T.self, UInt8.self) {
          T.precedes($1, $0) ? 0 : 1
        }
      }
    }
  }

  private struct SelectVisitor: OrderedTypeVisitor {
    let comparison: Comparison
    let left: Column
    let right: Column
    let count: Int
    let target: UnsafeMutablePointer<UInt32>
    let rows: UnsafePointer<UInt32>?

    func visit<T: OrderedValue>(_ type: T.Type) throws -> Int {
      switch comparison {
      case .equal: each(T.self) { T.equals($0, $1) }
      case .notEqual: each(T.self) { !T.equals($0, $1) }
      case .less, .greater: each(T.self) { T.precedes($0, $1) }
      case .lessOrEqual, .greaterOrEqual: each(T.self) { !T.precedes($1, $0) }
      }
    }

    @inline(__always)
    func each<T: OrderedValue>(_ type: T.Type, _ holds: (T, T) -> Bool) -> Int {
      let target = target
      var found = 0
      let x = ColumnReader<T>(left)
      let y = ColumnReader<T>(right)
      if left.mayHaveNulls || right.mayHaveNulls {
        for position in 0..<count {
          let row = rows.map { Int($0[position]) } ?? position
          if x.isNull(row) || y.isNull(row) { continue }
          target[found] = UInt32(truncatingIfNeeded: row)
          found += holds(x[row], y[row]) ? 1 : 0
        }
        return found
      }
      // Without a branch on the outcome: always write, advance when it holds.
      if let rows {
        for position in 0..<count {
          let row = Int(rows[position])
          target[found] = UInt32(truncatingIfNeeded: row)
          found += holds(x[row], y[row]) ? 1 : 0
        }
        return found
      }
      Kernels.forEachPair(left, right, count, T.self, T.self) { row, a, b in
        target[found] = UInt32(truncatingIfNeeded: row)
        found += holds(a, b) ? 1 : 0
      }
      return found
    }
  }
}
