import Diagnostics
import NeuralNet
import Testing

/// FOR EACH: many networks at once, each as if it were alone.
@Suite struct GroupTrainerTests {
  static let layers = [
    LayerCall("linear", [.integer(8)]), LayerCall("batchnorm"), LayerCall("relu"),
    LayerCall("dropout", [.number(0.1)]), LayerCall("linear", [.integer(1)]),
  ]

  static func groups(_ count: Int) throws -> [TrainingSet] {
    try (0..<count).map { group in
      let rows = 20 + group % 50
      let set = try TrainingSet(width: 3, target: .values(width: 1))
      try set.append(
        features: draws(rows * 3, seed: UInt64(group)),
        targets: draws(rows, seed: UInt64(group + 9)))
      return set
    }
  }

  @Test func eachIsAsIfAlone() throws {
    let net = try Network.sequential(inputWidth: 3, layers: Self.layers)
    var options = TrainerOptions()
    options.epochs = 3
    options.batchSize = .rows(16)
    options.validationSplit = 0.2
    options.seed = 4
    let groups = try Self.groups(60)
    var alone: [[UInt8]] = []
    for set in groups {
      let trainer = try Trainer(
        network: net, weights: Weights(network: net, seed: 4), training: set, options: options)
      while try trainer.nextEpoch() != nil {}
      alone.append(try trainer.weights.bytes)
    }
    for threads in [1, 2, 4] {
      options.threads = threads
      let together = try GroupTrainer(network: net, options: options).train(groups)
      #expect(try together.map { try $0.get().weights.bytes } == alone)
      #expect(try together.allSatisfy { try $0.get().reports.count == 3 })
    }
  }

  @Test func aGroupThatFailsLeavesTheOthers() throws {
    let net = try Network.sequential(inputWidth: 3, layers: Self.layers)
    var groups = try Self.groups(5)
    groups[2] = try TrainingSet(width: 3, target: .values(width: 1))
    let bad = try TrainingSet(width: 3, target: .values(width: 1))
    try bad.append(features: [.nan, 1, 2, 3, 4, 5], targets: [1, 2])
    groups[3] = bad
    let results = try GroupTrainer(network: net, options: TrainerOptions()).train(groups)
    for (group, result) in results.enumerated() {
      switch result {
      case .success: #expect(group != 2 && group != 3)
      case .failure(let error):
        #expect(group == 2 ? error.message.contains("no rows") : error.message.contains("finite"))
      }
    }
  }

  @Test func cancelling() throws {
    let net = try Network.sequential(inputWidth: 3, layers: Self.layers)
    #expect(throws: SQLError.self) {
      try GroupTrainer(network: net, options: TrainerOptions(), isCancelled: { true })
        .train(Self.groups(5))
    }
    #expect(
      try GroupTrainer(network: net, options: TrainerOptions()).train([TrainingSet]()).isEmpty)
  }
}
