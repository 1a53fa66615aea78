import Columnar

/// Values in the engine's layout, NULLs left out: a decoded page or dictionary.
struct ParquetValues {
  var pointer: UnsafeMutableRawPointer
  var count: Int
  /// Who keeps the values, and the bytes of strings, alive.
  var owners: [AnyObject]

  /// Decodes `count` values of a PLAIN page of which `available` bytes are there. Values whose
  /// layout needs no change stay where they are.
  ///
  /// SAFETY: `owner` holds the page; `pageSlack` bytes behind it are readable.
  init(
    plain start: UnsafeRawPointer, available: Int, count: Int, leaf: ParquetLeaf, owner: AnyObject
  ) throws {
    defer { withExtendedLifetime(owner) {} }
    guard let width = leaf.conversion.plainWidth(typeLength: leaf.typeLength) else {
      self = try Self.strings(start, available: available, count: count, leaf: leaf, owner: owner)
      return
    }
    let needed = width == 0 ? (count + 7) >> 3 : width * count
    guard needed <= available else { throw ParquetDamage.truncatedPage }
    self = try Self.fixed(start, count: count, leaf: leaf, owner: owner)
  }

  private init(_ buffer: Buffer, _ count: Int, _ more: AnyObject? = nil) {
    pointer = buffer.pointer
    self.count = count
    owners = more.map { [buffer, $0] } ?? [buffer]
  }

