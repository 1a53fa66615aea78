/// A model as the file has it.
package struct ModelRecord: Sendable, Equatable {
  /// Never given to another model; 0 until it is inserted.
  package var id: Int64
  package var schema: String
  package var name: String
  /// CREATE MODEL …
  package var sql: String
  /// The highest number that a version ever had.
  package var lastVersion: Int64
  /// nil: the newest.
  package var defaultVersion: Int64?
  /// A JSON object of version numbers, as texts, by their other names.
  package var aliases: String?
  package var comment: String?

  package init(
    id: Int64 = 0, schema: String, name: String, sql: String, lastVersion: Int64 = 0,
    defaultVersion: Int64? = nil, aliases: String? = nil, comment: String? = nil
  ) {
    self.lastVersion = lastVersion
    self.defaultVersion = defaultVersion
    self.aliases = aliases
    self.id = id
    self.schema = schema
    self.name = name
    self.sql = sql
    self.comment = comment
  }
}

/// A version of a model as the file has it.
package struct VersionRecord: Sendable {
  /// Never given to another version of any model.
  package var id: Int64
  package var version: Int64
  /// What else a reader of the weights must know.
  package var description: String
  package var weights: [UInt8]
}

/// One epoch of the run that made a version.
package struct EpochRecord: Sendable {
  package var epoch: Int64
  package var loss: Double
  package var validationLoss: Double?
  /// A JSON object.
  package var metrics: String
  package var learningRate: Double
  package var rowCount: Int64
  package var seconds: Double
  package var isBest: Bool
  /// Of the last epoch.
  package var stopReason: String?

  package init(
    epoch: Int64, loss: Double, validationLoss: Double?, metrics: String, learningRate: Double,
    rowCount: Int64, seconds: Double, isBest: Bool, stopReason: String?
  ) {
    self.epoch = epoch
    self.loss = loss
    self.validationLoss = validationLoss
    self.metrics = metrics
    self.learningRate = learningRate
    self.rowCount = rowCount
    self.seconds = seconds
    self.isBest = isBest
    self.stopReason = stopReason
  }
}

extension FileTransaction {
  /// Adds a model without weights; gives its number.
  package func insertModel(_ model: ModelRecord) throws -> Int64 {
    try session.run(
      """
      INSERT INTO models (schema_name, name, sql, last_version, default_version, aliases, comment)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      """, .text(model.schema), .text(model.name), .text(model.sql), .integer(model.lastVersion),
      StoredValue(model.defaultVersion), StoredValue(model.aliases), StoredValue(model.comment))
    return session.connection.lastInsertedRow
  }

  /// Writes a model's record anew.
  package func updateModel(_ model: ModelRecord) throws {
    try session.run(
      """
      UPDATE models SET schema_name = ?, name = ?, sql = ?, last_version = ?, default_version = ?,
        aliases = ?, comment = ?
      WHERE id = ?
      """, .text(model.schema), .text(model.name), .text(model.sql), .integer(model.lastVersion),
      StoredValue(model.defaultVersion), StoredValue(model.aliases), StoredValue(model.comment),
      .integer(model.id))
  }

  /// Adds a version under its number, with the runs that made it: one, or one for each of its networks,
  /// in their order.
  package func insertVersion(
    _ version: Int64, of model: Int64, weights: [UInt8], description: String,
    statement: String = "", runs: [[EpochRecord]]
  ) throws {
    try session.run(
      """
      INSERT INTO model_versions (model_id, version, created_at, description)
      VALUES (?, ?, datetime('now'), ?)
      """, .integer(model), .integer(version), .text(description))
    let id = session.connection.lastInsertedRow
    try session.run("INSERT INTO weights VALUES (?, ?)", .integer(id), .blob(weights))
    for (number, epochs) in runs.enumerated() {
      try insertRun(epochs, of: model, version: id, statement: number == 0 ? statement : "")
    }
  }

  private func insertRun(
    _ epochs: [EpochRecord], of model: Int64, version id: Int64, statement: String
  ) throws {
    try session.run(
      """
      INSERT INTO training_runs (model_id, model_version_id, started_at, statement, stop_reason)
      VALUES (?, ?, datetime('now'), ?, ?)
      """, .integer(model), .integer(id), .text(statement), StoredValue(epochs.last?.stopReason))
    let run = session.connection.lastInsertedRow
    for epoch in epochs {
      try session.run(
        "INSERT INTO epochs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", .integer(run),
        .integer(epoch.epoch), StoredValue(epoch.loss), StoredValue(epoch.validationLoss),
        .text(epoch.metrics), StoredValue(epoch.learningRate), .integer(epoch.rowCount),
        StoredValue(epoch.seconds), .integer(epoch.isBest ? 1 : 0))
    }
  }

