/// The form of the database file: how it is told from other files, and the steps from each version
/// of the form to the next.
package struct FileSchema: Sendable {
  /// `PRAGMA application_id` of our files: "Apus" in ASCII.
  static let applicationID: Int64 = 0x4170_7573

  /// What brings a file of version n (the position; 0 is an empty file) to version n + 1.
  var migrations: [[String]]

  /// The form that this program writes, and the newest it reads. It is the file's `user_version`.
  var version: Int64 { Int64(migrations.count) }

  package static let current = FileSchema(migrations: [firstVersion, checkpoints, chunkStatistics])

  /// docs/file-format.md says what each table is for. What the rows of a table may be is checked by
  /// the engine; the keys here are what finds rows, and what must never be there twice.
  private static let firstVersion = [
    "CREATE TABLE apus_meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "INSERT INTO apus_meta VALUES ('commit', 0), ('catalog_commit', 0)",
    "CREATE TABLE schemas (name TEXT PRIMARY KEY, comment TEXT) WITHOUT ROWID",
    """
    CREATE TABLE tables (id INTEGER PRIMARY KEY AUTOINCREMENT, schema_name TEXT NOT NULL,
      name TEXT NOT NULL, sql TEXT NOT NULL, next_row INTEGER NOT NULL, row_count INTEGER NOT NULL,
      next_column INTEGER NOT NULL, commit_number INTEGER NOT NULL, comment TEXT,
      UNIQUE (schema_name, name))
    """,
    """
    CREATE TABLE columns (table_id INTEGER NOT NULL, id INTEGER NOT NULL, position INTEGER NOT NULL,
      name TEXT NOT NULL, type TEXT NOT NULL, default_sql TEXT, generated_sql TEXT,
      not_null INTEGER NOT NULL, collation TEXT, comment TEXT, PRIMARY KEY (table_id, id))
      WITHOUT ROWID
    """,
    """
    CREATE TABLE constraints (table_id INTEGER NOT NULL, position INTEGER NOT NULL,
      kind TEXT NOT NULL, name TEXT, columns TEXT, sql TEXT NOT NULL,
      PRIMARY KEY (table_id, position)) WITHOUT ROWID
    """,
    objects("views"), objects("macros"), objects("table_macros"), objects("types"),
    objects("indexes"), objects("sequences"),
    """
    CREATE TABLE sequence_states (schema_name TEXT NOT NULL, name TEXT NOT NULL,
      next_value INTEGER NOT NULL, last_value INTEGER, is_exhausted INTEGER NOT NULL,
      PRIMARY KEY (schema_name, name)) WITHOUT ROWID
    """,
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
    """
    CREATE TABLE loads (id INTEGER PRIMARY KEY AUTOINCREMENT, started_at TEXT NOT NULL)
    """,
    """
    CREATE TABLE partitions (id INTEGER PRIMARY KEY AUTOINCREMENT, table_id INTEGER,
      first_row INTEGER, row_count INTEGER NOT NULL, load_id INTEGER)
    """,
    "CREATE INDEX partitions_of_tables ON partitions (table_id, first_row)",
    "CREATE INDEX partitions_being_loaded ON partitions (load_id) WHERE load_id IS NOT NULL",
    """
    CREATE TABLE chunks (id INTEGER PRIMARY KEY AUTOINCREMENT, partition_id INTEGER NOT NULL,
      column_id INTEGER NOT NULL, row_count INTEGER NOT NULL, null_count INTEGER NOT NULL,
      distinct_count INTEGER, minimum, maximum, encoding TEXT NOT NULL,
      byte_count INTEGER NOT NULL, checksum INTEGER NOT NULL, UNIQUE (partition_id, column_id))
    """,
    "CREATE TABLE chunk_bytes (chunk_id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
    """
    CREATE TABLE deletes (partition_id INTEGER PRIMARY KEY, deleted_count INTEGER NOT NULL,
      bitmap BLOB NOT NULL)
    """,
    """
    CREATE TABLE models (id INTEGER PRIMARY KEY AUTOINCREMENT, schema_name TEXT NOT NULL,
      name TEXT NOT NULL, sql TEXT NOT NULL, last_version INTEGER NOT NULL,
      default_version INTEGER, aliases TEXT, comment TEXT, UNIQUE (schema_name, name))
    """,
    """
    CREATE TABLE model_versions (id INTEGER PRIMARY KEY AUTOINCREMENT, model_id INTEGER NOT NULL,
      version INTEGER NOT NULL, created_at TEXT NOT NULL, description TEXT,
      UNIQUE (model_id, version))
    """,
    "CREATE TABLE weights (model_version_id INTEGER PRIMARY KEY, safetensors BLOB NOT NULL)",
    """
    CREATE TABLE training_runs (id INTEGER PRIMARY KEY AUTOINCREMENT, model_id INTEGER NOT NULL,
      model_version_id INTEGER, started_at TEXT NOT NULL, statement TEXT NOT NULL, stop_reason TEXT)
    """,
    "CREATE INDEX training_runs_of_models ON training_runs (model_id)",
    """
    CREATE TABLE epochs (run_id INTEGER NOT NULL, epoch INTEGER NOT NULL, loss REAL,
      validation_loss REAL, metrics TEXT NOT NULL, learning_rate REAL NOT NULL,
      row_count INTEGER NOT NULL, seconds REAL NOT NULL, is_best INTEGER NOT NULL,
      PRIMARY KEY (run_id, epoch)) WITHOUT ROWID
    """,
  ]

  /// Of trainings that are under way, or were interrupted.
  private static let checkpoints = [
    """
    CREATE TABLE checkpoints (model_id INTEGER PRIMARY KEY, made_at TEXT NOT NULL,
      bytes BLOB NOT NULL)
    """
  ]

  /// Of chunks, for the planner. Chunks of older files have none until they are written again.
  private static let chunkStatistics = [
    """
    CREATE TABLE chunk_statistics (chunk_id INTEGER PRIMARY KEY, sketch BLOB NOT NULL,
      sample BLOB)
    """
  ]

  /// What is wholly known by the statement that makes it.
  private static func objects(_ name: String) -> String {
    """
    CREATE TABLE \(name) (schema_name TEXT NOT NULL, name TEXT NOT NULL, sql TEXT NOT NULL,
      search_path TEXT, owner TEXT, comment TEXT, column_comments TEXT, PRIMARY KEY (schema_name, name)) WITHOUT ROWID
    """
  }
}
