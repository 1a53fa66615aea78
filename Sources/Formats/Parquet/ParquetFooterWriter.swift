import Columnar

/// Writes the FileMetaData of a file.
enum ParquetFooterWriter {
  static func bytes(
    _ schema: [Field], _ groups: [(rows: Int, chunks: [ParquetWrittenChunk])],
    _ codec: ParquetCodec,
    rowCount: Int
  ) -> [UInt8] {
    var paths: [[String]] = []
    var elements: [(inout ThriftWriter) -> Void] = []
    for field in schema { describe(field.name, field.type, [], &elements, &paths) }
    var writer = ThriftWriter()
    writer.element { writer in
      writer.int32(1, 2)
      writer.list(2, .structure, count: elements.count + 1)
      writer.element {
        $0.binary(4, "schema".utf8)
        $0.int32(5, schema.count)
      }
      for element in elements { writer.element(element) }
      writer.int64(3, rowCount)
      writer.list(4, .structure, count: groups.count)
      for group in groups {
        writer.element { writer in
          writer.list(1, .structure, count: group.chunks.count)
          for (chunk, path) in zip(group.chunks, paths) {
            writer.element { writer in
              writer.int64(2, 0)
              writer.structure(3) { describe(chunk, path, codec, &$0) }
            }
          }
          writer.int64(2, group.chunks.reduce(0) { $0 + $1.plainSize })
          writer.int64(3, group.rows)
        }
      }
      writer.binary(6, "Apus".utf8)
      // The order of all bounds is that of their type.
      writer.list(7, .structure, count: paths.count)
      for _ in paths { writer.element { $0.structure(1) { _ in } } }
    }
    return writer.bytes
  }

  private static func describe(
    _ chunk: ParquetWrittenChunk, _ path: [String], _ codec: ParquetCodec,
    _ writer: inout ThriftWriter
  ) {
    writer.int32(1, chunk.physicalType.rawValue)
    let encodings: [ParquetEncoding] =
      chunk.isDictionary ? [.plain, .runLength, .runLengthDictionary] : [.plain, .runLength]
    writer.list(2, .int32, count: encodings.count)
    for encoding in encodings { writer.element(encoding.rawValue) }
    writer.list(3, .binary, count: path.count)
    for name in path { writer.element(name.utf8) }
    writer.int32(4, codec.rawValue)
    writer.int64(5, chunk.valueCount)
    writer.int64(6, chunk.plainSize)
    writer.int64(7, chunk.compressedSize)
    writer.int64(9, chunk.dataOffset)
    if let offset = chunk.dictionaryOffset { writer.int64(11, offset) }
    writer.structure(12) { writer in
      writer.int64(3, chunk.nullCount)
      if let maximum = chunk.maximum { writer.binary(5, maximum) }
      if let minimum = chunk.minimum { writer.binary(6, minimum) }
    }
  }

  /// The schema elements of a column, depth first, and the paths of its leaves.
  private static func describe(
    _ name: String, _ type: LogicalType, _ above: [String], isRequired: Bool = false,
    _ elements: inout [(inout ThriftWriter) -> Void], _ paths: inout [[String]]
  ) {
    let path = above + [name]
    let repetition = isRequired ? 0 : 1
    /// The group of a list or a MAP and the repeated group in it, which has so many fields.
    func describeRepeated(
      _ name: String, _ repetition: Int, inner: StaticString, fields: Int, converted: Int,
      annotation: Int
    ) {
      elements.append {
        $0.int32(3, repetition)
        $0.binary(4, name.utf8)
        $0.int32(5, 1)
        $0.int32(6, converted)
        $0.structure(10) { $0.structure(annotation) { _ in } }
      }
      elements.append {
        $0.int32(3, 2)
        $0.binary(4, inner.description.utf8)
        $0.int32(5, fields)
      }
    }
    switch type {
    case .map(let key, let value):
      describeRepeated(name, repetition, inner: "key_value", fields: 2, converted: 1, annotation: 2)
      let entry = path + ["key_value"]
      describe("key", key, entry, isRequired: true, &elements, &paths)
      describe("value", value, entry, &elements, &paths)
    case .list(let element), .array(let element, _):
      describeRepeated(name, repetition, inner: "list", fields: 1, converted: 3, annotation: 3)
      describe("element", element, path + ["list"], &elements, &paths)
    case .structure(let fields):
      elements.append {
        $0.int32(3, repetition)
        $0.binary(4, name.utf8)
        $0.int32(5, fields.count)
      }
      for field in fields { describe(field.name, field.type, path, &elements, &paths) }
    default:
      paths.append(path)
      elements.append { describeLeaf(name, type, repetition, &$0) }
    }
  }

  private static func describeLeaf(
    _ name: String, _ type: LogicalType, _ repetition: Int, _ writer: inout ThriftWriter
  ) {
    let layout = ParquetFileLayout(type)
    writer.int32(1, layout.physicalType.rawValue)
    if layout.physicalType == .fixedLengthByteArray { writer.int32(2, layout.width) }
    writer.int32(3, repetition)
    writer.binary(4, name.utf8)
    /// The old annotation and the new one.
    func annotate(_ converted: Int, _ field: Int, _ body: @escaping (inout ThriftWriter) -> Void) {
      writer.int32(6, converted)
      writer.structure(10) { $0.structure(field, body) }
    }
    func integer(_ converted: Int, _ bits: Int, _ isSigned: Bool) {
      annotate(converted, 10) {
        $0.int8(1, bits)
        $0.boolean(2, isSigned)
      }
    }
    /// Units are milliseconds 1, microseconds 2, nanoseconds 3.
    func clock(_ field: Int, unit: Int = 2, isInstant: Bool = false) {
      writer.structure(10) {
        $0.structure(field) {
          $0.boolean(1, isInstant)
          $0.structure(2) { $0.structure(unit) { _ in } }
        }
      }
    }
    switch type {
    case .tinyint: integer(15, 8, true)
    case .smallint: integer(16, 16, true)
    case .integer: integer(17, 32, true)
    case .bigint: integer(18, 64, true)
    case .utinyint: integer(11, 8, false)
    case .usmallint: integer(12, 16, false)
    case .uinteger: integer(13, 32, false)
    case .ubigint: integer(14, 64, false)
    case .varchar, .enumeration: annotate(0, 1) { _ in }
    case .date: annotate(6, 6) { _ in }
    // The old annotations of these say "in UTC", which they are not.
    case .time: clock(7)
    case .timestamp, .timestampSeconds: clock(8)
    case .timestampMilliseconds: clock(8, unit: 1)
    case .timestampNanoseconds: clock(8, unit: 3)
    case .timestampTZ:
      writer.int32(6, 10)
      clock(8, isInstant: true)
    case .timeTZ:
      writer.int32(6, 8)
      clock(7, isInstant: true)
    case .uuid: writer.structure(10) { $0.structure(14) { _ in } }
    case .interval: writer.int32(6, 21)
    case .decimal(let precision, let scale):
      writer.int32(6, 5)
      writer.int32(7, scale)
      writer.int32(8, precision)
      writer.structure(10) {
        $0.structure(5) {
          $0.int32(1, scale)
          $0.int32(2, precision)
        }
      }
    default: break
    }
  }
}
