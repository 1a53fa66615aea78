/// A model as the file has it.
package struct ModelRecord: Sendable, Equatable {
  /// Never given to another model; 0 until it is inserted.
  package var id: Int64
  package var schema: String
  package var name: String
  /// CREATE MODEL …
  package var sql: String
  package var comment: String?

  package init(
    id: Int64 = 0, schema: String, name: String, sql: String, comment: String? = nil
  ) {
    self.id = id
    self.schema = schema
    self.name = name
    self.sql = sql
    self.comment = comment
  }
}

extension FileTransaction {
  /// Adds a model without weights; gives its number.
  package func insertModel(_ model: ModelRecord) throws -> Int64 {
    try session.run(
      "INSERT INTO models (schema_name, name, sql, comment) VALUES (?, ?, ?, ?)",
      .text(model.schema), .text(model.name), .text(model.sql), StoredValue(model.comment))
    return session.connection.lastInsertedRow
  }

  /// Adds the next version of a model: its weights as a safetensors file. `description` is what else
  /// a reader of the weights must know. Gives the version's number in the file.
  package func insertVersion(
    of model: Int64, weights: [UInt8], description: String? = nil
  ) throws -> Int64 {
    try session.run(
      """
      INSERT INTO model_versions (model_id, version, created_at, description)
      SELECT ?1, coalesce(max(version), 0) + 1, datetime('now'), ?2 FROM model_versions
      WHERE model_id = ?1
      """, .integer(model), StoredValue(description))
    let id = session.connection.lastInsertedRow
    try session.run("INSERT INTO weights VALUES (?, ?)", .integer(id), .blob(weights))
    return id
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
    try session.run("DELETE FROM models WHERE id = ?", .integer(id))
  }
}

extension FileReader {
  /// All models, in the order in which they were made.
  package func models() throws -> [ModelRecord] {
    try session.rows("SELECT id, schema_name, name, sql, comment FROM models ORDER BY id") {
      ModelRecord(
        id: $0.integer(0), schema: $0.text(1), name: $0.text(2), sql: $0.text(3),
        comment: $0.optionalText(4))
    }
  }

  /// The weights of the newest version of a model; nil before it was trained.
  package func newestWeights(of model: Int64) throws -> [UInt8]? {
    try session.rows(
      """
      SELECT safetensors FROM weights JOIN model_versions ON id = model_version_id
      WHERE model_id = ? ORDER BY version DESC LIMIT 1
      """, .integer(model)
    ) { $0.withBytes(0) { Array($0) } }.first
  }
}
