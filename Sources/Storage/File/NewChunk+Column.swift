import Columnar

extension NewChunk {
  /// A column of one row group as the file keeps it.
  init(_ column: Column, columnID: Int64) throws {
    let bytes = try ColumnChunk.encode(column)
    var sketch: DistinctSketch?
    if DistinctSketch.takes(column.type) {
      var made = DistinctSketch()
      made.add(column)
      sketch = made
    }
    let zone = ChunkZone(column, sketch: sketch)
    let header = try bytes.withUnsafeBytes { try ChunkHeader($0) }
    self.init(
      ChunkRecord(
        column: columnID, rowCount: Int64(column.count), nullCount: Int64(zone.nullCount),
        distinctCount: zone.distinctCount.map { Int64(clamping: Int($0)) },
        minimum: zone.minimum.map { .blob($0) } ?? .null,
        maximum: zone.maximum.map { .blob($0) } ?? .null,
        encoding: "\(header.encoding)", byteCount: Int64(bytes.count)),
      bytes: bytes,
      statistics: try sketch.map {
        ChunkStatistics(sketch: $0.bytes, sample: try ColumnSample.bytes(of: column))
      })
  }

  /// The record as the writer leaves it in the file.
  func written(as id: Int64) -> ChunkRecord {
    var record = record
    record.id = id
    record.byteCount = Int64(bytes.count)
    record.checksum = bytes.withUnsafeBytes { ChunkChecksum.of($0) }
    return record
  }
}
