import Glibc
import NeuralNet
import Testing

@Suite struct FixtureTests {
  static let losses: [(String, String, Double?)] = [
    ("mse", "mse", nil), ("mae", "mae", nil), ("huber", "huber", nil),
    ("huber_d05", "huber", 0.5), ("smooth_l1_b05", "smooth_l1", 0.5),
    ("bce_logits", "bce", nil), ("bce_logits_large", "bce_with_logits", nil),
    ("cross_entropy", "cross_entropy", nil), ("cross_entropy_large", "cross_entropy", nil),
    ("cross_entropy_soft", "cross_entropy", nil), ("nll", "nll", nil),
    ("bce", "bce", nil), ("mse_sum", "mse", nil), ("bce_logits_posweight", "bce", nil),
    ("kldiv", "kldiv", nil),
    ("cross_entropy_weight", "cross_entropy", nil),
    ("cross_entropy_ignore", "cross_entropy", nil),
    ("cross_entropy_smooth", "cross_entropy", nil),
    ("bce_saturated", "bce_probabilities", nil), ("cosine_embedding", "cosine_embedding", 0.1),
  ]

  @Test func everyLossIsKnown() throws {
    for name in try Fixtures.names("losses/") {
      let isRun = Self.losses.contains { $0.0 == name }
      #expect(isRun, "\(name) is not run")
    }
  }

  @Test(arguments: losses)
  func loss(_ file: String, _ name: String, _ parameter: Double?) throws {
    guard let fixture = try Fixtures.load("losses/\(file)"), var x = fixture["input"],
      let target = fixture["target"], let loss = fixture["loss"], var dx = fixture["inputgrad"]
    else { return }
    if file == "bce" {
      // Recorded of probabilities p; here it is computed from their logits: dz = dp p (1 - p).
      dx.values = zip(dx.values, x.values).map { $0 * $1 * (1 - $1) }
      x.values = x.values.map { Float(log(Double($0) / (1 - Double($0)))) }
    }
    // Row r of the input is reached as the weights of a one-hot row r: z = I W, so dz = dW.
    let rows = x.shape[0]
    let width = x.shape[1]
    let net = try Network.sequential(
      inputWidth: rows,
      layers: [LayerCall("linear", [.integer(width)], named: [.init("bias", .boolean(false))])])
    var weights = try Weights(network: net)
    func turned(_ values: [Float]) -> [Float] {
      (0..<width).flatMap { j in (0..<rows).map { values[$0 * width + j] } }
    }
    try weights.setTensor("0.weight", shape: [width, rows], values: turned(x.values))
    let identity = (0..<rows * rows).map { Float($0 / rows == $0 % rows ? 1 : 0) }
    let set: TrainingSet
    if file == "cross_entropy_ignore" {
      // A row without a class is a row of weight 0.
      set = try TrainingSet(width: rows, target: .classes(count: width), weighted: true)
      try identity.withUnsafeBufferPointer { matrix in
        guard let base = matrix.baseAddress else { return }
        try set.append(
          rows: rows, columns: (0..<rows).map { base + $0 * rows },
          classes: target.values.map { max(0, Int32($0)) },
          weights: target.values.map { $0 < 0 ? 0 : 1 })
      }
    } else if target.shape.count == 1 {
      set = try TrainingSet(width: rows, target: .classes(count: width))
      try set.append(features: identity, classes: target.values.map { Int32($0) })
    } else if file == "cosine_embedding" {
      // The first four rows are alike.
      set = try TrainingSet(width: rows, target: .values(width: width + 1))
      var targets: [Float] = []
      for row in 0..<rows {
        targets += target.values[row * width..<(row + 1) * width]
        targets.append(row < 4 ? 1 : -1)
      }
      try set.append(features: identity, targets: targets)
    } else {
      set = try TrainingSet(width: rows, target: .values(width: width))
      try set.append(features: identity, targets: target.values)
    }
    var options = sgd(loss: name)
    // Far steps, by a power of two: the difference of the weights is the gradient without rounding.
    let rate: Float = 0x1p20
    options.learningRate = Double(rate)
    options.lossParameter = parameter
    let factors: [Float] = [1.7272566556930542, 0.7442885637283325, 1.4949744939804077, 1.2065613]
    switch file {
    case "mse_sum": try options.set("reduction", to: .text("sum"))
    case "bce_logits_posweight": options.positiveWeights = factors
    case "cross_entropy_weight": options.classWeights = factors
    case "cross_entropy_smooth": try options.set("label_smoothing", to: .number(0.1))
    default: break
    }
    let trainer = try Trainer(network: net, weights: weights, training: set, options: options)
    let report = try trainer.nextEpoch()
    #expect(matches([Float(report?.loss ?? .nan)], loss.values))
    // At the points where the logarithm is cut, PyTorch's slope is that of the cut's edge.
    if file == "bce_saturated" { return }
    let slope = zip(
      weights.tensor("0.weight") ?? [], try trainer.weights.tensor("0.weight") ?? []
    ).map { ($0 - $1) / rate }
    #expect(matches(slope, turned(dx.values)))
  }

