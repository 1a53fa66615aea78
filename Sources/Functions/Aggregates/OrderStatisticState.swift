import Columnar
import Diagnostics

/// What an aggregate reads off the sorted values of a group.
enum OrderStatistic { case continuous, discrete, mode }

/// median, quantile_cont, quantile_disc and mode: the values of each group, sorted at the end.
final class OrderStatisticState<T: StateValue>: AggregateState {
  private let statistic: OrderStatistic
  /// Of one value; the result is a list of them when the fraction is one.
  private let item: LogicalType
  private let isList: Bool
  private var fractions: [Double]
  private let between: (T, T, Double) -> T
  private let chains = GroupChains()
  private let log = StateMemory(stride: MemoryLayout<T>.stride)
  private let heap = StringHeap()
  private let scratch = StateMemory(stride: 4)

  /// `between` gives the value at a fraction of the way between two.
  init(
    _ statistic: OrderStatistic, item: LogicalType, isList: Bool, fractions: [Double],
    between: @escaping (T, T, Double) -> T
  ) {
    self.statistic = statistic
    self.item = item
    self.isList = isList
    self.fractions = fractions
    self.between = between
  }

  var byteCount: Int { chains.byteCount + log.byteCount + heap.byteCount }

  func resize(groups count: Int) { chains.resize(groups: count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) throws {
    if arguments.count > 1 && fractions.isEmpty && count > 0 { try readFractions(arguments[1]) }
    scratch.resize(count)
    let picked = scratch.values(UInt32.self)
    let start = chains.rowCount
    log.resize(start + count)
    let target = log.values(T.self) + start
    let heap = heap
    var kept = 0
    forEachValid(arguments[0], T.self, count) { row, value in
      target[kept] = value.stored(in: heap)
      picked[kept] = groups[row]
      kept += 1
    }
    chains.append(picked, count: kept)
  }

  func update(_ arguments: [Column], count: Int) throws {
    try withGroupZero(count) { try update(arguments, groups: $0, count: count) }
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let other = sameState(other, as: OrderStatisticState<T>.self)
    if fractions.isEmpty { fractions = other.fractions }
    let (rows, targets) = other.chains.rows(of: source, count: count, goingTo: target)
    let start = chains.rowCount
    log.resize(start + rows.count)
    let mine = log.values(T.self) + start
    let theirs = other.log.values(T.self)
    for row in 0..<rows.count { mine[row] = theirs[Int(rows[row])].stored(in: heap) }
    chains.append(targets, count: targets.count)
  }

  func finish(first: Int, count: Int) throws -> Column {
    let cancellation = Cancellation.current
    let values = log.values(T.self)
    let perGroup = isList ? fractions.count : 1
    let items = Column(flat: item, count: count * perGroup, heaps: T.isString ? [heap] : [])
    let target = items.values(as: T.self)
    var group: [T] = []
    var empty: [Int] = []
    for row in 0..<count {
      group.removeAll(keepingCapacity: true)
      chains.forEachRow(of: first + row) { group.append(values[$0]) }
      if group.isEmpty {
        empty.append(row)
        for slot in 0..<perGroup { target[row * perGroup + slot] = T.zero }
        continue
      }
      try cancellation.check()
      if statistic == .mode {
        target[row] = mostFrequent(group)
        continue
      }
      group.sort(by: T.sortsBefore)
      for slot in 0..<perGroup { target[row * perGroup + slot] = quantile(group, fractions[slot]) }
    }
    if !isList {
      for row in empty { items.setNull(row) }
      return items
    }
    let lists = Column(flat: .list(item), count: count, children: [items])
    let entries = lists.values(as: ListEntry.self)
    for row in 0..<count { entries[row] = ListEntry(offset: row * perGroup, length: perGroup) }
    for row in empty {
      entries[row] = ListEntry(offset: 0, length: 0)
      lists.setNull(row)
    }
    return lists
  }

  private func quantile(_ ascending: [T], _ fraction: Double) -> T {
    // A negative fraction counts from the other end.
    let sorted = fraction < 0 ? ascending.reversed() : ascending
    let fraction = abs(fraction)
    if statistic == .discrete {
      // As DuckDB: the least value with at least this fraction of the values at or below it.
      let above = Int((Double(sorted.count) - fraction * Double(sorted.count)).rounded(.down))
      return sorted[max(1, sorted.count - above) - 1]
    }
    let position = Double(sorted.count - 1) * fraction
    let low = Int(position.rounded(.down))
    let high = Int(position.rounded(.up))
    return low == high ? sorted[low] : between(sorted[low], sorted[high], position - Double(low))
  }

  /// The value that comes most often; of several the one that came first.
  private func mostFrequent(_ values: [T]) -> T {
    var rows = Array(values.indices)
    rows.sort { a, b in
      if T.sortsBefore(values[a], values[b]) { return true }
      return T.sortsBefore(values[b], values[a]) ? false : a < b
    }
    var best = rows[0]
    var bestCount = 0
    var start = 0
    while start < rows.count {
      var end = start + 1
      while end < rows.count && !T.sortsBefore(values[rows[start]], values[rows[end]]) { end += 1 }
      let isMore = end - start > bestCount
      if isMore || (end - start == bestCount && rows[start] < best) {
        best = rows[start]
        bestCount = end - start
      }
      start = end
    }
    return values[best]
  }

  private func readFractions(_ column: Column) throws {
    if column.isNull(0) { throw fractionOutOfRange() }
    switch column.value(0) {
    case .double(let fraction): fractions = [fraction]
    case .list(let values):
      for value in values {
        guard case .double(let fraction) = value else { throw fractionOutOfRange() }
        fractions.append(fraction)
      }
    default: throw fractionOutOfRange()
    }
    for fraction in fractions where !(fraction >= -1 && fraction <= 1) {
      throw fractionOutOfRange()
    }
  }
}

private func fractionOutOfRange() -> SQLError {
  SQLError(.binder, "the fraction of a quantile must lie between -1 and 1")
}
