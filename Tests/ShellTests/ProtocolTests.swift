import Foundation
import Testing

/// `--protocol jsonl`, line by line.
@Suite struct ProtocolTests {
  /// The answers to these lines, without their times; the program must end well.
  private func answers(to lines: [String]) throws -> [String] {
    let outcome = try ShellProcess.run(
      ["--protocol", "jsonl"], input: Data((lines.joined(separator: "\n") + "\n").utf8))
    #expect(outcome.status == 0)
    return outcome.output.split(separator: "\n").map { line in
      String(line.replacing(/,"elapsed_ms":[0-9]+(\.[0-9]+)?/, with: ""))
    }
  }

  @Test func resultsOfAllKinds() throws {
    let given = try answers(to: [
      #"{"sql":"SELECT 1 AS a, NULL::VARCHAR AS b, 'x\u00e9\ud83d\ude00\n' AS c, true AS d"}"#,
      #"{"sql":"CREATE TABLE t (a INTEGER)"}"#,
      #"{"sql":"INSERT INTO t VALUES (1), (2)"}"#,
      #"{"sql":"SELECT * FROM t WHERE a > 9", "other":[1,{"b":[null,true,-1.5e3]}]}"#,
      #"  {"sql":"SELECT 1 AS x; SELECT 0.1::DOUBLE AS y, 1e20::DOUBLE AS z, 1.5::DECIMAL(9,2) AS d"}  "#,
    ])
    #expect(
      given == [
        #"{"columns":["a","b","c","d"],"types":["INTEGER","VARCHAR","VARCHAR","BOOLEAN"],"rows":[["1",null,"xé😀\n","true"]]}"#,
        #"{"columns":[],"types":[],"rows":[]}"#,
        #"{"columns":["Count"],"types":["BIGINT"],"rows":[["2"]]}"#,
        #"{"columns":["a"],"types":["INTEGER"],"rows":[]}"#,
        #"{"columns":["y","z","d"],"types":["DOUBLE","DOUBLE","DECIMAL(9,2)"],"rows":[["0.1","1e+20","1.50"]]}"#,
      ])
  }

  @Test(arguments: [
    "garbage", "{", "{}", "[]", "null", "\"sql\"", #"{"sql":3}"#, #"{"sql":null}"#,
    #"{"sql":"SELECT 1"#,
    #"{"sql":"SELECT 1"}}"#, #"{"sql":"\x"}"#, #"{"sql":"\u12"}"#, #"{"sql" "SELECT 1"}"#,
    #"{"sql":"SELECT 1",}"#, #"{"a":01,"sql":"SELECT 1"}"#, "{\"sql\":\"SELECT\u{1}1\"}",
    #"{'sql':'SELECT 1'}"#, #"{"a":tru,"sql":"SELECT 1"}"#, #"{"sql":"SELECT 1"} x"#,
  ])
  func linesThatAreNoRequests(line: String) throws {
    let given = try answers(to: [line, #"{"sql":"SELECT 1 AS a"}"#])
    #expect(given.count == 2)
    #expect(given.first?.hasPrefix("{\"error\":\"") == true)
    #expect(given.last == #"{"columns":["a"],"types":["INTEGER"],"rows":[["1"]]}"#)
  }

  @Test func bytesThatAreNoText() throws {
    var input = Data(#"{"sql":"SELECT '"#.utf8) + Data([0xff, 0xc0, 0x80]) + Data(#"'"}"#.utf8)
    input += Data([0x0a, 0x00, 0xfe, 0x0a]) + Data(repeating: UInt8(ascii: "["), count: 100_000)
    input += Data("\n\n   \n{\"a\":".utf8) + Data(repeating: UInt8(ascii: "["), count: 100_000)
    input += Data("\n{\"sql\":\"SELECT 1 AS a\"}".utf8)
    let outcome = try ShellProcess.run(["--protocol", "jsonl"], input: input)
    #expect(outcome.status == 0)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 5)
    for line in lines.dropLast() { #expect(line.hasPrefix("{\"error\":")) }
    #expect(lines.last?.contains(#""rows":[["1"]]"#) == true)
  }

  @Test func longLines() throws {
    let text = String(repeating: "é", count: 2_000_000)
    let given = try answers(to: ["{\"sql\":\"SELECT length('\(text)') AS n\"}"])
    #expect(given == [#"{"columns":["n"],"types":["BIGINT"],"rows":[["2000000"]]}"#])
  }

  @Test func failuresNameTheirPlace() throws {
    let given = try answers(to: [#"{"sql":"SELECT 1;\nSELECT nope FROM range(1)"}"#])
    #expect(given.count == 1)
    #expect(given.first?.contains(#""line":2,"column":8"#) == true)
    #expect(given.first?.contains("nope") == true)
  }

  @Test func threadsComeFromTheEnvironment() throws {
    let outcome = try ShellProcess.run(
      ["--protocol", "jsonl"], input: Data(#"{"sql":"SELECT 1 AS a"}"#.utf8),
      environment: ["APUS_THREADS": "1"])
    #expect(outcome.output.contains(#""rows":[["1"]]"#))
  }
}
