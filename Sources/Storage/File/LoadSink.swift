import Columnar
import Synchronization

/// Takes row groups for one table of a file while its rows are still coming, so that a load holds
/// few of them in memory. Any number of threads may add; each encodes what it adds.
package final class LoadSink: Sendable {
  private let store: ChunkStore
  private let columnIDs: [Int64]
  /// Begun by the first row group.
  private let load = Mutex<BulkLoad?>(nil)

  package init(_ store: ChunkStore, columnIDs: [Int64]) {
    self.store = store
    self.columnIDs = columnIDs
  }

  /// Writes a row group; gives it as the file has it, to be published by the transaction that ends
  /// the load.
  package func add(_ columns: [Column]) throws -> RowGroup {
    let load = try load.withLock { known -> BulkLoad in
      if let known { return known }
      let made = try store.file.beginLoading()
      known = made
      return made
    }
    return try load.add(columns, columnIDs: columnIDs, store: store)
  }
}
