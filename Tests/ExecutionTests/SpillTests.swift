import Columnar
import Diagnostics
import Glibc
import Testing

@testable import Execution

@Suite struct SpillTests {
  private static func texts(_ rows: [Row]) -> [String] {
    rows.map { $0.map { text($0) }.joined(separator: "|") }
  }

  private static func query(_ limit: Int, workers: Int = 1, batchRows: Int = 64) -> QueryContext {
    QueryContext(workerCount: workers, batchRows: batchRows, memory: MemoryBroker(limit: limit))
  }

  @Test(arguments: sortCases)
  func blocksGiveBackWhatWasWritten(_ type: SortCase) throws {
    var draw = Draw(3)
    for encoding in RowEncoding.allCases {
      for (count, nulls) in [(1, 0), (1, 100), (200, 0), (200, 30), (64, 100)] {
        let rows: [Row] = (0..<count).map {
          [draw.below(100) < nulls ? .null : type.make(draw.below(1000)), .integer(Int128($0))]
        }
        let types = [type.type, .integer]
        let query = Self.query(1 << 20)
        var spilled = SpilledRows(try query.spillFile(), types: types)
        let encoder = BlockEncoder()
        for batch in try makeBatches(rows, types, size: 50, encoding: encoding) {
          try spilled.append(batch, with: encoder)
        }
        #expect(query.memory.spillSpace.used > 0)
        let source = SpilledRowsSource(spilled, query: query)
        var read: [Batch] = []
        while let batch = try source.next() { read.append(batch) }
        #expect(Self.texts(ExecutionTests.rows(of: read)) == Self.texts(rows))
      }
    }
  }

