import Glibc
import Synchronization

/// The time zones by their names: those of the system's tz database, a few old abbreviations that
/// ICU knows, and fixed distances such as `UTC+3`. UTC is there without a database.
package enum TimeZones {
  private static let loaded = Mutex<[String: TimeZoneRules]>([:])

  /// Where the database is: as the C library has it.
  private static let directory = "/usr/share/zoneinfo"

  /// The zone of that name, whatever its case; nil for an unknown one. Thread-safe; a zone is read
  /// once.
  package static func named(_ name: String) -> TimeZoneRules? {
    let key = name.lowercased()
    if let known = loaded.withLock({ $0[key] }) { return known }
    guard let rules = load(name, key) else { return nil }
    return loaded.withLock { zones in
      if let other = zones[key] { return other }
      // Texts may hold any number of fixed distances; these are cheap to make again.
      if zones.count < 2000 { zones[key] = rules }
      return rules
    }
  }

  private static func load(_ name: String, _ key: String) -> TimeZoneRules? {
    if key == "utc" { return .utc }
    if let alias = abbreviations[key] {
      guard let rules = named(alias) else { return nil }
      return TimeZoneRules(name: name.uppercased(), spans: rules.spans, rule: rules.rule)
    }
    // As a program that starts asks, in the database's own spelling: its hundreds of files are listed
    // for other spellings only.
    if isOfficial(name), let rules = TimeZoneFile.rules("\(directory)/\(name)", name: name) {
      return rules
    }
    if let official = files[key],
      let rules = TimeZoneFile.rules("\(directory)/\(official)", name: official)
    {
      return rules
    }
    return fixed(name, key)
  }

  /// Whether a name may be that of a file of the database, letter for letter.
  private static func isOfficial(_ name: String) -> Bool {
    let parts = name.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
    return parts.count <= 4 && name != "Factory" && !name.utf8.contains(0)
      && parts.allSatisfy { part in
        guard let first = part.first else { return false }
        return first >= 0x41 && first <= 0x5A && !part.contains(0x2E)
      }
  }

  /// `UTC+3`, `GMT-03:30`, `Etc/GMT-3` where there is no database: hours (and minutes) ahead of UTC.
  private static func fixed(_ name: String, _ key: String) -> TimeZoneRules? {
    guard key.hasPrefix("utc") || key.hasPrefix("gmt") else { return nil }
    let rest = Array(key.utf8.dropFirst(3))
    guard let sign = rest.first, sign == 0x2B || sign == 0x2D else { return nil }
    let parts = rest.dropFirst().split(separator: 0x3A, omittingEmptySubsequences: false)
    guard
      parts.count <= 3,
      parts.allSatisfy({ (1...2).contains($0.count) && $0.allSatisfy { $0 &- 0x30 < 10 } })
        || (parts.count == 1 && parts[0].count <= 4 && parts[0].count >= 1
          && parts[0].allSatisfy { $0 &- 0x30 < 10 })
    else { return nil }
    var numbers = parts.map { $0.reduce(0) { $0 * 10 + Int($1 - 0x30) } }
    if parts.count == 1, parts[0].count > 2 { numbers = [numbers[0] / 100, numbers[0] % 100] }
    while numbers.count < 3 { numbers.append(0) }
    guard numbers[0] <= 23, numbers[1] < 60, numbers[2] < 60 else { return nil }
    let seconds = numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
    if key.hasPrefix("utc"), seconds % 3600 == 0 {
      // Whole hours are zones of the database, whose sign is the other way round.
      let hours = sign == 0x2D ? -numbers[0] : numbers[0]
      guard hours >= -12, hours <= 14 else { return nil }
      let official = hours == 0 ? "UTC" : "Etc/GMT\(hours > 0 ? "-" : "+")\(abs(hours))"
      return TimeZoneRules(official, offset: hours * 3600)
    }
    return TimeZoneRules(
      name.uppercased(), offset: sign == 0x2D ? -seconds : seconds)
  }

  /// The names of all zones, sorted.
  package static let names: [String] = {
    let others = abbreviations.keys.map { $0.uppercased() }
    return (files.values + others + (files["utc"] == nil ? ["UTC"] : [])).sorted()
  }()

  /// Official names by those in lower case.
  private static let files: [String: String] = {
    var found: [String: String] = [:]
    collect("", into: &found, depth: 0)
    return found
  }()

  private static func collect(_ folder: String, into found: inout [String: String], depth: Int) {
    guard depth < 4, let entries = opendir(folder.isEmpty ? directory : "\(directory)/\(folder)")
    else { return }
    defer { closedir(entries) }
    while let entry = readdir(entries) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      // Zones begin with a capital; the rest are lists, and other forms of the same zones.
      guard let first = name.utf8.first, first >= 0x41, first <= 0x5A, !name.utf8.contains(0x2E)
      else { continue }
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      var status = stat()
      guard stat("\(directory)/\(path)", &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        collect(path, into: &found, depth: depth + 1)
      } else if path != "Factory" {
        found[path.lowercased()] = path
      }
    }
  }

  /// Three letters that ICU knows as zones, beyond the database's own (EST, MST, HST, …).
  private static let abbreviations: [String: String] = [
    "act": "Australia/Darwin", "aet": "Australia/Sydney", "agt": "America/Argentina/Buenos_Aires",
    "art": "Africa/Cairo", "ast": "America/Anchorage", "bet": "America/Sao_Paulo",
    "bst": "Asia/Dhaka", "cat": "Africa/Maputo", "cnt": "America/St_Johns",
    "cst": "America/Chicago", "ctt": "Asia/Shanghai", "eat": "Africa/Addis_Ababa",
    "ect": "Europe/Paris", "iet": "America/Indiana/Indianapolis", "ist": "Asia/Kolkata",
    "jst": "Asia/Tokyo", "mit": "Pacific/Apia", "net": "Asia/Yerevan", "nst": "Pacific/Auckland",
    "plt": "Asia/Karachi", "pnt": "America/Phoenix", "prt": "America/Puerto_Rico",
    "pst": "America/Los_Angeles", "sst": "Pacific/Guadalcanal", "vst": "Asia/Ho_Chi_Minh",
  ]

  // MARK: The system's

  /// What TZ or /etc/localtime say, else UTC.
  package static let system: TimeZoneRules = {
    if let text = getenv("TZ").map({ String(cString: $0) }), !text.isEmpty {
      let name = text.hasPrefix(":") ? String(text.dropFirst()) : text
      return named(name) ?? .utc
    }
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink("/etc/localtime", &buffer, buffer.count)
    if length > 0 {
      let path = String(
        decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let parts = path.split(separator: "/")
      if let place = parts.lastIndex(of: "zoneinfo") {
        let name = parts[(place + 1)...].joined(separator: "/")
        if let zone = named(name) { return zone }
      }
    }
    return .utc
  }()
}
