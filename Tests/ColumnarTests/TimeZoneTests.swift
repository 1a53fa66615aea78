import Glibc
import Testing

@testable import Columnar

@Suite struct TimeZoneTests {
  /// Version 2 with two transitions and a rule: winter, summer from 2000-03-26, then CET by the rule.
  private static let small: [UInt8] = {
    func big(_ value: Int64, _ width: Int) -> [UInt8] {
      (0..<width).map { UInt8(truncatingIfNeeded: value >> Int64((width - 1 - $0) * 8)) }
    }
    let first =
      Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
      + [0, 0, 0, 0, 1, 1].flatMap { big($0, 4) } + big(0, 4) + [0, 0, 0]
    let header =
      Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
      + [0, 0, 0, 2, 2, 9].flatMap { big($0, 4) }
    let body =
      big(954_032_400, 8) + big(972_781_200, 8) + [1, 0] + big(3600, 4) + [0, 0] + big(7200, 4)
      + [1, 4] + Array("CET\0CEST\0".utf8)
    return first + header + body + Array("\nCET-1CEST,M3.5.0,M10.5.0/3\n".utf8)
  }()

  @Test func aFileGivesItsTransitionsAndThenItsRule() throws {
    let zone = try #require(TimeZoneFile.rules(Self.small, name: "Small"))
    #expect(zone.span(at: 0).offset == 3600)
    #expect(zone.span(at: 954_032_399).offset == 3600)
    #expect(zone.span(at: 954_032_400).offset == 7200)
    #expect(zone.span(at: 972_781_200).offset == 3600)
    // 2100-03-28 01:00:00 UTC, and the last Sunday of October.
    #expect(zone.span(at: 4_109_878_799).offset == 3600)
    #expect(zone.span(at: 4_109_878_800).offset == 7200)
    #expect(zone.span(at: 4_109_878_800).abbreviation == "CEST")
    #expect(zone.span(at: 4_109_878_800).end == 4_128_627_600)
  }

  @Test func aSkippedTimeIsBeforeTheChangeAndARepeatedOneBehindIt() throws {
    let zone = try #require(TimeZoneFile.rules(Self.small, name: "Small"))
    // 2000-03-26 02:30 and 2000-10-29 02:30.
    #expect(zone.span(atLocal: 954_037_800).offset == 3600)
    #expect(zone.span(atLocal: 972_786_600).offset == 3600)
    var cursor = ZoneCursor(zone)
    #expect(cursor.instant(972_786_600_000_000) == 972_783_000_000_000)
    #expect(cursor.local(972_783_000_000_000) == 972_786_600_000_000)
    #expect(cursor.instant(.max) == .max)
  }

  @Test func damagedFilesAreRefusedOrRead() {
    for length in 0..<Self.small.count {
      _ = TimeZoneFile.rules(Array(Self.small.prefix(length)), name: "x")
    }
    var state: UInt64 = 1
    for _ in 0..<20_000 {
      var bytes = Self.small
      for _ in 0..<4 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 24)
      }
      guard let zone = TimeZoneFile.rules(bytes, name: "x") else { continue }
      var cursor = ZoneCursor(zone)
      for instant: Int64 in [.min, -1, 0, 4_109_878_800_000_000, .max - 1] {
        _ = cursor.local(instant)
        _ = cursor.instant(instant)
      }
    }
  }

  @Test(arguments: [
    ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 37_800, 39_600),
    ("IST-1GMT0,M10.5.0,M3.5.0/1", 3600, 0), ("EST5EDT4,J60/0,365/25", -18_000, -14_400),
  ])
  func rulesOfPosixAreRead(text: String, standard: Int, daylight: Int) throws {
    let rule = try #require(PosixZoneRule(text.utf8))
    #expect(rule.standardOffset == standard)
    #expect(rule.daylight?.offset == daylight)
  }

  @Test(arguments: [
    "", "E5", "CET", "CET-1CEST,M3.5", "CET-1CEST,M13.1.0,M10.5.0", "CET-99", "<+1",
  ])
  func whatIsNoRuleIsRefused(text: String) { #expect(PosixZoneRule(text.utf8) == nil) }

  @Test func zonesAreFoundWhateverTheirCase() throws {
    #expect(TimeZones.named("utc")?.name == "UTC")
    #expect(TimeZones.named("UTC+3")?.span(at: 0).offset == 10_800)
    #expect(TimeZones.named("gmt-03:30")?.span(at: 0).offset == -12_600)
    for name in ["", "../../etc/passwd", "Europe", "UTC+", "UTC+99", "Europe/Berlin\0x", "+02"] {
      #expect(TimeZones.named(name) == nil)
    }
    guard access("/usr/share/zoneinfo/Europe/Berlin", F_OK) == 0 else { return }
    #expect(TimeZones.named("EUROPE/berlin")?.name == "Europe/Berlin")
    for name in TimeZones.names { #expect(TimeZones.named(name) != nil) }
  }
}
