import Columnar

/// A word for each row of a column, in the order of the values, for binary searches that neither
/// follow a row number nor switch on a type at every step.
struct OrderedWords {
  private let memory: Buffer
  /// Whether rows with the same word have the same value.
  private let isExact: Bool

  /// Of all rows of a column; those of NULLs mean nothing.
  init(_ column: Column) {
    memory = Buffer(byteCount: max(column.count, 1) * 8)
    let words = memory.pointer.assumingMemoryBound(to: UInt64.self)
    switch column.type.physical {
    case .list, .array, .structure:
      words.update(repeating: 0, count: column.count)
      isExact = false
    case .string, .int128, .uint128, .interval:
      OrderedWords.fill(words, column)
      isExact = false
    case .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float, .double:
      OrderedWords.fill(words, column)
      isExact = true
    }
  }

  init(_ column: Column, rows: Selection) { self.init(Column.dictionary(column, rows)) }

  private static func fill(_ words: UnsafeMutablePointer<UInt64>, _ column: Column) {
    SortKeys.orderedWords(
      SortColumn(column, descending: false, nullsFirst: false), count: column.count, into: words)
  }

  var values: UnsafePointer<UInt64> {
    UnsafePointer(memory.pointer.assumingMemoryBound(to: UInt64.self))
  }

  /// The first of these ascending positions whose value is not smaller than the one that `word` is of,
  /// or, with `isAfter`, is greater. `compare` tells the order of that value and the one at a
  /// position.
  @inline(__always)
  func bound(
    _ word: UInt64, _ positions: Range<Int>, isAfter: Bool, _ compare: (Int) -> Int
  ) -> Int {
    let words = values
    var low = positions.lowerBound
    var high = positions.upperBound
    while low < high {
      let middle = (low + high) / 2
      let found = words[middle]
      var isBelow = found < word
      if found == word {
        if isExact {
          isBelow = isAfter
        } else {
          let order = compare(middle)
          isBelow = order > 0 || (isAfter && order == 0)
        }
      }
      if isBelow { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
