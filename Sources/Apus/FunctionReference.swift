import Execution

/// docs/reference/functions.md: written from the tables that the binder reads, so that it cannot say
/// what the engine does not do. A test compares the file with what this gives.
package enum FunctionReference {
  /// The page.
  package static func page() -> String {
    var text = introduction
    let entries = FunctionEntry.all
    text += contents(entries) + alphabet(entries)
    for family in families {
      let members = sorted(entries.filter { $0.family == family.name })
      if members.isEmpty { continue }
      text += "\n## \(family.title)\n\n"
      if !family.note.isEmpty { text += family.note + "\n\n" }
      if ["operator", "catalog", "postgres"].contains(family.name) {
        text += table(members)
      } else {
        text += members.map(section).joined(separator: "\n")
      }
    }
    return text
  }

  /// Families of the tables that the page has no place for; none, says a test.
  package static var unplacedFamilies: [String] {
    Set(FunctionEntry.all.map(\.family)).subtracting(families.map(\.name)).sorted()
  }

  private struct Family {
    let name: String
    let title: String
    let note: String

    init(_ name: String, _ title: String, _ note: String = "") {
      self.name = name
      self.title = title
      self.note = note
    }
  }

  private static let families = [
    Family("operator", "Operators"),
    Family("math", "Numbers"),
    Family("random", "Random numbers", "`SELECT setseed(0.5)` makes what they draw repeatable."),
    Family(
      "string", "Text", "Positions count characters from 1; negative ones count from the end."),
    Family("regex", "Regular expressions", "The patterns are those of PCRE2."),
    Family("path", "Paths of files"),
    Family("blob", "Bytes"),
    Family("hash", "Digests"),
    Family("date", "Dates and times"),
    Family("list", "Lists", "Positions count from 1; negative ones count from the end."),
    Family("struct", "Structs"),
    Family("map", "Maps"),
    Family("json", "JSON"),
    Family("enum", "Enumerations"),
    Family("uuid", "UUIDs"),
    Family("conditional", "Conditions and types"),
    Family(
      "aggregate", "Aggregates",
      """
      Each takes `DISTINCT`, `FILTER (WHERE …)` and `ORDER BY` among its arguments, and runs over a
      window with `OVER (…)`. NULLs are passed over unless the summary says otherwise. The examples run
      over `(VALUES (1), (2), (3), (NULL)) t(x)`.
      """),
    Family("window", "Window functions", "They need `OVER (…)`."),
    Family("table", "Functions in FROM"),
    Family(
      "postgres", "What PostgreSQL's tools ask",
      "There are no users and no server: most answers are fixed."),
    Family(
      "session", "The session",
      "Their arguments are constants; what they give is known when the statement is read."),
    Family(
      "catalog", "The catalog", "Each `apus_…()` is there under the name `duckdb_…()` too."),
  ]

  private static let introduction = """
    # Functions

    Every function of the engine, from the tables that it reads itself: `make reference` writes this
    page. The same rows are in SQL as `FROM apus_functions()`; `.help` and completion know them too.

    A line such as `round(DOUBLE, INTEGER) -> DOUBLE` is a form: types of the arguments and of the
    result. Arguments of other types are cast where no value is lost. `T` is one common type of the
    arguments so marked, `ANY` any type, `NUMERIC` any number, `INTEGER TYPE` any integer, `LIST` a
    list of anything, `…...` zero or more arguments. A NULL argument gives NULL unless it is said
    otherwise. The examples are run by the tests.


    """

  // MARK: Contents

  private static func contents(_ entries: [FunctionEntry]) -> String {
    var text = "## By family\n\n| family | functions |\n|---|---|\n"
    for family in families {
      let members = sorted(entries.filter { $0.family == family.name })
      if members.isEmpty { continue }
      let links = members.map { "[\(code($0.name))](#\(anchor($0)))" }.joined(separator: " ")
      let place = family.title.lowercased().split(separator: " ").joined(separator: "-")
      text += "| [\(family.title)](#\(place)) | \(links) |\n"
    }
    return text
  }

  /// Every name, aliases too.
  private static func alphabet(_ entries: [FunctionEntry]) -> String {
    var names: [(name: String, entry: FunctionEntry)] = []
    for entry in entries where !entry.isOperator {
      for name in entry.names where isWord(name) { names.append((name.lowercased(), entry)) }
    }
    names.sort { ($0.name, anchor($0.entry)) < ($1.name, anchor($1.entry)) }
    var text = "\n## From A to Z\n"
    var letter: Character?
    for (name, entry) in names {
      if name.first != letter {
        letter = name.first
        text += "\n**\(letter.map { $0.uppercased() } ?? "")**"
      }
      text += "\n[`\(name)`](#\(anchor(entry)))"
    }
    return text + "\n"
  }

  private static func sorted(_ entries: [FunctionEntry]) -> [FunctionEntry] {
    entries.sorted { ($0.name, $0.kind.rawValue) < ($1.name, $1.kind.rawValue) }
  }

  private static func isWord(_ name: String) -> Bool {
    name.utf8.first.map { ($0 | 32) >= 97 && ($0 | 32) <= 122 } ?? false
  }

  /// Names are not unique across kinds: `range` is a list and a table.
  private static func anchor(_ entry: FunctionEntry) -> String {
    let word = entry.name.utf8.map { byte in
      (byte | 32) >= 97 && (byte | 32) <= 122 || (byte >= 48 && byte <= 57) || byte == 95
        ? String(UnicodeScalar(byte)) : "-\(byte)"
    }.joined()
    return "\(entry.kind.rawValue)-\(word)"
  }

  // MARK: Functions

  private static func section(_ entry: FunctionEntry) -> String {
    var text = "<a id=\"\(anchor(entry))\"></a>\n### \(entry.name)\n\n\(entry.summary)"
    if let nulls = entry.nulls { text += " \(nulls)" }
    if entry.isVolatile { text += " Evaluated anew for every row." }
    if !entry.aliases.isEmpty {
      text += " Also: " + entry.aliases.map { "`\($0)`" }.joined(separator: ", ") + "."
    }
    text += "\n\n```text\n"
    for form in distinct(entry) { text += form + "\n" }
    text += "```\n"
    if entry.examples.isEmpty { return text }
    text += "\n| example | gives |\n|---|---|\n"
    for example in entry.examples {
      let result = example.result ?? shown(example.sql)
      text += "| \(code(example.sql)) | \(result.map(code) ?? "") |\n"
    }
    return text
  }

  private static func table(_ entries: [FunctionEntry]) -> String {
    var text = "| name | what it gives | forms | example | gives |\n|---|---|---|---|---|\n"
    for entry in entries {
      let names = ([entry.name] + (entry.isOperator ? entry.aliases : [])).map(code)
      let forms = entry.isOperator ? distinct(entry).map(code).joined(separator: "<br>") : ""
      let example = entry.examples.first
      text +=
        "| <a id=\"\(anchor(entry))\"></a>\(names.joined(separator: " ")) | \(entry.summary) "
        + "| \(forms) | \(example.map { code($0.sql) } ?? "") "
        + "| \(example?.result.map(code) ?? "") |\n"
    }
    return text
  }

  private static func distinct(_ entry: FunctionEntry) -> [String] {
    var seen: Set<String> = []
    return entry.forms.map { $0.text(entry.name) }.filter { seen.insert($0).inserted }
  }

  /// As code inside a table: a bar would end the cell.
  private static func code(_ text: String) -> String {
    let line = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: " ")
    let escaped = line.split(separator: "|", omittingEmptySubsequences: false).joined(
      separator: "\\|")
    if escaped.isEmpty { return "" }
    return escaped.contains("`") ? "`` \(escaped) ``" : "`\(escaped)`"
  }

  /// The rows of a query that reads no file: columns by spaces, rows by bars.
  package static func shown(_ sql: String) -> String? {
    guard let database = try? Database(),
      let rows = try? database.connect().execute(sql).rows()
    else { return nil }
    return rows.map { row in row.map { $0 ?? "NULL" }.joined(separator: " ") }
      .joined(separator: " | ")
  }
}
