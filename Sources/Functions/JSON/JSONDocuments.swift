import Columnar
import Diagnostics
import JSONReading

/// Functions over a column of documents: each is read once into a tape that all share.
enum JSONDocuments {
  /// Calls `body` with each document that is not NULL.
  @inline(__always)
  static func forEach(
    _ column: Column, _ count: Int,
    _ body: (_ row: Int, _ tape: borrowing JSONTape, _ root: Int) throws -> Void
  ) throws {
    let reader = ColumnReader<StringView>(column)
    var tape = JSONTape(capacity: 256)
    for row in 0..<count where !reader.isNull(row) {
      tape.removeAll()
      try body(row, tape, try read(reader.pointer(row).buffer, &tape))
    }
  }

  @inline(__always)
  static func read(_ text: UnsafeBufferPointer<UInt8>, _ tape: inout JSONTape) throws -> Int {
    do {
      return try tape.read(text, .sql)
    } catch {
      throw malformed(error, text)
    }
  }

  static func malformed(_ mistake: JSONMistake, _ text: UnsafeBufferPointer<UInt8>) -> SQLError {
    SQLError(.invalidInput, mistake.message(text))
  }

  /// The whole document of each row.
  static func whole<Sink: JSONSink>(
    _ column: Column, _ count: Int, _ type: LogicalType, _ sink: Sink.Type
  ) throws -> Column {
    try single(column, count, type, sink) { _ in JSONDocuments.root }
  }

  static let root: JSONPath = JSONPath(steps: [])

  /// The value at each row's path.
  @inline(__always)
  static func single<Sink: JSONSink>(
    _ column: Column, _ count: Int, _ type: LogicalType, _: Sink.Type,
    _ path: (Int) throws -> JSONPath?
  ) throws -> Column {
    var sink = Sink(type)
    let reader = ColumnReader<StringView>(column)
    var tape = JSONTape(capacity: 256)
    for row in 0..<count {
      guard !reader.isNull(row), let path = try path(row) else {
        sink.appendNull()
        continue
      }
      tape.removeAll()
      let root = try read(reader.pointer(row).buffer, &tape)
      if let found = path.find(tape, root) {
        sink.append(tape, found)
      } else {
        sink.appendMissing()
      }
    }
    return sink.finish(column)
  }

  /// A list of what is at each of several paths.
  static func several<Sink: JSONSink>(
    _ column: Column, _ count: Int, _ type: LogicalType, _: Sink.Type,
    _ paths: (Int) throws -> [JSONPath]?
  ) throws -> Column {
    var sink = Sink(type.elementType ?? .null)
    var entries = JSONValues<ListEntry>()
    let reader = ColumnReader<StringView>(column)
    var tape = JSONTape(capacity: 256)
    for row in 0..<count {
      guard !reader.isNull(row), let paths = try paths(row) else {
        entries.appendNull(ListEntry(offset: sink.count, length: 0))
        continue
      }
      tape.removeAll()
      let root = try read(reader.pointer(row).buffer, &tape)
      let start = sink.count
      for path in paths {
        if let found = path.find(tape, root) {
          sink.append(tape, found)
        } else {
          sink.appendMissing()
        }
      }
      entries.append(ListEntry(offset: start, length: sink.count - start))
    }
    return entries.column(type, children: [sink.finish(column)])
  }

  /// A list of all that a pattern matches.
  static func matches<Sink: JSONSink>(
    _ column: Column, _ count: Int, _ type: LogicalType, _: Sink.Type, _ pattern: JSONPath
  ) throws -> Column {
    var sink = Sink(type.elementType ?? .null)
    var entries = JSONValues<ListEntry>()
    let reader = ColumnReader<StringView>(column)
    var tape = JSONTape(capacity: 256)
    var found: [Int] = []
    for row in 0..<count {
      if reader.isNull(row) {
        entries.appendNull(ListEntry(offset: sink.count, length: 0))
        continue
      }
      tape.removeAll()
      let root = try read(reader.pointer(row).buffer, &tape)
      let start = sink.count
      found.removeAll(keepingCapacity: true)
      pattern.forEach(tape, root) { found.append($0) }
      for index in found { sink.append(tape, index) }
      entries.append(ListEntry(offset: start, length: sink.count - start))
    }
    return entries.column(type, children: [sink.finish(column)])
  }
}
