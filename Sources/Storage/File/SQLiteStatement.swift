import CSQLite
import Diagnostics

/// One compiled statement. Parameters count from 1, columns from 0, as SQLite's do.
///
/// SAFETY: as `SQLiteConnection`; pointers that SQLite gives live until the next step, and closures
/// alone see them.
struct SQLiteStatement: ~Copyable, @unchecked Sendable {
  private let handle: OpaquePointer
  private let path: String
  private let action: String

  init(_ connection: borrowing SQLiteConnection, _ sql: String, action: String) throws {
    var compiled: OpaquePointer?
    let code = sqlite3_prepare_v3(connection.handle, sql, -1, 0, &compiled, nil)
    guard code == SQLITE_OK, let compiled else {
      throw SQLiteFailure.error(connection.handle, path: connection.path, action: action)
    }
    handle = compiled
    path = connection.path
    self.action = action
  }

  deinit { sqlite3_finalize(handle) }

  // MARK: Running

  /// Goes to the next row; false at the end.
  func step() throws -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw failure
    }
  }

  /// Makes it ready to run again, without its values.
  func reset() {
    sqlite3_reset(handle)
    sqlite3_clear_bindings(handle)
  }

  // MARK: Binding

  func bind(_ index: Int, _ value: Int64) throws {
    try check(sqlite3_bind_int64(handle, Int32(index), value))
  }

  func bind(_ index: Int, _ value: Double) throws {
    try check(sqlite3_bind_double(handle, Int32(index), value))
  }

  func bind(_ index: Int, _ value: String) throws {
    var copy = value
    try check(
      copy.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) {
          // An empty string has no address, and NULL would be bound in its place.
          apus_bind_text_copy(handle, Int32(index), $0.baseAddress ?? emptyText, UInt64($0.count))
        }
      })
  }

  /// Binds bytes that must stay until `reset`: nothing is copied.
  func bind(_ index: Int, borrowing bytes: UnsafeRawBufferPointer) throws {
    guard bytes.count > 0, let start = bytes.baseAddress else {
      return try check(sqlite3_bind_zeroblob(handle, Int32(index), 0))
    }
    try check(apus_bind_blob_borrowed(handle, Int32(index), start, UInt64(bytes.count)))
  }

  func bind(_ index: Int, _ value: StoredValue) throws {
    switch value {
    case .null: try check(sqlite3_bind_null(handle, Int32(index)))
    case .integer(let value): try bind(index, value)
    case .real(let value): try bind(index, value)
    case .text(let value): try bind(index, value)
    case .blob(let value):
      try value.withUnsafeBytes { bytes in
        guard bytes.count > 0, let start = bytes.baseAddress else {
          return try check(sqlite3_bind_zeroblob(handle, Int32(index), 0))
        }
        try check(apus_bind_blob_copy(handle, Int32(index), start, UInt64(bytes.count)))
      }
    }
  }

  // MARK: Columns of the row

  func isNull(_ column: Int) -> Bool { sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL }

  /// Other kinds of values as SQLite converts them: 0 for what is no number.
  func integer(_ column: Int) -> Int64 { sqlite3_column_int64(handle, Int32(column)) }

  func real(_ column: Int) -> Double { sqlite3_column_double(handle, Int32(column)) }

  /// Invalid UTF-8 is repaired: a file may hold anything.
  func text(_ column: Int) -> String {
    withText(column) { String(decoding: $0, as: UTF8.self) }
  }

  func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }

  func optionalInteger(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }

  /// The bytes of a blob or text where SQLite has them, for as long as the closure runs.
  func withBytes<Result: ~Copyable>(
    _ column: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    // The order matters: asking for the bytes first settles their form, and so their number.
    let start = sqlite3_column_blob(handle, Int32(column))
    let count = Int(sqlite3_column_bytes(handle, Int32(column)))
    return try body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
  }

  func value(_ column: Int) -> StoredValue {
    switch sqlite3_column_type(handle, Int32(column)) {
    case SQLITE_INTEGER: .integer(integer(column))
    case SQLITE_FLOAT: .real(real(column))
    case SQLITE_TEXT: .text(text(column))
    case SQLITE_BLOB: .blob(withBytes(column) { Array($0) })
    default: .null
    }
  }

  /// Which of SQLite's five kinds the value is of.
  enum Kind {
    case null, integer, real, text, blob

    /// A declared type that means it.
    var typeName: String {
      switch self {
      case .null, .text: "text"
      case .integer: "integer"
      case .real: "real"
      case .blob: "blob"
      }
    }
  }

  func kind(_ column: Int) -> Kind {
    switch sqlite3_column_type(handle, Int32(column)) {
    case SQLITE_INTEGER: .integer
    case SQLITE_FLOAT: .real
    case SQLITE_TEXT: .text
    case SQLITE_BLOB: .blob
    default: .null
    }
  }

  /// The value as UTF-8, whatever the file's encoding, for as long as the closure runs; numbers as
  /// SQLite prints them. What a file holds may be invalid.
  func withText<Result>(
    _ column: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
  ) rethrows -> Result {
    let start = sqlite3_column_text(handle, Int32(column))
    let count = Int(sqlite3_column_bytes(handle, Int32(column)))
    return try body(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
  }

  // MARK: The statement itself

  var columnCount: Int { Int(sqlite3_column_count(handle)) }

  /// Whether running it changes nothing.
  var isReadOnly: Bool { sqlite3_stmt_readonly(handle) != 0 }

  func columnName(_ column: Int) -> String {
    sqlite3_column_name(handle, Int32(column)).map { String(cString: $0) } ?? ""
  }

  /// The declared type of a column that is one of a table's; nil for other expressions.
  func declaredType(_ column: Int) -> String? {
    sqlite3_column_decltype(handle, Int32(column)).map { String(cString: $0) }
  }

  // MARK: Failing

  private func check(_ code: Int32) throws {
    if code != SQLITE_OK { throw failure }
  }

  private var failure: SQLError {
    SQLiteFailure.error(sqlite3_db_handle(handle), path: path, action: action)
  }
}

/// SAFETY: never written, never freed.
private nonisolated(unsafe) let emptyText: UnsafePointer<CChar> = {
  let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
  byte.initialize(to: 0)
  return UnsafePointer(byte)
}()