  @Test(
    arguments: [
      ("sgd", "sgd", 0.1, [:]), ("sgd_momentum", "sgd", 0.05, ["momentum": 0.9]),
      ("sgd_dampening", "sgd", 0.05, ["momentum": 0.8, "dampening": 0.3]),
      ("sgd_nesterov_wd", "sgd", 0.05, ["momentum": 0.9, "weight_decay": 0.01, "nesterov": 1]),
      ("adam", "adam", 0.01, [:]),
      (
        "adam_betas_wd", "adam", 0.02,
        ["beta1": 0.8, "beta2": 0.95, "eps": 1e-6, "weight_decay": 0.1]
      ),
      ("adamw", "adamw", 0.01, ["weight_decay": 0.1]), ("clip_norm", "sgd", 0.5, [:]),
      ("clip_value", "sgd", 0.5, [:]), ("adam_amsgrad", "adam", 0.02, ["amsgrad": 1]),
      ("rmsprop", "rmsprop", 0.01, [:]),
      ("rmsprop_centered_mom", "rmsprop", 0.005, ["alpha": 0.9, "momentum": 0.5, "centered": 1]),
      ("adagrad", "adagrad", 0.1, [:]),
      (
        "adagrad_decay", "adagrad", 0.1,
        ["lr_decay": 0.1, "weight_decay": 0.01, "initial_accumulator_value": 0.1]
      ),
      ("adadelta", "adadelta", 1, [:]), ("adamax", "adamax", 0.01, [:]),
      ("nadam", "nadam", 0.01, [:]), ("radam", "radam", 0.05, [:]), ("rprop", "rprop", 0.01, [:]),
    ] as [(String, String, Double, [String: Double])])
  func optimizer(_ file: String, _ name: String, _ rate: Double, _ values: [String: Double]) throws
  {
    guard let fixture = try Fixtures.load("optimizers/\(file)"), let x = fixture["X"],
      let y = fixture["Y"]
    else { return }
    let net = try Network.sequential(
      inputWidth: 5,
      layers: [
        LayerCall("linear", [.integer(6)]), LayerCall("tanh"), LayerCall("linear", [.integer(3)]),
      ])
    for steps in [1, 2, 5, 10] where fixture["step\(steps).0.weight"] != nil {
      var options = sgd(loss: "mse")
      options.optimizer = name
      options.learningRate = rate
      options.optimizerOptions = values
      options.batchSize = .rows(8)
      if file == "clip_norm" { options.clipNorm = 0.3 }
      if file == "clip_value" { options.clipValue = 0.05 }
      let set = try TrainingSet(width: 5, target: .values(width: 3))
      try set.append(
        features: Array(x.values[..<(steps * 40)]), targets: Array(y.values[..<(steps * 24)]))
      let trainer = try Trainer(
        network: net, weights: try initial(net, fixture), training: set, options: options)
      _ = try trainer.nextEpoch()
      for name in net.parameters.map(\.name) {
        let expected = fixture["step\(steps).\(name)"]?.values ?? []
        #expect(matches(try trainer.weights.tensor(name) ?? [], expected), "\(name) \(steps)")
      }
    }
  }

