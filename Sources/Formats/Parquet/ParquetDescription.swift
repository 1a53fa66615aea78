import Columnar

/// A Parquet file's own description as rows, under the names that DuckDB gives the columns.
package struct ParquetDescription {
  private let file: ParquetFile
  private let details: ParquetFooterDetails

  /// Reads the footer. `.io` error for a file that is none or is damaged.
  package init(path: String) throws {
    let file = try ParquetFile(path: path, binaryAsString: false)
    self.file = file
    details = try locatingDamage(path) { try ParquetFooterDetails(file.footer.bytes) }
  }

  // MARK: The file

  package static let fileFields = [
    Field("file_name", .varchar), Field("created_by", .varchar), Field("num_rows", .bigint),
    Field("num_row_groups", .bigint), Field("format_version", .bigint),
    Field("encryption_algorithm", .varchar), Field("footer_signing_key_metadata", .varchar),
    Field("file_size_bytes", .ubigint), Field("footer_size", .ubigint),
    Field("column_orders", .list(.varchar)),
  ]

  /// One row.
  package var fileRow: [Value] {
    let orders = [Value](
      repeating: .varchar("ColumnOrder(TYPE_ORDER=TypeDefinedOrder())"), count: details.orderCount)
    return [
      .varchar(file.path), .varchar(file.footer.createdBy), count(file.footer.rowCount),
      count(file.footer.rowGroups.count), count(details.version), .null, .null,
      count(file.byteCount), count(file.footer.bytes.count), orders.isEmpty ? .null : .list(orders),
    ]
  }

  package static let pairFields = [
    Field("file_name", .varchar), Field("key", .blob), Field("value", .blob),
  ]

  /// A row for each key that the writer left in the footer.
  package var pairRows: [[Value]] {
    details.pairs.map { pair in
      [.varchar(file.path), bytes(pair.key), pair.value.map(bytes) ?? .null]
    }
  }

  // MARK: The schema

  package static let schemaFields = [
    Field("file_name", .varchar), Field("name", .varchar), Field("type", .varchar),
    Field("type_length", .varchar), Field("repetition_type", .varchar),
    Field("num_children", .bigint), Field("converted_type", .varchar), Field("scale", .bigint),
    Field("precision", .bigint), Field("field_id", .bigint), Field("logical_type", .varchar),
    Field("duckdb_type", .varchar), Field("column_id", .bigint),
  ]

  /// A row for each element of the schema, from its root down.
  package var schemaRows: [[Value]] {
    file.footer.elements.enumerated().map { position, element in
      let isDecimal = if case .decimal = element.annotation { true } else { false }
      return [
        .varchar(file.path), .varchar(element.name), text(element.physicalType?.name),
        text(element.typeLength > 0 ? "\(element.typeLength)" : nil),
        .varchar(element.repetition.name),
        element.childCount > 0 ? count(element.childCount) : .null,
        text(element.convertedType.flatMap { ParquetSchemaElement.convertedNames[$0] }),
        isDecimal ? count(element.scale) : .null, isDecimal ? count(element.precision) : .null,
        element.fieldID.map(count) ?? .null,
        text(element.hasLogicalType ? element.annotation?.name : nil),
        text(file.schema.elementTypes[position].map { "\($0)" }), count(position),
      ]
    }
  }

  // MARK: The column chunks

  package static let chunkFields = [
    Field("file_name", .varchar), Field("row_group_id", .bigint),
    Field("row_group_num_rows", .bigint), Field("row_group_num_columns", .bigint),
    Field("row_group_bytes", .bigint), Field("column_id", .bigint), Field("file_offset", .bigint),
    Field("num_values", .bigint), Field("path_in_schema", .varchar), Field("type", .varchar),
    Field("stats_min", .varchar), Field("stats_max", .varchar), Field("stats_null_count", .bigint),
    Field("stats_distinct_count", .bigint), Field("stats_min_value", .varchar),
    Field("stats_max_value", .varchar), Field("compression", .varchar),
    Field("encodings", .varchar), Field("index_page_offset", .bigint),
    Field("dictionary_page_offset", .bigint), Field("data_page_offset", .bigint),
    Field("total_compressed_size", .bigint), Field("total_uncompressed_size", .bigint),
    Field("key_value_metadata", .map(key: .blob, value: .blob)),
    Field("bloom_filter_offset", .bigint), Field("bloom_filter_length", .bigint),
    Field("min_is_exact", .boolean), Field("max_is_exact", .boolean),
    Field("row_group_compressed_bytes", .bigint),
  ]

  /// A row for each column chunk of each row group.
  package var chunkRows: [[Value]] {
    zip(file.footer.rowGroups, details.rowGroups).enumerated().flatMap { number, both in
      let (group, more) = both
      let compressed = group.columns.reduce(0) { $0 &+ $1.compressedSize }
      return zip(group.columns, more.chunks).enumerated().map { column, chunk in
        let place: [Value] = [
          .varchar(file.path), count(number), count(group.rowCount), count(group.columns.count),
          count(more.byteCount), count(column),
        ]
        return place + row(of: chunk.0, chunk.1, leaf: file.schema.leaves[column])
          + [count(compressed)]
      }
    }
  }

  private func row(
    of chunk: ParquetColumnChunk, _ more: ParquetFooterDetails.Chunk, leaf: ParquetLeaf
  ) -> [Value] {
    let statistics = chunk.statistics
    func bound(_ range: Range<Int>?) -> Value {
      text(ParquetBounds.text(range, leaf, file.footer.bytes))
    }
    let pairs = more.pairs.map { pair -> Value in
      .structure([bytes(pair.key), pair.value.map(bytes) ?? .null])
    }
    return [
      count(more.fileOffset), count(chunk.valueCount),
      .varchar(more.path.joined(separator: ", ")),
      text(ParquetPhysicalType(rawValue: chunk.physicalType)?.name),
      bound(statistics.legacyMinimum), bound(statistics.legacyMaximum),
      statistics.nullCount.map(count) ?? .null, statistics.distinctCount.map(count) ?? .null,
      bound(statistics.minimum), bound(statistics.maximum),
      text(ParquetCodec(rawValue: chunk.codec)?.name),
      .varchar(
        more.encodings.compactMap { ParquetEncoding(rawValue: $0)?.name }.joined(separator: ", ")),
      more.indexOffset.map(count) ?? .null, chunk.dictionaryOffset.map(count) ?? .null,
      count(chunk.dataOffset), count(chunk.compressedSize), count(more.uncompressedSize),
      .list(pairs), more.bloomOffset.map(count) ?? .null, more.bloomLength.map(count) ?? .null,
      more.minimumIsExact.map { .boolean($0) } ?? .null,
      more.maximumIsExact.map { .boolean($0) } ?? .null,
    ]
  }

  private func count(_ number: Int) -> Value { .integer(Int128(number)) }

  private func text(_ name: String?) -> Value { name.map { .varchar($0) } ?? .null }

  private func bytes(_ range: Range<Int>) -> Value { .blob(Array(file.footer.bytes[range])) }
}
