import Columnar

extension TableData {
  /// The position that asks a scan for the rows' numbers.
  package var rowNumberPosition: Int { types.count }

  package func scan(columns: [Int], filters: [ScanFilter], batchRows: Int) -> any PartitionedScan {
    TableDataScan(
      parts: parts, columns: columns, rowNumberPosition: rowNumberPosition,
      filters: filters.filter { $0.column < types.count }, batchRows: batchRows)
  }
}

private struct TableDataScan: PartitionedScan {
  let parts: [TableData.Part]
  let columns: [Int]
  let rowNumberPosition: Int
  let filters: [ScanFilter]
  let batchRows: Int

  var partitionCount: Int { parts.count }

  func mayHold(_ range: ClosedRange<Int128>, column: Int, in partition: Int) -> Bool {
    if column >= rowNumberPosition { return true }
    guard let zone = parts[partition].group.slots[column].zone, let held = zone.integers else {
      return true
    }
    if zone.nullCount == zone.rowCount { return false }
    return Int128(held.lowerBound) <= range.upperBound
      && Int128(held.upperBound) >= range.lowerBound
  }

  func mayPass(_ filter: ScanFilter, in partition: Int) -> Bool {
    if filter.column >= rowNumberPosition { return true }
    return parts[partition].group.slots[filter.column].zone?.mayPass(filter) ?? true
  }

  func bounds(ofColumn column: Int, in partition: Int) -> PartitionBounds? {
    let part = parts[partition]
    if column == rowNumberPosition {
      return PartitionBounds(.number(Double(part.firstRow)), .number(Double(part.endRow)))
    }
    return column < rowNumberPosition ? part.group.slots[column].zone?.bounds : nil
  }

  func rowCount(of partition: Int) -> Int? {
    filters.isEmpty ? parts[partition].liveCount : nil
  }

  func open(_ partition: Int) throws -> (any BatchSource)? { try open(partition, look: nil) }

  func open(_ partition: Int, look: FirstLook?) throws -> (any BatchSource)? {
    let part = parts[partition]
    for filter in filters {
      if let zone = part.group.slots[filter.column].zone, !zone.mayPass(filter) { return nil }
    }
    return PartReader(
      part: part, columns: columns.map { $0 == rowNumberPosition ? nil : $0 }, look: look,
      batchRows: batchRows, sequence: partition)
  }
}

/// Slices of a part's columns without its deleted rows.
private final class PartReader: SkippingSource {
  private let part: TableData.Part
  /// nil: the rows' numbers.
  private let columns: [Int?]
  private let look: FirstLook?
  /// The columns that have been read: those of the look, from the first rows on that pass it all.
  private var decoded: [Column?]
  private let batchRows: Int
  private let sequence: Int
  private var position = 0

  init(
    part: TableData.Part, columns: [Int?], look: FirstLook?, batchRows: Int, sequence: Int
  ) {
    self.part = part
    self.columns = columns
    self.look = look
    decoded = Array(repeating: nil, count: columns.count)
    self.batchRows = batchRows
    self.sequence = sequence
  }

  func next() throws -> Batch? {
    while position < part.group.rowCount {
      let start = position
      let count = min(batchRows, part.group.rowCount - start)
      position += count
      let live = part.deleted?.live(start, count)
      if let live, live.count == 0 { continue }
      if let look, try !look.mayPass(batch(look.columns, start, count, live)) { continue }
      return try batch(columns.indices, start, count, live)
    }
    return nil
  }

  func skip(_ count: Int) -> Int {
    if look != nil || part.deleted != nil { return 0 }
    let skipped = min(count, part.group.rowCount - position)
    position += skipped
    return skipped
  }

  /// The rows of a window, with the columns at some places.
  private func batch(
    _ places: some Sequence<Int>, _ start: Int, _ count: Int, _ live: Selection?
  ) throws -> Batch {
    let batch = Batch(
      columns: try places.map { try column($0, start, count) }, rowCount: count,
      sequence: sequence)
    return live.map { batch.selecting($0) } ?? batch
  }

  private func column(_ place: Int, _ start: Int, _ count: Int) throws -> Column {
    guard let position = columns[place] else { return numbers(start, count) }
    if let known = decoded[place] { return known.window(start, count) }
    let whole = try part.group.column(position)
    decoded[place] = whole
    return whole.window(start, count)
  }

  private func numbers(_ start: Int, _ count: Int) -> Column {
    let column = Column(flat: .bigint, count: count)
    let values = column.values(as: Int64.self)
    for row in 0..<count { values[row] = Int64(part.firstRow + start + row) }
    return column
  }
}
