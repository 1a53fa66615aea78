import Columnar
import Diagnostics
import Functions

/// Values of the options of readers and writers, as what they must be; `.binder` names the option.
enum FormatOption {
  static func text(_ name: String, _ value: Value) throws -> String {
    guard case .varchar(let text) = value else { throw wrongValue(name, "a string") }
    return text
  }

  static func character(_ name: String, _ value: Value) throws -> UInt8 {
    let text = try text(name, value)
    let plain = text == "\\t" ? "\t" : text
    guard plain.utf8.count == 1, let byte = plain.utf8.first, byte != 10, byte != 13 else {
      throw wrongValue(name, "one ASCII character")
    }
    return byte
  }

  static func flag(_ name: String, _ value: Value) throws -> Bool {
    switch value {
    case .boolean(let flag): return flag
    case .integer(0): return false
    case .integer(1): return true
    case .varchar(let text):
      if let flag = TextParsing.withText(text, { TextParsing.boolean($0) }) { return flag }
      throw wrongValue(name, "true or false")
    default: throw wrongValue(name, "true or false")
    }
  }

  static func integer(_ name: String, _ value: Value) throws -> Int {
    guard case .integer(let wide) = value, let number = Int(exactly: wide) else {
      throw wrongValue(name, "an integer")
    }
    return number
  }

  static func count(_ name: String, _ value: Value) throws -> Int {
    let number = try integer(name, value)
    if number < 0 { throw wrongValue(name, "an integer that is not negative") }
    return number
  }

  static func list(_ name: String, _ value: Value) throws -> [String] {
    guard case .list(let elements) = value else { throw wrongValue(name, "a list of strings") }
    return try elements.map { try text(name, $0) }
  }

  static func fields(_ name: String, _ value: Value, _ type: LogicalType) throws -> [Field] {
    guard case .structure(let values) = value, case .structure(let fields) = type,
      values.count == fields.count
    else { throw wrongValue(name, "a struct like {'column': 'TYPE'}") }
    return try zip(fields, values).map {
      Field($0.name, try TypeText.type(named: try text(name, $1)))
    }
  }

  static func wrongValue(_ name: String, _ wanted: String) -> SQLError {
    SQLError(.binder, "option \"\(name)\" takes \(wanted)")
  }

  /// Nil for `auto`: by the end of the file's name.
  static func compression(_ name: String, _ value: Value) throws -> FileCompression? {
    let text = try text(name, value).lowercased()
    if text == "auto" || text == "auto_detect" { return nil }
    guard let found = FileCompression(rawValue: text == "gz" ? "gzip" : text) else {
      throw SQLError(
        .binder, "unknown compression \"\(text)\"", hint: "use auto, none, gzip or zstd")
    }
    return found
  }
}
