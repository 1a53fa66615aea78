import Columnar

/// skewness and kurtosis: sums of the first four powers.
final class PowerSumState: RecordState {
  enum Result { case skewness, kurtosis, kurtosisPopulation }

  struct Record: AggregateRecord {
    var count: Double
    var first: Double
    var second: Double
    var third: Double
    var fourth: Double

    @inline(__always)
    mutating func add(_ value: Double) {
      count += 1
      first += value
      second += value * value
      third += value * value * value
      fourth += value * value * value * value
    }

    mutating func add(_ other: Record) {
      count += other.count
      first += other.first
      second += other.second
      third += other.third
      fourth += other.fourth
    }
  }

  private let result: Result
  let records = StateMemory(stride: MemoryLayout<Record>.stride)

  init(_ result: Result) { self.result = result }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    let target = records.values(Record.self)
    forEachValid(arguments[0], Double.self, count) { target[Int(groups[$0])].add($1) }
  }

  func update(_ arguments: [Column], count: Int) {
    let target = records.values(Record.self)
    forEachValid(arguments[0], Double.self, count) { target[0].add($1) }
  }

  func finish(first: Int, count: Int) -> Column {
    let source = records.values(Record.self) + first
    return resultColumn(.double, count, zero: 0.0) { value(source[$0]) }
  }

  private func value(_ s: Record) -> Double? {
    let n = s.count
    let part = 1 / n
    let squares = s.second - s.first * s.first * part
    switch result {
    case .skewness:
      if n <= 2 { return nil }
      let variance = part * squares
      let divisor = max(0, variance * variance * variance).squareRoot()
      if divisor == 0 { return nil }
      let correction = (n * (n - 1)).squareRoot() / (n - 2)
      let cubes = s.third - 3 * s.second * s.first * part + 2 * power(s.first, 3) * part * part
      return correction * part * cubes / divisor
    case .kurtosis, .kurtosisPopulation:
      if n <= (result == .kurtosis ? 3 : 1) || squares == 0 { return nil }
      let fourth =
        part
        * (s.fourth - 4 * s.third * s.first * part + 6 * s.second * power(s.first, 2) * part * part
          - 3 * power(s.first, 4) * power(part, 3))
      let second = part * squares
      if second <= 0 { return nil }
      if result == .kurtosisPopulation { return fourth / (second * second) - 3 }
      return (n - 1) * ((n + 1) * fourth / (second * second) - 3 * (n - 1))
        / ((n - 2) * (n - 3))
    }
  }

  private func power(_ value: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1.0) { product, _ in product * value }
  }
}
