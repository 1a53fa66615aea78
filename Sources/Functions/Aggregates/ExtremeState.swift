import Columnar

/// Which end of the order min and max look for.
protocol Extreme {
  static func isBetter<T: StateValue>(_ candidate: T, than current: T) -> Bool
}

enum Least: Extreme {
  @inline(__always)
  static func isBetter<T: StateValue>(_ candidate: T, than current: T) -> Bool {
    T.sortsBefore(candidate, current)
  }
}

enum Greatest: Extreme {
  @inline(__always)
  static func isBetter<T: StateValue>(_ candidate: T, than current: T) -> Bool {
    T.sortsBefore(current, candidate)
  }
}

/// min and max.
final class ExtremeState<T: StateValue, End: Extreme>: AggregateState {
  private let result: LogicalType
  private let values = StateMemory(stride: MemoryLayout<T>.stride)
  private let seen = StateMemory(stride: 1)
  private var heap = StringHeap()
  /// Bytes in the heap after which the strings no group needs any more are thrown away.
  private var heapLimit = ExtremeState.leastHeap
  private static var leastHeap: Int { 1 << 16 }

  init(result: LogicalType) { self.result = result }

  var byteCount: Int { values.byteCount + seen.byteCount + heap.byteCount }

  func resize(groups count: Int) {
    values.resize(count)
    seen.resize(count)
  }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    let best = values.values(T.self)
    let known = seen.values(UInt8.self)
    let heap = heap
    forEachValid(arguments[0], T.self, count) { row, value in
      let group = Int(groups[row])
      if known[group] == 0 || End.isBetter(value, than: best[group]) {
        best[group] = value.stored(in: heap)
        known[group] = 1
      }
    }
    if T.isString { compactHeap() }
  }

  func update(_ arguments: [Column], count: Int) {
    let best = values.values(T.self)
    let known = seen.values(UInt8.self)
    var value = best[0]
    var found = known[0] != 0
    var isNew = false
    forEachValid(arguments[0], T.self, count) { _, candidate in
      if !found || End.isBetter(candidate, than: value) {
        value = candidate
        found = true
        isNew = true
      }
    }
    if isNew {
      best[0] = value.stored(in: heap)
      known[0] = 1
    }
    if T.isString { compactHeap() }
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let other = sameState(other, as: ExtremeState<T, End>.self)
    let best = values.values(T.self)
    let known = seen.values(UInt8.self)
    let theirBest = other.values.values(T.self)
    let theirKnown = other.seen.values(UInt8.self)
    for row in 0..<count {
      let from = Int(source[row])
      let to = Int(target[row])
      if theirKnown[from] == 0 { continue }
      if known[to] == 0 || End.isBetter(theirBest[from], than: best[to]) {
        best[to] = theirBest[from].stored(in: heap)
        known[to] = 1
      }
    }
  }

  func finish(first: Int, count: Int) -> Column {
    let best = values.values(T.self) + first
    let known = seen.values(UInt8.self) + first
    return resultColumn(result, count, zero: T.zero, heaps: T.isString ? [heap] : []) {
      known[$0] == 0 ? nil : best[$0]
    }
  }

  private func compactHeap() {
    if heap.byteCount < heapLimit { return }
    let fresh = StringHeap()
    let best = values.values(T.self)
    let known = seen.values(UInt8.self)
    for group in 0..<values.count where known[group] != 0 {
      best[group] = best[group].stored(in: fresh)
    }
    heap = fresh
    heapLimit = max(ExtremeState.leastHeap, fresh.byteCount * 2)
  }
}
