import Columnar

/// Reads a block back: columns point into the buffer, where views of long strings become pointers.
struct BlockDecoder {
  private let buffer: Buffer
  private let byteCount: Int
  private var position = 0

  init(_ buffer: Buffer, byteCount: Int) {
    self.buffer = buffer
    self.byteCount = byteCount
  }

  /// The rows; nil when the bytes are not those of a block of these types.
  mutating func decode(_ types: [LogicalType]) throws -> Batch? {
    guard byteCount >= 16, let checksum = word(), let rows = count(),
      checksum == BlockChecksum.of(buffer.pointer + 8, byteCount - 8)
    else { return nil }
    var columns: [Column] = []
    for type in types {
      guard let column = column(type, rows: rows) else { return nil }
      columns.append(column)
    }
    return Batch(columns: columns, rowCount: rows)
  }

  private mutating func word() -> UInt64? {
    guard position + 8 <= byteCount else { return nil }
    defer { position += 8 }
    return buffer.pointer.load(fromByteOffset: position, as: UInt64.self)
  }

  private mutating func count() -> Int? {
    guard let word = word(), word < 1 << 40 else { return nil }
    return Int(word)
  }

  /// The next `bytes`, padded as the encoder pads.
  private mutating func part(_ bytes: Int) -> UnsafeMutableRawPointer? {
    let start = (position + 15) & ~15
    let end = start + ((bytes + 15) & ~15)
    guard bytes >= 0, end <= byteCount else { return nil }
    position = end
    return buffer.pointer + start
  }

  private mutating func column(_ type: LogicalType, rows: Int?) -> Column? {
    guard let flags = word(), let values = count() else { return nil }
    let isConstant = flags & 1 != 0
    if let rows, isConstant ? values != 1 : values != rows { return nil }
    var validity: UnsafeMutablePointer<UInt64>?
    if flags & 2 != 0 {
      guard let words = part(Validity.wordCount(values) * 8) else { return nil }
      validity = words.assumingMemoryBound(to: UInt64.self)
    }
    guard let data = part(values * type.physical.width) else { return nil }
    if type.physical == .string && !placeStrings(data, values) { return nil }
    guard let children = children(type, values) else { return nil }
    let flat = Column(
      type: type, count: values, data: data, validity: validity, children: children,
      owners: [buffer])
    guard isConstant, let rows else { return flat }
    return Column(repeating: flat, count: rows)
  }

  private mutating func placeStrings(_ data: UnsafeMutableRawPointer, _ rows: Int) -> Bool {
    guard let long = count(), let heap = part(long) else { return false }
    if long == 0 { return true }
    let views = data.assumingMemoryBound(to: StringView.self)
    let base = UInt64(UInt(bitPattern: heap))
    for row in 0..<rows where !views[row].isInline {
      let offset = views[row].tail
      if offset > UInt64(long) || UInt64(long) - offset < UInt64(views[row].length) { return false }
      views[row].tail = base &+ offset
    }
    return true
  }

  private mutating func children(_ type: LogicalType, _ rows: Int) -> [Column]? {
    switch type {
    case .list, .map:
      guard let element = type.listElement, let child = column(element, rows: nil) else {
        return nil
      }
      return [child]
    case .array(let element, let n):
      guard let child = column(element, rows: rows * n) else { return nil }
      return [child]
    case .structure(let fields):
      var children: [Column] = []
      for field in fields {
        guard let child = column(field.type, rows: rows) else { return nil }
        children.append(child)
      }
      return children
    default: return []
    }
  }
}
