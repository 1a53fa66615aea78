import Columnar
import Functions
import Planner

/// The constants of an IN list. A few are compared with each row, a whole batch by one of them after
/// the other; more are hashed once.
final class InListSet {
  private let isNegated: Bool
  private let hasNull: Bool
  private let values: Column
  /// Row of `values` + 1 by hash slot, 0 for empty; a power of two long. Empty where few values are
  /// compared.
  private var slots: [Int32] = []
  private let mask: Int

  /// So many comparisons of a row cost about as much as its hash.
  private static let mostCompared = 16

  init(_ list: InListExpression) throws {
    isNegated = list.isNegated
    hasNull = list.values.contains(.null)
    var builder = ColumnBuilder(list.operand.type, capacity: list.values.count)
    for value in list.values where !value.isNull { try builder.append(value) }
    values = builder.finish()
    var size = 8
    while size < values.count * 2 { size *= 2 }
    mask = size - 1
    if values.count <= InListSet.mostCompared && !values.type.isNested { return }
    slots = Array(repeating: 0, count: size)
    var hashes = [UInt64](repeating: 0, count: max(values.count, 1))
    Hashing.hash(values, into: &hashes, combining: false)
    for row in 0..<values.count {
      var slot = Int(truncatingIfNeeded: hashes[row]) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(row + 1)
    }
  }

  /// BOOLEAN by row; NULL for NULL, and where only the list's NULL could be alike.
  func test(_ column: Column) throws -> Column {
    let count = column.count
    // Few values behind many rows: each value is looked up once.
    if column.encoding == .dictionary, let base = column.base, base.count <= count {
      let known = try test(base)
      return Column(
        type: .boolean, count: count, encoding: .dictionary, data: known.data,
        validity: known.validity, indices: column.indices, base: known, owners: [known, column])
    }
    let result = Column(flat: .boolean, count: count)
    let found = result.values(as: UInt8.self)
    found.update(repeating: 0, count: count)
    if column.type.isNested {
      let comparator = ColumnComparator(column, values)
      lookUp(column, found) { comparator.compare($0, $1) == 0 }
    } else {
      try withOrderedType(
        column.type.physical, Search(set: self, column: column, found: found))
    }
    if hasNull { for row in 0..<count where found[row] == 0 { result.setNull(row) } }
    if isNegated { for row in 0..<count { found[row] ^= 1 } }
    if !(values.count == 0 && !hasNull) { result.addNulls(of: column) }
    return result
  }

  /// Sets `found` of the rows that are in the hash table.
  @inline(__always)
  private func lookUp(
    _ column: Column, _ found: UnsafeMutablePointer<UInt8>, _ equal: (Int, Int) -> Bool
  ) {
    var hashes = [UInt64](repeating: 0, count: max(column.count, 1))
    Hashing.hash(column, into: &hashes, combining: false)
    for row in 0..<column.count where !column.isNull(row) {
      var slot = Int(truncatingIfNeeded: hashes[row]) & mask
      while slots[slot] != 0 {
        if equal(row, Int(slots[slot]) - 1) {
          found[row] = 1
          break
        }
        slot = (slot + 1) & mask
      }
    }
  }

  private struct Search: OrderedTypeVisitor {
    let set: InListSet
    let column: Column
    let found: UnsafeMutablePointer<UInt8>

    func visit<T: OrderedValue>(_ type: T.Type) throws {
      let rows = ColumnReader<T>(column)
      let values = ColumnReader<T>(set.values)
      if !set.slots.isEmpty {
        set.lookUp(column, found) { T.equals(rows[$0], values[$1]) }
      } else if T.self == StringView.self {
        // NULL rows of strings hold no readable bytes.
        for row in 0..<column.count where !rows.isNull(row) {
          for value in 0..<set.values.count where T.equals(rows[row], values[value]) {
            found[row] = 1
          }
        }
      } else {
        for value in 0..<set.values.count {
          let wanted = values[value]
          for row in 0..<column.count { found[row] |= T.equals(rows[row], wanted) ? 1 : 0 }
        }
      }
    }
  }
}
