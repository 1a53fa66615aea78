import Columnar
import Glibc

/// A place in a chunk's bytes; nothing is read without asking whether it is there. It also counts
/// the memory that decoding takes, so that a few hostile bytes cannot ask for all there is.
struct ChunkReader {
  /// The most memory that one chunk may take when decoded.
  static let byteLimit = 16 << 30

  private let start: UnsafeRawPointer
  private let end: Int
  private var position = 0
  private var claimed = 0

  /// SAFETY: whoever makes the reader keeps the bytes alive for its lifetime.
  init(_ start: UnsafeRawPointer, count: Int) {
    self.start = start
    end = count
  }

  var isAtEnd: Bool { position == end }

  mutating func read<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws -> T {
    T(littleEndian: try take(MemoryLayout<T>.size).loadUnaligned(as: T.self))
  }

  mutating func encoding(of part: String) throws -> ChunkEncoding {
    let number = try read(UInt8.self)
    guard let encoding = ChunkEncoding(rawValue: number) else {
      throw ChunkDamage.encoding(number, of: part)
    }
    return encoding
  }

  /// The next `count` bytes.
  mutating func take(_ count: Int) throws -> UnsafeRawPointer {
    guard count >= 0, count <= end - position else { throw ChunkDamage.truncated }
    defer { position += count }
    return start + position
  }

  /// The next `count` values of `width` bytes.
  mutating func take(_ count: Int, width: Int) throws -> UnsafeRawPointer {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: width)
    if overflow { throw ChunkDamage.truncated }
    return try take(bytes)
  }

  /// To be called before memory for `count` values of `width` bytes is allocated.
  mutating func claim(_ count: Int, width: Int) throws {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: width)
    guard !overflow, bytes >= 0, bytes <= Self.byteLimit - claimed else {
      throw ChunkDamage.tooLarge
    }
    claimed += bytes
    // A buffer that cannot be had is a trap: ask for the large ones first.
    if bytes > 64 << 20 {
      guard let probe = malloc(bytes) else { throw ChunkDamage.tooLarge }
      free(probe)
    }
  }

  /// Bytes of a flat value of the type without what lies in heaps, and of what gathering it takes.
  static func flatWidth(_ type: LogicalType) -> Int {
    switch type {
    case .array(let element, let count):
      let (bytes, overflow) = flatWidth(element).addingReportingOverflow(4)
      let (all, more) = bytes.multipliedReportingOverflow(by: count)
      return overflow || more ? .max : max(all, 1)
    case .structure(let fields):
      return fields.reduce(8) { sum, field in
        let (all, overflow) = sum.addingReportingOverflow(flatWidth(field.type))
        return overflow ? .max : all
      }
    default: return type.physical.width + 1
    }
  }

  /// A column without encoding: parts of nested columns are flat.
  mutating func flattened(_ column: Column) throws -> Column {
    if column.encoding == .flat { return column }
    try claim(column.count, width: Self.flatWidth(column.type))
    return column.flattened()
  }

  /// A column to decode into.
  mutating func makeColumn(
    _ type: LogicalType, _ count: Int, children: [Column] = [], heaps: [AnyObject] = []
  ) throws -> Column {
    try claim(count, width: type.physical.width + 1)
    return Column(flat: type, count: count, children: children, heaps: heaps)
  }

  /// Memory for the time of decoding.
  mutating func makeScratch(_ count: Int, width: Int) throws -> Buffer {
    let before = claimed
    try claim(count, width: width)
    claimed = before
    return Buffer(byteCount: count * width)
  }
}
