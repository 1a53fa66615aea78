import Foundation
import Planner

/// How the engine is set before the first record of a file. Every case must hold in all of them.
struct CaseConfiguration: CustomStringConvertible, Sendable {
  var batchSize = 2048
  var threads = 2
  /// Optimizer rules that are off.
  var disabled: [String] = []
  /// A `memory_limit` far below the default.
  var memoryLimit: String?
  /// Whether each statement is printed from its AST and parsed again before it runs.
  var reprints = false
  /// Whether the database is in a file, which must hold the same when it is opened again.
  var inFile = false

  var description: String {
    var parts = ["batch size \(batchSize)", "threads \(threads)"]
    if !disabled.isEmpty { parts.append("without \(disabled.joined(separator: ", "))") }
    if let memoryLimit { parts.append("memory limit \(memoryLimit)") }
    if reprints { parts.append("printed and parsed again") }
    if inFile { parts.append("in a file") }
    return parts.joined(separator: ", ")
  }

  /// The names that `skipif` and `onlyif` may use.
  var names: Set<String> {
    var names: Set = ["apus", "batch\(batchSize)", "threads\(threads)"]
    names.formUnion(disabled.map { "without_\($0)" })
    if memoryLimit != nil { names.insert("small_memory") }
    if reprints { names.insert("reprint") }
    if inFile { names.insert("file") }
    return names
  }

  /// The SET statements that bring it about.
  var settings: [String] {
    var settings = ["SET threads = \(threads)", "SET batch_size = \(batchSize)"]
    if !disabled.isEmpty {
      settings.append("SET disabled_optimizers = '\(disabled.joined(separator: ","))'")
    }
    if let memoryLimit { settings.append("SET memory_limit = '\(memoryLimit)'") }
    return settings
  }

  /// Each file runs in these.
  static let always = [
    CaseConfiguration(batchSize: 2048, threads: 1), CaseConfiguration(batchSize: 3, threads: 4),
    CaseConfiguration(inFile: true),
  ]

  /// Each file runs in some of these, other files in others.
  static let rotation: [CaseConfiguration] = {
    let rules = Optimizer.rules.map(\.name)
    return [
      CaseConfiguration(batchSize: 1, threads: 1), CaseConfiguration(reprints: true),
      CaseConfiguration(batchSize: 64, threads: 4),
      CaseConfiguration(disabled: rules),
      CaseConfiguration(batchSize: 1, threads: 4),
      CaseConfiguration(memoryLimit: "128MB"),
    ] + rules.map { CaseConfiguration(disabled: [$0]) }
  }()

  /// How many of the rotation a file gets.
  static let turns = 2

  /// What to run a file in: a few, the same in each run; all with APUS_ALL_CONFIGURATIONS set.
  static func chosen(for path: String) -> [CaseConfiguration] {
    if ProcessInfo.processInfo.environment["APUS_ALL_CONFIGURATIONS"] != nil {
      return always + rotation
    }
    let start = path.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff }
    // A step that shares no divisor with the count reaches all of them, far apart.
    return always + (0..<turns).map { rotation[(start + $0 * 5) % rotation.count] }
  }
}
