import Columnar
import Diagnostics
import Planner
import Storage
import Syntax

// Catalog functions about tables, views and what belongs to them.
extension CatalogFunctions {
  static let tables = CatalogFunction(
    "tables", "the tables",
    """
    database_name, database_oid bigint, schema_name, schema_oid bigint, table_name, \
    table_oid bigint, comment, internal boolean, temporary boolean, has_primary_key boolean, \
    estimated_size bigint, column_count bigint, index_count bigint, \
    check_constraint_count bigint, sql
    """
  ) { catalog in
    catalog.tables().map { key, object, table in
      let place = ObjectPlace(key, catalog.state)
      let definition = table.definition
      return [
        .varchar(place.database), .count(place.databaseNumber), .varchar(place.schema),
        .count(place.schemaNumber), .varchar(object.name), .count(object.stamp),
        .text(object.comment), .boolean(false), .boolean(place.isTemporary),
        .boolean(definition.keys.contains { $0.kind == .primary }),
        .count(table.estimatedRowCount ?? 0), .count(definition.columns.count),
        .count(TableText.indexCount(definition, key, catalog.state)),
        .count(definition.checks.count),
        .varchar(TableText.create(definition, key, object)),
      ]
    }
  }

  static let views = CatalogFunction(
    "views", "the views",
    """
    database_name, database_oid bigint, schema_name, schema_oid bigint, view_name, \
    view_oid bigint, comment, internal boolean, temporary boolean, column_count bigint, sql
    """
  ) { catalog in
    let own = catalog.state.objects(.relation).compactMap { key, object -> [Value]? in
      guard case .view(let view) = object.item else { return nil }
      let place = ObjectPlace(key, catalog.state)
      let fields = try? catalog.columns(of: object, name: nil)
      return [
        .varchar(place.database), .count(place.databaseNumber), .varchar(place.schema),
        .count(place.schemaNumber), .varchar(object.name), .count(object.stamp),
        .text(object.comment), .boolean(false), .boolean(place.isTemporary),
        .count(fields?.count), .varchar(TableText.create(view, key, object)),
      ]
    }
    let system = SystemViews.rows.map { view -> [Value] in
      [
        .varchar("system"), .count(0), .varchar(view.schema), .count(0), .varchar(view.name),
        .count(0), .null, .boolean(true), .boolean(false), .null,
        .varchar("CREATE VIEW \(view.name) AS \(view.sql);"),
      ]
    }
    return own + system
  }

  static let columns = CatalogFunction(
    "columns", "the columns of tables and views",
    """
    database_name, database_oid bigint, schema_name, schema_oid bigint, table_name, \
    table_oid bigint, column_name, column_index integer, comment, internal boolean, \
    column_default, is_nullable boolean, data_type, data_type_id bigint, \
    character_maximum_length integer, numeric_precision integer, numeric_precision_radix integer, \
    numeric_scale integer, is_generated boolean, generation_expression
    """
  ) { catalog in
    var result: [[Value]] = []
    for (key, object) in catalog.state.objects(.relation) {
      let place = ObjectPlace(key, catalog.state)
      for (position, column) in catalog.describedColumns(of: object).enumerated() {
        let numeric = NumericFacts(column.type)
        result.append([
          .varchar(place.database), .count(place.databaseNumber), .varchar(place.schema),
          .count(place.schemaNumber), .varchar(object.name), .count(object.stamp),
          .varchar(column.name), .count(position + 1),
          .text(object.columnComments[column.name.lowercased()]), .boolean(false),
          .text((column.defaultValue ?? column.generated).map { Printer.sql($0) }),
          .boolean(!column.isRequired), .varchar(column.type.description),
          .count(numeric.typeNumber), .null, .count(numeric.precision), .count(numeric.radix),
          .count(numeric.scale), .boolean(column.generated != nil),
          .text(column.generated.map { Printer.sql($0) }),
        ])
      }
    }
    return result
  }

