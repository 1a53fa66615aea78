import Columnar

/// Elements of lists, found by hash: what distinct, has_any and intersect look things up in. The
/// hashes of a batch's elements are computed once; a set is emptied and filled for each row.
struct ElementSet {
  private var slots: [Int32] = []
  private var members: [Int] = []
  private var mask = 0
  private let column: Column
  private let hashes: [UInt64]

  /// For elements of `column`; `find` takes elements of any column of that type.
  init(_ column: Column) {
    self.column = column
    hashes = ElementSet.hashes(of: column)
  }

  static func hashes(of column: Column) -> [UInt64] {
    var hashes = [UInt64](repeating: 0, count: max(column.count, 1))
    if column.count > 0 { Hashing.hash(column, into: &hashes, combining: false) }
    return hashes
  }

  var count: Int { members.count }

  /// Empties the set and makes room for so many elements.
  mutating func reset(capacity: Int) {
    var size = 8
    while size < capacity * 2 { size *= 2 }
    if size == slots.count {
      for index in slots.indices { slots[index] = 0 }
    } else {
      slots = [Int32](repeating: 0, count: size)
    }
    members.removeAll(keepingCapacity: true)
    mask = size - 1
  }

  /// Adds the element at a place of the column; false when an equal one is there.
  mutating func insert(_ place: Int) -> Bool {
    var slot = Int(truncatingIfNeeded: hashes[place]) & mask
    while slots[slot] != 0 {
      let known = members[Int(slots[slot]) - 1]
      if NestedComparison.compare(column, known, column, place) == 0 { return false }
      slot = (slot + 1) & mask
    }
    members.append(place)
    slots[slot] = Int32(truncatingIfNeeded: members.count)
    return true
  }

  /// Whether the set has an equal of an element of another column.
  func contains(_ other: Column, _ place: Int, hash: UInt64) -> Bool {
    if members.isEmpty { return false }
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      let known = members[Int(slots[slot]) - 1]
      if NestedComparison.compare(column, known, other, place) == 0 { return true }
      slot = (slot + 1) & mask
    }
    return false
  }
}
