import Columnar
import Diagnostics
import NeuralNet

/// The networks of a FOR EACH that are done, by key: what stands in a checkpoint in the trainer's place.
struct GroupCheckpoint {
  private(set) var results: [[Value]: Result<GroupTrainer.Trained, SQLError>] = [:]

  init() {}

  mutating func add(_ key: [Value], _ result: Result<GroupTrainer.Trained, SQLError>) {
    results[key] = result
  }

  /// The length of a JSON object, the object, the weights of the networks one after the other.
  func bytes(_ fields: [Field]) throws -> [UInt8] {
    var keys: [ModelJSON] = []
    var runs: [ModelJSON] = []
    var weights: [UInt8] = []
    for (key, result) in results {
      keys.append(
        .array(
          try zip(key, fields).map { value, field in
            .array(try ModelState.texts(of: [value], field.type).map { .text($0) })
          }))
      switch result {
      case .success(let one):
        runs.append(.array(one.reports.map(TrainingCheckpoint.json)))
        weights += one.weights.bytes
      case .failure(let error): runs.append(.text(error.message))
      }
    }
    let text = Array(
      ModelJSON.object([("keys", .array(keys)), ("runs", .array(runs))]).written.utf8)
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text + weights
  }

  /// From what `bytes` gave. Errors: anything else.
  init(_ bytes: [UInt8], _ fields: [Field], _ network: Network) throws {
    guard bytes.count >= 8 else { throw TrainingCheckpoint.damaged() }
    let length = bytes[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(bytes.count - 8) else { throw TrainingCheckpoint.damaged() }
    var place = 8 + Int(length)
    guard let json = ModelJSON(parsing: String(decoding: bytes[8..<place], as: UTF8.self)),
      let keys = json["keys"]?.items, let runs = json["runs"]?.items, keys.count == runs.count
    else { throw TrainingCheckpoint.damaged() }
    let size = 4 * network.parameterCount
    for (key, run) in zip(keys, runs) {
      guard let lists = key.items, lists.count == fields.count else {
        throw TrainingCheckpoint.damaged()
      }
      let values = try zip(lists, fields).flatMap { list, field in
        try ModelState.values(of: list.texts ?? [], field.type)
      }
      guard values.count == fields.count else { throw TrainingCheckpoint.damaged() }
      if let message = run.text {
        results[values] = .failure(SQLError(.model, message))
        continue
      }
      guard let reports = run.items, bytes.count - place >= size else {
        throw TrainingCheckpoint.damaged()
      }
      let weights = try Weights(network: network, bytes: Array(bytes[place..<place + size]))
      place += size
      results[values] = .success(
        GroupTrainer.Trained(
          weights: weights, reports: try reports.map(TrainingCheckpoint.report)))
    }
  }
}
