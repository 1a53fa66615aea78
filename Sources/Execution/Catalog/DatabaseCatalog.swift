import Columnar
import Diagnostics
import Functions
import Storage
import Synchronization

/// The newest state of one database, shared by its connections, the files behind it, and the
/// functions that the embedding program registered.
package final class DatabaseCatalog: Sendable {
  /// What `current_database()` gives.
  let name: String
  private let state = Mutex(CatalogState())
  /// Held by whoever makes the next state: one at a time.
  private let changing = Mutex(())
  private let files = Mutex<[CatalogFile]>([])
  private let idleMerge = IdleMerge()
  private let foreign = Mutex<[AttachedSQLite]>([])
  /// Of models that are in no file: see `DatabaseCatalog+Checkpoints`.
  let checkpoints = Mutex<[CatalogState.Key: [UInt8]]>([:])
  private let functions = Mutex<[String: ScalarFunction]>([:])
  private let functionCounter = Atomic<Int>(0)

  /// What all its statements together may hold.
  package let memory = MemoryBroker(limit: Settings.defaultMemoryLimit)

  /// A database in memory.
  package init() { name = NameResolution.database }

  /// The database in a file.
  package init(path: String, isReadOnly: Bool) throws {
    name = DatabaseCatalog.name(of: path)
    let main = CatalogFile(
      try DatabaseFile(path: path, options: .init(isReadOnly: isReadOnly)), memory: memory)
    files.withLock { $0.append(main) }
    state.withLock { $0.databaseName = name }
    _ = try snapshot()
  }

  /// A file's name without its folder and ending, as the database in it is called.
  static func name(of path: String) -> String {
    let file = path.split(separator: "/").last ?? ""
    let stem = file.split(separator: ".").first ?? ""
    return stem.isEmpty ? "database" : String(stem)
  }

  // MARK: Files

  /// Adds the database in a file under a name, lower case.
  func attach(_ path: String, as name: String, isReadOnly: Bool) throws {
    let file = CatalogFile(
      try DatabaseFile(path: path, options: .init(isReadOnly: isReadOnly)), prefix: name + ".",
      memory: memory)
    files.withLock { $0.append(file) }
    do { _ = try snapshot() } catch {
      detach(file.prefix)
      throw error
    }
  }

  /// Takes an attached file away, with all that is seen of it.
  func detach(_ prefix: String) {
    changing.withLock { _ in
      let gone = files.withLock { files -> [CatalogFile] in
        let gone = files.filter { $0.prefix == prefix }
        files.removeAll { $0.prefix == prefix }
        return gone
      }
      var next = state.withLock { $0 }
      foreign.withLock { $0.removeAll { $0.prefix == prefix } }
      for (key, _) in next.allObjects()
      where key.schema.hasPrefix(prefix) || key.space == .schema && key.name.hasPrefix(prefix) {
        next[key] = nil
      }
      for file in gone {
        next.files[file.prefix] = nil
        // Statements that still run may hold the file, and read on without it.
        file.store.cache.close()
      }
      next.files[prefix] = nil
      next.version += 1
      publish(next)
    }
  }

  /// How long a writer waits for another one, in milliseconds.
  func setBusyTimeout(_ milliseconds: Int) {
    for file in catalogFiles { file.file.busyTimeout = milliseconds }
  }

  /// The files, that of the database itself first.
  var catalogFiles: [CatalogFile] { files.withLock { $0 } }

  /// What a statement or transaction that begins now sees. It holds the files' snapshots; whoever
  /// keeps it beyond its statement gives them up.
  func snapshot() throws -> CatalogState {
    try loadForeign()
    let files = catalogFiles
    if files.isEmpty { return state.withLock { $0 } }
    while true {
      let snapshots = try files.map { try $0.file.snapshot() }
      var newest = state.withLock { $0 }
      let late = files.indices.filter {
        newest.files[files[$0].prefix]?.commit != snapshots[$0].commit
      }
      if late.isEmpty {
        newest.snapshots = snapshots
        return newest
      }
      try changing.withLock { _ in
        var next = state.withLock { $0 }
        for index in late {
          let known = next.files[files[index].prefix]?.commit
          // This process may have committed since; then the snapshot is the old one.
          if let known, known >= snapshots[index].commit { continue }
          next = try snapshots[index].withReader { try files[index].load($0, into: next) }
          next.version += 1
        }
        publish(next)
      }
    }
  }

  /// Attached SQLite files.
  var sqliteFiles: [AttachedSQLite] { foreign.withLock { $0 } }

  func attach(_ file: AttachedSQLite) throws {
    _ = try file.load(into: state.withLock { $0 })
    foreign.withLock { $0.append(file) }
  }

  /// Brings what other programs have made or dropped in SQLite files into the catalog.
  private func loadForeign() throws {
    let files = sqliteFiles
    if files.isEmpty { return }
    try changing.withLock { _ in
      var next = state.withLock { $0 }
      for file in files { next = try file.load(into: next) }
      publish(next)
    }
  }

  private func publish(_ next: CatalogState) { state.withLock { $0 = next.published } }

  /// Publishes what was changed from `base` to `mine`, all or nothing; in the file first, where one
  /// has it.
  func commit(from base: CatalogState, to mine: CatalogState) throws {
    try changing.withLock { _ in
      let newest = state.withLock { $0 }
      for file in sqliteFiles {
        let keys = Set(base.shared.keys).union(mine.shared.keys)
        for key in keys where key.schema.hasPrefix(file.prefix) {
          if base.shared[key]?.stamp != mine.shared[key]?.stamp {
            throw SQLError(
              .notSupported,
              "only tables can be made and dropped in an SQLite file: \"\(key.name)\" of \"\(file.path)\""
            )
          }
        }
      }
      let changed = catalogFiles.filter { $0.isChanged(from: base, to: mine) }
      guard let file = changed.first else {
        return publish(try DatabaseCatalog.next(newest, from: base, to: mine))
      }
      if changed.count > 1 {
        throw SQLError(
          .transaction, "a transaction can write to one database file only",
          hint: "COMMIT before writing to the next")
      }
      try commit(to: file, newest, from: base, to: mine)
    }
  }

  private static func next(
    _ newest: CatalogState, from base: CatalogState, to mine: CatalogState
  ) throws -> CatalogState {
    var next =
      newest.version == base.version
      ? mine.published : try newest.rebased(from: base, to: mine)
    next.version = newest.version + 1
    return next
  }

  private func commit(
    to file: CatalogFile, _ newest: CatalogState, from base: CatalogState, to mine: CatalogState
  ) throws {
    let transaction = try file.file.beginWriting()
    var newest = newest
    if try transaction.baseCommit != newest.files[file.prefix]?.commit {
      // Another process has written since.
      newest = try file.load(transaction.reader, into: newest)
      newest.version += 1
    }
    let next = try file.write(
      from: newest, to: try DatabaseCatalog.next(newest, from: base, to: mine), transaction)
    _ = try transaction.commit()
    publish(next)
    idleMerge.noteCommit(next, of: file, in: self)
  }

  /// Rows that one transaction of `compact` writes anew, about: others wait for no longer.
  private static let compactedRows = 4 * EngineLimits.rowGroupRows

  /// Writes a file's tables in fewer, larger row groups, in transactions of their own.
  func compact(_ file: CatalogFile) throws {
    // Where somebody else makes new small groups all the time there would be no end.
    var steps = 1000
    while steps > 0, try compactSome(file) { steps -= 1 }
  }

  /// A part of that; false when there was nothing to do.
  private func compactSome(_ file: CatalogFile) throws -> Bool {
    let before = try snapshot()
    var next = before
    var rows = DatabaseCatalog.compactedRows
    var isChanged = false
    for (key, object) in before.objects(.relation) where file.holds(key) && rows > 0 {
      guard case .table(let table) = object.item else { continue }
      let data = try table.data.compacted(most: rows)
      if data.hasSameParts(as: table.data) { continue }
      rows -= data.rowCount(notIn: table.data)
      isChanged = true
      next.replace(table.with(data))
    }
    if isChanged { try commit(from: before, to: next) }
    return isChanged
  }

  // MARK: Functions

  /// Makes a function known to all connections; an error when a built-in one has the name.
  package func register(_ function: ScalarFunction) throws {
    if ScalarFunctions.named(function.name) != nil || Aggregates.named(function.name) != nil {
      throw SQLError(.catalog, "function \"\(function.name)\" is built in and cannot be replaced")
    }
    functions.withLock { $0[function.name.lowercased()] = function }
    functionCounter.wrappingAdd(1, ordering: .releasing)
  }

  func function(named name: String) -> ScalarFunction? {
    functions.withLock { $0[name.lowercased()] }
  }

  /// How often a function was registered.
  var functionChanges: Int { functionCounter.load(ordering: .acquiring) }

  var functionNames: [String] { functions.withLock { $0.keys.sorted() } }
}
