import Columnar
import Planner
import Storage

extension CatalogFunctions {
  static let columnStatistics = CatalogFunction(
    "column_statistics", "what the planner knows of the columns of tables",
    """
    database_name, schema_name, table_name, column_name, column_index integer, \
    estimated_size bigint, distinct_count bigint, null_fraction double, has_sketch boolean, \
    sample_size bigint
    """
  ) { catalog in
    catalog.tables().flatMap { key, object, table -> [[Value]] in
      let place = ObjectPlace(key, catalog.state)
      return table.definition.columns.enumerated().map { position, column in
        let known = table.columnStatistics(position)
        return [
          .varchar(place.database), .varchar(place.schema), .varchar(object.name),
          .varchar(column.name), .count(position + 1), .count(table.estimatedRowCount ?? 0),
          .count(known?.distinctCount.map { Int(exactly: min($0, 1e18).rounded()) ?? 0 }),
          known.map { .double($0.nullFraction) } ?? .null,
          .boolean(table.hasSketch(position)),
          .count(table.sample(columns: [position])?.first?.count ?? 0),
        ]
      }
    }
  }
}
