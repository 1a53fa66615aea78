import Columnar
import Diagnostics

/// What an aggregate reads off the sorted values of a group.
enum OrderStatistic { case continuous, discrete }

/// median, quantile_cont and quantile_disc: the values of each group, put in order at the end
/// as far as the result asks.
final class OrderStatisticState<T: StateValue>: AggregateState {
  private let statistic: OrderStatistic
  /// Of one value; the result is a list of them when the fraction is one.
  private let item: LogicalType
  private let isList: Bool
  private var fractions: [Double]
  private let between: (T, T, Double) -> T
  private let segments: GroupSegments

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
    segments = GroupSegments(item, keepsNulls: false)
  }

  var byteCount: Int { segments.byteCount }

  func resize(groups count: Int) { segments.resize(groups: count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) throws {
    if arguments.count > 1 && fractions.isEmpty && count > 0 { try readFractions(arguments[1]) }
    segments.append(arguments[0], groups: groups, count: count)
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
    segments.merge(other.segments, source: source, target: target, count: count)
  }

  func finish(first: Int, count: Int) throws -> Column {
    let cancellation = Cancellation.current
    let perGroup = isList ? fractions.count : 1
    let items = Column(flat: item, count: count * perGroup, heaps: segments.heaps)
    let target = items.values(as: T.self)
    var group: [T] = []
    var empty: [Int] = []
    for row in 0..<count {
      group.removeAll(keepingCapacity: true)
      segments.forEachRun(of: first + row) { run in
        group.append(
          contentsOf: UnsafeBufferPointer(
            start: run.values.assumingMemoryBound(to: T.self), count: run.count))
      }
      if group.isEmpty {
        empty.append(row)
        for slot in 0..<perGroup { target[row * perGroup + slot] = T.zero }
        continue
      }
      try cancellation.check()
      group.withUnsafeMutableBufferPointer { values in
        var selection = OrderSelection(values)
        for slot in 0..<perGroup {
          target[row * perGroup + slot] = quantile(&selection, fractions[slot])
        }
      }
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

  private func quantile(_ values: inout OrderSelection<T>, _ signed: Double) -> T {
    let count = values.count
    let fraction = abs(signed)
    // A negative fraction counts from the other end.
    func place(_ index: Int) -> Int { signed < 0 ? count - 1 - index : index }
    if statistic == .discrete {
      // As DuckDB: the least value with at least this fraction of the values at or below it.
      let above = Int((Double(count) - fraction * Double(count)).rounded(.down))
      return values.value(place(max(1, count - above) - 1))
    }
    let position = Double(count - 1) * fraction
    let low = Int(position.rounded(.down))
    let high = Int(position.rounded(.up))
    let first = values.value(place(low))
    return low == high
      ? first : between(first, values.value(place(high)), position - Double(low))
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