  static let constraints = CatalogFunction(
    "constraints", "the constraints of tables",
    """
    database_name, database_oid bigint, schema_name, schema_oid bigint, table_name, \
    table_oid bigint, constraint_index bigint, constraint_type, constraint_text, expression, \
    constraint_column_indexes bigint[], constraint_column_names varchar[], constraint_name, \
    referenced_table, referenced_column_names varchar[]
    """
  ) { catalog in
    catalog.tables().flatMap { key, object, table -> [[Value]] in
      let place = ObjectPlace(key, catalog.state)
      let definition = table.definition
      return TableText.constraints(definition).enumerated().map { position, constraint in
        [
          .varchar(place.database), .count(place.databaseNumber), .varchar(place.schema),
          .count(place.schemaNumber), .varchar(object.name), .count(object.stamp),
          .count(position), .varchar(constraint.kind), .varchar(constraint.text),
          .text(constraint.expression), .list(constraint.columns.map { .count($0) }),
          .texts(constraint.columns.map { definition.columns[$0].name }),
          .varchar(constraint.name), .text(constraint.referencedTable),
          .texts(constraint.referencedColumns),
        ]
      }
    }
  }
}

/// What the catalog says of numbers.
struct NumericFacts {
  var typeNumber: Int?
  var precision: Int?
  var radix: Int?
  var scale: Int?

  init(_ type: LogicalType) {
    switch type {
    case .tinyint: (typeNumber, precision) = (11, 8)
    case .smallint: (typeNumber, precision) = (12, 16)
    case .integer: (typeNumber, precision) = (13, 32)
    case .bigint: (typeNumber, precision) = (14, 64)
    case .utinyint: (typeNumber, precision) = (28, 8)
    case .usmallint: (typeNumber, precision) = (29, 16)
    case .uinteger: (typeNumber, precision) = (30, 32)
    case .ubigint: (typeNumber, precision) = (31, 64)
    case .hugeint: (typeNumber, precision) = (50, 128)
    case .uhugeint: (typeNumber, precision) = (49, 128)
    case .float: (typeNumber, precision) = (22, 24)
    case .double: (typeNumber, precision) = (23, 53)
    case .decimal(let precision, let scale):
      (typeNumber, self.precision, radix, self.scale) = (21, precision, 10, scale)
    case .boolean: typeNumber = 10
    case .date: typeNumber = 15
    case .time: typeNumber = 16
    case .timestampSeconds: typeNumber = 17
    case .timestampMilliseconds: typeNumber = 18
    case .timestamp: typeNumber = 19
    case .timestampNanoseconds: typeNumber = 20
    case .varchar, .json: typeNumber = 25
    case .blob: typeNumber = 26
    case .interval: typeNumber = 27
    case .timestampTZ: typeNumber = 32
    case .timeTZ: typeNumber = 34
    case .uuid: typeNumber = 54
    case .structure: typeNumber = 100
    case .list: typeNumber = 101
    case .map: typeNumber = 102
    case .enumeration: typeNumber = 104
    case .array: typeNumber = 108
    case .null: typeNumber = 1
    }
    if precision != nil, radix == nil { (radix, scale) = (2, 0) }
  }
}

extension StatementCatalog {
  /// The tables, without views.
  func tables() -> [(key: CatalogState.Key, object: CatalogObject, table: TableVersion)] {
    state.objects(.relation).compactMap { key, object in
      guard case .table(let table) = object.item else { return nil }
      return (key, object, table)
    }
  }

  /// Names and types of a table's or view's columns.
  func columns(of object: CatalogObject, name: QualifiedName?) throws -> [Field] {
    switch object.item {
    case .table(let table): return table.definition.fields
    case .foreign(let table): return table.definition.fields
    case .view(let view):
      let binder = Binder(catalog: self)
      let outer = searchPath
      searchPath = view.searchPath
      defer { searchPath = outer }
      let bound = try binder.bind(view.query)
      return bound.fields.enumerated().map { position, field in
        position < view.columns.count ? Field(view.columns[position], field.type) : field
      }
    case .schema, .model, .sequence, .type, .macro, .index, .setting: return []
    }
  }

  /// The columns as a definition has them; none for a view that no longer binds.
  func describedColumns(of object: CatalogObject) -> [TableDefinition.Column] {
    if case .table(let table) = object.item { return table.definition.columns }
    let fields = (try? columns(of: object, name: nil)) ?? []
    return fields.map { TableDefinition.Column(name: $0.name, type: $0.type) }
  }
}
