import Glibc

/// Growing raw memory that pages are put together in.
final class ByteSink {
  private(set) var start: UnsafeMutableRawPointer
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int = 1 << 16) {
    self.capacity = capacity
    start = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { start.deallocate() }

  func clear() { count = 0 }

  /// Makes room for `more` bytes, to be written at the pointer and then counted by `advance`.
  func reserve(_ more: Int) -> UnsafeMutableRawPointer {
    if count + more > capacity {
      let larger = max(capacity * 2, count + more)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
      memory.copyMemory(from: start, byteCount: count)
      start.deallocate()
      start = memory
      capacity = larger
    }
    return start + count
  }

  func advance(_ bytes: Int) { count += bytes }

  func append(_ bytes: UnsafeRawPointer, _ length: Int) {
    reserve(length).copyMemory(from: bytes, byteCount: length)
    count += length
  }

  func append(_ byte: UInt8) {
    reserve(1).storeBytes(of: byte, as: UInt8.self)
    count += 1
  }

  func append(length: Int) {
    reserve(4).storeBytes(of: UInt32(truncatingIfNeeded: length), as: UInt32.self)
    count += 4
  }

  func store(length: Int, at offset: Int) {
    start.storeBytes(of: UInt32(truncatingIfNeeded: length), toByteOffset: offset, as: UInt32.self)
  }

  func append(varint value: Int) {
    var rest = UInt64(value)
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }
}

/// Encodes the RLE / bit-packed hybrid: runs of at least eight equal values as runs, the rest packed.
func encodeRunLengths<T: FixedWidthInteger & UnsignedInteger>(
  _ values: UnsafePointer<T>, _ count: Int, width: Int, into sink: ByteSink
) {
  var position = 0
  var packedStart = 0
  func flushPacked(_ end: Int) {
    let total = end - packedStart
    if total == 0 { return }
    let groups = (total + 7) >> 3
    sink.append(varint: groups << 1 | 1)
    let bytes = groups * width
    let target = sink.reserve(bytes + 8)
    var pending: UInt64 = 0
    var bits: UInt64 = 0
    var at = 0
    for slot in 0..<(groups << 3) {
      let value = slot < total ? UInt64(truncatingIfNeeded: values[packedStart + slot]) : 0
      pending |= value &<< bits
      bits &+= UInt64(width)
      if bits >= 32 {
        target.storeBytes(
          of: UInt32(truncatingIfNeeded: pending), toByteOffset: at, as: UInt32.self)
        at &+= 4
        pending &>>= 32
        bits &-= 32
      }
    }
    target.storeBytes(of: pending, toByteOffset: at, as: UInt64.self)
    sink.advance(bytes)
  }
  while position < count {
    // Runs start at multiples of eight behind the last run, so that packed groups are whole.
    let value = values[position]
    var end = position + 1
    while end < count && values[end] == value { end += 1 }
    if end - position >= 8 {
      flushPacked(position)
      sink.append(varint: (end - position) << 1)
      for byte in 0..<((width + 7) >> 3) {
        sink.append(
          UInt8(truncatingIfNeeded: UInt64(truncatingIfNeeded: value) >> UInt64(byte * 8)))
      }
      position = end
      packedStart = end
    } else {
      position = min(position + 8, count)
    }
  }
  flushPacked(count)
}
