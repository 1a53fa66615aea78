import Columnar
import Functions

/// Gives equal byte strings equal small numbers, 0, 1, 2, …, and keeps the bytes.
final class ByteInterner {
  private(set) var count = 0
  /// Where the bytes are: the first heap is its own, the others those of interners absorbed.
  private(set) var heaps = [StringHeap()]
  private let views = StateMemory(stride: MemoryLayout<StringView>.stride)
  private let hashes = StateMemory(stride: 8)
  /// Per slot: the upper half of the hash, and number + 1 (0: free).
  private var slots = StateMemory(stride: 8, count: 256)
  private var mask = 255
  private let scratch = StateMemory(stride: 8)
  private var touched: UInt64 = 0

  private static let saltMask: UInt64 = 0xFFFF_FFFF_0000_0000
  /// Tables larger than this are worth a pass that only brings their lines into the cache.
  private static let cacheBytes = 1 << 18

  var byteCount: Int { heaps[0].byteCount + views.byteCount + hashes.byteCount + slots.byteCount }

  /// Lets go of what only `intern` needs, which must not be called any more.
  func seal() { slots = StateMemory(stride: 1) }

  func view(_ number: Int) -> UnsafePointer<StringView> {
    UnsafePointer(views.values(StringView.self) + number)
  }

  /// By number; as long as nothing is added.
  var allHashes: UnsafePointer<UInt64> { UnsafePointer(hashes.values(UInt64.self)) }

  /// The numbers of `count` strings, whose views lie at the addresses in `words`; they replace them.
  ///
  /// In passes, because each step waits for memory (the bytes, the slot, the kept view, the kept
  /// bytes) and only within a simple loop do the waits of many rows overlap.
  func intern(_ words: UnsafeMutablePointer<UInt64>, count rows: Int) {
    scratch.resize(rows)
    let rowHashes = scratch.values(UInt64.self)
    for row in 0..<rows { rowHashes[row] = Hashing.hash(ByteInterner.view(at: words[row])) }
    let heap = heaps[0]
    intern(words, rowHashes, rows) { heap.store($0) }
  }

  /// The numbers here of strings that another interner has numbers for; they replace those. The bytes
  /// stay where they are.
  func absorb(_ numbers: UnsafeMutablePointer<UInt64>, count rows: Int, of other: ByteInterner) {
    for heap in other.heaps where !heaps.contains(where: { $0 === heap }) { heaps.append(heap) }
    scratch.resize(rows)
    let rowHashes = scratch.values(UInt64.self)
    let theirs = other.allHashes
    let views = other.views.values(StringView.self)
    for row in 0..<rows {
      let number = Int(truncatingIfNeeded: numbers[row])
      rowHashes[row] = theirs[number]
      numbers[row] = UInt64(UInt(bitPattern: views + number))
    }
    intern(numbers, rowHashes, rows) { $0 }
  }

  @inline(__always)
  private func intern(
    _ words: UnsafeMutablePointer<UInt64>, _ rowHashes: UnsafePointer<UInt64>, _ rows: Int,
    keeping: (StringView) -> StringView
  ) {
    if slots.byteCount > ByteInterner.cacheBytes { touch(rowHashes, rows) }
    views.reserve(count + rows)
    hashes.reserve(count + rows)
    let known = views.values(StringView.self)
    let kept = hashes.values(UInt64.self)
    var next = count
    var row = 0
    while row < rows {
      let entries = slots.values(UInt64.self)
      let mask = mask
      let limit = mask / 2
      while row < rows && next <= limit {
        let hash = rowHashes[row]
        let salt = hash & ByteInterner.saltMask
        let view = ByteInterner.view(at: words[row])
        var slot = Int(truncatingIfNeeded: hash) & mask
        var number = -1
        while true {
          let entry = entries[slot]
          if entry == 0 { break }
          if entry & ByteInterner.saltMask == salt {
            let candidate = Int(entry & 0xFFFF_FFFF) - 1
            if known[candidate] == view.pointee {
              number = candidate
              break
            }
          }
          slot = (slot + 1) & mask
        }
        if number < 0 {
          number = next
          known[number] = keeping(view.pointee)
          kept[number] = hash
          next += 1
          entries[slot] = salt | UInt64(next)
        }
        words[row] = UInt64(number)
        row += 1
      }
      count = next
      if next > limit { grow() }
    }
  }

  @inline(__always)
  private static func view(at address: UInt64) -> UnsafePointer<StringView> {
    UnsafePointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  private func touch(_ rowHashes: UnsafePointer<UInt64>, _ rows: Int) {
    let entries = slots.values(UInt64.self)
    let known = views.values(StringView.self)
    let mask = mask
    let last = max(0, count - 1)
    var sum: UInt64 = 0
    for row in 0..<rows { sum |= entries[Int(truncatingIfNeeded: rowHashes[row]) & mask] }
    if count > 0 {
      for row in 0..<rows {
        let entry = entries[Int(truncatingIfNeeded: rowHashes[row]) & mask]
        let number = min(last, Int(entry & 0xFFFF_FFFF))
        sum |= UInt64(known[number].length)
        if !known[number].isInline { sum |= UInt64(known[number].longPointer[0]) }
      }
    }
    touched = sum
  }

  private func grow() {
    let capacity = (mask + 1) * 4
    let larger = StateMemory(stride: 8, count: capacity)
    larger.prepare()
    let entries = larger.values(UInt64.self)
    let all = hashes.values(UInt64.self)
    let mask = capacity - 1
    self.mask = mask
    for number in 0..<count {
      var slot = Int(truncatingIfNeeded: all[number]) & mask
      while entries[slot] != 0 { slot = (slot + 1) & mask }
      entries[slot] = (all[number] & ByteInterner.saltMask) | UInt64(number + 1)
    }
    slots = larger
  }
}
