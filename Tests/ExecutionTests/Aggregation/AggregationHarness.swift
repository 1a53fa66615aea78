import Columnar
import Diagnostics
import Execution
import Functions
import Glibc

/// xorshift64*: the same rows in every run.
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}

enum NullPattern: CaseIterable { case none, some, all }
enum TestEncoding: CaseIterable { case flat, constant, dictionary, selection }

/// Runs `body(0)`, …, `body(count - 1)` on a thread each; the first error is thrown.
func onThreads(_ count: Int, _ body: @escaping (Int) throws -> Void) throws {
  final class Job {
    let index: Int
    let body: (Int) throws -> Void
    var failure: (any Error)?
    init(_ index: Int, _ body: @escaping (Int) throws -> Void) {
      self.index = index
      self.body = body
    }
  }
  let jobs = (0..<count).map { Job($0, body) }
  var threads: [pthread_t] = []
  for job in jobs {
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer else { return nil }
        let job = Unmanaged<Job>.fromOpaque(pointer).takeUnretainedValue()
        do { try job.body(job.index) } catch { job.failure = error }
        return nil
      }, Unmanaged.passUnretained(job).toOpaque())
    threads.append(thread)
  }
  for thread in threads { pthread_join(thread, nil) }
  for job in jobs { if let failure = job.failure { throw failure } }
}

/// A table in memory, to be cut into batches of any size and encoding.
struct TestTable {
  var types: [LogicalType]
  var rows: [[Value]]

  /// Constant encoding gives each batch its first row's values: `effectiveRows` tells.
  func batches(size: Int, encoding: TestEncoding) throws -> (batches: [Batch], rows: [[Value]]) {
    var batches: [Batch] = []
    var effective: [[Value]] = []
    var whole: [Column] = []
    if encoding == .dictionary {
      for (position, type) in types.enumerated() {
        var builder = ColumnBuilder(type)
        for row in rows { try builder.append(row[position]) }
        whole.append(builder.finish())
      }
    }
    var start = 0
    while start < rows.count {
      let count = min(size, rows.count - start)
      var part = Array(rows[start..<start + count])
      if encoding == .constant { part = Array(repeating: part[0], count: count) }
      effective += part
      var columns: [Column] = []
      for (position, type) in types.enumerated() {
        switch encoding {
        case .constant:
          columns.append(try Column.constant(part[0][position], type, count: count))
        case .dictionary:
          columns.append(
            Column.dictionary(whole[position], Selection(Array(start..<start + count))))
        case .flat:
          var builder = ColumnBuilder(type)
          for row in part { try builder.append(row[position]) }
          columns.append(builder.finish())
        case .selection:
          // Every value twice, backwards; the selection undoes it.
          var builder = ColumnBuilder(type)
          for row in part.reversed() {
            try builder.append(row[position])
            try builder.append(row[position])
          }
          columns.append(
            Column.dictionary(builder.finish(), Selection((0..<count).map { 2 * (count - 1 - $0) }))
          )
        }
      }
      batches.append(Batch(columns: columns, rowCount: count))
      start += count
    }
    return (batches, effective)
  }
}

