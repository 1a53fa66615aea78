import Columnar
import Diagnostics

/// How Parquet files are read.
package struct ParquetReadOptions: Sendable {
  /// Read BYTE_ARRAY columns without an annotation as VARCHAR rather than BLOB.
  package var binaryAsString = false

  package init(binaryAsString: Bool = false) {
    self.binaryAsString = binaryAsString
  }

  /// The options of `read_parquet(…, name = value)`.
  package init(_ options: [(name: String, value: Value, type: LogicalType)]) throws {
    for option in options {
      switch option.name.lowercased() {
      case "binary_as_string":
        guard case .boolean(let isOn) = option.value else {
          throw SQLError(.binder, "option \"binary_as_string\" must be true or false")
        }
        binaryAsString = isOn
      default:
        throw SQLError(
          .binder, "unknown option \"\(option.name)\" for read_parquet",
          hint: didYouMean(option.name, among: ["binary_as_string"]))
      }
    }
  }
}

/// The rows of one or more Parquet files of the same schema, in the files' order.
package final class ParquetSource: TableSource {
  package let schema: [Field]
  /// Row counts and row groups, from the files' footers.
  package let metadata: ParquetMetadata
  private let files: [ParquetFile]
  private let statistics = ParquetStatisticsCache()

  /// Opens all files and reads their footers. An `.io` error names the file that cannot be read,
  /// an `.invalidInput` error the file and column that differ from the first file's schema.
  package init(paths: [String], options: ParquetReadOptions = ParquetReadOptions()) throws {
    guard !paths.isEmpty else { throw SQLError(.io, "no Parquet files to read") }
    files = try paths.map { try ParquetFile(path: $0, binaryAsString: options.binaryAsString) }
    schema = withUniqueNames(files[0].schema.fields)
    for file in files.dropFirst() { try Self.checkSame(file, as: files[0]) }
    metadata = ParquetMetadata(files)
  }

  package var estimatedRowCount: Int? { metadata.rowCount }

  package func columnStatistics(_ position: Int) -> ColumnStatistics? {
    statistics.statistics(of: position, files: files)
  }

  package var canSkipRows: Bool { true }

  package func scan(
    columns: [Int], filters: [ScanFilter], batchRows: Int
  ) throws -> any PartitionedScan {
    ParquetScan(
      files: files, schema: schema, columns: columns, filters: filters, batchRows: max(1, batchRows)
    )
  }

  private static func checkSame(_ file: ParquetFile, as first: ParquetFile) throws {
    let wanted = first.schema.fields
    let found = file.schema.fields
    for (position, field) in wanted.enumerated() {
      guard position < found.count else {
        throw mismatch(file, first, "has no column \"\(field.name)\"")
      }
      let other = found[position]
      guard other.name == field.name else {
        throw mismatch(
          file, first, "has column \"\(other.name)\" in the place of column \"\(field.name)\"")
      }
      guard other.type == field.type else {
        throw mismatch(
          file, first, "has column \"\(field.name)\" of type \(other.type) instead of \(field.type)"
        )
      }
    }
    if found.count > wanted.count {
      throw mismatch(file, first, "has a further column \"\(found[wanted.count].name)\"")
    }
  }

  private static func mismatch(
    _ file: ParquetFile, _ first: ParquetFile, _ difference: String
  ) -> SQLError {
    SQLError(
      .invalidInput, "Parquet file \"\(file.path)\" \(difference), unlike file \"\(first.path)\"")
  }
}