  @Test func recipes() throws {
    if let fixture = try Fixtures.load("recipes/seed_mlp_bce"), let x = fixture["X"],
      let y = fixture["Y"]
    {
      let set = try TrainingSet(width: 3, target: .values(width: 1))
      try set.append(features: x.values, targets: y.values)
      try recipe(fixture, [64, 32, 1], last: "sigmoid", set, loss: "bce", batch: 32, rate: 0.001)
    }
    if let fixture = try Fixtures.load("recipes/mlp_adam"), let x = fixture["X"],
      let y = fixture["Y"]
    {
      let set = try TrainingSet(width: 6, target: .classes(count: 3))
      try set.append(features: x.values, classes: y.values.map { Int32($0) })
      try recipe(fixture, [16, 8, 3], last: nil, set, loss: "cross_entropy", batch: 16, rate: 0.01)
    }
  }

  /// Whole training runs.
  @Test func shapedRecipes() throws {
    if let fixture = try Fixtures.load("recipes/cnn_sgd"), let x = fixture["X"],
      let y = fixture["Y"]
    {
      func conv(_ out: Int, bias: Bool) -> LayerCall {
        LayerCall(
          "conv2d", [.integer(out)],
          named: [.init("padding", .integer(1)), .init("bias", .boolean(bias))])
      }
      let net = try Network.sequential(
        inputShape: Shape([1, 8, 8]),
        layers: [
          conv(8, bias: true), LayerCall("batchnorm"), LayerCall("relu"), LayerCall("max_pool2d"),
          conv(12, bias: false), LayerCall("batchnorm"), LayerCall("relu"),
          LayerCall("adaptive_avg_pool2d"), LayerCall("flatten"),
          LayerCall("linear", [.integer(3)]),
        ])
      let set = try TrainingSet(width: 64, target: .classes(count: 3))
      try set.append(features: x.values, classes: y.values.map { Int32($0) })
      var options = sgd(loss: "cross_entropy")
      options.learningRate = 0.05
      options.optimizerOptions = ["momentum": 0.9]
      try train(net, fixture, set, options)
    }
    if let fixture = try Fixtures.load("recipes/lstm_rmsprop"), let x = fixture["X"],
      let y = fixture["Y"]
    {
      let net = try Network.sequential(
        inputShape: Shape([7, 2]),
        layers: [
          LayerCall(
            "lstm", [.integer(8)], named: [.init("num_layers", .integer(2))], alias: "lstm"),
          LayerCall("last"), LayerCall("linear", [.integer(1)], alias: "linear"),
        ])
      let set = try TrainingSet(width: 14, target: .values(width: 1))
      try set.append(features: x.values, targets: y.values)
      var options = sgd(loss: "mse")
      options.optimizer = "rmsprop"
      options.learningRate = 0.005
      try train(net, fixture, set, options, relative: 1e-4)
    }
  }

  @Test func transformerRecipe() throws {
    guard let fixture = try Fixtures.load("recipes/transformer_adamw"), let x = fixture["X"],
      let y = fixture["Y"]
    else { return }
    let net = try Network.sequential(
      inputShape: Shape([8]),
      layers: [
        LayerCall("embedding", [.integer(20), .integer(16)], alias: "tok"),
        LayerCall("positions", alias: "pos"),
        LayerCall(
          "transformer_encoder", [.integer(2), .integer(32)],
          named: [.init("activation", .text("gelu"))], alias: "enc.layers.0"),
        LayerCall("mean"), LayerCall("linear", [.integer(3)], alias: "head"),
      ])
    let set = try TrainingSet(width: 8, target: .classes(count: 3))
    try set.append(features: x.values, classes: y.values.map { Int32($0) })
    var options = sgd(loss: "cross_entropy")
    options.optimizer = "adamw"
    options.learningRate = 0.003
    options.optimizerOptions = ["weight_decay": 0.05, "eps": 1e-4]
    try train(net, Self.renamed(fixture, "pos", "pos.weight"), set, options, relative: 1e-4)
  }

