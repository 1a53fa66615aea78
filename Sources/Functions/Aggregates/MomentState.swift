import Columnar

/// The running variance of one column: Welford 1962, merged as in Chan, Golub and LeVeque 1979.
final class MomentState: AggregateState {
  enum Result {
    case variancePopulation, varianceSample, deviationPopulation, deviationSample, standardError
  }

  private struct Moments: BitwiseCopyable {
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

    mutating func add(_ other: Moments) {
      if other.count == 0 { return }
      let total = count + other.count
      let difference = other.mean - mean
      mean += difference * other.count / total
      squares += other.squares + difference * difference * count * other.count / total
      count = total
    }
  }

  private let result: Result
  private let moments = StateMemory(stride: MemoryLayout<Moments>.stride)

  init(_ result: Result) { self.result = result }

  var byteCount: Int { moments.byteCount }

  func resize(groups count: Int) { moments.resize(count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    let target = moments.values(Moments.self)
    forEachValid(arguments[0], Double.self, count) { target[Int(groups[$0])].add($1) }
  }

  func update(_ arguments: [Column], count: Int) {
    let target = moments.values(Moments.self)
    var one = target[0]
    forEachValid(arguments[0], Double.self, count) { one.add($1) }
    target[0] = one
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let mine = moments.values(Moments.self)
    let theirs = sameState(other, as: MomentState.self).moments.values(Moments.self)
    for row in 0..<count { mine[Int(target[row])].add(theirs[Int(source[row])]) }
  }

  func finish(first: Int, count: Int) -> Column {
    let source = moments.values(Moments.self) + first
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
