import Columnar
import Diagnostics

/// One column of one row group as bytes, and back: what the database file keeps. Encodings are chosen
/// for each chunk by what a sample of it takes. docs/file-format.md describes the bytes.
package enum ColumnChunk {
  /// The rows of `column`, up to `EngineLimits.rowGroupRows` in any encoding.
  package static func encode(_ column: Column) throws -> [UInt8] {
    guard column.count <= EngineLimits.rowGroupRows else {
      throw SQLError(.internal, "a column chunk cannot have \(column.count) rows")
    }
    var writer = ChunkWriter()
    ChunkHeader.reserve(column, in: &writer)
    let encoding = try ColumnNode.encode(column, into: &writer)
    ChunkHeader.seal(&writer, encoding: encoding)
    return writer.bytes
  }

  /// The column that was encoded: constant and dictionary chunks come out as such columns, others
  /// flat. Bytes that are no chunk, are damaged or of another type's layout throw `.io`. The column
  /// owns its memory; the bytes may go.
  package static func decode(_ bytes: UnsafeRawBufferPointer, type: LogicalType) throws -> Column {
    let header = try ChunkHeader(bytes)
    guard header.kind == type.physical.chunkKind else {
      throw ChunkDamage.error("its values are not those of a column of type \(type)")
    }
    guard let start = bytes.baseAddress else { throw ChunkDamage.truncated }
    var reader = ChunkReader(start + ChunkHeader.byteCount, count: header.payloadCount)
    let column = try ColumnNode.decode(type, header.rowCount, from: &reader)
    guard reader.isAtEnd else { throw ChunkDamage.trailing }
    return column
  }
}
