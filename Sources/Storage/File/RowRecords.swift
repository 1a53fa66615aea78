/// A row group of a table.
package struct PartitionRecord: Sendable, Equatable {
  /// Never given to another row group.
  package var id: Int64
  /// The number of its first row in the table.
  package var firstRow: Int64
  package var rowCount: Int64

  package init(id: Int64, firstRow: Int64, rowCount: Int64) {
    self.id = id
    self.firstRow = firstRow
    self.rowCount = rowCount
  }
}

/// What is known of a chunk without its bytes. A chunk never changes, and its number is never given
/// to another one in any process: decoded chunks can be kept by number.
package struct ChunkRecord: Sendable, Equatable {
  /// 0 until the chunk is inserted.
  package var id: Int64
  package var column: Int64
  package var rowCount: Int64
  package var nullCount: Int64
  /// An estimate; nil when unknown.
  package var distinctCount: Int64?
  /// NULL for both bounds where the type has no cheap order or all values are NULL.
  package var minimum: StoredValue
  package var maximum: StoredValue
  package var encoding: String
  package var byteCount: Int64
  /// `ChunkChecksum` of the bytes.
  package var checksum: Int64

  package init(
    id: Int64 = 0, column: Int64, rowCount: Int64, nullCount: Int64 = 0,
    distinctCount: Int64? = nil, minimum: StoredValue = .null, maximum: StoredValue = .null,
    encoding: String, byteCount: Int64 = 0, checksum: Int64 = 0
  ) {
    self.id = id
    self.column = column
    self.rowCount = rowCount
    self.nullCount = nullCount
    self.distinctCount = distinctCount
    self.minimum = minimum
    self.maximum = maximum
    self.encoding = encoding
    self.byteCount = byteCount
    self.checksum = checksum
  }
}

/// A chunk to be written: its bytes, and what is known of them (`byteCount` and `checksum` are set by
/// the writer).
package struct NewChunk: Sendable {
  package var record: ChunkRecord
  package var bytes: [UInt8]
  /// For the planner; nil for types that have none.
  package var statistics: ChunkStatistics?

  package init(_ record: ChunkRecord, bytes: [UInt8], statistics: ChunkStatistics? = nil) {
    self.record = record
    self.bytes = bytes
    self.statistics = statistics
  }
}

/// Which rows of a row group are deleted: bit `row & 7` of byte `row >> 3`.
package struct DeleteRecord: Sendable, Equatable {
  package var deletedCount: Int64
  package var bitmap: [UInt8]

  package init(deletedCount: Int64, bitmap: [UInt8]) {
    self.deletedCount = deletedCount
    self.bitmap = bitmap
  }
}

/// A row of the row delta.
package struct DeltaRow: Sendable, Equatable {
  package var number: Int64
  /// In the order of the columns asked for or given.
  package var cells: [StoredValue]

  package init(number: Int64, cells: [StoredValue]) {
    self.number = number
    self.cells = cells
  }
}
