import Glibc
import NeuralNet
import Testing

/// The function kernels against libm in double precision, through one-layer networks.
@Suite struct KernelTests {
  @Test(arguments: ["tanh", "sigmoid", "softplus", "gelu", "silu", "elu"])
  func accuracy(_ name: String) throws {
    let net = try Network.sequential(inputWidth: 1, layers: [LayerCall(name)])
    let predictor = try Predictor(network: net, weights: Weights(network: net))
    var x: [Float] = []
    var value: Float = 1e-6
    while value < 60 {
      x.append(value)
      x.append(-value)
      value *= 1.0009
    }
    let y = try predict(predictor, x)
    var worst = 0.0
    for (a, b) in zip(x, y) {
      let exact = reference(name, Double(a))
      // gelu and silu cancel far left, as PyTorch's do: there the absolute error counts.
      let size = max(abs(exact), name == "gelu" || name == "silu" ? abs(Double(a)) * 0.5 : 1e-38)
      worst = max(worst, abs(Double(b) - exact) / size)
    }
    #expect(worst < 3.5e-7, "\(name): relative error \(worst)")
  }

  @Test func limits() throws {
    let special: [Float] = [.infinity, -.infinity, .nan, 0, -0.0, 1e-42, -1e-42]
    func run(_ name: String) throws -> [Float] {
      let net = try Network.sequential(inputWidth: 1, layers: [LayerCall(name)])
      return try predict(Predictor(network: net, weights: Weights(network: net)), special)
    }
    let tanh = try run("tanh")
    #expect(tanh[0] == 1 && tanh[1] == -1 && tanh[2].isNaN && tanh[5] == 1e-42)
    let sigmoid = try run("sigmoid")
    #expect(sigmoid[0] == 1 && sigmoid[1] == 0 && sigmoid[2].isNaN && sigmoid[3] == 0.5)
    let relu = try run("relu")
    #expect(relu[0] == .infinity && relu[1] == 0 && relu[2].isNaN)
    #expect(try run("gelu")[1] == 0)
    #expect(try run("silu")[1] == 0)
    #expect(try run("softplus")[1] == 0)
  }

  private func reference(_ name: String, _ x: Double) -> Double {
    switch name {
    case "tanh": Glibc.tanh(x)
    case "sigmoid": 1 / (1 + exp(-x))
    case "softplus": x > 20 ? x : log1p(exp(x))
    case "gelu": x * 0.5 * erfc(-x / 2.0.squareRoot())
    case "silu": x / (1 + exp(-x))
    default: x > 0 ? x : expm1(x)
    }
  }
}
