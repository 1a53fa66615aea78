import Columnar

/// Key -> first build row with that key; further rows with the same key follow in `next`. So a
/// probe resolves each key once, and walking a chain compares nothing. Row links are row + 1; 0 ends.
///
/// Three ways to find the key, chosen after the build rows are known:
/// - direct: one integer key in a dense range indexes `heads`;
/// - packed: keys that fit a word; slots of (word, link), linear probing, one cache miss a probe;
/// - general: slots of link + 16 bits of the hash, then columns compared in batches.
///
/// Filled by all workers at once without atomics: each inserts the keys of its partition of the
/// hash (or key) range, and a partition has slots of its own. Rows are inserted from the last to the
/// first, so chains ascend.
final class JoinTable: @unchecked Sendable {
  enum Strategy: Equatable { case direct(minimum: UInt64, range: UInt64), packed, general }

  struct PackedSlot: BitwiseCopyable {
    var key: UInt64
    var link: UInt64
  }

  /// The slots of one partition: `start ..< start + mask + 1`.
  struct Region {
    var start: Int
    var mask: Int
  }

  let strategy: Strategy
  let rowCount: Int
  /// Hash bits above this shift choose the partition; 64 when there is one only.
  let partitionShift: UInt64
  let regions: [Region]
  let slots: ZeroedMemory
  let next: UnsafeMutablePointer<UInt32>
  private let nextMemory: ZeroedMemory

  /// SAFETY: workers write disjoint slots and rows before a barrier, and only read afterwards.
  init(strategy: Strategy, rowCount: Int, partitionRows: [Int]) {
    self.strategy = strategy
    self.rowCount = rowCount
    nextMemory = ZeroedMemory(byteCount: rowCount * 4)
    next = nextMemory.pointer.assumingMemoryBound(to: UInt32.self)
    var regions: [Region] = []
    var total = 0
    switch strategy {
    case .direct(_, let range):
      slots = ZeroedMemory(byteCount: Int(range) * 4)
      partitionShift = 64
    case .packed, .general:
      for rows in partitionRows {
        let capacity = JoinTable.capacity(rows: rows)
        regions.append(Region(start: total, mask: capacity - 1))
        total += capacity
      }
      partitionShift = JoinTable.partitionShift(partitionRows.count)
      slots = ZeroedMemory(byteCount: total * (strategy == .packed ? 16 : 8))
    }
    self.regions = regions
  }

  var byteCount: Int { slots.byteCount + nextMemory.byteCount }

  /// A power of two with at least a third of it free.
  private static func capacity(rows: Int) -> Int {
    let wanted = max(rows + rows / 2, 16)
    return 1 << (Int.bitWidth - (wanted - 1).leadingZeroBitCount)
  }

  /// The shift for a number of partitions that is a power of two.
  static func partitionShift(_ partitions: Int) -> UInt64 {
    UInt64(64 - partitions.trailingZeroBitCount)
  }

  // MARK: Filling

  /// Inserts the rows whose key lies in part `part` of `parts` of the direct range. True when no
  /// key came twice.
  func insertDirect(
    _ words: UnsafePointer<UInt64>, valid: UnsafePointer<UInt64>?, part: Int, parts: Int
  ) -> Bool {
    guard case .direct(let minimum, let range) = strategy else { return true }
    let heads = slots.pointer.assumingMemoryBound(to: UInt32.self)
    let next = self.next
    let low = range / UInt64(parts) &* UInt64(part)
    let high = part == parts - 1 ? range : range / UInt64(parts) &* UInt64(part + 1)
    // Rows that lie far apart may leave most pages alone.
    if high - low < UInt64(rowCount) &* 64 {
      slots.prepare(from: Int(low) * 4, byteCount: Int(high - low) * 4)
    }
    var duplicates: UInt32 = 0
    var row = rowCount
    while row > 0 {
      row -= 1
      if let valid, !Validity.isValid(valid, row) { continue }
      let offset = words[row] &- minimum
      if offset < low || offset >= high { continue }
      let head = heads[Int(offset)]
      if head != 0 { next[row] = head }
      duplicates |= head
      heads[Int(offset)] = UInt32(truncatingIfNeeded: row + 1)
    }
    return duplicates == 0
  }

