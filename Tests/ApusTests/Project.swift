import Foundation

/// Where the tests find the project's files.
enum Project {
  /// The folder of Package.swift.
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static let updatesGoldens = ProcessInfo.processInfo.environment["APUS_UPDATE_GOLDENS"] != nil

  /// Files below a folder by their relative paths, in order.
  static func files(in folder: URL, ending suffix: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
    return (all ?? []).filter { $0.hasSuffix(suffix) }.sorted()
  }

  /// A new, empty folder of its own.
  static func makeScratchFolder() throws -> URL {
    let url = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }
}
