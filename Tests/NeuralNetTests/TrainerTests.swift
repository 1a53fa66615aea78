import Diagnostics
import NeuralNet
import Testing

@Suite struct TrainerTests {
  static let layers = [
    LayerCall("linear", [.integer(64)]), LayerCall("relu"), LayerCall("dropout", [.number(0.3)]),
    LayerCall("linear", [.integer(32)]), LayerCall("tanh"), LayerCall("linear", [.integer(1)]),
    LayerCall("sigmoid"),
  ]

  static func ring(_ rows: Int) throws -> TrainingSet {
    let set = try TrainingSet(width: 3, target: .values(width: 1))
    let x = draws(rows * 3, seed: 21)
    try set.append(features: x, targets: (0..<rows).map { isInside(x, $0) ? 1 : 0 })
    return set
  }

  static func isInside(_ x: [Float], _ row: Int) -> Bool {
    let first: Float = x[row * 3]
    let rest: Float = x[row * 3 + 1] * x[row * 3 + 2]
    return first * first + rest > 0.2
  }

  @Test(arguments: [BatchSize.rows(32), .rows(1000), .rows(1024), .full])
  func sameBitsForAnyThreadCount(_ batch: BatchSize) throws {
    let net = try Network.sequential(inputWidth: 3, layers: Self.layers)
    let set = try Self.ring(5003)
    var results: [[UInt8]] = []
    for threads in [1, 2, 4, 1] {
      var options = TrainerOptions()
      options.loss = "bce"
      options.batchSize = batch
      options.epochs = 2
      options.seed = 5
      options.threads = threads
      let trainer = try Trainer(
        network: net, weights: Weights(network: net, seed: 5), training: set, options: options)
      while try trainer.nextEpoch() != nil {}
      results.append(try trainer.weights.bytes)
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  /// Layers with shapes keep the rule too.
  @Test(arguments: [
    [
      LayerCall("reshape", [.integer(6), .integer(4)]), LayerCall("lstm", [.integer(5)]),
      LayerCall("last"),
    ],
    [
      LayerCall("reshape", [.integer(2), .integer(3), .integer(4)]),
      LayerCall("conv2d", [.integer(3)]), LayerCall("relu"), LayerCall("flatten"),
    ],
    [
      LayerCall("reshape", [.integer(6), .integer(4)]), LayerCall("attention", [.integer(2)]),
      LayerCall("layernorm"), LayerCall("last"),
    ],
    [LayerCall("linear", [.integer(8)]), LayerCall("batchnorm"), LayerCall("tanh")],
  ])
  func sameBitsWithShapes(_ layers: [LayerCall]) throws {
    let net = try Network.sequential(
      inputWidth: 24, layers: layers + [LayerCall("linear", [.integer(1)])])
    let set = try TrainingSet(width: 24, target: .values(width: 1))
    try set.append(features: draws(24 * 1001, seed: 3), targets: draws(1001, seed: 4))
    var results: [[UInt8]] = []
    for threads in [1, 2, 4] {
      var options = TrainerOptions()
      options.batchSize = .rows(500)
      options.epochs = 2
      options.threads = threads
      let trainer = try Trainer(
        network: net, weights: Weights(network: net), training: set, options: options)
      let first = try trainer.nextEpoch()?.loss ?? .nan
      let second = try trainer.nextEpoch()?.loss ?? .nan
      #expect(second < first)
      results.append(try trainer.weights.bytes)
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test(arguments: [
    (
      "layer 0 (conv2d): expects an input of shape [channels, height, width], got [24]",
      [LayerCall("conv2d", [.integer(3)])]
    ),
    (
      "layer 1 (lstm): expects an input of shape [steps, features], got [2, 3, 4]",
      [
        LayerCall("reshape", [.integer(2), .integer(3), .integer(4)]),
        LayerCall("lstm", [.integer(3)]),
      ]
    ),
    (
      "layer 0 (reshape): cannot give [24] the shape [5, 5]",
      [LayerCall("reshape", [.integer(5), .integer(5)])]
    ),
    (
      "layer 1 (attention): cannot divide 4 features of [6, 4] by 3 heads",
      [LayerCall("reshape", [.integer(6), .integer(4)]), LayerCall("attention", [.integer(3)])]
    ),
    (
      "layer 1 (max_pool2d): a window of [9, 9] does not fit an input of [2, 3, 4]",
      [
        LayerCall("reshape", [.integer(2), .integer(3), .integer(4)]),
        LayerCall("max_pool2d", [.integer(9)]),
      ]
    ),
  ])
  func shapeMistakes(_ message: String, _ layers: [LayerCall]) {
    let error = #expect(throws: SQLError.self) {
      try Network.sequential(inputWidth: 24, layers: layers)
    }
    #expect(error?.message == message)
  }

  @Test func learns() throws {
    let net = try Network.sequential(
      inputWidth: 3,
      layers: [
        LayerCall("linear", [.integer(32)]), LayerCall("relu"), LayerCall("linear", [.integer(2)]),
        LayerCall("softmax"),
      ])
    let x = draws(6000, seed: 21)
    let set = try TrainingSet(width: 3, target: .classes(count: 2))
    try set.append(features: x, classes: (0..<2000).map { Self.isInside(x, $0) ? 1 : 0 })
    var options = TrainerOptions()
    options.learningRate = 0.01
    options.epochs = 30
    options.validationSplit = 0.2
    let trainer = try Trainer(
      network: net, weights: Weights(network: net), training: set, options: options)
    var last: EpochReport?
    while let report = try trainer.nextEpoch() { last = report }
    #expect(last?.stopReason == "epochs")
    #expect((last?.metrics.first { $0.name == "val_accuracy" }?.value ?? 0) > 0.93)
  }

  @Test func findsTheLine() throws {
    let net = try Network.sequential(inputWidth: 1, layers: [LayerCall("linear", [.integer(1)])])
    let set = try TrainingSet(width: 1, target: .values(width: 1))
    let x = draws(200, seed: 31)
    try set.append(features: x, targets: x.map { 3 * $0 - 1 })
    var options = TrainerOptions()
    options.learningRate = 0.05
    options.epochs = 200
    options.batchSize = .rows(10)
    let trainer = try Trainer(
      network: net, weights: Weights(network: net, initializer: .keras), training: set,
      options: options)
    while try trainer.nextEpoch() != nil {}
    #expect(near(try trainer.weights.tensor("0.weight") ?? [], [3], relative: 1e-3))
    #expect(near(try trainer.weights.tensor("0.bias") ?? [], [-1], relative: 1e-3))
  }

  @Test func stopsEarlyAndRestoresTheBest() throws {
    let net = try Network.sequential(inputWidth: 3, layers: Self.layers)
    var options = TrainerOptions()
    options.loss = "bce"
    options.learningRate = 0.05
    options.epochs = 500
    options.earlyStop = true
    options.patience = 3
    options.validationSplit = 0.3
    let trainer = try Trainer(
      network: net, weights: Weights(network: net), training: Self.ring(200), options: options)
    var reports: [EpochReport] = []
    while let report = try trainer.nextEpoch() { reports.append(report) }
    #expect(reports.last?.stopReason == "early_stop")
    #expect(reports.count < 500)
  }

  @Test func cancels() throws {
    let net = try Network.sequential(inputWidth: 3, layers: Self.layers)
    var options = TrainerOptions()
    options.loss = "bce"
    let trainer = try Trainer(
      network: net, weights: Weights(network: net), training: Self.ring(100), options: options,
      isCancelled: { true })
    let error = #expect(throws: SQLError.self) { try trainer.nextEpoch() }
    #expect(error?.code == .interrupted)
  }

  @Test func divergenceIsAnError() throws {
    let net = try Network.sequential(inputWidth: 1, layers: [LayerCall("linear", [.integer(1)])])
    let set = try TrainingSet(width: 1, target: .values(width: 1))
    try set.append(features: [1e30, 2e30], targets: [1, 2])
    #expect(throws: SQLError.self) { try stepped(net, Weights(network: net), set, loss: "mse") }
    let empty = try TrainingSet(width: 1, target: .values(width: 1))
    #expect(throws: SQLError.self) { try stepped(net, Weights(network: net), empty, loss: "mse") }
  }

  @Test(arguments: [
    ("batch_size", OptionValue.number(0)), ("batch_size", .number(.nan)),
    ("batch_size", .text("half")),
    ("learning_rate", .number(-1)), ("lr", .number(.infinity)), ("epochs", .number(0)),
    ("epochs", .number(1e30)), ("threads", .number(-2)), ("seed", .number(0.5)),
    ("optimizer", .text("adma")), ("loss", .text("msee")), ("batchsize", .number(1)),
    ("init", .text("magic")), ("validation_split", .number(1)), ("shuffle", .text("yes")),
  ])
  func refusesOption(_ name: String, _ value: OptionValue) {
    var options = TrainerOptions()
    #expect(throws: SQLError.self) { try options.set(name, to: value) }
  }

  @Test(arguments: [
    [LayerCall("linaer", [.integer(1)])], [LayerCall("linear", [.integer(0)])],
    [LayerCall("linear", [.integer(-3)])], [LayerCall("linear", [.integer(.max)])],
    [LayerCall("linear", [.integer(1 << 29)]), LayerCall("linear", [.integer(1 << 29)])],
    [LayerCall("dropout", [.number(1.5)])], [LayerCall("dropout", [.number(.nan)])],
    [LayerCall("linear", [.integer(4), .integer(2)])], [LayerCall("relu", [.integer(1)])],
    [LayerCall("linear", [.text("x")])], [LayerCall("linear")], [],
  ])
  func refusesLayers(_ layers: [LayerCall]) {
    #expect(throws: SQLError.self) { try Network.sequential(inputWidth: 3, layers: layers) }
  }

  @Test func namesWhatWasMeant() {
    let error = #expect(throws: SQLError.self) {
      try Network.sequential(inputWidth: 3, layers: [LayerCall("linaer", [.integer(1)])])
    }
    #expect(error?.hint == "did you mean \"linear\"?")
    #expect(error?.message.contains("layer 0") == true)
  }
}
