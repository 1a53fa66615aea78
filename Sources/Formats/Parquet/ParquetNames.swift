/// The names that the format's definition, parquet.thrift, gives things.

extension ParquetPhysicalType {
  var name: String {
    switch self {
    case .boolean: "BOOLEAN"
    case .int32: "INT32"
    case .int64: "INT64"
    case .int96: "INT96"
    case .float: "FLOAT"
    case .double: "DOUBLE"
    case .byteArray: "BYTE_ARRAY"
    case .fixedLengthByteArray: "FIXED_LEN_BYTE_ARRAY"
    }
  }
}

extension ParquetCodec {
  var name: String {
    switch self {
    case .uncompressed: "UNCOMPRESSED"
    case .snappy: "SNAPPY"
    case .gzip: "GZIP"
    case .lzo: "LZO"
    case .brotli: "BROTLI"
    case .lz4: "LZ4"
    case .zstd: "ZSTD"
    case .lz4Raw: "LZ4_RAW"
    }
  }
}

extension ParquetEncoding {
  var name: String {
    switch self {
    case .plain: "PLAIN"
    case .plainDictionary: "PLAIN_DICTIONARY"
    case .runLength: "RLE"
    case .bitPacked: "BIT_PACKED"
    case .deltaBinaryPacked: "DELTA_BINARY_PACKED"
    case .deltaLengthByteArray: "DELTA_LENGTH_BYTE_ARRAY"
    case .deltaByteArray: "DELTA_BYTE_ARRAY"
    case .runLengthDictionary: "RLE_DICTIONARY"
    case .byteStreamSplit: "BYTE_STREAM_SPLIT"
    }
  }
}

extension ParquetRepetition {
  var name: String {
    switch self {
    case .required: "REQUIRED"
    case .optional: "OPTIONAL"
    case .repeated: "REPEATED"
    }
  }
}

extension ParquetSchemaElement {
  /// The ConvertedType by number.
  static let convertedNames: [Int: String] = Dictionary(
    uniqueKeysWithValues: [
      "UTF8", "MAP", "MAP_KEY_VALUE", "LIST", "ENUM", "DECIMAL", "DATE", "TIME_MILLIS",
      "TIME_MICROS", "TIMESTAMP_MILLIS", "TIMESTAMP_MICROS", "UINT_8", "UINT_16", "UINT_32",
      "UINT_64", "INT_8", "INT_16", "INT_32", "INT_64", "JSON", "BSON", "INTERVAL",
    ].enumerated().map { ($0, $1) })
}

extension ParquetAnnotation {
  /// As Thrift prints a LogicalType.
  var name: String? {
    switch self {
    case .string: "StringType()"
    case .enumeration: "EnumType()"
    case .json: "JsonType()"
    case .bson: "BsonType()"
    case .uuid: "UUIDType()"
    case .float16: "Float16Type()"
    case .date: "DateType()"
    case .unknown: "NullType()"
    case .list: "ListType()"
    case .map: "MapType()"
    // Only ConvertedTypes.
    case .interval, .mapKeyValue: nil
    case .decimal(let precision, let scale): "DecimalType(scale=\(scale), precision=\(precision))"
    case .time(let unit, let isInstant):
      "TimeType(isAdjustedToUTC=\(isInstant ? 1 : 0), unit=\(unit.name))"
    case .timestamp(let unit, let isInstant):
      "TimestampType(isAdjustedToUTC=\(isInstant ? 1 : 0), unit=\(unit.name))"
    case .integer(let bits, let signed):
      "IntType(bitWidth=\(bits), isSigned=\(signed ? 1 : 0))"
    }
  }
}

extension ParquetTimeUnit {
  fileprivate var name: String {
    let parts: (String, String, String) =
      switch self {
      case .milliseconds: ("MilliSeconds()", "<null>", "<null>")
      case .microseconds: ("<null>", "MicroSeconds()", "<null>")
      case .nanoseconds: ("<null>", "<null>", "NanoSeconds()")
      }
    return "TimeUnit(MILLIS=\(parts.0), MICROS=\(parts.1), NANOS=\(parts.2))"
  }
}
