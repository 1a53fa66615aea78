import Columnar
import Diagnostics
import Planner
import Storage
import Synchronization
import Syntax

/// Everything that is in a database, as one value: whoever holds a copy sees the same tables, rows
/// and definitions for as long as they hold it. Copies are cheap; a changed copy is published by
/// `DatabaseCatalog.commit`.
struct CatalogState: Sendable {
  /// Namespaces: names of one space do not clash with those of another.
  enum Space: Hashable, Sendable {
    /// Tables and views.
    case relation
    case index, sequence, type
    /// Scalar and table macros.
    case macro, tableMacro
    case model, schema
    /// What SET GLOBAL keeps; all of them in the main schema.
    case setting
  }

  /// Where an object is found. All lower case; schemas themselves have an empty schema.
  struct Key: Hashable, Sendable {
    var space: Space
    var schema: String
    var name: String

    init(_ space: Space, schema: String = CatalogState.mainSchema, _ name: String) {
      self.space = space
      self.schema = schema.lowercased()
      self.name = name.lowercased()
    }
  }

  static let mainSchema = "main"
  /// Objects of this schema belong to one connection and are never published.
  static let temporarySchema = "temp"

  /// What all connections share.
  private(set) var shared: [Key: CatalogObject] = [:]
  /// What only this connection sees.
  private(set) var temporary: [Key: CatalogObject] = [:]
  /// Grows with every commit.
  var version = 0
  /// What people call the database whose schemas have no prefix.
  var databaseName = NameResolution.database

  /// A database as people call it.
  func shown(database: String) -> String {
    database == NameResolution.database ? databaseName : database
  }

  /// Which commit of each database file this is, by `CatalogFile.prefix`.
  var files: [String: FileVersion] = [:]
  /// Keep the files' chunks where this state says they are; only the statement or transaction that
  /// works on the state has them.
  var snapshots: [ReadSnapshot] = []

  init() {
    self[Key(.schema, schema: "", CatalogState.mainSchema)] = CatalogObject(
      name: CatalogState.mainSchema, item: .schema)
  }

  // MARK: Objects

  /// The object at a key. What is set gets a stamp of its own: a commit compares stamps to know
  /// what a transaction changed.
  subscript(key: Key) -> CatalogObject? {
    get {
      key.schema == CatalogState.temporarySchema ? temporary[key] : shared[key]
    }
    set {
      var stamped = newValue
      stamped?.stamp = CatalogState.nextStamp()
      if key.schema == CatalogState.temporarySchema {
        temporary[key] = stamped
      } else {
        shared[key] = stamped
      }
    }
  }

  /// Sets an object without making it a new version of itself.
  mutating func put(_ object: CatalogObject, at key: Key) {
    var object = object
    if object.stamp == 0 { object.stamp = CatalogState.nextStamp() }
    shared[key] = object
  }

  /// The key and object that a name means: in its schema when it has one, else as a temporary
  /// object, else in `main`.
  func find(_ space: Space, _ name: String, schema: String? = nil) -> (
    key: Key, object: CatalogObject
  )? {
    let schemas =
      schema.map { [$0] } ?? [CatalogState.temporarySchema, CatalogState.mainSchema]
    for schema in schemas {
      let key = Key(space, schema: schema, name)
      if let object = self[key] { return (key, object) }
    }
    return nil
  }

  /// All objects of a space, ordered by schema and name.
  func objects(_ space: Space) -> [(key: Key, object: CatalogObject)] {
    var found: [(key: Key, object: CatalogObject)] = []
    for part in [shared, temporary] {
      for (key, object) in part where key.space == space { found.append((key, object)) }
    }
    return found.sorted { ($0.key.schema, $0.key.name) < ($1.key.schema, $1.key.name) }
  }

  /// Every object of every space, in no order.
  func allObjects() -> [(key: Key, object: CatalogObject)] {
    shared.map { ($0.key, $0.value) } + temporary.map { ($0.key, $0.value) }
  }

  func names(_ space: Space) -> [String] { objects(space).map(\.object.name) }

  private static let stamps = Atomic<Int>(0)
  private static func nextStamp() -> Int {
    stamps.wrappingAdd(1, ordering: .relaxed).newValue
  }

  // MARK: Publishing