  /// Inserts the rows of one partition. True when no key came twice.
  func insertPacked(
    _ words: UnsafePointer<UInt64>, valid: UnsafePointer<UInt64>?, partition: Int
  ) -> Bool {
    let region = regions[partition]
    let width = MemoryLayout<PackedSlot>.stride
    self.slots.prepare(from: region.start * width, byteCount: (region.mask + 1) * width)
    let slots = self.slots.pointer.assumingMemoryBound(to: PackedSlot.self) + region.start
    let mask = region.mask
    let next = self.next
    let shift = partitionShift
    let wanted = UInt64(partition)
    var unique = true
    var row = rowCount
    while row > 0 {
      row -= 1
      if let valid, !Validity.isValid(valid, row) { continue }
      let key = words[row]
      let hash = Hashing.hash(key)
      if hash >> shift != wanted { continue }
      var slot = Int(truncatingIfNeeded: hash) & mask
      while true {
        let link = slots[slot].link
        if link == 0 {
          slots[slot] = PackedSlot(key: key, link: UInt64(row + 1))
          break
        }
        if slots[slot].key == key {
          next[row] = UInt32(truncatingIfNeeded: link)
          slots[slot].link = UInt64(row + 1)
          unique = false
          break
        }
        slot = (slot + 1) & mask
      }
    }
    return unique
  }

  /// Inserts the rows of one partition, blocks of rows at a time: claim free slots at once, compare
  /// all rows that met their salt, move on those that differ. Rows of equal keys walk in step, so
  /// they are linked in order.
  func insertGeneral(
    _ hashes: UnsafePointer<UInt64>, valid: UnsafePointer<UInt64>?, partition: Int,
    matcher: KeyMatcher
  ) -> Bool {
    let region = regions[partition]
    self.slots.prepare(from: region.start * 8, byteCount: (region.mask + 1) * 8)
    let slots = self.slots.pointer.assumingMemoryBound(to: UInt64.self) + region.start
    let mask = region.mask
    let next = self.next
    let shift = partitionShift
    let wanted = UInt64(partition)
    let scratch = CandidateScratch(capacity: 2048)
    defer { withExtendedLifetime(scratch) {} }
    let (rows, others, positions) = (scratch.rows, scratch.others, scratch.slots)
    var unique = true
    var row = rowCount
    while row > 0 {
      var active = 0
      while row > 0 && active < 2048 {
        row -= 1
        if let valid, !Validity.isValid(valid, row) { continue }
        if hashes[row] >> shift != wanted { continue }
        rows[active] = UInt32(truncatingIfNeeded: row)
        positions[active] = UInt32(truncatingIfNeeded: Int(truncatingIfNeeded: hashes[row]) & mask)
        active += 1
      }
      while active > 0 {
        var candidates = 0
        for entry in 0..<active {
          let mine = rows[entry]
          let salt = hashes[Int(mine)] >> 48
          var slot = Int(positions[entry])
          while true {
            let found = slots[slot]
            if found == 0 {
              slots[slot] = salt << 48 | UInt64(mine + 1)
              break
            }
            if found >> 48 == salt {
              rows[candidates] = mine
              others[candidates] = UInt32(truncatingIfNeeded: found) &- 1
              positions[candidates] = UInt32(truncatingIfNeeded: slot)
              candidates += 1
              break
            }
            slot = (slot + 1) & mask
          }
        }
        matcher.match(rows, others, candidates, into: scratch.equal)
        active = 0
        for entry in 0..<candidates {
          let slot = Int(positions[entry])
          if scratch.equal[entry] != 0 {
            // An equal row of this block may have become the head since: link to the present one.
            next[Int(rows[entry])] = UInt32(truncatingIfNeeded: slots[slot])
            slots[slot] = (slots[slot] & ~0xFFFF_FFFF_FFFF) | UInt64(rows[entry] + 1)
            unique = false
          } else {
            rows[active] = rows[entry]
            positions[active] = UInt32(truncatingIfNeeded: (slot + 1) & mask)
            active += 1
          }
        }
      }
    }
    return unique
  }

  /// Links the rows that are not valid. Gives the link of the first, 0 for none, and whether there is
  /// at most one.
  func linkNulls(_ valid: UnsafePointer<UInt64>) -> (head: UInt32, isUnique: Bool) {
    var head: UInt32 = 0
    var unique = true
    var row = rowCount
    while row > 0 {
      row -= 1
      // Most words have none.
      if row & 63 == 63 && valid[row >> 6] == .max {
        row &= ~63
        continue
      }
      if Validity.isValid(valid, row) { continue }
      if head != 0 {
        next[row] = head
        unique = false
      }
      head = UInt32(truncatingIfNeeded: row + 1)
    }
    return (head, unique)
  }

  // MARK: Finding

  /// Sets `heads[row]` to the link of the first build row with the key, 0 for none.
  func findDirect(
    _ words: UnsafePointer<UInt64>, _ count: Int, into heads: UnsafeMutablePointer<UInt32>
  ) {
    guard case .direct(let minimum, let range) = strategy else { return }
    let table = slots.pointer.assumingMemoryBound(to: UInt32.self)
    for row in 0..<count {
      let offset = words[row] &- minimum
      heads[row] = offset < range ? table[Int(truncatingIfNeeded: offset)] : 0
    }
  }

