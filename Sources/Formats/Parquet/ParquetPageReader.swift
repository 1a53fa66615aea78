import Columnar

struct ParquetPageHeader {
  enum Kind: Int {
    case data = 0, index, dictionary, dataV2
  }
  var kind = Kind.data
  var size = 0
  var compressedSize = 0
  var valueCount = 0
  var encoding = -1
  var definitionEncoding = ParquetEncoding.runLength.rawValue
  var repetitionEncoding = ParquetEncoding.runLength.rawValue
  /// Of version 2, whose levels lie outside of the compressed part.
  var definitionBytes = 0
  var repetitionBytes = 0
  var isCompressed = true

  init(from reader: inout ThriftReader) throws {
    var made = self
    var kindCode = -1
    try reader.fields { reader, field, kind in
      switch (field, kind) {
      case (1, .int32): kindCode = Int(try reader.integer())
      case (2, .int32): made.size = try reader.size(limit: 1 << 31)
      case (3, .int32): made.compressedSize = try reader.size(limit: 1 << 31)
      case (5, .structure), (7, .structure), (8, .structure):
        let isNew = field == 8
        try reader.fields { reader, inner, kind in
          switch (inner, kind) {
          case (1, .int32): made.valueCount = try reader.size(limit: 1 << 28)
          case (2, .int32) where !isNew, (4, .int32) where isNew:
            made.encoding = Int(try reader.integer())
          case (3, .int32) where field == 5: made.definitionEncoding = Int(try reader.integer())
          case (4, .int32) where field == 5: made.repetitionEncoding = Int(try reader.integer())
          case (5, .int32) where isNew: made.definitionBytes = try reader.size(limit: 1 << 31)
          case (6, .int32) where isNew: made.repetitionBytes = try reader.size(limit: 1 << 31)
          case (7, .no) where isNew: made.isCompressed = false
          default: return false
          }
          return true
        }
      default: return false
      }
      return true
    }
    guard let kind = Kind(rawValue: kindCode) else { throw ParquetDamage("a page is damaged") }
    made.kind = kind
    self = made
  }

  init() {}
}

/// The pages of one column chunk in file order, each read and decompressed when asked for.
final class ParquetPageReader {
  private let file: ParquetFile
  private let decompressor: ParquetDecompressor
  private let end: Int
  private var offset: Int
  /// Bytes of the file from `windowStart` on; pages that are not compressed are used in place.
  private var window: Buffer?
  private var windowStart = 0
  private var windowCount = 0
  private static let windowBytes = 1 << 20
  private static let headerBytes = 1 << 10

  init(file: ParquetFile, chunk: ParquetColumnChunk) throws {
    self.file = file
    decompressor = try ParquetDecompressor(chunk.codec)
    offset = chunk.start
    guard offset >= 4, offset < file.byteCount, chunk.compressedSize <= file.byteCount - offset
    else { throw ParquetDamage("a column chunk lies outside of the file") }
    // Old writers left the dictionary page's header out of the size.
    end = min(file.byteCount, offset + chunk.compressedSize + 128)
  }

  /// At least `count` bytes at `offset`.
  private func bytes(_ count: Int, readAhead: Int) throws -> UnsafeRawPointer {
    guard count <= end - offset else { throw ParquetDamage.truncatedPage }
    if let window, offset >= windowStart, offset + count <= windowStart + windowCount {
      return UnsafeRawPointer(window.pointer + (offset - windowStart))
    }
    let wanted = min(end - offset, max(count, readAhead))
    let fresh = try file.read(at: offset, count: wanted)
    window = fresh
    windowStart = offset
    windowCount = wanted
    return UnsafeRawPointer(fresh.pointer)
  }

  /// The next page's header. While pages are being `skipping`ped only headers are worth reading.
  func nextHeader(skipping: Bool) throws -> ParquetPageHeader {
    var guess = min(Self.headerBytes, end - offset)
    guard guess > 0 else { throw ParquetDamage.tooFewValues }
    while true {
      let start = try bytes(guess, readAhead: skipping ? guess : Self.windowBytes)
      var reader = ThriftReader(start, count: guess)
      do {
        let header = try ParquetPageHeader(from: &reader)
        offset += reader.position
        guard header.compressedSize <= end - offset else { throw ParquetDamage.truncatedPage }
        return header
      } catch let damage as ParquetDamage {
        // Statistics in the header may be long.
        guard reader.position >= guess - 16 || guess < 1 << 14, guess < end - offset else {
          throw damage
        }
        guess = min(guess * 16, end - offset)
      }
    }
  }

  func skipBody(_ header: ParquetPageHeader) {
    offset += header.compressedSize
  }

  /// A page's parts. Of version 1 and of dictionaries `levels` is empty: they lie in `data`.
  struct Body {
    var levels: UnsafeRawPointer
    var data: UnsafeRawPointer
    var dataCount: Int
    /// Holds `data`.
    var owner: Buffer
    /// Holds `levels`.
    var levelOwner: Buffer
  }

  func body(_ header: ParquetPageHeader) throws -> Body {
    let start = try bytes(header.compressedSize, readAhead: Self.windowBytes)
    offset += header.compressedSize
    guard let window else { throw ParquetDamage.truncatedPage }
    let levelBytes = header.definitionBytes + header.repetitionBytes
    guard levelBytes <= header.compressedSize, levelBytes <= header.size else {
      throw ParquetDamage.badLevels
    }
    let packed = start + levelBytes
    let packedCount = header.compressedSize - levelBytes
    if decompressor.isIdentity || !header.isCompressed {
      return Body(
        levels: start, data: packed, dataCount: packedCount, owner: window, levelOwner: window)
    }
    let count = header.size - levelBytes
    let buffer = try makePageBuffer(count)
    // Some writers leave an empty part out instead of compressing it.
    if count > 0 { try decompressor.decompress(packed, packedCount, into: buffer.pointer, count) }
    return Body(
      levels: start, data: buffer.pointer, dataCount: count, owner: buffer, levelOwner: window)
  }
}
