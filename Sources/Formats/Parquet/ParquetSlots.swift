import Columnar

/// Collects the slots of a batch from one page after the other into one column: indices into the
/// chunk's dictionary as long as only dictionary pages came, values from then on.
struct ParquetSlots {
  private let width: Int
  private let type: LogicalType
  private(set) var count = 0
  private var capacity: Int
  private var indices: Buffer?
  private var values: Buffer?
  private var validity: Buffer?
  private var owners: [AnyObject] = []

  init(_ type: LogicalType, capacity: Int) {
    self.type = type
    width = type.physical.width
    self.capacity = max(capacity, 64)
  }

  private mutating func reserve(_ more: Int) {
    if count + more <= capacity { return }
    let larger = max(capacity * 2, count + more)
    func grow(_ buffer: inout Buffer?, _ bytes: Int, _ used: Int) {
      guard let old = buffer else { return }
      let new = Buffer(byteCount: bytes)
      new.pointer.copyMemory(from: old.pointer, byteCount: used)
      buffer = new
    }
    grow(&indices, larger * 4, count * 4)
    grow(&values, larger * width, count * width)
    grow(&validity, Validity.wordCount(larger) * 8, Validity.wordCount(count) * 8)
    capacity = larger
  }

  private mutating func indexMemory() -> UnsafeMutablePointer<UInt32> {
    let buffer = indices ?? Buffer(byteCount: capacity * 4)
    indices = buffer
    return buffer.pointer.assumingMemoryBound(to: UInt32.self)
  }

  private mutating func valueMemory() -> UnsafeMutableRawPointer {
    let buffer = values ?? Buffer(byteCount: capacity * width)
    values = buffer
    return buffer.pointer
  }

  /// Validity with the slots so far marked as there.
  private mutating func validityMemory() -> UnsafeMutablePointer<UInt64> {
    if let validity { return validity.pointer.assumingMemoryBound(to: UInt64.self) }
    let buffer = Buffer(byteCount: Validity.wordCount(capacity) * 8)
    validity = buffer
    let words = buffer.pointer.assumingMemoryBound(to: UInt64.self)
    appendBits(words, 0, repeating: true, count: count)
    return words
  }

  /// Whether the slots so far are indices.
  private var isDictionary: Bool { values == nil }

  /// Takes `slots` slots of a page. `page` must hold them.
  mutating func append(
    _ slots: Int, of page: inout ParquetPage, dictionary: ParquetDictionary?
  ) throws {
    if slots == 0 { return }
    reserve(slots)
    var present = slots
    var segment: Buffer?
    if let pageValidity = page.validity {
      let bits = Buffer(byteCount: Validity.wordCount(slots) * 8 + 16)
      let words = bits.pointer.assumingMemoryBound(to: UInt64.self)
      Validity.copy(pageValidity, from: page.slotPosition, count: slots, to: words)
      present = Validity.countValid(words, slots)
      if present < slots { segment = bits }
    }
    defer { withExtendedLifetime(segment) {} }
    let words = segment?.pointer.assumingMemoryBound(to: UInt64.self)
    guard page.valuePosition + present <= page.valueCount else { throw ParquetDamage.badLevels }
    switch page.form {
    case .values(let source):
      materialize(dictionary)
      let target = valueMemory() + count * width
      let from = UnsafeRawPointer(source.pointer) + page.valuePosition * width
      if let words {
        spread(from, into: target, slots, words)
      } else {
        target.copyMemory(from: from, byteCount: slots * width)
      }
      if !owners.contains(where: { $0 === source.owners.last }) { owners += source.owners }
      noteValidity(words, slots)
    case .indices(var decoder):
      guard let dictionary else { throw ParquetDamage.badIndex }
      if isDictionary && dictionary.isEmitted {
        let target = indexMemory() + count
        try decoder.decode(into: target, count: present)
        try dictionary.check(target, present)
        if let words {
          guard dictionary.nullIndex != nil else {
            throw ParquetDamage("its metadata deny the NULLs that it holds")
          }
          dictionary.insertNulls(target, slots, present, words)
        }
      } else {
        materialize(dictionary)
        let scratch = Buffer(byteCount: max(present, 1) * 4)
        defer { withExtendedLifetime(scratch) {} }
        let picks = scratch.pointer.assumingMemoryBound(to: UInt32.self)
        try decoder.decode(into: picks, count: present)
        try dictionary.check(picks, present)
        let target = valueMemory() + count * width
        if let words {
          let packed = Buffer(byteCount: present * width + pageSlack)
          defer { withExtendedLifetime(packed) {} }
          gather(dictionary.values.pointer, picks, present, into: packed.pointer)
          spread(packed.pointer, into: target, slots, words)
        } else {
          gather(dictionary.values.pointer, picks, present, into: target)
        }
        noteValidity(words, slots)
      }
      page.form = .indices(decoder)
    }
    page.slotPosition += slots
    page.valuePosition += present
    count += slots
  }

