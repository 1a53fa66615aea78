import Columnar

/// arg_min(x, y) and arg_max(x, y): the x of the least or greatest y, the first where several are.
/// Rows with a NULL in either are left out.
final class ArgumentExtremeState<Key: StateValue, End: Extreme>: AggregateState {
  private let best = StateMemory(stride: MemoryLayout<Key>.stride)
  private let seen = StateMemory(stride: 1)
  private let values: ValueVector
  private let scratch = StateMemory(stride: 4)
  private var heap = StringHeap()

  /// Whether a row counts whose value is NULL.
  private let keepsNull: Bool

  init(value: LogicalType, keepsNull: Bool) {
    values = ValueVector(value)
    self.keepsNull = keepsNull
  }

  var byteCount: Int { best.byteCount + seen.byteCount + values.byteCount + heap.byteCount }

  func resize(groups count: Int) {
    best.resize(count)
    seen.resize(count)
    values.resize(count)
  }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    scratch.resize(2 * count)
    let rows = scratch.values(UInt32.self)
    let targets = rows + count
    let best = best.values(Key.self)
    let known = seen.values(UInt8.self)
    let heap = heap
    let value = arguments[0]
    var picked = 0
    forEachValid(arguments[1], Key.self, count) { row, key in
      let group = Int(groups[row])
      if known[group] != 0 && !End.isBetter(key, than: best[group]) { return }
      if !keepsNull && value.isNull(row) { return }
      known[group] = 1
      best[group] = key.stored(in: heap)
      rows[picked] = UInt32(row)
      targets[picked] = UInt32(group)
      picked += 1
    }
    if picked > 0 { values.set(value, rows: rows, targets: targets, count: picked) }
  }

  func update(_ arguments: [Column], count: Int) {
    withGroupZero(count) { update(arguments, groups: $0, count: count) }
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let other = sameState(other, as: ArgumentExtremeState<Key, End>.self)
    let best = best.values(Key.self)
    let known = seen.values(UInt8.self)
    let theirBest = other.best.values(Key.self)
    let theirKnown = other.seen.values(UInt8.self)
    for row in 0..<count {
      let from = Int(source[row])
      let to = Int(target[row])
      if theirKnown[from] == 0 { continue }
      if known[to] != 0 && !End.isBetter(theirBest[from], than: best[to]) { continue }
      known[to] = 1
      best[to] = theirBest[from].stored(in: heap)
      values.set(from: other.values, sources: source + row, targets: target + row, count: 1)
    }
  }

  func finish(first: Int, count: Int) -> Column { values.column(first: first, count: count) }
}
