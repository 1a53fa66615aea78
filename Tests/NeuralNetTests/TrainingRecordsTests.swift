import Diagnostics
import Testing

@testable import NeuralNet

/// Rows that were put away train to the bits of rows in memory.
@Suite struct TrainingRecordsTests {
  /// A store in memory.
  final class ArrayStore: RecordStore {
    private var buckets = [[UInt8]](repeating: [], count: ShuffleRuns.bucketCount)

    func append(_ bytes: UnsafeRawBufferPointer, bucket: Int) throws {
      buckets[bucket] += bytes
    }

    func read(bucket: Int, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
      bytes.copyBytes(from: buckets[bucket][offset..<offset + bytes.count])
    }
  }

  struct Data {
    let rows = 4001
    let x: [Float]
    let price: [Float]
    let group: [UInt32]
    let flag: [UInt32]
    let weight: [Float]

    init() {
      let count = rows
      x = draws(count * 3, seed: 41)
      price = draws(count, seed: 42)
      group = (0..<count).map { UInt32($0 * 7 % 3) }
      flag = (0..<count).map { UInt32($0 % 5 == 0 ? 0 : 1) }
      weight = (0..<count).map { Float($0 % 4) }
    }
  }

  static let ids: [Int32] = [2, 0, 1]
  static let flags: [Int32] = [1, 0]

  static func network() throws -> Network {
    let h = GraphTests.ref("h")
    return try Network.graph(
      inputs: [GraphInput("x", Shape([3]))],
      GraphDescription([
        GraphNode(
          "h",
          GraphTests.layer(
            "relu", [GraphTests.layer("linear", [GraphTests.ref("x")], [.integer(8)])])),
        GraphNode("price", GraphTests.layer("linear", [h], [.integer(1)])),
        GraphNode("group", GraphTests.layer("linear", [h], [.integer(3)])),
        GraphNode("flag", GraphTests.layer("linear", [h], [.integer(1)])),
      ]), outputs: ["price", "group", "flag"].map { GraphOutput($0) })
  }

  static func options(_ batch: BatchSize) throws -> TrainerOptions {
    var options = TrainerOptions()
    options.outputLosses = ["price": "mse", "group": "cross_entropy", "flag": "bce"]
    options.batchSize = batch
    options.epochs = 2
    options.seed = 6
    try options.set("class_weights", to: .text("balanced"))
    return options
  }

  private func inMemory(_ data: Data) throws -> TrainingSet {
    let set = try TrainingSet(
      TrainingLayout(
        width: 3, targets: [.values(width: 1), .classes(count: 3), .values(width: 1)],
        isWeighted: true))
    let columns = (0..<3).flatMap { j in (0..<data.rows).map { data.x[$0 * 3 + j] } }
    let classes = data.group.map { Self.ids[Int($0)] }
    let flags = data.flag.map { Float(Self.flags[Int($0)]) }
    try columns.withUnsafeBufferPointer { x in
      try data.price.withUnsafeBufferPointer { price in
        try flags.withUnsafeBufferPointer { flags in
          try classes.withUnsafeBufferPointer { classes in
            guard let x = x.baseAddress, let price = price.baseAddress,
              let flags = flags.baseAddress, let classes = classes.baseAddress
            else { return }
            try set.append(
              rows: data.rows, columns: (0..<3).map { x + $0 * data.rows },
              targets: [price, flags], classes: [classes], weights: data.weight)
          }
        }
      }
    }
    return set
  }

  private func spilled(_ data: Data) throws -> TrainingRecords {
    let rows = try TrainingRecords(
      TrainingRecords.Form(width: 3, valueWidth: 1, groupWidth: 2, isWeighted: true), seed: 6,
      store: ArrayStore())
    let columns = (0..<3).flatMap { j in (0..<data.rows).map { data.x[$0 * 3 + j] } }
    try columns.withUnsafeBufferPointer { x in
      try data.price.withUnsafeBufferPointer { price in
        try data.weight.withUnsafeBufferPointer { weight in
          guard let x = x.baseAddress, let price = price.baseAddress,
            let weight = weight.baseAddress
          else { return }
          var first = 0
          while first < data.rows {
            let count = min(700, data.rows - first)
            try rows.append(
              rows: count, columns: (0..<3).map { x + $0 * data.rows + first },
              values: [price + first],
              groups: [
                Array(data.group[first..<first + count]), Array(data.flag[first..<first + count]),
              ], weights: weight + first)
            first += count
          }
        }
      }
    }
    return rows
  }

  static let targets: [SpilledTarget] = [
    .values(width: 1), .classes(count: 3, ids: ids), .binary(ids: flags),
  ]

  /// With several runs, and with all rows in one.
  @Test(
    arguments: [BatchSize.rows(50), .rows(1500), .full], [8_000, 30_000, ShuffleRuns.runBytes])
  func sameBitsAsInMemory(_ batch: BatchSize, runBytes: Int) throws {
    let data = Data()
    let net = try Self.network()
    let options = try Self.options(batch)
    let set = try inMemory(data)
    let rows = try spilled(data)
    let memory = try Trainer(
      network: net, weights: Weights(network: net), source: MemorySource(set, runBytes: runBytes),
      options: options)
    let source = try rows.source(Self.targets, runBytes: runBytes)
    #expect((source is SpilledSource) == (runBytes < 100_000))
    let disk = try Trainer(
      network: net, weights: Weights(network: net), source: source, options: options)
    while let a = try memory.nextEpoch(), let b = try disk.nextEpoch() {
      #expect(a.loss == b.loss && a.metrics == b.metrics)
    }
    #expect(try memory.weights.bytes == disk.weights.bytes)
  }

  @Test func anEpochGivesEachRowOnceAndEpochsDiffer() throws {
    let data = Data()
    let source = try spilled(data).source(Self.targets, runBytes: 8_000)
    var orders: [[Float]] = []
    for epoch in 1...2 {
      try source.begin(.shuffled(seed: 6, epoch: epoch))
      var seen: [Float] = []
      var left = source.rows
      while left > 0 {
        let count = min(97, left)
        let piece = try source.next(rows: count)
        for i in piece.first..<piece.first + piece.count {
          seen.append(piece.set.features.pointer[(piece.order.map { Int($0[i]) } ?? i) * 3])
        }
        left -= count
      }
      orders.append(seen)
    }
    let all = (0..<data.rows).map { data.x[$0 * 3] }
    #expect(orders[0] != orders[1] && orders[0] != all)
    #expect(orders[0].sorted() == all.sorted() && orders[1].sorted() == all.sorted())
  }

  @Test func splitsAsInMemory() throws {
    let data = Data()
    let memory = try inMemory(data).split(fraction: 0.3, seed: 8)
    let disk = try spilled(data).split(fraction: 0.3, seed: 8) { ArrayStore() }
    #expect(disk.training.rows == memory.training.rows)
    for (rows, set) in [(disk.training, memory.training), (disk.validation, memory.validation)] {
      let source = try rows.source(Self.targets, runBytes: 8_000)
      try source.begin(.natural)
      let piece = try source.next(rows: source.rows)
      #expect(piece.set.rows == set.rows)
      for i in 0..<set.rows * 3 {
        #expect(piece.set.features.pointer[i] == set.features.pointer[i])
      }
      #expect(piece.set.classes == set.classes)
      for i in 0..<set.rows * 2 { #expect(piece.set.targets.pointer[i] == set.targets.pointer[i]) }
      #expect(try source.classCounts(target: 1) == set.classCounts(target: 1))
      #expect(try source.classCounts(target: 2) == set.classCounts(target: 2))
    }
  }
}
