/// What a footer tells besides what a scan needs: read anew from its bytes, for those who look at
/// files rather than into them.
struct ParquetFooterDetails {
  struct Chunk {
    var fileOffset = 0
    var path: [String] = []
    var encodings: [Int] = []
    var uncompressedSize = 0
    var indexOffset: Int?
    var bloomOffset: Int?
    var bloomLength: Int?
    var maximumIsExact: Bool?
    var minimumIsExact: Bool?
    var pairs: [KeyValue] = []
  }

  struct RowGroup {
    var chunks: [Chunk] = []
    var byteCount = 0
  }

  struct KeyValue {
    var key: Range<Int>
    var value: Range<Int>?
  }

  private(set) var version = 0
  private(set) var rowGroups: [RowGroup] = []
  /// As ranges of the footer.
  private(set) var pairs: [KeyValue] = []
  /// How many columns say that their bounds are ordered as their type is.
  private(set) var orderCount = 0

  init(_ footer: [UInt8]) throws {
    var made = (version: 0, groups: [RowGroup](), pairs: [KeyValue](), orders: 0)
    try footer.withUnsafeBytes { raw in
      guard let start = raw.baseAddress else { throw ParquetDamage.truncatedMetadata }
      var reader = ThriftReader(start, count: raw.count)
      try reader.fields { reader, field, kind in
        switch (field, kind) {
        case (1, .int32): made.version = Int(try reader.integer())
        case (4, .list):
          try reader.elements { reader, _ in made.groups.append(try .init(from: &reader)) }
        case (5, .list):
          try reader.elements { reader, _ in made.pairs.append(try .init(from: &reader)) }
        case (7, .list):
          try reader.elements { reader, kind in
            made.orders += 1
            try reader.skip(kind)
          }
        default: return false
        }
        return true
      }
    }
    (version, rowGroups, pairs, orderCount) = made
  }
}

extension ParquetFooterDetails.KeyValue {
  init(from reader: inout ThriftReader) throws {
    var made = ParquetFooterDetails.KeyValue(key: 0..<0, value: nil)
    try reader.fields { reader, field, kind in
      switch (field, kind) {
      case (1, .binary): made.key = try reader.bytes()
      case (2, .binary): made.value = try reader.bytes()
      default: return false
      }
      return true
    }
    self = made
  }
}

extension ParquetFooterDetails.RowGroup {
  init(from reader: inout ThriftReader) throws {
    var made = ParquetFooterDetails.RowGroup()
    try reader.fields { reader, field, kind in
      switch (field, kind) {
      case (1, .list):
        try reader.elements { reader, _ in made.chunks.append(try .init(from: &reader)) }
      case (2, .int64): made.byteCount = try reader.size()
      default: return false
      }
      return true
    }
    self = made
  }
}

extension ParquetFooterDetails.Chunk {
  init(from reader: inout ThriftReader) throws {
    var made = ParquetFooterDetails.Chunk()
    try reader.fields { reader, field, kind in
      switch (field, kind) {
      case (2, .int64): made.fileOffset = try reader.size()
      case (3, .structure): try made.readMetadata(&reader)
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
      case (2, .list):
        try reader.elements { reader, _ in made.encodings.append(Int(try reader.integer())) }
      case (3, .list): try reader.elements { reader, _ in made.path.append(try reader.text()) }
      case (6, .int64): made.uncompressedSize = try reader.size()
      case (8, .list):
        try reader.elements { reader, _ in made.pairs.append(try .init(from: &reader)) }
      case (10, .int64): made.indexOffset = try reader.size()
      case (12, .structure): try made.readStatistics(&reader)
      case (14, .int64): made.bloomOffset = try reader.size()
      case (15, .int32): made.bloomLength = try reader.size()
      default: return false
      }
      return true
    }
    self = made
  }

  private mutating func readStatistics(_ reader: inout ThriftReader) throws {
    var made = self
    try reader.fields { reader, field, kind in
      switch (field, kind) {
      case (7, .yes), (7, .no): made.maximumIsExact = kind == .yes
      case (8, .yes), (8, .no): made.minimumIsExact = kind == .yes
      default: return false
      }
      return true
    }
    self = made
  }
}
