import Glibc

/// A string or blob in 16 bytes: the length, then either up to 12 bytes in place, or the first
/// four bytes (so most comparisons end there) and a pointer. Who holds the view's column holds the
/// bytes. (The layout of Umbra, Neumann and Freitag 2020.)
@frozen
@usableFromInline package struct StringView: BitwiseCopyable, Sendable {
  @usableFromInline package var length: UInt32
  @usableFromInline package var prefix: UInt32
  @usableFromInline package var tail: UInt64

  @inlinable package static var inlineCapacity: Int { 12 }
  /// The longest string: views count in 32 bits.
  @inlinable package static var maximumCount: Int { Int(UInt32.max) }

  /// The empty string.
  @inlinable
  package init() {
    length = 0
    prefix = 0
    tail = 0
  }

  /// Copies at most 12 bytes into the view; unused bytes are zero, so equal strings are equal bits.
  @inlinable
  package init(inline bytes: UnsafePointer<UInt8>, _ count: Int) {
    self.init()
    length = UInt32(truncatingIfNeeded: count)
    withUnsafeMutableBytes(of: &self) { raw in
      if count > 0 { memcpy(raw.baseAddress.unsafelyUnwrapped + 4, bytes, count) }
    }
  }

  /// Refers to more than 12 bytes elsewhere.
  @inlinable
  package init(pointer: UnsafePointer<UInt8>, _ count: Int) {
    length = UInt32(truncatingIfNeeded: count)
    prefix = UnsafeRawPointer(pointer).loadUnaligned(as: UInt32.self)
    tail = UInt64(UInt(bitPattern: pointer))
  }

  /// In place when short, else referring to `bytes`, which must outlive the view.
  @inlinable
  package init(referring bytes: UnsafePointer<UInt8>, _ count: Int) {
    if count <= StringView.inlineCapacity {
      self.init(inline: bytes, count)
    } else {
      self.init(pointer: bytes, count)
    }
  }

  @inlinable package var count: Int { Int(length) }
  @inlinable package var isInline: Bool { length <= 12 }

  /// The bytes of a view that is not inline.
  @inlinable
  package var longPointer: UnsafePointer<UInt8> {
    UnsafePointer(bitPattern: UInt(tail)).unsafelyUnwrapped
  }

  /// Length and prefix as one word: unequal words mean unequal strings.
  @inlinable
  package var head: UInt64 { UInt64(length) | UInt64(prefix) << 32 }

  /// The view's text as a Swift string, invalid UTF-8 repaired. For the edges only.
  package var string: String {
    var copy = self
    return withUnsafePointer(to: &copy) { view in
      String(
        decoding: UnsafeBufferPointer(start: view.bytes, count: view.pointee.count), as: UTF8.self)
    }
  }

  @inlinable
  package static func == (a: StringView, b: StringView) -> Bool {
    if a.head != b.head { return false }
    if a.isInline { return a.tail == b.tail }
    return a.tail == b.tail || memcmp(a.longPointer, b.longPointer, a.count) == 0
  }

  /// Byte order (which is code point order in UTF-8): negative, zero or positive.
  @inlinable
  package static func compare(_ a: StringView, _ b: StringView) -> Int {
    if a.prefix != b.prefix {
      let left = a.prefix.byteSwapped
      let right = b.prefix.byteSwapped
      // Unused inline bytes are zero, so the shorter of two equal beginnings sorts first.
      return left < right ? -1 : 1
    }
    var left = a
    var right = b
    return withUnsafePointer(to: &left) { x in
      withUnsafePointer(to: &right) { y in
        let common = min(x.pointee.count, y.pointee.count)
        let order = common == 0 ? 0 : Int(memcmp(x.bytes, y.bytes, common))
        return order != 0 ? order : x.pointee.count - y.pointee.count
      }
    }
  }
}

extension UnsafePointer where Pointee == StringView {
  /// The string's bytes; for an inline string they lie in the view itself, so the view must stay.
  @inlinable
  package var bytes: UnsafePointer<UInt8> {
    pointee.isInline
      ? (UnsafeRawPointer(self) + 4).assumingMemoryBound(to: UInt8.self) : pointee.longPointer
  }

  @inlinable
  package var buffer: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: bytes, count: pointee.count)
  }
}

extension UnsafeMutablePointer where Pointee == StringView {
  @inlinable
  package var bytes: UnsafePointer<UInt8> { UnsafePointer(self).bytes }
}
