import Diagnostics
import Planner
import Syntax

/// Views that every database has, as the SQL standard, PostgreSQL and SQLite name them: queries over
/// the catalog functions.
struct SystemView: Sendable {
  let schema: String
  let name: String
  let sql: String
}

enum SystemViews {
  static let rows: [SystemView] = informationSchema + postgres + plain

  /// The view that a name means; nil when it is none. Those of information_schema need their schema.
  static func entry(for name: QualifiedName) throws -> CatalogEntry? {
    let wanted = name.last.name.lowercased()
    let schema = name.parts.count > 1 ? name.parts[name.parts.count - 2].name.lowercased() : nil
    let found = rows.first { row in
      guard row.name == wanted else { return false }
      switch schema {
      case nil: return row.schema != "information_schema"
      case "system": return row.schema == "main"
      case let schema?: return row.schema == schema
      }
    }
    guard let found else { return nil }
    guard case .query(let query) = try Parser.parseStatement(found.sql).statement else {
      return nil
    }
    return .view(query: query, columns: [], searchPath: [CatalogState.mainSchema])
  }

  private static let informationSchema = [
    view(
      "information_schema", "tables",
      """
      SELECT database_name AS table_catalog, schema_name AS table_schema, table_name,
        CASE WHEN temporary THEN 'LOCAL TEMPORARY' ELSE 'BASE TABLE' END AS table_type,
        CAST(NULL AS VARCHAR) AS self_referencing_column_name,
        CAST(NULL AS VARCHAR) AS reference_generation,
        CAST(NULL AS VARCHAR) AS user_defined_type_catalog,
        CAST(NULL AS VARCHAR) AS user_defined_type_schema,
        CAST(NULL AS VARCHAR) AS user_defined_type_name, 'YES' AS is_insertable_into,
        'NO' AS is_typed, CASE WHEN temporary THEN 'PRESERVE' END AS commit_action,
        comment AS TABLE_COMMENT
      FROM apus_tables()
      UNION ALL
      SELECT database_name, schema_name, view_name, 'VIEW', NULL, NULL, NULL, NULL, NULL, 'NO',
        'NO', NULL, comment
      FROM apus_views() WHERE NOT internal
      """),
    view(
      "information_schema", "columns",
      """
      SELECT database_name AS table_catalog, schema_name AS table_schema, table_name, column_name,
        column_index AS ordinal_position, column_default,
        CASE WHEN is_nullable THEN 'YES' ELSE 'NO' END AS is_nullable, data_type,
        character_maximum_length, CAST(NULL AS INTEGER) AS character_octet_length,
        numeric_precision, numeric_precision_radix, numeric_scale,
        CAST(NULL AS INTEGER) AS datetime_precision, CAST(NULL AS VARCHAR) AS interval_type,
        CAST(NULL AS INTEGER) AS interval_precision, CAST(NULL AS VARCHAR) AS character_set_catalog,
        CAST(NULL AS VARCHAR) AS character_set_schema, CAST(NULL AS VARCHAR) AS character_set_name,
        CAST(NULL AS VARCHAR) AS collation_catalog, CAST(NULL AS VARCHAR) AS collation_schema,
        CAST(NULL AS VARCHAR) AS collation_name, CAST(NULL AS VARCHAR) AS domain_catalog,
        CAST(NULL AS VARCHAR) AS domain_schema, CAST(NULL AS VARCHAR) AS domain_name,
        CAST(NULL AS VARCHAR) AS udt_catalog, CAST(NULL AS VARCHAR) AS udt_schema,
        CAST(NULL AS VARCHAR) AS udt_name,
        CASE WHEN is_generated THEN 'ALWAYS' ELSE 'NEVER' END AS is_generated,
        generation_expression, comment AS COLUMN_COMMENT
      FROM apus_columns()
      """),
    view(
      "information_schema", "schemata",
      """
      SELECT database_name AS catalog_name, schema_name, 'apus' AS schema_owner,
        CAST(NULL AS VARCHAR) AS default_character_set_catalog,
        CAST(NULL AS VARCHAR) AS default_character_set_schema,
        CAST(NULL AS VARCHAR) AS default_character_set_name, sql AS sql_path
      FROM apus_schemas()
      """),
    view(
      "information_schema", "views",
      """
      SELECT database_name AS table_catalog, schema_name AS table_schema, view_name AS table_name,
        sql AS view_definition, 'NONE' AS check_option, 'NO' AS is_updatable,
        'NO' AS is_insertable_into, 'NO' AS is_trigger_updatable, 'NO' AS is_trigger_deletable,
        'NO' AS is_trigger_insertable_into
      FROM apus_views()
      """),
    view(
      "information_schema", "table_constraints",
      """
      SELECT database_name AS constraint_catalog, schema_name AS constraint_schema,
        constraint_name, database_name AS table_catalog, schema_name AS table_schema, table_name,
        CASE constraint_type WHEN 'NOT NULL' THEN 'CHECK' ELSE constraint_type END
          AS constraint_type,
        'NO' AS is_deferrable, 'NO' AS initially_deferred, 'YES' AS enforced,
        'YES' AS nulls_distinct
      FROM apus_constraints()
      """),
    view(
      "information_schema", "referential_constraints",
      """
      SELECT f.database_name AS constraint_catalog, f.schema_name AS constraint_schema,
        f.constraint_name, u.database_name AS unique_constraint_catalog,
        u.schema_name AS unique_constraint_schema,
        u.constraint_name AS unique_constraint_name, 'NONE' AS match_option,
        'NO ACTION' AS update_rule, 'NO ACTION' AS delete_rule
      FROM apus_constraints() f JOIN apus_constraints() u
        ON f.referenced_table = u.table_name AND f.schema_name = u.schema_name
          AND f.database_name = u.database_name
          AND CAST(f.referenced_column_names AS VARCHAR) = CAST(u.constraint_column_names AS VARCHAR)
      WHERE f.constraint_type = 'FOREIGN KEY' AND u.constraint_type IN ('PRIMARY KEY', 'UNIQUE')
      """),
    view(
      "information_schema", "key_column_usage",
      """
      SELECT database_name AS constraint_catalog, schema_name AS constraint_schema,
        constraint_name, database_name AS table_catalog, schema_name AS table_schema, table_name,
        constraint_column_names[i.i] AS column_name, i.i AS ordinal_position,
        CASE constraint_type WHEN 'FOREIGN KEY' THEN i.i END AS position_in_unique_constraint
      FROM apus_constraints() c JOIN range(1, 1000) i(i) ON i.i <= len(constraint_column_names)
      WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')
      ORDER BY table_catalog, table_schema, table_name, constraint_index, ordinal_position
      """),
    view(
      "information_schema", "constraint_column_usage",
      """
      SELECT database_name AS table_catalog, schema_name AS table_schema, table_name,
        constraint_column_names[i.i] AS column_name, database_name AS constraint_catalog,
        schema_name AS constraint_schema, constraint_name, constraint_type, constraint_text
      FROM apus_constraints() c JOIN range(1, 1000) i(i) ON i.i <= len(constraint_column_names)
      WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'CHECK')
      ORDER BY database_name, schema_name, table_name, constraint_index, i.i
      """),
    view(
      "information_schema", "check_constraints",
      """
      SELECT database_name AS constraint_catalog, schema_name AS constraint_schema,
        constraint_name,
        CASE constraint_type WHEN 'NOT NULL' THEN constraint_column_names[1] || ' IS NOT NULL'
          ELSE constraint_text END AS check_clause
      FROM apus_constraints() WHERE constraint_type IN ('CHECK', 'NOT NULL')
      """),
    view(
      "information_schema", "constraint_table_usage",
      """
      SELECT database_name AS table_catalog, schema_name AS table_schema, table_name,
        database_name AS constraint_catalog, schema_name AS constraint_schema, constraint_name,
        constraint_type
      FROM apus_constraints()
      """),
    view(
      "information_schema", "character_sets",
      """
      SELECT CAST(NULL AS VARCHAR) AS character_set_catalog,
        CAST(NULL AS VARCHAR) AS character_set_schema, 'UTF8' AS character_set_name,
        'UCS' AS character_repertoire, 'UTF8' AS form_of_use,
        current_database() AS default_collate_catalog, 'pg_catalog' AS default_collate_schema,
        'ucs_basic' AS default_collate_name
      """),
  ]

