import Testing

@testable import NeuralNet

/// Every recorded layer: output, input gradient, gradients of the weights, running statistics.
@Suite struct LayerFixtureTests {
  static let cases: [String: [LayerCall]] = {
    func call(
      _ name: String, _ positional: [LayerArgument] = [], _ named: [(String, LayerArgument)]
    )
      -> [LayerCall]
    {
      [LayerCall(name, positional, named: named.map { .init($0.0, $0.1) })]
    }
    var cases: [String: [LayerCall]] = [
      "linear": call("linear", [.integer(7)], []),
      "linear_3d": call("linear", [.integer(7)], []),
      "linear_nobias": call("linear", [.integer(7)], [("bias", .boolean(false))]),
      "conv1d": call("conv1d", [.integer(5)], []),
      "conv1d_s2p1": call(
        "conv1d", [.integer(4)],
        [("kernel_size", .integer(5)), ("stride", .integer(2)), ("padding", .integer(1))]),
      "conv1d_dil": call(
        "conv1d", [.integer(4)],
        [("dilation", .integer(2)), ("padding", .integer(2)), ("groups", .integer(2))]),
      "conv2d": call("conv2d", [.integer(4)], []),
      "conv2d_s2p1": call(
        "conv2d", [.integer(6)], [("stride", .integer(2)), ("padding", .integer(1))]),
      "conv2d_groups": call(
        "conv2d", [.integer(8)], [("groups", .integer(4)), ("padding", .integer(1))]),
      "conv2d_dil": call(
        "conv2d", [.integer(3)],
        [
          ("kernel_size", .list([3, 2])), ("dilation", .list([2, 1])),
          ("padding", .list([2, 0])), ("bias", .boolean(false)),
        ]),
      "conv2d_1x1": call("conv2d", [.integer(3)], [("kernel_size", .integer(1))]),
      "convtranspose2d": call(
        "conv_transpose2d", [.integer(3)],
        [("stride", .integer(2)), ("padding", .integer(1)), ("output_padding", .integer(1))]),
      "batchnorm1d_train": call("batchnorm1d", [], []),
      "batchnorm2d_train": call("batchnorm2d", [], []),
      "batchnorm1d_eval": call("batchnorm", [], []),
      "batchnorm2d_eval": call("batchnorm", [], []),
      "layernorm": call("layernorm", [], []),
      "groupnorm": call("groupnorm", [.integer(2)], []),
      "rmsnorm": call("rmsnorm", [], []),
      "embedding": call("embedding", [.integer(11), .integer(4)], []),
      "embedding_padidx": call(
        "embedding", [.integer(11), .integer(3)], [("padding_idx", .integer(0))]),
      "pool_maxpool2d": call("max_pool2d", [.integer(2)], []),
      "pool_maxpool2d_k3s2p1": call(
        "max_pool2d", [.integer(3)], [("stride", .integer(2)), ("padding", .integer(1))]),
      "pool_maxpool2d_ceil": call(
        "max_pool2d", [.integer(3)], [("stride", .integer(2)), ("ceil_mode", .boolean(true))]),
      "pool_avgpool2d": call("avg_pool2d", [.integer(2)], []),
      "pool_avgpool2d_pad": call(
        "avg_pool2d", [.integer(3)], [("stride", .integer(2)), ("padding", .integer(1))]),
      "pool_avgpool2d_pad_excl": call(
        "avg_pool2d", [.integer(3)],
        [
          ("stride", .integer(2)), ("padding", .integer(1)), ("count_include_pad", .boolean(false)),
        ]),
      "pool_adaptive_avg_1": call("adaptive_avg_pool2d", [.integer(1)], []),
      "pool_adaptive_avg_3x2": call("adaptive_avg_pool2d", [.list([3, 2])], []),
      "pool_global_maxpool": call("global_max_pool", [], []),
      "act_dropout_eval": call("dropout", [.number(0.3)], []),
      "pool_flatten": call("flatten", [], []),
      "pool_upsample_nearest": call("upsample", [.integer(2)], []),
      "pool_upsample_bilinear": call("upsample", [.integer(2)], [("mode", .text("bilinear"))]),
      "pool_maxpool1d": call("max_pool1d", [.integer(3)], [("stride", .integer(2))]),
      "pool_avgpool1d": call(
        "avg_pool1d", [.integer(3)], [("stride", .integer(2)), ("padding", .integer(1))]),
    ]
    // A row of the recording is one step here: softmax over them is one over the first axis.
    cases["act_softmax_dim0"] = call("softmax", [], [("axis", .integer(0))])
    cases["mha_self"] = call("attention", [.integer(2)], [])
    cases["mha_causal"] = call("attention", [.integer(2)], [("causal", .boolean(true))])
    for (name, isFirst) in [("encoder_layer", false), ("encoder_layer_prenorm", true)] {
      cases[name] = call(
        "transformer_encoder", [.integer(2), .integer(16)],
        [("activation", .text("gelu")), ("norm_first", .boolean(isFirst))])
    }
    for name in [
      "elu", "gelu", "gelu_tanh", "hardsigmoid", "hardswish", "l2norm", "leaky_relu", "log_softmax",
      "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "tanh",
    ] {
      cases["act_\(name)"] = [LayerCall(name)]
    }
    return cases
  }()