  @Test func aSliceOfAConstantOfListsIsWrittenWhole() throws {
    let type = LogicalType.list(.varchar)
    let value = Value.list([.varchar("a text of more than twelve bytes"), .null])
    let column = try Column.constant(value, type, count: 100).slice(10, 50)
    let query = Self.query(1 << 20)
    let file = try query.spillFile()
    let block = try file.write(Batch(columns: [column], rowCount: 50), with: BlockEncoder())
    let batch = try file.read(block, types: [type])
    #expect(
      Self.texts(ExecutionTests.rows(of: [batch])) == Array(repeating: text(value), count: 50))
  }

  @Test func damageIsAnErrorAndNeverATrap() throws {
    let types: [LogicalType] = [.varchar, .list(.integer), .bigint]
    let rows: [Row] = (0..<40).map {
      [
        .varchar("a text of more than twelve bytes \($0)"), .list([.integer(Int128($0)), .null]),
        .integer(7),
      ]
    }
    let batch = try makeBatches(rows, types, size: 64)[0]
    let encoder = BlockEncoder()
    let good = Array(encoder.encode(batch))
    for place in 0..<good.count {
      var bytes = good
      bytes[place] ^= 0x41
      let buffer = Buffer(byteCount: bytes.count)
      buffer.pointer.copyMemory(from: bytes, byteCount: bytes.count)
      var decoder = BlockDecoder(buffer, byteCount: bytes.count)
      #expect(try decoder.decode(types) == nil)
    }
    for count in 0..<good.count {
      let buffer = Buffer(byteCount: good.count)
      buffer.pointer.copyMemory(from: good, byteCount: good.count)
      var decoder = BlockDecoder(buffer, byteCount: count)
      #expect(try decoder.decode(types) == nil)
    }
  }

  // MARK: Operators

  private static func sort(
    _ rows: [Row], _ types: [LogicalType], _ keys: [SortKey], query: QueryContext,
    limit: Int? = nil, offset: Int = 0
  ) throws -> [Row] {
    let workers = query.workerCount
    let batches = try makeBatches(rows, types, size: 16, encoding: .mixed)
    let shared = SortShared(workers: workers)
    let sources: [any BatchSource] = (0..<workers).map { index in
      SortOperator(
        input: BatchList(
          batches.enumerated().filter { $0.offset % workers == index }.map { $0.element }),
        inputTypes: types, keys: keys, limit: limit, offset: offset, shared: shared,
        worker: Worker(query: query, index: index, count: workers))
    }
    return ExecutionTests.rows(of: try drain(sources, batchRows: query.batchRows))
  }

  @Test(arguments: sortCases)
  func aSortOnDiskGivesTheOrderOfOneInMemory(_ type: SortCase) throws {
    var draw = Draw(11)
    let types = [type.type, .integer, .varchar]
    let rows: [Row] = (0..<1500).map {
      [
        draw.below(10) == 0 ? .null : type.make(draw.below(200)), .integer(Int128($0 % 13)),
        .varchar("wide text to fill the memory \($0)"),
      ]
    }
    for (descending, nullsFirst) in [(false, false), (true, true)] {
      let keys = [
        SortKey(column: 0, descending: descending, nullsFirst: nullsFirst), SortKey(column: 1),
      ]
      let expected = Self.texts(sortOracle(rows, keys))
      for workers in [1, 3] {
        for (limit, offset) in [(nil, 0), (1200, 200)] as [(Int?, Int)] {
          let query = Self.query(1 << 17, workers: workers)
          let got = try Self.sort(rows, types, keys, query: query, limit: limit, offset: offset)
          #expect(Self.texts(got) == Array(expected.dropFirst(offset).prefix(limit ?? .max)))
          #expect(query.memory.spillSpace.written > 0)
          #expect(query.memory.current == 0)
        }
      }
    }
  }

  @Test func moreRunsThanCanBeMergedAtOnce() throws {
    let rows: [Row] = (0..<40_000).map { [.integer(Int128($0 * 7919 % 40_009)), .integer(1)] }
    let keys = [SortKey(column: 0)]
    // Room for some hundred rows: hundreds of runs, eight of which are merged at a time.
    let query = Self.query(1 << 14)
    let got = try Self.sort(rows, [.bigint, .integer], keys, query: query)
    #expect(Self.texts(got) == Self.texts(sortOracle(rows, keys)))
  }

  @Test func nothingIsLeftOfATemporaryFile() throws {
    let broker = MemoryBroker(limit: 1 << 17)
    let rows: [Row] = (0..<3000).map { [.varchar("wide text to fill the memory \($0)")] }
    do {
      let query = QueryContext(workerCount: 1, batchRows: 64, memory: broker)
      let got = try Self.sort(rows, [.varchar], [SortKey(column: 0)], query: query)
      #expect(got.count == rows.count)
    }
    #expect(broker.spillSpace.written > 0)
    #expect(broker.spillSpace.used == 0)
    #expect(broker.spillSpace.files.isEmpty)
  }

  // MARK: Faults

  private static func failure(_ change: (SpillSpace) -> Void) -> SQLError? {
    let query = query(1 << 17)
    change(query.memory.spillSpace)
    let rows: [Row] = (0..<3000).map { [.varchar("wide text to fill the memory \($0)")] }
    do {
      _ = try sort(rows, [.varchar], [SortKey(column: 0)], query: query)
      return nil
    } catch {
      return error as? SQLError
    }
  }

  @Test func aDirectoryThatCannotBeMadeIsNamed() {
    let error = Self.failure { $0.directory = "/proc/none/here" }
    #expect(error?.code == .io)
    #expect(error?.message.contains("/proc/none/here") == true)
  }

  @Test func aDirectoryThatCannotBeWrittenIsNamed() {
    let error = Self.failure { $0.directory = "/proc/self" }
    #expect(error?.code == .io)
    #expect(error?.message.contains("/proc/self") == true)
  }

  @Test func aMissingDirectoryIsMade() {
    let path = "/tmp/apus-spill-test-\(getpid())"
    #expect(Self.failure { $0.directory = path } == nil)
    #expect(rmdir(path) == 0, "only the directory itself is left")
  }

  @Test func theDirectorysLimitIsKept() {
    let error = Self.failure { $0.limit = 20_000 }
    #expect(error?.code == .outOfMemory)
    #expect(error?.message.contains("max_temp_directory_size") == true)
  }
}
