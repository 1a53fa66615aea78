import Columnar

/// Sorts lists of values that compare by themselves: the values of a list are moved to their place
/// in the result and sorted there, without a comparison that asks for their type.
struct SimpleSort: OrderedTypeVisitor {
  let arguments: [Column]
  let count: Int
  /// Of the result.
  let type: LogicalType
  let order: (Int) throws -> ListSortFunctions.Order

  /// Up to this length insertion is quicker than anything that divides.
  private static let insertionLimit = 24
  /// Beyond this length a sort may be cancelled.
  private static let patienceLimit = 1 << 20

  func visit<T: OrderedValue>(_: T.Type) throws -> Column {
    let lists = ColumnReader<ListEntry>(arguments[0])
    let child = arguments[0].children[0]
    let reader = ColumnReader<T>(child)
    var total = 0
    for row in 0..<count where !arguments[0].isNull(row) { total += lists[row].length }
    // Long strings stay where they are, and the child holds them.
    let items = Column(flat: child.type, count: total, heaps: [child])
    let target = items.values(as: T.self)
    var offset = 0
    let result = try Kernels.rows(arguments, count, type, ListEntry.self) { row in
      let entry = lists[row]
      let order = try order(row)
      let start = target + offset
      var valid = 0
      for item in entry.offset..<(entry.offset + entry.length) where !reader.isNull(item) {
        start[valid] = reader[item]
        valid += 1
      }
      var values = UnsafeMutableBufferPointer(start: start, count: valid)
      if order.descending {
        try SimpleSort.sort(&values) { T.precedes($1, $0) }
      } else {
        try SimpleSort.sort(&values) { T.precedes($0, $1) }
      }
      let nulls = entry.length - valid
      if nulls > 0 {
        if order.nullsFirst { (start + nulls).update(from: start, count: valid) }
        for position in 0..<nulls {
          let place = offset + position + (order.nullsFirst ? 0 : valid)
          Kernels.clear(target + place)
          items.setNull(place)
        }
      }
      offset += entry.length
      return ListEntry(offset: offset - entry.length, length: entry.length)
    }
    result.replaceChildren([items])
    return result
  }

  /// Stable: intervals that are equal need not look alike.
  @inline(__always)
  private static func sort<T>(
    _ values: inout UnsafeMutableBufferPointer<T>, by precedes: (T, T) -> Bool
  ) throws {
    if values.count > patienceLimit {
      let cancellation = Cancellation.current
      return try values.sort { a, b in
        try cancellation.check()
        return precedes(a, b)
      }
    }
    guard values.count <= insertionLimit else {
      values.sort(by: precedes)
      return
    }
    guard let start = values.baseAddress else { return }
    var next = 1
    while next < values.count {
      let value = start[next]
      var place = next
      while place > 0, precedes(value, start[place &- 1]) {
        start[place] = start[place &- 1]
        place &-= 1
      }
      start[place] = value
      next &+= 1
    }
  }
}
