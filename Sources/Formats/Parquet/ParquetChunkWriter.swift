import Columnar
import Glibc

/// What the footer says about a chunk that has been written.
struct ParquetWrittenChunk {
  var physicalType: ParquetPhysicalType
  var isDictionary = false
  var valueCount: Int
  var plainSize = 0
  var compressedSize = 0
  var dataOffset = 0
  var dictionaryOffset: Int?
  var nullCount: Int
  var minimum: [UInt8]?
  var maximum: [UInt8]?
}

/// Encodes one leaf of one row group: a dictionary page when values repeat, then data pages of
/// about a megabyte.
struct ParquetChunkWriter {
  private static let pageBytes = 1 << 20
  let data: ParquetLeafData
  let compressor: ParquetCompressor
  private let layout: ParquetFileLayout

  init(_ data: ParquetLeafData, _ compressor: ParquetCompressor) {
    self.data = data
    self.compressor = compressor
    layout = ParquetFileLayout(data.type)
  }

  /// Writes all pages through `emit` (which takes bytes and moves the offset).
  func write(
    at start: Int, emit: (UnsafeRawPointer, Int) throws -> Void
  ) throws -> ParquetWrittenChunk {
    let count = data.valueCount
    var chunk = ParquetWrittenChunk(
      physicalType: layout.physicalType, valueCount: data.entryCount,
      nullCount: data.entryCount - count)
    (chunk.minimum, chunk.maximum) = ParquetBoundsWriter.bounds(data)
    var offset = start
    let page = ByteSink()
    func flush(_ build: (inout ThriftWriter) -> Void, kind: Int) throws {
      let (bytes, size) = try compressor.compress(page.start, page.count)
      var header = ThriftWriter()
      header.element { header in
        header.int32(1, kind)
        header.int32(2, page.count)
        header.int32(3, size)
        build(&header)
      }
      try header.bytes.withUnsafeBytes { raw in
        if let base = raw.baseAddress { try emit(base, raw.count) }
      }
      try emit(bytes, size)
      offset += header.bytes.count + size
      chunk.compressedSize += header.bytes.count + size
      chunk.plainSize += header.bytes.count + page.count
      page.clear()
    }

    let views = layout.width == 0 ? pickedViews() : nil
    let plain = layout.width == 0 ? nil : layout.plain(data)
    defer { withExtendedLifetime((views, plain, data.column)) {} }
    let dictionary: ParquetDictionaryBuilder? =
      if let views {
        ParquetDictionaryBuilder(strings: views.1, count)
      } else if let plain, layout.width == 4 {
        ParquetDictionaryBuilder(plain.1.assumingMemoryBound(to: UInt32.self), count)
      } else if let plain, layout.width == 8 {
        ParquetDictionaryBuilder(plain.1.assumingMemoryBound(to: UInt64.self), count)
      } else {
        nil
      }
    if let dictionary {
      chunk.isDictionary = true
      chunk.dictionaryOffset = offset
      for first in dictionary.firstRows {
        appendPlain(Int(first), Int(first) + 1, views?.1, plain?.1, to: page)
      }
      let distinct = dictionary.firstRows.count
      try flush(
        {
          $0.structure(7) {
            $0.int32(1, distinct); $0.int32(2, 0)
          }
        }, kind: 2)
    }
    chunk.dataOffset = offset
    var entry = 0
    var value = 0
    repeat {
      let (entryEnd, valueEnd) = pageEnd(entry, value, views?.1, isDictionary: dictionary != nil)
      appendLevels(data.repetitions, data.maxRepetition, entry, entryEnd, to: page)
      appendLevels(data.definitions, data.maxDefinition, entry, entryEnd, to: page)
      if let dictionary {
        let distinct = dictionary.firstRows.count
        let width = distinct <= 1 ? 0 : Int.bitWidth - (distinct - 1).leadingZeroBitCount
        page.append(UInt8(width))
        encodeRunLengths(
          UnsafePointer(dictionary.indexPointer) + value, valueEnd - value, width: width, into: page
        )
      } else {
        appendPlain(value, valueEnd, views?.1, plain?.1, to: page)
      }
      let entries = entryEnd - entry
      let encoding: ParquetEncoding = dictionary == nil ? .plain : .runLengthDictionary
      try flush(
        {
          $0.structure(5) {
            $0.int32(1, entries)
            $0.int32(2, encoding.rawValue)
            $0.int32(3, ParquetEncoding.runLength.rawValue)
            $0.int32(4, ParquetEncoding.runLength.rawValue)
          }
        }, kind: 0)
      entry = entryEnd
      value = valueEnd
    } while entry < data.entryCount
    return chunk
  }

