import Apus
import Foundation
import Testing

/// Trainings that do not come to their end, and go on.
@Suite struct TrainingTests {
  private static let setup = """
    CREATE TABLE points AS SELECT split_hash(i, 1)::FLOAT AS x, split_hash(i, 2)::FLOAT AS z,
      (sin(7 * x) * z)::FLOAT AS y FROM range(4000) r(i);
    CREATE MODEL m INPUT (x FLOAT, z FLOAT) OUTPUT (y FLOAT)
      SEQUENTIAL (linear(8), tanh(), dropout(0.1), linear(1)) OPTIONS (epochs = 200000, checkpoint_every = 1, seed = 3)
    """

  private func value(_ connection: Connection, _ sql: String) throws -> String? {
    try connection.execute(sql).rows().first?.first ?? nil
  }

  /// Runs a statement, and interrupts it once its progress shows this.
  private func interrupt(
    _ connection: Connection, _ sql: String, when shows: @escaping @Sendable (String) -> Bool
  ) -> DatabaseError? {
    let watcher = Thread {
      while true {
        if let text = connection.progress.text, shows(text) { break }
        usleep(500)
      }
      connection.interrupt()
    }
    watcher.start()
    return #expect(throws: DatabaseError.self) { _ = try connection.execute(sql).rows() }
  }

  @Test(arguments: [false, true])
  func anInterruptedTrainingKeepsItsBestEpoch(inTransaction: Bool) throws {
    let connection = try Database().connect()
    try connection.execute(Self.setup)
    if inTransaction { try connection.execute("BEGIN") }
    let error = interrupt(connection, "TRAIN MODEL m FROM points") { text in
      text.hasPrefix("epoch ") && !text.hasPrefix("epoch 1/") && !text.hasPrefix("epoch 2/")
    }
    #expect(error?.message.contains("version 1 has the weights of epoch") == true)
    if inTransaction { try connection.execute("COMMIT") }
    #expect(try value(connection, "SELECT count(PREDICT(MODEL m)) FROM points") == "4000")
    #expect(
      try value(connection, "SELECT max(stop_reason) FROM training_info(MODEL m)") == "interrupted")
    // It can be done again: the same epochs, and the best of them.
    #expect(try value(connection, "SELECT verified FROM (VERIFY MODEL m)") == "true")
  }

  @Test func withoutAnEpochNothingChanges() throws {
    let connection = try Database().connect()
    try connection.execute(Self.setup)
    let query =
      "(SELECT x, z, y FROM points UNION ALL SELECT i, i, i FROM range(1000000000) r(i))"
    let error = interrupt(connection, "TRAIN MODEL m FROM \(query)") { $0 == "reading" }
    #expect(error != nil)
    #expect(try value(connection, "SELECT count(*) FROM (SHOW VERSIONS IN MODEL m)") == "0")
    let many = interrupt(
      connection, "TRAIN MODEL m FROM (SELECT *, x < 0.5 AS k FROM points) FOR EACH (k)"
    ) {
      _ in true
    }
    #expect(many != nil)
    #expect(try value(connection, "SELECT count(*) FROM (SHOW VERSIONS IN MODEL m)") == "0")
  }

  /// In a file another process goes on, in memory the same one.
  @Test(arguments: [false, true])
  func resumedIsNotInterrupted(inFile: Bool) throws {
    let folder = try Project.makeScratchFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "test.db").path
    let database = inFile ? try Database(path: path) : try Database()
    let connection = database.connect()
    try connection.execute(
      Self.setup.replacing("200000", with: "40") + "; CREATE MODEL whole FROM MODEL m")
    let clauses = "FROM points WEIGHT 1 + x VALIDATION SPLIT 0.2"
    try connection.execute("TRAIN MODEL whole \(clauses)")
    _ = interrupt(connection, "TRAIN MODEL m \(clauses)") { !$0.hasPrefix("reading") }
    let other = inFile ? try Database(path: path).connect() : connection
    let refused = #expect(throws: DatabaseError.self) {
      try other.execute("TRAIN MODEL m RESUME \(clauses) OPTIONS (epochs = 41)")
    }
    #expect(refused?.message.contains("is of another training") == true)
    let epochs = try other.execute(
      "WITH h AS (TRAIN MODEL m RESUME \(clauses)) SELECT min(epoch), max(epoch) FROM h"
    ).rows()
    #expect(epochs.first?.first.flatMap { $0 }.flatMap { Int($0) } ?? 0 > 1)
    #expect(epochs.first?.last == "40")
    #expect(
      try value(
        other,
        """
        SELECT count(*) FROM weights(MODEL m) a JOIN weights(MODEL whole) b
        ON a.name = b.name AND a."values" = b."values"
        """) == "4")
    #expect(
      try value(
        other,
        """
        SELECT count(*) FROM training_info(MODEL m) a JOIN training_info(MODEL whole) b
        USING (epoch) WHERE a.loss = b.loss AND a.val_loss = b.val_loss AND a.best = b.best
        """) == "40")
    #expect(try value(other, "SELECT verified FROM (VERIFY MODEL m)") == "true")
    // Rows that are not those of the checkpoint.
    _ = interrupt(other, "TRAIN MODEL m \(clauses)") { !$0.hasPrefix("reading") }
    try other.execute("INSERT INTO points VALUES (1, 2, 3)")
    let changed = #expect(throws: DatabaseError.self) {
      try other.execute("TRAIN MODEL m RESUME \(clauses)")
    }
    #expect(changed?.message.contains("other rows") == true)
  }

  /// FOR EACH trains again what the checkpoint does not have, and nothing else.
  @Test func resumedForEach() throws {
    let connection = try Database().connect()
    try connection.execute(
      Self.setup.replacing("200000", with: "2") + "; CREATE MODEL whole FROM MODEL m")
    let clauses =
      "FROM (SELECT i AS k, 'g' || i % 3 AS g, p.* FROM points p, range(120) r(i) WHERE x < 0.2) VALIDATION SPLIT 0.1 FOR EACH (k, g)"
    try connection.execute("TRAIN MODEL whole \(clauses) OPTIONS (memory_limit = '1MB')")
    _ = interrupt(connection, "TRAIN MODEL m \(clauses) OPTIONS (memory_limit = '1MB')") {
      $0.contains(" of ") && !$0.hasPrefix("0 of")
    }
    #expect(try value(connection, "SELECT count(*) FROM (SHOW VERSIONS IN MODEL m)") == "0")
    try connection.execute("TRAIN MODEL m RESUME \(clauses) OPTIONS (memory_limit = '1MB')")
    #expect(
      try value(
        connection,
        """
        SELECT count(*) FROM weights(MODEL m) a JOIN weights(MODEL whole) b
        ON a.name = b.name AND a.k = b.k AND a.g = b.g AND a."values" = b."values"
        """) == "\(4 * 120)")
    #expect(
      try value(
        connection,
        """
        SELECT count(*) FROM training_info(MODEL m) a JOIN training_info(MODEL whole) b
        USING (k, g, epoch) WHERE a.loss = b.loss AND a.stop_reason IS NOT DISTINCT FROM b.stop_reason
        """) == "240")
    #expect(try value(connection, "SELECT verified FROM (VERIFY MODEL m)") == "true")
  }
}
