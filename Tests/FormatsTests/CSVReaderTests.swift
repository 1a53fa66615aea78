import Columnar
import Diagnostics
import Formats
import Glibc
import Testing

/// Files under a directory of their own, removed at the end.
final class ScratchFiles {
  let directory: String
  init() {
    var template = Array("/tmp/apus-csv-XXXXXX".utf8CString)
    directory = template.withUnsafeMutableBufferPointer {
      $0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/tmp"
    }
  }
  deinit { for path in (try? FileGlob.expand(directory + "/**")) ?? [] { unlink(path) } }

  func write(_ name: String, _ text: String) -> String { write(name, Array(text.utf8)) }

  func write(_ name: String, _ bytes: [UInt8]) -> String {
    let path = directory + "/" + name
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    var offset = 0
    while offset < bytes.count {
      offset += bytes.withUnsafeBytes {
        Glibc.write(file, $0.baseAddress.map { $0 + offset }, bytes.count - offset)
      }
    }
    close(file)
    return path
  }
}

typealias Arguments = [(name: String, value: Value, type: LogicalType)]

/// All rows as texts joined by `|`, read with partitions in order.
func rows(_ source: CSVSource, columns: [Int]? = nil, batchRows: Int = 2048) throws -> [String] {
  let scan = try source.scan(
    columns: columns ?? Array(source.schema.indices), filters: [], batchRows: batchRows)
  var result: [String] = []
  for partition in 0..<scan.partitionCount {
    guard let reader = try scan.open(partition) else { continue }
    while let batch = try reader.next() {
      #expect(batch.rowCount > 0)
      for row in 0..<batch.rowCount {
        var buffer = TextBuffer()
        for (position, column) in batch.columns.enumerated() {
          if position > 0 { buffer.append("|") }
          ValueText.append(column, row: row, to: &buffer)
        }
        result.append(buffer.string)
      }
    }
  }
  return result
}

func read(_ text: String, _ options: Arguments = []) throws -> (types: String, rows: [String]) {
  let files = ScratchFiles()
  let source = try CSVSource(paths: [files.write("a.csv", text)], options: options)
  let types = source.schema.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
  return try (types, rows(source))
}