  /// Removes a version with its weights and the history of its training.
  package func removeVersion(_ version: Int64, of model: Int64) throws {
    let ids = try session.rows(
      "SELECT id FROM model_versions WHERE model_id = ? AND version = ?", .integer(model),
      .integer(version)
    ) { $0.integer(0) }
    for id in ids {
      try session.run("DELETE FROM weights WHERE model_version_id = ?", .integer(id))
      try session.run(
        "DELETE FROM epochs WHERE run_id IN (SELECT id FROM training_runs WHERE model_version_id = ?)",
        .integer(id))
      try session.run("DELETE FROM training_runs WHERE model_version_id = ?", .integer(id))
      try session.run("DELETE FROM model_versions WHERE id = ?", .integer(id))
    }
  }

  /// Removes a model with its versions and the history of its training.
  package func removeModel(_ id: Int64) throws {
    try session.run(
      "DELETE FROM weights WHERE model_version_id IN (SELECT id FROM model_versions WHERE model_id = ?)",
      .integer(id))
    try session.run("DELETE FROM model_versions WHERE model_id = ?", .integer(id))
    try session.run(
      "DELETE FROM epochs WHERE run_id IN (SELECT id FROM training_runs WHERE model_id = ?)",
      .integer(id))
    try session.run("DELETE FROM training_runs WHERE model_id = ?", .integer(id))
    try removeCheckpoint(of: id)
    try session.run("DELETE FROM models WHERE id = ?", .integer(id))
  }
}

extension FileReader {
  /// All models, in the order in which they were made.
  package func models() throws -> [ModelRecord] {
    try session.rows(
      """
      SELECT id, schema_name, name, sql, last_version, default_version, aliases, comment
      FROM models ORDER BY id
      """
    ) {
      ModelRecord(
        id: $0.integer(0), schema: $0.text(1), name: $0.text(2), sql: $0.text(3),
        lastVersion: $0.integer(4), defaultVersion: $0.optionalInteger(5),
        aliases: $0.optionalText(6), comment: $0.optionalText(7))
    }
  }

  /// The versions of a model, by number, each with its weights.
  package func versions(of model: Int64) throws -> [VersionRecord] {
    try session.rows(
      """
      SELECT model_versions.id, version, description, safetensors
      FROM model_versions JOIN weights ON model_version_id = model_versions.id
      WHERE model_id = ? ORDER BY version
      """, .integer(model)
    ) {
      VersionRecord(
        id: $0.integer(0), version: $0.integer(1), description: $0.text(2),
        weights: $0.withBytes(3) { Array($0) })
    }
  }

  /// The epochs of each run that made a version.
  package func runs(ofVersion id: Int64) throws -> [[EpochRecord]] {
    var runs: [[EpochRecord]] = []
    var last: Int64?
    let epochs = try session.rows(
      """
      SELECT epoch, loss, validation_loss, metrics, learning_rate, row_count, seconds, is_best,
        CASE WHEN epoch = max(epoch) OVER (PARTITION BY run_id) THEN stop_reason END,
        training_runs.id
      FROM training_runs LEFT JOIN epochs ON run_id = training_runs.id
      WHERE model_version_id = ? ORDER BY training_runs.id, epoch
      """, .integer(id)
    ) { row in (row.integer(9), row.isNull(0) ? nil : Self.epoch(row)) }
    for (run, epoch) in epochs {
      if run != last { runs.append([]) }
      last = run
      if let epoch { runs[runs.count - 1].append(epoch) }
    }
    return runs
  }

  private static func epoch(_ row: borrowing SQLiteStatement) -> EpochRecord {
    EpochRecord(
      epoch: row.integer(0), loss: row.isNull(1) ? .nan : row.real(1),
      validationLoss: row.isNull(2) ? nil : row.real(2), metrics: row.text(3),
      learningRate: row.real(4), rowCount: row.integer(5), seconds: row.real(6),
      isBest: row.integer(7) != 0, stopReason: row.optionalText(8))
  }
}
