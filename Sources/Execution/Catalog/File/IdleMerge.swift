import Glibc
import Synchronization

/// Turns the row delta and small row groups of a file into large ones once nobody has committed for a
/// moment: what CHECKPOINT does when it is asked. A thread of its own waits, so that no query has
/// fewer workers; it is there only between a commit that left something to do and the merge.
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
    let work = Unmanaged.passRetained(Work(merge: self, catalog: catalog, file: file))
    var thread = pthread_t()
    let result = pthread_create(&thread, nil, { IdleMerge.run($0) }, work.toOpaque())
    if result == 0 {
      pthread_detach(thread)
    } else {
      work.release()
      isWaiting.store(false, ordering: .relaxed)
    }
  }

  private static func isWorthIt(_ state: CatalogState, _ file: CatalogFile) -> Bool {
    state.shared.contains { key, object in
      guard file.holds(key), case .table(let table) = object.item else { return false }
      return table.data.smallGroupCount >= leastGroups
    }
  }

  /// What the thread needs. The catalog may go before it.
  private final class Work: Sendable {
    let merge: IdleMerge
    let file: CatalogFile
    private let place: Mutex<WeakCatalog>

    init(merge: IdleMerge, catalog: DatabaseCatalog, file: CatalogFile) {
      self.merge = merge
      self.file = file
      place = Mutex(WeakCatalog(catalog))
    }

    var catalog: DatabaseCatalog? { place.withLock { $0.catalog } }
  }

  private struct WeakCatalog {
    private(set) weak var catalog: DatabaseCatalog?

    init(_ catalog: DatabaseCatalog) { self.catalog = catalog }
  }

  private static func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    // SAFETY: `noteCommit` has retained what it passes, for this thread alone.
    let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
    while true {
      if work.catalog == nil { return nil }
      let left =
        work.merge.lastCommit.load(ordering: .relaxed) + pause - monotonicNanoseconds()
      if left <= 0 { break }
      // In short steps, so that a database that is closed is let go soon.
      usleep(UInt32(clamping: min(left, 100_000_000) / 1000 + 1))
    }
    // Whatever stands in its way now, such as another writer, the next commit asks again.
    try? work.catalog?.compact(work.file)
    work.merge.isWaiting.store(false, ordering: .relaxed)
    return nil
  }
}
