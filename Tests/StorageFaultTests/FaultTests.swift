import CSQLiteFaults
import Diagnostics
import Foundation
import Testing

@testable import Storage

/// A small workload, again and again, with the n-th write, sync or removal going wrong, for every n:
/// the file is sound afterwards and has every commit that was acknowledged, whole.
@Suite("Write faults", .serialized) struct FaultTests {
  static let kinds: [(fault_kind, String)] = [
    (fault_fail, "fails"), (fault_full, "finds the disk full"), (fault_crash, "kills"),
    (fault_tear, "kills half done"), (fault_drop, "takes the power"),
    (fault_scramble, "takes the power and scrambles what was not synced"),
  ]

  /// The number of a step is in all that it writes.
  private static let steps = 6

  /// Runs the steps; gives those whose commit was acknowledged, and the last one that was tried.
  private func work(_ path: String) -> (acknowledged: Set<Int64>, last: Int64) {
    var acknowledged: Set<Int64> = []
    var last: Int64 = -1
    var options = DatabaseFile.Options()
    options.fileSystem = "faults"
    guard let file = try? DatabaseFile(path: path, options: options) else { return ([], -1) }
    for step in 0..<Int64(Self.steps) {
      last = step
      do {
        try run(step, file)
        acknowledged.insert(step)
      } catch is SQLError {
        continue
      } catch {
        Issue.record(error)
      }
    }
    return (acknowledged, last)
  }

  private func run(_ step: Int64, _ file: DatabaseFile) throws {
    let name = "t\(step)"
    let chunk = NewChunk(
      ChunkRecord(column: 1, rowCount: 1, encoding: "raw"),
      bytes: Array(repeating: UInt8(step), count: 70_000))
    let load = step % 3 == 2 ? try file.beginLoading() : nil
    let loaded = try load.map { try $0.add(rowCount: 1, chunks: [chunk]) }
    let transaction = try file.beginWriting()
    let table = try transaction.insertTable(
      TableRecord(schema: "main", name: name, sql: "\(step)"),
      columns: [ColumnRecord(id: 1, name: "a", type: "INTEGER")])
    try transaction.setDeltaRows(
      of: table, columns: [1], [DeltaRow(number: step, cells: [.integer(step)])])
    if let load, let loaded {
      try transaction.publish(load, partition: loaded, in: table, firstRow: 0)
    } else {
      _ = try transaction.insertPartition(of: table, firstRow: 0, rowCount: 1, chunks: [chunk])
    }
    _ = try transaction.commit()
    // What these do is seen by nobody, and neither is their failing.
    if step == 1 { _ = try? file.checkpoint() }
    if step == 4 { try? file.vacuum() }
  }

  /// The steps that are in the file; each must be there whole.
  private func stepsFound(_ path: String) throws -> Set<Int64> {
    let file = try DatabaseFile(path: path)
    #expect(try file.integrityErrors().isEmpty)
    let snapshot = try file.snapshot()
    let reader = snapshot.readers[0]
    var found: Set<Int64> = []
    for table in try reader.tables() {
      let step = try #require(Int64(table.sql))
      #expect(table.name == "t\(step)")
      #expect(
        try reader.deltaRows(of: table.id, columns: [1])
          == [DeltaRow(number: step, cells: [.integer(step)])])
      let partition = try #require(try reader.partitions(of: table.id).first)
      let chunk = try #require(try reader.allChunks(of: table.id)[partition.id]?.first)
      #expect(
        try reader.bytes(of: chunk) == Array(repeating: UInt8(step), count: 70_000))
      found.insert(step)
    }
    #expect(snapshot.commit == Int64(found.count))
    let connection = try SQLiteConnection(path: path, mode: .readOnly)
    let partitions = try connection.integer("SELECT count(*) FROM partitions")
    let chunks = try connection.integer("SELECT count(*) FROM chunk_bytes")
    #expect(partitions == Int64(found.count) && chunks == partitions)
    return found
  }

  @Test("every commit is there whole or not at all", arguments: kinds.indices)
  func everyPosition(kind: Int) throws {
    try #require(fault_register() == 0)
    let (fault, name) = Self.kinds[kind]
    var position = 1
    while true {
      let folder = try TemporaryFolder()
      let path = folder.file("my.db")
      fault_begin(fault, position, UInt(position))
      let (acknowledged, last) = work(path)
      let operations = fault_end()
      let found: Set<Int64>
      do { found = try stepsFound(path) } catch {
        Issue.record("\(name) at \(position) of \(operations), after \(acknowledged): \(error)")
        position += 1
        continue
      }
      // A commit that was cut off may have happened, as one of a process that was killed may.
      let doubtful = found.subtracting(acknowledged)
      #expect(acknowledged.isSubset(of: found), "\(name) at \(position)")
      #expect(doubtful.count <= 1, "\(name) at \(position): \(doubtful) of \(last)")
      if position > operations { break }
      position += 1
    }
    #expect(position > 60)
  }
}
