import Columnar

/// A column of an ordinary SQLite table: what its declared type says, since each value may be of any.
struct SQLiteColumn: Sendable {
  /// What values are read as.
  enum Reading: Sendable {
    case integer, real, text, bytes, date, timestamp
    /// Every kind of value, as text.
    case any
  }

  let name: String
  let reading: Reading
  /// Whether SQLite compares the column with a constant of its type as the engine does.
  let isComparable: Bool

  /// By the rules of SQLite's affinities, as DuckDB reads them: whatever contains INT or BOOL is a
  /// BIGINT, and so on. `declared` is empty for none.
  init(name: String, declared: String, asText: Bool) {
    self.name = name
    let type = declared.lowercased()
    func has(_ parts: String...) -> Bool { parts.contains { type.holds($0) } }
    if asText {
      (reading, isComparable) = (.any, false)
    } else if has("int", "bool") {
      (reading, isComparable) = (.integer, true)
    } else if has("char", "clob", "text") {
      (reading, isComparable) = (.text, true)
    } else if type.isEmpty || has("blob") {
      (reading, isComparable) = (.bytes, false)
    } else if has("real", "floa", "doub") {
      (reading, isComparable) = (.real, true)
    } else if has("dec", "num") {
      // Integers stay integers there, which SQLite compares exactly, and DOUBLE does not.
      (reading, isComparable) = (.real, false)
    } else if type == "date" {
      (reading, isComparable) = (.date, false)
    } else if type.hasPrefix("datetime") || type.hasPrefix("timestamp") {
      (reading, isComparable) = (.timestamp, false)
    } else {
      // What looks like a number is one there, and its order is another than that of text.
      (reading, isComparable) = (.text, false)
    }
  }

  var type: LogicalType {
    switch reading {
    case .integer: .bigint
    case .real: .double
    case .text, .any: .varchar
    case .bytes: .blob
    case .date: .date
    case .timestamp: .timestamp
    }
  }

  /// A filter as a condition with one parameter at most; nil for what SQLite sees otherwise.
  func condition(_ filter: ScanFilter) -> (sql: String, value: StoredValue?)? {
    let column = SQLiteText.quoted(name)
    let sign: String
    switch filter.operator {
    case .isNull: return ("\(column) IS NULL", nil)
    case .isNotNull: return ("\(column) IS NOT NULL", nil)
    case .equal: sign = "="
    case .less: sign = "<"
    case .lessOrEqual: sign = "<="
    case .greater: sign = ">"
    case .greaterOrEqual: sign = ">="
    }
    guard isComparable else { return nil }
    switch (reading, filter.value) {
    case (.integer, .integer(let wide)):
      guard let value = Int64(exactly: wide) else { return nil }
      return ("\(column) \(sign) ?", .integer(value))
    case (.real, .double(let value)) where value.isFinite:
      return ("\(column) \(sign) ?", .real(value))
    case (.text, .varchar(let value)) where !value.utf8.contains(0):
      // The column may have a collation of its own.
      return ("\(column) COLLATE BINARY \(sign) ?", .text(value))
    default: return nil
    }
  }
}

/// Pieces of SQL for SQLite.
enum SQLiteText {
  static func quoted(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }
}

extension String {
  fileprivate func holds(_ part: String) -> Bool {
    let text = Array(utf8)
    let wanted = Array(part.utf8)
    guard text.count >= wanted.count else { return false }
    return (0...(text.count - wanted.count)).contains {
      text[$0..<($0 + wanted.count)].elementsEqual(wanted)
    }
  }
}
