import CSQLite
import Diagnostics

/// Reads one blob after another of a column by pieces, straight into memory of the caller: no row is
/// assembled, and nothing is copied twice. It must end before the transaction that it reads in.
///
/// SAFETY: as `SQLiteConnection`.
struct BlobReader: ~Copyable, @unchecked Sendable {
  private let handle: OpaquePointer
  private let connection: OpaquePointer
  private let path: String

  /// Opens the blob of the row with this number.
  init(_ connection: borrowing SQLiteConnection, table: String, column: String, row: Int64) throws {
    var opened: OpaquePointer?
    let code = sqlite3_blob_open(connection.handle, "main", table, column, row, 0, &opened)
    guard code == SQLITE_OK, let opened else {
      throw BlobReader.failure(code, connection.handle, connection.path, row)
    }
    handle = opened
    self.connection = connection.handle
    path = connection.path
  }

  deinit { sqlite3_blob_close(handle) }

  /// Goes to the blob of another row. After an error the reader is of no more use.
  func move(to row: Int64) throws {
    let code = sqlite3_blob_reopen(handle, row)
    if code != SQLITE_OK { throw BlobReader.failure(code, connection, path, row) }
  }

  var byteCount: Int { Int(sqlite3_blob_bytes(handle)) }

  /// Fills `target` with the bytes from `offset` on; an error when there are fewer.
  func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws {
    guard target.count > 0 else { return }
    guard let start = target.baseAddress, let count = Int32(exactly: target.count),
      let place = Int32(exactly: offset)
    else { throw SQLError(.outOfRange, "a blob of \"\(path)\" has at most 2 GB") }
    let code = sqlite3_blob_read(handle, start, count, place)
    if code != SQLITE_OK { throw BlobReader.failure(code, connection, path, 0) }
  }

  private static func failure(
    _ code: Int32, _ connection: OpaquePointer, _ path: String, _ row: Int64
  ) -> SQLError {
    if code & 0xFF == SQLITE_ERROR {
      return SQLError(.io, "cannot read \"\(path)\": the file is damaged (no blob \(row))")
    }
    return SQLiteFailure.error(connection, path: path, action: "read")
  }
}
