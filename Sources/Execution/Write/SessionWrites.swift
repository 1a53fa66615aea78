import Planner
import Storage

extension Session: WriteTarget {
  func table(_ key: CatalogState.Key) -> TableVersion? {
    guard case .table(let table)? = state[key]?.item else { return nil }
    return table
  }

  func referencing(_ key: CatalogState.Key) -> [TableVersion] { state.referencing(key) }

  func loadSink(_ key: CatalogState.Key, columnIDs: [Int64]) -> LoadSink? {
    database.catalogFiles.first { $0.holds(key) }.map { LoadSink($0.store, columnIDs: columnIDs) }
  }

  func publish(_ table: TableVersion) {
    change { $0.replace(table) }
  }
}

extension CatalogState {
  /// Puts a table's new version in the place of the old.
  mutating func replace(_ table: TableVersion) {
    guard var object = self[table.key] else { return }
    object.name = table.definition.name
    object.item = .table(table)
    self[table.key] = object
  }

  /// Tables with a foreign key to a table, itself included.
  func referencing(_ key: Key) -> [TableVersion] {
    objects(.relation).compactMap { _, object in
      guard case .table(let table) = object.item,
        table.definition.foreignKeys.contains(where: { key.refers(to: $0) })
      else { return nil }
      return table
    }
  }
}

extension Plan {
  /// Whether running it changes tables or models.
  var writes: Bool {
    if case .rows(let node) = self,
      node.provider is TableWriteProvider || node.provider is TrainProvider
    {
      return true
    }
    return children.contains { $0.writes }
  }

  /// Whether what it gives is the number of rows a write has changed.
  var countsWrites: Bool {
    switch self {
    case .rows(let node):
      guard let provider = node.provider as? TableWriteProvider else { return false }
      return !provider.write.returnsRows
    case .with(let node): return node.body.countsWrites
    default: return false
    }
  }
}
