extension FileReader {
  package func schemas() throws -> [(name: String, comment: String?)] {
    try session.rows("SELECT name, comment FROM schemas ORDER BY name") {
      ($0.text(0), $0.optionalText(1))
    }
  }

  /// The commit that last changed anything but rows.
  package func catalogCommit() throws -> Int64 {
    try session.rows("SELECT value FROM apus_meta WHERE key = 'catalog_commit'") { $0.integer(0) }
      .first ?? 0
  }

  /// The commit that this reader sees.
  package func commitNumber() throws -> Int64 { try session.commitNumber() }

  /// What SET GLOBAL has kept, by name.
  package func settings() throws -> [(name: String, value: String)] {
    try session.rows("SELECT name, value FROM settings ORDER BY name") { ($0.text(0), $0.text(1)) }
  }

  /// All tables, in the order in which they were made.
  package func tables() throws -> [TableRecord] {
    try session.rows(
      """
      SELECT id, schema_name, name, sql, next_row, row_count, next_column, commit_number, comment
      FROM tables ORDER BY id
      """
    ) {
      TableRecord(
        id: $0.integer(0), schema: $0.text(1), name: $0.text(2), sql: $0.text(3),
        nextRow: $0.integer(4), rowCount: $0.integer(5), nextColumn: $0.integer(6),
        commit: $0.integer(7), comment: $0.optionalText(8))
    }
  }

  /// The columns of a table, in order.
  package func columns(of table: Int64) throws -> [ColumnRecord] {
    try session.rows(
      """
      SELECT id, name, type, default_sql, generated_sql, not_null, collation, comment
      FROM columns WHERE table_id = ? ORDER BY position
      """, .integer(table)
    ) {
      ColumnRecord(
        id: $0.integer(0), name: $0.text(1), type: $0.text(2), defaultSQL: $0.optionalText(3),
        generatedSQL: $0.optionalText(4), isRequired: $0.integer(5) != 0,
        collation: $0.optionalText(6), comment: $0.optionalText(7))
    }
  }

  /// The constraints of a table, in order.
  package func constraints(of table: Int64) throws -> [ConstraintRecord] {
    try session.rows(
      "SELECT kind, name, columns, sql FROM constraints WHERE table_id = ? ORDER BY position",
      .integer(table)
    ) {
      ConstraintRecord(
        kind: $0.text(0), name: $0.optionalText(1), columns: $0.optionalText(2), sql: $0.text(3))
    }
  }

  /// All objects of a kind, by schema and name.
  package func objects(_ kind: ObjectRecord.Kind) throws -> [ObjectRecord] {
    try session.rows(
      """
      SELECT schema_name, name, sql, search_path, owner, comment, column_comments
      FROM \(kind.rawValue)
      ORDER BY schema_name, name
      """
    ) {
      ObjectRecord(
        kind: kind, schema: $0.text(0), name: $0.text(1), sql: $0.text(2),
        searchPath: $0.optionalText(3), owner: $0.optionalText(4), comment: $0.optionalText(5),
        columnComments: $0.optionalText(6))
    }
  }

  package func sequenceStates() throws -> [SequenceStateRecord] {
    try session.rows(
      "SELECT schema_name, name, next_value, last_value, is_exhausted FROM sequence_states"
    ) {
      SequenceStateRecord(
        schema: $0.text(0), name: $0.text(1), next: $0.integer(2), last: $0.optionalInteger(3),
        isExhausted: $0.integer(4) != 0)
    }
  }
}
