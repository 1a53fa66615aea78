import Columnar
import Diagnostics
import Planner
import Syntax

/// Functions that are other functions written differently: macros that every database has. A macro or
/// function of the user's own with the same name comes before them.
struct DefaultMacro: Sendable {
  let name: String
  let family: String
  let summary: String
  /// Each `(parameters) AS body`.
  let definitions: [String]
  let examples: [(sql: String, result: String)]
  let parameters: [[String]]

  init(
    _ name: String, _ family: String, _ summary: String, _ definitions: String...,
    examples: [(sql: String, result: String)] = []
  ) {
    self.name = name
    self.family = family
    self.summary = summary
    self.definitions = definitions
    self.examples = examples
    parameters = definitions.map { definition in
      let list = definition.prefix { $0 != ")" }.dropFirst()
      return list.split(separator: ",").map { String($0.drop { $0 == " " }) }
    }
  }
}

enum DefaultMacros {
  static let rows: [DefaultMacro] =
    [
      DefaultMacro(
        "ago", "date", "The moment so long before now.",
        "(i) AS current_timestamp - CAST(i AS INTERVAL)",
        examples: [("ago(INTERVAL 1 DAY) < current_timestamp", "true")]),
      DefaultMacro(
        "assert_true", "conditional", "NULL where the condition is true, else an error.",
        "(condition) AS CASE WHEN condition THEN NULL ELSE error('Assertion failed') END",
        """
        (condition, message) AS CASE WHEN condition THEN NULL \
        ELSE error(coalesce('Assertion: ' || message, 'Assertion failed')) END
        """, examples: [("assert_true(1 < 2)", "NULL")]),
      DefaultMacro(
        "generate_subscripts", "list", "A row for each position of the list.",
        "(arr, dim) AS unnest(generate_series(1, array_length(arr, dim)))",
        examples: [("generate_subscripts([7], 1)", "1")]),
      DefaultMacro(
        "regexp_split_to_table", "regex", "A row for each part of the text between matches.",
        "(text, pattern) AS unnest(string_split_regex(text, pattern))",
        examples: [("regexp_split_to_table('a', '[0-9]')", "a")]),
      // What tools for PostgreSQL ask.
      DefaultMacro(
        "col_description", "postgres", "Always NULL.", "(table_oid, column_number) AS NULL"),
      DefaultMacro(
        "format_pg_type", "postgres", "PostgreSQL's name of a type.",
        """
        (logical_type, type_name) AS CASE upper(logical_type) WHEN 'FLOAT' THEN 'float4' \
        WHEN 'DOUBLE' THEN 'float8' WHEN 'DECIMAL' THEN 'numeric' WHEN 'ENUM' THEN lower(type_name) \
        WHEN 'BLOB' THEN 'bytea' WHEN 'TIMESTAMP WITH TIME ZONE' THEN 'timestamptz' \
        WHEN 'TIME WITH TIME ZONE' THEN 'timetz' WHEN 'SMALLINT' THEN 'int2' \
        WHEN 'INTEGER' THEN 'int4' WHEN 'BIGINT' THEN 'int8' WHEN 'BOOLEAN' THEN 'bool' \
        ELSE lower(logical_type) END
        """, examples: [("format_pg_type('BIGINT', 'bigint')", "int8")]),
      DefaultMacro(
        "format_type", "postgres", "PostgreSQL's name of the type of that number.",
        """
        (type_oid, typemod) AS (SELECT any_value(format_pg_type(logical_type, type_name)) \
        FROM duckdb_types() AS t WHERE t.type_oid = type_oid) || CASE WHEN typemod > 0 \
        THEN concat('(', typemod // 1000, ',', typemod % 1000, ')') ELSE '' END
        """),
      DefaultMacro(
        "get_block_size", "postgres", "The size of the blocks of that database's file.",
        "(db_name) AS (SELECT block_size FROM pragma_database_size() WHERE database_name = db_name)"
      ),
      DefaultMacro(
        "inet_client_addr", "postgres", "Always NULL: there is no server.", "() AS NULL"),
      DefaultMacro(
        "inet_client_port", "postgres", "Always NULL: there is no server.", "() AS NULL"),
      DefaultMacro(
        "inet_server_addr", "postgres", "Always NULL: there is no server.", "() AS NULL"),
      DefaultMacro(
        "inet_server_port", "postgres", "Always NULL: there is no server.", "() AS NULL"),
      DefaultMacro(
        "obj_description", "postgres", "Always NULL.", "(object_oid, catalog_name) AS NULL"),
      DefaultMacro("pg_conf_load_time", "postgres", "The moment.", "() AS current_timestamp"),
      DefaultMacro(
        "pg_get_constraintdef", "postgres", "The text of the constraint of that number.",
        """
        (constraint_oid) AS (SELECT constraint_text FROM duckdb_constraints() AS d \
        WHERE d.table_oid = constraint_oid // 1000000 AND d.constraint_index = constraint_oid % 1000000)
        """,
        """
        (constraint_oid, pretty_bool) AS (SELECT constraint_text FROM duckdb_constraints() AS d \
        WHERE d.table_oid = constraint_oid // 1000000 AND d.constraint_index = constraint_oid % 1000000)
        """),
      DefaultMacro(
        "pg_get_expr", "postgres", "The first argument.",
        "(pg_node_tree, relation_oid) AS pg_node_tree",
        examples: [("pg_get_expr('a', 1)", "a")]),
      DefaultMacro(
        "pg_get_viewdef", "postgres", "The text of the view of that number.",
        "(oid) AS (SELECT sql FROM duckdb_views() AS v WHERE v.view_oid = oid AND v.view_oid > 0)"),
      DefaultMacro(
        "pg_has_role", "postgres", "Always true: there are no users.",
        "(role, privilege) AS true", "(user, role, privilege) AS true",
        examples: [("pg_has_role('me', 'usage')", "true")]),
      DefaultMacro("pg_is_other_temp_schema", "postgres", "Always false.", "(schema_id) AS false"),
      DefaultMacro("pg_my_temp_schema", "postgres", "Always 0.", "() AS 0"),
      DefaultMacro(
        "pg_postmaster_start_time", "postgres", "The moment.", "() AS current_timestamp"),
      DefaultMacro(
        "pg_typeof", "postgres", "The name of the argument's type in small letters.",
        "(expression) AS lower(typeof(expression))", examples: [("pg_typeof(1)", "integer")]),
      DefaultMacro(
        "shobj_description", "postgres", "Always NULL.", "(object_oid, catalog_name) AS NULL"),
    ] + privileges + visibility

