/// The types that values have in the file, before annotations.
enum ParquetPhysicalType: Int, Sendable {
  case boolean = 0, int32, int64, int96, float, double, byteArray, fixedLengthByteArray
}

/// How the pages of a column chunk are compressed.
enum ParquetCodec: Int, Sendable {
  case uncompressed = 0, snappy, gzip, lzo, brotli, lz4, zstd, lz4Raw
}

/// How values are laid out in a page.
enum ParquetEncoding: Int, Sendable {
  case plain = 0, plainDictionary = 2, runLength = 3, bitPacked = 4, deltaBinaryPacked = 5
  case deltaLengthByteArray = 6, deltaByteArray = 7, runLengthDictionary = 8, byteStreamSplit = 9
}

enum ParquetRepetition: Int, Sendable {
  case required = 0, optional, repeated
}

/// The unit of TIME and TIMESTAMP.
enum ParquetTimeUnit: Sendable {
  case milliseconds, microseconds, nanoseconds
}

/// What an annotation makes of a physical type or a group: the LogicalType of new files, or the
/// ConvertedType of old ones.
enum ParquetAnnotation: Equatable, Sendable {
  case string, enumeration, json, bson, uuid, float16, date, interval, unknown
  case list, map, mapKeyValue
  case decimal(precision: Int, scale: Int)
  case time(ParquetTimeUnit, isInstant: Bool)
  case timestamp(ParquetTimeUnit, isInstant: Bool)
  case integer(bits: Int, signed: Bool)
}

struct ParquetSchemaElement: Sendable {
  var physicalType: ParquetPhysicalType?
  var typeLength = 0
  var repetition = ParquetRepetition.required
  var name = ""
  var childCount = 0
  var convertedType: Int?
  var scale = 0
  var precision = 0
  var annotation: ParquetAnnotation?
  /// Whether the annotation is a LogicalType, not a ConvertedType.
  var hasLogicalType = false
  var fieldID: Int?
}

/// Bounds of the values of a column chunk, as byte ranges of the footer.
struct ParquetStatistics: Sendable {
  var minimum: Range<Int>?
  var maximum: Range<Int>?
  /// The ones of old files, whose order for strings and unsigned numbers was left open.
  var legacyMinimum: Range<Int>?
  var legacyMaximum: Range<Int>?
  var nullCount: Int?
  /// Few writers count them.
  var distinctCount: Int?
}

struct ParquetColumnChunk: Sendable {
  var physicalType: Int = -1
  var codec = 0
  var valueCount = 0
  var compressedSize = 0
  var dataOffset = 0
  var dictionaryOffset: Int?
  var isEncrypted = false
  var isElsewhere = false
  var statistics = ParquetStatistics()

  /// Where the chunk's first page starts.
  var start: Int {
    if let dictionaryOffset, dictionaryOffset > 0 { return min(dictionaryOffset, dataOffset) }
    return dataOffset
  }
}

struct ParquetRowGroup: Sendable {
  var columns: [ParquetColumnChunk] = []
  var rowCount = 0
}

/// The FileMetaData at a file's end.
struct ParquetFooter: Sendable {
  let bytes: [UInt8]
  private(set) var elements: [ParquetSchemaElement] = []
  private(set) var rowGroups: [ParquetRowGroup] = []
  private(set) var rowCount = 0
  private(set) var createdBy = ""

  init(_ bytes: [UInt8]) throws {
    self.bytes = bytes
    var elements: [ParquetSchemaElement] = []
    var rowGroups: [ParquetRowGroup] = []
    var createdBy = ""
    try bytes.withUnsafeBytes { raw in
      guard let start = raw.baseAddress else { throw ParquetDamage.truncatedMetadata }
      var reader = ThriftReader(start, count: raw.count)
      try reader.fields { reader, field, kind in
        switch (field, kind) {
        case (2, .list):
          try reader.elements { reader, _ in elements.append(try .init(from: &reader)) }
        case (4, .list):
          try reader.elements { reader, _ in rowGroups.append(try .init(from: &reader)) }
        case (6, .binary): createdBy = try reader.text()
        default: return false
        }
        return true
      }
    }
    self.elements = elements
    self.rowGroups = rowGroups
    self.createdBy = createdBy
    for group in rowGroups { rowCount += group.rowCount }
    guard rowGroups.count < 1 << 14 || rowCount < 1 << 60 else {
      throw ParquetDamage("its metadata hold an impossible number of rows")
    }
  }
}

extension ParquetSchemaElement {
  init(from reader: inout ThriftReader) throws {
    var made = ParquetSchemaElement()
    try reader.fields { reader, field, kind in
      switch (field, kind) {
      case (1, .int32): made.physicalType = ParquetPhysicalType(rawValue: Int(try reader.integer()))
      case (2, .int32): made.typeLength = try reader.size(limit: 1 << 24)
      case (3, .int32):
        guard let repetition = ParquetRepetition(rawValue: Int(try reader.integer())) else {
          throw ParquetDamage("its schema is damaged")
        }
        made.repetition = repetition
      case (4, .binary): made.name = try reader.text()
      case (5, .int32): made.childCount = try reader.size(limit: 1 << 20)
      case (6, .int32): made.convertedType = Int(try reader.integer())
      case (7, .int32): made.scale = try reader.size(limit: 1 << 16)
      case (8, .int32): made.precision = try reader.size(limit: 1 << 16)
      case (9, .int32): made.fieldID = Int(try reader.integer())
      case (10, .structure):
        made.annotation = try Self.annotation(&reader)
        made.hasLogicalType = made.annotation != nil
      default: return false
      }
      return true
    }
    if made.annotation == nil { made.annotation = made.convertedAnnotation }
    self = made
  }

