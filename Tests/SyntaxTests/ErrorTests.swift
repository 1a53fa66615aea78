import Diagnostics
import Testing

@testable import Syntax

@Suite struct ErrorTests {
  @Test(arguments: [
    ("SELECT * FORM t", "FORM", "FROM"), ("SELECT a FORM t", "FORM", "FROM"),
    ("SELECT a FROM t WEHRE x = 1", "WEHRE", "WHERE"), ("SELCT 1", "SELCT", "SELECT"),
    ("INSERT INOT t VALUES (1)", "INOT", "INTO"), ("CREATE TABEL t (a INT)", "TABEL", "TABLE"),
    ("TRAIN MODEL m FORM t", "FORM", "FROM"),
    ("CREATE MODEL m INPUT (a INT) OUTPT (b INT)", "OUTPT", "OUTPUT"),
  ]) func misspelt(_ sql: String, _ word: String, _ meant: String) throws {
    let error = try #require(syntaxError(sql))
    #expect(error.message.hasPrefix("syntax error at or near \"\(word)\""))
    #expect(error.hint?.contains("\"\(meant)\"") == true)
    let span = try #require(error.span)
    #expect(sql.utf8Slice(span) == word)
  }

  @Test(arguments: [
    "SELECT 1 +", "SELECT 'a", "SELECT (1", "SELECT /* a", "CREATE", "SELECT \"a", "SELECT $$a",
  ])
  func incomplete(_ sql: String) { #expect(syntaxError(sql)?.isIncompleteInput == true) }

  @Test(arguments: [
    "SELECT 1 1", "SELECT )", "FOO", "SELECT 1 +;", "SELECT \0", "SELECT 1a", "SELECT `a`",
    "SELECT $0",
  ])
  func wrong(_ sql: String) throws {
    let error = try #require(syntaxError(sql))
    #expect(error.code == .syntax && !error.isIncompleteInput)
  }

  @Test func earlierStatementsRun() throws {
    var parser = try Parser("SELECT 1; SELECT 2; SELECT FROM WHERE; SELECT 'x' # ; SELECT 5")
    #expect(try parser.nextStatement() != nil)
    #expect(try parser.nextStatement() != nil)
    #expect(throws: SQLError.self) { try parser.nextStatement() }
    #expect(throws: SQLError.self) { try parser.nextStatement() }
    #expect(try parser.nextStatement() != nil)
    #expect(try parser.nextStatement() == nil)
  }

  @Test func invalidEncoding() {
    #expect(throws: SQLError.self) { try Lexer.decode([0x53, 0xFF]) }
  }

  @Test func splitting() {
    #expect(StatementSplitter.isComplete("SELECT 1; -- done"))
    #expect(!StatementSplitter.isComplete("SELECT ';"))
    #expect(!StatementSplitter.isComplete("SELECT 1 -- ;"))
    #expect(!StatementSplitter.isComplete("SELECT $$;"))
    #expect(!StatementSplitter.isComplete("/* /* */ ;"))
    let script = "SELECT ';'; ;/* a */ SELECT $$;$$ ; FOO"
    let parts = StatementSplitter.split(script).map { String(script.utf8Slice($0)) }
    #expect(parts == ["SELECT ';'", "SELECT $$;$$", "FOO"])
  }

  @Test(arguments: [
    ("SELECT ", "(", "1", ")"), ("SELECT ", "f(", "1", ")"), ("", "SELECT (", "SELECT 1", ")"),
    ("", "SELECT * FROM (", "SELECT 1", ")"), ("SELECT ", "NOT ", "1", ""),
    ("SELECT ", "- ", "1", ""),
    ("SELECT ", "CASE WHEN ", "1", " THEN 1 END"), ("", "WITH a AS (", "SELECT 1", ") SELECT 1"),
    ("", "EXPLAIN ", "SELECT 1", ""), ("SELECT 1::", "STRUCT(a ", "INT", ")"),
    ("SELECT ", "[", "1", "]"),
    ("SELECT * FROM ", "(t JOIN ", "t", " ON a)"), ("SELECT ", "1 IN (SELECT ", "1", ")"),
    ("SELECT 1", " + 1", "", ""), ("SELECT a", "[1]", "", ""), ("SELECT 1", "::INT", "", ""),
    ("SELECT 1", " UNION SELECT 1", "", ""), ("SELECT * FROM t", " CROSS JOIN t", "", ""),
    ("SELECT 1::INT", "[]", "", ""), ("SELECT 1 GROUP BY ", "GROUPING SETS (", "1", ")"),
    ("", "PREPARE a AS ", "SELECT 1", ""), ("SELECT x", ".f()[1]", "", ""),
    ("SELECT ", "lambda x: ", "1", ""),
  ]) func nestingEndsInAnError(_ parts: (String, String, String, String)) {
    let (head, open, middle, close) = parts
    let count = 20_000
    let sql =
      head + String(repeating: open, count: count) + middle + String(repeating: close, count: count)
    for stack in [512 * 1024, 8 * 1024 * 1024] {
      onStack(of: stack) {
        let error = syntaxError(sql)
        #expect(
          error?.message.contains("the limit is") == true
            || error?.message.contains("longer than") == true)
      }
    }
  }

  @Test func mutationsGiveOnlySQLErrors() {
    var random = SplitMix(state: 20_240_607)
    let fragments = [
      "(", ")", "'", "SELECT", ";", "[", "::", "1", "NULL", "MODEL", "/*", "$$", "\0", "é", "-",
      ".",
    ].map { Array($0.utf8) }
    for _ in 0..<10_000 {
      var bytes = Array((sampleStatements.randomElement(using: &random) ?? "").utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + 8))
        default: bytes.insert(contentsOf: fragments.randomElement(using: &random) ?? [], at: place)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      _ = StatementSplitter.split(text)
      do {
        for statement in try Parser.parseScript(text) {
          let once = Printer.sql(statement.statement)
          #expect(try printed(once) == once, "\(text)")
        }
      } catch {
        #expect(error is SQLError)
      }
    }
  }
}
