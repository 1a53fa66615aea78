import Columnar
import Diagnostics
import Functions
import Glibc

@testable import Execution

/// SplitMix64: the same rows on every run.
struct Draw: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func below(_ n: Int) -> Int { Int.random(in: 0..<n, using: &self) }
}

/// Gives out prepared batches.
final class BatchList: BatchSource {
  private var batches: [Batch]
  private var position = 0
  private(set) var pulled = 0
  init(_ batches: [Batch]) { self.batches = batches }
  func next() throws -> Batch? {
    pulled += 1
    if position == batches.count { return nil }
    position += 1
    return batches[position - 1]
  }
}

typealias Row = [Value]

enum RowEncoding: CaseIterable { case flat, dictionary, mixed }

/// Rows as batches of at most `size`, numbered from `sequence`.
func makeBatches(
  _ rows: [Row], _ types: [LogicalType], size: Int, encoding: RowEncoding = .flat, sequence: Int = 0
) throws -> [Batch] {
  var result: [Batch] = []
  var start = 0
  while start < rows.count {
    let part = Array(rows[start..<min(start + size, rows.count)])
    var columns: [Column] = []
    for (position, type) in types.enumerated() {
      var builder = ColumnBuilder(type)
      let style = encoding == .mixed ? (position + result.count) % 3 : encoding == .flat ? 0 : 1
      if style == 0 {
        for row in part { try builder.append(row[position]) }
        columns.append(builder.finish())
      } else if style == 2 && part.allSatisfy({ $0[position] == part[0][position] }) {
        columns.append(try Column.constant(part[0][position], type, count: part.count))
      } else {
        for row in part.reversed() { try builder.append(row[position]) }
        columns.append(
          Column.dictionary(
            builder.finish(), Selection((0..<part.count).map { part.count - 1 - $0 })))
      }
    }
    result.append(
      Batch(columns: columns, rowCount: part.count, sequence: sequence + result.count))
    start += size
  }
  return result
}

func rows(of batches: [Batch]) -> [Row] {
  var result: [Row] = []
  for batch in batches {
    for row in 0..<batch.rowCount { result.append(batch.columns.map { $0.value(row) }) }
  }
  return result
}

struct HarnessFailure: Error, CustomStringConvertible { let description: String }

/// Drains one source per worker, each on a thread of its own, and checks the batch contract.
func drain(_ sources: [any BatchSource], batchRows: Int) throws -> [Batch] {
  final class Result: @unchecked Sendable {
    var batches: [Batch] = []
    var failure: (any Error)?
  }
  final class Box: @unchecked Sendable {
    let source: any BatchSource
    let result = Result()
    let batchRows: Int
    init(_ source: any BatchSource, _ batchRows: Int) {
      self.source = source
      self.batchRows = batchRows
    }
    func run() {
      do {
        while let batch = try source.next() {
          if batch.rowCount == 0 { throw HarnessFailure(description: "an empty batch") }
          if batch.rowCount > batchRows { throw HarnessFailure(description: "too long a batch") }
          for column in batch.columns where column.count != batch.rowCount {
            throw HarnessFailure(description: "a column of \(column.count) in \(batch.rowCount)")
          }
          result.batches.append(batch)
        }
        if try source.next() != nil { throw HarnessFailure(description: "rows after the end") }
      } catch { result.failure = error }
    }
  }
  let boxes = sources.map { Box($0, batchRows) }
  if boxes.count == 1 {
    boxes[0].run()
  } else {
    var threads: [pthread_t] = []
    for box in boxes {
      var thread = pthread_t()
      let argument = Unmanaged.passRetained(box).toOpaque()
      pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().run()
          return nil
        }, argument)
      threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
  }
  for box in boxes { if let failure = box.result.failure { throw failure } }
  return boxes.flatMap { $0.result.batches }
}

/// Canonical text of rows, in an order of its own: multisets compare as arrays.
func multiset(_ rows: [Row]) -> [String] {
  rows.map { row in row.map { text($0) }.joined(separator: "|") }.sorted()
}

func text(_ value: Value) -> String {
  switch value {
  case .double(let v): v == 0 ? "0.0" : v.isNaN ? "nan" : "\(v)"
  case .float(let v): v == 0 ? "0.0" : v.isNaN ? "nan" : "\(v)"
  default: "\(value)"
  }
}
