import Columnar
import Diagnostics
import Foundation
import Testing

@testable import Storage

/// Files that are not what they should be: an error that says so, and the file as it was.
@Suite("Strange files") struct StrangeFileTests {
  let folder: TemporaryFolder
  var path: String { folder.file("my.db") }

  init() throws { folder = try TemporaryFolder() }

  private func bytes() throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }

  private func write(_ bytes: [UInt8]) throws {
    for suffix in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(atPath: path + suffix)
    }
    try Data(bytes).write(to: URL(filePath: path))
  }

  private func expectRefused(_ words: String, isReadOnly: Bool = false) throws {
    let before = try? bytes()
    let error = #expect(throws: SQLError.self) {
      _ = try DatabaseFile(path: path, options: .init(isReadOnly: isReadOnly))
    }
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("my.db") == true)
    let after = try? bytes()
    #expect(after == before)
  }

  @Test("a file that is no database", arguments: [1, 15, 100, 5_000, 100_000])
  func text(size: Int) throws {
    try write((0..<size).map { UInt8(truncatingIfNeeded: 65 + $0 % 20) })
    try expectRefused("the file is no database")
  }

  @Test("an SQLite database of somebody else", arguments: ["DELETE", "WAL"])
  func foreign(mode: String) throws {
    do {
      let connection = try SQLiteConnection(path: path, mode: .create)
      try connection.execute("PRAGMA journal_mode = \(mode)")
      try connection.execute("CREATE TABLE t (a)")
    }
    try expectRefused("it is an SQLite database, but not one of Apus")
    try expectRefused("not one of Apus", isReadOnly: true)
  }

  @Test("a file of a newer version; one of an older version is migrated")
  func versions() throws {
    var newer = DatabaseFile.Options()
    newer.schema.migrations.append(["CREATE TABLE novelty (a)"])
    do { _ = try DatabaseFile(path: path) }
    do { _ = try DatabaseFile(path: path, options: newer) }
    #expect(
      try SQLiteConnection(path: path, mode: .readOnly).integer("SELECT count(*) FROM novelty")
        == 0)
    try expectRefused("its format is version 4, and this program knows versions 1 to 3")
  }

  @Test("a file of a version without statistics is read, and gets them where it is written")
  func withoutStatistics() throws {
    var older = DatabaseFile.Options()
    older.schema.migrations.removeLast()
    let builder = Column(flat: .bigint, count: 100)
    for row in 0..<100 { builder.values(as: Int64.self)[row] = Int64(row) }
    var plain = try NewChunk(builder, columnID: 1)
    let statistics = plain.statistics
    #expect(statistics?.sample != nil)
    #expect(statistics.flatMap { DistinctSketch($0.sketch) }?.distinctCount == 100)
    plain.statistics = nil
    do {
      let file = try DatabaseFile(path: path, options: older)
      let transaction = try file.beginWriting()
      let table = try transaction.insertTable(
        TableRecord(schema: "main", name: "t", sql: "CREATE TABLE t (…);"),
        columns: [ColumnRecord(id: 1, name: "a", type: "BIGINT")], constraints: [])
      _ = try transaction.insertPartition(of: table, firstRow: 0, rowCount: 100, chunks: [plain])
      _ = try transaction.commit()
    }
    for isReadOnly in [true, false] {
      let file = try DatabaseFile(path: path, options: .init(isReadOnly: isReadOnly))
      let reader = try file.snapshot().readers[0]
      let chunk = try #require(try reader.allChunks(of: 1).values.first?.first)
      #expect(try reader.bytes(of: chunk) == plain.bytes)
      #expect(reader.statistics(of: [chunk.id], sample: false).isEmpty)
    }
    let file = try DatabaseFile(path: path)
    plain.statistics = statistics
    let transaction = try file.beginWriting()
    let added = try transaction.insertPartition(
      of: 1, firstRow: 100, rowCount: 100, chunks: [plain])
    _ = try transaction.commit()
    let reader = try file.snapshot().readers[0]
    let found = reader.statistics(of: added.chunks, sample: false)
    #expect(found[added.chunks[0]] == statistics?.sketch)
    let removal = try file.beginWriting()
    try removal.removePartition(added.partition)
    _ = try removal.commit()
    let rest = try SQLiteConnection(path: path, mode: .readOnly)
    #expect(try rest.integer("SELECT count(*) FROM chunk_statistics") == 0)
  }

  @Test("no file, no folder, a folder in its place")
  func missing() throws {
    try expectRefused("No such file or directory", isReadOnly: true)
    let error = #expect(throws: SQLError.self) {
      _ = try DatabaseFile(path: folder.file("none/my.db"))
    }
    #expect(error?.message.contains("No such file or directory") == true)
    #expect(throws: SQLError.self) { _ = try DatabaseFile(path: folder.path) }
    #expect(throws: SQLError.self) { _ = try DatabaseFile(path: "") }
    try write([])
    try expectRefused("the database is empty", isReadOnly: true)
  }

  /// A file with a table, two row groups and some delta rows.
  private func makeFile() throws {
    let file = try DatabaseFile(path: path)
    let transaction = try file.beginWriting()
    let table = try transaction.insertTable(
      TableRecord(schema: "main", name: "t", sql: "CREATE TABLE t (a INTEGER);"),
      columns: [ColumnRecord(id: 1, name: "a", type: "INTEGER")])
    for part in 0..<2 {
      _ = try transaction.insertPartition(
        of: table, firstRow: Int64(part), rowCount: 1,
        chunks: [DatabaseFileTests.chunk(1, Array(repeating: UInt8(part + 1), count: 90_000))])
    }
    try transaction.setDeltaRows(
      of: table, columns: [1], (2..<200).map { DeltaRow(number: $0, cells: [.integer($0)]) })
    _ = try transaction.commit()
  }

  /// Reads all there is; gives it in a form that can be compared.
  private func readAll() throws -> [String] {
    let file = try DatabaseFile(path: path)
    let reader = try file.snapshot().readers[0]
    var result: [String] = []
    for table in try reader.tables() {
      result.append("\(table)")
      for partition in try reader.partitions(of: table.id) {
        for chunk in try reader.allChunks(of: table.id)[partition.id] ?? [] {
          let bytes = try reader.bytes(of: chunk)
          #expect(bytes == Array(repeating: bytes.first ?? 0, count: 90_000))
        }
      }
      result.append("\(try reader.deltaRows(of: table.id, columns: [1]).count)")
    }
    return result
  }

  @Test("a truncated file is an error, wherever it ends")
  func truncated() throws {
    try makeFile()
    let whole = try bytes()
    let expected = try readAll()
    var refused = 0
    for length in stride(from: 1, to: whole.count, by: 9_973) {
      try write(Array(whole.prefix(length)))
      do {
        #expect(try readAll() == expected)
      } catch let error as SQLError {
        #expect(error.message.contains("my.db"))
        refused += 1
      }
    }
    #expect(refused > 20)
  }

  @Test(
    "flipped bytes give an error or other text, never other rows of a chunk and never a trap")
  func flipped() throws {
    try makeFile()
    let whole = try bytes()
    var generator = SystemIndependentGenerator(state: 7)
    var refused = 0
    for _ in 0..<400 {
      var changed = whole
      let place = Int(generator.next() % UInt64(whole.count))
      changed[place] ^= UInt8(truncatingIfNeeded: generator.next() | 1)
      try write(changed)
      do { _ = try readAll() } catch is SQLError { refused += 1 }
    }
    #expect(refused > 20)
  }

  @Test("a chunk whose bytes are others than those written is an error")
  func exchanged() throws {
    try makeFile()
    try SQLiteConnection(path: path, mode: .readWrite).execute(
      "UPDATE chunk_bytes SET bytes = zeroblob(length(bytes)) WHERE chunk_id = (SELECT max(id) FROM chunks)"
    )
    let error = #expect(throws: SQLError.self) { try readAll() }
    #expect(error?.message.contains("is not what was written") == true)
  }

  @Test("a read-only file can be read, and says so when written to", .enabled(if: geteuid() != 0))
  func readOnlyFile() throws {
    try makeFile()
    try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: path)
    let error = #expect(throws: SQLError.self) {
      _ = try DatabaseFile(path: path).beginWriting()
    }
    #expect(error?.message.contains("read-only") == true)
  }
}

/// The same numbers everywhere: xorshift64.
struct SystemIndependentGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
