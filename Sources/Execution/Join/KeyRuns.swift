import Columnar

/// Runs of rows with equal keys in an order of rows, found by the keys' hashes: what an ASOF join
/// looks a probe row's partners up in, before it compares.
struct KeyRuns {
  private let keys: [Column]
  private let nullSafe: [Bool]
  private let order: Selection
  /// Where each run begins; behind the last, where it ends.
  private let starts: [UInt32]
  private let hashes: [UInt64]
  /// Number of a run plus one, by hash, open to the next; 0 for none. A power of two of them.
  private let slots: [UInt32]

  /// `order` holds rows with equal keys beside each other.
  init(keys: [Column], nullSafe: [Bool], order: Selection) {
    self.keys = keys
    self.nullSafe = nullSafe
    self.order = order
    var starts = KeyRuns.starts(KeyMatcher(probe: keys, build: keys, nullSafe: nullSafe), order)
    let heads = Selection(capacity: starts.count)
    for (run, start) in starts.enumerated() { heads.indices[run] = order.indices[Int(start)] }
    var hashes = [UInt64](repeating: 0, count: starts.count)
    hashes.withUnsafeMutableBufferPointer { target in
      guard let target = target.baseAddress else { return }
      for (key, column) in keys.enumerated() {
        Hashing.hash(Column.dictionary(column, heads), into: target, combining: key > 0)
      }
    }
    var size = 16
    while size < starts.count * 2 { size *= 2 }
    var slots = [UInt32](repeating: 0, count: size)
    for (run, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & (size - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
      slots[slot] = UInt32(truncatingIfNeeded: run + 1)
    }
    starts.append(UInt32(truncatingIfNeeded: order.count))
    self.starts = starts
    self.hashes = hashes
    self.slots = slots
  }

  var byteCount: Int { starts.count * 4 + hashes.count * 8 + slots.count * 4 }

  /// Positions at which another key begins.
  private static func starts(_ matcher: KeyMatcher, _ order: Selection) -> [UInt32] {
    var found: [UInt32] = order.count > 0 ? [0] : []
    let block = EngineLimits.batchRows
    let equal = Buffer(byteCount: block)
    let flags = equal.pointer.assumingMemoryBound(to: UInt8.self)
    var first = 1
    while first < order.count {
      let count = min(block, order.count - first)
      matcher.match(
        order.indices + (first - 1), order.indices + first, count, into: flags)
      for place in 0..<count where flags[place] == 0 {
        found.append(UInt32(truncatingIfNeeded: first + place))
      }
      first += count
    }
    withExtendedLifetime(equal) {}
    return found
  }

  /// The positions of the order that hold a run.
  @inline(__always)
  func positions(_ run: Int) -> Range<Int> { Int(starts[run])..<Int(starts[run + 1]) }

  /// Sets `runs[row]` to the number of the run with a row's keys plus one, or 0.
  func find(_ probe: [Column], rows: Int, into runs: UnsafeMutablePointer<UInt32>) {
    let words = Buffer(byteCount: max(rows, 1) * 8)
    let numbers = Buffer(byteCount: max(rows, 1) * 12)
    let flags = Buffer(byteCount: max(rows, 1))
    defer { withExtendedLifetime((words, numbers, flags)) {} }
    let hash = words.pointer.assumingMemoryBound(to: UInt64.self)
    for (key, column) in probe.enumerated() {
      Hashing.hash(column, into: hash, combining: key > 0)
    }
    // Rows that still look for their run, the row that heads the run met, and the slot it stood in.
    let open = numbers.pointer.assumingMemoryBound(to: UInt32.self)
    let heads = open + rows
    let places = heads + rows
    let equal = flags.pointer.assumingMemoryBound(to: UInt8.self)
    let matcher = KeyMatcher(probe: probe, build: keys, nullSafe: nullSafe)
    let mask = slots.count - 1
    for row in 0..<rows {
      open[row] = UInt32(truncatingIfNeeded: row)
      places[row] = UInt32(truncatingIfNeeded: Int(truncatingIfNeeded: hash[row]) & mask)
    }
    var count = rows
    while count > 0 {
      var met = 0
      for place in 0..<count {
        let row = open[place]
        var slot = Int(places[place])
        while slots[slot] != 0, hashes[Int(slots[slot]) - 1] != hash[Int(row)] {
          slot = (slot + 1) & mask
        }
        runs[Int(row)] = slots[slot]
        if slots[slot] == 0 { continue }
        open[met] = row
        heads[met] = order.indices[Int(starts[Int(slots[slot]) - 1])]
        places[met] = UInt32(truncatingIfNeeded: (slot + 1) & mask)
        met += 1
      }
      matcher.match(open, heads, met, into: equal)
      count = 0
      for place in 0..<met where equal[place] == 0 {
        open[count] = open[place]
        places[count] = places[place]
        count += 1
      }
    }
  }
}
