import Glibc
import Synchronization

/// Turns the row delta and small row groups of a file into large ones once nobody has committed for a
/// moment: what CHECKPOINT does when it is asked. Who waits is a thread of the pool, which makes
/// another for a query that needs one; it waits only between a commit that left something to do and
/// the merge.
final class IdleMerge: Sendable {
  /// Nanoseconds without a commit.
  private static let pause = 2_000_000_000
  /// Small row groups from which on a merge is worth a commit.
  private static let leastGroups = 4

  private let lastCommit = Atomic<Int>(0)
  private let isWaiting = Atomic<Bool>(false)

  /// To be called when `catalog` has committed to a file, with what it has now.
  func noteCommit(_ state: CatalogState, of file: CatalogFile, in catalog: DatabaseCatalog) {
    lastCommit.store(monotonicNanoseconds(), ordering: .relaxed)
    guard IdleMerge.isWorthIt(state, file), !isWaiting.exchange(true, ordering: .relaxed) else {
      return
    }
    WorkerPool.shared.run { [weak catalog] in
      while catalog != nil {
        let left =
          self.lastCommit.load(ordering: .relaxed) + IdleMerge.pause - monotonicNanoseconds()
        if left <= 0 { break }
        // In short steps, so that a database that is closed is let go soon.
        usleep(UInt32(clamping: min(left, 100_000_000) / 1000 + 1))
      }
      // Whatever stands in its way now, such as another writer, the next commit asks again.
      try? catalog?.compact(file)
      self.isWaiting.store(false, ordering: .relaxed)
    }
  }

  private static func isWorthIt(_ state: CatalogState, _ file: CatalogFile) -> Bool {
    state.shared.contains { key, object in
      guard file.holds(key), case .table(let table) = object.item else { return false }
      return table.data.smallGroupCount >= leastGroups
    }
  }
}
