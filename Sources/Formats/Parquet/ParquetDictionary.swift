import Columnar

/// The dictionary page of a column chunk, decoded once; batches refer to it by index.
final class ParquetDictionary {
  /// With a zero entry behind the last value.
  let values: ParquetValues
  /// Whether batches come out as dictionaries. Strings always do; fixed-width values when few of
  /// them repeat often, so that working on the dictionary saves work above.
  let isEmitted: Bool
  /// The index that stands for NULL.
  let nullIndex: UInt32?
  private let count: UInt32
  private let base: Column

  init(_ values: ParquetValues, leaf: ParquetLeaf, slots: Int, mayHaveNulls: Bool) throws {
    let count = values.count
    let width = leaf.type.physical.width
    isEmitted = leaf.type.physical == .string || count * 8 <= slots
    // A copy with room for the entry of NULLs, in aligned memory.
    let words = Validity.wordCount(count + 1)
    let dataBytes = ((count + 1) * width + 63) & ~63
    let buffer = try makePageBuffer(dataBytes + words * 8)
    buffer.pointer.copyMemory(from: values.pointer, byteCount: count * width)
    (buffer.pointer + count * width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
    let owners: [AnyObject] = [buffer] + values.owners
    self.values = ParquetValues(pointer: buffer.pointer, count: count, owners: owners)
    self.count = UInt32(truncatingIfNeeded: count)
    var validity: UnsafeMutablePointer<UInt64>?
    if mayHaveNulls {
      let bits = (buffer.pointer + dataBytes).assumingMemoryBound(to: UInt64.self)
      bits.update(repeating: .max, count: words)
      Validity.setNull(bits, count)
      validity = bits
    }
    nullIndex = mayHaveNulls ? self.count : nil
    base = Column(
      type: leaf.type, count: mayHaveNulls ? count + 1 : count, data: buffer.pointer,
      validity: validity, owners: owners)
  }

  /// Every index must be one of a value.
  func check(_ indices: UnsafeMutablePointer<UInt32>, _ count: Int) throws {
    var largest: UInt32 = 0
    for position in 0..<count { largest = max(largest, indices[position]) }
    guard count == 0 || largest < self.count else { throw ParquetDamage.badIndex }
  }

  /// Spreads `present` indices over `slots` slots, NULLs between them.
  func insertNulls(
    _ indices: UnsafeMutablePointer<UInt32>, _ slots: Int, _ present: Int,
    _ words: UnsafeMutablePointer<UInt64>
  ) {
    var next = present
    var slot = slots
    // From the back, so that no index is overwritten before it has moved.
    while slot > 0 {
      slot -= 1
      if Validity.isValid(words, slot) {
        next -= 1
        indices[slot] = indices[next]
      } else {
        indices[slot] = count
      }
    }
  }

  func column(_ indices: UnsafeMutablePointer<UInt32>, _ rows: Int, _ owner: Buffer) -> Column {
    Column(
      type: base.type, count: rows, encoding: .dictionary, data: base.data, validity: base.validity,
      indices: indices, base: base, owners: [owner])
  }
}
