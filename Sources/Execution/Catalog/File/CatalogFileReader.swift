import Columnar
import Diagnostics
import Planner
import Storage
import Syntax

/// Makes the objects of the catalog of what a file has. Nothing is bound: a view over a table that is
/// gone is as good as it was when the file was written.
struct CatalogFileReader {
  let file: CatalogFile
  let reader: FileReader
  /// Objects that are still the same are taken from here.
  let old: CatalogState
  /// Reads types and constraints, with the names that the file uses.
  private let session = Session(DatabaseCatalog())

  init(file: CatalogFile, reader: FileReader, old: CatalogState) {
    self.file = file
    self.reader = reader
    self.old = old
  }

  /// All objects of the file.
  func objects() throws -> [CatalogState.Key: CatalogObject] {
    var result: [CatalogState.Key: CatalogObject] = [:]
    for (name, comment) in try reader.schemas() {
      session.state[CatalogState.Key(.schema, schema: "", name)] = CatalogObject(
        name: name, item: .schema)
      let key = file.key(.schema, "", name)
      var object = CatalogObject(name: key.name, item: .schema, comment: comment)
      if let known = old.shared[key], known.comment == comment { object = known }
      result[key] = object
    }
    let main = file.key(.schema, "", CatalogState.mainSchema)
    if result[main] == nil {
      result[main] = old.shared[main] ?? CatalogObject(name: main.name, item: .schema)
    }
    var states: [CatalogState.Key: SequenceStateRecord] = [:]
    for state in try reader.sequenceStates() {
      states[CatalogState.Key(.sequence, schema: state.schema, state.name)] = state
    }
    for kind in [ObjectRecord.Kind.type, .sequence, .macro, .tableMacro, .view] {
      for record in try reader.objects(kind) {
        let key = file.key(CatalogRecords.space(of: kind), record.schema, record.name)
        let object = try known(record, key) ?? made(record)
        result[key] = object
        // The file's own names, for what the tables refer to.
        session.state[CatalogState.Key(key.space, schema: record.schema, record.name)] = object
        if case .sequence(let sequence) = object.item {
          let place = SequencePlace(
            file: file.file, schema: record.schema, name: record.name)
          sequence.store(at: place)
          if let state = states[CatalogState.Key(.sequence, schema: record.schema, record.name)] {
            sequence.read(state)
          }
        }
      }
    }
    let indexes = try indexes()
    for (key, object) in try tables(indexes) { result[key] = object }
    for (record, create) in indexes.values.joined() {
      let key = file.key(.index, record.schema, record.name)
      result[key] =
        known(record, key) ?? object(of: record, .index(definition(of: create, named: record.name)))
    }
    for record in try reader.models() {
      let key = file.key(.model, record.schema, record.name)
      result[key] = try model(record, key)
    }
    for (key, object) in settings() { result[key] = object }
    return result
  }

  /// What SET GLOBAL has kept, known to this program or not. A file is not to be refused for what is
  /// wrong with its settings: those that cannot be read do not count.
  private func settings() -> [(CatalogState.Key, CatalogObject)] {
    ((try? reader.settings()) ?? []).map { setting in
      let key = file.key(.setting, CatalogState.mainSchema, setting.name)
      if let known = old.shared[key], case .setting(setting.value) = known.item,
        known.name == setting.name
      {
        return (key, known)
      }
      return (key, CatalogObject(name: setting.name, item: .setting(setting.value)))
    }
  }

  private func known(_ record: ObjectRecord, _ key: CatalogState.Key) -> CatalogObject? {
    guard let object = old.shared[key], CatalogRecords.record(of: object, key, file) == record
    else { return nil }
    return object
  }

  private func damaged(_ name: String, _ reason: String) -> SQLError {
    SQLError(
      .io, "cannot read \"\(file.file.path)\": the definition of \"\(name)\" is damaged (\(reason))"
    )
  }

  private func parse(_ sql: String, _ name: String) throws -> Statement {
    do { return try Parser.parseStatement(sql).statement } catch let error as SQLError {
      throw damaged(name, error.message)
    }
  }

  // MARK: Views, macros, types, sequences, indexes

