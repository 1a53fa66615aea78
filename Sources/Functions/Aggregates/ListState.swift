import Columnar

/// list(x) and string_agg(x, separator): every value of a group in the order it came. list keeps
/// NULLs, string_agg leaves them out.
final class ListState: AggregateState {
  private let result: LogicalType
  private let isText: Bool
  private let chains = GroupChains()
  private let values: ValueVector
  private var separator: [UInt8]?
  /// A text with NULL between its parts is NULL.
  private var isSeparatedByNull = false
  private let scratch = StateMemory(stride: 4)

  init(element: LogicalType, result: LogicalType, isText: Bool) {
    self.result = result
    self.isText = isText
    values = ValueVector(element)
  }

  var byteCount: Int { chains.byteCount + values.byteCount }

  func resize(groups count: Int) { chains.resize(groups: count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    let column = arguments[0]
    if isText && separator == nil && arguments.count > 1 && count > 0 {
      if arguments[1].isNull(0) {
        isSeparatedByNull = true
      } else {
        separator = Array(ColumnReader<StringView>(arguments[1]).pointer(0).buffer)
      }
    }
    guard isText && column.mayHaveNulls else {
      chains.append(groups, count: count)
      values.append(column, count: count)
      return
    }
    let selection = Selection(capacity: count)
    scratch.resize(count)
    let picked = scratch.values(UInt32.self)
    var kept = 0
    for row in 0..<count where !column.isNull(row) {
      selection.indices[kept] = UInt32(row)
      picked[kept] = groups[row]
      kept += 1
    }
    var rows = selection
    rows.count = kept
    if kept == 0 { return }
    chains.append(picked, count: kept)
    values.append(Column.dictionary(column, rows), count: kept)
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
    let (rows, targets) = other.chains.rows(of: source, count: count, goingTo: target)
    chains.append(targets, count: targets.count)
    values.append(other.values.column(rows, count: rows.count), count: rows.count)
  }

  func finish(first: Int, count: Int) throws -> Column {
    var rows: [UInt32] = []
    var starts: [Int] = [0]
    for group in 0..<count {
      chains.forEachRow(of: first + group) { rows.append(UInt32($0)) }
      starts.append(rows.count)
    }
    let items = values.column(rows, count: rows.count)
    if isText { return try joined(items, starts, count) }
    let column = Column(flat: result, count: count, children: [items])
    let target = column.values(as: ListEntry.self)
    for group in 0..<count {
      target[group] = ListEntry(offset: starts[group], length: starts[group + 1] - starts[group])
      if starts[group + 1] == starts[group] { column.setNull(group) }
    }
    return column
  }

  private func joined(_ items: Column, _ starts: [Int], _ count: Int) throws -> Column {
    let heap = StringHeap()
    let column = Column(flat: result, count: count, heaps: [heap])
    let target = column.values(as: StringView.self)
    let reader = ColumnReader<StringView>(items)
    let between = separator ?? [0x2C]
    var bytes: [UInt8] = []
    for group in 0..<count {
      bytes.removeAll(keepingCapacity: true)
      let length = (starts[group]..<starts[group + 1]).reduce(0) {
        $0 + Int(reader[$1].length) + between.count
      }
      if length > ResultText.limit { throw textTooLong() }
      if length > 1 << 20 { try MemoryAllowance.check(2 * length) }
      for item in starts[group]..<starts[group + 1] {
        if item > starts[group] { bytes.append(contentsOf: between) }
        bytes.append(contentsOf: reader.pointer(item).buffer)
      }
      target[group] = bytes.withUnsafeBufferPointer { buffer in
        buffer.baseAddress.map { heap.store($0, buffer.count) } ?? StringView()
      }
      if starts[group + 1] == starts[group] || isSeparatedByNull { column.setNull(group) }
    }
    return column
  }
}
