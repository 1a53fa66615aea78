import Columnar

/// sum and avg of FLOAT and DOUBLE, in double precision.
final class FloatSumState<T: BinaryFloatingPoint & BitwiseCopyable>: AggregateState {
  private struct Sum: BitwiseCopyable {
    var sum: Double
    var count: Int64
  }

  private let isAverage: Bool
  private let sums = StateMemory(stride: MemoryLayout<Sum>.stride)

  init(isAverage: Bool) { self.isAverage = isAverage }

  var byteCount: Int { sums.byteCount }

  func resize(groups count: Int) { sums.resize(count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    let target = sums.values(Sum.self)
    forEachValid(arguments[0], T.self, count) { row, value in
      let group = Int(groups[row])
      target[group].sum += Double(value)
      target[group].count &+= 1
    }
  }

  func update(_ arguments: [Column], count: Int) {
    let target = sums.values(Sum.self)
    var sum = 0.0
    var added = 0
    if arguments[0].encoding == .flat && !arguments[0].mayHaveNulls {
      // Four chains of vector additions, because one would wait for the adder at every step.
      let values = arguments[0].values(as: T.self)
      var lanes = SIMD8<Double>.zero
      let whole = count & ~7
      var row = 0
      while row < whole {
        var part = SIMD8<Double>()
        for lane in 0..<8 { part[lane] = Double(values[row + lane]) }
        lanes += part
        row += 8
      }
      while row < count {
        sum += Double(values[row])
        row += 1
      }
      sum += lanes.sum()
      added = count
    } else {
      forEachValid(arguments[0], T.self, count) { _, value in
        sum += Double(value)
        added += 1
      }
    }
    target[0].sum += sum
    target[0].count &+= Int64(added)
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let mine = sums.values(Sum.self)
    let theirs = sameState(other, as: FloatSumState<T>.self).sums.values(Sum.self)
    for row in 0..<count {
      let from = theirs[Int(source[row])]
      mine[Int(target[row])].sum += from.sum
      mine[Int(target[row])].count &+= from.count
    }
  }

  func finish(first: Int, count: Int) -> Column {
    finish(isAverage ? .average : .own, first: first, count: count)
  }

  func finish(_ wanted: SummedResult, first: Int, count: Int) -> Column {
    let source = sums.values(Sum.self) + first
    if wanted == .count {
      return resultColumn(.bigint, count, zero: Int64(0)) { source[$0].count }
    }
    let divides = isAverage || wanted == .average
    return resultColumn(.double, count, zero: 0.0) { row in
      if source[row].count == 0 { return nil }
      return divides ? source[row].sum / Double(source[row].count) : source[row].sum
    }
  }
}