  /// PyTorch's bare parameter under the name that a layer gives it.
  private static func renamed(_ fixture: [String: NamedTensor], _ from: String, _ to: String)
    -> [String: NamedTensor]
  {
    Dictionary(
      uniqueKeysWithValues: fixture.map { key, value in
        (key.hasSuffix("." + from) ? String(key.dropLast(from.count)) + to : key, value)
      })
  }

  /// One epoch of batches of 6, the final weights, and the prediction for the last batch.
  private func train(
    _ net: Network, _ fixture: [String: NamedTensor], _ set: TrainingSet,
    _ options: TrainerOptions, relative: Float = 1e-5
  ) throws {
    var options = options
    options.batchSize = .rows(6)
    let trainer = try Trainer(
      network: net, weights: try initial(net, fixture), training: set, options: options)
    _ = try trainer.nextEpoch()
    for name in net.parameters.map(\.name) {
      let expected = fixture["final.\(name)"]?.values ?? []
      #expect(
        matches(try trainer.weights.tensor(name) ?? [], expected, relative: relative), "\(name)")
    }
    guard let x = fixture["X"], let y = fixture["eval_output_last_batch"] else { return }
    let last = Array(x.values.suffix(6 * net.inputWidth))
    let output = try predict(Predictor(network: net, weights: trainer.weights), last)
    #expect(matches(output, y.values, relative: relative))
  }

  private func recipe(
    _ fixture: [String: NamedTensor], _ widths: [Int], last: String?, _ set: TrainingSet,
    loss: String, batch: Int, rate: Double
  ) throws {
    var layers: [LayerCall] = []
    for (index, width) in widths.enumerated() {
      layers.append(LayerCall("linear", [.integer(width)]))
      if index + 1 < widths.count { layers.append(LayerCall("relu")) }
    }
    if let last { layers.append(LayerCall(last)) }
    let net = try Network.sequential(inputWidth: set.width, layers: layers)
    var options = sgd(loss: loss)
    options.optimizer = "adam"
    options.learningRate = rate
    options.batchSize = .rows(batch)
    let trainer = try Trainer(
      network: net, weights: try initial(net, fixture), training: set, options: options)
    _ = try trainer.nextEpoch()
    for name in net.parameters.map(\.name) {
      let expected = fixture["final.\(name)"]?.values ?? []
      #expect(matches(try trainer.weights.tensor(name) ?? [], expected), "\(name)")
    }
  }

  private func initial(_ net: Network, _ fixture: [String: NamedTensor]) throws -> Weights {
    var weights = try Weights(network: net)
    for name in net.parameters.map(\.name) {
      if let tensor = fixture["init.\(name)"] {
        try weights.setTensor(name, shape: tensor.shape, values: tensor.values)
      }
    }
    return weights
  }
}

/// One epoch, one full batch, learning rate 1, no shuffle: w - w' is the gradient.
func sgd(loss: String) -> TrainerOptions {
  var options = TrainerOptions()
  options.loss = loss
  options.optimizer = "sgd"
  options.learningRate = 1
  options.epochs = 1
  options.batchSize = .full
  options.shuffle = false
  options.threads = 1
  return options
}

func stepped(_ net: Network, _ weights: Weights, _ set: TrainingSet, loss: String) throws -> Weights
{
  let trainer = try Trainer(
    network: net, weights: weights, training: set, options: sgd(loss: loss))
  _ = try trainer.nextEpoch()
  return try trainer.weights
}
