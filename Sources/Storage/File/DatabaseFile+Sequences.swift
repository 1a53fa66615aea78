import Diagnostics

extension DatabaseFile {
  /// Changes where a sequence stands, at once and for all processes: numbers that were drawn stay
  /// drawn, whatever becomes of the transaction that drew them. It is no commit, and not synced: the
  /// next commit, which alone can use the numbers, syncs it too.
  package func changeSequence<Result>(
    schema: String, name: String, _ body: (inout SequenceStateRecord) throws -> Result
  ) throws -> Result {
    if isReadOnly { throw FileTransaction.readOnly(path) }
    let session = try take()
    defer { give(session) }
    try session.connection.execute("PRAGMA synchronous = NORMAL")
    defer { try? session.connection.execute("PRAGMA synchronous = FULL") }
    return try session.inTransaction {
      let found = try session.rows(
        """
        SELECT next_value, last_value, is_exhausted FROM sequence_states
        WHERE schema_name = ? AND name = ?
        """, .text(schema), .text(name)
      ) {
        SequenceStateRecord(
          schema: schema, name: name, next: $0.integer(0), last: $0.optionalInteger(1),
          isExhausted: $0.integer(2) != 0)
      }
      guard var record = found.first else {
        throw SQLError(.catalog, "sequence \"\(name)\" was dropped meanwhile")
      }
      let result = try body(&record)
      try session.run(
        """
        UPDATE sequence_states SET next_value = ?, last_value = ?, is_exhausted = ?
        WHERE schema_name = ? AND name = ?
        """, .integer(record.next), StoredValue(record.last),
        .integer(record.isExhausted ? 1 : 0), .text(schema), .text(name))
      return result
    }
  }
}