  private func made(_ record: ObjectRecord) throws -> CatalogObject {
    object(of: record, try item(record))
  }

  private func object(of record: ObjectRecord, _ item: CatalogItem) -> CatalogObject {
    var object = CatalogObject(name: record.name, item: item, comment: record.comment)
    object.owner = record.owner.flatMap { CatalogRecords.owner($0, file) }
    object.columnComments = CatalogRecords.texts(record.columnComments)
    return object
  }

  private func item(_ record: ObjectRecord) throws -> CatalogItem {
    switch (record.kind, try parse(record.sql, record.name)) {
    case (.view, .createView(let create)):
      let path = (record.searchPath ?? CatalogState.mainSchema).split(separator: ",")
        .map { file.global(String($0)) }
      return .view(
        ViewDefinition(
          query: create.query, columns: create.columns.map(\.name),
          text: Printer.sql(create.query), searchPath: path))
    case (.sequence, .createSequence(let create)): return .sequence(try NumberSequence(create))
    case (.type, .createType(let create)): return .type(try session.resolve(create.type))
    case (.macro, .createMacro(let create)), (.tableMacro, .createMacro(let create)):
      return .macro(MacroEntry(name: record.name, definitions: create.definitions))
    default: throw damaged(record.name, "it is no statement of its kind")
    }
  }

  // MARK: Indexes

  private typealias Index = (record: ObjectRecord, create: CreateIndex)

  /// The indexes by their tables, as the file calls them; each is parsed once.
  private func indexes() throws -> [CatalogState.Key: [Index]] {
    var found: [CatalogState.Key: [Index]] = [:]
    for record in try reader.objects(.index) {
      guard case .createIndex(let create) = try parse(record.sql, record.name) else {
        throw damaged(record.name, "it is no statement of its kind")
      }
      found[tableKey(of: create), default: []].append((record, create))
    }
    return found
  }

  private func tableKey(of create: CreateIndex) -> CatalogState.Key {
    let schema =
      create.table.parts.count > 1 ? create.table.parts[0].name : CatalogState.mainSchema
    return CatalogState.Key(.relation, schema: schema, create.table.last.name)
  }

  private func definition(of create: CreateIndex, named name: String) -> IndexDefinition {
    let table = tableKey(of: create)
    return IndexDefinition(
      name: name, table: file.key(.relation, table.schema, table.name),
      isUnique: create.isUnique, expressions: create.expressions,
      text: Printer.sql(.createIndex(create)))
  }

  // MARK: Tables

  private func tables(_ indexes: [CatalogState.Key: [Index]]) throws -> [(
    CatalogState.Key, CatalogObject
  )] {
    let records = try reader.tables()
    var definitions = try records.map { try definition($0) }
    for (index, record) in records.enumerated() {
      let key = CatalogState.Key(.relation, schema: record.schema, record.name)
      try addIndexes(indexes[key] ?? [], to: &definitions[index].definition)
      session.state[key] = CatalogObject(
        name: record.name,
        item: .table(TableVersion(key: key, definition: definitions[index].definition)))
    }
    return try records.indices.map { index in
      let record = records[index]
      // Foreign keys last: they may go round in circles.
      try addForeignKeys(definitions[index].foreign, to: &definitions[index].definition, record)
      return try table(record, definitions[index].definition)
    }
  }

  private func builder(_ record: TableRecord) -> TableBuilder {
    TableBuilder(
      session: session, name: QualifiedName(Identifier(name: record.name)), schema: record.schema)
  }

  private func definition(_ record: TableRecord) throws -> (
    definition: TableDefinition, foreign: [TableConstraint]
  ) {
    guard case .createTable(let create) = try parse(record.sql, record.name),
      case .columns(let columns, let constraints) = create.content
    else { throw damaged(record.name, "it is no CREATE TABLE") }
    let foreign = constraints.filter { if case .foreignKey = $0.kind { true } else { false } }
    let others = constraints.filter { if case .foreignKey = $0.kind { false } else { true } }
    do {
      var definition = try builder(record).definition(columns, others)
      definition.name = record.name
      return (definition, foreign)
    } catch let error as SQLError {
      throw damaged(record.name, error.message)
    }
  }

