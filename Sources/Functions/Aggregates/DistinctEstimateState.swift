import Columnar
import Glibc

/// approx_count_distinct: HyperLogLog (Flajolet et al. 2007) of 1,024 registers a group, about 3 %
/// off; exact counts of few values by linear counting.
final class DistinctEstimateState: AggregateState {
  private static let registerBits = 10
  private static let registerCount = 1 << registerBits
  private let registers = StateMemory(stride: registerCount)
  private let hashes = StateMemory(stride: 8)

  var byteCount: Int { registers.byteCount }

  func resize(groups count: Int) { registers.resize(count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    if count == 0 { return }
    hashes.resize(count)
    let hashes = hashes.values(UInt64.self)
    Hashing.hash(arguments[0], into: hashes, combining: false)
    let all = registers.values(UInt8.self)
    forEachValidRow(arguments[0], count) { row in
      let hash = Hashing.scattered(hashes[row])
      let slot = Int(truncatingIfNeeded: hash >> UInt64(64 - DistinctEstimateState.registerBits))
      let rank = UInt8((hash << 10 | 1 << 9).leadingZeroBitCount + 1)
      let register = Int(groups[row]) << DistinctEstimateState.registerBits + slot
      if all[register] < rank { all[register] = rank }
    }
  }

  func update(_ arguments: [Column], count: Int) {
    withGroupZero(count) { update(arguments, groups: $0, count: count) }
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let size = DistinctEstimateState.registerCount
    let mine = registers.values(UInt8.self)
    let theirs = sameState(other, as: DistinctEstimateState.self).registers.values(UInt8.self)
    for row in 0..<count {
      let to = mine + Int(target[row]) * size
      let from = theirs + Int(source[row]) * size
      for slot in 0..<size { to[slot] = max(to[slot], from[slot]) }
    }
  }

  func finish(first: Int, count: Int) -> Column {
    let size = DistinctEstimateState.registerCount
    let all = registers.values(UInt8.self) + first * size
    return resultColumn(.bigint, count, zero: Int64(0)) { row in
      var sum = 0.0
      var zeros = 0
      for slot in 0..<size {
        let rank = all[row * size + slot]
        sum += 1 / Double(UInt64(1) << UInt64(rank))
        if rank == 0 { zeros += 1 }
      }
      let registers = Double(size)
      var estimate = 0.7213 / (1 + 1.079 / registers) * registers * registers / sum
      if estimate <= 2.5 * registers && zeros > 0 {
        estimate = registers * log(registers / Double(zeros))
      }
      return Int64(estimate.rounded())
    }
  }
}
