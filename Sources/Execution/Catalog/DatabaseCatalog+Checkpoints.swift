import Diagnostics
import Storage

/// Where TRAIN leaves what RESUME goes on from.
protocol CheckpointStore: Sendable {
  /// In place of the one before.
  func save(_ checkpoint: [UInt8], of key: CatalogState.Key) throws
  func checkpoint(of key: CatalogState.Key) throws -> [UInt8]?
  /// What a database file has goes with the commit of the new version.
  func forgetCheckpoint(of key: CatalogState.Key)
}

extension DatabaseCatalog: CheckpointStore {
  /// In the file of the model, at once, whatever becomes of the statement; a model of no file has it
  /// in memory, and one that nobody has committed yet has none.
  func save(_ checkpoint: [UInt8], of key: CatalogState.Key) throws {
    guard let file = catalogFiles.first(where: { $0.holds(key) }) else {
      checkpoints.withLock { $0[key] = checkpoint }
      return
    }
    let transaction = try file.file.beginWriting()
    guard let model = try Self.model(key, file, transaction.reader) else { return }
    try transaction.writeCheckpoint(checkpoint, of: model)
    try transaction.commitAside()
  }

  func checkpoint(of key: CatalogState.Key) throws -> [UInt8]? {
    guard let file = catalogFiles.first(where: { $0.holds(key) }) else {
      return checkpoints.withLock { $0[key] }
    }
    return try file.file.snapshot().withReader { reader in
      try Self.model(key, file, reader).flatMap { try reader.checkpoint(of: $0) }
    }
  }

  func forgetCheckpoint(of key: CatalogState.Key) { checkpoints.withLock { $0[key] = nil } }

  private static func model(
    _ key: CatalogState.Key, _ file: CatalogFile, _ reader: FileReader
  ) throws -> Int64? {
    let schema = file.local(key.schema)
    return try reader.models().first {
      $0.schema == schema && $0.name.lowercased() == key.name
    }?.id
  }
}
