import Diagnostics
import Testing

@testable import NeuralNet

/// Networks of several inputs and outputs.
@Suite struct GraphTests {
  static func ref(_ name: String) -> GraphExpression { .reference(name, span: nil) }

  static func layer(
    _ name: String, _ tensors: [GraphExpression], _ arguments: [LayerArgument] = [],
    at span: SourceSpan? = nil
  ) -> GraphExpression {
    .layer(GraphLayer(LayerCall(name, arguments), on: tensors, at: span))
  }

  /// E11 of the page: two numbers and a category, a price and a segment.
  static func twoHeads() throws -> Network {
    try Network.graph(
      inputs: [
        GraphInput("a", Shape([])), GraphInput("i", Shape([])),
        GraphInput("c", Shape([]), vocabulary: 5),
      ],
      GraphDescription([
        GraphNode("cv", layer("embedding", [ref("c")], [.integer(3)])),
        GraphNode(
          "h",
          layer(
            "relu",
            [layer("linear", [layer("concat", [ref("a"), ref("i"), ref("CV")])], [.integer(6)])])),
        GraphNode("price", layer("linear", [ref("h")], [.integer(1)])),
        GraphNode("segment", layer("softmax", [layer("linear", [ref("h")])])),
      ]),
      outputs: [GraphOutput("price"), GraphOutput("segment", width: 3)])
  }

