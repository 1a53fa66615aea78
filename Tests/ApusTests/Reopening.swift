import Apus

/// Whether a database file holds for the next who opens it what it held for the last.
enum Reopening {
  /// What catalog functions say of everything that is kept.
  private static let catalogQueries = [
    "SELECT schema_name, table_name, sql, comment FROM duckdb_tables() WHERE database_name = 'memory'",
    "SELECT schema_name, view_name, sql, comment FROM duckdb_views() WHERE database_name = 'memory' AND NOT internal",
    "SELECT schema_name, table_name, column_name, data_type, column_default, is_nullable, comment FROM duckdb_columns() WHERE database_name = 'memory' AND NOT internal",
    "SELECT schema_name, table_name, constraint_type, constraint_text FROM duckdb_constraints() WHERE database_name = 'memory'",
    "SELECT schema_name, index_name, table_name, is_unique FROM duckdb_indexes() WHERE database_name = 'memory'",
    "SELECT schema_name, sequence_name, start_value, increment_by, last_value FROM duckdb_sequences() WHERE database_name = 'memory'",
    "SELECT schema_name, type_name, labels FROM duckdb_types() WHERE database_name = 'memory' AND NOT internal",
    "SELECT schema_name, function_name, macro_definition FROM duckdb_functions() WHERE database_name = 'memory' AND function_type LIKE '%macro' AND NOT internal",
    "SHOW MODELS",
  ]

  /// nil when nothing differs; the open connection's transaction, if any, is rolled back.
  static func difference(_ connection: Connection, _ path: String) -> String? {
    _ = try? connection.execute("ROLLBACK")
    do {
      // Other databases and temporary objects are the connection's own.
      let reset = [
        "RESET search_path", "SET TimeZone = 'UTC'", "RESET integer_division",
        "SET batch_size = 2048",
      ]
      for statement in reset { _ = try? connection.execute(statement) }
      let again = try Database(path: path).connect()
      try again.execute("SET TimeZone = 'UTC'")
      var queries = catalogQueries
      let tables = try connection.execute(
        """
        SELECT '"' || replace(schema_name, '"', '""') || '"."' || replace(table_name, '"', '""') || '"'
        FROM duckdb_tables() WHERE NOT temporary AND database_name = 'memory'
        """
      ).rows()
      queries += tables.compactMap { $0[0].map { "SELECT rowid, * FROM memory.\($0)" } }
      for query in queries {
        let before = try rows(query, connection)
        let after = try rows(query, again)
        if before != after {
          return "opened again, the file gives other rows\n\(query)\nbefore:\n"
            + before.prefix(20).joined(separator: "\n") + "\nafter:\n"
            + after.prefix(20).joined(separator: "\n")
        }
      }
      return nil
    } catch {
      return "opened again: \(error)"
    }
  }

  private static func rows(_ query: String, _ connection: Connection) throws -> [String] {
    try connection.execute(query).rows().map { $0.map { $0 ?? "NULL" }.joined(separator: "\t") }
      .sorted()
  }
}