  private mutating func noteValidity(_ words: UnsafeMutablePointer<UInt64>?, _ slots: Int) {
    if let words {
      appendBits(validityMemory(), count, words, from: 0, count: slots)
    } else if let validity {
      appendBits(
        validity.pointer.assumingMemoryBound(to: UInt64.self), count, repeating: true, count: slots)
    }
  }

  /// Turns indices so far into values.
  private mutating func materialize(_ dictionary: ParquetDictionary?) {
    guard values == nil else { return }
    let target = valueMemory()
    guard count > 0, let dictionary, let indices else { return }
    let picks = indices.pointer.assumingMemoryBound(to: UInt32.self)
    // The entry of NULLs, behind the values, is zero.
    gather(dictionary.values.pointer, picks, count, into: target)
    if let nullIndex = dictionary.nullIndex {
      for slot in 0..<count where picks[slot] == nullIndex {
        Validity.setNull(validityMemory(), slot)
      }
    }
    owners += dictionary.values.owners
  }

  private func gather(
    _ source: UnsafeMutableRawPointer, _ picks: UnsafeMutablePointer<UInt32>, _ count: Int,
    into target: UnsafeMutableRawPointer
  ) {
    switch width {
    case 1: gatherValues(source, picks, count, target, UInt8.self)
    case 2: gatherValues(source, picks, count, target, UInt16.self)
    case 4: gatherValues(source, picks, count, target, UInt32.self)
    case 8: gatherValues(source, picks, count, target, UInt64.self)
    default: gatherValues(source, picks, count, target, StringView.self)
    }
  }

  private func spread(
    _ source: UnsafeRawPointer, into target: UnsafeMutableRawPointer, _ slots: Int,
    _ words: UnsafeMutablePointer<UInt64>
  ) {
    switch width {
    case 1: spreadValues(source, target, slots, words, UInt8.self)
    case 2: spreadValues(source, target, slots, words, UInt16.self)
    case 4: spreadValues(source, target, slots, words, UInt32.self)
    case 8: spreadValues(source, target, slots, words, UInt64.self)
    default: spreadValues(source, target, slots, words, UInt128.self)
    }
  }

  /// The column of all slots; the collector is done with.
  func finish(_ dictionary: ParquetDictionary?) -> Column {
    if values == nil, let dictionary, let indices {
      return dictionary.column(indices.pointer.assumingMemoryBound(to: UInt32.self), count, indices)
    }
    guard let values else { return Column(flat: type, count: count) }
    var keep = owners
    keep.append(values)
    if let validity { keep.append(validity) }
    return Column(
      type: type, count: count, data: values.pointer,
      validity: validity?.pointer.assumingMemoryBound(to: UInt64.self), owners: keep)
  }
}

@inline(__always)
private func gatherValues<T: BitwiseCopyable>(
  _ source: UnsafeMutableRawPointer, _ picks: UnsafeMutablePointer<UInt32>, _ count: Int,
  _ target: UnsafeMutableRawPointer, _ type: T.Type
) {
  let from = source.assumingMemoryBound(to: T.self)
  let to = target.assumingMemoryBound(to: T.self)
  for slot in 0..<count { to[slot] = from[Int(picks[slot])] }
}

/// Puts packed values where validity has bits, zeros elsewhere.
///
/// SAFETY: reads one value behind the last; sources have that slack.
@inline(__always)
private func spreadValues<T: FixedWidthInteger>(
  _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ slots: Int,
  _ words: UnsafeMutablePointer<UInt64>, _ type: T.Type
) {
  let to = target.assumingMemoryBound(to: T.self)
  let stride = MemoryLayout<T>.stride
  var from = source
  for slot in 0..<slots {
    let bit = words[slot >> 6] &>> UInt64(truncatingIfNeeded: slot & 63) & 1
    to[slot] = from.loadUnaligned(as: T.self) & (0 &- T(truncatingIfNeeded: bit))
    from += stride &* Int(truncatingIfNeeded: bit)
  }
}
