import Diagnostics
import Foundation
import Testing

@testable import Storage

@Suite("Database file") struct DatabaseFileTests {
  let folder: TemporaryFolder
  var path: String { folder.file("my.db") }

  init() throws { folder = try TemporaryFolder() }

  static let columns = [
    ColumnRecord(id: 1, name: "a", type: "BIGINT", isRequired: true),
    ColumnRecord(id: 2, name: "b", type: "VARCHAR", defaultSQL: "'x'", comment: "words"),
  ]

  static func chunk(_ column: Int64, _ bytes: [UInt8]) -> NewChunk {
    NewChunk(
      ChunkRecord(
        column: column, rowCount: Int64(bytes.count), minimum: .integer(-1), maximum: .text("z"),
        encoding: "raw"), bytes: bytes)
  }

  /// A table `t` in a commit of its own; gives its number.
  func makeTable(_ file: DatabaseFile) throws -> Int64 {
    let transaction = try file.beginWriting()
    let id = try transaction.insertTable(
      TableRecord(schema: "main", name: "t", sql: "CREATE TABLE t (…);"), columns: Self.columns,
      constraints: [ConstraintRecord(kind: "check", sql: "CHECK (a > 0)")])
    _ = try transaction.commit()
    return id
  }

  @Test("what is written is read after reopening")
  func catalog() throws {
    let view = ObjectRecord(
      kind: .view, schema: "main", name: "v", sql: "CREATE VIEW v AS SELECT 1;", searchPath: "main",
      comment: "one")
    let state = SequenceStateRecord(
      schema: "main", name: "s", next: 5, last: 4, isExhausted: false)
    do {
      let file = try DatabaseFile(path: path)
      #expect(try makeTable(file) == 1)
      let transaction = try file.beginWriting()
      try transaction.setSchema("main")
      try transaction.setSetting("threads", "2")
      try transaction.setObject(view)
      try transaction.setSequenceState(state)
      #expect(try transaction.commit() == 2)
      file.close()
      #expect(throws: SQLError.self) { try file.snapshot().commit }
    }
    #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
    let file = try DatabaseFile(path: path, options: .init(isReadOnly: true))
    let snapshot = try file.snapshot()
    let reader = snapshot.readers[0]
    #expect(snapshot.commit == 2)
    #expect(try reader.schemas().map(\.name) == ["main"])
    #expect(try reader.settings().map(\.value) == ["2"])
    #expect(try reader.objects(.view) == [view])
    #expect(try reader.objects(.sequence).isEmpty)
    #expect(try reader.sequenceStates() == [state])
    #expect(try reader.tables().map(\.name) == ["t"])
    #expect(try reader.columns(of: 1) == Self.columns)
    #expect(try reader.constraints(of: 1).map(\.sql) == ["CHECK (a > 0)"])
    #expect(throws: SQLError.self) { _ = try file.beginWriting() }
  }

  @Test("chunks, deletes and the row delta come back; a snapshot never changes")
  func rows() throws {
    let file = try DatabaseFile(path: path)
    let table = try makeTable(file)
    let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    var transaction = try file.beginWriting()
    let (partition, ids) = try transaction.insertPartition(
      of: table, firstRow: 0, rowCount: 9,
      chunks: [Self.chunk(1, bytes), Self.chunk(2, [])])
    let deletes = DeleteRecord(deletedCount: 1, bitmap: [4, 0])
    try transaction.setDeletes(of: partition, deletes)
    let rows = [
      DeltaRow(number: 9, cells: [.integer(1), .text("x")]),
      DeltaRow(number: 10, cells: [.real(0.5), .null]),
    ]
    try transaction.setDeltaRows(of: table, columns: [1, 2], rows)
    _ = try transaction.commit()

    let old = try file.snapshot(readers: 3)
    #expect(old.readers.count == 3)
    transaction = try file.beginWriting()
    try transaction.setDeletes(of: partition, nil)
    #expect(try transaction.removeDeltaRows(of: table, [9, 77]) == 1)
    let newest = try transaction.replaceChunk(of: partition, with: Self.chunk(1, [7]))
    #expect(newest > ids[1])
    let commit = try transaction.commit()
    #expect(try file.snapshot().commit == commit)
    #expect(old.commit == commit - 1)

    for reader in old.readers {
      #expect(try reader.partitions(of: table).map(\.id) == [partition])
      let chunks = try reader.allChunks(of: table)[partition] ?? []
      #expect(chunks.map(\.id) == ids)
      #expect(chunks[0].minimum == .integer(-1) && chunks[0].maximum == .text("z"))
      #expect(try reader.bytes(of: chunks[0]) == bytes)
      #expect(try reader.bytes(of: chunks[1]).isEmpty)
      #expect(try reader.allDeletes(of: table) == [partition: deletes])
      #expect(try reader.deltaRows(of: table, columns: [1, 2]) == rows)
    }
    let new = try file.snapshot().readers[0]
    #expect(try new.allChunks(of: table)[partition]?.map(\.id) == [newest, ids[1]])
    #expect(try new.allDeletes(of: table).isEmpty)
    #expect(try new.deltaRows(of: table, columns: [2]) == [DeltaRow(number: 10, cells: [.null])])
  }