  /// Strings that are there, one after the other.
  private func pickedViews() -> (Buffer, UnsafeMutablePointer<StringView>) {
    let source = data.column.values(as: StringView.self)
    guard let picks = data.picks else { return (Buffer(byteCount: 0), source) }
    let buffer = Buffer(byteCount: picks.count * 16)
    let target = buffer.pointer.assumingMemoryBound(to: StringView.self)
    for (position, row) in picks.enumerated() { target[position] = source[Int(row)] }
    return (buffer, target)
  }

  /// Where a page that starts here ends; rows are not split over pages.
  private func pageEnd(
    _ entry: Int, _ value: Int, _ views: UnsafeMutablePointer<StringView>?, isDictionary: Bool
  ) -> (Int, Int) {
    let fixed = isDictionary ? 4 : layout.width
    if data.definitions == nil && data.repetitions == nil && (isDictionary || views == nil) {
      let end = min(data.entryCount, entry + Self.pageBytes / fixed)
      return (end, end)
    }
    var bytes = 0
    var position = entry
    var values = value
    while position < data.entryCount {
      if bytes >= Self.pageBytes && (data.repetitions.map { $0[position] == 0 } ?? true) { break }
      bytes += 1
      if data.definitions.map({ Int($0[position]) == data.maxDefinition }) ?? true {
        bytes += isDictionary ? 3 : views.map { $0[values].count + 4 } ?? fixed
        values += 1
      }
      position += 1
    }
    return (position, values)
  }

  private func appendLevels(
    _ levels: [UInt8]?, _ maximum: Int, _ start: Int, _ end: Int, to page: ByteSink
  ) {
    if maximum == 0 { return }
    let width = Int.bitWidth - maximum.leadingZeroBitCount
    let lengthAt = page.count
    page.append(length: 0)
    if let levels {
      levels.withUnsafeBufferPointer { all in
        if let base = all.baseAddress {
          encodeRunLengths(base + start, end - start, width: width, into: page)
        }
      }
    } else if end > start {
      page.append(varint: (end - start) << 1)
      page.append(UInt8(maximum))
    }
    page.store(length: page.count - lengthAt - 4, at: lengthAt)
  }

  private func appendPlain(
    _ start: Int, _ end: Int, _ views: UnsafeMutablePointer<StringView>?,
    _ plain: UnsafeMutableRawPointer?, to page: ByteSink
  ) {
    if let views {
      for position in start..<end {
        let count = views[position].count
        let target = page.reserve(count + 4)
        target.storeBytes(of: UInt32(truncatingIfNeeded: count), as: UInt32.self)
        (target + 4).copyMemory(from: (views + position).bytes, byteCount: count)
        page.advance(count + 4)
      }
    } else if let plain, layout.physicalType == .boolean {
      let bytes = plain.assumingMemoryBound(to: UInt8.self)
      var position = start
      while position < end {
        var packed: UInt8 = 0
        for bit in 0..<min(8, end - position) {
          packed |= (bytes[position + bit] & 1) << UInt8(bit)
        }
        page.append(packed)
        position += 8
      }
    } else if let plain {
      page.append(plain + start * layout.width, (end - start) * layout.width)
    }
  }
}
