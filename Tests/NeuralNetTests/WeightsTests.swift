import Diagnostics
import NeuralNet
import Testing

@Suite struct WeightsTests {
  @Test func safetensorsRoundTrip() throws {
    let net = try Network.sequential(
      inputWidth: 3,
      layers: [
        LayerCall("linear", [.integer(4)]), LayerCall("relu"), LayerCall("linear", [.integer(2)]),
      ])
    let first = try Weights(network: net, seed: 1)
    #expect(first.names == ["0.weight", "0.bias", "2.weight", "2.bias"])
    var second = try Weights(network: net, seed: 2)
    let untouched = second
    try second.load(safetensors: first.safetensors())
    #expect(second.bytes == first.bytes)
    #expect(untouched.bytes != first.bytes)
    #expect(try Weights(network: net, bytes: first.bytes).bytes == first.bytes)
    let other = try Network.sequential(inputWidth: 3, layers: [LayerCall("linear", [.integer(4)])])
    var third = try Weights(network: other)
    let error = #expect(throws: SQLError.self) { try third.load(safetensors: first.safetensors()) }
    #expect(error?.message.contains("2.weight") == true)
    try third.load(safetensors: first.safetensors(), strict: false)
    #expect(third.tensor("0.weight") == first.tensor("0.weight"))
  }

  /// Running statistics travel with the weights, in PyTorch's order; its counter is passed over.
  @Test func buffersRoundTrip() throws {
    let net = try Network.sequential(
      inputWidth: 3, layers: [LayerCall("batchnorm"), LayerCall("linear", [.integer(2)])])
    var weights = try Weights(network: net)
    #expect(
      weights.names == [
        "0.weight", "0.bias", "0.running_mean", "0.running_var", "1.weight", "1.bias",
      ])
    try weights.setTensor("0.running_var", shape: [3], values: [4, 5, 6])
    var other = try Weights(network: net, seed: 3)
    var tensors = try Safetensors.read(weights.safetensors())
    tensors.append(NamedTensor(name: "0.num_batches_tracked", shape: [], values: [7]))
    try other.load(tensors)
    #expect(other.bytes == weights.bytes)
  }

  /// Every truncation and a thousand flipped bytes: an error or a result, never a trap.
  @Test func hostileFiles() throws {
    let net = try Network.sequential(inputWidth: 3, layers: [LayerCall("linear", [.integer(4)])])
    let good = try Weights(network: net).safetensors()
    for length in 0..<good.count { _ = try? Safetensors.read(Array(good[..<length])) }
    let random = CounterRandom(3)
    for round in 0..<4000 {
      var bytes = good
      let at = random.index(UInt64(round * 2), below: min(bytes.count, 140))
      bytes[at] = UInt8(truncatingIfNeeded: random[UInt64(round * 2 + 1)])
      _ = try? Safetensors.read(bytes)
    }
    let deep = Array("{\"a\":".utf8) + [UInt8](repeating: 0x5B, count: 100_000)
    var file: [UInt8] = withUnsafeBytes(of: UInt64(deep.count).littleEndian) { Array($0) }
    file += deep
    #expect(throws: SQLError.self) { try Safetensors.read(file) }
  }

  @Test(arguments: [1, 3, 15, 16, 17, 127, 128, 129, 2048])
  func columnsAndRowsAgree(_ rows: Int) throws {
    let net = try Network.sequential(
      inputWidth: 10,
      layers: [
        LayerCall("linear", [.integer(33)]), LayerCall("relu"), LayerCall("linear", [.integer(7)]),
        LayerCall("softmax"),
      ])
    let predictor = try Predictor(network: net, weights: Weights(network: net, seed: 9))
    let x = draws(rows * 10, seed: 8)
    let expected = try predict(predictor, x)
    var columns = (0..<10).map { j in (0..<rows).map { x[$0 * 10 + j] } }
    var output = [Float](repeating: .nan, count: rows * 7)
    let scratch = try predictor.makeScratch()
    // One block holds all columns, so that the pointers stay valid together.
    let flat = columns.flatMap { $0 }
    columns = []
    flat.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      let pointers = (0..<10).map { base + $0 * rows }
      pointers.withUnsafeBufferPointer { pointers in
        output.withUnsafeMutableBufferPointer { target in
          if let from = pointers.baseAddress, let to = target.baseAddress {
            predictor.predict(rows: rows, columns: from, rowMajor: to, scratch: scratch)
          }
        }
      }
    }
    #expect(output == expected)
    for row in 0..<rows {
      let sum = output[row * 7..<row * 7 + 7].reduce(0, +)
      #expect(abs(sum - 1) < 1e-5)
    }
  }
}
