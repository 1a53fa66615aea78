/// A bit a row of a large partition, set where peers begin.
struct PartitionMarks {
  private var words: [UInt64] = []
  private(set) var count = 0
  /// Marks before each block of rows that was appended, and of all.
  private(set) var marksBefore = [0]

  var byteCount: Int { words.count * 8 + marksBefore.count * 8 }

  /// The marks of the next rows; the first is one where peers do not go on from the row before.
  mutating func append(_ marks: UnsafePointer<UInt64>, count rows: Int, goesOn: Bool) {
    var found = 0
    for row in 0..<rows {
      let place = count + row
      if place & 63 == 0 { words.append(0) }
      let isMarked = row == 0 ? !goesOn : marks[row >> 6] >> UInt64(row & 63) & 1 != 0
      if !isMarked { continue }
      words[place >> 6] |= 1 << UInt64(place & 63)
      found += 1
    }
    count += rows
    marksBefore.append((marksBefore.last ?? 0) + found)
  }

  func isMarked(_ place: Int) -> Bool { words[place >> 6] >> UInt64(place & 63) & 1 != 0 }

  /// Where the peers of a row begin.
  func start(of place: Int) -> Int {
    var index = place >> 6
    var word = words[index] & (UInt64.max >> UInt64(63 - place & 63))
    while word == 0 && index > 0 {
      index -= 1
      word = words[index]
    }
    return word == 0 ? 0 : index << 6 + 63 - word.leadingZeroBitCount
  }

  /// Where the peers of a row end.
  func end(of place: Int) -> Int {
    var place = place + 1
    while place < count {
      let word = words[place >> 6] >> UInt64(place & 63)
      if word != 0 { return min(count, place + word.trailingZeroBitCount) }
      place = (place | 63) + 1
    }
    return count
  }
}