  private static func fixed(
    _ start: UnsafeRawPointer, count: Int, leaf: ParquetLeaf, owner: AnyObject
  ) throws -> ParquetValues {
    switch leaf.conversion {
    case .same:
      return ParquetValues(
        pointer: UnsafeMutableRawPointer(mutating: start), count: count, owners: [owner])
    case .bits:
      let buffer = try makePageBuffer(count)
      let target = buffer.pointer.assumingMemoryBound(to: UInt8.self)
      let bytes = start.assumingMemoryBound(to: UInt8.self)
      for row in 0..<count { target[row] = bytes[row >> 3] >> UInt8(row & 7) & 1 }
      return ParquetValues(buffer, count)
    case .int32ToInt8:
      return try map(start, count, 4, Int32.self) { Int8(truncatingIfNeeded: $0) }
    case .int32ToInt16:
      return try map(start, count, 4, Int32.self) { Int16(truncatingIfNeeded: $0) }
    case .int32ToInt64: return try map(start, count, 4, Int32.self) { Int64($0) }
    case .int32ToInt128: return try map(start, count, 4, Int32.self) { Int128($0) }
    case .int32Milliseconds: return try map(start, count, 4, Int32.self) { Int64($0) * 1000 }
    case .int64ToInt16:
      return try map(start, count, 8, Int64.self) { Int16(truncatingIfNeeded: $0) }
    case .int64ToInt32:
      return try map(start, count, 8, Int64.self) { Int32(truncatingIfNeeded: $0) }
    case .int64ToInt128: return try map(start, count, 8, Int64.self) { Int128($0) }
    case .int64Milliseconds:
      return try map(start, count, 8, Int64.self) { value in
        if !Calendar.isFinite(value) { return value }
        let (product, overflow) = value.multipliedReportingOverflow(by: 1000)
        if overflow { throw ParquetDamage("a timestamp is out of range", code: .conversion) }
        return product
      }
    case .int64Nanoseconds:
      return try map(start, count, 8, Int64.self) { $0 / 1000 - ($0 % 1000 < 0 ? 1 : 0) }
    case .timeTZ(.milliseconds):
      return try map(start, count, 4, Int32.self) {
        ZonedTime.pack(instantOfDay: Int64($0) * 1000)
      }
    case .timeTZ(let unit):
      let divisor: Int64 = unit == .nanoseconds ? 1000 : 1
      return try map(start, count, 8, Int64.self) {
        ZonedTime.pack(instantOfDay: $0 / divisor)
      }
    case .int96:
      return try mapBytes(start, count, 12) { bytes in
        let nanoseconds = bytes.loadUnaligned(as: Int64.self)
        let day = Int64(bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self))
        // Julian day 2,440,588 is 1970-01-01.
        return (day - 2_440_588) &* 86_400_000_000 &+ nanoseconds / 1000
      }
    case .halfFloat: return try mapBytes(start, count, 2, halfToFloat)
    case .interval:
      return try mapBytes(start, count, 12) { bytes in
        Interval(
          months: bytes.loadUnaligned(as: Int32.self),
          days: bytes.loadUnaligned(fromByteOffset: 4, as: Int32.self),
          microseconds: Int64(bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)) * 1000)
      }
    case .fixedDecimal(let width):
      let length = leaf.typeLength
      switch width {
      case 2: return try mapBytes(start, count, length) { try decimal($0, length, Int16.self) }
      case 4: return try mapBytes(start, count, length) { try decimal($0, length, Int32.self) }
      case 8: return try mapBytes(start, count, length) { try decimal($0, length, Int64.self) }
      default: return try mapBytes(start, count, length) { try decimal($0, length, Int128.self) }
      }
    case .fixedBytes:
      let length = leaf.typeLength
      var values = try mapBytes(start, count, length) {
        StringView(referring: $0.assumingMemoryBound(to: UInt8.self), length)
      }
      values.owners.append(owner)
      return values
    case .uuid:
      return try mapBytes(start, count, 16) {
        UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self))
      }
    case .strings, .variableDecimal: preconditionFailure("the length of these values varies")
    }
  }

  init(pointer: UnsafeMutableRawPointer, count: Int, owners: [AnyObject]) {
    self.pointer = pointer
    self.count = count
    self.owners = owners
  }

  @inline(__always)
  private static func map<From: BitwiseCopyable, To: BitwiseCopyable>(
    _ start: UnsafeRawPointer, _ count: Int, _ width: Int, _ from: From.Type,
    _ convert: (From) throws -> To
  ) throws -> ParquetValues {
    try mapBytes(start, count, width) { try convert($0.loadUnaligned(as: From.self)) }
  }

  @inline(__always)
  private static func mapBytes<To: BitwiseCopyable>(
    _ start: UnsafeRawPointer, _ count: Int, _ width: Int,
    _ convert: (UnsafeRawPointer) throws -> To
  ) throws -> ParquetValues {
    let buffer = try makePageBuffer(count * MemoryLayout<To>.stride)
    let target = buffer.pointer.assumingMemoryBound(to: To.self)
    for row in 0..<count { target[row] = try convert(start + row &* width) }
    return ParquetValues(buffer, count)
  }

  // MARK: Strings

  private static func strings(
    _ start: UnsafeRawPointer, available: Int, count: Int, leaf: ParquetLeaf, owner: AnyObject
  ) throws -> ParquetValues {
    guard count <= available / 4 else { throw ParquetDamage.truncatedPage }
    let buffer = try makePageBuffer(count * 16)
    let views = buffer.pointer.assumingMemoryBound(to: StringView.self)
    var position = 0
    for row in 0..<count {
      guard available - position >= 4 else { throw ParquetDamage.truncatedPage }
      let length = Int(start.loadUnaligned(fromByteOffset: position, as: UInt32.self))
      position += 4
      guard length <= available - position else { throw ParquetDamage.truncatedPage }
      views[row] = paddedView(start + position, length)
      position += length
    }
    if leaf.type == .varchar { try checkText(views, count, within: start, position) }
    return try ParquetValues(buffer, count, owner).converted(leaf)
  }

  /// From views that a delta decoder made.
  static func views(
    _ buffer: Buffer, _ count: Int, bytes: UnsafeRawPointer, byteCount: Int, leaf: ParquetLeaf,
    owner: AnyObject
  ) throws -> ParquetValues {
    let views = buffer.pointer.assumingMemoryBound(to: StringView.self)
    if leaf.type == .varchar { try checkText(views, count, within: bytes, byteCount) }
    return try ParquetValues(buffer, count, owner).converted(leaf)
  }

  /// Decimals of variable length become numbers, strings stay.
  private func converted(_ leaf: ParquetLeaf) throws -> ParquetValues {
    guard case .variableDecimal(let width) = leaf.conversion else { return self }
    let buffer = try makePageBuffer(count * width)
    defer { withExtendedLifetime(owners) {} }
    let views = pointer.assumingMemoryBound(to: StringView.self)
    for row in 0..<count {
      let bytes = UnsafeRawPointer((views + row).bytes)
      let length = views[row].count
      switch width {
      case 2:
        buffer.pointer.storeBytes(
          of: try decimal(bytes, length), toByteOffset: row * 2, as: Int16.self)
      case 4:
        buffer.pointer.storeBytes(
          of: try decimal(bytes, length), toByteOffset: row * 4, as: Int32.self)
      case 8:
        buffer.pointer.storeBytes(
          of: try decimal(bytes, length), toByteOffset: row * 8, as: Int64.self)
      default:
        buffer.pointer.storeBytes(
          of: try decimal(bytes, length), toByteOffset: row * 16, as: Int128.self)
      }
    }
    return ParquetValues(buffer, count)
  }

  /// Most pages are ASCII, which one pass of word loads shows; only others are read as UTF-8.
  private static func checkText(
    _ views: UnsafeMutablePointer<StringView>, _ count: Int, within bytes: UnsafeRawPointer,
    _ byteCount: Int
  ) throws {
    if isASCII(bytes, byteCount) { return }
    for row in 0..<count where !isValidUTF8(UnsafePointer(views + row).buffer) {
      throw ParquetDamage("a string is not valid UTF-8", code: .conversion)
    }
  }
}

