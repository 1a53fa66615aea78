import Columnar
import Glibc

/// list(x) and string_agg(x, separator): every value of a group in the order it came. list keeps
/// NULLs, string_agg leaves them out.
final class ListState: AggregateState {
  private let result: LogicalType
  private let isText: Bool
  private let segments: GroupSegments
  private var separator: [UInt8]?
  /// A text with NULL between its parts is NULL.
  private var isSeparatedByNull = false

  init(element: LogicalType, result: LogicalType, isText: Bool) {
    self.result = result
    self.isText = isText
    segments = GroupSegments(element, keepsNulls: !isText)
  }

  var byteCount: Int { segments.byteCount }

  func resize(groups count: Int) { segments.resize(groups: count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    if isText && separator == nil && arguments.count > 1 && count > 0 {
      if arguments[1].isNull(0) {
        isSeparatedByNull = true
      } else {
        separator = Array(ColumnReader<StringView>(arguments[1]).pointer(0).buffer)
      }
    }
    segments.append(arguments[0], groups: groups, count: count)
  }

  func update(_ arguments: [Column], count: Int) {
    withGroupZero(count) { update(arguments, groups: $0, count: count) }
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let other = sameState(other, as: ListState.self)
    if separator == nil { separator = other.separator }
    isSeparatedByNull = isSeparatedByNull || other.isSeparatedByNull
    segments.merge(other.segments, source: source, target: target, count: count)
  }

  func finish(first: Int, count: Int) throws -> Column {
    if isText { return try joined(first, count) }
    var entries: [ListEntry] = []
    entries.reserveCapacity(count)
    var total = 0
    for group in first..<(first + count) {
      let length = segments.count(of: group)
      entries.append(ListEntry(offset: total, length: length))
      total += length
    }
    let items = Column(flat: segments.type, count: total, heaps: segments.heaps)
    let column = Column(flat: result, count: count, children: [items])
    let target = column.values(as: ListEntry.self)
    for (row, entry) in entries.enumerated() {
      target[row] = entry
      if entry.length == 0 { column.setNull(row) }
      segments.copy(first + row, to: items, from: entry.offset)
    }
    return column
  }

  /// `.outOfRange` error when a text would be longer than a string may be.
  private func joined(_ first: Int, _ count: Int) throws -> Column {
    let heap = StringHeap()
    let column = Column(flat: result, count: count, heaps: [heap])
    let target = column.values(as: StringView.self)
    var buffer = ResultText()
    try (separator ?? [0x2C]).withUnsafeBufferPointer { between in
      for row in 0..<count {
        target[row] = StringView()
        buffer.startRow()
        var isEmpty = true
        try segments.forEachRun(of: first + row) { run in
          let views = UnsafePointer(run.values.assumingMemoryBound(to: StringView.self))
          for item in 0..<run.count {
            if !isEmpty { try buffer.append(between) }
            isEmpty = false
            try buffer.append(views + item)
          }
        }
        if isEmpty || isSeparatedByNull {
          column.setNull(row)
        } else {
          target[row] = heap.store(UnsafePointer(buffer.start), buffer.count)
        }
      }
    }
    return column
  }
}