  @Test func namesShapesAndOpenWidths() throws {
    let net = try Self.twoHeads()
    #expect(net.inputs.map(\.name) == ["a", "i", "c"])
    #expect(net.inputs.map(\.offset) == [0, 1, 2])
    #expect(net.outputs.map(\.width) == [1, 3])
    #expect(net.outputs.map(\.lastLayerName) == ["linear", "softmax"])
    #expect(
      net.parameters.map(\.name) == [
        "cv.weight", "h.weight", "h.bias", "price.weight", "price.bias", "segment.weight",
        "segment.bias",
      ])
    #expect(net.parameters[0].shape == [5, 3])
    #expect(net.parameters[1].shape == [6, 5])
  }

  static func homes(rows: Int) throws -> TrainingSet {
    let set = try TrainingSet(
      TrainingLayout(width: 3, targets: [.values(width: 1), .classes(count: 3)]))
    let a = draws(rows, seed: 21)
    let i = draws(rows, seed: 22)
    let c = (0..<rows).map { Float($0 % 5) }
    let price = (0..<rows).map { 0.5 * a[$0] - i[$0] + 0.2 * c[$0] }
    let segment = (0..<rows).map { Int32(a[$0] > 0.3 ? 2 : c[$0] > 2 ? 1 : 0) }
    try a.withUnsafeBufferPointer { a in
      try i.withUnsafeBufferPointer { i in
        try c.withUnsafeBufferPointer { c in
          try price.withUnsafeBufferPointer { price in
            try segment.withUnsafeBufferPointer { segment in
              guard let a = a.baseAddress, let i = i.baseAddress, let c = c.baseAddress,
                let price = price.baseAddress, let segment = segment.baseAddress
              else { return }
              try set.append(rows: rows, columns: [a, i, c], targets: [price], classes: [segment])
            }
          }
        }
      }
    }
    return set
  }

  static func options() -> TrainerOptions {
    var options = TrainerOptions()
    options.outputLosses = ["price": "mse", "segment": "cross_entropy"]
    options.lossWeights = ["segment": 0.5]
    options.learningRate = 0.02
    options.epochs = 30
    options.batchSize = .rows(300)
    return options
  }

  @Test func bothHeadsLearnAndThreadsDoNotMatter() throws {
    let net = try Self.twoHeads()
    let set = try Self.homes(rows: 1200)
    var results: [[UInt8]] = []
    for threads in [1, 2, 4] {
      var options = Self.options()
      options.threads = threads
      let trainer = try Trainer(
        network: net, weights: Weights(network: net, seed: 3), training: set, options: options)
      var last: EpochReport?
      while let report = try trainer.nextEpoch() { last = report }
      results.append(try trainer.weights.bytes)
      let metrics = Dictionary(
        uniqueKeysWithValues: (last?.metrics ?? []).map { ($0.name, $0.value) })
      #expect((metrics["price_loss"] ?? 1) < 0.05)
      #expect((metrics["segment_accuracy"] ?? 0) > 0.9)
      let sum = (metrics["price_loss"] ?? 0) + 0.5 * (metrics["segment_loss"] ?? 0)
      #expect(abs((last?.loss ?? 0) - sum) < 1e-12)
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }

  /// One head alone is what both give together, and runs without the other's layers.
  @Test func unreadOutputsAreNotComputed() throws {
    let net = try Self.twoHeads()
    let weights = try Weights(network: net, seed: 4)
    let both = try Predictor(network: net, weights: weights)
    #expect(both.ranges == [0..<1, 1..<4])
    let segment = try Predictor(
      network: net, weights: weights,
      outputs: [PredictedOutput(1, .probabilities(loss: "cross_entropy"))])
    #expect(segment.outputWidth == 3)
    #expect(segment.plan.nodes.count == both.plan.nodes.count - 1)
    let rows = 150
    let matrix = (0..<rows).flatMap { row -> [Float] in
      [Float(row) / 100 - 0.7, 1 - Float(row) / 60, Float(row % 5)]
    }
    let all = try predict(both, matrix)
    let one = try predict(segment, matrix)
    for row in 0..<rows {
      for k in 0..<3 { #expect(all[row * 4 + 1 + k] == one[row * 3 + k]) }
    }
  }

  @Test func anUnreadInputIsNotTouched() throws {
    let net = try Network.graph(
      inputs: [GraphInput("a", Shape([])), GraphInput("b", Shape([2]))],
      GraphDescription([
        GraphNode("y", Self.layer("linear", [Self.ref("a")], [.integer(1)])),
        GraphNode("z", Self.layer("linear", [Self.ref("b")], [.integer(1)])),
      ]), outputs: [GraphOutput("y"), GraphOutput("z")])
    let weights = try Weights(network: net, seed: 1)
    let y = try Predictor(network: net, weights: weights, outputs: [PredictedOutput(0)])
    #expect(y.readsInput == [true, false])
    let z = try Predictor(network: net, weights: weights, outputs: [PredictedOutput(1)])
    #expect(z.readsInput == [false, true])
  }

  /// Finite differences over graphs in which values are shared, added twice, passed on and absorbed.
  @Test(arguments: 0..<7)
  func gradients(_ which: Int) throws {
    func linear(_ tensor: GraphExpression, _ width: Int) -> GraphExpression {
      Self.layer("linear", [tensor], [.integer(width)])
    }
    let x = Self.ref("x")
    let h = Self.ref("h")
    let first = GraphNode("h", Self.layer("tanh", [linear(x, 4)]))
    let graphs: [[GraphNode]] = [
      [first, GraphNode("y", linear(Self.layer("add", [h, linear(h, 4), h]), 2))],
      [first, GraphNode("y", linear(Self.layer("mul", [h, linear(x, 4)]), 2))],
      [first, GraphNode("y", linear(Self.layer("mul", [h, h]), 2))],
      [
        first, GraphNode("g", linear(x, 2)),
        GraphNode("y", linear(Self.layer("add", [Self.layer("relu", [h]), h]), 2)),
      ],
      [
        first,
        GraphNode(
          "y", linear(Self.layer("concat", [h, x, Self.layer("relu", [linear(h, 3)]), h]), 2)),
      ],
      [
        GraphNode("h", Self.layer("reshape", [linear(x, 6)], [.integer(3), .integer(2)])),
        GraphNode("b", linear(x, 2)),
        GraphNode(
          "y",
          linear(
            Self.layer(
              "flatten",
              [Self.layer("mul", [Self.layer("add", [h, Self.ref("b")]), Self.ref("b")])]
            ), 2)),
      ],
      [first, GraphNode("y", Self.layer("softmax", [linear(h, 2)])), GraphNode("z", linear(h, 2))],
    ]
    let net = try Network.graph(
      inputs: [GraphInput("x", Shape([3]))], GraphDescription(graphs[which]),
      outputs: [GraphOutput("y")])
    let set = try TrainingSet(width: 3, target: .values(width: 2))
    try set.append(features: draws(60, seed: 1), targets: draws(40, seed: 2).map { abs($0) })
    try GradientTests().check(net, set, loss: which == 6 ? "cross_entropy" : "mse")
  }

  /// A value that is an output, feeds another output, and whose softmax a loss absorbs.
  @Test func outputsThatFeedOutputs() throws {
    let net = try Network.graph(
      inputs: [GraphInput("x", Shape([3]))],
      GraphDescription([
        GraphNode("logits", Self.layer("linear", [Self.ref("x")], [.integer(2)])),
        GraphNode("p", Self.layer("softmax", [Self.ref("logits")])),
        GraphNode("q", Self.layer("linear", [Self.ref("p")], [.integer(1)])),
        GraphNode("again", Self.ref("logits")),
      ]), outputs: ["logits", "p", "q", "again"].map { GraphOutput($0) })
    let set = try TrainingSet(
      TrainingLayout(
        width: 3,
        targets: [.values(width: 2), .values(width: 2), .values(width: 1), .values(width: 2)]))
    try set.append(features: draws(60, seed: 1), targets: draws(140, seed: 2).map { abs($0) })
    var options = sgd(loss: "mse")
    options.outputLosses = ["p": "cross_entropy"]
    options.lossWeights = ["q": 2, "again": 0.25]
    try GradientTests().check(net, set, options)
    let weights = try Weights(network: net, seed: 5)
    let predictor = try Predictor(network: net, weights: weights)
    let row = try predict(predictor, [0.1, -0.4, 0.7])
    #expect(abs(row[2] + row[3] - 1) < 1e-6)
    #expect(row[0] == row[5] && row[1] == row[6])
  }

  @Test func errorsNameTheNodeAndItsTensors() throws {
    func message(_ nodes: [GraphNode], _ outputs: [GraphOutput] = [GraphOutput("y")]) -> String {
      do {
        _ = try Network.graph(
          inputs: [GraphInput("x", Shape([3])), GraphInput("m", Shape([2, 3]))],
          GraphDescription(nodes), outputs: outputs)
        return "none"
      } catch let error as SQLError {
        return "\(error.message) | \(error.hint ?? "") | \(error.span?.start ?? -1)"
      } catch { return "\(error)" }
    }
    let x = Self.ref("x")
    #expect(
      message([
        GraphNode("y", Self.layer("linear", [x], [.integer(5), .integer(1)], at: SourceSpan(7, 9)))
      ])
        == "node \"y\" (linear): expects an input of shape [5], got [3] | its tensor is x [3] | 7")
    #expect(
      message([GraphNode("y", Self.layer("add", [x, Self.ref("m")]))])
        == "node \"y\" (add): expects tensors of shape [3], got [2, 3] (tensor 2) | "
        + "its tensors are x [3], m [2, 3] | -1")
    #expect(
      message([GraphNode("y", Self.layer("relu", [.reference("xx", span: SourceSpan(2, 4))]))])
        .contains("named \"xx\""))
    #expect(
      message([GraphNode("x", Self.layer("relu", [x]))]).contains("uses the name \"x\" twice"))
    #expect(message([GraphNode("z", Self.layer("relu", [x]))]).contains("after the output \"y\""))
    #expect(message([GraphNode("y", Self.layer("linear", [x]))]).contains("needs the argument"))
    #expect(message([GraphNode("y", Self.layer("embedding", [x], [.integer(4)]))]).contains("ids"))
    #expect(message([GraphNode("y", Self.layer("mul", [x]))]).contains("takes 2 tensors, got 1"))
    #expect(
      message([GraphNode("y", Self.layer("relu", [x, x]))]).contains("takes 1 tensor, got 2"))
  }

  @Test func classWeightsOfOneOutput() throws {
    let net = try Self.twoHeads()
    let set = try Self.homes(rows: 90)
    var options = Self.options()
    options.batchSize = .full
    options.epochs = 1
    try options.set("class_weights", to: .text("balanced"))
    let balanced = try Trainer(
      network: net, weights: Weights(network: net), training: set, options: options)
    let counts = set.classCounts(target: 1)
    for (id, count) in counts.enumerated() {
      #expect(abs(balanced.outputs[1].classWeights[id] - 90 / (3 * Float(count))) < 1e-6)
    }
    #expect(balanced.outputs[0].classWeights.isEmpty)
    try options.set(
      "class_weights",
      to: .entries([OptionEntry("low", .number(2)), OptionEntry("top", .number(3))]))
    try options.resolveClassWeights([("segment", ["low", "mid", "top"])])
    let given = try Trainer(
      network: net, weights: Weights(network: net), training: set, options: options)
    #expect(given.outputs[1].classWeights == [2, 1, 3])
    #expect(throws: SQLError.self) {
      try options.set("class_weights", to: .entries([OptionEntry("lo", .number(2))]))
      try options.resolveClassWeights([("segment", ["low", "mid", "top"])])
    }
  }

  @Test func optionsNameOutputs() throws {
    let net = try Self.twoHeads()
    let set = try Self.homes(rows: 20)
    var options = Self.options()
    try options.set("loss", to: .entries([OptionEntry("prize", .text("mse"))]))
    #expect(throws: SQLError.self) {
      try Trainer(network: net, weights: Weights(network: net), training: set, options: options)
    }
  }
}
