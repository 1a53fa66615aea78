import Columnar
import Glibc

/// fsum, favg, weighted_avg and geomean: a compensated sum (Kahan 1965, as improved by Neumaier
/// 1974) of values and one of weights.
final class WeightedState: RecordState {
  enum Result { case sum, average, weighted, geometric }

  struct Record: AggregateRecord {
    var sum: Double
    var lost: Double
    var weights: Double
    var count: Int64

    @inline(__always)
    mutating func add(_ value: Double) {
      let next = sum + value
      lost += abs(sum) >= abs(value) ? (sum - next) + value : (value - next) + sum
      sum = next
    }

    mutating func add(_ other: Record) {
      add(other.sum)
      lost += other.lost
      weights += other.weights
      count += other.count
    }

    var total: Double { lost.isFinite ? sum + lost : sum }
  }

  private let result: Result
  let records = StateMemory(stride: MemoryLayout<Record>.stride)

  init(_ result: Result) { self.result = result }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    let target = records.values(Record.self)
    if result == .weighted {
      forEachValidPair(arguments[0], Double.self, arguments[1], Double.self, count) {
        let group = Int(groups[$0])
        target[group].add($1 * $2)
        target[group].weights += $2
        target[group].count += 1
      }
      return
    }
    let takesLogarithms = result == .geometric
    forEachValid(arguments[0], Double.self, count) {
      let group = Int(groups[$0])
      target[group].add(takesLogarithms ? log($1) : $1)
      target[group].count += 1
    }
  }

  func update(_ arguments: [Column], count: Int) {
    withGroupZero(count) { update(arguments, groups: $0, count: count) }
  }

  func finish(first: Int, count: Int) -> Column {
    let source = records.values(Record.self) + first
    return resultColumn(.double, count, zero: 0.0) { row in
      let one = source[row]
      if one.count == 0 { return nil }
      switch result {
      case .sum: return one.total
      case .average: return one.total / Double(one.count)
      case .weighted: return one.weights == 0 ? nil : one.total / one.weights
      case .geometric: return exp(one.total / Double(one.count))
      }
    }
  }
}