  private static let postgres = [
    view(
      "pg_catalog", "pg_tables",
      """
      SELECT schema_name AS schemaname, table_name AS tablename, 'apus' AS tableowner,
        CAST(NULL AS VARCHAR) AS tablespace, index_count > 0 AS hasindexes, false AS hasrules,
        false AS hastriggers
      FROM apus_tables()
      """),
    view(
      "pg_catalog", "pg_views",
      """
      SELECT schema_name AS schemaname, view_name AS viewname, 'apus' AS viewowner,
        sql AS definition
      FROM apus_views()
      """),
    view(
      "pg_catalog", "pg_namespace",
      """
      SELECT oid, schema_name AS nspname, 0 AS nspowner, CAST(NULL AS VARCHAR) AS nspacl
      FROM apus_schemas()
      """),
    view(
      "pg_catalog", "pg_class",
      """
      SELECT table_oid AS oid, table_name AS relname, schema_oid AS relnamespace,
        CAST(estimated_size AS FLOAT) AS reltuples, index_count > 0 AS relhasindex,
        CASE WHEN temporary THEN 't' ELSE 'p' END AS relpersistence, 'r' AS relkind,
        column_count AS relnatts, check_constraint_count AS relchecks,
        has_primary_key AS relhaspkey
      FROM apus_tables()
      UNION ALL
      SELECT view_oid, view_name, schema_oid, CAST(0 AS FLOAT), false,
        CASE WHEN temporary THEN 't' ELSE 'p' END, 'v', column_count, 0, false
      FROM apus_views() WHERE NOT internal
      UNION ALL
      SELECT sequence_oid, sequence_name, schema_oid, CAST(0 AS FLOAT), false,
        CASE WHEN temporary THEN 't' ELSE 'p' END, 'S', 0, 0, false
      FROM apus_sequences()
      UNION ALL
      SELECT index_oid, index_name, schema_oid, CAST(0 AS FLOAT), false, 'p', 'i', 0, 0, false
      FROM apus_indexes()
      """),
    view(
      "pg_catalog", "pg_attribute",
      """
      SELECT table_oid AS attrelid, column_name AS attname, data_type_id AS atttypid,
        column_index AS attnum, NOT is_nullable AS attnotnull,
        column_default IS NOT NULL AS atthasdef, false AS attisdropped
      FROM apus_columns()
      """),
    view(
      "pg_catalog", "pg_type",
      """
      SELECT type_oid AS oid, type_name AS typname, schema_oid AS typnamespace,
        CASE WHEN logical_type = 'ENUM' THEN 'e' ELSE 'b' END AS typtype, type_category AS typcategory
      FROM apus_types()
      """),
    view(
      "pg_catalog", "pg_proc",
      """
      SELECT function_oid AS oid, function_name AS proname, varargs AS provariadic,
        function_type = 'aggregate' AS proisagg, parameters AS proargnames
      FROM apus_functions()
      """),
    view(
      "pg_catalog", "pg_database",
      "SELECT database_oid AS oid, database_name AS datname FROM apus_databases()"),
    view(
      "pg_catalog", "pg_settings",
      """
      SELECT name, value AS setting, description AS short_desc, input_type AS vartype
      FROM apus_settings()
      """),
    view(
      "pg_catalog", "pg_description",
      """
      SELECT table_oid AS objoid, 0 AS objsubid, comment AS description
      FROM apus_tables() WHERE comment IS NOT NULL
      UNION ALL
      SELECT table_oid, column_index, comment FROM apus_columns() WHERE comment IS NOT NULL
      """),
    view(
      "pg_catalog", "pg_index",
      """
      SELECT index_oid AS indexrelid, table_oid AS indrelid, is_unique AS indisunique,
        is_primary AS indisprimary
      FROM apus_indexes()
      """),
    view(
      "pg_catalog", "pg_indexes",
      """
      SELECT schema_name AS schemaname, table_name AS tablename, index_name AS indexname,
        CAST(NULL AS VARCHAR) AS tablespace, sql AS indexdef
      FROM apus_indexes()
      """),
    view(
      "pg_catalog", "pg_constraint",
      """
      SELECT constraint_name AS conname, schema_oid AS connamespace,
        CASE constraint_type WHEN 'CHECK' THEN 'c' WHEN 'FOREIGN KEY' THEN 'f'
          WHEN 'PRIMARY KEY' THEN 'p' WHEN 'UNIQUE' THEN 'u' WHEN 'NOT NULL' THEN 'n' END AS contype,
        table_oid AS conrelid, constraint_column_indexes AS conkey, expression AS conexpr
      FROM apus_constraints()
      """),
    view(
      "pg_catalog", "pg_attrdef",
      """
      SELECT column_index AS oid, table_oid AS adrelid, column_index AS adnum,
        column_default AS adbin
      FROM apus_columns() WHERE column_default IS NOT NULL
      """),
    view("pg_catalog", "pg_depend", "SELECT * FROM apus_dependencies()"),
    view(
      "pg_catalog", "pg_tablespace",
      "SELECT 0 AS oid, 'pg_default' AS spcname, 0 AS spcowner"),
    view(
      "pg_catalog", "pg_am",
      "SELECT 0 AS oid, 'art' AS amname, CAST(NULL AS VARCHAR) AS amhandler, 'i' AS amtype"),
    view(
      "pg_catalog", "pg_prepared_statements",
      "SELECT name, statement, parameters AS parameter_types, generic_plans, custom_plans "
        + "FROM apus_prepared_statements()"),
    view(
      "pg_catalog", "pg_sequence",
      """
      SELECT sequence_oid AS seqrelid, 0 AS seqtypid, start_value AS seqstart,
        increment_by AS seqincrement, max_value AS seqmax, min_value AS seqmin, 0 AS seqcache,
        cycle AS seqcycle
      FROM apus_sequences()
      """),
    view(
      "pg_catalog", "pg_sequences",
      """
      SELECT schema_name AS schemaname, sequence_name AS sequencename, 'apus' AS sequenceowner,
        start_value, min_value, max_value, increment_by, cycle, last_value
      FROM apus_sequences()
      """),
    view(
      "pg_catalog", "pg_enum",
      """
      SELECT type_oid AS enumtypid, i.i AS enumsortorder, labels[i.i] AS enumlabel
      FROM apus_types() JOIN range(1, 10000) i(i) ON i.i <= len(labels)
      """),
  ]

