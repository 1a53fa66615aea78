import Columnar
import Diagnostics

/// How a Parquet file is written.
package struct ParquetWriteOptions: Sendable {
  var codec = ParquetCodec.snappy
  var compressionLevel: Int?
  var rowGroupRows = EngineLimits.rowGroupRows

  package init() {}

  /// The options of `COPY … TO … (FORMAT parquet, name value, …)`; a `.binder` error for names and
  /// values that do not exist.
  package init(_ options: [(name: String, value: Value, type: LogicalType)]) throws {
    let names = ["compression", "compression_level", "row_group_size", "codec"]
    for option in options {
      switch option.name.lowercased() {
      case "compression", "codec":
        guard case .varchar(let name) = option.value, let codec = Self.codecs[name.lowercased()]
        else { throw Self.unknownCodec(option.value) }
        self.codec = codec
      case "compression_level":
        guard case .integer(let level) = option.value, level >= -7, level <= 22 else {
          throw Self.outOfRange(option.name, "from -7 to 22")
        }
        compressionLevel = Int(level)
      case "row_group_size":
        guard case .integer(let rows) = option.value, rows >= 1, rows <= 1 << 27 else {
          throw Self.outOfRange(option.name, "from 1 to 134217728")
        }
        rowGroupRows = Int(rows)
      case "format": break
      default:
        throw SQLError(
          .binder, "unknown option \"\(option.name)\" for writing Parquet",
          hint: didYouMean(option.name, among: names))
      }
    }
  }

  private static let codecs: [String: ParquetCodec] = [
    "gzip": .gzip, "lz4": .lz4Raw, "lz4_raw": .lz4Raw, "none": .uncompressed, "snappy": .snappy,
    "uncompressed": .uncompressed, "zstd": .zstd,
  ]

  private static func unknownCodec(_ value: Value) -> SQLError {
    guard case .varchar(let name) = value else {
      return SQLError(.binder, "option \"compression\" must be the name of a codec")
    }
    return SQLError(
      .binder, "unknown Parquet compression \"\(name)\"",
      hint: didYouMean(name, among: codecs.keys.sorted())
        ?? "one of snappy, zstd, gzip, lz4_raw, uncompressed")
  }

  private static func outOfRange(_ name: String, _ range: String) -> SQLError {
    SQLError(.binder, "option \"\(name)\" must be an integer \(range)")
  }
}
