import Columnar
import Functions

/// Groups of rows whose key columns are all dictionaries, by the product of their indices: an array
/// from combination to group, kept while the bases stay the same. Values are looked at once each.
final class DictionaryGroups {
  private let bases: [Column]
  /// Combinations of indices, or 0 when there are too many for an array.
  private let combinations: Int
  private var groupOf: StateMemory?

  static let maximumCombinations = 1 << 16

  init(_ columns: [Column]) {
    bases = columns.compactMap(\.base)
    var product = 1
    for base in bases {
      product *= max(1, base.count)
      if product > DictionaryGroups.maximumCombinations {
        product = 0
        break
      }
    }
    combinations = product
  }

  /// Whether these columns have the bases seen before.
  func matches(_ columns: [Column]) -> Bool {
    if combinations == 0 || columns.count != bases.count { return false }
    for (column, base) in zip(columns, bases) where column.base !== base { return false }
    return true
  }

  /// `lookUp` finds the groups of combinations not met before.
  func lookUp(
    _ columns: [Column], _ rows: Int, _ groups: UnsafeMutablePointer<UInt32>,
    _ lookUp: ([Column], Int, UnsafeMutablePointer<UInt32>) -> Void
  ) {
    let map = groupOf ?? StateMemory(stride: 4, count: combinations)
    groupOf = map
    let known = map.values(UInt32.self)
    for (position, column) in columns.enumerated() {
      guard let indices = column.indices else { continue }
      if position == 0 {
        for row in 0..<rows { groups[row] = indices[row] }
      } else {
        let size = UInt32(truncatingIfNeeded: bases[position].count)
        for row in 0..<rows { groups[row] = groups[row] &* size &+ indices[row] }
      }
    }
    var misses = 0
    for row in 0..<rows { misses &+= known[Int(groups[row])] == 0 ? 1 : 0 }
    if misses == 0 {
      for row in 0..<rows { groups[row] = known[Int(groups[row])] &- 1 }
      return
    }
    let missed = Selection(capacity: misses)
    var position = 0
    for row in 0..<rows where known[Int(groups[row])] == 0 {
      missed.indices[position] = UInt32(row)
      position += 1
    }
    let found = StateMemory(stride: 4, count: misses)
    defer { withExtendedLifetime((found, missed)) {} }
    let foundGroups = found.values(UInt32.self)
    lookUp(columns.map { Column.dictionary($0, missed) }, misses, foundGroups)
    for miss in 0..<misses {
      known[Int(groups[Int(missed.indices[miss])])] = foundGroups[miss] + 1
    }
    for row in 0..<rows { groups[row] = known[Int(groups[row])] &- 1 }
  }
}
