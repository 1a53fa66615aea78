import Diagnostics
import Planner
import Storage
import Syntax

/// Writes the difference of two states of the catalog into a file's open transaction.
struct CatalogFileWriter {
  /// From so many small row groups on, a table's neighbours are joined: as many as make one large one,
  /// so that no commit takes much longer than others.
  private static let smallGroupLimit = 16

  let file: CatalogFile
  let old: CatalogState
  let new: CatalogState
  /// `new`, with tables as the file has them.
  private(set) var result: CatalogState
  private var version: FileVersion
  private var changesCatalog = false

  init(file: CatalogFile, old: CatalogState, new: CatalogState) {
    self.file = file
    self.old = old
    self.new = new
    result = new
    version = old.files[file.prefix] ?? FileVersion(commit: 0, catalogCommit: 0)
  }

  mutating func write(_ transaction: borrowing FileTransaction) throws {
    let commit = try transaction.nextCommit
    let changed = file.changedKeys(from: old, to: new)
    let tables = tables(of: old)
    try removeTables(tables, transaction)
    for key in changed { try remove(key, transaction) }
    for key in changed {
      guard let object = new.shared[key] else { continue }
      if case .table(let table) = object.item {
        try write(table, object, key, tables, commit, transaction)
      } else {
        try write(object, key, transaction)
      }
    }
    if changesCatalog {
      try transaction.noteCatalogChange()
      version.catalogCommit = commit
    }
    version.commit = commit
    result.files[file.prefix] = version
  }

  /// The file's tables in a state, by their numbers.
  private func tables(of state: CatalogState) -> [Int64: (key: CatalogState.Key, TableVersion)] {
    var found: [Int64: (key: CatalogState.Key, TableVersion)] = [:]
    for (key, object) in state.shared where file.holds(key) {
      if case .table(let table) = object.item, let id = table.fileID { found[id] = (key, table) }
    }
    return found
  }

  // MARK: Tables

  /// Tables that are gone; those that are renamed give their names free.
  private mutating func removeTables(
    _ before: [Int64: (key: CatalogState.Key, TableVersion)],
    _ transaction: borrowing FileTransaction
  ) throws {
    let after = tables(of: new)
    for (id, table) in before {
      guard let now = after[id] else {
        try transaction.removeTable(id)
        version.tableCommits[id] = nil
        changesCatalog = true
        continue
      }
      if now.key != table.key { try transaction.freeName(of: id) }
    }
  }

  private mutating func write(
    _ table: TableVersion, _ object: CatalogObject, _ key: CatalogState.Key,
    _ before: [Int64: (key: CatalogState.Key, TableVersion)], _ commit: Int64,
    _ transaction: borrowing FileTransaction
  ) throws {
    let known = table.fileID.flatMap { before[$0] }
    var record = TableRecord(
      schema: file.local(key.schema), name: object.name,
      sql: TableText.complete(table.definition, file), nextRow: Int64(table.data.nextRow),
      rowCount: Int64(table.data.rowCount), nextColumn: table.data.nextColumnID,
      commit: commit, comment: object.comment)
    let columns = CatalogRecords.columns(of: table, object)
    let constraints = CatalogRecords.constraints(of: table.definition)
    if let id = table.fileID, let known {
      record.id = id
      let previous = old.shared[known.key]
      if !table.isSameLayout(as: known.1) || previous?.name != object.name
        || previous?.comment != object.comment
        || previous?.columnComments != object.columnComments || previous?.owner != object.owner
      {
        changesCatalog = true
        try transaction.replaceColumns(of: id, columns, constraints: constraints)
      }
    } else {
      changesCatalog = true
      record.id = try transaction.insertTable(record, columns: columns, constraints: constraints)
    }
    let data =
      table.data.smallGroupCount < CatalogFileWriter.smallGroupLimit
      ? table.data : try table.data.compacted(most: 1, all: false)
    let rows = try transaction.writeRows(
      of: record.id, from: known?.1.data, to: data, store: file.store)
    try transaction.updateTable(record)
    version.tableCommits[record.id] = commit
    var stored = object
    stored.item = .table(table.stored(rows, fileID: record.id))
    result.put(stored, at: key)
  }

  // MARK: Other objects

