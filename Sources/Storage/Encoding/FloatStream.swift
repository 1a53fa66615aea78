import Columnar

/// A run of floating-point numbers in a chunk: as integers of their bits, or by ALP. ALP (Afroozeh,
/// Kuffo and Boncz 2023) finds that most doubles were decimals: `number = integer * 10^factor *
/// 10^-exponent` holds bit for bit, and such integers pack well. A block has one pair of exponents;
/// numbers for which it does not hold (NaN, -0, true reals) are kept on the side.
enum FloatStream {
  /// The powers: exact up to 10^22 for doubles, and to 10^10 for floats.
  static let powers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
    1e18,
  ]
  static let inverses: [Double] = [
    1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14,
    1e-15, 1e-16, 1e-17, 1e-18,
  ]
}

/// The two exponents of a block written by ALP.
struct DecimalExponents: Equatable, Sendable {
  var factor: Int
  var exponent: Int

  /// Large exponents first: they keep the most digits, and a factor takes their zeros away.
  static func all(to largest: Int) -> [DecimalExponents] {
    stride(from: largest, through: 0, by: -1).flatMap { exponent in
      (0...exponent).map { DecimalExponents(factor: $0, exponent: exponent) }
    }
  }
}

/// A floating-point type that ALP works on, with the integers of the same width.
protocol DecimalScalable: BinaryFloatingPoint & BitwiseCopyable {
  associatedtype Word: PackableWord where Word.Magnitude == Word
  associatedtype Whole: FixedWidthInteger & SignedInteger & BitwiseCopyable
  where Whole.Magnitude == Word

  /// The largest exponent used.
  static var largestExponent: Int { get }
  static var allExponents: [DecimalExponents] { get }
  var word: Word { get }
  static func power(_ exponent: Int) -> Self
  static func inverse(_ exponent: Int) -> Self
  /// Integers to numbers, in place.
  static func scale(
    _ values: UnsafeMutableRawPointer, _ count: Int, _ factor: Self, _ inverse: Self)
  /// Numbers to integers; `misses` is 1 where the way back does not give the number. Gives how many.
  static func decimals(
    _ values: UnsafePointer<Self>, _ count: Int, _ pair: DecimalExponents,
    _ wholes: UnsafeMutablePointer<Whole>, _ misses: UnsafeMutablePointer<UInt8>
  ) -> Int
}