  @Test(arguments: cases.keys.sorted())
  func layer(_ name: String) throws {
    guard let fixture = try Fixtures.load("layers/\(name)"), let x = fixture["input.0"],
      let y = fixture["output.0"], let dy = fixture["outgrad.0"]
    else { return }
    let isOneRow = name == "act_softmax_dim0"
    let net = try Network.sequential(
      inputShape: Shape(isOneRow ? x.shape : Array(x.shape.dropFirst())),
      layers: Self.cases[name] ?? [])
    #expect(net.outputShape.dimensions == (isOneRow ? y.shape : Array(y.shape.dropFirst())))
    var weights = try Weights(network: net)
    for (key, tensor) in fixture where key.hasPrefix("param.") {
      try weights.setTensor(
        "0." + key.dropFirst(6), shape: tensor.shape, values: tensor.values)
    }
    let isTraining = !name.hasSuffix("_eval")
    // Recorded as normalize(x + 1), so that no row is zero.
    let shift: Float = name == "act_l2norm" ? 1 : 0
    let pass = try Pass(
      net, weights, x.values.map { $0 + shift }, dy.values,
      rows: isOneRow ? 1 : x.shape[0], isTraining: isTraining)
    let relative: Float =
      ["lstm", "gru", "rnn", "mha", "enc"].contains { name.hasPrefix($0) } ? 1e-4 : 1e-5
    func check(_ part: String, _ a: [Float], _ b: [Float]) {
      let size = b.map { abs($0) }.max() ?? 0
      #expect(near(a, b, relative: relative, absolute: relative * max(size, 0.1)), "\(part)")
    }
    check("output", pass.output, y.values)
    if let dx = fixture["inputgrad.0"] { check("input gradient", pass.inputGradient, dx.values) }
    for parameter in net.parameters {
      let key = String(parameter.name.dropFirst(2))
      let range = parameter.offset..<parameter.offset + parameter.count
      if let expected = fixture["grad.\(key)"] {
        check(key, Array(pass.gradients[range]), expected.values)
      }
      if let after = fixture["after.\(key)"] {
        let before = weights.tensor(parameter.name) ?? []
        check(key, zip(before, pass.gradients[range]).map { $0 + $1 }, after.values)
      }
    }
  }

