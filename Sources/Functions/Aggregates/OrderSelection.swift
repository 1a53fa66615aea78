/// Values of which some are asked for by their place in ascending order, without all being sorted:
/// each question partitions only the part that the questions before left unordered (quickselect; C. A.
/// R. Hoare, "Algorithm 65: Find"). O(values) for one place on average; a part that keeps splitting
/// badly is sorted, so that the worst case is O(values * log values).
struct OrderSelection<T: StateValue> {
  private let values: UnsafeMutableBufferPointer<T>
  /// Places that hold their value already, ascending: nothing before one is greater, nothing behind
  /// it less.
  private var settled: [Int] = []

  init(_ values: UnsafeMutableBufferPointer<T>) { self.values = values }

  var count: Int { values.count }

  /// The value that sorting puts at `place`, which must be one.
  mutating func value(_ place: Int) -> T {
    var low = 0
    var high = values.count - 1
    var next = settled.endIndex
    for (index, known) in settled.enumerated() {
      if known == place { return values[place] }
      if known > place {
        high = known - 1
        next = index
        break
      }
      low = known + 1
    }
    select(place, low, high)
    settled.insert(place, at: next)
    return values[place]
  }

  private func select(_ place: Int, _ first: Int, _ last: Int) {
    var low = first
    var high = last
    // Each pass halves the part when the pivots are fair; twice as many passes say that they are not.
    var passes = 2 * (Int.bitWidth - (last - first).leadingZeroBitCount)
    while high - low > 16 {
      if passes == 0 { return sort(low, high) }
      passes -= 1
      let pivot = median(values[low], values[low + (high - low) / 2], values[high])
      var left = low
      var right = high
      while left <= right {
        while T.sortsBefore(values[left], pivot) { left += 1 }
        while T.sortsBefore(pivot, values[right]) { right -= 1 }
        if left <= right {
          values.swapAt(left, right)
          left += 1
          right -= 1
        }
      }
      if place <= right {
        high = right
      } else if place >= left {
        low = left
      } else {
        return
      }
    }
    insertionSort(low, high)
  }

  private func median(_ a: T, _ b: T, _ c: T) -> T {
    let (low, high) = T.sortsBefore(b, a) ? (b, a) : (a, b)
    if T.sortsBefore(c, low) { return low }
    return T.sortsBefore(high, c) ? high : c
  }

  private func sort(_ low: Int, _ high: Int) {
    var part = values[low...high]
    part.sort(by: T.sortsBefore)
  }

  private func insertionSort(_ low: Int, _ high: Int) {
    if low >= high { return }
    for index in (low + 1)...high {
      let value = values[index]
      var hole = index
      while hole > low && T.sortsBefore(value, values[hole - 1]) {
        values[hole] = values[hole - 1]
        hole -= 1
      }
      values[hole] = value
    }
  }
}
