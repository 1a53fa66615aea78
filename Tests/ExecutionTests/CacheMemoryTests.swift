import Columnar
import Diagnostics
import Foundation
import Storage
import Syntax
import Testing

@testable import Execution

/// Caches hold what operators leave, and give it back before an operator is refused or spills.
@Suite struct CacheMemoryTests {
  private static let columnBytes = 1 << 18

  private static func column() throws -> Column {
    try Column.constant(.integer(7), .bigint, count: columnBytes / 8).flattened()
  }

  private static func fill(_ cache: ChunkCache, from key: Int64, count: Int64) throws {
    for key in key..<(key + count) { cache.insert(try column(), key) }
  }

  @Test func allCachesTogetherHoldAQuarterOfTheLimit() throws {
    let broker = MemoryBroker(limit: 1 << 24)
    let (first, second) = (ChunkCache(memory: broker), ChunkCache(memory: broker))
    try Self.fill(first, from: 0, count: 40)
    #expect(broker.cached == first.byteCount)
    #expect(broker.cached <= 1 << 22 && broker.cached > (1 << 22) - 2 * Self.columnBytes)
    // The other one gets its part all the same.
    try Self.fill(second, from: 100, count: 7)
    #expect(second.byteCount >= 6 * Self.columnBytes && first.byteCount >= 6 * Self.columnBytes)
    #expect(broker.cached == first.byteCount + second.byteCount)
    #expect(broker.cached <= 1 << 22)
    broker.limit = 1 << 22
    #expect(broker.cached <= 1 << 20)
    #expect(broker.cached == first.byteCount + second.byteCount)
    #expect(broker.current == 0)
  }