  @Test("a rolled-back transaction leaves nothing, and its chunk numbers are not given again")
  func rollback() throws {
    let file = try DatabaseFile(path: path)
    let table = try makeTable(file)
    func write(isKept: Bool) throws -> Int64 {
      let transaction = try file.beginWriting()
      let ids = try transaction.insertPartition(
        of: table, firstRow: 0, rowCount: 1, chunks: [Self.chunk(1, [1])]
      ).chunks
      if isKept { _ = try transaction.commit() }
      return ids[0]
    }
    let first = try write(isKept: false)
    #expect(try file.snapshot().readers[0].partitions(of: table).isEmpty)
    #expect(try write(isKept: true) > first)
    #expect(try file.snapshot().commit == 2)
  }

  @Test("columns come and go with their cells and chunks")
  func columns() throws {
    let file = try DatabaseFile(path: path)
    let table = try makeTable(file)
    var transaction = try file.beginWriting()
    let partition = try transaction.insertPartition(
      of: table, firstRow: 0, rowCount: 1, chunks: [Self.chunk(1, [1]), Self.chunk(2, [2])]
    ).partition
    try transaction.setDeltaRows(
      of: table, columns: [1, 2], [DeltaRow(number: 1, cells: [.integer(1), .integer(2)])])
    try transaction.replaceColumns(
      of: table, [Self.columns[1], ColumnRecord(id: 3, name: "c", type: "INTEGER")],
      constraints: [])
    _ = try transaction.commit()
    var reader = try file.snapshot().readers[0]
    #expect(try reader.allChunks(of: table)[partition]?.map(\.column) == [2])
    #expect(
      try reader.deltaRows(of: table, columns: [2, 3])
        == [DeltaRow(number: 1, cells: [.integer(2), .null])])
    transaction = try file.beginWriting()
    try transaction.removeTable(table)
    _ = try transaction.commit()
    reader = try file.snapshot().readers[0]
    #expect(try reader.tables().isEmpty)
    #expect(throws: SQLError.self) { try reader.deltaRows(of: table, columns: []) }
  }

  @Test("two writers: the second waits, then says who has the lock")
  func locked() throws {
    let file = try DatabaseFile(path: path, options: .init(busyTimeout: 50))
    let first = try file.beginWriting()
    let error = #expect(throws: SQLError.self) { _ = try file.beginWriting() }
    #expect(error?.message.contains("database is locked by another writer") == true)
    #expect(error?.message.contains(path) == true)
    // Readers do not wait.
    #expect(try file.snapshot().commit == 0)
    _ = try first.commit()
    _ = try file.beginWriting().commit()
    #expect(try file.snapshot().commit == 2)
  }

  @Test("a bulk load is seen when it is published, and swept when it died")
  func load() throws {
    let file = try DatabaseFile(path: path)
    let table = try makeTable(file)
    do {
      let load = try file.beginLoading()
      let first = try load.add(rowCount: 1, chunks: [Self.chunk(1, [1])])
      let second = try load.add(rowCount: 2, chunks: [Self.chunk(1, [2, 3])])
      _ = try load.add(rowCount: 4, chunks: [Self.chunk(1, [4])])
      #expect(try file.snapshot().commit == 1)
      #expect(try file.snapshot().readers[0].partitions(of: table).isEmpty)
      // While the load lives, nobody sweeps.
      _ = try DatabaseFile(path: path)
      let transaction = try file.beginWriting()
      try transaction.publish(load, partition: second, in: table, firstRow: 0)
      try transaction.publish(load, partition: first, in: table, firstRow: 2)
      _ = try transaction.commit()
    }
    #expect(!FileManager.default.fileExists(atPath: path + "-load"))
    let reader = try file.snapshot().readers[0]
    #expect(try reader.partitions(of: table).map(\.rowCount) == [2, 1])
    #expect(try count("partitions") == 2)
    // A dead load is one whose lock is gone.
    let connection = try SQLiteConnection(path: path, mode: .readWrite)
    try connection.execute("INSERT INTO partitions (row_count, load_id) VALUES (1, 99)")
    try connection.execute(
      "INSERT INTO chunks SELECT 1000, max(id) + 1, 1, 1, 0, 0, 0, 0, '', 0, 0 FROM partitions")
    _ = try DatabaseFile(path: path)
    #expect(try count("partitions") == 2)
  }

  private func count(_ table: String) throws -> Int64? {
    try SQLiteConnection(path: path, mode: .readOnly).integer("SELECT count(*) FROM \(table)")
  }

  @Test("VACUUM gives space back")
  func vacuum() throws {
    let file = try DatabaseFile(path: path)
    let table = try makeTable(file)
    var transaction = try file.beginWriting()
    for row in 0..<8 {
      _ = try transaction.insertPartition(
        of: table, firstRow: Int64(row), rowCount: 1,
        chunks: [Self.chunk(1, Array(repeating: 7, count: 500_000))])
    }
    _ = try transaction.commit()
    #expect(try file.checkpoint())
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    #expect(size > 4_000_000)
    transaction = try file.beginWriting()
    try transaction.removeRows(of: table)
    _ = try transaction.commit()
    try file.vacuum()
    let after = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    #expect(after < size / 2, "\(size) bytes before, \(after) after")
    #expect(try file.integrityErrors().isEmpty)
  }
}
