import Columnar
import Diagnostics
import Synchronization

/// A scan of which each partition has a connection of its own, in a read transaction.
struct SQLiteScan: PartitionedScan {
  private let readers: [SQLiteReader]
  private let columns: [SQLiteColumn]
  private let positions: [Int]
  /// Where the row number is among the statement's columns.
  private let rowPosition: Int?
  private let place: String
  private let batchRows: Int

  /// `positions` says where the columns are in the statement; without it they are its first ones, and
  /// a row number stands behind them.
  init(
    readers: [SQLiteReader], columns: [SQLiteColumn], positions: [Int]? = nil, place: String,
    batchRows: Int
  ) {
    self.readers = readers
    self.columns = columns
    self.positions = positions ?? Array(columns.indices)
    rowPosition = positions == nil ? columns.count : nil
    self.place = place
    self.batchRows = batchRows
  }

  var partitionCount: Int { readers.count }

  func open(_ partition: Int) throws -> (any BatchSource)? {
    SQLiteBatches(
      readers[partition], self, sequence: partition)
  }

  /// The rows of a partition.
  private final class SQLiteBatches: BatchSource {
    private let reader: SQLiteReader
    private let scan: SQLiteScan
    private let sequence: Int
    private var rowsRead = 0
    private var isAtEnd = false

    init(_ reader: SQLiteReader, _ scan: SQLiteScan, sequence: Int) {
      self.reader = reader
      self.scan = scan
      self.sequence = sequence
    }

    func next() throws -> Batch? {
      if isAtEnd { return nil }
      var builders = scan.columns.map { ColumnBuilder($0.type, capacity: scan.batchRows) }
      var count = 0
      try reader.withStatement { statement in
        while count < scan.batchRows {
          guard try statement.step() else {
            isAtEnd = true
            break
          }
          for index in builders.indices {
            let position = scan.positions[index]
            if let fault = SQLiteCell.append(
              statement, position, scan.columns[index].reading, to: &builders[index])
            {
              throw mismatch(statement, index, fault)
            }
          }
          count += 1
        }
      }
      rowsRead += count
      if isAtEnd { reader.end() }
      if count == 0 { return nil }
      return Batch(
        columns: builders.indices.map { builders[$0].finish() }, rowCount: count,
        sequence: sequence)
    }

    private func mismatch(
      _ statement: borrowing SQLiteStatement, _ index: Int, _ fault: String
    ) -> SQLError {
      let column = scan.columns[index]
      var row = "row \(rowsRead + 1) or after"
      if let position = scan.rowPosition, !statement.isNull(position) {
        row = "row \(statement.integer(position))"
      }
      return SQLError(
        .conversion,
        "\(scan.place), column \"\(column.name)\", \(row): \(fault), not \(column.type)",
        hint: "all_varchar := true reads every value as text")
    }
  }
}

/// A connection in a read transaction with the statement that it runs.
final class SQLiteReader: Sendable {
  /// SAFETY: `Mutex` makes it one thread's at a time.
  private struct State: ~Copyable {
    var statement: SQLiteStatement?
    let connection: SQLiteConnection
  }

  private let state: Mutex<State>

  /// Begins to read: from here on the connection sees one commit.
  init(_ connection: consuming SQLiteConnection) throws {
    try connection.execute("BEGIN", action: "read")
    _ = try connection.integer("SELECT count(*) FROM sqlite_schema")
    state = Mutex(State(statement: nil, connection: connection))
  }

  func prepare(_ sql: String, _ values: [StoredValue]) throws {
    try state.withLock { state in
      let statement = try state.connection.prepare(sql)
      for (index, value) in values.enumerated() { try statement.bind(index + 1, value) }
      state.statement = consume statement
    }
  }

  func withStatement<Result>(_ body: (borrowing SQLiteStatement) throws -> Result) throws -> Result
  {
    try state.withLock { state in
      guard let statement = state.statement.take() else {
        throw SQLError(.internal, "a partition of an SQLite file was read twice")
      }
      do {
        let result = try body(statement)
        state.statement = consume statement
        return result
      }
    }
  }

  /// Lets writers go on.
  func end() {
    state.withLock { state in
      state.statement = nil
      try? state.connection.execute("ROLLBACK")
    }
  }
}
