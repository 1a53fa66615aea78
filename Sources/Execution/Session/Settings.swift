import Columnar
import Diagnostics
import Glibc
import Planner

/// What SET changes, for one connection.
package struct Settings: Sendable {
  package var threads = WorkerPool.processorCount
  package var batchSize = EngineLimits.batchRows
  /// Bytes.
  package var memoryLimit = Settings.defaultMemoryLimit
  /// nil: where the system has temporary files.
  package var temporaryDirectory: String?
  /// Bytes; nil: nine tenths of what is free there.
  package var temporaryLimit: Int?
  package var integerDivision = false
  /// Milliseconds.
  package var busyTimeout = 5_000
  package var timeZone = TimeZones.system
  package var disabledRules: Set<String> = []
  package var defaultOrder = DefaultOrder()
  /// Keys of schemas where names are looked up; new objects go to the first.
  package var searchPath = ["main"]
  /// What was set of the settings that are known but change nothing, by name.
  package var withoutEffect: [String: String] = [:]
  /// Names of the settings that SET has set for this connection: what the database keeps does not
  /// count for them.
  var own: Set<String> = []

  package init() {
    if let text = getenv("APUS_THREADS"), let count = Int(String(cString: text)), count > 0 {
      threads = min(count, 256)
    }
  }

  static let restOfDisk = "90% of available disk space"

  /// 80 % of the machine's memory.
  static var defaultMemoryLimit: Int {
    let pages = sysconf(Int32(_SC_PHYS_PAGES))
    let size = sysconf(Int32(_SC_PAGESIZE))
    return pages > 0 && size > 0 ? pages / 5 * 4 * size : 8 << 30
  }
}