  /// Takes away what stood at a key and does not any more, or is of another kind now.
  private mutating func remove(
    _ key: CatalogState.Key, _ transaction: borrowing FileTransaction
  ) throws {
    guard let before = old.shared[key] else { return }
    let after = new.shared[key]
    let schema = file.local(key.schema)
    switch before.item {
    case .table, .foreign: break
    case .schema:
      if after == nil { try transaction.removeSchema(file.local(key.name)) }
    case .setting:
      if after == nil { try transaction.setSetting(key.name, nil) }
    case .model(let entry):
      if after == nil { try remove(entry, key, transaction) }
    case .view, .sequence, .type, .macro, .index:
      guard let kind = CatalogRecords.kind(of: before.item, key.space) else { return }
      if let after, CatalogRecords.kind(of: after.item, key.space) == kind { return }
      try transaction.removeObject(kind, schema: schema, name: key.name)
    }
    changesCatalog = changesCatalog || !before.item.isTable
  }

  private mutating func write(
    _ object: CatalogObject, _ key: CatalogState.Key, _ transaction: borrowing FileTransaction
  ) throws {
    changesCatalog = true
    switch object.item {
    case .table, .foreign: break
    case .schema: try transaction.setSchema(file.local(key.name), comment: object.comment)
    case .setting(let value): try transaction.setSetting(object.name, value)
    case .model(let entry): try write(entry, object, key, transaction)
    case .view, .sequence, .type, .macro, .index:
      guard let record = CatalogRecords.record(of: object, key, file) else { return }
      try transaction.setObject(record)
      if case .sequence(let sequence) = object.item {
        let place = SequencePlace(
          file: file.file, schema: record.schema, name: record.name)
        if !sequence.isStored(at: place) {
          try transaction.setSequenceState(sequence.record(at: place))
          sequence.store(at: place)
        }
      }
    }
  }

  // MARK: Models

  private func modelID(
    _ key: CatalogState.Key, _ transaction: borrowing FileTransaction
  ) throws -> Int64? {
    let schema = file.local(key.schema)
    return try transaction.reader.models().first {
      $0.schema == schema && $0.name.lowercased() == key.name
    }?.id
  }

  private func remove(
    _ entry: ModelEntry, _ key: CatalogState.Key, _ transaction: borrowing FileTransaction
  ) throws {
    if let id = try modelID(key, transaction) { try transaction.removeModel(id) }
  }

  /// Versions never change: those that the file has stay, unless the model was made anew.
  private func write(
    _ entry: ModelEntry, _ object: CatalogObject, _ key: CatalogState.Key,
    _ transaction: borrowing FileTransaction
  ) throws {
    var kept: Set<Int> = []
    var record = ModelRecord(
      schema: file.local(key.schema), name: object.name, sql: entry.sql,
      lastVersion: Int64(entry.lastVersion), defaultVersion: entry.defaultVersion.map(Int64.init),
      aliases: CatalogRecords.text(ofAliases: entry.aliases), comment: object.comment)
    if case .model(let before)? = old.shared[key]?.item, before.sql == entry.sql,
      let id = try modelID(key, transaction)
    {
      record.id = id
      try transaction.updateModel(record)
      // A model that was made anew may have other versions of the same numbers.
      let known = Set(before.versions.map(\.version))
      kept = Set(
        entry.versions.filter { version in before.versions.contains { $0 === version } }
          .map(\.version))
      for gone in known.subtracting(kept) { try transaction.removeVersion(Int64(gone), of: id) }
    } else {
      if let id = try modelID(key, transaction) { try transaction.removeModel(id) }
      record.id = try transaction.insertModel(record)
    }
    for version in try entry.records where !kept.contains(version.version) {
      // A training that was interrupted can still go on.
      if version.runs.last?.last?.stopReason != TrainSource.interruption {
        try transaction.removeCheckpoint(of: record.id)
      }
      try transaction.insertVersion(
        Int64(version.version), of: record.id, weights: version.weights,
        description: version.state, statement: CatalogRecords.statement(version),
        runs: version.runs.map { CatalogRecords.epochs($0) })
    }
  }
}

extension CatalogItem {
  fileprivate var isTable: Bool {
    if case .table = self { true } else { false }
  }
}
