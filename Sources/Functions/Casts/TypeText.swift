import Columnar
import Diagnostics

/// Types by their names in text, where no parser of SQL is at hand: the structures of
/// json_transform, the options of readers.
package enum TypeText {
  /// `.catalog` for a name that is none.
  package static func type(named text: String) throws -> LogicalType {
    var parser = Parser(text: Array(text.utf8))
    guard let type = parser.type(depth: 0), parser.isAtEnd else {
      throw SQLError(
        .catalog, "type \"\(text)\" does not exist",
        hint: didYouMean(text.uppercased(), among: TypeNames.all.keys.map { $0.uppercased() }))
    }
    return type
  }

  private struct Parser {
    let text: [UInt8]
    var at = 0

    init(text: [UInt8]) { self.text = text }

    var isAtEnd: Bool {
      mutating get {
        skipSpace()
        return at == text.count
      }
    }

    mutating func skipSpace() {
      while at < text.count, text[at] == 32 || (9...13).contains(text[at]) { at += 1 }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      guard at < text.count, text[at] == UInt8(ascii: character) else { return false }
      at += 1
      return true
    }

    mutating func type(depth: Int) -> LogicalType? {
      guard depth < 100, var type = base(depth) else { return nil }
      while take("[") {
        if take("]") {
          type = .list(type)
        } else {
          guard let count = number(), count > 0, count <= 10_000_000, take("]") else { return nil }
          type = .array(type, count: count)
        }
      }
      return type
    }

    private mutating func base(_ depth: Int) -> LogicalType? {
      guard var name = word()?.uppercased() else { return nil }
      // Names of several words: TIMESTAMP WITH TIME ZONE.
      while name != "STRUCT", name != "MAP" {
        let back = at
        guard let next = word()?.uppercased() else { break }
        if TypeNames.all.keys.contains(where: { $0.hasPrefix((name + " " + next).lowercased()) }) {
          name += " " + next
        } else {
          at = back
          break
        }
      }
      switch name {
      case "STRUCT", "ROW": return structure(depth)
      case "MAP":
        guard take("("), let key = type(depth: depth + 1), take(","),
          let value = type(depth: depth + 1), take(")")
        else { return nil }
        return .map(key: key, value: value)
      case "DECIMAL", "NUMERIC", "DEC":
        guard take("(") else { return .decimal(precision: 18, scale: 3) }
        guard let precision = number(), let scale = take(",") ? number() : 0, take(")"),
          (1...38).contains(precision), scale <= precision
        else { return nil }
        return .decimal(precision: precision, scale: scale)
      case "VARCHAR", "CHAR", "TEXT":
        if take("(") { guard number() != nil, take(")") else { return nil } }
        return .varchar
      case "NULL": return .null
      default: return TypeNames.all[name.lowercased()]
      }
    }

    private mutating func structure(_ depth: Int) -> LogicalType? {
      guard take("(") else { return nil }
      var fields: [Field] = []
      repeat {
        guard let name = word(), let type = type(depth: depth + 1) else { return nil }
        fields.append(Field(name, type))
      } while take(",")
      return take(")") ? .structure(fields) : nil
    }

    private mutating func number() -> Int? {
      skipSpace()
      var value: Int?
      while at < text.count, (0x30...0x39).contains(text[at]), (value ?? 0) < 100_000_000 {
        value = (value ?? 0) * 10 + Int(text[at] - 0x30)
        at += 1
      }
      return value
    }

    private mutating func word() -> String? {
      skipSpace()
      let start = at
      if take("\"") {
        var name: [UInt8] = []
        while at < text.count {
          if text[at] == 0x22 {
            at += 1
            guard at < text.count, text[at] == 0x22 else {
              return String(decoding: name, as: UTF8.self)
            }
          }
          name.append(text[at])
          at += 1
        }
        return nil
      }
      while at < text.count {
        let byte = text[at]
        let isWord =
          (byte | 32 >= 97 && byte | 32 <= 122) || byte == 95 || byte >= 128
          || (at > start && byte >= 48 && byte <= 57)
        if !isWord { break }
        at += 1
      }
      return at > start ? String(decoding: text[start..<at], as: UTF8.self) : nil
    }
  }
}
