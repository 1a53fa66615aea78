import Columnar

/// first, any_value and last.
final class PickState: AggregateState {
  enum Rule { case first, firstValid, last }
  private let rule: Rule
  private let values: ValueVector
  private let seen = StateMemory(stride: 1)
  private let scratch = StateMemory(stride: 4)

  init(_ rule: Rule, _ type: LogicalType) {
    self.rule = rule
    values = ValueVector(type)
  }

  var byteCount: Int { values.byteCount + seen.byteCount }

  func resize(groups count: Int) {
    values.resize(count)
    seen.resize(count)
  }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    let column = arguments[0]
    let known = seen.values(UInt8.self)
    if rule == .last {
      for row in 0..<count { known[Int(groups[row])] = 1 }
      values.set(column, rows: nil, targets: groups, count: count)
      return
    }
    scratch.resize(2 * count)
    let rows = scratch.values(UInt32.self)
    let targets = rows + count
    var picked = 0
    for row in 0..<count {
      let group = Int(groups[row])
      if known[group] != 0 || (rule == .firstValid && column.isNull(row)) { continue }
      known[group] = 1
      rows[picked] = UInt32(row)
      targets[picked] = UInt32(group)
      picked += 1
    }
    if picked > 0 { values.set(column, rows: rows, targets: targets, count: picked) }
  }

  func update(_ arguments: [Column], count: Int) {
    if rule != .last && seen.values(UInt8.self)[0] != 0 { return }
    if rule == .last {
      var last = UInt32(count - 1)
      var zero: UInt32 = 0
      seen.values(UInt8.self)[0] = 1
      values.set(arguments[0], rows: &last, targets: &zero, count: 1)
    } else {
      withGroupZero(count) { update(arguments, groups: $0, count: count) }
    }
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let other = sameState(other, as: PickState.self)
    let known = seen.values(UInt8.self)
    let theirs = other.seen.values(UInt8.self)
    for row in 0..<count where theirs[Int(source[row])] != 0 {
      if known[Int(target[row])] != 0 && rule != .last { continue }
      known[Int(target[row])] = 1
      values.set(from: other.values, sources: source + row, targets: target + row, count: 1)
    }
  }

  func finish(first: Int, count: Int) -> Column { values.column(first: first, count: count) }
}
