/// What trainings leave on their way, one for each model: RESUME goes on from it after a crash.
extension FileTransaction {
  /// Leaves a checkpoint in place of the one before.
  package func writeCheckpoint(_ bytes: [UInt8], of model: Int64) throws {
    try session.run(
      "INSERT OR REPLACE INTO checkpoints VALUES (?, datetime('now'), ?)", .integer(model),
      .blob(bytes))
  }

  package func removeCheckpoint(of model: Int64) throws {
    try session.run("DELETE FROM checkpoints WHERE model_id = ?", .integer(model))
  }

  /// Commits what no statement sees: the number of the commit stays, so that nobody reads the catalog
  /// anew.
  package consuming func commitAside() throws {
    try session.connection.execute("COMMIT", action: "commit to")
  }
}

extension FileReader {
  /// The last checkpoint of a model's training.
  package func checkpoint(of model: Int64) throws -> [UInt8]? {
    try session.rows("SELECT bytes FROM checkpoints WHERE model_id = ?", .integer(model)) {
      $0.withBytes(0) { Array($0) }
    }.first
  }
}