/// One setting: its name, what it does, how it is read and set. One row each.
package struct Setting: Sendable {
  package let name: String
  package let aliases: [String]
  package let summary: String
  /// BIGINT, BOOLEAN or VARCHAR: what `read` spells.
  package let type: LogicalType
  /// The name of the setting that SET GLOBAL keeps in the database: nil when it belongs to the
  /// process, or to the machine that it runs on.
  let storedAs: String?
  package let read: @Sendable (Settings) -> String
  let write: @Sendable (inout Settings, _ text: String) throws -> Void

  init(
    name: String, aliases: [String], summary: String, type: LogicalType = .varchar,
    storedAs: String? = nil,
    read: @escaping @Sendable (Settings) -> String,
    write: @escaping @Sendable (inout Settings, _ text: String) throws -> Void
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.type = type
    self.storedAs = storedAs
    self.read = read
    self.write = write
  }

  /// Settings with an effect, then those that scripts for other engines set.
  package static let rows: [Setting] = effective + KnownSettings.rows

  private static let effective: [Setting] = [
    Setting(
      name: "batch_size", aliases: [], summary: "rows per batch, 1 to 65536", type: .bigint,
      read: { "\($0.batchSize)" },
      write: { $0.batchSize = try integer($1, "batch_size", 1...65_536) }),
    Setting(
      name: "busy_timeout", aliases: [],
      summary: "how long a writer waits for another one of the same file, in milliseconds",
      type: .bigint,
      read: { "\($0.busyTimeout)" },
      write: { $0.busyTimeout = try integer($1, "busy_timeout", 0...86_400_000) }),
    Setting(
      name: "default_null_order", aliases: ["null_order"],
      summary: "where ORDER BY puts NULL: nulls_last, nulls_first, or by the direction",
      storedAs: "default_null_order",
      read: { $0.defaultOrder.nulls.rawValue },
      write: { $0.defaultOrder.nulls = try nullOrder($1) }),
    Setting(
      name: "default_order", aliases: [],
      summary: "the order of a key that says neither: ASC, DESC", storedAs: "default_order",
      read: { $0.defaultOrder.isDescending ? "DESCENDING" : "ASCENDING" },
      write: { settings, text in
        switch text.lowercased() {
        case "asc", "ascending": settings.defaultOrder.isDescending = false
        case "desc", "descending": settings.defaultOrder.isDescending = true
        default:
          throw SQLError(.invalidInput, "default_order takes ASC or DESC, not '\(text)'")
        }
      }),
    Setting(
      name: "disabled_optimizers", aliases: [], summary: "optimizer rules left out, by name",
      read: { $0.disabledRules.sorted().joined(separator: ",") },
      write: { settings, text in
        settings.disabledRules = Set(
          text.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty })
      }),
    Setting(
      name: "integer_division", aliases: [], summary: "whether / of integers divides integers",
      type: .boolean, storedAs: "integer_division",
      read: { "\($0.integerDivision)" },
      write: { $0.integerDivision = try boolean($1, "integer_division") }),
    Setting(
      name: "max_temp_directory_size", aliases: [],
      summary: "what queries may write to temp_directory: '20GB'",
      read: { $0.temporaryLimit.map(bytesText) ?? Settings.restOfDisk },
      write: { settings, text in
        if text == Settings.restOfDisk || text == "-1" {
          settings.temporaryLimit = nil
        } else {
          settings.temporaryLimit = try bytes(text, "max_temp_directory_size", from: 0)
        }
      }),
    Setting(
      name: "memory_limit", aliases: ["max_memory"],
      summary: "what queries may hold in memory before they write to disk: '2GB', '512MiB'",
      read: { bytesText($0.memoryLimit) },
      write: { $0.memoryLimit = try bytes($1, "memory_limit", from: 1) }),
    Setting(
      name: "schema", aliases: [], summary: "the schema of names without one",
      storedAs: "search_path",
      read: { $0.searchPath.first ?? "main" },
      write: { $0.searchPath = [$1] }),
    Setting(
      name: "search_path", aliases: [], summary: "schemas where names without one are looked up",
      storedAs: "search_path",
      read: { $0.searchPath.joined(separator: ",") },
      write: { settings, text in
        settings.searchPath = text.split(separator: ",").map { $0.filter { $0 != " " } }
      }),
    Setting(
      name: "temp_directory", aliases: [], summary: "where queries write what memory cannot hold",
      read: { $0.temporaryDirectory ?? SpillSpace.systemDirectory },
      write: { $0.temporaryDirectory = $1.isEmpty ? nil : $1 }),
    Setting(
      name: "TimeZone", aliases: ["timezone"],
      summary: "the zone that TIMESTAMPTZ is shown and read in", storedAs: "TimeZone",
      read: { $0.timeZone.name },
      write: { $0.timeZone = try timeZone($1) }),
    Setting(
      name: "threads", aliases: ["worker_threads"], summary: "workers of a query, 1 to 256",
      type: .bigint,
      read: { "\($0.threads)" },
      write: { $0.threads = try integer($1, "threads", 1...256) }),
  ]

  package static func named(_ name: String) -> Setting? {
    let key = name.lowercased()
    if let row = rows.first(where: { $0.name == key || $0.aliases.contains(key) }) { return row }
    // Switches of other engines' own tests.
    return key.hasPrefix("debug_") ? KnownSettings.row(key, "") : nil
  }

  private static func integer(_ text: String, _ name: String, _ range: ClosedRange<Int>) throws
    -> Int
  {
    guard let value = Int(text), range.contains(value) else {
      throw SQLError(
        .invalidInput,
        "\(name) takes an integer from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
    }
    return value
  }

  private static func nullOrder(_ text: String) throws -> DefaultOrder.Nulls {
    let key = text.lowercased().split(separator: " ").joined(separator: "_")
    switch key {
    case "first", "nulls_first": return .first
    case "last", "nulls_last": return .last
    case "sqlite", "mysql", "nulls_first_on_asc_last_on_desc": return .smallest
    case "postgres", "nulls_last_on_asc_first_on_desc": return .largest
    default:
      throw SQLError(
        .invalidInput, "default_null_order does not take '\(text)'",
        hint: DefaultOrder.Nulls.allCases.map(\.rawValue).joined(separator: ", "))
    }
  }

  private static func boolean(_ text: String, _ name: String) throws -> Bool {
    switch text.lowercased() {
    case "true", "on", "1", "yes": return true
    case "false", "off", "0", "no": return false
    default: throw SQLError(.invalidInput, "\(name) takes true or false, not '\(text)'")
    }
  }

  private static func timeZone(_ text: String) throws -> TimeZoneRules {
    if ["default", "local"].contains(text.lowercased()) { return TimeZones.system }
    if let zone = TimeZones.named(text) { return zone }
    throw SQLError(
      .invalidInput, "there is no time zone '\(text)'",
      hint: didYouMean(text, among: TimeZones.names))
  }

  private static let units: [(String, Int)] = [
    ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40), ("kb", 1_000),
    ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000), ("b", 1),
  ]

  static func bytes(_ text: String, _ name: String, from least: Int) throws -> Int {
    let lower = text.lowercased().filter { $0 != " " }
    for (unit, size) in units where lower.hasSuffix(unit) {
      if let number = Double(lower.dropLast(unit.count)), number >= 0,
        number * Double(size) < 9e18, number * Double(size) >= Double(least)
      {
        return Int(number * Double(size))
      }
    }
    throw SQLError(
      .invalidInput, "\(name) takes a size with a unit, not '\(text)'", hint: "'2GB', '512MiB'")
  }

  private static func bytesText(_ bytes: Int) -> String {
    let tenths = bytes / ((1 << 30) / 10)
    if bytes >= 1 << 30 { return "\(tenths / 10).\(tenths % 10) GiB" }
    if bytes > 0 && bytes < 1 << 20 { return "\(bytes >> 10).\(((bytes & 1023) * 10) >> 10) KiB" }
    return "\(bytes >> 20) MiB"
  }
}
