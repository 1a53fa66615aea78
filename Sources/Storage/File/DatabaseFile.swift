import Diagnostics
import Synchronization

/// A database file: any number of readers, each on its snapshot, and one writer at a time, in this
/// process and in others. docs/file-format.md describes what is in it.
package final class DatabaseFile: Sendable {
  package struct Options: Sendable {
    package var isReadOnly = false
    /// How long a writer waits for another one, in milliseconds.
    package var busyTimeout = 5_000
    /// The name of a file system registered with SQLite; tests have one that fails.
    var fileSystem: String?
    var schema = FileSchema.current

    package init(isReadOnly: Bool = false, busyTimeout: Int = 5_000) {
      self.isReadOnly = isReadOnly
      self.busyTimeout = busyTimeout
    }
  }

  package let path: String
  package let isReadOnly: Bool
  let options: Options
  private let timeout: Atomic<Int>
  private let idle = Mutex<[FileSession]>([])
  private let isClosed = Atomic<Bool>(false)
  private let snapshots = Mutex<[WeakSnapshot]>([])

  /// Opens the file and makes it when there is none, brings it to the newest form, and sweeps what a
  /// bulk load that died has left. A file that is not ours is refused and stays as it is.
  package init(path: String, options: Options = Options()) throws {
    self.path = path
    self.options = options
    isReadOnly = options.isReadOnly
    timeout = Atomic(options.busyTimeout)
    if path.isEmpty { throw SQLError(.io, "the name of a database file must not be empty") }
    let session = try DatabaseFile.open(path, options, isFirst: true)
    idle.withLock { $0.append(session) }
    // Only tidying up, which the next to open the file can do as well: on a full disk the file is
    // still there to be read.
    if !isReadOnly { try? sweepOrphans() }
  }

  package var busyTimeout: Int {
    get { timeout.load(ordering: .relaxed) }
    set { timeout.store(newValue, ordering: .relaxed) }
  }

  /// Ends all idle connections. The last connection of all processes to end moves the log into the
  /// file and removes it. Snapshots and transactions that are still open go on.
  package func close() {
    isClosed.store(true, ordering: .releasing)
    idle.withLock { $0.removeAll() }
  }

  // MARK: Snapshots

  /// All that are held, the newest first.
  var openSnapshots: [ReadSnapshot] { snapshots.withLock { $0.reversed().compactMap(\.snapshot) } }

  func note(_ snapshot: ReadSnapshot) {
    snapshots.withLock { known in
      known.removeAll { $0.snapshot == nil }
      known.append(WeakSnapshot(snapshot))
    }
  }

  // MARK: Sessions

  /// A session that nobody else uses.
  func take() throws -> FileSession {
    if isClosed.load(ordering: .acquiring) {
      throw SQLError(.io, "database \"\(path)\" is closed")
    }
    let session =
      try idle.withLock { $0.popLast() } ?? DatabaseFile.open(path, options, isFirst: false)
    session.connection.setBusyTimeout(milliseconds: busyTimeout)
    return session
  }

  /// Gives a session back, without what it has not committed.
  func give(_ session: FileSession) {
    session.rollBack()
    if isClosed.load(ordering: .acquiring) { return }
    idle.withLock { if $0.count < 16 { $0.append(session) } }
  }
}

/// A snapshot that is not kept alive.
private struct WeakSnapshot: Sendable {
  private(set) weak var snapshot: ReadSnapshot?

  init(_ snapshot: ReadSnapshot) { self.snapshot = snapshot }
}