  /// A query that reads less than there is room for finds it all the next time, whatever was there.
  @Test func newColumnsStayAndOldOnesGo() throws {
    let cache = ChunkCache(memory: MemoryBroker(limit: 1 << 24))
    try Self.fill(cache, from: 0, count: 100)
    let room = cache.byteCount / Self.columnBytes
    #expect(room > 8)
    for key in (100 - Int64(room))..<100 { #expect(cache.column(key) != nil, "column \(key)") }
    try Self.fill(cache, from: 200, count: Int64(room / 2))
    for _ in 0..<3 {
      for key in 200..<(200 + Int64(room / 2)) { #expect(cache.column(key) != nil) }
      try Self.fill(cache, from: 300, count: 1)
    }
  }

  @Test func operatorsGetWhatCachesHold() throws {
    let broker = MemoryBroker(limit: 1 << 24)
    let cache = ChunkCache(memory: broker)
    try Self.fill(cache, from: 0, count: 40)
    let full = broker.cached
    var holder: MemoryHolder? = MemoryHolder(broker, "test")
    try holder?.hold(15 << 20)
    #expect(broker.cached <= 1 << 20 && broker.cached > 0)
    try holder?.hold(16 << 20)
    #expect(broker.cached == 0)
    #expect(throws: SQLError.self) { try holder?.hold(17 << 20) }
    #expect(broker.current == 16 << 20)
    // No room for caches while the operators have it.
    try Self.fill(cache, from: 50, count: 3)
    #expect(broker.cached == 0)
    holder = nil
    try Self.fill(cache, from: 0, count: 40)
    #expect(broker.cached == full)
    // Who can spill does not for a cache's sake.
    let sorter = MemoryHolder(broker, "sort")
    #expect(sorter.holdOrSpill(broker.spillLimit - (1 << 20)))
    #expect(broker.cached <= 1 << 20)
    #expect(!sorter.holdOrSpill(broker.spillLimit + (1 << 20)))
  }

  @Test func nothingIsCountedOfCachesThatAreClosedOrGone() throws {
    let broker = MemoryBroker(limit: 1 << 24)
    var gone: ChunkCache? = ChunkCache(memory: broker)
    let closed = ChunkCache(memory: broker)
    if let gone { try Self.fill(gone, from: 0, count: 5) }
    try Self.fill(closed, from: 0, count: 5)
    let half = closed.byteCount
    #expect(half >= 5 * Self.columnBytes && broker.cached == 2 * half)
    gone = nil
    #expect(broker.cached == half)
    closed.close()
    #expect(broker.cached == 0 && closed.byteCount == 0)
    try Self.fill(closed, from: 0, count: 5)
    #expect(broker.cached == 0 && closed.column(1) == nil)
  }

  @Test func manyThreadsNeitherLoseBytesNorWaitForEachOther() throws {
    let broker = MemoryBroker(limit: 1 << 24)
    let caches = (0..<3).map { _ in ChunkCache(memory: broker) }
    let column = try Self.column()
    DispatchQueue.concurrentPerform(iterations: 6) { thread in
      let holder = MemoryHolder(broker, "thread \(thread)")
      var draw = Draw(UInt64(thread) + 1)
      for step in 0..<4000 {
        let cache = caches[draw.below(3)]
        switch draw.below(6) {
        case 0: _ = holder.holdOrSpill(draw.below(6 << 20))
        case 1: try? holder.hold(draw.below(4 << 20))
        case 2: cache.reclaim(draw.below(1 << 20))
        case 3: _ = cache.column(Int64(draw.below(100)))
        default: cache.insert(column, Int64(draw.below(100) + (step & 1) * 1000))
        }
      }
    }
    #expect(broker.current == 0)
    #expect(broker.cached == caches.reduce(0) { $0 + $1.byteCount })
    #expect(broker.cached <= 1 << 22)
    for cache in caches { cache.close() }
    #expect(broker.cached == 0)
  }

  // MARK: Files

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  /// Runs statements; gives the number of rows of the last.
  @discardableResult
  private func run(_ session: Session, _ sql: String) throws -> Int {
    var count = 0
    for statement in try Parser.parseScript(sql) {
      let result = try session.run(statement)
      count = 0
      while let batch = try result.source.next() { count += batch.rowCount }
    }
    return count
  }

  @Test func aSortThatNeedsTheMemoryOfTheCacheDoesNotSpill() throws {
    try withFolder { folder in
      let path = "\(folder)/cache.db"
      let count = 60_000
      do {
        let session = Session(try DatabaseCatalog(path: path, isReadOnly: false))
        try run(
          session,
          "CREATE TABLE t AS SELECT range AS a, hash(range) AS b, 'text ' || range AS c FROM range(\(count)); CHECKPOINT"
        )
      }
      let sort = "SELECT a, b FROM t ORDER BY b"
      let warm = "SELECT sum(a), max(b), max(c) FROM t"
      let cold = try DatabaseCatalog(path: path, isReadOnly: true)
      #expect(try run(Session(cold), "SET threads = 1; \(sort)") == count)
      let need = cold.memory.peak
      // As much as the sort needs is just below the place where spilling begins.
      let limit = need / 5 * 8 + (1 << 18)
      let database = try DatabaseCatalog(path: path, isReadOnly: true)
      let session = Session(database)
      try run(session, "SET threads = 1; SET memory_limit = '\(limit)B'")
      try run(session, warm)
      let cached = database.memory.cached
      #expect(cached + need > database.memory.spillLimit)
      #expect(cached <= limit / 4)
      #expect(try run(session, sort) == count)
      #expect(database.memory.spillSpace.written == 0)
      #expect(database.memory.current == 0)
      try run(session, warm)
      #expect(database.memory.cached <= limit / 4 && database.memory.cached > 0)
    }
  }

  @Test func detachedFilesGiveTheirBytesBack() throws {
    try withFolder { folder in
      let database = try DatabaseCatalog(path: "\(folder)/main.db", isReadOnly: false)
      let session = Session(database)
      try run(session, "CREATE TABLE t AS SELECT range AS a FROM range(20000); CHECKPOINT")
      try run(session, "FROM t")
      let own = database.memory.cached
      #expect(own > 0)
      for _ in 0..<3 {
        for name in ["x", "y"] {
          try run(session, "ATTACH '\(folder)/\(name).db' AS \(name)")
          try run(
            session,
            "CREATE OR REPLACE TABLE \(name).t AS SELECT range AS a FROM range(30000); FROM \(name).t"
          )
        }
        #expect(database.memory.cached > own)
        // Rows that are still to be pulled come from the file all the same.
        guard case let statements = try Parser.parseScript("FROM y.t"), statements.count == 1 else {
          continue
        }
        let open = try session.run(statements[0])
        try run(session, "DETACH x; DETACH y")
        var count = 0
        while let batch = try open.source.next() { count += batch.rowCount }
        #expect(count == 30_000)
        #expect(database.memory.cached == own)
      }
      try run(session, "DROP TABLE t")
      try run(session, "SET memory_limit = '1KiB'")
      #expect(database.memory.cached == 0)
    }
  }
}
