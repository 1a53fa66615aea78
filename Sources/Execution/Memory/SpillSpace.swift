import CSystem
import Diagnostics
import Glibc
import Synchronization

/// Where a database's statements put rows that do not fit into memory: the directory, how much may
/// lie there, and how much does.
package final class SpillSpace: Sendable {
  private struct State {
    /// nil: where the system keeps temporary files.
    var directory: String?
    /// nil: nine tenths of what is free there when the first file is made.
    var limit: Int?
    /// What `limit` nil has come to.
    var restOfDisk: Int?
    var used = 0
    var written = 0
    /// By the number that `open` gave.
    var files: [Int: (path: String, size: Int)] = [:]
    var opened = 0
  }

  private let state = Mutex(State())

  package init() {}

  package var directory: String? {
    get { state.withLock { $0.directory } }
    set { state.withLock { $0.directory = newValue } }
  }

  /// Bytes; nil while none was chosen.
  package var limit: Int? {
    get { state.withLock { $0.limit } }
    set { state.withLock { $0.limit = newValue } }
  }

  package var used: Int { state.withLock { $0.used } }

  /// Bytes ever written.
  package var written: Int { state.withLock { $0.written } }

  /// The files that exist now, by path.
  package var files: [(path: String, size: Int)] {
    state.withLock { $0.files.values.sorted { $0.path < $1.path } }
  }

  /// Where files are made while none was chosen: TMPDIR, then directories that are on disk on most
  /// systems, as SQLite looks for one.
  package static var systemDirectory: String {
    if let given = getenv("TMPDIR") {
      let path = String(cString: given)
      if !path.isEmpty && access(path, W_OK) == 0 { return path }
    }
    return access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp"
  }

  /// A new file, unlinked at once: nothing stays behind however the process ends.
  func open() throws -> (descriptor: Int32, number: Int) {
    let directory = directory ?? SpillSpace.systemDirectory
    var status = stat()
    if stat(directory, &status) != 0 && mkdir(directory, 0o700) != 0 {
      throw SpillSpace.cannotUse(directory, errno)
    }
    var path = Array((directory + "/apus-spill-XXXXXX").utf8CString)
    let descriptor = mkostemp(&path, O_CLOEXEC)
    if descriptor < 0 { throw SpillSpace.cannotUse(directory, errno) }
    unlink(path)
    let name = path.withUnsafeBufferPointer { bytes in
      bytes.baseAddress.map { String(cString: $0) } ?? directory
    }
    var volume = statvfs()
    let hasVolume = fstatvfs(descriptor, &volume) == 0
    let number = state.withLock { state in
      if hasVolume {
        let free = UInt64(volume.f_bavail).multipliedReportingOverflow(by: UInt64(volume.f_frsize))
        // What is used already is no longer free.
        state.restOfDisk =
          free.overflow ? nil : Int(clamping: min(free.partialValue, 1 << 60) / 10 * 9) + state.used
      }
      state.opened += 1
      state.files[state.opened] = (name, 0)
      return state.opened
    }
    return (descriptor, number)
  }

  /// Takes room for `bytes` more in a file; an error when the directory's limit forbids it.
  func take(_ bytes: Int, file: Int) throws {
    try state.withLock { state in
      if let limit = state.limit ?? state.restOfDisk, state.used + bytes > limit {
        throw SpillSpace.full(used: state.used, limit: limit)
      }
      state.used += bytes
      state.written += bytes
      state.files[file]?.size += bytes
    }
  }

  func give(_ bytes: Int, file: Int) {
    state.withLock { state in
      state.used -= bytes
      state.files[file]?.size -= bytes
    }
  }

  func close(file: Int) {
    state.withLock { state in
      state.used -= state.files.removeValue(forKey: file)?.size ?? 0
    }
  }

  private static func cannotUse(_ directory: String, _ error: Int32) -> SQLError {
    SQLError(
      .io, "no temporary file can be made in \"\(directory)\": \(String(cString: strerror(error)))",
      hint: "the query needs more than memory_limit: raise it, or SET temp_directory = '…'")
  }

  private static func full(used: Int, limit: Int) -> SQLError {
    SQLError(
      .outOfMemory,
      "the query needs more temporary space than max_temp_directory_size: "
        + "\(used >> 20) of \(limit >> 20) MiB are in use",
      hint: "raise max_temp_directory_size or memory_limit")
  }
}
