/// What the footers of Parquet files tell without reading their data.
package struct ParquetMetadata: Sendable {
  /// A row group of a file.
  package struct RowGroup: Sendable {
    package let path: String
    package let rowCount: Int
    /// Bytes that its column chunks take in the file.
    package let compressedByteCount: Int
  }

  /// Of all files, exact.
  package let rowCount: Int
  package let rowGroups: [RowGroup]
  /// The programs that wrote the files, by file.
  package let writers: [String]

  init(_ files: [ParquetFile]) {
    var groups: [RowGroup] = []
    for file in files {
      for group in file.footer.rowGroups {
        var bytes = 0
        for column in group.columns { bytes = bytes &+ column.compressedSize }
        groups.append(
          RowGroup(path: file.path, rowCount: group.rowCount, compressedByteCount: bytes))
      }
    }
    rowGroups = groups
    rowCount = files.reduce(0) { $0 &+ $1.footer.rowCount }
    writers = files.map(\.footer.createdBy)
  }
}
