import Diagnostics

/// A zip file whose entries are stored as they are: what PyTorch writes. APPNOTE.TXT 6.3.
struct ZipArchive {
  private let bytes: [UInt8]
  private var places: [String: Range<Int>] = [:]

  /// Errors: no zip file, a truncated one, compressed entries, bytes that do not fit their checksum.
  init(_ bytes: [UInt8]) throws {
    self.bytes = bytes
    guard let directory = Self.directory(bytes) else {
      throw Self.malformed("it has no directory of its entries")
    }
    var reader = ByteReader(bytes, at: directory.start)
    for _ in 0..<directory.count {
      guard let entry = Entry(&reader) else { throw Self.malformed("its directory is damaged") }
      guard entry.method == 0 else { throw Self.malformed("entry \"\(entry.name)\" is compressed") }
      var header = ByteReader(bytes, at: entry.start)
      guard header.integer(4) == 0x0403_4b50, header.take(22) != nil,
        let nameLength = header.count(2), let extraLength = header.count(2),
        header.take(nameLength + extraLength) != nil, let data = header.take(entry.size)
      else { throw Self.malformed("entry \"\(entry.name)\" is cut off") }
      guard CRC32.of(data) == entry.checksum else {
        throw Self.malformed("entry \"\(entry.name)\" does not fit its checksum")
      }
      places[entry.name] = data.startIndex..<data.endIndex
    }
  }

  var names: [String] { places.keys.sorted() }

  subscript(name: String) -> ArraySlice<UInt8>? { places[name].map { bytes[$0] } }

  private struct Entry {
    var name: String
    var method: UInt64
    var checksum: UInt32
    var size: Int
    var start: Int

    init?(_ reader: inout ByteReader) {
      guard reader.integer(4) == 0x0201_4b50, reader.take(6) != nil,
        let method = reader.integer(2), reader.take(4) != nil,
        let checksum = reader.integer(4), let packed = reader.count(4),
        var size = reader.count(4), let nameLength = reader.count(2),
        let extraLength = reader.count(2), let commentLength = reader.count(2),
        reader.take(8) != nil, var start = reader.count(4), let name = reader.take(nameLength),
        let extra = reader.take(extraLength), reader.take(commentLength) != nil
      else { return nil }
      self.name = String(decoding: name, as: UTF8.self)
      self.method = method
      self.checksum = UInt32(truncatingIfNeeded: checksum)
      // Sizes that do not fit 32 bits stand in a field of their own, in this order.
      var field = ByteReader(Array(extra))
      while let id = field.integer(2), let length = field.count(2),
        let value = field.take(length)
      {
        guard id == 1 else { continue }
        var wide = ByteReader(Array(value))
        if size == 0xFFFF_FFFF { size = wide.count(8) ?? -1 }
        if packed == 0xFFFF_FFFF { _ = wide.count(8) }
        if start == 0xFFFF_FFFF { start = wide.count(8) ?? -1 }
      }
      guard size >= 0, start >= 0 else { return nil }
      self.size = size
      self.start = start
    }
  }

  /// Where the directory begins and how many entries it has; the record of it ends the file.
  private static func directory(_ bytes: [UInt8]) -> (start: Int, count: Int)? {
    var end = bytes.count - 22
    let lowest = max(0, end - 65_535)
    while end >= lowest {
      var reader = ByteReader(bytes, at: end)
      if reader.integer(4) == 0x0605_4b50 {
        guard reader.take(6) != nil, let count = reader.count(2), reader.take(4) != nil,
          let start = reader.count(4)
        else { return nil }
        if count != 0xFFFF, start != 0xFFFF_FFFF { return limited(start, count, bytes.count) }
        var locator = ByteReader(bytes, at: end - 20)
        guard locator.integer(4) == 0x0706_4b50, locator.take(4) != nil,
          let place = locator.count(8)
        else { return nil }
        var record = ByteReader(bytes, at: place)
        guard record.integer(4) == 0x0606_4b50, record.take(28) != nil,
          let wideCount = record.count(8), record.take(8) != nil, let wideStart = record.count(8)
        else { return nil }
        return limited(wideStart, wideCount, bytes.count)
      }
      end -= 1
    }
    return nil
  }

  /// An entry takes 46 bytes at least.
  private static func limited(_ start: Int, _ count: Int, _ size: Int) -> (start: Int, count: Int)?
  {
    start <= size && count <= size / 46 ? (start, count) : nil
  }

  static func malformed(_ reason: String) -> SQLError {
    SQLError(.model, "this is no valid PyTorch file: \(reason)")
  }

  // MARK: Writing

  /// A file of these entries, data on multiples of 64 bytes as PyTorch maps it.
  static func write(_ entries: [(name: String, data: [UInt8])]) -> [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    func put(_ value: Int, _ size: Int, _ target: inout [UInt8]) {
      for shift in 0..<size { target.append(UInt8(truncatingIfNeeded: value >> (8 * shift))) }
    }
    for entry in entries {
      let name = Array(entry.name.utf8)
      let start = file.count
      let checksum = Int(CRC32.of(entry.data[...]))
      // The extra field fills up to the next multiple.
      let unpadded = start + 30 + name.count + 4
      let padding = (64 - unpadded % 64) % 64
      func common(_ target: inout [UInt8]) {
        put(0, 2, &target)
        put(0, 2, &target)
        put(0, 2, &target)
        put(0x21, 2, &target)
        put(checksum, 4, &target)
        put(entry.data.count, 4, &target)
        put(entry.data.count, 4, &target)
        put(name.count, 2, &target)
      }
      put(0x0403_4b50, 4, &file)
      put(20, 2, &file)
      common(&file)
      put(4 + padding, 2, &file)
      file += name
      put(0x4246, 2, &file)
      put(padding, 2, &file)
      file += [UInt8](repeating: 0x5A, count: padding)
      file += entry.data
      put(0x0201_4b50, 4, &directory)
      put(20, 2, &directory)
      put(20, 2, &directory)
      common(&directory)
      put(0, 2, &directory)
      put(0, 2, &directory)
      put(0, 2, &directory)
      put(0, 2, &directory)
      put(0, 4, &directory)
      put(start, 4, &directory)
      directory += name
    }
    let start = file.count
    file += directory
    put(0x0605_4b50, 4, &file)
    put(0, 4, &file)
    put(entries.count, 2, &file)
    put(entries.count, 2, &file)
    put(directory.count, 4, &file)
    put(start, 4, &file)
    put(0, 2, &file)
    return file
  }
}

/// The checksum of zip: CRC-32 of ISO 3309.
enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
    }
  }

  static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      bytes.withUnsafeBufferPointer { bytes in
        ~bytes.reduce(~UInt32(0)) { $0 >> 8 ^ table[Int(($0 ^ UInt32($1)) & 0xFF)] }
      }
    }
  }
}
