import Columnar
import Diagnostics
import Functions
import Planner
import Storage

/// Ordinary SQLite files as rows.
enum SQLiteTableFunctions {
  static let rows: [TableFunctionDefinition] = [
    TableFunctionDefinition(
      name: "sqlite_query", aliases: [], summary: "the rows of a query that SQLite runs on a file",
      example: "SELECT * FROM sqlite_query('any.sqlite', 'SELECT count(*) FROM t')",
      forms: [FunctionForm("VARCHAR", "VARCHAR", more: "all_varchar := BOOLEAN", gives: "rows")],
      make: { arguments, named, _ in
        let (path, query, asText) = try read(arguments, named, "sqlite_query", "a query")
        return try SQLiteDatabase(path: path).query(query, asText: asText)
      }),
    TableFunctionDefinition(
      name: "sqlite_scan", aliases: [], summary: "the rows of a table or view of an SQLite file",
      example: "SELECT * FROM sqlite_scan('any.sqlite', 't')",
      forms: [FunctionForm("VARCHAR", "VARCHAR", more: "all_varchar := BOOLEAN", gives: "rows")],
      make: { arguments, named, _ in
        let (path, table, asText) = try read(arguments, named, "sqlite_scan", "a table")
        return try SQLiteDatabase(path: path).table(named: table, asText: asText)
      }),
  ]

  private static func read(
    _ arguments: [TableFunctionArgument], _ named: [TableFunctionArgument], _ function: String,
    _ second: String
  ) throws -> (path: String, text: String, asText: Bool) {
    guard arguments.count == 2, case .varchar(let path) = arguments[0].value,
      case .varchar(let text) = arguments[1].value
    else {
      throw SQLError(
        .binder, "\(function) takes the path of a file and \(second), both as text",
        at: arguments.first?.span)
    }
    var asText = false
    for option in named {
      guard option.name?.lowercased() == "all_varchar", case .boolean(let value) = option.value
      else {
        throw SQLError(
          .binder, "\(function) takes no option but all_varchar := true or false",
          at: option.span)
      }
      asText = value
    }
    return (path, text, asText)
  }
}