@Suite struct CSVReaderTests {
  @Test("the first rows say what can be said of columns, and nothing of sorted ones")
  func statistics() throws {
    let files = ScratchFiles()
    let lines = (0..<4000).map { row in
      "\(row),\(row % 5),\(row % 4 == 0 ? "" : "v\(row * 7919 % 100)"),\(row / 10),same"
    }
    let text = "id,five,name,tens,same\n" + lines.joined(separator: "\n") + "\n"
    let source = try CSVSource(paths: [files.write("a.csv", text)], options: [])
    let known = source.schema.indices.map { source.columnStatistics($0) }
    #expect(known.allSatisfy { $0 != nil })
    // All different so far: perhaps a key, perhaps not.
    #expect(known[0]?.distinctCount == nil)
    #expect(known[1]?.distinctCount?.rounded() == 5)
    #expect(known[2].flatMap(\.distinctCount).map { 70...80 ~= $0 } == true)
    #expect(known[3].flatMap(\.distinctCount).map { 300...500 ~= $0 } == true)
    #expect(known[4]?.distinctCount?.rounded() == 1)
    #expect(known[2].map { abs($0.nullFraction - 0.25) < 0.01 } == true)
    let sample = source.sample(columns: [1, 2])
    #expect(sample?.map(\.count) == [2048, 2048])
    #expect((0..<2048).allSatisfy { sample?[0].value($0) == .integer(Int128($0 % 5)) })
    for column in [0, 3, 4] { #expect(source.sample(columns: [1, column]) == nil) }
    let empty = try CSVSource(paths: [files.write("b.csv", "a,b\n")], options: [])
    #expect(empty.sample(columns: [0]) == nil)
    let wrong = try CSVSource(
      paths: [files.write("c.csv", "a\n1\nx\n")],
      options: [
        ("all_varchar", .boolean(false), .boolean),
        ("types", .list([.varchar("BIGINT")]), .list(.varchar)),
      ])
    #expect(wrong.columnStatistics(0) == nil)
  }

  static let sniffed: [(String, String, [String])] = [
    ("a,b\n1,t\n2,f\n", "a BIGINT, b BOOLEAN", ["1|true", "2|false"]),
    ("1,2\n3,4\n", "column0 BIGINT, column1 BIGINT", ["1|2", "3|4"]),
    ("a,b\nc,d\n", "a VARCHAR, b VARCHAR", ["c|d"]),
    ("a,b\n", "a VARCHAR, b VARCHAR", []),
    ("a\n", "a VARCHAR", []), ("1\n", "column0 BIGINT", ["1"]), ("", "column0 VARCHAR", []),
    ("a,b\n1,x\n2,\"\"\n,y\n", "a BIGINT, b VARCHAR", ["1|x", "2|", "NULL|y"]),
    (
      "d,t,ts\n2024-01-01,12:00:00,2024-01-01 12:00:00\n", "d DATE, t TIME, ts TIMESTAMP",
      ["2024-01-01|12:00:00|2024-01-01 12:00:00"]
    ),
    ("a,b\n1,2\n\n3,4\n", "a BIGINT, b BIGINT", ["1|2", "3|4"]),
    ("a\n1\n\n3\n", "a BIGINT", ["1", "NULL", "3"]),
    ("a;b\n1,5;2\n", "a VARCHAR, b BIGINT", ["1,5|2"]),
    ("a|b\n1|2\n", "a BIGINT, b BIGINT", ["1|2"]), ("a\tb\n1\t2\n", "a BIGINT, b BIGINT", ["1|2"]),
    ("a,a,\n1,2,3\n", "a BIGINT, a_1 BIGINT, column2 BIGINT", ["1|2|3"]),
    ("x,y\n1e5,99999999999999999999\n", "x DOUBLE, y HUGEINT", ["100000.0|99999999999999999999"]),
    ("a,b\n1,\"x\"\"y\"\n", "a BIGINT, b VARCHAR", ["1|x\"y"]),
    ("a,b\n1,'x,y'\n2,'z'\n", "a BIGINT, b VARCHAR", ["1|x,y", "2|z"]),
    ("a,b\n1, 2\n 3,4 \n", "a BIGINT, b BIGINT", ["1|2", "3|4"]),
    ("a\n007\n", "a VARCHAR", ["007"]), ("a,b\n1,1_000\n", "a BIGINT, b VARCHAR", ["1|1_000"]),
    ("a\n1.\n.5\n", "a DOUBLE", ["1.0", "0.5"]), ("a\ninf\n1\n", "a VARCHAR", ["inf", "1"]),
    ("a,\"b\nc\"\n1,2\n", "a BIGINT, b\nc BIGINT", ["1|2"]),
    ("a,b\r\n1,2\r\n", "a BIGINT, b BIGINT", ["1|2"]),
    ("a,b\r1,2\r3,4\r", "a BIGINT, b BIGINT", ["1|2", "3|4"]),
    (",x\n0,1\n", "column0 BIGINT, x BIGINT", ["0|1"]),
    ("\u{FEFF}a,b\n1,2", "a BIGINT, b BIGINT", ["1|2"]),
    ("true,false\n", "column0 BOOLEAN, column1 BOOLEAN", ["true|false"]),
    ("id,name\n1,a\n", "id BIGINT, name VARCHAR", ["1|a"]),
    ("1,a\n2,b\n", "column0 BIGINT, column1 VARCHAR", ["1|a", "2|b"]),
    ("a,b\n1,5\" pipe\n2,6\" pipe\n", "a BIGINT, b VARCHAR", ["1|5\" pipe", "2|6\" pipe"]),
    ("a,b\n1,\"x\\\"y\"\n2,\"z\"\n", "a BIGINT, b VARCHAR", ["1|x\"y", "2|z"]),
    ("a,b\n\"1\",\"2\"\n\"\",\"x\"\n", "a BIGINT, b VARCHAR", ["1|2", "NULL|x"]),
    ("a,b\n1,\"x\r\ny\"\r\n2,\"\"\r\n", "a BIGINT, b VARCHAR", ["1|x\r\ny", "2|"]),
    ("a,b\n1,x\0y\n", "a BIGINT, b VARCHAR", ["1|x\0y"]),
    (
      "d\n2024-01-01\n2024-01-01 10:00:00\n", "d TIMESTAMP",
      ["2024-01-01 00:00:00", "2024-01-01 10:00:00"]
    ),
    ("name,n\né,1\nüü,2\n", "name VARCHAR, n BIGINT", ["é|1", "üü|2"]),
  ]

  @Test(arguments: sniffed)
  func sniffs(_ text: String, _ types: String, _ expected: [String]) throws {
    let result = try read(text)
    #expect(result.types == types)
    #expect(result.rows == expected)
  }

  @Test func obeysOptions() throws {
    let varchar = { (text: String) in Value.varchar(text) }
    #expect(
      try read("a,b\n1,NULL\n2,3\n", [("nullstr", varchar("NULL"), .varchar)]).rows
        == ["1|NULL", "2|3"])
    #expect(
      try read("a,b\n1,2\n", [("header", .boolean(false), .boolean)]).types
        == "column0 VARCHAR, column1 VARCHAR")
    #expect(
      try read(
        "1,2\n",
        [
          (
            "columns", .structure([varchar("INTEGER"), varchar("DECIMAL(5,2)")]),
            .structure([Field("a", .varchar), Field("b", .varchar)])
          )
        ]) == ("a INTEGER, b DECIMAL(5,2)", ["1|2.00"]))
    #expect(
      try read(
        "a,b\n1,2\n",
        [
          ("types", .structure([varchar("VARCHAR")]), .structure([Field("A", .varchar)]))
        ]
      ).types == "a VARCHAR, b BIGINT")
    #expect(try read("x\na,b\n1,2\n", [("skip", .integer(1), .integer)]).rows == ["1|2"])
    #expect(
      try read("a,b\n1,2\n", [("all_varchar", .boolean(true), .boolean)]).types
        == "a VARCHAR, b VARCHAR")
    #expect(
      try read("1,2\n", [("names", .list([varchar("q")]), .list(.varchar))]).types
        == "q BIGINT, column1 BIGINT")
    #expect(
      try read("a;b\n1;x,y\n", [("sep", varchar(";"), .varchar)]).rows == ["1|x,y"])
    let broken = "a,b\n" + String(repeating: "1,2\n", count: 30_000) + "x,3\n1,2,3\n5,6\n"
    let kept = try read(broken, [("ignore_errors", .boolean(true), .boolean)]).rows
    #expect(kept.count == 30_001 && kept.last == "5|6")
    #expect(
      try read(broken.replacing("1,2,3\n"), [("sample_size", .integer(-1), .integer)]).types
        == "a VARCHAR, b BIGINT")
  }

  static let mistakes: [(String, Arguments, String)] = [
    (
      "a,b\n" + String(repeating: "1,2\n", count: 30_000) + "x,3\n", [],
      "line 30002, column 1 (\"a\"): \"x\" is not a value of type BIGINT"
    ),
    (
      "a,b\n" + String(repeating: "1,2\n", count: 30_000) + "1,2,3\n", [],
      "line 30002: the row has 3 fields, 2 are expected"
    ),
    (
      "a,b\n1,\"un", [("quote", .varchar("\""), .varchar), ("delim", .varchar(","), .varchar)],
      "line 2: a quoted field starts here and never ends"
    ),
    ("a,b\n1,2\n", [("delimm", .varchar(";"), .varchar)], "read_csv has no option \"delimm\""),
    ("a,b\n1,2\n", [("delim", .varchar(";;"), .varchar)], "takes one ASCII character"),
    (
      "a,b\n1,2\n", [("types", .structure([.varchar("INTT")]), .structure([Field("a", .varchar)]))],
      "type \"INTT\" does not exist"
    ),
    (
      "a,b\n1,2\n", [("types", .structure([.varchar("INT")]), .structure([Field("c", .varchar)]))],
      "has no column \"c\""
    ),
  ]

  @Test(arguments: mistakes.indices)
  func explainsMistakes(_ index: Int) throws {
    let (text, options, message) = CSVReaderTests.mistakes[index]
    do {
      let result = try read(text, options)
      Issue.record("no error but \(result.rows.prefix(3))")
    } catch let error as SQLError {
      #expect(error.message.contains(message), "\(error)")
    }
  }

  @Test func refusesWhatIsNoText() throws {
    let files = ScratchFiles()
    let path = files.write("bad.csv", Array("a,b\n1,x\n2,".utf8) + [0xFF, 0xFE] + Array("\n".utf8))
    let source = try CSVSource(paths: [path], options: [])
    #expect(throws: SQLError.self) { try rows(source) }
    #expect(throws: SQLError.self) { try CSVSource(paths: [files.directory], options: []) }
    #expect(throws: SQLError.self) {
      try CSVSource(paths: [files.directory + "/none"], options: [])
    }
    let torn = files.write("torn.csv.gz", [0x1F, 0x8B, 8, 0, 0, 0])
    #expect(throws: SQLError.self) { try CSVSource(paths: [torn], options: []) }
  }

  @Test func countsRowsWithoutColumns() throws {
    let files = ScratchFiles()
    let path = files.write("n.csv", "a,b\n" + String(repeating: "1,\"x\ny\"\n", count: 5000))
    let source = try CSVSource(paths: [path], options: [])
    #expect(try rows(source, columns: []).count == 5000)
    #expect(try rows(source, columns: [1, 1], batchRows: 3).allSatisfy { $0 == "x\ny|x\ny" })
  }

  /// Random cells with quotes, delimiters and newlines, written and read over many partitions.
  @Test(arguments: [1, 2, 3, 4, 5, 6])
  func readsWhatItWrites(_ seed: Int) throws {
    var generator = SplitMix(state: UInt64(seed))
    let files = ScratchFiles()
    let pieces = [
      "a", "bc", "\"", ",", "\n", "\r\n", "é", " ", "'", "", "\"\"", "long text here", "\\",
    ]
    let count = 30_000
    var first = ColumnBuilder(.bigint)
    var second = ColumnBuilder(.varchar)
    var third = ColumnBuilder(.varchar)
    var expected: [String] = []
    for row in 0..<count {
      var texts = ["", ""]
      for side in 0..<2 {
        for _ in 0..<(generator.next() % 8) {
          texts[side] += pieces[Int(generator.next() % UInt64(pieces.count))]
        }
      }
      try first.append(.integer(Int128(row)))
      try second.append(.varchar("k" + texts[0]))
      try third.append(generator.next() % 10 == 0 ? .null : .varchar(texts[1]))
    }
    let batch = Batch(columns: [first.finish(), second.finish(), third.finish()], rowCount: count)
    for row in 0..<count {
      var buffer = TextBuffer()
      for column in 0..<3 {
        if column > 0 { buffer.append("|") }
        ValueText.append(batch.columns[column], row: row, to: &buffer)
      }
      expected.append(buffer.string)
    }
    let ending = ["", ".gz", ".zst"][seed % 3]
    let path = files.directory + "/out.csv" + ending
    let fields = [Field("id", .bigint), Field("k", .varchar), Field("v", .varchar)]
    let writer = try CSVWriter(path: path, fields: fields)
    #expect(access(path, F_OK) != 0)
    try writer.write(batch)
    #expect(try writer.finish() == count)
    let source = try CSVSource(paths: [path], options: [("quote", .varchar("\""), .varchar)])
    #expect(source.schema.map(\.type) == [.bigint, .varchar, .varchar])
    let scan = try source.scan(columns: [0], filters: [], batchRows: 100)
    #expect(scan.partitionCount > 1)
    // Opened from the back: the order of opening must not matter.
    for partition in (0..<scan.partitionCount).reversed() { _ = try scan.open(partition) }
    #expect(try rows(source, batchRows: 1 + seed * 37) == expected)
  }

  @Test func survivesStrayQuotesAcrossPartitions() throws {
    var generator = SplitMix(state: 99)
    var text = "a,b\n"
    var expected: [String] = []
    for row in 0..<60_000 {
      let cell = ["5\" pipe", "x\"y\"z", "plain", "\"q,\"\"\nq\"", "it's"][
        Int(generator.next() % 5)]
      text += "\(row),\(cell)\n"
      expected.append("\(row)|" + (cell == "\"q,\"\"\nq\"" ? "q,\"\nq" : cell))
    }
    let files = ScratchFiles()
    let source = try CSVSource(
      paths: [files.write("s.csv", text)],
      options: [("quote", .varchar("\""), .varchar), ("delim", .varchar(","), .varchar)])
    #expect(try rows(source) == expected)
    #expect(try rows(source, columns: []).count == 60_000)
  }

  @Test func readsOneGiantField() throws {
    let files = ScratchFiles()
    let big = String(repeating: "word, \"\"and\n", count: 400_000)
    let path = files.write("g.csv", "a,b\n1,\"\(big)\"\n2,x\n")
    let source = try CSVSource(paths: [path], options: [])
    let found = try rows(source)
    #expect(found.count == 2 && found.last == "2|x")
  }

  @Test func neverTrapsOnNoise() throws {
    var generator = SplitMix(state: 5)
    let files = ScratchFiles()
    let alphabet = Array("a1,\"'\n\r;|\t\\:-. ".utf8) + [0, 0xC3, 0xFF]
    for turn in 0..<3000 {
      let bytes = (0..<Int(generator.next() % 300)).map { _ in
        alphabet[Int(generator.next() % UInt64(alphabet.count))]
      }
      let path = files.write("noise.csv", bytes)
      do {
        let source = try CSVSource(
          paths: [path],
          options: turn % 2 == 0 ? [] : [("ignore_errors", .boolean(true), .boolean)])
        _ = try rows(source, batchRows: 1 + turn % 70)
      } catch is SQLError {}
    }
  }

  @Test func globs() throws {
    let files = ScratchFiles()
    _ = files.write("a1.csv", "x\n1\n")
    _ = files.write("a2.csv", "x\n2\n")
    _ = files.write("b.csv", "x\n3\n")
    let found = try FileGlob.expand(files.directory + "/a?.csv")
    #expect(found.map { $0.suffix(6) } == ["a1.csv", "a2.csv"])
    #expect(try FileGlob.expand(files.directory + "/**").count == 3)
    #expect(try FileGlob.expand(files.directory + "/[b-z]*").count == 1)
    #expect(throws: SQLError.self) { try FileGlob.expand(files.directory + "/z*") }
    #expect(try rows(CSVSource(paths: found, options: [])) == ["1", "2"])
    let other = files.write("other.csv", "y\n3\n")
    #expect(throws: SQLError.self) { try CSVSource(paths: [found[0], other], options: []) }
  }

  @Test func leavesNothingBehind() throws {
    let files = ScratchFiles()
    let path = files.directory + "/gone.csv"
    let writer = try CSVWriter(path: path, fields: [Field("a", .bigint)])
    try writer.write(Batch(columns: [Column.constant(.integer(1), .bigint, count: 3)], rowCount: 3))
    writer.abort()
    #expect(throws: SQLError.self) { try FileGlob.expand(files.directory + "/*") }
    #expect(throws: SQLError.self) { try CSVWriter(path: "/nowhere/x.csv", fields: []) }
  }
}

extension String {
  func replacing(_ part: String) -> String {
    var result = ""
    for line in split(separator: "\n") where line + "\n" != part { result += line + "\n" }
    return result
  }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
