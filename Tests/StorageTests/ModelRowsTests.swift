import Diagnostics
import Testing

@testable import Storage

@Suite("Models in the file") struct ModelRowsTests {
  @Test("the newest weights are found; a model goes with all it has")
  func versions() throws {
    let folder = try TemporaryFolder()
    let file = try DatabaseFile(path: folder.file("my.db"))
    var transaction = try file.beginWriting()
    let model = try transaction.insertModel(
      ModelRecord(schema: "main", name: "m", sql: "CREATE MODEL m (…);"))
    #expect(try transaction.insertVersion(of: model, weights: [1]) == 1)
    #expect(try transaction.insertVersion(of: model, weights: [2, 3]) == 2)
    _ = try transaction.commit()
    var reader = try file.snapshot().readers[0]
    #expect(try reader.models().map(\.name) == ["m"])
    #expect(try reader.newestWeights(of: model) == [2, 3])
    transaction = try file.beginWriting()
    try transaction.removeModel(model)
    _ = try transaction.commit()
    reader = try file.snapshot().readers[0]
    #expect(try reader.models().isEmpty)
    #expect(try reader.newestWeights(of: model) == nil)
  }
}
