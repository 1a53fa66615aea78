/// How the system hands out memory.
package enum SystemPages {
  package static let byteCount = 4096

  /// Writes a zero to each page of zeroed memory that nobody has used yet. A page that is read first,
  /// as one is in which a free slot is looked for, is at first the page of zeros that all share; the
  /// write that follows is a second fault, stops the other threads while their translations are
  /// dropped, and takes a huge page apart.
  ///
  /// SAFETY: the bytes are the caller's to write.
  package static func prepare(_ start: UnsafeMutableRawPointer, _ byteCount: Int) {
    let end = start + byteCount
    var place = start
    while place < end {
      place.storeBytes(of: 0, as: UInt8.self)
      place = (place + 1).alignedUp(toMultipleOf: SystemPages.byteCount)
    }
  }
}
