import Columnar

/// An associative operation that is folded over the values of a group.
protocol Folding<Value> {
  associatedtype Value: BitwiseCopyable
  static func combine(_ a: Value, _ b: Value) -> Value
}

enum BitAnd<Value: FixedWidthInteger & BitwiseCopyable>: Folding {
  @inline(__always) static func combine(_ a: Value, _ b: Value) -> Value { a & b }
}

enum BitOr<Value: FixedWidthInteger & BitwiseCopyable>: Folding {
  @inline(__always) static func combine(_ a: Value, _ b: Value) -> Value { a | b }
}

enum BitXor<Value: FixedWidthInteger & BitwiseCopyable>: Folding {
  @inline(__always) static func combine(_ a: Value, _ b: Value) -> Value { a ^ b }
}

enum Product: Folding {
  @inline(__always) static func combine(_ a: Double, _ b: Double) -> Double { a * b }
}

/// bool_and, bool_or, bit_and, bit_or, bit_xor and product: NULL for groups without values.
final class FoldState<Fold: Folding>: AggregateState {
  private let result: LogicalType
  private let zero: Fold.Value
  private let values = StateMemory(stride: MemoryLayout<Fold.Value>.stride)
  private let seen = StateMemory(stride: 1)

  init(_ result: LogicalType, zero: Fold.Value) {
    self.result = result
    self.zero = zero
  }

  var byteCount: Int { values.byteCount + seen.byteCount }

  func resize(groups count: Int) {
    values.resize(count)
    seen.resize(count)
  }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    let folded = values.values(Fold.Value.self)
    let known = seen.values(UInt8.self)
    forEachValid(arguments[0], Fold.Value.self, count) { row, value in
      let group = Int(groups[row])
      folded[group] = known[group] == 0 ? value : Fold.combine(folded[group], value)
      known[group] = 1
    }
  }

  func update(_ arguments: [Column], count: Int) {
    let folded = values.values(Fold.Value.self)
    let known = seen.values(UInt8.self)
    var current = folded[0]
    var isKnown = known[0] != 0
    forEachValid(arguments[0], Fold.Value.self, count) { _, value in
      current = isKnown ? Fold.combine(current, value) : value
      isKnown = true
    }
    folded[0] = current
    known[0] = isKnown ? 1 : 0
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let other = sameState(other, as: FoldState<Fold>.self)
    let folded = values.values(Fold.Value.self)
    let known = seen.values(UInt8.self)
    let theirs = other.values.values(Fold.Value.self)
    let theirKnown = other.seen.values(UInt8.self)
    for row in 0..<count where theirKnown[Int(source[row])] != 0 {
      let to = Int(target[row])
      let value = theirs[Int(source[row])]
      folded[to] = known[to] == 0 ? value : Fold.combine(folded[to], value)
      known[to] = 1
    }
  }

  func finish(first: Int, count: Int) -> Column {
    let folded = values.values(Fold.Value.self) + first
    let known = seen.values(UInt8.self) + first
    return resultColumn(result, count, zero: zero) { known[$0] == 0 ? nil : folded[$0] }
  }
}