  /// This state with the changes that were made from `base` to `mine`. Rows added to a table that
  /// others changed meanwhile are added after theirs; an error when both changed the same row or
  /// the same object in another way.
  func rebased(from base: CatalogState, to mine: CatalogState) throws -> CatalogState {
    var result = self
    for key in Set(base.shared.keys).union(mine.shared.keys) {
      let before = base.shared[key]
      let after = mine.shared[key]
      if before?.stamp == after?.stamp { continue }
      if shared[key]?.stamp == before?.stamp {
        result.shared[key] = after
        if let after { try checkReferences(of: after, base, mine) }
        continue
      }
      guard let before, let after, let newest = shared[key],
        let merged = try newest.applying(from: before, to: after)
      else { throw CatalogState.conflict(after ?? before, key) }
      try checkReferences(of: after, base, mine)
      result[key] = merged
    }
    return result
  }

  /// A table whose foreign keys were checked against tables that have changed meanwhile is a
  /// conflict.
  private func checkReferences(of object: CatalogObject, _ base: CatalogState, _ mine: CatalogState)
    throws
  {
    guard case .table(let table) = object.item else { return }
    var related = table.definition.foreignKeys.map {
      Key(.relation, schema: $0.schema, $0.table)
    }
    if !table.definition.keys.isEmpty { related += mine.referencing(table.key).map(\.key) }
    for key in related where key != table.key && shared[key]?.stamp != base.shared[key]?.stamp {
      throw CatalogState.conflict(object, key)
    }
  }

  private static func conflict(_ object: CatalogObject?, _ key: Key) -> SQLError {
    SQLError(
      .transaction,
      "transaction conflict: \"\(object?.name ?? key.name)\" was changed by another connection meanwhile",
      hint: "run the transaction again")
  }

  /// Without what belongs to one connection.
  var published: CatalogState {
    var result = self
    result.temporary = [:]
    result.snapshots = []
    return result
  }

  /// With the temporary objects of another state.
  func withTemporary(of other: CatalogState) -> CatalogState {
    var result = self
    result.temporary = other.temporary
    return result
  }
}

/// One named thing of the catalog.
struct CatalogObject: Sendable {
  var name: String
  var item: CatalogItem
  var comment: String?
  /// What takes it along when it is dropped.
  var owner: CatalogState.Key?
  /// By lower-case name of the column.
  var columnComments: [String: String] = [:]
  /// Unique to this version of the object.
  fileprivate(set) var stamp = 0

  init(name: String, item: CatalogItem, comment: String? = nil) {
    self.name = name
    self.item = item
    self.comment = comment
  }
}

extension CatalogObject {
  /// This table with the changes made from `before` to `after`; nil when they cannot be told apart
  /// from this one's own.
  fileprivate func applying(from before: CatalogObject, to after: CatalogObject) throws
    -> CatalogObject?
  {
    guard case .table(let newest) = item, case .table(let base) = before.item,
      case .table(let mine) = after.item, newest.isSameLayout(as: base),
      mine.isSameLayout(as: base)
    else { return nil }
    do {
      var result = self
      result.item = .table(
        newest.with(try newest.data.applying(from: base.data, to: mine.data)))
      return result
    } catch let duplicate as DuplicateKey {
      throw newest.error(duplicate)
    } catch is RowConflict {
      return nil
    }
  }
}

/// What a catalog object is.
enum CatalogItem: Sendable {
  case schema
  case table(TableVersion)
  case view(ViewDefinition)
  case model(ModelEntry)
  case sequence(NumberSequence)
  case type(LogicalType)
  case macro(MacroEntry)
  case index(IndexDefinition)
  /// The value of a setting as its text.
  case setting(String)
  /// A table of an attached file that is not ours.
  case foreign(SQLiteStoredTable)

  /// As messages call it.
  var kind: String {
    switch self {
    case .schema: "schema"
    case .table: "table"
    case .view: "view"
    case .model: "model"
    case .sequence: "sequence"
    case .type: "type"
    case .macro: "macro"
    case .index: "index"
    case .setting: "setting"
    case .foreign: "table"
    }
  }
}

struct ViewDefinition: Sendable {
  var query: Query
  /// Names given in place of the query's own.
  var columns: [String]
  /// The query as SQL.
  var text: String
  /// The search path under which the query means what it means.
  var searchPath: [String]
}
