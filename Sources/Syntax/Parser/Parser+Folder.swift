import Diagnostics

// EXPORT DATABASE and IMPORT DATABASE: a whole database as a folder of files; COPY FROM DATABASE: as
// another one.
extension Parser {
  mutating func copyDatabase() throws -> CopyDatabase {
    try expect(.from, .database)
    let source = try identifier()
    try expect(.to)
    let target = try identifier()
    var part: CopyDatabase.Part?
    if accept(.leftParenthesis) {
      let word = try label("SCHEMA or DATA")
      part = CopyDatabase.Part(rawValue: word.name.lowercased())
      if part == nil {
        throw SQLError(.syntax, "expected SCHEMA or DATA, not \"\(word.name)\"", at: word.span)
      }
      try expect(.rightParenthesis, "\")\"")
    }
    return CopyDatabase(source: source, target: target, part: part)
  }

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