  private func addForeignKeys(
    _ constraints: [TableConstraint], to definition: inout TableDefinition, _ record: TableRecord
  ) throws {
    do {
      for constraint in constraints { try builder(record).add(constraint, to: &definition) }
    } catch let error as SQLError {
      throw damaged(record.name, error.message)
    }
    for index in definition.foreignKeys.indices {
      definition.foreignKeys[index].schema = file.global(definition.foreignKeys[index].schema)
    }
  }

  private func addIndexes(_ indexes: [Index], to definition: inout TableDefinition) throws {
    for (index, create) in indexes {
      let columns = create.expressions.compactMap { expression -> Int? in
        guard case .column(let name) = expression.kind else { return nil }
        return definition.position(of: name.last.name)
      }
      if columns.count < create.expressions.count {
        if !create.isUnique { continue }
        throw damaged(index.name, "it names no column of \"\(definition.name)\"")
      }
      if !create.isUnique {
        definition.indexes.append((index.name, columns))
        continue
      }
      definition.keys.append(
        TableDefinition.Key(kind: .index(index.name), name: index.name, columns: columns))
    }
  }

  private func table(_ record: TableRecord, _ definition: TableDefinition) throws -> (
    CatalogState.Key, CatalogObject
  ) {
    let key = file.key(.relation, record.schema, record.name)
    let columns = try reader.columns(of: record.id)
    var comments: [String: String] = [:]
    for column in columns { comments[column.name.lowercased()] = column.comment }
    guard columns.count == definition.columns.count else {
      throw damaged(record.name, "it has \(columns.count) columns")
    }
    let known = knownTable(record, definition, key)
    if let (object, table) = known,
      old.files[file.prefix]?.tableCommits[record.id] == record.commit,
      object.comment == record.comment, object.columnComments == comments,
      table.key == key
    {
      return (key, object)
    }
    let data = try reader.tableData(
      of: record, columns: columns, types: definition.columns.map(\.type),
      keys: definition.keys.map(\.columns), store: file.store, reusing: known?.table.data)
    let table =
      known.map { $0.table.stored(data, fileID: record.id) }
      ?? TableVersion(key: key, definition: definition, data: data, fileID: record.id)
    var object = CatalogObject(name: record.name, item: .table(table), comment: record.comment)
    object.columnComments = comments
    return (key, object)
  }

  /// The same table in the old state, when its definition has not changed.
  private func knownTable(
    _ record: TableRecord, _ definition: TableDefinition, _ key: CatalogState.Key
  ) -> (object: CatalogObject, table: TableVersion)? {
    guard let object = old.shared[key], case .table(let table) = object.item,
      table.fileID == record.id, table.definition.keys.count == definition.keys.count,
      table.definition.indexes.map(\.name) == definition.indexes.map(\.name),
      TableText.complete(table.definition, file) == TableText.complete(definition, file)
    else { return nil }
    return (object, table)
  }

  // MARK: Models

  private func model(_ record: ModelRecord, _ key: CatalogState.Key) throws -> CatalogObject {
    let versions = try reader.versions(of: record.id)
    if let known = old.shared[key], case .model(let entry) = known.item, entry.sql == record.sql,
      entry.versions.map({ Int64($0.version) }) == versions.map(\.version),
      entry.lastVersion == record.lastVersion, known.comment == record.comment,
      entry.defaultVersion.map(Int64.init) == record.defaultVersion,
      entry.aliases == CatalogRecords.aliases(record.aliases)
    {
      return known
    }
    do {
      let entry = try ModelEntry(
        sql: record.sql,
        versions: try versions.map { version in
          ModelVersionRecord(
            version: Int(clamping: version.version), weights: version.weights,
            state: version.description,
            runs: try reader.runs(ofVersion: version.id).map {
              $0.map { CatalogRecords.report($0) }
            })
        }, lastVersion: Int(clamping: record.lastVersion),
        defaultVersion: record.defaultVersion.map { Int(clamping: $0) },
        aliases: CatalogRecords.aliases(record.aliases))
      return CatalogObject(name: record.name, item: .model(entry), comment: record.comment)
    } catch let error as SQLError {
      throw damaged(record.name, error.message)
    }
  }
}
