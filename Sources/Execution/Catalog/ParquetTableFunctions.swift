import Columnar
import Formats
import Functions
import Planner

/// What Parquet files say of themselves, as rows.
enum ParquetTableFunctions {
  static let rows: [TableFunctionDefinition] = [
    definition(
      "parquet_file_metadata", "a row for each Parquet file: rows, row groups, writer, sizes",
      "SELECT num_rows FROM parquet_file_metadata('data.parquet')",
      ParquetDescription.fileFields
    ) { [$0.fileRow] },
    definition(
      "parquet_kv_metadata", "a row for each key and value in the footers of Parquet files",
      "SELECT key FROM parquet_kv_metadata('data.parquet')", ParquetDescription.pairFields
    ) { $0.pairRows },
    definition(
      "parquet_metadata", "a row for each column chunk of Parquet files: sizes, bounds, encodings",
      "SELECT path_in_schema, stats_min FROM parquet_metadata('data.parquet')",
      ParquetDescription.chunkFields
    ) { $0.chunkRows },
    definition(
      "parquet_schema", "a row for each element of the schemas of Parquet files",
      "SELECT name, type FROM parquet_schema('data.parquet')", ParquetDescription.schemaFields
    ) { $0.schemaRows },
  ]

  private static func definition(
    _ name: String, _ summary: String, _ example: String, _ fields: [Field],
    _ rows: @escaping @Sendable (ParquetDescription) -> [[Value]]
  ) -> TableFunctionDefinition {
    TableFunctionDefinition(
      name: name, aliases: [], summary: summary, example: example,
      forms: [FunctionForm("VARCHAR | VARCHAR[]", gives: "rows")],
      make: { arguments, named, _ in
        let paths = try FileTableFunctions.patterns(arguments, named, name).flatMap {
          try FileGlob.expand($0)
        }
        return ValueListSource(
          fields, try paths.flatMap { rows(try ParquetDescription(path: $0)) })
      })
  }
}
