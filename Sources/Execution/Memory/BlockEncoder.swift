import Columnar
import Glibc

// A block is what a spill file holds of a batch, in words of 8 bytes of this machine:
//
//     checksum of all that follows, rowCount, then each column:
//       flags (1 constant, 2 has validity), value count, validity words,
//       values of the physical type, padded to 16 bytes,
//       strings: bytes of the long ones (their views hold offsets into them), padded,
//       lists, arrays, structs: their children as columns.
//
// Nothing is compressed: rows are read back once, at the speed of a copy, and the columns point into
// what was read. (Column chunks of the database file are half the size and cost ten times as much to
// make.)

/// Makes blocks, in a buffer that is used again and again.
final class BlockEncoder {
  private var memory: UnsafeMutableRawPointer
  private var capacity = 1 << 16
  private var count = 0

  init() { memory = .allocate(byteCount: capacity, alignment: 64) }

  deinit { memory.deallocate() }

  var byteCount: Int { capacity }

  /// The block of a batch; valid until the next call.
  func encode(_ batch: Batch) -> UnsafeRawBufferPointer {
    count = 0
    put(word: 0)
    put(word: UInt64(batch.rowCount))
    for column in batch.columns { put(column) }
    let checksum = BlockChecksum.of(memory + 8, count - 8)
    memory.storeBytes(of: checksum, as: UInt64.self)
    return UnsafeRawBufferPointer(start: memory, count: count)
  }

  // MARK: Room

  /// Where `bytes` more go, padded to 16; uninitialised.
  private func room(_ bytes: Int) -> Int {
    let start = (count + 15) & ~15
    let end = start + ((bytes + 15) & ~15)
    grow(to: end)
    if start > count { memset(memory + count, 0, start - count) }
    // The padding behind is part of the checksum.
    if end > start { memset(memory + end - 16, 0, 16) }
    count = end
    return start
  }

  private func grow(to end: Int) {
    if end <= capacity { return }
    var larger = capacity
    while larger < end { larger *= 2 }
    let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 64)
    moved.copyMemory(from: memory, byteCount: count)
    memory.deallocate()
    memory = moved
    capacity = larger
  }

  private func put(word: UInt64) {
    grow(to: count + 8)
    memory.storeBytes(of: word, toByteOffset: count, as: UInt64.self)
    count += 8
  }

  // MARK: Columns

  private func put(_ column: Column) {
    if column.encoding == .constant && column.count > 1 {
      put(values: column.flatValue(0), flags: 1)
    } else {
      put(values: column, flags: 0)
    }
  }

  private func put(values column: Column, flags: UInt64) {
    let rows = column.count
    let hasNulls = column.mayHaveNulls
    put(word: flags | (hasNulls ? 2 : 0))
    put(word: UInt64(rows))
    if hasNulls {
      let place = room(Validity.wordCount(rows) * 8)
      let words = (memory + place).assumingMemoryBound(to: UInt64.self)
      words.update(repeating: .max, count: Validity.wordCount(rows))
      // Bit by bit: slices share words with their neighbours.
      for row in 0..<rows where column.isNull(row) { Validity.setNull(words, row) }
    }
    switch column.type.physical {
    case .bool, .int8, .uint8: put(column, UInt8.self)
    case .int16, .uint16: put(column, UInt16.self)
    case .int32, .uint32, .float: put(column, UInt32.self)
    case .int64, .uint64, .double: put(column, UInt64.self)
    case .int128, .uint128: put(column, UInt128.self)
    case .interval: put(column, Interval.self)
    case .string: put(strings: column)
    case .list: put(lists: column)
    case .array, .structure:
      for child in column.flattened().children { put(values: child, flags: 0) }
    }
  }

  private func put<T: BitwiseCopyable>(_ column: Column, _ type: T.Type) {
    let place = room(column.count * MemoryLayout<T>.stride)
    let target = (memory + place).assumingMemoryBound(to: T.self)
    let source = column.values(as: T.self)
    switch column.encoding {
    case .flat: target.update(from: source, count: column.count)
    case .constant: target.update(repeating: source[0], count: column.count)
    case .dictionary:
      guard let indices = column.indices else { return }
      for row in 0..<column.count { target[row] = source[Int(indices[row])] }
    }
  }

  private func put(strings column: Column) {
    let reader = ColumnReader<StringView>(column)
    let rows = column.count
    let views = room(rows * 16)
    var long = 0
    do {
      let target = (memory + views).assumingMemoryBound(to: StringView.self)
      for row in 0..<rows {
        let view = reader.isNull(row) ? StringView() : reader[row]
        target[row] = view
        if !view.isInline { long += view.count }
      }
    }
    put(word: UInt64(long))
    let heap = room(long)
    if long == 0 { return }
    let target = (memory + views).assumingMemoryBound(to: StringView.self)
    var offset = 0
    for row in 0..<rows where !target[row].isInline {
      let bytes = target[row].longPointer
      memcpy(memory + heap + offset, bytes, target[row].count)
      target[row].tail = UInt64(offset)
      offset += target[row].count
    }
  }

  private func put(lists column: Column) {
    let reader = ColumnReader<ListEntry>(column)
    let rows = column.count
    var total = 0
    for row in 0..<rows where !reader.isNull(row) { total += reader[row].length }
    let picks = Selection(capacity: total)
    let place = room(rows * MemoryLayout<ListEntry>.stride)
    let target = (memory + place).assumingMemoryBound(to: ListEntry.self)
    var offset = 0
    for row in 0..<rows {
      let entry = reader.isNull(row) ? ListEntry(offset: 0, length: 0) : reader[row]
      target[row] = ListEntry(offset: offset, length: entry.length)
      for element in 0..<entry.length {
        picks.indices[offset + element] = UInt32(truncatingIfNeeded: entry.offset + element)
      }
      offset += entry.length
    }
    if let child = column.children.first {
      put(values: Column.dictionary(child, picks), flags: 0)
    }
  }
}

/// Four lanes of multiply and rotate: about as fast as memory. Guards against what disks and other
/// processes do to a file, not against forgery.
enum BlockChecksum {
  static func of(_ bytes: UnsafeRawPointer, _ count: Int) -> UInt64 {
    let prime: UInt64 = 0x9E37_79B1_85EB_CA87
    var (a, b, c, d) = (prime, prime &+ 1, prime &+ 2, UInt64(count))
    var position = 0
    while position + 32 <= count {
      a = step(a, bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self), prime)
      b = step(b, bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self), prime)
      c = step(c, bytes.loadUnaligned(fromByteOffset: position + 16, as: UInt64.self), prime)
      d = step(d, bytes.loadUnaligned(fromByteOffset: position + 24, as: UInt64.self), prime)
      position += 32
    }
    while position < count {
      a = step(a, UInt64(bytes.load(fromByteOffset: position, as: UInt8.self)), prime)
      position += 1
    }
    return Hashing.combine(Hashing.combine(a, b), Hashing.combine(c, d))
  }

  @inline(__always)
  private static func step(_ lane: UInt64, _ word: UInt64, _ prime: UInt64) -> UInt64 {
    let mixed = (lane ^ word) &* prime
    return mixed << 31 | mixed >> 33
  }
}
