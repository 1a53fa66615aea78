import Glibc

/// Whose rule fills fresh weights.
package enum Initializer: String, Sendable, CaseIterable {
  /// `kaiming_uniform(a = √5)`: weights and biases U(-1/√fan_in, 1/√fan_in). He et al. 2015.
  case pytorch
  /// Glorot uniform weights U(-√(6/(fan_in + fan_out)), …), zero biases. Glorot, Bengio 2010.
  case keras
  case zeros
}

/// What a parameter is, as far as its first values go.
package enum ParameterRole: Hashable, Sendable {
  case weight(fanIn: Int, fanOut: Int)
  case bias(fanIn: Int)
  case constant(Float)
  /// Standard normal draws: embeddings.
  case normal
}

extension Initializer {
  /// Fills one parameter. The draws depend on the seed and the parameter's position only.
  func fill(
    _ values: UnsafeMutablePointer<Float>, count: Int, role: ParameterRole, seed: UInt64,
    index: Int
  ) {
    let bound: Double
    switch (role, self) {
    case (.constant(let value), _):
      values.update(repeating: value, count: count)
      return
    case (.normal, .pytorch):
      let random = CounterRandom(seed, 0x1417, UInt64(index))
      for i in 0..<count { values[i] = Self.normal(random, UInt64(i)) }
      return
    case (.normal, .keras):
      bound = 0.05
    case (_, .zeros), (.bias, .keras):
      values.update(repeating: 0, count: count)
      return
    case (.weight(let fanIn, _), .pytorch), (.bias(let fanIn), .pytorch):
      bound = fanIn > 0 ? 1 / Double(fanIn).squareRoot() : 0
    case (.weight(let fanIn, let fanOut), .keras):
      bound = (6 / Double(max(1, fanIn + fanOut))).squareRoot()
    }
    let random = CounterRandom(seed, 0x1417, UInt64(index))
    let limit = Float(bound)
    for i in 0..<count { values[i] = (random.unit(UInt64(i)) * 2 - 1) * limit }
  }

  /// Box and Muller 1958, from two draws of the counter.
  private static func normal(_ random: CounterRandom, _ index: UInt64) -> Float {
    let radius = (-2 * log(1 - Double(random.unit(index &* 2)))).squareRoot()
    return Float(radius * cos(2 * .pi * Double(random.unit(index &* 2 &+ 1))))
  }
}