  /// The LogicalType union: one field is set, its number is the kind.
  private static func annotation(_ reader: inout ThriftReader) throws -> ParquetAnnotation? {
    var found: ParquetAnnotation?
    try reader.fields { reader, field, kind in
      guard kind == .structure else { return false }
      var unit = ParquetTimeUnit.microseconds
      var numbers = [0, 0]
      var bits = 0
      var signed = false
      var isInstant = false
      try reader.fields { reader, inner, kind in
        switch (inner, kind) {
        case (1, .int32), (2, .int32): numbers[inner - 1] = try reader.size(limit: 1 << 16)
        case (1, .int8): bits = try reader.smallInteger()
        case (2, .yes): signed = true
        case (1, .yes): isInstant = true
        case (1, .no): isInstant = false
        case (2, .structure):
          try reader.fields { _, choice, _ in
            unit = choice == 1 ? .milliseconds : choice == 2 ? .microseconds : .nanoseconds
            return false
          }
        default: return false
        }
        return true
      }
      switch field {
      case 1: found = .string
      case 2: found = .map
      case 3: found = .list
      case 4: found = .enumeration
      case 5: found = .decimal(precision: numbers[1], scale: numbers[0])
      case 6: found = .date
      case 7: found = .time(unit, isInstant: isInstant)
      case 8: found = .timestamp(unit, isInstant: isInstant)
      case 10: found = .integer(bits: bits, signed: signed)
      case 11: found = .unknown
      case 12: found = .json
      case 13: found = .bson
      case 14: found = .uuid
      case 15: found = .float16
      default: break
      }
      return true
    }
    return found
  }

  private var convertedAnnotation: ParquetAnnotation? {
    switch convertedType {
    case 0: .string
    case 1: .map
    case 2: .mapKeyValue
    case 3: .list
    case 4: .enumeration
    case 5: .decimal(precision: precision, scale: scale)
    case 6: .date
    // These say "in UTC", but are older than the difference: as DuckDB, without a zone.
    case 7: .time(.milliseconds, isInstant: false)
    case 8: .time(.microseconds, isInstant: false)
    case 9: .timestamp(.milliseconds, isInstant: false)
    case 10: .timestamp(.microseconds, isInstant: false)
    case 11: .integer(bits: 8, signed: false)
    case 12: .integer(bits: 16, signed: false)
    case 13: .integer(bits: 32, signed: false)
    case 14: .integer(bits: 64, signed: false)
    case 15: .integer(bits: 8, signed: true)
    case 16: .integer(bits: 16, signed: true)
    case 17: .integer(bits: 32, signed: true)
    case 18: .integer(bits: 64, signed: true)
    case 19: .json
    case 20: .bson
    case 21: .interval
    default: nil
    }
  }
}

extension ParquetRowGroup {
  init(from reader: inout ThriftReader) throws {
    var made = ParquetRowGroup()
    try reader.fields { reader, field, kind in
      switch (field, kind) {
      case (1, .list):
        try reader.elements { reader, _ in made.columns.append(try .init(from: &reader)) }
      case (3, .int64): made.rowCount = try reader.size(limit: 1 << 40)
      default: return false
      }
      return true
    }
    self = made
  }
}

extension ParquetColumnChunk {
  init(from reader: inout ThriftReader) throws {
    var made = ParquetColumnChunk()
    try reader.fields { reader, field, kind in
      switch (field, kind) {
      case (1, .binary): made.isElsewhere = try !reader.bytes().isEmpty
      case (3, .structure): try made.readMetadata(&reader)
      case (8, .structure):
        made.isEncrypted = true
        return false
      default: return false
      }
      return true
    }
    self = made
  }

  private mutating func readMetadata(_ reader: inout ThriftReader) throws {
    var made = self
    try reader.fields { reader, field, kind in
      switch (field, kind) {
      case (1, .int32): made.physicalType = Int(try reader.integer())
      case (4, .int32): made.codec = Int(try reader.integer())
      case (5, .int64): made.valueCount = try reader.size()
      case (7, .int64): made.compressedSize = try reader.size()
      case (9, .int64): made.dataOffset = try reader.size()
      case (11, .int64): made.dictionaryOffset = try reader.size()
      case (12, .structure): made.statistics = try .init(from: &reader)
      default: return false
      }
      return true
    }
    self = made
  }
}

extension ParquetStatistics {
  init(from reader: inout ThriftReader) throws {
    var made = ParquetStatistics()
    try reader.fields { reader, field, kind in
      switch (field, kind) {
      case (1, .binary): made.legacyMaximum = try reader.bytes()
      case (2, .binary): made.legacyMinimum = try reader.bytes()
      case (3, .int64):
        let count = try reader.integer()
        made.nullCount = count >= 0 && count < 1 << 48 ? Int(count) : nil
      case (4, .int64):
        let count = try reader.integer()
        made.distinctCount = count >= 0 && count < 1 << 48 ? Int(count) : nil
      case (5, .binary): made.maximum = try reader.bytes()
      case (6, .binary): made.minimum = try reader.bytes()
      default: return false
      }
      return true
    }
    self = made
  }
}

extension ThriftReader {
  /// A one-byte integer field.
  mutating func smallInteger() throws -> Int {
    let before = position
    try skip(.int8)
    return Int(peek(before))
  }
}
