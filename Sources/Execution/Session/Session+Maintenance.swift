import Diagnostics
import Planner
import Storage
import Syntax

// CHECKPOINT, VACUUM, ANALYZE and REINDEX. Tables in memory need none of them.
extension Session {
  func run(_ maintenance: Maintenance) throws -> StatementResult {
    switch maintenance {
    case .checkpoint(let database):
      if let database, !catalog().names.hasDatabase(database.name) {
        throw SQLError(
          .catalog, "database \"\(database.name)\" does not exist", at: database.span)
      }
      try checkpoint(database?.name)
    case .vacuum(let table):
      try require(table)
      if table == nil { try vacuum() }
    case .analyze(let table): try require(table)
    case .reindex(let name):
      if let name, try find(.relation, name) == nil, try find(.index, name) == nil {
        throw SQLError(
          .catalog, "there is no table and no index \"\(name.last.name)\"", at: name.span,
          hint: didYouMean(name.last.name, among: catalog().tableNames))
      }
    }
    return .none
  }

  private func require(_ table: QualifiedName?) throws {
    if let table, try find(.relation, table) == nil {
      throw SQLError(
        .catalog, "table \"\(table.last.name)\" does not exist", at: table.span,
        hint: didYouMean(table.last.name, among: catalog().tableNames))
    }
  }

  /// Turns the row delta into row groups where that pays, and moves the log into the file.
  private func checkpoint(_ database: String?) throws {
    let files =
      database.map { [database = self.database] name in
        database.catalogFiles.filter { $0.isNamed(name) }
      } ?? self.database.catalogFiles
    if files.isEmpty { return }
    try refuseInTransaction("CHECKPOINT")
    for file in files where !file.file.isReadOnly {
      try self.database.compact(file)
      // The log cannot be cut while somebody reads an older state.
      state.snapshots = []
      try file.file.checkpoint()
    }
    state = try self.database.snapshot().withTemporary(of: state)
  }

  private func vacuum() throws {
    let files = database.catalogFiles.filter { !$0.file.isReadOnly }
    if files.isEmpty { return }
    try refuseInTransaction("VACUUM")
    for file in files {
      try database.compact(file)
      state.snapshots = []
      try file.file.vacuum()
    }
    state = try database.snapshot().withTemporary(of: state)
  }

  private func refuseInTransaction(_ statement: String) throws {
    if transaction != nil {
      throw SQLError(.transaction, "\(statement) cannot run inside a transaction")
    }
  }
}
