import Foundation
import Testing

@testable import Syntax

/// Other people's statements, printed and parsed again. Set APUS_STATEMENTS to a folder of
/// sqllogictest files to run it.
@Suite struct StatementFileTests {
  static let folder = ProcessInfo.processInfo.environment["APUS_STATEMENTS"]

  @Test(.enabled(if: folder != nil)) func printsWhatParsesBack() throws {
    let folder = URL(filePath: Self.folder ?? "")
    let paths = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
    var count = 0
    for path in (paths ?? []).sorted() {
      let url = folder.appending(path: path)
      guard let text = try? String(contentsOf: url, encoding: .utf8) else { continue }
      for sql in Self.statements(of: text) {
        guard let parsed = try? Parser.parseScript(sql) else { continue }
        for statement in parsed {
          count += 1
          let source = String(statement.text(in: sql))
          let once = Printer.sql(statement.statement)
          #expect((try? printed(once)) == once, "\(path): \(source)")
          let lost = try Self.lost(from: source, in: once)
          #expect(lost.isEmpty, "\(path): \(source)\nprinted: \(once)")
        }
      }
    }
    print("\(count) statements printed and parsed again")
  }

  /// The SQL of the records of a sqllogictest file.
  static func statements(of text: String) -> [String] {
    text.split(separator: "\n\n").compactMap { block in
      var lines = block.split(separator: "\n").filter { !$0.hasPrefix("#") }[...]
      while let first = lines.first, first.hasPrefix("skipif") || first.hasPrefix("onlyif") {
        lines.removeFirst()
      }
      guard let first = lines.first, first.hasPrefix("statement") || first.hasPrefix("query") else {
        return nil
      }
      return lines.dropFirst().prefix { !$0.hasPrefix("----") }.joined(separator: "\n")
    }
  }

  /// Names and literals that the source has more often than the printed text.
  static func lost(from source: String, in printed: String) throws -> [String] {
    var counts = try values(of: source)
    for (value, count) in try values(of: printed) { counts[value, default: 0] -= count }
    return counts.filter { $0.value > 0 }.map(\.key).sorted()
  }

  private static func values(of text: String) throws -> [String: Int] {
    var lexer = try Lexer(text)
    var counts: [String: Int] = [:]
    for token in try lexer.statementTokens() {
      let raw = String(decoding: Array(text.utf8)[token.start..<token.end], as: UTF8.self)
      switch token.kind {
      case .word where token.keyword == .notKeyword, .quotedIdentifier:
        counts[raw.lowercased().filter { $0 != "_" && $0 != "\"" }, default: 0] += 1
      case .string, .integer, .decimal, .double:
        counts[raw.lowercased().filter { $0 != "_" && $0 != "'" }, default: 0] += 1
      default: break
      }
    }
    return counts
  }
}
