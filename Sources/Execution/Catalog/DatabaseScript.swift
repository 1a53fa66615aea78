import Columnar
import Planner
import Syntax

/// A database as the statements that make it again, each behind those it needs.
struct DatabaseScript {
  /// One object of the catalog.
  private struct Item {
    /// Where nothing else decides, schemas come before types, and so on.
    var rank: Int
    var name: String
    var key: CatalogState.Key
    var table: TableVersion?
    var statements: [String]
    /// Lower case: what it may need is among the names in here.
    var needs: String
  }

  /// Without line ends.
  private(set) var statements: [String] = []
  /// Those with rows of their own, each behind the ones that its foreign keys name.
  private(set) var tables: [(key: CatalogState.Key, table: TableVersion)] = []

  /// All of a database but what is temporary, and models.
  init(_ state: CatalogState, database: String) {
    var waiting: [Item] = []
    for (key, object) in state.allObjects() where key.schema != CatalogState.temporarySchema {
      let place = key.space == .schema ? key.name : key.schema
      guard NameResolution.parts(of: place).database == database,
        let item = Self.item(key, object)
      else { continue }
      waiting.append(item)
    }
    waiting.sort { ($0.rank, $0.key.schema, $0.name) < ($1.rank, $1.key.schema, $1.name) }
    // A name may only look like one that is needed, so circles can appear: the first of its rank
    // is taken then.
    while !waiting.isEmpty {
      let next =
        waiting.indices.first { index in
          !waiting.indices.contains { $0 != index && Self.needs(waiting[index], waiting[$0]) }
        } ?? 0
      let item = waiting.remove(at: next)
      statements += item.statements
      if let table = item.table { tables.append((item.key, table)) }
    }
  }

  private static func needs(_ item: Item, _ other: Item) -> Bool {
    item.needs.containsWord(other.name.lowercased())
  }

  // MARK: Objects as statements

  private static func item(_ key: CatalogState.Key, _ object: CatalogObject) -> Item? {
    // Within the folder there is one database only.
    let schema = NameResolution.parts(of: key.schema).schema
    let name = TableText.qualified(object.name, in: schema)
    var item = Item(rank: 0, name: object.name, key: key, statements: [], needs: "")
    switch object.item {
    case .schema:
      let own = NameResolution.parts(of: object.name).schema
      if own == CatalogState.mainSchema { return nil }
      item.name = own
      item.statements = ["CREATE SCHEMA \(Printer.quoted(own));"]
      return item
    case .type(let type):
      item.rank = 1
      item.statements = ["CREATE TYPE \(name) AS \(type);"]
    case .sequence(let sequence):
      item.rank = 2
      item.statements = [sequence.sql(named: name)]
      if sequence.current.isExhausted, let last = sequence.current.last {
        item.statements.append("SELECT setval(\(Printer.literal(name)), \(last));")
      }
    case .macro(let macro):
      item.rank = 3
      let text = Printer.sql(macro.definitions)
      item.statements = ["CREATE MACRO \(name)\(text);"]
      item.needs = text.lowercased()
    case .table(let table):
      item.rank = 4
      item.table = table
      item.statements = [create(table, schema, object)]
      item.needs = needs(of: table.definition)
    case .view(let view):
      item.rank = 5
      item.statements = create(view, schema, object)
      item.needs = view.text.lowercased()
    case .index(let index):
      item.rank = 6
      item.statements = [create(index, schema)]
      item.needs = index.table.name
    case .setting(let value):
      item.rank = 7
      item.statements = [
        "SET GLOBAL \(Printer.quoted(object.name)) = \(Printer.literal(value));"
      ]
      return item
    case .model, .foreign: return nil
    }
    item.statements += comments(on: object, key.space, name)
    if let owner = object.owner {
      item.statements.append(
        "ALTER SEQUENCE \(name) OWNED BY "
          + TableText.qualified(owner.name, in: NameResolution.parts(of: owner.schema).schema)
          + ";")
      item.needs += " " + owner.name
    }
    item.needs += " " + schema
    return item
  }

  private static func create(_ table: TableVersion, _ schema: String, _ object: CatalogObject)
    -> String
  {
    var definition = table.definition
    for index in definition.foreignKeys.indices {
      let place = definition.foreignKeys[index].schema
      definition.foreignKeys[index].schema = NameResolution.parts(of: place).schema
    }
    return TableText.create(
      definition, CatalogState.Key(.relation, schema: schema, object.name), object)
  }

  /// A view is bound by the path that was set when it was made.
  private static func create(_ view: ViewDefinition, _ schema: String, _ object: CatalogObject)
    -> [String]
  {
    let statement = TableText.create(
      view, CatalogState.Key(.relation, schema: schema, object.name), object)
    let path = view.searchPath.map { NameResolution.parts(of: $0).schema }
    if path == [CatalogState.mainSchema] { return [statement] }
    return [
      "SET search_path = \(Printer.literal(path.joined(separator: ",")));", statement,
      "RESET search_path;",
    ]
  }

  private static func create(_ index: IndexDefinition, _ schema: String) -> String {
    let table = TableText.qualified(index.table.name, in: schema)
    let expressions = index.expressions.map { Printer.sql($0) }.joined(separator: ", ")
    return "CREATE \(index.isUnique ? "UNIQUE " : "")INDEX \(Printer.quoted(index.name)) "
      + "ON \(table) (\(expressions));"
  }

  private static func needs(of definition: TableDefinition) -> String {
    let expressions =
      definition.columns.flatMap { [$0.defaultValue, $0.generated] }.compactMap { $0 }
      + definition.checks.map(\.condition)
    let texts =
      expressions.map { Printer.sql($0) } + definition.foreignKeys.map(\.table)
    return texts.joined(separator: " ").lowercased()
  }

  private static func comments(
    on object: CatalogObject, _ space: CatalogState.Space, _ name: String
  ) -> [String] {
    let kind = space == .tableMacro ? "MACRO TABLE" : object.item.kind.uppercased()
    var found: [String] = []
    if let comment = object.comment {
      found.append("COMMENT ON \(kind) \(name) IS \(Printer.literal(comment));")
    }
    for (column, comment) in object.columnComments.sorted(by: { $0.key < $1.key }) {
      found.append(
        "COMMENT ON COLUMN \(name).\(Printer.quoted(column)) IS \(Printer.literal(comment));")
    }
    return found
  }
}

extension String {
  /// Whether `word` stands somewhere with neither a letter, digit nor underscore beside it. Literals
  /// count: `nextval('s')` needs s.
  fileprivate func containsWord(_ word: String) -> Bool {
    let text = Array(utf8)
    let wanted = Array(word.utf8)
    if wanted.isEmpty || wanted.count > text.count { return false }
    func isWord(_ byte: UInt8) -> Bool {
      byte >= 128 || byte == 95 || 48...57 ~= byte || 65...90 ~= byte || 97...122 ~= byte
    }
    for start in 0...(text.count - wanted.count)
    where text[start] == wanted[0] && text[start..<(start + wanted.count)].elementsEqual(wanted) {
      let end = start + wanted.count
      let isOpen = start == 0 || !isWord(text[start - 1])
      if isOpen && (end == text.count || !isWord(text[end])) { return true }
    }
    return false
  }
}
