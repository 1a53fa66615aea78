import Diagnostics
import Testing

@testable import NeuralNet

/// Training that is interrupted, or whose rows come in pieces, gives the bits of one that is not.
@Suite struct ResumeTests {
  static let layers = [
    LayerCall("linear", [.integer(16)]), LayerCall("batchnorm"), LayerCall("relu"),
    LayerCall("dropout", [.number(0.2)]), LayerCall("linear", [.integer(1)]),
  ]

  static func options(_ optimizer: String) throws -> TrainerOptions {
    var options = TrainerOptions()
    options.optimizer = optimizer
    options.learningRate = 0.01
    options.epochs = 7
    options.batchSize = .rows(50)
    options.validationSplit = 0.2
    options.seed = 9
    try options.set("lr_schedule", to: .text("reduce_on_plateau(patience => 0)"))
    return options
  }

  static func trainer(_ options: TrainerOptions) throws -> Trainer {
    let net = try Network.sequential(inputWidth: 3, layers: layers)
    return try Trainer(
      network: net, weights: Weights(network: net, seed: 2), training: TrainerTests.ring(430),
      options: options)
  }

  @Test(arguments: ["adam", "sgd", "rmsprop", "nadam", "rprop", "adagrad", "radam", "adadelta"])
  func resumedIsNotInterrupted(_ optimizer: String) throws {
    let options = try Self.options(optimizer)
    let whole = try Self.trainer(options)
    var losses: [Double] = []
    var rates: [Double] = []
    while let report = try whole.nextEpoch() {
      losses.append(report.loss)
      rates.append(report.learningRate)
    }
    for cut in [1, 4, 6] {
      let first = try Self.trainer(options)
      for _ in 0..<cut { _ = try first.nextEpoch() }
      let second = try Self.trainer(options)
      try second.resume(from: first.checkpoint())
      var tail: [Double] = []
      while let report = try second.nextEpoch() {
        tail.append(report.loss)
        #expect(report.learningRate == rates[report.epoch - 1])
      }
      #expect(tail == Array(losses[cut...]))
      #expect(try second.weights.bytes == whole.weights.bytes)
    }
  }