  /// Tables beyond this do not stay in the processor's second cache.
  private static let cachedBytes = 512 << 10

  func findPacked(
    _ words: UnsafePointer<UInt64>, _ count: Int, scratch: CandidateScratch,
    into heads: UnsafeMutablePointer<UInt32>
  ) {
    let table = slots.pointer.assumingMemoryBound(to: PackedSlot.self)
    let shift = partitionShift
    let places = scratch.slots
    regions.withUnsafeBufferPointer { regions in
      let single = regions.count == 1
      let first = regions[0]
      for row in 0..<count {
        let hash = Hashing.hash(words[row])
        let region = single ? first : regions[Int(truncatingIfNeeded: hash >> shift)]
        places[row] = UInt32(
          truncatingIfNeeded: region.start &+ (Int(truncatingIfNeeded: hash) & region.mask))
      }
      // Every slot is read once, independently of each other: the cache misses overlap, which they
      // would not behind the branches of the loop below.
      if slots.byteCount > JoinTable.cachedBytes {
        var sum: UInt64 = 0
        for row in 0..<count { sum |= table[Int(places[row])].link }
        scratch.touched = sum
      }
      for row in 0..<count {
        let key = words[row]
        let found = table[Int(places[row])]
        if found.link == 0 || found.key == key {
          heads[row] = UInt32(truncatingIfNeeded: found.link)
          continue
        }
        let hash = Hashing.hash(key)
        let region = single ? first : regions[Int(truncatingIfNeeded: hash >> shift)]
        var slot = Int(truncatingIfNeeded: hash) & region.mask
        while true {
          slot = (slot + 1) & region.mask
          let found = table[region.start + slot]
          if found.link == 0 || found.key == key {
            heads[row] = UInt32(truncatingIfNeeded: found.link)
            break
          }
        }
      }
    }
  }

  func findGeneral(
    _ hashes: UnsafePointer<UInt64>, _ count: Int, matcher: KeyMatcher, scratch: CandidateScratch,
    into heads: UnsafeMutablePointer<UInt32>
  ) {
    let table = slots.pointer.assumingMemoryBound(to: UInt64.self)
    let shift = partitionShift
    let (rows, others, positions) = (scratch.rows, scratch.others, scratch.slots)
    regions.withUnsafeBufferPointer { regions in
      var active = count
      for row in 0..<count {
        let region = regions[Int(truncatingIfNeeded: hashes[row] >> shift)]
        rows[row] = UInt32(truncatingIfNeeded: row)
        positions[row] = UInt32(
          truncatingIfNeeded: Int(truncatingIfNeeded: hashes[row]) & region.mask)
      }
      while active > 0 {
        var candidates = 0
        for entry in 0..<active {
          let mine = rows[entry]
          let hash = hashes[Int(mine)]
          let region = regions[Int(truncatingIfNeeded: hash >> shift)]
          var slot = Int(positions[entry])
          while true {
            let found = table[region.start + slot]
            if found == 0 {
              heads[Int(mine)] = 0
              break
            }
            if found >> 48 == hash >> 48 {
              rows[candidates] = mine
              others[candidates] = UInt32(truncatingIfNeeded: found) &- 1
              positions[candidates] = UInt32(truncatingIfNeeded: slot)
              candidates += 1
              break
            }
            slot = (slot + 1) & region.mask
          }
        }
        matcher.match(rows, others, candidates, into: scratch.equal)
        active = 0
        for entry in 0..<candidates {
          let mine = rows[entry]
          if scratch.equal[entry] != 0 {
            heads[Int(mine)] = others[entry] + 1
          } else {
            let region = regions[Int(truncatingIfNeeded: hashes[Int(mine)] >> shift)]
            rows[active] = mine
            positions[active] = UInt32(
              truncatingIfNeeded: (Int(positions[entry]) + 1) & region.mask)
            active += 1
          }
        }
      }
    }
  }
}

/// Room for the candidate pairs of one block of rows.
final class CandidateScratch {
  let capacity: Int
  let rows: UnsafeMutablePointer<UInt32>
  let others: UnsafeMutablePointer<UInt32>
  let slots: UnsafeMutablePointer<UInt32>
  let equal: UnsafeMutablePointer<UInt8>
  /// Where reads go that only bring memory nearer.
  var touched: UInt64 = 0

  init(capacity: Int) {
    self.capacity = capacity
    rows = .allocate(capacity: capacity)
    others = .allocate(capacity: capacity)
    slots = .allocate(capacity: capacity)
    equal = .allocate(capacity: capacity)
  }

  deinit {
    rows.deallocate()
    others.deallocate()
    slots.deallocate()
    equal.deallocate()
  }
}
