import Diagnostics
import Glibc

/// File names with `*`, `?`, `[..]` and `**`.
package enum FileGlob {
  package static func isPattern(_ path: String) -> Bool {
    path.utf8.contains { $0 == 0x2A || $0 == 0x3F || $0 == 0x5B }
  }

  /// The files that match, sorted by bytes. A name without wildcards is given back unchecked, so
  /// that opening it can say what is wrong. `**` stands for any number of directories.
  package static func expand(_ pattern: String) throws -> [String] {
    if !isPattern(pattern) || access(pattern, F_OK) == 0 { return [pattern] }
    let isAbsolute = pattern.hasPrefix("/")
    let parts = pattern.split(separator: "/").map(String.init)
    var found: Set<String> = []
    walk(isAbsolute ? "/" : "", parts[...], &found, depth: 0)
    if found.isEmpty { throw noMatch(pattern) }
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func walk(
    _ directory: String, _ parts: ArraySlice<String>, _ found: inout Set<String>, depth: Int
  ) {
    guard let part = parts.first, depth < 64 else { return }
    let rest = parts.dropFirst()
    if part == "**" {
      walk(directory, rest.isEmpty ? ["*"] : rest, &found, depth: depth + 1)
      for name in names(in: directory) where !name.hasPrefix(".") {
        let path = directory + name
        if kind(path, followingLinks: false) == .directory {
          walk(path + "/", parts, &found, depth: depth + 1)
        }
      }
      return
    }
    if !isPattern(part) {
      step(directory + part, rest, &found, depth)
      return
    }
    for name in names(in: directory) {
      if name.hasPrefix(".") && !part.hasPrefix(".") { continue }
      if fnmatch(part, name, 0) == 0 { step(directory + name, rest, &found, depth) }
    }
  }

  private static func step(
    _ path: String, _ rest: ArraySlice<String>, _ found: inout Set<String>, _ depth: Int
  ) {
    let kind = kind(path, followingLinks: true)
    if rest.isEmpty {
      if kind == .file { found.insert(path) }
    } else if kind == .directory {
      walk(path + "/", rest, &found, depth: depth + 1)
    }
  }

  private enum Kind { case file, directory, missing }

  private static func kind(_ path: String, followingLinks: Bool) -> Kind {
    var status = stat()
    guard (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 else {
      return .missing
    }
    return status.st_mode & S_IFMT == S_IFDIR ? .directory : .file
  }

  private static func names(in directory: String) -> [String] {
    guard let stream = opendir(directory.isEmpty ? "." : directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  private static func noMatch(_ pattern: String) -> SQLError {
    SQLError(.io, "no files found that match the pattern \"\(pattern)\"")
  }
}
