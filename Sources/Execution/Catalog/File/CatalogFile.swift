import Diagnostics
import Planner
import Storage

/// The database file behind the objects of one database: brings what the file has into the catalog,
/// and what a transaction has changed into the file.
final class CatalogFile: Sendable {
  let file: DatabaseFile
  let store: ChunkStore
  /// What stands before the names of the file's schemas in the catalog: nothing for the database
  /// that was opened, `name.` for one that was attached.
  let prefix: String

  init(_ file: DatabaseFile, prefix: String = "", memory: MemoryBroker) {
    self.file = file
    self.prefix = prefix
    store = ChunkStore(file, memory: memory)
  }

  /// Whether the database in it has this name.
  func isNamed(_ name: String) -> Bool {
    let wanted = name.lowercased()
    if !prefix.isEmpty { return prefix == wanted + "." }
    return wanted == NameResolution.database
      || wanted == DatabaseCatalog.name(of: file.path).lowercased()
  }

  /// Whether an object is one of the file's.
  func holds(_ key: CatalogState.Key) -> Bool {
    let schema = key.space == .schema ? key.name : key.schema
    if schema == CatalogState.temporarySchema { return false }
    return prefix.isEmpty ? !schema.contains(".") : schema.hasPrefix(prefix)
  }

  /// A schema of the catalog as the file calls it.
  func local(_ schema: String) -> String { String(schema.dropFirst(prefix.count)) }

  /// A schema of the file as the catalog calls it.
  func global(_ schema: String) -> String { prefix + schema }

  /// The catalog's key of an object of the file.
  func key(_ space: CatalogState.Space, _ schema: String, _ name: String) -> CatalogState.Key {
    space == .schema
      ? CatalogState.Key(.schema, schema: "", global(name))
      : CatalogState.Key(space, schema: global(schema), name)
  }

  // MARK: Reading

  /// `state` with what the file has now. What has not changed since `state` stays the same object.
  func load(_ reader: FileReader, into state: CatalogState) throws -> CatalogState {
    let old = state.files[prefix]
    var version = FileVersion(
      commit: try reader.commitNumber(), catalogCommit: try reader.catalogCommit())
    var next = state
    if old?.catalogCommit == version.catalogCommit {
      for (key, object) in state.objects(.relation) where holds(key) {
        guard case .table(let table) = object.item, let id = table.fileID else { continue }
        version.tableCommits[id] = old?.tableCommits[id]
      }
      for record in try reader.tables() where old?.tableCommits[record.id] != record.commit {
        try reload(record, reader, into: &next)
        version.tableCommits[record.id] = record.commit
      }
      for record in try reader.sequenceStates() {
        guard
          case .sequence(let sequence)? =
            next[key(.sequence, record.schema, record.name)]?.item
        else { continue }
        sequence.read(record)
      }
    } else {
      let objects = try CatalogFileReader(file: self, reader: reader, old: state).objects()
      for (key, _) in state.allObjects() where holds(key) && objects[key] == nil { next[key] = nil }
      for (key, object) in objects { next.put(object, at: key) }
      for record in try reader.tables() { version.tableCommits[record.id] = record.commit }
    }
    next.files[prefix] = version
    return next
  }

  /// The rows of a table that only rows have changed of.
  private func reload(_ record: TableRecord, _ reader: FileReader, into state: inout CatalogState)
    throws
  {
    let key = key(.relation, record.schema, record.name)
    guard var object = state[key], case .table(let table) = object.item else {
      throw SQLError(
        .io, "cannot read \"\(file.path)\": the file is damaged (table \"\(record.name)\" is new)")
    }
    let data = try reader.tableData(
      of: record, columns: try reader.columns(of: record.id), types: table.data.types,
      keys: table.definition.keys.map(\.columns), store: store, reusing: table.data)
    object.item = .table(table.stored(data, fileID: record.id))
    state[key] = object
  }

  // MARK: Writing

  /// Writes what has changed from `old`, which is what the file has, to `new`; gives `new` as the
  /// file has it now. The caller commits.
  func write(
    from old: CatalogState, to new: CatalogState, _ transaction: borrowing FileTransaction
  ) throws -> CatalogState {
    var writer = CatalogFileWriter(file: self, old: old, new: new)
    try writer.write(transaction)
    return writer.result
  }

  /// Whether a transaction has changed anything of the file.
  func isChanged(from old: CatalogState, to new: CatalogState) -> Bool {
    !changedKeys(from: old, to: new).isEmpty
  }

  func changedKeys(from old: CatalogState, to new: CatalogState) -> [CatalogState.Key] {
    Set(old.shared.keys).union(new.shared.keys).filter {
      holds($0) && old.shared[$0]?.stamp != new.shared[$0]?.stamp
    }
  }
}

/// Which commit of a file a state of the catalog shows.
struct FileVersion: Sendable {
  var commit: Int64
  /// The last one that changed more than rows.
  var catalogCommit: Int64
  /// By the number of a table in the file: the last one that changed it.
  var tableCommits: [Int64: Int64] = [:]
}
