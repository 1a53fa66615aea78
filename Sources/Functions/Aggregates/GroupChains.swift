/// Which rows of a growing log belong to each group, in the order they came: a linked list per
/// group, so that adding is O(1) and reading a group needs no preparation (threads that merge read
/// another's chains at once).
final class GroupChains {
  /// Row + 1 of a group's first and last row; 0 for none.
  private let ends = StateMemory(stride: 8)
  private let next = StateMemory(stride: 4)
  private(set) var rowCount = 0

  var byteCount: Int { ends.byteCount + next.byteCount }

  func resize(groups count: Int) { ends.resize(count) }

  /// Adds `count` rows at the end of the log, each to its group.
  func append(_ groups: UnsafePointer<UInt32>, count: Int) {
    next.resize(rowCount + count)
    let ends = ends.values(UInt32.self)
    let next = next.values(UInt32.self)
    for row in 0..<count {
      let number = UInt32(rowCount + row + 1)
      let group = Int(groups[row])
      if ends[2 * group] == 0 {
        ends[2 * group] = number
      } else {
        next[Int(ends[2 * group + 1]) - 1] = number
      }
      ends[2 * group + 1] = number
    }
    rowCount += count
  }

  /// Calls `body` with each row of a group.
  @inline(__always)
  func forEachRow(of group: Int, _ body: (Int) -> Void) {
    var number = ends.values(UInt32.self)[2 * group]
    let next = next.values(UInt32.self)
    while number != 0 {
      body(Int(number) - 1)
      number = next[Int(number) - 1]
    }
  }

  /// The rows of `count` groups one after the other and, by position, the groups they go to.
  func rows(
    of groups: UnsafePointer<UInt32>, count: Int, goingTo targets: UnsafePointer<UInt32>
  ) -> (rows: [UInt32], targets: [UInt32]) {
    var found: [UInt32] = []
    var destination: [UInt32] = []
    for position in 0..<count {
      forEachRow(of: Int(groups[position])) { row in
        found.append(UInt32(row))
        destination.append(targets[position])
      }
    }
    return (found, destination)
  }
}
