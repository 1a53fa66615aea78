import Apus
import Foundation

// What the tests of database files share.

/// `body` with the path of a file that is not there yet, in a folder that goes afterwards.
func withFile(_ body: (String) throws -> Void) throws {
  let folder = try Project.makeScratchFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.appending(path: "test.db").path)
}

/// The first value of a query's first row, as text.
func value(_ connection: Connection, _ sql: String) throws -> String? {
  try connection.execute(sql).rows().first?.first ?? nil
}

/// What an error says; "(no error)" without one.
func failure(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "(no error)"
  } catch {
    return "\(error)"
  }
}
