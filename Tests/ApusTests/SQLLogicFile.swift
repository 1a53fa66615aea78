/// A file of cases in the sqllogictest format, in the form that Tests/Cases/README.md describes.
struct SQLLogicFile {
  /// One record, with the line where it starts.
  struct Record {
    let line: Int
    let action: Action
    /// `skipif x` and `onlyif x` before it.
    let conditions: [Condition]
  }

  enum Action {
    case statement(sql: String, expectation: Expectation)
    case query(sql: String, types: [Character], sorting: Sorting, rows: [String])
    case halt
  }

  enum Expectation {
    case success
    case changedRows(Int)
    /// The error's text contains this; an empty text is content with any error.
    case failure(String)
  }

  enum Sorting: String {
    case nosort
    case rowsort
  }

  enum Condition {
    case skip(String)
    case only(String)
  }

  /// The file itself is wrong; the line is that of the record.
  struct FormatError: Error, CustomStringConvertible {
    let line: Int
    let message: String
    var description: String { message }
  }

  let records: [Record]

  init(_ text: String) throws {
    var records: [Record] = []
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
    var conditions: [Condition] = []
    while let line = lines.first {
      let number = lines.startIndex + 1
      let words = line.split(separator: " ")
      guard let keyword = words.first, !line.hasPrefix("#") else {
        lines.removeFirst()
        continue
      }
      lines.removeFirst()
      switch keyword {
      case "skipif": conditions.append(.skip(Self.word(words, 1)))
      case "onlyif": conditions.append(.only(Self.word(words, 1)))
      case "hash-threshold": break
      default:
        let action = try Self.action(keyword, words, line: number, body: &lines)
        records.append(Record(line: number, action: action, conditions: conditions))
        conditions = []
      }
    }
    self.records = records
  }

  private static func word(_ words: [Substring], _ index: Int) -> String {
    index < words.count ? String(words[index]) : ""
  }

  private static func action(
    _ keyword: Substring, _ words: [Substring], line: Int, body lines: inout ArraySlice<Substring>
  ) throws -> Action {
    if keyword == "halt" { return .halt }
    let sql = take(&lines) { $0.isEmpty || $0 == "----" }.joined(separator: "\n")
    var result: [String] = []
    if lines.first == "----" {
      lines.removeFirst()
      result = take(&lines) { $0.isEmpty }
    }
    switch (keyword, word(words, 1)) {
    case ("statement", "ok"): return .statement(sql: sql, expectation: .success)
    case ("statement", "error"):
      let part = result.joined(separator: "\n")
      return .statement(sql: sql, expectation: .failure(part))
    case ("statement", "count"):
      guard let count = Int(word(words, 2)) else {
        throw FormatError(line: line, message: "statement count needs a number")
      }
      return .statement(sql: sql, expectation: .changedRows(count))
    case ("query", let types):
      guard let sorting = Sorting(rawValue: words.count > 2 ? word(words, 2) : "nosort") else {
        throw FormatError(line: line, message: "unknown sorting \"\(word(words, 2))\"")
      }
      return .query(sql: sql, types: Array(types), sorting: sorting, rows: result)
    default:
      throw FormatError(line: line, message: "unknown record \"\(keyword) \(word(words, 1))\"")
    }
  }

  /// The lines up to the first that ends the part, which stays.
  private static func take(
    _ lines: inout ArraySlice<Substring>, until isEnd: (Substring) -> Bool
  ) -> [String] {
    let end = lines.firstIndex(where: isEnd) ?? lines.endIndex
    defer { lines = lines[end...] }
    return lines[..<end].map(String.init)
  }
}
