import Columnar
import Functions

/// Gives equal byte strings equal small numbers, 0, 1, 2, …, and keeps the bytes.
final class ByteInterner {
  private(set) var count = 0
  let heap = StringHeap()
  private let views = StateMemory(stride: MemoryLayout<StringView>.stride)
  private let hashes = StateMemory(stride: 8)
  /// Per slot: the upper half of the hash, and number + 1 (0: free).
  private var slots = StateMemory(stride: 8, count: 256)
  private var mask = 255

  var byteCount: Int { heap.byteCount + views.byteCount + hashes.byteCount + slots.byteCount }

  func view(_ number: Int) -> UnsafePointer<StringView> {
    UnsafePointer(views.values(StringView.self) + number)
  }

  func hash(_ number: Int) -> UInt64 { hashes.values(UInt64.self)[number] }

  func intern(_ view: UnsafePointer<StringView>) -> Int {
    let hash = Hashing.hash(view)
    let salt = hash & 0xFFFF_FFFF_0000_0000
    let entries = slots.values(UInt64.self)
    let known = views.values(StringView.self)
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = entries[slot]
      if entry == 0 { break }
      if entry & 0xFFFF_FFFF_0000_0000 == salt {
        let number = Int(entry & 0xFFFF_FFFF) - 1
        if known[number] == view.pointee { return number }
      }
      slot = (slot + 1) & mask
    }
    let number = count
    count += 1
    entries[slot] = salt | UInt64(count)
    views.resize(count)
    hashes.resize(count)
    views.values(StringView.self)[number] = heap.store(view.pointee)
    hashes.values(UInt64.self)[number] = hash
    if count * 2 > mask { grow() }
    return number
  }

  private func grow() {
    let capacity = (mask + 1) * 2
    let larger = StateMemory(stride: 8, count: capacity)
    let entries = larger.values(UInt64.self)
    let all = hashes.values(UInt64.self)
    mask = capacity - 1
    for number in 0..<count {
      var slot = Int(truncatingIfNeeded: all[number]) & mask
      while entries[slot] != 0 { slot = (slot + 1) & mask }
      entries[slot] = (all[number] & 0xFFFF_FFFF_0000_0000) | UInt64(number + 1)
    }
    slots = larger
  }
}
