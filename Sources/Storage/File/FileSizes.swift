import Glibc

/// What a database file takes on disk.
package struct FileSizes: Sendable {
  package let name: String
  package let byteCount: Int
  /// Of the log beside it.
  package let logByteCount: Int
  package let pageSize: Int
  package let pages: Int
  /// Pages that nothing uses: VACUUM gives them back.
  package let freePages: Int

  /// What cannot be read counts as 0.
  package init(name: String, file: DatabaseFile) {
    self.name = name
    byteCount = FileSizes.size(file.path)
    logByteCount = FileSizes.size(file.path + "-wal")
    var found = [0, 0, 0]
    if let session = try? file.take() {
      for (index, pragma) in ["page_size", "page_count", "freelist_count"].enumerated() {
        found[index] = Int(clamping: (try? session.connection.integer("PRAGMA \(pragma)")) ?? 0)
      }
      file.give(session)
    }
    (pageSize, pages, freePages) = (found[0], found[1], found[2])
  }

  private static func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}
