// EXPORT DATABASE and IMPORT DATABASE: a whole database as a folder of files.
extension Parser {
  mutating func exportDatabase() throws -> ExportDatabase {
    try expect(.export, .database)
    var database: Identifier?
    if !at(.string) {
      database = try identifier()
      try expect(.to)
    }
    let token = peek
    let path = try stringLiteral("a folder's path")
    let options = at(.leftParenthesis) ? try copyOptionList() : []
    return ExportDatabase(
      database: database, path: path, pathSpan: token.span, options: options)
  }

  mutating func importDatabase() throws -> ImportDatabase {
    try expect(.import, .database)
    let token = peek
    return ImportDatabase(path: try stringLiteral("a folder's path"), pathSpan: token.span)
  }
}
