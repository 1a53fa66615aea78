import Columnar

// The loops that states share. They are inlined with their closures into each state, so that the
// compiled loop holds nothing but the state's own arithmetic.

/// Calls `body` with each row that is not NULL and its value, choosing once between the encodings.
@inline(__always)
func forEachValid<T: BitwiseCopyable>(
  _ column: Column, _ type: T.Type, _ count: Int, _ body: (_ row: Int, _ value: T) -> Void
) {
  let values = column.values(as: T.self)
  if let validity = column.validity {
    if column.encoding == .flat {
      var row = 0
      while row < count {
        let word = validity[row >> 6]
        let end = min(row + 64, count)
        if word == .max {
          while row < end {
            body(row, values[row])
            row += 1
          }
        } else if word == 0 {
          row = end
        } else {
          while row < end {
            if word >> UInt64(row & 63) & 1 != 0 { body(row, values[row]) }
            row += 1
          }
        }
      }
      return
    }
    let reader = ColumnReader<T>(column)
    for row in 0..<count {
      let index = reader.index(row)
      if Validity.isValid(validity, index) { body(row, values[index]) }
    }
    return
  }
  switch column.encoding {
  case .flat:
    for row in 0..<count { body(row, values[row]) }
  case .constant:
    let value = values[0]
    for row in 0..<count { body(row, value) }
  case .dictionary:
    guard let indices = column.indices else { return }
    for row in 0..<count { body(row, values[Int(indices[row])]) }
  }
}

/// As `forEachValid` for rows where both columns have a value.
@inline(__always)
func forEachValidPair<A: BitwiseCopyable, B: BitwiseCopyable>(
  _ first: Column, _: A.Type, _ second: Column, _: B.Type, _ count: Int,
  _ body: (_ row: Int, _ a: A, _ b: B) -> Void
) {
  let a = ColumnReader<A>(first)
  let b = ColumnReader<B>(second)
  if first.validity == nil && second.validity == nil {
    for row in 0..<count { body(row, a[row], b[row]) }
    return
  }
  for row in 0..<count where !a.isNull(row) && !b.isNull(row) { body(row, a[row], b[row]) }
}

/// Calls `body` with each row that is not NULL, for columns whose values do not matter.
@inline(__always)
func forEachValidRow(_ column: Column, _ count: Int, _ body: (_ row: Int) -> Void) {
  guard let validity = column.validity else {
    for row in 0..<count { body(row) }
    return
  }
  for row in 0..<count where Validity.isValid(validity, column.valueIndex(row)) { body(row) }
}

/// Rows of a column that are not NULL.
func countValid(_ column: Column, _ count: Int) -> Int {
  guard let validity = column.validity else { return count }
  switch column.encoding {
  case .flat: return Validity.countValid(validity, count)
  case .constant: return Validity.isValid(validity, 0) ? count : 0
  case .dictionary:
    var total = 0
    forEachValidRow(column, count) { _ in total += 1 }
    return total
  }
}

/// Runs `body` with `count` group ids, all 0: the ungrouped case of states for which a row's own
/// work outweighs the group's.
func withGroupZero(_ count: Int, _ body: (UnsafePointer<UInt32>) throws -> Void) rethrows {
  let zeros = StateMemory(stride: 4, count: max(count, 1))
  try withExtendedLifetime(zeros) { try body(UnsafePointer(zeros.values(UInt32.self))) }
}

/// The other state of a merge as what it must be: the planner makes all states of one call alike.
func sameState<State: AggregateState>(_ other: any AggregateState, as type: State.Type) -> State {
  guard let state = other as? State else {
    preconditionFailure("states are merged only with states of the same overload")
  }
  return state
}

/// A flat column of `count` results; `body` gives each or nil for NULL.
@inline(__always)
func resultColumn<T: BitwiseCopyable>(
  _ type: LogicalType, _ count: Int, zero: T, heaps: [AnyObject] = [], _ body: (Int) -> T?
) -> Column {
  let column = Column(flat: type, count: count, heaps: heaps)
  let target = column.values(as: T.self)
  for row in 0..<count {
    if let value = body(row) {
      target[row] = value
    } else {
      target[row] = zero
      column.setNull(row)
    }
  }
  return column
}