  private static let plain = [
    view("main", "sqlite_master", sqliteMaster), view("main", "sqlite_schema", sqliteMaster),
    view("main", "sqlite_temp_master", sqliteMaster),
    view("main", "sqlite_temp_schema", sqliteMaster),
    view("main", "duckdb_columns", "SELECT * FROM apus_columns() WHERE NOT internal"),
    view("main", "duckdb_constraints", "SELECT * FROM apus_constraints()"),
    view("main", "duckdb_databases", "SELECT * FROM apus_databases() WHERE NOT internal"),
    view("main", "duckdb_indexes", "SELECT * FROM apus_indexes()"),
    view("main", "duckdb_schemas", "SELECT * FROM apus_schemas() WHERE NOT internal"),
    view("main", "duckdb_tables", "SELECT * FROM apus_tables() WHERE NOT internal"),
    view("main", "duckdb_types", "SELECT * FROM apus_types()"),
    view("main", "duckdb_views", "SELECT * FROM apus_views() WHERE NOT internal"),
    view("main", "pragma_database_list", "SELECT * FROM pragma_database_list()"),
  ]

  private static let sqliteMaster = """
    SELECT 'table' AS type, table_name AS name, table_name AS tbl_name, 0 AS rootpage, sql
    FROM apus_tables()
    UNION ALL SELECT 'view', view_name, view_name, 0, sql FROM apus_views() WHERE NOT internal
    UNION ALL SELECT 'index', index_name, table_name, 0, sql FROM apus_indexes()
    """

  private static func view(_ schema: String, _ name: String, _ sql: String) -> SystemView {
    SystemView(schema: schema, name: name, sql: sql)
  }
}
