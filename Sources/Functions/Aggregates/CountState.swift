import Columnar

/// count(*), count(x) and count_if(x): rows, rows that are not NULL, rows that are true; and the sum of
/// such counts.
final class CountState: AggregateState {
  enum Rule { case rows, valid, whereTrue, summed }
  private let rule: Rule
  private let counts = StateMemory(stride: 8)

  private let result: LogicalType

  /// `result`: BIGINT or HUGEINT.
  init(_ rule: Rule, result: LogicalType = .bigint) {
    self.rule = rule
    self.result = result
  }

  var byteCount: Int { counts.byteCount }

  func resize(groups count: Int) { counts.resize(count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    let target = counts.values(Int64.self)
    switch rule {
    case .valid where arguments[0].mayHaveNulls:
      forEachValidRow(arguments[0], count) { target[Int(groups[$0])] &+= 1 }
    case .rows, .valid:
      for row in 0..<count { target[Int(groups[row])] &+= 1 }
    case .whereTrue:
      forEachValid(arguments[0], UInt8.self, count) { row, value in
        target[Int(groups[row])] &+= Int64(value & 1)
      }
    case .summed:
      if result == .hugeint {
        forEachValid(arguments[0], Int128.self, count) { row, value in
          target[Int(groups[row])] &+= Int64(truncatingIfNeeded: value)
        }
      } else {
        forEachValid(arguments[0], Int64.self, count) { row, value in
          target[Int(groups[row])] &+= value
        }
      }
    }
  }

  func update(_ arguments: [Column], count: Int) {
    let target = counts.values(Int64.self)
    switch rule {
    case .rows: target[0] &+= Int64(count)
    case .valid: target[0] &+= Int64(countValid(arguments[0], count))
    case .whereTrue:
      var total: Int64 = 0
      forEachValid(arguments[0], UInt8.self, count) { total &+= Int64($1 & 1) }
      target[0] &+= total
    case .summed: withGroupZero(count) { update(arguments, groups: $0, count: count) }
    }
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let mine = counts.values(Int64.self)
    let theirs = sameState(other, as: CountState.self).counts.values(Int64.self)
    for row in 0..<count { mine[Int(target[row])] &+= theirs[Int(source[row])] }
  }

  func finish(first: Int, count: Int) -> Column {
    let source = counts.values(Int64.self) + first
    if result == .hugeint {
      return resultColumn(.hugeint, count, zero: Int128(0)) { Int128(source[$0]) }
    }
    return resultColumn(.bigint, count, zero: Int64(0)) { source[$0] }
  }
}
