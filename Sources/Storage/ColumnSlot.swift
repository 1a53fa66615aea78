import Columnar
import Synchronization

/// One column of one row group: in memory, or in the database file and read when it is asked for.
/// Two slots that are the same object hold the same values.
package final class ColumnSlot: Sendable {
  package let type: LogicalType
  package let rowCount: Int
  package let zone: ZoneMap?
  /// Where the file has the values; nil when it does not have them yet.
  let chunk: StoredChunk?
  /// Rows of the chunk whose newest values lie in the row delta.
  private let patch: ColumnPatch?
  private let resident: Column?
  /// What the decoded column is known by in the cache.
  let cacheKey: Int64
  /// Of a column in memory, made when it is first asked for.
  private let sketch = Mutex<DistinctSketch?>(nil)

  /// A column in memory.
  package init(_ column: Column) {
    type = column.type
    rowCount = column.count
    zone = ZoneMap(column)
    resident = column
    chunk = nil
    patch = nil
    cacheKey = 0
  }

  /// A column of the file.
  init(type: LogicalType, chunk: StoredChunk) {
    self.type = type
    rowCount = Int(clamping: chunk.record.rowCount)
    zone = ZoneMap(chunk.record, type: type)
    self.chunk = chunk
    patch = nil
    resident = nil
    cacheKey = chunk.record.id
  }

  /// A column of the file with other values in some rows.
  init(type: LogicalType, chunk: StoredChunk, patch: ColumnPatch) {
    self.type = type
    rowCount = Int(clamping: chunk.record.rowCount)
    zone = nil
    self.chunk = chunk
    self.patch = patch
    resident = nil
    cacheKey = ColumnPatch.nextKey()
  }

  /// Whether the file has every value of it in the chunk itself.
  var isWholeChunk: Bool { chunk != nil && patch == nil }

  /// The values. Reads the file where they are in no memory yet; throws what is wrong with it.
  package func load() throws -> Column {
    if let resident { return resident }
    guard let chunk else { return Column.nulls(type, count: rowCount) }
    if let known = chunk.store.cache.column(cacheKey) { return known }
    let base = try chunk.store.read(chunk.record, type: type)
    let column = patch.map { $0.applied(to: base) } ?? base
    chunk.store.cache.insert(column, cacheKey)
    return column
  }

  /// Bytes in memory when the slot holds them, in the file otherwise.
  package var byteCount: Int {
    resident?.byteCount ?? chunk.map { Int(clamping: $0.record.byteCount) } ?? 0
  }

  /// Of a column in memory; nil of one in the file, and for types that have none.
  var residentSketch: DistinctSketch? {
    guard let resident, DistinctSketch.takes(type) else { return nil }
    if let known = sketch.withLock({ $0 }) { return known }
    var made = DistinctSketch()
    made.add(resident)
    sketch.withLock { $0 = made }
    return made
  }

  /// Whether the values are in memory, and need not be read for a guess.
  var isResident: Bool { resident != nil }

  /// Keeps a column that is known to be the slot's at hand.
  func remember(_ column: Column) {
    if resident == nil { chunk?.store.cache.insert(column, cacheKey) }
  }
}

/// A chunk and the file that it is read from.
struct StoredChunk: Sendable {
  var record: ChunkRecord
  let store: ChunkStore
}