  private static let privileges: [DefaultMacro] =
    [
      "any_column", "database", "foreign_data_wrapper", "function", "language", "schema",
      "sequence",
      "server", "table", "tablespace",
    ].map { kind in
      DefaultMacro(
        "has_\(kind)_privilege", "postgres", "Always true: there are no users.",
        "(object, privilege) AS true", "(user, object, privilege) AS true",
        examples: [("has_\(kind)_privilege('x', 'select')", "true")])
    } + [
      DefaultMacro(
        "has_column_privilege", "postgres", "Always true: there are no users.",
        "(object, col, privilege) AS true", "(user, object, col, privilege) AS true",
        examples: [("has_column_privilege('t', 'c', 'select')", "true")])
    ]

  private static let visibility: [DefaultMacro] = [
    "collation", "conversion", "function", "opclass", "operator", "opfamily", "table", "ts_config",
    "ts_dict", "ts_parser", "ts_template", "type",
  ].map { kind in
    DefaultMacro(
      "pg_\(kind)_is_visible", "postgres", "Always true.", "(oid) AS true",
      examples: [("pg_\(kind)_is_visible(1)", "true")])
  }

  /// Parsed at the first use of any of them.
  private static let scalars = entries(rows)
  private static let tables = entries(tableRows)

  private static func entries(_ rows: [DefaultMacro]) -> [String: MacroEntry] {
    var entries: [String: MacroEntry] = [:]
    for row in rows {
      let text = "CREATE MACRO \(row.name)" + row.definitions.joined(separator: ", ")
      guard let statements = try? Parser.parseScript(text),
        case .createMacro(let create)? = statements.first?.statement
      else { preconditionFailure("the default macro \(row.name) does not parse: \(text)") }
      entries[row.name] = MacroEntry(name: row.name, definitions: create.definitions)
    }
    return entries
  }

  private static let scalarNames = Set(rows.map(\.name))
  private static let tableNames = Set(tableRows.map(\.name))

  static let allNames = scalarNames.union(tableNames).sorted()

  static func named(_ name: QualifiedName, isTable: Bool) -> MacroEntry? {
    let key = name.last.name.lowercased()
    guard (isTable ? tableNames : scalarNames).contains(key),
      name.qualifiers.allSatisfy({
        ["main", "pg_catalog", "system"].contains($0.name.lowercased())
      })
    else { return nil }
    return isTable ? tables[key] : scalars[key]
  }
}
