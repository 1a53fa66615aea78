import Diagnostics
import Testing

@testable import Storage

@Suite("SQLite wrapper") struct SQLiteTests {
  @Test("values come back as they were bound")
  func values() throws {
    let place = try TemporaryFolder()
    let connection = try SQLiteConnection(path: place.file("a.db"), mode: .create)
    try connection.execute("CREATE TABLE t (x)")
    let values: [StoredValue] = [
      .null, .integer(.min), .integer(.max), .real(-0.5), .text(""), .text("é\u{0}z"), .blob([]),
      .blob([0, 255]),
    ]
    let insert = try connection.prepare("INSERT INTO t VALUES (?)")
    for value in values {
      try insert.bind(1, value)
      #expect(try insert.step() == false)
      insert.reset()
    }
    let select = try connection.prepare("SELECT x FROM t ORDER BY rowid")
    for value in values {
      #expect(try select.step())
      #expect(select.value(0) == value)
    }
    #expect(try select.step() == false)
  }

  @Test("blobs are read by pieces, and beyond their end not at all")
  func blobs() throws {
    let place = try TemporaryFolder()
    let connection = try SQLiteConnection(path: place.file("a.db"), mode: .create)
    try connection.execute("CREATE TABLE t (x)")
    try connection.execute("INSERT INTO t VALUES (x'00010203'), (x'0405')")
    var reader = try BlobReader(connection, table: "t", column: "x", row: 1)
    #expect(reader.byteCount == 4)
    var bytes: [UInt8] = [9, 9]
    try bytes.withUnsafeMutableBytes { try reader.read(at: 2, into: $0) }
    #expect(bytes == [2, 3])
    try reader.move(to: 2)
    try bytes.withUnsafeMutableBytes { try reader.read(at: 0, into: $0) }
    #expect(bytes == [4, 5])
    #expect(throws: SQLError.self) {
      try bytes.withUnsafeMutableBytes { try reader.read(at: 1, into: $0) }
    }
    #expect(throws: SQLError.self) { try reader.move(to: 3) }
    reader = try BlobReader(connection, table: "t", column: "x", row: 1)
    #expect(reader.byteCount == 4)
  }
}
