import Columnar
import Diagnostics
import Planner
import Synchronization
import Syntax

/// VERIFY MODEL as a source of one row: trains a version again as its receipt says, apart from the
/// catalog, and compares the weights bit for bit.
final class VerifyProvider: TrainingRowProvider, Sendable {
  let model: Model
  private let training: TrainProvider
  private let result: VerifiedModel

  /// `make` gives the training for a statement, which leaves its model at the target.
  init(_ model: Model, make: (any ModelTarget) throws -> TrainProvider) throws {
    self.model = model
    result = VerifiedModel()
    training = try make(result)
  }

  var title: String { "Verify" }
  var details: [String] { ["model: \(model.name) \(model.versionLabel)"] }
  var schema: [Field] {
    [
      Field("model", .varchar), Field("version", .integer), Field("verified", .boolean),
      Field("reason", .varchar),
    ]
  }

  func source(_ input: TrainInput, query: QueryContext) -> any CompletingSource {
    VerifySource(provider: self, training: training.source(input, query: query))
  }

  /// Why the version is not what a training now gives; nil: it is, bit for bit.
  fileprivate func difference() throws -> String? {
    guard let again = result.trained, let receipt = again.state.receipt,
      let known = model.state.receipt
    else { return "the training gave no version" }
    if receipt.rows != known.rows {
      return "the query gives \(receipt.rows) rows, it gave \(known.rows)"
    }
    if receipt.hash != known.hash { return "the query gives other rows than it gave" }
    if again.state.keys?.values != model.state.keys?.values { return "the keys differ" }
    if again.weights?.bytes != model.weights?.bytes { return "the weights differ" }
    for (network, (one, other)) in zip(
      again.groups?.weights ?? [], model.groups?.weights ?? []
    ).enumerated() where one.bytes != other.bytes {
      let key = model.groups?.keys.key(network) ?? []
      return "the weights differ for " + ModelKeys.text(key, model.keys)
    }
    return nil
  }
}

/// Takes what a training publishes, and shows it to nobody.
private final class VerifiedModel: ModelTarget {
  private let entry = Mutex<ModelEntry?>(nil)

  var trained: Model? { entry.withLock { $0?.versions.last } }

  func model(_ key: CatalogState.Key) -> ModelEntry? { nil }

  func publish(_ model: ModelEntry, at key: CatalogState.Key) { entry.withLock { $0 = model } }

  func keep(_ model: ModelEntry, at key: CatalogState.Key) {}
}

private final class VerifySource: CompletingSource {
  private let provider: VerifyProvider
  private let training: any CompletingSource
  private var isDone = false

  init(provider: VerifyProvider, training: any CompletingSource) {
    self.provider = provider
    self.training = training
  }

  func complete() throws {}

  func next() throws -> Batch? {
    if isDone { return nil }
    isDone = true
    try training.complete()
    let reason = try provider.difference()
    let values: [Value] = [
      .varchar(provider.model.name), .integer(Int128(provider.model.version)),
      .boolean(reason == nil), reason.map { .varchar($0) } ?? .null,
    ]
    let columns = try zip(values, provider.schema).map { value, field in
      var builder = ColumnBuilder(field.type, capacity: 1)
      try builder.append(value)
      return builder.finish()
    }
    return Batch(columns: columns, rowCount: 1)
  }
}
