import Columnar

/// The running variance of one column: Welford 1962, merged as in Chan, Golub and LeVeque 1979.
final class MomentState: RecordState {
  enum Result {
    case variancePopulation, varianceSample, deviationPopulation, deviationSample, standardError
  }

  struct Record: AggregateRecord {
    var count: Double
    var mean: Double
    /// Sum of squared differences from the mean.
    var squares: Double

    @inline(__always)
    mutating func add(_ value: Double) {
      count += 1
      let difference = value - mean
      mean += difference / count
      squares += difference * (value - mean)
    }

    mutating func add(_ other: Record) {
      if other.count == 0 { return }
      let total = count + other.count
      let difference = other.mean - mean
      mean += difference * other.count / total
      squares += other.squares + difference * difference * count * other.count / total
      count = total
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
    var one = target[0]
    forEachValid(arguments[0], Double.self, count) { one.add($1) }
    target[0] = one
  }

  func finish(first: Int, count: Int) -> Column {
    let source = records.values(Record.self) + first
    return resultColumn(.double, count, zero: 0.0) { row in
      let one = source[row]
      switch result {
      case .variancePopulation: return one.count < 1 ? nil : one.squares / one.count
      case .varianceSample: return one.count < 2 ? nil : one.squares / (one.count - 1)
      case .deviationPopulation:
        return one.count < 1 ? nil : (one.squares / one.count).squareRoot()
      case .standardError:
        return one.count < 1 ? nil : (one.squares / one.count).squareRoot() / one.count.squareRoot()
      case .deviationSample:
        return one.count < 2 ? nil : (one.squares / (one.count - 1)).squareRoot()
      }
    }
  }
}
