import Diagnostics
import Planner
import Storage
import Syntax

// ATTACH … (TYPE sqlite).
extension Session {
  /// Makes a database of views, one for each table and view of an SQLite file: what is in them is read
  /// anew by each query. Tables made since are seen when the file is attached again.
  func attachSQLite(_ path: String, as name: String, isReadOnly: Bool?) throws {
    if isReadOnly == false {
      throw SQLError(
        .notSupported, "SQLite files can be attached to read only, not to write yet",
        hint: "ATTACH … (TYPE sqlite)")
    }
    let file = try SQLiteDatabase(path: path)
    let schema = NameResolution.key(
      database: name.lowercased(), schema: CatalogState.mainSchema)
    var views: [(name: String, view: ViewDefinition)] = []
    for table in try file.tableNames() {
      let text =
        "SELECT * FROM sqlite_scan(\(Printer.literal(path)), \(Printer.literal(table)))"
      guard case .query(let query) = try Parser.parseStatement(text).statement else {
        throw SQLError(.internal, "the query of an attached table did not parse")
      }
      views.append(
        (
          table,
          ViewDefinition(
            query: query, columns: [], text: text, searchPath: [CatalogState.mainSchema])
        ))
    }
    change { state in
      state[CatalogState.Key(.schema, schema: "", schema)] = CatalogObject(
        name: schema, item: .schema)
      for (name, view) in views {
        state[CatalogState.Key(.relation, schema: schema, name)] = CatalogObject(
          name: name, item: .view(view))
      }
    }
  }
}
