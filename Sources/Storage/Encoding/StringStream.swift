import CZstd
import Columnar
import Diagnostics

/// The texts or blobs of a plain column: their lengths, then the bytes of all one after the other,
/// raw or compressed as one Zstandard frame.
enum StringStream {
  /// Read past the last string's bytes when views are made.
  private static let padding = 16

  /// NULL rows have length 0, whatever their views say.
  static func encode(_ column: Column, into writer: inout ChunkWriter) throws {
    let count = column.count
    let views = UnsafePointer(column.values(as: StringView.self))
    let lengths = Buffer(byteCount: count * 4)
    defer { withExtendedLifetime(lengths) {} }
    let sizes = lengths.pointer.assumingMemoryBound(to: UInt32.self)
    var total = 0
    for row in 0..<count {
      sizes[row] = column.isNull(row) ? 0 : views[row].length
      total += Int(sizes[row])
    }
    try writer.count(total, width: 1)
    let bytes = Buffer(byteCount: total)
    defer { withExtendedLifetime(bytes) {} }
    var place = bytes.pointer
    for row in 0..<count where sizes[row] > 0 {
      place.copyMemory(from: (views + row).bytes, byteCount: Int(sizes[row]))
      place += Int(sizes[row])
    }
    let start = writer.bytes.count
    writer.append(ChunkEncoding.zstd)
    writer.append(UInt64(total))
    IntegerStream.encode(UnsafePointer(sizes), count, into: &writer)
    if try !compress(bytes.pointer, total, into: &writer) {
      writer.append(bytes.pointer, byteCount: total)
      writer.replace(at: start, with: ChunkEncoding.raw.rawValue)
    }
  }

  /// False, and nothing written, when it does not pay.
  private static func compress(
    _ bytes: UnsafeRawPointer, _ count: Int, into writer: inout ChunkWriter
  ) throws -> Bool {
    if count < 256 { return false }
    let room = ZSTD_compressBound(count)
    let target = Buffer(byteCount: room)
    defer { withExtendedLifetime(target) {} }
    let size = ZSTD_compress(target.pointer, room, bytes, count, 1)
    guard ZSTD_isError(size) == 0 else {
      throw SQLError(.internal, "Zstandard could not compress a column chunk")
    }
    if size >= count * 7 / 8 { return false }
    writer.append(UInt64(size))
    writer.append(target.pointer, byteCount: size)
    return true
  }

  static func decode(
    _ type: LogicalType, _ count: Int, from reader: inout ChunkReader,
    validity: (Column, inout ChunkReader) throws -> Void
  ) throws -> Column {
    // The heap has to be there before the column that owns it: validity is read first, to a column
    // that gives its words to the other.
    let head = try reader.makeColumn(.boolean, count)
    try validity(head, &reader)
    let encoding = try reader.encoding(of: "texts")
    guard let total = Int(exactly: try reader.read(UInt64.self)) else {
      throw ChunkDamage.value("the length of texts")
    }
    let scratch = try reader.makeScratch(count, width: 4)
    return try withExtendedLifetime(scratch) {
      let lengths = scratch.pointer.assumingMemoryBound(to: UInt32.self)
      try IntegerStream.decode(lengths, count, from: &reader)
      guard IntegerStream.sum(lengths, count) == UInt64(total) else {
        throw ChunkDamage.value("the length of texts")
      }
      let heap = try decodeBytes(encoding, total, from: &reader)
      let column = try reader.makeColumn(type, count, heaps: [heap])
      makeViews(column.values(as: StringView.self), count, lengths, heap.pointer)
      if let words = head.validity {
        column.makeValidity().update(from: words, count: Validity.wordCount(count))
      }
      return column
    }
  }

  private static func decodeBytes(
    _ encoding: ChunkEncoding, _ total: Int, from reader: inout ChunkReader
  ) throws -> Buffer {
    try reader.claim(total, width: 1)
    let heap = Buffer(byteCount: total + padding)
    switch encoding {
    case .raw: heap.pointer.copyMemory(from: try reader.take(total), byteCount: total)
    case .zstd:
      guard let size = Int(exactly: try reader.read(UInt64.self)) else {
        throw ChunkDamage.truncated
      }
      let source = try reader.take(size)
      guard ZSTD_decompress(heap.pointer, total, source, size) == total else {
        throw ChunkDamage.error("its compressed texts cannot be read")
      }
    case .nulls, .constant, .dictionary, .plain, .packed, .delta, .runs, .alp:
      throw ChunkDamage.encoding(encoding.rawValue, of: "texts")
    }
    (heap.pointer + total).initializeMemory(as: UInt8.self, repeating: 0, count: padding)
    return heap
  }

  /// SAFETY: `lengths` add up to the bytes at `start`, which `padding` bytes follow.
  private static func makeViews(
    _ views: UnsafeMutablePointer<StringView>, _ count: Int, _ lengths: UnsafePointer<UInt32>,
    _ start: UnsafeMutableRawPointer
  ) {
    var place = UnsafeRawPointer(start)
    for row in 0..<count {
      let length = lengths[row]
      var view = StringView()
      view.length = length
      let first = place.loadUnaligned(as: UInt32.self)
      if length > 12 {
        view.prefix = first
        view.tail = UInt64(UInt(bitPattern: place))
      } else {
        // Unused bytes of a short string are zero: shifted out, without a loop over its bytes.
        let rest = place.loadUnaligned(fromByteOffset: 4, as: UInt64.self)
        let bits = UInt64(length) &* 8
        let unused = bits < 32 ? 32 &- bits : 0
        view.prefix = unused == 32 ? 0 : (first &<< UInt32(unused)) &>> UInt32(unused)
        view.tail = bits <= 32 ? 0 : (rest &<< (96 &- bits)) &>> (96 &- bits)
      }
      views[row] = view
      place += Int(length)
    }
  }
}

extension StringStream {
  /// Of some rows of a flat column, NULLs as zero.
  static func averageLength(_ column: Column) -> Double {
    let step = max(1, column.count / 1024)
    let views = column.values(as: StringView.self)
    var total = 0
    var seen = 0
    for row in stride(from: 0, to: column.count, by: step) {
      if !column.isNull(row) { total += views[row].count }
      seen += 1
    }
    return Double(total) / Double(max(seen, 1))
  }
}
