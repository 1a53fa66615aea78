extension FileTransaction {
  // MARK: Schemas and settings

  package func setSchema(_ name: String, comment: String? = nil) throws {
    try session.run("REPLACE INTO schemas VALUES (?, ?)", .text(name), StoredValue(comment))
  }

  package func removeSchema(_ name: String) throws {
    try session.run("DELETE FROM schemas WHERE name = ?", .text(name))
  }

  /// Says that this transaction changes more than rows.
  package func noteCatalogChange() throws {
    try session.run(
      "UPDATE apus_meta SET value = ? WHERE key = 'catalog_commit'",
      .integer(try nextCommit))
  }

  /// Keeps the value of a setting, or with nil removes it; upper and lower case do not count.
  package func setSetting(_ name: String, _ value: String?) throws {
    try session.run("DELETE FROM settings WHERE lower(name) = lower(?)", .text(name))
    if let value {
      try session.run("INSERT INTO settings VALUES (?, ?)", .text(name), .text(value))
    }
  }

  // MARK: Tables

  /// Adds a table with its empty row delta; gives its number.
  package func insertTable(
    _ table: TableRecord, columns: [ColumnRecord], constraints: [ConstraintRecord] = []
  ) throws -> Int64 {
    try session.run(
      """
      INSERT INTO tables (schema_name, name, sql, next_row, row_count, next_column, commit_number,
        comment)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      """, .text(table.schema), .text(table.name), .text(table.sql), .integer(table.nextRow),
      .integer(table.rowCount), .integer(table.nextColumn), .integer(table.commit),
      StoredValue(table.comment))
    let id = session.connection.lastInsertedRow
    let cells = columns.map { ", c\($0.id)" }.joined()
    try session.connection.execute(
      "CREATE TABLE delta_\(id) (row_number INTEGER PRIMARY KEY\(cells))")
    try insertColumns(of: id, columns)
    try insertConstraints(of: id, constraints)
    return id
  }

  /// Writes a table's record anew: after a rename, or when rows were added or removed.
  package func updateTable(_ table: TableRecord) throws {
    try session.run(
      """
      UPDATE tables SET schema_name = ?, name = ?, sql = ?, next_row = ?, row_count = ?,
        next_column = ?, commit_number = ?, comment = ?
      WHERE id = ?
      """, .text(table.schema), .text(table.name), .text(table.sql), .integer(table.nextRow),
      .integer(table.rowCount), .integer(table.nextColumn), .integer(table.commit),
      StoredValue(table.comment), .integer(table.id))
  }

  /// Gives a table a name that no other can have, until `updateTable` gives it its own.
  package func freeName(of table: Int64) throws {
    try session.run(
      "UPDATE tables SET name = char(0) || id WHERE id = ?", .integer(table))
  }

  /// Gives a table other columns and constraints. Chunks and cells of columns that are gone go too;
  /// in the row delta new columns are NULL, and chunks of them are the caller's to write.
  package func replaceColumns(
    of table: Int64, _ columns: [ColumnRecord], constraints: [ConstraintRecord]
  ) throws {
    let before = try session.rows("SELECT id FROM columns WHERE table_id = ?", .integer(table)) {
      $0.integer(0)
    }
    let kept = Set(columns.map(\.id))
    for column in before where !kept.contains(column) {
      try session.connection.execute("ALTER TABLE delta_\(table) DROP COLUMN c\(column)")
      let chunks = """
        SELECT chunks.id FROM chunks JOIN partitions ON partitions.id = partition_id
        WHERE table_id = ? AND column_id = ?
        """
      try session.run(
        "DELETE FROM chunk_bytes WHERE chunk_id IN (\(chunks))", .integer(table), .integer(column))
      try session.run(
        "DELETE FROM chunk_statistics WHERE chunk_id IN (\(chunks))", .integer(table),
        .integer(column))
      try session.run(
        "DELETE FROM chunks WHERE id IN (\(chunks))", .integer(table), .integer(column))
    }
    for column in columns where !before.contains(column.id) {
      try session.connection.execute("ALTER TABLE delta_\(table) ADD COLUMN c\(column.id)")
    }
    try session.run("DELETE FROM columns WHERE table_id = ?", .integer(table))
    try session.run("DELETE FROM constraints WHERE table_id = ?", .integer(table))
    try insertColumns(of: table, columns)
    try insertConstraints(of: table, constraints)
  }

  /// Removes a table with its rows.
  package func removeTable(_ id: Int64) throws {
    try removeRows(of: id)
    try session.connection.execute("DROP TABLE IF EXISTS delta_\(id)")
    try session.run("DELETE FROM columns WHERE table_id = ?", .integer(id))
    try session.run("DELETE FROM constraints WHERE table_id = ?", .integer(id))
    try session.run("DELETE FROM tables WHERE id = ?", .integer(id))
  }

  private func insertColumns(of table: Int64, _ columns: [ColumnRecord]) throws {
    for (position, column) in columns.enumerated() {
      try session.run(
        "INSERT INTO columns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", .integer(table),
        .integer(column.id), .integer(Int64(position)), .text(column.name), .text(column.type),
        StoredValue(column.defaultSQL), StoredValue(column.generatedSQL),
        .integer(column.isRequired ? 1 : 0), StoredValue(column.collation),
        StoredValue(column.comment))
    }
  }

  private func insertConstraints(of table: Int64, _ constraints: [ConstraintRecord]) throws {
    for (position, constraint) in constraints.enumerated() {
      try session.run(
        "INSERT INTO constraints VALUES (?, ?, ?, ?, ?, ?)", .integer(table),
        .integer(Int64(position)), .text(constraint.kind), StoredValue(constraint.name),
        StoredValue(constraint.columns), .text(constraint.sql))
    }
  }

  // MARK: Views, macros, types, indexes, sequences

  /// Adds an object, or replaces the one of its name.
  package func setObject(_ object: ObjectRecord) throws {
    try session.run(
      "REPLACE INTO \(object.kind.rawValue) VALUES (?, ?, ?, ?, ?, ?, ?)", .text(object.schema),
      .text(object.name), .text(object.sql), StoredValue(object.searchPath),
      StoredValue(object.owner), StoredValue(object.comment), StoredValue(object.columnComments))
  }

  package func removeObject(_ kind: ObjectRecord.Kind, schema: String, name: String) throws {
    try session.run(
      "DELETE FROM \(kind.rawValue) WHERE schema_name = ? AND name = ?", .text(schema), .text(name))
    if kind == .sequence {
      try session.run(
        "DELETE FROM sequence_states WHERE schema_name = ? AND name = ?", .text(schema),
        .text(name))
    }
  }

  package func setSequenceState(_ state: SequenceStateRecord) throws {
    try session.run(
      "REPLACE INTO sequence_states VALUES (?, ?, ?, ?, ?)", .text(state.schema),
      .text(state.name), .integer(state.next), StoredValue(state.last),
      .integer(state.isExhausted ? 1 : 0))
  }
}
