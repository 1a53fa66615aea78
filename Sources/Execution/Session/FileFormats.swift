import Columnar
import Diagnostics
import Formats

/// A file format: how its files are read and written. One row per format.
package struct FileFormat: Sendable {
  package typealias Options = [(name: String, value: Value, type: LogicalType)]

  package let name: String
  package let summary: String
  /// Endings that mean this format, before a compression's own ending.
  package let extensions: [String]
  let read: @Sendable (_ paths: [String], _ options: Options) throws -> any TableSource
  let write:
    @Sendable (_ path: String, _ fields: [Field], _ options: Options) throws -> any FileWriter
}

package enum FileFormats {
  package static let rows: [FileFormat] = [
    FileFormat(
      name: "csv", summary: "comma-separated values, also .tsv and .txt; .gz and .zst decompress",
      extensions: ["csv", "tsv", "txt"],
      read: { try CSVSource(paths: $0, options: CSVOptions($1)) },
      write: { try CSVWriter(path: $0, fields: $1, options: CSVWriterOptions($2)) }),
    FileFormat(
      name: "json", summary: "JSON: an object a line, one array, or documents in a row",
      extensions: ["json", "jsonl", "ndjson"],
      read: { try JSONSource(paths: $0, options: JSONReadOptions($1)) },
      write: { try JSONFileWriter(path: $0, fields: $1, options: JSONWriterOptions($2)) }),
    FileFormat(
      name: "parquet", summary: "Apache Parquet", extensions: ["parquet", "parq", "pq"],
      read: { try ParquetSource(paths: $0, options: ParquetReadOptions($1)) },
      write: { try ParquetWriter(path: $0, schema: $1, options: ParquetWriteOptions($2)) }),
  ]

  /// By name, or by the path's ending; an error that names the known ones otherwise.
  static func find(_ name: String?, path: String) throws -> FileFormat {
    if let name {
      if let row = rows.first(where: { $0.name == name.lowercased() }) { return row }
      throw SQLError(
        .binder, "file format \"\(name)\" is unknown",
        hint: didYouMean(name, among: rows.map(\.name)) ?? "known: "
          + rows.map(\.name).joined(separator: ", "))
    }
    var endings =
      path.lowercased().split(separator: "/").last?.split(separator: ".").map(String.init) ?? []
    if let last = endings.last, ["gz", "zst", "zstd"].contains(last) { endings.removeLast() }
    if let last = endings.last, let row = rows.first(where: { $0.extensions.contains(last) }) {
      return row
    }
    throw SQLError(
      .binder, "the format of \"\(path)\" is not clear from its name",
      hint: "give it: read_csv('…') or (FORMAT csv)")
  }
}
