/// Rows that a test lets pass, as a selection.
enum RowPicking {
  /// Writes the rows (of `rows`, or 0 ..< count) for which `passes` gives 1, not 0, into `target`, in
  /// order and without a branch on the outcome, and gives how many they are. `target` may be the memory
  /// of `rows`, and has room for `count`.
  @inline(__always)
  static func pick(
    _ count: Int, _ rows: UnsafePointer<UInt32>?, _ target: UnsafeMutablePointer<UInt32>,
    _ passes: (Int) -> Int
  ) -> Int {
    var found = 0
    if let rows {
      for position in 0..<count {
        let row = Int(rows[position])
        target[found] = UInt32(truncatingIfNeeded: row)
        found &+= passes(row)
      }
    } else {
      for row in 0..<count {
        target[found] = UInt32(truncatingIfNeeded: row)
        found &+= passes(row)
      }
    }
    return found
  }
}
