import Columnar
import Diagnostics
import Glibc
import Synchronization

/// Random numbers and hashes.
enum RandomFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "hash", category: "hash",
      summary: "A 64-bit hash of all arguments; may change with versions, unlike split_hash.",
      examples: [("hash(1) = hash(1)", "true")],
      overloads: [
        ScalarOverload([.any], variadic: .any, returns: .ubigint, nulls: .custom) { a, n, t in
          let result = Column(flat: t, count: n)
          let target = result.values(as: UInt64.self)
          for (position, column) in a.enumerated() {
            Hashing.hash(column, into: target, combining: position > 0)
          }
          return result
        }
      ]),
    ScalarFunction(
      "randn", category: "random", summary: "A random number, normally distributed (0, 1).",
      examples: [],
      overloads: [
        ScalarOverload([], returns: .double, isVolatile: true) { _, n, t in
          let result = Column(flat: t, count: n)
          let target = result.values(as: Double.self)
          var generator = RandomSource.fork()
          var row = 0
          while row < n {
            // Box and Muller 1958: two uniform numbers make two normal ones.
            let radius = (-2 * log(1 - generator.uniform())).squareRoot()
            let angle = 2 * Double.pi * generator.uniform()
            target[row] = radius * cos(angle)
            if row + 1 < n { target[row + 1] = radius * sin(angle) }
            row += 2
          }
          return result
        }
      ]),
    ScalarFunction(
      "random", aliases: ["rand"], category: "random",
      summary: "A random number, evenly in [0, 1); setseed makes a run repeatable.", examples: [],
      overloads: [
        ScalarOverload([], returns: .double, isVolatile: true) { _, n, t in
          let result = Column(flat: t, count: n)
          let target = result.values(as: Double.self)
          var generator = RandomSource.fork()
          for row in 0..<n { target[row] = generator.uniform() }
          return result
        }
      ]),
    ScalarFunction(
      "setseed", category: "random", summary: "Starts random() anew from a seed; gives NULL.",
      examples: [],
      overloads: [
        ScalarOverload([.exactly(.double)], returns: .integer, isVolatile: true) { a, n, t in
          let x = ColumnReader<Double>(a[0])
          if n > 0, !x.isNull(0) { RandomSource.seed(x[0].bitPattern) }
          return Column.nulls(t, count: n)
        }
      ]),
    ScalarFunction(
      "split_hash", category: "hash",
      summary: "A number in [0, 1) fixed by the key and the seed, the same in all versions: for "
        + "dividing rows into training and test sets.",
      examples: [("split_hash('a', 1) = split_hash('a', 1)", "true")],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { _ in .double }, coerce: { _ in [.varchar, .bigint] },
          kernel: { a, n, t in
            let x = ColumnReader<StringView>(a[0])
            let seeds = ColumnReader<Int64>(a[1])
            return Kernels.rows(a, n, t, Double.self) { row in
              StableHash.fraction(x.pointer(row).buffer, seed: seeds[row])
            }
          })
      ]),
  ]
}

/// The hash behind `split_hash`, which must never change: FNV-1a over 64 bits (offset basis
/// 0xCBF29CE484222325 xor SplitMix64's finalizer of the seed's bits, prime 0x100000001B3) of the
/// key's text in UTF-8, then the finalizer again (Steele, Lea, Flood 2014); its top 53 bits over
/// 2^53. The seed is mixed first, or it would cancel against a key's first byte.
enum StableHash {
  static func fraction(_ bytes: UnsafeBufferPointer<UInt8>, seed: Int64) -> Double {
    var state: UInt64 = 0xCBF2_9CE4_8422_2325 ^ SplitMix64.mixed(UInt64(bitPattern: seed))
    for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Double(SplitMix64.mixed(state) >> 11) * 0x1p-53
  }
}

/// Random numbers one after the other, by SplitMix64.
struct RandomSource {
  private var state: UInt64

  /// The engine's own source. Batches fork from it, so that a lock is taken once per batch.
  private static let shared = Mutex<UInt64>(freshSeed())

  static func seed(_ value: UInt64) { shared.withLock { $0 = value } }

  static func fork() -> RandomSource {
    let seed = shared.withLock { state in
      state &+= SplitMix64.increment
      return SplitMix64.mixed(state ^ 0x5851_F42D_4C95_7F2D)
    }
    return RandomSource(state: seed)
  }

  mutating func next() -> UInt64 {
    state &+= SplitMix64.increment
    return SplitMix64.mixed(state)
  }

  /// In [0, 1), 53 bits.
  mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  private static func freshSeed() -> UInt64 { UInt64.random(in: .min ... .max) }
}
