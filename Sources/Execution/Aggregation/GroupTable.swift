import Columnar
import Functions

/// Maps rows of key columns to dense group ids 0, 1, 2, … in order of first appearance; NULLs are
/// equal, as are NaNs. One thread at a time.
///
/// Keys are packed into words (`KeyField`). One word: a direct-address array while the words lie in
/// a small range, else open addressing with the key in the slot. More words: open addressing with a
/// salt in the slot and the words in an array by group. Dictionary columns whose bases stay the same
/// from batch to batch skip all that: the product of their indices addresses an array.
package final class GroupTable {
  package private(set) var count = 0
  private let fields: [KeyField]
  private let wordCount: Int
  /// The only key is a fixed-width column of up to 64 bits: NULL has a group of its own.
  private let isAlone: Bool
  private var nullGroup = -1
  /// The words of each group.
  private let groupWords: StateMemory
  private var words: StateMemory
  private var hashes = StateMemory(stride: 8)
  private var slots: StateMemory
  private var slotCount: Int
  // Direct addressing: slot of word w is w - directStart.
  private var isDirect = false
  private var directStart: UInt64 = 0
  private var lowest = Int64.max
  private var highest = Int64.min
  private var dictionaries: DictionaryGroups?

  private struct WordSlot: BitwiseCopyable {
    var word: UInt64
    /// Group + 1; 0 is free.
    var group: UInt64
  }

  package init(_ types: [LogicalType]) {
    fields = types.map { KeyField($0) }
    isAlone = fields.count == 1 && fields[0].interner == nil && fields[0].bits <= 64
    wordCount = isAlone ? 1 : max(1, KeyField.layOut(fields))
    groupWords = StateMemory(stride: 8 * wordCount)
    words = StateMemory(stride: 8)
    slotCount = 1024
    slots = StateMemory(stride: wordCount == 1 ? 16 : 8, count: slotCount)
  }

  /// Whether a key of another such table finds its group by no more than an addition.
  package var isDirectlyAbsorbed: Bool { isDirect && fields.allSatisfy { $0.interner == nil } }

  package var byteCount: Int {
    groupWords.byteCount + words.byteCount + hashes.byteCount + slots.byteCount
      + fields.reduce(0) { $0 + $1.byteCount }
  }

  /// Bytes that the next batch may add by making the table of slots larger.
  package var nextGrowth: Int {
    isDirect || count + EngineLimits.batchRows <= slotCount / 2 ? 0 : slots.byteCount * 4
  }

  /// Lets go of what only `lookUp` needs, which must not be called any more.
  package func seal() {
    slots = StateMemory(stride: 1)
    words = StateMemory(stride: 8)
    hashes = StateMemory(stride: 8)
    dictionaries = nil
    for field in fields { field.interner?.seal() }
  }

  // MARK: Looking up

  /// The groups of `count` rows, made where they are new.
  package func lookUp(
    _ columns: [Column], count rows: Int, groups: UnsafeMutablePointer<UInt32>
  ) {
    if columns.allSatisfy({ $0.encoding == .dictionary }) && !columns.isEmpty {
      if let dictionaries, dictionaries.matches(columns) {
        dictionaries.lookUp(columns, rows, groups) { self.lookUpEncoded($0, $1, $2) }
        return
      }
      dictionaries = DictionaryGroups(columns)
    }
    lookUpEncoded(columns, rows, groups)
  }

  private func lookUpEncoded(
    _ columns: [Column], _ rows: Int, _ groups: UnsafeMutablePointer<UInt32>
  ) {
    words.resize(rows * wordCount)
    let words = words.values(UInt64.self)
    if isAlone {
      fields[0].encodeAlone(columns[0], rows, words)
      if columns[0].mayHaveNulls {
        lookUpWithNulls(columns[0], rows, words, groups)
      } else {
        lookUp(words, rows, groups)
      }
      return
    }
    words.update(repeating: 0, count: rows * wordCount)
    for (field, column) in zip(fields, columns) {
      field.encode(column, rows, words, stride: wordCount)
    }
    lookUp(words, rows, groups)
  }

  /// Rows of NULL borrow the word of a row that has a value, and are put right afterwards.
  private func lookUpWithNulls(
    _ column: Column, _ rows: Int, _ words: UnsafeMutablePointer<UInt64>,
    _ groups: UnsafeMutablePointer<UInt32>
  ) {
    guard let valid = (0..<rows).first(where: { !column.isNull($0) }) else {
      let group = makeNullGroup()
      for row in 0..<rows { groups[row] = group }
      return
    }
    let word = words[valid]
    for row in 0..<rows where column.isNull(row) { words[row] = word }
    lookUp(words, rows, groups)
    for row in 0..<rows where column.isNull(row) { groups[row] = makeNullGroup() }
  }

  private func makeNullGroup() -> UInt32 {
    if nullGroup < 0 {
      nullGroup = count
      count += 1
      groupWords.resize(count)
    }
    return UInt32(truncatingIfNeeded: nullGroup)
  }

  private func lookUp(
    _ words: UnsafePointer<UInt64>, _ rows: Int, _ groups: UnsafeMutablePointer<UInt32>
  ) {
    if rows == 0 { return }
    if wordCount == 1 {
      noteRange(words, rows)
      if isDirect { lookUpDirect(words, rows, groups) } else { lookUpWord(words, rows, groups) }
    } else {
      lookUpWords(words, rows, groups)
    }
  }

  // MARK: Direct addressing

  /// Keeps the range of all words, and enters or leaves direct addressing. It is entered while the
  /// range is small beside the rows and groups at hand, so that its array stays cheaper to clear
  /// and to visit than a hash table.
  private func noteRange(_ words: UnsafePointer<UInt64>, _ rows: Int) {
    var low = lowest
    var high = highest
    for row in 0..<rows {
      let word = Int64(bitPattern: words[row])
      low = min(low, word)
      high = max(high, word)
    }
    if low == lowest && high == highest && (isDirect || count & 0x3FFF != 0) { return }
    lowest = low
    highest = high
    let (range, overflow) = high.subtractingReportingOverflow(low)
    let allowed = min(1 << 24, 16 * max(count, 2 * rows))
    let fits = !overflow && range < allowed
    if isDirect {
      let first = Int64(bitPattern: directStart)
      // The distance may exceed Int64 (a negative and a positive double), but not UInt64.
      if low >= first && UInt64(bitPattern: high &- first) < UInt64(slotCount) { return }
      if fits || (!overflow && range < 1 << 16) { enterDirect(range) } else { leaveDirect() }
    } else if fits {
      enterDirect(range)
    }
  }

  private func enterDirect(_ range: Int64) {
    // Head room on both sides, for ranges that grow a little with every batch.
    let room = Int64(1) << 10 + range / 2
    let (start, overflow) = lowest.subtractingReportingOverflow(room)
    directStart = UInt64(bitPattern: overflow ? lowest : start)
    slotCount = Int(range &+ 1 &+ 2 &* room)
    slots = StateMemory(stride: 4, count: slotCount)
    // Groups that lie far apart may leave most pages alone.
    if slotCount * 4 / SystemPages.byteCount < count { slots.prepare() }
    isDirect = true
    let entries = slots.values(UInt32.self)
    let known = groupWords.values(UInt64.self)
    for group in 0..<count where group != nullGroup {
      entries[Int(truncatingIfNeeded: known[group] &- directStart)] = UInt32(group + 1)
    }
  }

  private func leaveDirect() {
    isDirect = false
    slotCount = 1024
    while slotCount < count * 2 { slotCount *= 2 }
    rebuild()
  }

  private func lookUpDirect(
    _ words: UnsafePointer<UInt64>, _ rows: Int, _ groups: UnsafeMutablePointer<UInt32>
  ) {
    let entries = slots.values(UInt32.self)
    let start = directStart
    let keys = reserveGroups(rows)
    var known = count
    for row in 0..<rows {
      let place = entries + Int(truncatingIfNeeded: words[row] &- start)
      if place.pointee == 0 {
        keys[known] = words[row]
        known += 1
        place.pointee = UInt32(truncatingIfNeeded: known)
      }
      groups[row] = place.pointee &- 1
    }
    count = known
  }

  // MARK: Hashing

  /// Where the words of groups lie, with room for as many new ones.
  private func reserveGroups(_ more: Int) -> UnsafeMutablePointer<UInt64> {
    groupWords.reserve(count + more)
    return groupWords.values(UInt64.self)
  }

  private func lookUpWord(
    _ words: UnsafePointer<UInt64>, _ rows: Int, _ groups: UnsafeMutablePointer<UInt32>
  ) {
    hashes.resize(rows)
    let hashes = hashes.values(UInt64.self)
    for row in 0..<rows { hashes[row] = Hashing.hash(words[row]) }
    if slots.byteCount > 1 << 19 { touch(hashes, rows) }
    let keys = reserveGroups(rows)
    var known = count
    var row = 0
    while row < rows {
      let entries = slots.values(WordSlot.self)
      let mask = slotCount - 1
      let limit = slotCount / 2
      while row < rows && known <= limit {
        let word = words[row]
        var slot = Int(truncatingIfNeeded: hashes[row]) & mask
        while entries[slot].group != 0 && entries[slot].word != word { slot = (slot + 1) & mask }
        if entries[slot].group == 0 {
          keys[known] = word
          known += 1
          entries[slot] = WordSlot(word: word, group: UInt64(known))
        }
        groups[row] = UInt32(truncatingIfNeeded: entries[slot].group &- 1)
        row += 1
      }
      count = known
      if known > limit { growHash() }
    }
  }

  /// Reads every slot of the batch once, independently of each other: the cache misses overlap,
  /// which they would not behind the branches of the probing loop.
  @inline(__always)
  private func touch(_ hashes: UnsafePointer<UInt64>, _ rows: Int) {
    let entries = slots.values(UInt64.self)
    let mask = slotCount - 1
    let stride = wordCount == 1 ? 2 : 1
    var sum: UInt64 = 0
    for row in 0..<rows {
      sum |= entries[(Int(truncatingIfNeeded: hashes[row]) & mask) &* stride]
    }
    touched = sum
  }
  private var touched: UInt64 = 0

  private func lookUpWords(
    _ words: UnsafePointer<UInt64>, _ rows: Int, _ groups: UnsafeMutablePointer<UInt32>
  ) {
    hashes.resize(rows)
    let hashes = hashes.values(UInt64.self)
    let width = wordCount
    if width == 2 {
      for row in 0..<rows { hashes[row] = GroupTable.hash(words + row &* 2, 2) }
    } else {
      for row in 0..<rows { hashes[row] = GroupTable.hash(words + row &* width, width) }
    }
    if slots.byteCount > 1 << 19 { touch(hashes, rows) }
    // The width as a constant unrolls the comparison of the commonest case.
    if width == 2 {
      probe(words, hashes, rows, groups, width: 2)
    } else {
      probe(words, hashes, rows, groups, width: width)
    }
  }

  @inline(__always)
  private func probe(
    _ words: UnsafePointer<UInt64>, _ hashes: UnsafePointer<UInt64>, _ rows: Int,
    _ groups: UnsafeMutablePointer<UInt32>, width: Int
  ) {
    let known = reserveGroups(rows)
    var next = count
    var row = 0
    while row < rows {
      let entries = slots.values(UInt64.self)
      let mask = slotCount - 1
      let limit = slotCount / 2
      while row < rows && next <= limit {
        let key = words + row &* width
        let hash = hashes[row]
        let salt = hash & 0xFFFF_FFFF_0000_0000
        var slot = Int(truncatingIfNeeded: hash) & mask
        var found: UInt32 = 0
        while true {
          let entry = entries[slot]
          if entry == 0 { break }
          if entry & 0xFFFF_FFFF_0000_0000 == salt {
            let other = known + Int(UInt32(truncatingIfNeeded: entry) &- 1) &* width
            var difference: UInt64 = 0
            for word in 0..<width { difference |= other[word] ^ key[word] }
            if difference == 0 {
              found = UInt32(truncatingIfNeeded: entry)
              break
            }
          }
          slot = (slot &+ 1) & mask
        }
        if found == 0 {
          let place = known + next &* width
          for word in 0..<width { place[word] = key[word] }
          next &+= 1
          found = UInt32(truncatingIfNeeded: next)
          entries[slot] = salt | UInt64(found)
        }
        groups[row] = found &- 1
        row &+= 1
      }
      count = next
      if next > limit { growHash() }
    }
  }

  @inline(__always)
  private static func hash(_ key: UnsafePointer<UInt64>, _ width: Int) -> UInt64 {
    var state = Hashing.hash(key[0])
    for word in 1..<max(width, 1) { state = Hashing.combine(state, key[word]) }
    return state
  }

  private func growHash() {
    slotCount *= 4
    rebuild()
  }

  private func rebuild() {
    slots = StateMemory(stride: wordCount == 1 ? 16 : 8, count: slotCount)
    slots.prepare()
    let mask = slotCount - 1
    let known = groupWords.values(UInt64.self)
    if wordCount == 1 {
      let entries = slots.values(WordSlot.self)
      for group in 0..<count where group != nullGroup {
        var slot = Int(truncatingIfNeeded: Hashing.hash(known[group])) & mask
        while entries[slot].group != 0 { slot = (slot + 1) & mask }
        entries[slot] = WordSlot(word: known[group], group: UInt64(group + 1))
      }
      return
    }
    let entries = slots.values(UInt64.self)
    for group in 0..<count {
      let hash = GroupTable.hash(known + group * wordCount, wordCount)
      var slot = Int(truncatingIfNeeded: hash) & mask
      while entries[slot] != 0 { slot = (slot + 1) & mask }
      entries[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(group + 1)
    }
  }

  // MARK: Groups

  /// The key columns of groups `first ..< first + count`.
  package func keys(first: Int, count: Int) -> [Column] {
    let list = StateMemory(stride: 4, count: max(count, 1))
    let groups = list.values(UInt32.self)
    for row in 0..<count { groups[row] = UInt32(first + row) }
    return withExtendedLifetime(list) { keys(UnsafePointer(groups), count: count) }
  }

  /// The key columns of these groups.
  package func keys(_ groups: UnsafePointer<UInt32>, count: Int) -> [Column] {
    let known = UnsafePointer(groupWords.values(UInt64.self))
    return fields.map {
      $0.decode(
        known, stride: wordCount, groups: groups, count: count, isAlone: isAlone,
        nullGroup: nullGroup)
    }
  }

  /// Which of `1 << bits` partitions each group belongs to: equal keys of different tables get the
  /// same.
  package func partitions(bits: Int, into target: UnsafeMutablePointer<UInt8>) {
    let known = groupWords.values(UInt64.self)
    let shift = UInt64(64 - bits)
    let strings = fields.compactMap { field in
      field.interner.map { (word: field.word, hashes: $0.allHashes) }
    }
    let scratch = StateMemory(stride: 8, count: wordCount)
    defer { withExtendedLifetime(scratch) {} }
    let key = scratch.values(UInt64.self)
    for group in 0..<count {
      if group == nullGroup {
        target[group] = 0
        continue
      }
      key.update(from: known + group * wordCount, count: wordCount)
      for (word, hashes) in strings {
        if let number = KeyField.number(in: key[word]) { key[word] = hashes[number] }
      }
      target[group] = UInt8(truncatingIfNeeded: GroupTable.hash(key, wordCount) >> shift)
    }
  }

  /// The groups here of groups `source` of another table over the same types.
  package func absorb(
    _ other: GroupTable, source: UnsafePointer<UInt32>, count rows: Int,
    target: UnsafeMutablePointer<UInt32>
  ) {
    if other.nullGroup >= 0 {
      var start = 0
      while start < rows {
        let part = min(2048, rows - start)
        lookUpEncoded(other.keys(source + start, count: part), part, target + start)
        start += part
      }
      return
    }
    let known = other.groupWords.values(UInt64.self)
    var start = 0
    while start < rows {
      let part = min(2048, rows - start)
      words.resize(part * wordCount)
      let words = words.values(UInt64.self)
      for row in 0..<part {
        let from = known + Int(source[start + row]) * wordCount
        for word in 0..<wordCount { words[row * wordCount + word] = from[word] }
      }
      for (field, theirs) in zip(fields, other.fields) where field.interner != nil {
        field.translate(words, stride: wordCount, count: part, from: theirs)
      }
      lookUp(words, part, target + start)
      start += part
    }
  }
}
