import Diagnostics
import Testing

@testable import Storage

@Suite("Models in the file") struct ModelRowsTests {
  @Test("versions are found with their weights and epochs; a model goes with all it has")
  func versions() throws {
    let folder = try TemporaryFolder()
    let file = try DatabaseFile(path: folder.file("my.db"))
    var transaction = try file.beginWriting()
    let model = try transaction.insertModel(
      ModelRecord(schema: "main", name: "m", sql: "CREATE MODEL m (…);"))
    for (version, weights) in [(1, [1]), (2, [2, 3])] as [(Int64, [UInt8])] {
      try transaction.insertVersion(
        version, of: model, weights: weights, description: "{}",
        runs: [
          [
            EpochRecord(
              epoch: 1, loss: .nan, validationLoss: nil, metrics: "{}", learningRate: 0.1,
              rowCount: 9, seconds: 1, isBest: true, stopReason: "epochs")
          ]
        ])
    }
    _ = try transaction.commit()
    var reader = try file.snapshot().readers[0]
    #expect(try reader.models().map(\.name) == ["m"])
    let versions = try reader.versions(of: model)
    #expect(versions.map(\.version) == [1, 2])
    #expect(versions.map(\.weights) == [[1], [2, 3]])
    let epochs = try reader.runs(ofVersion: versions[1].id).flatMap { $0 }
    #expect(epochs.map(\.stopReason) == ["epochs"])
    #expect(epochs[0].loss.isNaN && epochs[0].isBest)
    transaction = try file.beginWriting()
    try transaction.removeModel(model)
    _ = try transaction.commit()
    reader = try file.snapshot().readers[0]
    #expect(try reader.models().isEmpty)
    #expect(try reader.versions(of: model).isEmpty)
    #expect(try reader.runs(ofVersion: versions[1].id).isEmpty)
  }
}
