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

  func open(_ partition: Int) throws -> (any BatchSource)? {
    let part = parts[partition]
    for filter in filters {
      if let zone = part.group.slots[filter.column].zone, !zone.mayPass(filter) { return nil }
    }
    var equalities: [EqualRows] = []
    if columns.count >= EqualRows.leastColumns {
      equalities = try filters.compactMap {
        EqualRows($0, try part.group.column($0.column))
      }
    }
    return PartReader(
      part: part, equalities: equalities,
      columns: try columns.map { $0 == rowNumberPosition ? nil : try part.group.column($0) },
      batchRows: batchRows, sequence: partition)
  }
}

/// Slices of a part's columns without its deleted rows.
private final class PartReader: BatchSource {
  private let part: TableData.Part
  /// What all rows must pass: windows without such a row are left out.
  private let equalities: [EqualRows]
  /// nil: the rows' numbers.
  private let columns: [Column?]
  private let batchRows: Int
  private let sequence: Int
  private var position = 0

  init(
    part: TableData.Part, equalities: [EqualRows], columns: [Column?], batchRows: Int,
    sequence: Int
  ) {
    self.part = part
    self.equalities = equalities
    self.columns = columns
    self.batchRows = batchRows
    self.sequence = sequence
  }

  func next() throws -> Batch? {
    while position < part.group.rowCount {
      let start = position
      let count = min(batchRows, part.group.rowCount - start)
      position += count
      if !equalities.allSatisfy({ $0.mayPass(start, count) }) { continue }
      let live = part.deleted?.live(start, count)
      if let live, live.count == 0 { continue }
      let batch = Batch(
        columns: columns.map { $0?.slice(start, count) ?? numbers(start, count) },
        rowCount: count, sequence: sequence)
      return live.map { batch.selecting($0) } ?? batch
    }
    return nil
  }

  private func numbers(_ start: Int, _ count: Int) -> Column {
    let column = Column(flat: .bigint, count: count)
    let values = column.values(as: Int64.self)
    for row in 0..<count { values[row] = Int64(part.firstRow + start + row) }
    return column
  }
}