/// A value of a type out of `domain` different ones.
func testValue(_ type: LogicalType, _ number: Int) -> Value {
  switch type {
  case .null: return .null
  case .boolean: return .boolean(number % 2 == 0)
  case .tinyint, .smallint, .integer, .bigint: return .integer(Int128(number % 128 - 64))
  case .hugeint: return .integer(Int128(number - 5) << 70 + Int128(number))
  case .utinyint, .usmallint, .uinteger, .ubigint: return .integer(Int128(number % 256))
  case .uhugeint: return .integer(Int128(number) << 100)
  case .float: return .float(number == 3 ? .nan : Float(number) / 4 - 2)
  case .double:
    return .double(number == 3 ? .nan : number == 4 ? .infinity : Double(number) / 8 - 1)
  case .decimal: return .decimal(Int128(number * 7 - 20))
  case .varchar: return .varchar(testText(number))
  case .json: return .varchar("[\(number)]")
  case .enumeration(let labels): return .varchar(labels.labels[number % labels.labels.count])
  case .uuid: return .uuid(UInt128(number) << 120 | 7)
  case .blob: return .blob(Array(testText(number).utf8) + [0, UInt8(number & 255)])
  case .date: return .date(Int32(number * 100 - 300))
  case .time: return .time(Int64(number) * 1_000_003)
  case .timeTZ:
    return .timeTZ(ZonedTime.pack(microseconds: Int64(number) * 1_000_003, offset: number * 60))
  case .timestamp, .timestampSeconds, .timestampMilliseconds, .timestampNanoseconds, .timestampTZ:
    return .timestamp(Int64(number) * 1_000_000_007 - 5)
  case .interval: return .interval(Interval(months: Int32(number), days: 3, microseconds: 5))
  case .list(let item):
    return .list((0..<number % 4).map { $0 == 2 ? .null : testValue(item, number + $0) })
  case .array(let item, let count): return .list((0..<count).map { testValue(item, number + $0) })
  case .structure(let fields): return .structure(fields.map { testValue($0.type, number) })
  case .map(let key, let item):
    return .list([.structure([testValue(key, number), testValue(item, number + 1)])])
  }
}

private func testText(_ number: Int) -> String {
  switch number % 5 {
  case 0: ""
  case 1: "t\(number)"
  case 2: "seven\(number)"
  case 3: "twelve chars and more \(number)"
  default: "ünïcode \(number)"
  }
}

let testTypes: [LogicalType] = [
  .boolean, .tinyint, .smallint, .integer, .bigint, .hugeint, .utinyint, .usmallint, .uinteger,
  .ubigint, .uhugeint, .float, .double, .decimal(precision: 4, scale: 1),
  .decimal(precision: 9, scale: 2), .decimal(precision: 18, scale: 3),
  .decimal(precision: 38, scale: 4), .varchar, .blob, .date, .time, .timestamp, .interval,
  .list(.integer), .list(.varchar), .array(.float, count: 2),
  .structure([Field("a", .integer), Field("b", .varchar)]), .list(.list(.bigint)), .json, .uuid,
  .enumeration(EnumLabels((0..<300).map { "label \($0)" })), .timeTZ, .timestampNanoseconds,
  .timestampTZ, .map(key: .varchar, value: .integer),
]

/// Values with NaN equal to itself, as a key of a Swift dictionary.
func keyText(_ values: [Value]) -> String { values.map { "\($0)" }.joined(separator: "|") }

/// Runs the operator and gives its rows.
func aggregate(
  _ batches: [Batch], types: [LogicalType], keys: [Int], calls: [AggregateCall], workers: Int = 1,
  batchRows: Int = 64, partitionedFrom: Int = 10_000
) throws -> [[Value]] {
  let query = QueryContext(workerCount: workers, batchRows: batchRows)
  let shared = HashAggregateShared(workers: workers, partitionedFrom: partitionedFrom)
  let lock = Lock()
  var rows: [(sequence: Int, rows: [[Value]])] = []
  try onThreads(workers) { index in
    let own = batches.enumerated().filter { $0.offset % workers == index }.map(\.element)
    let source = HashAggregateOperator(
      input: BatchListSource(own), inputTypes: types, keys: keys, calls: calls, shared: shared,
      worker: Worker(query: query, index: index, count: workers))
    while let batch = try source.next() {
      precondition(batch.rowCount > 0 && batch.rowCount <= batchRows, "a batch of the right size")
      let part = (0..<batch.rowCount).map { row in batch.columns.map { $0.value(row) } }
      lock.withLock { rows.append((batch.sequence, part)) }
    }
  }
  return rows.sorted { $0.sequence < $1.sequence }.flatMap(\.rows)
}

func call(
  _ name: String, _ arguments: [Int], _ types: [LogicalType], distinct: Bool = false,
  filter: Int? = nil, order: [SortKey] = []
) throws -> AggregateCall {
  AggregateCall(
    resolved: try Aggregates.resolve(name: name, arguments: arguments.map { types[$0] }),
    arguments: arguments, isDistinct: distinct, filter: filter, order: order)
}