  /// Attention to another sequence, and to the steps of a sequence that count.
  @Test(arguments: ["mha_cross", "mha_padded"])
  func attention(_ name: String) throws {
    guard let fixture = try Fixtures.load("layers/\(name)"), let x = fixture["input.0"],
      let y = fixture["output.0"], let dy = fixture["outgrad.0"], let dx = fixture["inputgrad.0"]
    else { return }
    let rows = x.shape[0]
    let other = fixture["input.1"]
    let second = other.map { GraphInput("b", Shape(Array($0.shape.dropFirst()))) }
    let net = try Network.graph(
      inputs: [
        GraphInput("a", Shape(Array(x.shape.dropFirst()))), second ?? GraphInput("b", Shape([])),
      ],
      GraphDescription([
        GraphNode(
          "y",
          GraphTests.layer("attention", [GraphTests.ref("a"), GraphTests.ref("b")], [.integer(2)]))
      ]), outputs: [GraphOutput("y")])
    var weights = try Weights(network: net)
    for (key, tensor) in fixture where key.hasPrefix("param.") {
      try weights.setTensor("y." + key.dropFirst(6), shape: tensor.shape, values: tensor.values)
    }
    let seconds = other?.values ?? [5, 3, 1]
    func joined(_ a: [Float], _ b: [Float]) -> [Float] {
      var all: [Float] = []
      for row in 0..<rows {
        all += a[row * a.count / rows..<(row + 1) * a.count / rows]
        all += b[row * b.count / rows..<(row + 1) * b.count / rows]
      }
      return all
    }
    let pass = try Pass(
      net, weights, joined(x.values, seconds), dy.values, rows: rows, isTraining: true)
    func check(_ part: String, _ a: [Float], _ b: [Float]) {
      let size = b.map { abs($0) }.max() ?? 0
      #expect(near(a, b, relative: 1e-4, absolute: 1e-5 * max(size, 0.1)), "\(part)")
    }
    check("output", pass.output, y.values)
    check(
      "input gradient", pass.inputGradient,
      joined(dx.values, fixture["inputgrad.1"]?.values ?? [0, 0, 0]))
    for parameter in net.parameters {
      let range = parameter.offset..<parameter.offset + parameter.count
      check(
        parameter.name, Array(pass.gradients[range]),
        fixture["grad.\(parameter.name.dropFirst(2))"]?.values ?? [])
    }
  }

  static let recurrent =
    ["lstm", "gru", "rnn_tanh"].flatMap { name in
      ["", "_2layer", "_bidir"].map { name + $0 }
    } + ["lstm_init_state"]

  /// Recurrent layers, with first and last states as further inputs and outputs.
  @Test(arguments: recurrent)
  func states(_ name: String) throws {
    guard let fixture = try Fixtures.load("layers/\(name)"), let x = fixture["input.0"],
      let h = fixture["output.1"]
    else { return }
    let cell: RecurrentCell =
      name.hasPrefix("lstm") ? .lstm : name.hasPrefix("gru") ? .gru : .tanh
    let ways = name.hasSuffix("_bidir") ? 2 : 1
    let takesStates = fixture["input.1"] != nil
    let operation = RecurrentOperator(
      cell: cell, steps: x.shape[1], features: x.shape[2], hidden: h.shape[2],
      layers: h.shape[0] / ways, ways: ways, takesStates: takesStates, givesStates: true)
    let rows = x.shape[0]
    let pass = try Pass(
      operation, operation.parameterSpecs.flatMap { fixture["param.\($0.name)"]?.values ?? [] },
      Self.joined(fixture, "input", rows), Self.joined(fixture, "outgrad", rows), rows: rows,
      outputWidth: Self.joined(fixture, "output", rows).count / rows)
    func check(_ part: String, _ a: [Float], _ b: [Float]) {
      let size = b.map { abs($0) }.max() ?? 0
      #expect(near(a, b, relative: 1e-4, absolute: 1e-5 * max(size, 0.1)), "\(name) \(part)")
    }
    check("output", pass.output, Self.joined(fixture, "output", rows))
    check("input gradient", pass.inputGradient, Self.joined(fixture, "inputgrad", rows))
    check(
      "gradients", pass.gradients,
      operation.parameterSpecs.flatMap { fixture["grad.\($0.name)"]?.values ?? [] })
  }

  /// Row by row what several tensors hold of it: the first is [rows, …], the others [n, rows, …].
  private static func joined(_ fixture: [String: NamedTensor], _ name: String, _ rows: Int)
    -> [Float]
  {
    var result: [Float] = []
    for row in 0..<rows {
      for index in 0..<3 {
        guard let tensor = fixture["\(name).\(index)"] else { continue }
        let values = tensor.values
        if index == 0 {
          let width = values.count / rows
          result += values[row * width..<(row + 1) * width]
        } else {
          let width = values.count / tensor.shape[0] / rows
          for part in 0..<tensor.shape[0] {
            result += values[(part * rows + row) * width..<(part * rows + row + 1) * width]
          }
        }
      }
    }
    return result
  }

