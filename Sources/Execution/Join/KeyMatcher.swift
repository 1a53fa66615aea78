import Columnar

/// Compares keys of candidate pairs column by column: row `probeRows[i]` of the probe side with row
/// `buildRows[i]` of the build side. One switch per column and call, none per pair.
struct KeyMatcher {
  private let probe: [Column]
  private let build: [Column]
  private let nullSafe: [Bool]

  init(probe: [Column], build: [Column], nullSafe: [Bool]) {
    self.probe = probe
    self.build = build
    self.nullSafe = nullSafe
  }

  /// Sets `equal[i]` to 1 where all keys match, else 0.
  func match(
    _ probeRows: UnsafePointer<UInt32>, _ buildRows: UnsafePointer<UInt32>, _ count: Int,
    into equal: UnsafeMutablePointer<UInt8>
  ) {
    equal.update(repeating: 1, count: count)
    for key in probe.indices {
      let pairs = Pairs(
        left: probe[key], right: build[key], leftRows: probeRows, rightRows: buildRows,
        count: count, nullSafe: nullSafe[key], equal: equal)
      switch probe[key].type.physical {
      case .bool, .int8, .uint8: pairs.compare(UInt8.self) { $0.pointee == $1.pointee }
      case .int16, .uint16: pairs.compare(UInt16.self) { $0.pointee == $1.pointee }
      case .int32, .uint32: pairs.compare(UInt32.self) { $0.pointee == $1.pointee }
      case .int64, .uint64: pairs.compare(UInt64.self) { $0.pointee == $1.pointee }
      case .int128, .uint128: pairs.compare(UInt128.self) { $0.pointee == $1.pointee }
      case .float:
        pairs.compare(Float.self) {
          $0.pointee == $1.pointee || ($0.pointee.isNaN && $1.pointee.isNaN)
        }
      case .double:
        pairs.compare(Double.self) {
          $0.pointee == $1.pointee || ($0.pointee.isNaN && $1.pointee.isNaN)
        }
      case .string: pairs.compare(StringView.self) { $0.pointee == $1.pointee }
      case .interval:
        pairs.compare(Interval.self) { $0.pointee.orderedBits == $1.pointee.orderedBits }
      case .list, .array, .structure: pairs.compareNested()
      }
    }
  }

  /// Key by key, three-valued: whether the pair is not false (so true, or unknown for a NULL).
  func mayMatch(_ comparators: [ColumnComparator], _ probeRow: Int, _ buildRow: Int) -> Bool {
    for key in probe.indices {
      let leftNull = probe[key].isNull(probeRow)
      let rightNull = build[key].isNull(buildRow)
      if leftNull || rightNull {
        if nullSafe[key] && leftNull != rightNull { return false }
      } else if comparators[key].compare(probeRow, buildRow) != 0 {
        return false
      }
    }
    return true
  }
}

private struct Pairs {
  let left: Column
  let right: Column
  let leftRows: UnsafePointer<UInt32>
  let rightRows: UnsafePointer<UInt32>
  let count: Int
  let nullSafe: Bool
  let equal: UnsafeMutablePointer<UInt8>

  @inline(__always)
  func compare<T: BitwiseCopyable>(
    _ type: T.Type, _ same: (UnsafePointer<T>, UnsafePointer<T>) -> Bool
  ) {
    let a = ColumnReader<T>(left)
    let b = ColumnReader<T>(right)
    let equal = self.equal
    let leftRows = self.leftRows
    let rightRows = self.rightRows
    if a.validity == nil && b.validity == nil {
      for pair in 0..<count {
        let matches = same(a.pointer(Int(leftRows[pair])), b.pointer(Int(rightRows[pair])))
        equal[pair] &= matches ? 1 : 0
      }
      return
    }
    for pair in 0..<count where equal[pair] != 0 {
      let i = Int(leftRows[pair])
      let j = Int(rightRows[pair])
      let leftNull = a.isNull(i)
      let rightNull = b.isNull(j)
      if leftNull || rightNull {
        equal[pair] = nullSafe && leftNull == rightNull ? 1 : 0
      } else {
        equal[pair] = same(a.pointer(i), b.pointer(j)) ? 1 : 0
      }
    }
  }

  func compareNested() {
    let comparator = ColumnComparator(left, right)
    for pair in 0..<count where equal[pair] != 0 {
      let i = Int(leftRows[pair])
      let j = Int(rightRows[pair])
      let leftNull = left.isNull(i)
      let rightNull = right.isNull(j)
      if leftNull || rightNull {
        equal[pair] = nullSafe && leftNull == rightNull ? 1 : 0
      } else {
        equal[pair] = comparator.compare(i, j) == 0 ? 1 : 0
      }
    }
  }
}
