extension Column {
  /// As `slice`, with lists cut to the elements of these rows: a kernel over all elements of a list
  /// column then costs what its rows have, not what the row group has.
  package func window(_ offset: Int, _ rows: Int) -> Column {
    let part = slice(offset, rows)
    guard part.encoding == .flat, !part.children.isEmpty else { return part }
    switch type.physical {
    case .list: return part.withOwnElements()
    case .structure:
      return Column(
        type: type, count: rows, data: part.data, validity: part.validity,
        children: part.children.map { $0.window(0, rows) }, owners: [part])
    case .array, .bool, .int8, .int16, .int32, .int64, .int128, .uint8, .uint16, .uint32, .uint64,
      .uint128, .float, .double, .string, .interval:
      return part
    }
  }

  private func withOwnElements() -> Column {
    let entries = values(as: ListEntry.self)
    let elements = children[0]
    var low = Int.max
    var high = 0
    for row in 0..<count where !isNull(row) && entries[row].length > 0 {
      low = min(low, entries[row].offset)
      high = max(high, entries[row].offset + entries[row].length)
    }
    let own = max(0, high - low)
    // Where most elements are these rows' there is little to gain.
    if own > elements.count / 2 { return self }
    let first = own == 0 ? 0 : low
    let result = Column(flat: type, count: count, children: [elements.window(first, own)])
    let target = result.values(as: ListEntry.self)
    for row in 0..<count {
      let isEmpty = isNull(row) || entries[row].length == 0
      target[row] =
        isEmpty
        ? ListEntry(offset: 0, length: 0)
        : ListEntry(offset: entries[row].offset - first, length: entries[row].length)
    }
    result.addNulls(of: self)
    return result
  }
}