  @Test func damagedCheckpointsAreRefused() throws {
    let options = try Self.options("adam")
    let trainer = try Self.trainer(options)
    _ = try trainer.nextEpoch()
    let good = trainer.checkpoint()
    for length in stride(from: 0, to: good.count, by: 7) {
      #expect(throws: SQLError.self) {
        try Self.trainer(options).resume(from: Array(good[..<length]))
      }
    }
    for place in 0..<min(good.count, 160) {
      var bad = good
      bad[place] ^= 0xFF
      try? Self.trainer(options).resume(from: bad)
    }
    #expect(throws: SQLError.self) {
      try Self.trainer(Self.options("sgd")).resume(from: good)
    }
  }

  /// Gives copies of a set's rows, in the order that a set in memory would have, few at a time.
  final class PieceSource: TrainingSource {
    private let inner: MemorySource
    private let piece: TrainingSet
    private let kept: TrainingSet
    let preferredRows: Int

    init(_ set: TrainingSet, preferredRows: Int) throws {
      inner = MemorySource(set)
      kept = set
      piece = try TrainingSet(set.layout)
      self.preferredRows = preferredRows
    }

    var layout: TrainingLayout { kept.layout }
    var rows: Int { kept.rows }
    func begin(_ order: TrainingOrder) throws { try inner.begin(order) }
    func classCounts(target: Int) throws -> [Int] { kept.classCounts(target: target) }

    func next(rows count: Int) throws -> TrainingPiece {
      let part = try inner.next(rows: count)
      piece.removeAll()
      for i in part.first..<part.first + part.count {
        let row = part.order.map { Int($0[i]) } ?? i
        let columns = (0..<kept.width).map { j in
          UnsafePointer(kept.features.pointer + row * kept.width + j)
        }
        let targets = (0..<kept.targetWidth).map { j in
          UnsafePointer(kept.targets.pointer + row * kept.targetWidth + j)
        }
        try piece.append(
          rows: 1, columns: columns, targets: targets, classes: [],
          weights: kept.isWeighted ? UnsafePointer(kept.weights.pointer + row) : nil)
      }
      return TrainingPiece(piece, first: 0, count: count)
    }
  }

  @Test(arguments: [BatchSize.rows(64), .rows(700), .full], [false, true])
  func piecesMakeNoDifference(_ batch: BatchSize, isWeighted: Bool) throws {
    let rows = 5003
    let x = draws(rows * 3, seed: 21)
    let set = try TrainingSet(width: 3, target: .values(width: 1), weighted: isWeighted)
    let columns = (0..<3).flatMap { j in (0..<rows).map { x[$0 * 3 + j] } }
    let y = (0..<rows).map { Float(TrainerTests.isInside(x, $0) ? 1 : 0) }
    let weights = (0..<rows).map { Float($0 % 3) }
    try columns.withUnsafeBufferPointer { columns in
      try y.withUnsafeBufferPointer { y in
        try weights.withUnsafeBufferPointer { weights in
          guard let x = columns.baseAddress, let y = y.baseAddress else { return }
          try set.append(
            rows: rows, columns: (0..<3).map { x + $0 * rows }, targets: [y], classes: [],
            weights: isWeighted ? weights.baseAddress : nil)
        }
      }
    }
    let net = try Network.sequential(inputWidth: 3, layers: TrainerTests.layers)
    var options = TrainerOptions()
    options.loss = "bce"
    options.batchSize = batch
    options.epochs = 2
    let whole = try Trainer(
      network: net, weights: Weights(network: net), source: MemorySource(set),
      validation: MemorySource(set), options: options)
    let pieces = try Trainer(
      network: net, weights: Weights(network: net),
      source: PieceSource(set, preferredRows: 1500),
      validation: PieceSource(set, preferredRows: 1500), options: options)
    while let a = try whole.nextEpoch(), let b = try pieces.nextEpoch() {
      #expect(a.loss == b.loss && a.validationLoss == b.validationLoss && a.metrics == b.metrics)
    }
    #expect(try whole.weights.bytes == pieces.weights.bytes)
  }

  /// Against differences, for each form that a predictor gives.
  @Test(arguments: [
    OutputForm.raw, .probabilities(loss: "cross_entropy"), .probabilities(loss: "nll"),
  ])
  func gradientsOfInputs(_ form: OutputForm) throws {
    let net = try GraphTests.twoHeads()
    let weights = try Weights(network: net, seed: 6)
    let gradient = try InputGradient(network: net, weights: weights, output: 1, form: form)
    let predictor = try Predictor(
      network: net, weights: weights, outputs: [PredictedOutput(1, form)])
    let rows = 150
    let a = draws(rows, seed: 31)
    let i = draws(rows, seed: 32)
    let c = (0..<rows).map { Float($0 % 5) }
    let units = (0..<rows).map { Int32($0 % 3) }
    let inputs = try FloatBuffer(count: 3 * rows)
    let slopes = try FloatBuffer(count: 3 * rows)
    for row in 0..<rows {
      inputs.pointer[row] = a[row]
      inputs.pointer[rows + row] = i[row]
      inputs.pointer[2 * rows + row] = c[row]
    }
    gradient.compute(
      rows: rows, columns: (0..<3).map { UnsafePointer(inputs.pointer + $0 * rows) }, units: units,
      into: (0..<3).map { slopes.pointer + $0 * rows })
    let step: Float = 1e-2
    for row in 0..<rows {
      let up = try predict(predictor, [a[row] + step, i[row], c[row]])[Int(units[row])]
      let down = try predict(predictor, [a[row] - step, i[row], c[row]])[Int(units[row])]
      let expected = (up - down) / (2 * step)
      // A relu's corner may lie between the two points.
      if abs(slopes.pointer[row] - expected) > 2e-3 + 0.02 * abs(expected) {
        let near = try predict(predictor, [a[row] + step / 50, i[row], c[row]])[Int(units[row])]
        let here = try predict(predictor, [a[row], i[row], c[row]])[Int(units[row])]
        #expect(abs(slopes.pointer[row] - (near - here) / (step / 50)) < 0.05, "row \(row)")
      }
    }
  }
}
