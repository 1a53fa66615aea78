import Columnar
import Diagnostics
import Planner
import Storage
import Syntax

// COPY FROM DATABASE: the objects of one database into another, each under its own name.
extension Session {
  func run(_ copy: CopyDatabase) throws -> StatementResult {
    let source = try prefix(of: copy.source)
    let target = try prefix(of: copy.target)
    if source == target {
      throw SQLError(.binder, "a database cannot be copied to itself", at: copy.target.span)
    }
    if let file = database.sqliteFiles.first(where: { $0.prefix == target }) {
      throw SQLError(
        .notSupported, "a database cannot be copied to the SQLite file \"\(file.path)\"",
        at: copy.target.span, hint: "CREATE TABLE \(copy.target.name).t AS FROM …")
    }
    var count = 0
    for (key, object) in state.allObjects().sorted(by: { $0.key.name < $1.key.name }) {
      guard let moved = move(key, from: source, to: target) else { continue }
      if copy.part == .data {
        guard case .table(let table) = object.item else { continue }
        count += try addRows(of: table, named: object.name, to: moved, span: copy.target.span)
        continue
      }
      if let taken = state[moved] {
        // Every database has its main schema, and what is set in the target stays set.
        switch object.item {
        case .schema, .setting: continue
        case .table, .view, .model, .sequence, .type, .macro, .index, .foreign: break
        }
        throw SQLError(
          .catalog,
          "\(taken.item.kind) \"\(taken.name)\" exists already in \"\(copy.target.name)\"",
          at: copy.target.span)
      }
      let made = try copied(object, to: moved, from: source, to: target, copy.part)
      if case .table(let table) = made.item { count += table.data.rowCount }
      change { $0[moved] = made }
    }
    return try self.count(count)
  }

  /// What stands before the names of a database's schemas.
  private func prefix(of name: Identifier) throws -> String {
    let names = catalog().names
    let own = names.own(name.name.lowercased())
    if own == NameResolution.database { return "" }
    guard names.hasSchema("\(own).\(CatalogState.mainSchema)") else {
      throw SQLError(
        .catalog, "database \"\(name.name)\" does not exist", at: name.span,
        hint: didYouMean(name.name, among: catalog().databaseNames))
    }
    return own + "."
  }

  /// The key of an object of one database in another; nil for objects of neither.
  private func move(_ key: CatalogState.Key, from source: String, to target: String)
    -> CatalogState.Key?
  {
    let schema = key.space == .schema ? key.name : key.schema
    if schema == CatalogState.temporarySchema { return nil }
    guard source.isEmpty ? !schema.contains(".") : schema.hasPrefix(source) else { return nil }
    let moved = target + schema.dropFirst(source.count)
    return key.space == .schema
      ? CatalogState.Key(.schema, schema: "", moved)
      : CatalogState.Key(key.space, schema: moved, key.name)
  }

  private func copied(
    _ object: CatalogObject, to key: CatalogState.Key, from source: String, to target: String,
    _ part: CopyDatabase.Part?
  ) throws -> CatalogObject {
    func moved(_ schema: String) -> String {
      move(CatalogState.Key(.schema, schema: "", schema), from: source, to: target)?.name ?? schema
    }
    var result = object
    result.owner = object.owner.flatMap { move($0, from: source, to: target) }
    switch object.item {
    case .schema: result.name = key.name
    case .view(var view):
      view.searchPath = view.searchPath.map(moved)
      result.item = .view(view)
    case .sequence(let sequence): result.item = .sequence(sequence.copy())
    case .index(var index):
      index.table.schema = moved(index.table.schema)
      result.item = .index(index)
    case .table(let table):
      var definition = table.definition
      for index in definition.foreignKeys.indices {
        definition.foreignKeys[index].schema = moved(definition.foreignKeys[index].schema)
      }
      var data = TableData(types: table.data.types)
      data.indexes = definition.keys.map { KeyIndex(columns: $0.columns) }
      if part != .schema {
        let sink = loadSink(key, columnIDs: data.columnIDs)
        data.append(try rows(of: table.data, sink))
        for position in data.indexes.indices { try data.rebuildIndex(position) }
      }
      result.item = .table(TableVersion(key: key, definition: definition, data: data))
    case .foreign(let table):
      let definition = TableDefinition(
        name: table.definition.name,
        columns: table.schema.map { TableDefinition.Column(name: $0.name, type: $0.type) })
      var data = TableData(types: table.schema.map(\.type))
      if part != .schema {
        let query = try Parser.parseStatement(
          "FROM \(Printer.quoted(String(source.dropLast()))).\(Printer.quoted(object.name))")
        guard case .query(let rows) = query.statement else {
          throw SQLError(.internal, "the query of a copied table did not parse")
        }
        data.append(
          try load(
            try bind(rows), types: data.types, sink: loadSink(key, columnIDs: data.columnIDs)
          ).groups)
      }
      result.item = .table(TableVersion(key: key, definition: definition, data: data))
    case .model, .type, .macro, .setting: break
    }
    return result
  }

  /// The live rows of a table as row groups of no file, or of the sink's.
  private func rows(of data: TableData, _ sink: LoadSink?) throws -> [RowGroup] {
    var groups: [RowGroup] = []
    try data.forEachLiveBatch { batch in
      if batch.rowCount == 0 { return }
      let columns = batch.columns.map { $0.flattened() }
      if let sink, batch.rowCount >= EngineLimits.rowGroupRows / 4 {
        groups.append(try sink.add(columns))
      } else {
        groups.append(RowGroup(rowCount: batch.rowCount, columns: columns))
      }
    }
    return groups
  }

  /// COPY FROM DATABASE … (DATA): into a table that is there.
  private func addRows(
    of table: TableVersion, named name: String, to key: CatalogState.Key, span: SourceSpan
  ) throws -> Int {
    guard case .table(let known)? = state[key]?.item, known.data.types == table.data.types else {
      throw SQLError(
        .catalog, "there is no table \"\(name)\" of the same columns to copy to", at: span,
        hint: "COPY FROM DATABASE … (SCHEMA) makes it")
    }
    var data = known.data
    var count = 0
    do {
      for group in try rows(of: table.data, loadSink(key, columnIDs: data.columnIDs)) {
        let first = data.append([group])
        count += group.rowCount
        try data.index(
          rows: Array(first..<(first + group.rowCount)), { try group.column($0) },
          touched: { _ in true })
      }
    } catch let duplicate as DuplicateKey {
      throw known.error(duplicate)
    }
    let next = known.with(data)
    change { $0.replace(next) }
    return count
  }
}