/// A view of bytes behind which at least 12 more are readable, without a call to memcpy.
@inline(__always)
func paddedView(_ start: UnsafeRawPointer, _ count: Int) -> StringView {
  if count > StringView.inlineCapacity {
    return StringView(pointer: start.assumingMemoryBound(to: UInt8.self), count)
  }
  var view = StringView()
  view.length = UInt32(truncatingIfNeeded: count)
  let low = start.loadUnaligned(as: UInt32.self)
  let high = start.loadUnaligned(fromByteOffset: 4, as: UInt64.self)
  if count >= 4 {
    view.prefix = low
    let rest = UInt64(truncatingIfNeeded: count - 4)
    view.tail = rest == 8 ? high : high & ((1 &<< (rest &* 8)) &- 1)
  } else {
    view.prefix = low & ((1 &<< UInt32(truncatingIfNeeded: count &* 8)) &- 1)
  }
  return view
}

func isASCII(_ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
  var position = 0
  while position + 64 <= count {
    var seen: UInt64 = 0
    for word in 0..<8 {
      seen |= bytes.loadUnaligned(fromByteOffset: position &+ word &* 8, as: UInt64.self)
    }
    if seen & 0x8080_8080_8080_8080 != 0 { return false }
    position += 64
  }
  var seen: UInt8 = 0
  while position < count {
    seen |= bytes.load(fromByteOffset: position, as: UInt8.self)
    position += 1
  }
  return seen < 0x80
}

/// Big-endian two's complement; bytes that only repeat the sign may exceed the target.
func decimal<T: FixedWidthInteger>(
  _ bytes: UnsafeRawPointer, _ count: Int, _ type: T.Type = T.self
) throws -> T {
  if count == 0 { return 0 }
  let first = bytes.load(as: Int8.self)
  let sign: UInt8 = first < 0 ? 0xff : 0
  var start = 0
  while count - start > MemoryLayout<T>.size {
    guard bytes.load(fromByteOffset: start, as: UInt8.self) == sign else {
      throw ParquetDamage("a decimal is out of range", code: .conversion)
    }
    start += 1
  }
  var value: T = first < 0 ? -1 : 0
  while start < count {
    value = value &<< 8 | T(truncatingIfNeeded: bytes.load(fromByteOffset: start, as: UInt8.self))
    start += 1
  }
  return value
}

private func halfToFloat(_ bytes: UnsafeRawPointer) -> Float {
  let bits = UInt32(bytes.loadUnaligned(as: UInt16.self))
  let sign = (bits & 0x8000) << 16
  let exponent = bits >> 10 & 31
  let fraction = bits & 0x3ff
  if exponent == 31 { return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13) }
  if exponent == 0 {
    let magnitude = Float(fraction) * 0x1p-24
    return sign == 0 ? magnitude : -magnitude
  }
  return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
}

extension ParquetValues {
  /// One byte per value.
  init(bytes buffer: Buffer, count: Int) {
    pointer = buffer.pointer
    self.count = count
    owners = [buffer]
  }
}