  /// A new recording must be run here, or be named with the reason why not.
  @Test func everyRecordingIsKnown() throws {
    for name in try Fixtures.names("layers/") {
      let isRun =
        Self.cases[name] != nil || Self.recurrent.contains(name)
        || ["mha_cross", "mha_padded"].contains(name)
      #expect(isRun, "\(name) is not run")
    }
  }
}

/// One pass forward and back of a network, with row-major tensors.
struct Pass {
  var output: [Float] = []
  var inputGradient: [Float] = []
  var gradients: [Float] = []

  init(
    _ net: Network, _ weights: Weights, _ input: [Float], _ slope: [Float], rows: Int,
    isTraining: Bool
  ) throws {
    let plan = ExecutionPlan(net, training: true, inputGradient: true)
    let executor = try TileExecutor(plan: plan, capacity: rows, training: true)
    let sums = try FloatBuffer(count: net.parameterCount + 16)
    for i in 0..<rows {
      for j in 0..<net.inputWidth {
        executor.input[j * executor.stride + i] = input[i * net.inputWidth + j]
      }
    }
    executor.forward(
      parameters: weights.pointer, rows: rows, firstRow: 0, isTraining: isTraining)
    for i in 0..<rows {
      for j in 0..<net.outputWidth {
        output.append(executor.output()[j * executor.stride + i])
      }
    }
    for i in 0..<rows {
      for j in 0..<net.outputWidth {
        executor.outputGradient()[j * executor.stride + i] = slope[i * net.outputWidth + j]
      }
    }
    executor.backward(
      parameters: weights.pointer, gradients: sums.pointer, rows: rows, firstRow: 0,
      isTraining: isTraining)
    for i in 0..<rows {
      for j in 0..<net.inputWidth {
        inputGradient.append(executor.inputGradient[j * executor.stride + i])
      }
    }
    gradients = Array(UnsafeBufferPointer(start: sums.pointer, count: net.parameterCount))
  }

  /// The same with a bare operator.
  init(
    _ operation: some LayerOperator, _ weights: [Float], _ input: [Float], _ slope: [Float],
    rows: Int, outputWidth: Int
  ) throws {
    let inputWidth = input.count / rows
    let stride = roundedUpTo16(rows)
    func columns(_ values: [Float], _ width: Int) throws -> FloatBuffer {
      let buffer = try FloatBuffer(count: width * stride)
      for i in values.indices { buffer.pointer[i % width * stride + i / width] = values[i] }
      return buffer
    }
    func rowMajor(_ buffer: FloatBuffer, _ width: Int) -> [Float] {
      (0..<rows * width).map { buffer.pointer[$0 % width * stride + $0 / width] }
    }
    let x = try columns(input, inputWidth)
    let dx = try columns([], inputWidth)
    let y = try columns([], outputWidth)
    let dy = try columns(slope, outputWidth)
    let flat = try FloatBuffer(count: weights.count)
    for i in weights.indices { flat.pointer[i] = weights[i] }
    let sums = try FloatBuffer(count: weights.count)
    let state = try FloatBuffer(count: operation.stateCount(stride: stride))
    let scratch = try FloatBuffer(count: operation.scratchCount(stride: stride))
    let run = LayerRun(
      input: x.pointer, output: y.pointer, inputWidth: inputWidth, outputWidth: outputWidth,
      outputGradient: dy.pointer, inputGradient: dx.pointer, parameters: flat.pointer,
      gradients: sums.pointer, buffers: flat.pointer, bufferChanges: sums.pointer,
      state: state.pointer, scratch: scratch.pointer, rows: stride, rowCount: rows, stride: stride,
      isTraining: true, randomKey: 0, firstRow: 0)
    operation.forward(run)
    output = rowMajor(y, outputWidth)
    operation.backward(run)
    inputGradient = rowMajor(dx, inputWidth)
    gradients = Array(UnsafeBufferPointer(start: sums.pointer, count: weights.count))
  }
}
