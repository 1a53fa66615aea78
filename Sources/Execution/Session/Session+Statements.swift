import Columnar
import Diagnostics
import Formats
import Functions
import Planner
import Storage
import Syntax

// Statements that define, change, write or look. Each leaves nothing behind when it fails: what it
// makes is published at its end.
extension Session {
  /// Columns of one name get a number behind: a, a_1.
  func uniqueNames(_ fields: [Field]) throws -> [Field] {
    var seen: Set<String> = []
    return fields.map { field in
      var name = field.name
      var number = 1
      while !seen.insert(name.lowercased()).inserted {
        name = "\(field.name)_\(number)"
        number += 1
      }
      return Field(name, field.type)
    }
  }

  // MARK: Files

  func run(_ copy: CopyTo) throws -> StatementResult {
    guard case .literal(.string(let path)) = copy.path.kind else {
      throw SQLError(.binder, "COPY TO takes a path in quotes", at: copy.path.span)
    }
    let bound: BoundQuery
    switch copy.source {
    case .query(let query): bound = try bind(query)
    case .table(let name, let columns):
      let list =
        columns.isEmpty ? "*" : columns.map { quotedIdentifier($0.name) }.joined(separator: ", ")
      let text =
        "SELECT \(list) FROM \(name.parts.map { quotedIdentifier($0.name) }.joined(separator: "."))"
      guard case .query(let query) = try Parser.parseStatement(text).statement else {
        throw SQLError(.internal, "the query of COPY did not parse")
      }
      do {
        bound = try binder().bind(query)
      } catch var error as SQLError {
        error.span = name.span
        throw error
      }
    }
    let (formatName, options) = try CopyValues.read(copy.options)
    // Without a format or a known ending, COPY writes CSV.
    let format = try FileFormats.find(
      formatName ?? ((try? FileFormats.find(nil, path: path)) == nil ? "csv" : nil), path: path)
    let writer = try format.write(path, try uniqueNames(bound.fields), options)
    do {
      try drain(bound) { try writer.write($0) }
      return try count(try writer.finish())
    } catch {
      writer.abort()
      throw error
    }
  }
}
