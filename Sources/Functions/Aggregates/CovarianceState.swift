import Columnar

/// Two columns' joint moments: covariance, correlation and regression of y on x, for calls (y, x).
/// Rows with a NULL in either are left out.
final class CovarianceState: RecordState {
  enum Result {
    case population, sample, correlation, slope, intercept, pairs, rSquared
    case meanX, meanY, squaresX, squaresY, products
  }

  struct Record: AggregateRecord {
    var count: Double
    var meanY: Double
    var meanX: Double
    var squaresY: Double
    var squaresX: Double
    /// Sum of products of differences from the means.
    var products: Double

    @inline(__always)
    mutating func add(_ y: Double, _ x: Double) {
      count += 1
      let differenceY = y - meanY
      let differenceX = x - meanX
      meanY += differenceY / count
      meanX += differenceX / count
      squaresY += differenceY * (y - meanY)
      squaresX += differenceX * (x - meanX)
      products += differenceY * (x - meanX)
    }

    mutating func add(_ other: Record) {
      if other.count == 0 { return }
      let total = count + other.count
      let differenceY = other.meanY - meanY
      let differenceX = other.meanX - meanX
      let weight = count * other.count / total
      meanY += differenceY * other.count / total
      meanX += differenceX * other.count / total
      squaresY += other.squaresY + differenceY * differenceY * weight
      squaresX += other.squaresX + differenceX * differenceX * weight
      products += other.products + differenceY * differenceX * weight
      count = total
    }
  }

  private let result: Result
  let records = StateMemory(stride: MemoryLayout<Record>.stride)

  init(_ result: Result) { self.result = result }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    let target = records.values(Record.self)
    forEachValidPair(arguments[0], Double.self, arguments[1], Double.self, count) {
      target[Int(groups[$0])].add($1, $2)
    }
  }

  func update(_ arguments: [Column], count: Int) {
    let target = records.values(Record.self)
    var one = target[0]
    forEachValidPair(arguments[0], Double.self, arguments[1], Double.self, count) {
      one.add($1, $2)
    }
    target[0] = one
  }

  func finish(first: Int, count: Int) -> Column {
    let source = records.values(Record.self) + first
    if result == .pairs {
      return resultColumn(.uinteger, count, zero: UInt32(0)) { UInt32(source[$0].count) }
    }
    return resultColumn(.double, count, zero: 0.0) { value(source[$0]) }
  }

  private func value(_ one: Record) -> Double? {
    if one.count < 1 { return nil }
    switch result {
    case .population: return one.products / one.count
    case .sample: return one.count < 2 ? nil : one.products / (one.count - 1)
    case .correlation:
      // The covariance over the deviations, as DuckDB rounds it.
      let deviations =
        (one.squaresY / one.count).squareRoot() * (one.squaresX / one.count).squareRoot()
      return one.products / one.count / deviations
    case .slope: return isOneX(one) ? nil : one.products / one.squaresX
    case .intercept:
      if isOneX(one) { return nil }
      return one.meanY - one.products / one.squaresX * one.meanX
    case .rSquared:
      if isOneX(one) { return nil }
      if one.squaresY == 0 { return 1 }
      return one.products * one.products / (one.squaresX * one.squaresY)
    case .pairs: return one.count
    case .meanX: return one.meanX
    case .meanY: return one.meanY
    case .squaresX: return one.squaresX
    case .squaresY: return one.squaresY
    case .products: return one.products
    }
  }

  /// No line goes through pairs of one x; a single pair has one, infinite or NaN as it may be.
  private func isOneX(_ one: Record) -> Bool { one.count == 1 || one.squaresX == 0 }
}
