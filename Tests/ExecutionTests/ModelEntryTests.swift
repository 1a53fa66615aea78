import Columnar
import NeuralNet
import Testing

@testable import Execution

/// A model is plain data: what is written of it makes the same model.
struct ModelEntryTests {
  private let sql =
    "CREATE MODEL m INPUT (a FLOAT, b FLOAT) OUTPUT (c VARCHAR) SEQUENTIAL (linear(3)) OPTIONS (seed = 4)"

  private func trained() throws -> ModelEntry {
    var entry = try ModelEntry(definition: .parsed(sql))
    let network = entry.definition.network
    for seed in 1...2 {
      try entry.add(
        weights: Weights(network: network, seed: UInt64(seed)),
        state: ModelState(classes: [[.varchar("x"), .varchar("it's \"y\"\n"), .varchar("")]]),
        epochs: [
          EpochReport(
            epoch: 1, loss: 0.1 + 0.2, validationLoss: nil, metrics: [], learningRate: 0.01,
            rows: 3, seconds: 0, best: true, stopReason: "epochs")
        ])
    }
    return entry
  }

  @Test func textMakesTheSameDefinition() throws {
    let definition = try ModelDefinition.parsed(sql)
    #expect(definition.sql == sql)
    #expect(try ModelDefinition.parsed(definition.sql).sql == sql)
  }

  @Test func recordsMakeTheSameVersions() throws {
    let entry = try trained()
    let copy = try ModelEntry(
      sql: entry.sql, versions: entry.records, lastVersion: entry.lastVersion)
    #expect(copy.versions.map(\.version) == [1, 2])
    #expect(copy.current.version == 2)
    for (mine, other) in zip(copy.versions, entry.versions) {
      #expect(mine.weights?.bytes == other.weights?.bytes)
      #expect(mine.state.classes == other.state.classes)
      #expect(mine.epochs.map(\.loss) == other.epochs.map(\.loss))
    }
  }

  @Test func damagedStateIsAnError() throws {
    var record = try #require(try trained().records.first)
    for text in ["", "{", "[]x", "{\"classes\":{\"c\":[1]}}"] {
      record.state = text
      #expect(throws: (any Error).self) {
        try ModelEntry(sql: sql, versions: [record], lastVersion: 1)
      }
    }
    record.state = "{}"
    record.weights = Array(record.weights.dropLast())
    #expect(throws: (any Error).self) {
      try ModelEntry(sql: sql, versions: [record], lastVersion: 1)
    }
  }
}
