import Columnar
import Diagnostics

/// A scan of row groups, or of slices of row groups that are too large for the threads to share.
struct ParquetScan: PartitionedScan {
  /// Rows `first ..< first + count` of a row group.
  struct Partition {
    let file: ParquetFile
    let group: Int
    let first: Int
    let count: Int
  }

  private let partitions: [Partition]
  private let columns: [Int]
  private let filters: [ScanFilter]
  private let batchRows: Int
  private let schema: [Field]

  init(
    files: [ParquetFile], schema: [Field], columns: [Int], filters: [ScanFilter], batchRows: Int
  ) {
    self.schema = schema
    self.columns = columns
    self.filters = filters
    self.batchRows = batchRows
    var partitions: [Partition] = []
    for file in files {
      let hasLists = columns.contains { column in
        file.schema.nodes[column].leaves.contains { !file.schema.leaves[$0].isFlat }
          || !file.schema.nodes[column].isLeaf
      }
      for (number, group) in file.footer.rowGroups.enumerated() where group.rowCount > 0 {
        let slice = Self.sliceRows(group.rowCount, canSlice: !hasLists, batchRows)
        var first = 0
        while first < group.rowCount {
          let count = min(slice, group.rowCount - first)
          partitions.append(Partition(file: file, group: number, first: first, count: count))
          first += count
        }
      }
    }
    self.partitions = partitions
  }

  /// Slices skip pages of the columns before them, so few large ones are best; the dictionary is
  /// decoded by each.
  private static func sliceRows(_ rows: Int, canSlice: Bool, _ batchRows: Int) -> Int {
    let target = EngineLimits.rowGroupRows * 4
    guard canSlice, rows >= target * 2 else { return rows }
    let slices = min(rows / target, 1024)
    let even = (rows + slices - 1) / slices
    return (even + EngineLimits.batchRows - 1) / EngineLimits.batchRows * EngineLimits.batchRows
  }

  var partitionCount: Int { partitions.count }

  func mayHold(_ range: ClosedRange<Int128>, column: Int, in partition: Int) -> Bool {
    statistics(column, partition)?.mayHold(range) ?? true
  }

  func mayPass(_ filter: ScanFilter, in partition: Int) -> Bool {
    statistics(filter.column, partition).map { !$0.excludes(filter) } ?? true
  }

  func bounds(ofColumn column: Int, in partition: Int) -> PartitionBounds? {
    statistics(column, partition)?.partitionBounds
  }

  /// What the footer says of a column in the row group of a partition; nil of nested ones.
  private func statistics(_ column: Int, _ number: Int) -> ParquetBounds? {
    let partition = partitions[number]
    let file = partition.file
    guard case .leaf(let leaf) = file.schema.nodes[column] else { return nil }
    let group = file.footer.rowGroups[partition.group]
    return ParquetBounds(
      group.columns[leaf], leaf: file.schema.leaves[leaf], footer: file.footer.bytes,
      rowCount: group.rowCount)
  }

  func rowCount(of partition: Int) -> Int? { filters.isEmpty ? partitions[partition].count : nil }

  func open(_ number: Int) throws -> (any BatchSource)? { try open(number, look: nil) }

  func open(_ number: Int, look: FirstLook?) throws -> (any BatchSource)? {
    let partition = partitions[number]
    if !filters.allSatisfy({ mayPass($0, in: number) }) { return nil }
    return try ParquetBatchSource(
      partition, columns: columns, schema: schema, look: look, batchRows: batchRows,
      sequence: number)
  }
}

extension ParquetNode {
  var isLeaf: Bool {
    if case .leaf = self { true } else { false }
  }
}

/// The batches of one partition.
final class ParquetBatchSource: SkippingSource {
  private enum ColumnReader {
    case flat(ParquetChunkReader)
    case nested(ParquetNode, LogicalType, [(leaf: Int, reader: ParquetChunkReader)])
  }

  private let file: ParquetFile
  private var readers: [(name: String, reader: ColumnReader)] = []
  private let look: FirstLook?
  /// Rows that each flat column has still to skip, for the look left them out.
  private var owed: [Int]
  private var rowsLeft: Int
  private let batchRows: Int
  private let sequence: Int

  init(
    _ partition: ParquetScan.Partition, columns: [Int], schema: [Field], look: FirstLook?,
    batchRows: Int, sequence: Int
  ) throws {
    file = partition.file
    self.look = look
    owed = Array(repeating: 0, count: columns.count)
    rowsLeft = partition.count
    self.batchRows = batchRows
    self.sequence = sequence
    let group = file.footer.rowGroups[partition.group]
    for column in columns {
      let node = file.schema.nodes[column]
      let name = schema[column].name
      try locatingDamage(file.path, column: name) {
        let chunks = try node.leaves.map { leaf in
          (
            leaf: leaf,
            reader: try ParquetChunkReader(
              file: file, leaf: file.schema.leaves[leaf], chunk: group.columns[leaf],
              rowCount: group.rowCount)
          )
        }
        if node.isLeaf {
          try chunks[0].reader.skip(partition.first)
          readers.append((name, .flat(chunks[0].reader)))
        } else {
          readers.append((name, .nested(node, schema[column].type, chunks)))
        }
      }
    }
  }

  func next() throws -> Batch? {
    while rowsLeft > 0 {
      let rows = min(batchRows, rowsLeft)
      rowsLeft -= rows
      var columns = [Column?](repeating: nil, count: readers.count)
      if let look {
        for place in look.columns { columns[place] = try read(place, rows) }
        let shown = Batch(
          columns: look.columns.compactMap { columns[$0] }, rowCount: rows, sequence: sequence)
        if try !look.mayPass(shown) {
          for place in columns.indices where columns[place] == nil { try pass(place, rows) }
          continue
        }
      }
      return Batch(
        columns: try columns.enumerated().map { try $1 ?? read($0, rows) }, rowCount: rows,
        sequence: sequence)
    }
    return nil
  }

  func skip(_ count: Int) -> Int {
    let isFlat = readers.allSatisfy { if case .flat = $0.reader { true } else { false } }
    if look != nil || !isFlat { return 0 }
    let skipped = min(count, rowsLeft)
    rowsLeft -= skipped
    for place in owed.indices { owed[place] += skipped }
    return skipped
  }

  private func read(_ place: Int, _ rows: Int) throws -> Column {
    try locatingDamage(file.path, column: readers[place].name) {
      if case .flat(let chunk) = readers[place].reader, owed[place] > 0 {
        try chunk.skip(owed[place])
        owed[place] = 0
      }
      return try Self.read(readers[place].reader, rows, file.schema)
    }
  }

  /// Goes past rows of a column: of a flat one when its next rows are wanted, and then by whole pages.
  private func pass(_ place: Int, _ rows: Int) throws {
    if case .flat = readers[place].reader {
      owed[place] += rows
    } else {
      _ = try read(place, rows)
    }
  }

  private static func read(
    _ reader: ColumnReader, _ rows: Int, _ schema: ParquetSchema
  ) throws -> Column {
    switch reader {
    case .flat(let chunk): return try chunk.read(rows)
    case .nested(let node, let type, let chunks):
      var entries: [Int: ParquetChunkReader.Entries] = [:]
      for (leaf, chunk) in chunks { entries[leaf] = try chunk.readEntries(rows) }
      let column = try ParquetAssembly(entries: entries, leaves: schema.leaves).column(
        node, type: type, repetition: 0, slot: 0)
      guard column.count == rows else { throw ParquetDamage.badLevels }
      return column
    }
  }
}
