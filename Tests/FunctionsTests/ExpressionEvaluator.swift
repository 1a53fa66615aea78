import Columnar
import Diagnostics
import Functions

/// A small expression language over the function tables, enough for the examples in them:
/// literals, operators, calls, casts with ::, lists. Stands in for parser and binder.
struct ExpressionEvaluator {
  struct Typed {
    var column: Column
    var literal: ArgumentLiteral = .none
  }

  private enum Token: Equatable {
    case number(String)
    case string(String)
    case word(String)
    case symbol(String)
    case end
  }

  private var tokens: [Token] = []
  private var position = 0

  /// The value of an expression as text; NULL as "NULL".
  static func text(_ sql: String) throws -> String {
    let column = try evaluate(sql)
    if column.isNull(0) { return "NULL" }
    let printed = try Cast.column(column, to: .varchar)
    return printed.value(0).text
  }

  static func evaluate(_ sql: String) throws -> Column {
    var evaluator = ExpressionEvaluator()
    evaluator.tokens = tokenize(sql)
    let value = try evaluator.expression(0)
    guard evaluator.peek == .end else {
      throw SQLError(.syntax, "unexpected \(evaluator.peek) in \(sql)")
    }
    return value.column
  }

  // MARK: Tokens

  private static func tokenize(_ sql: String) -> [Token] {
    var tokens: [Token] = []
    let text = Array(sql)
    var i = 0
    while i < text.count {
      let c = text[i]
      if c.isWhitespace {
        i += 1
      } else if c.isNumber {
        var j = i
        while j < text.count,
          text[j].isNumber || text[j] == "." || text[j] == "e"
            || (text[j] == "-" && text[j - 1] == "e")
        { j += 1 }
        tokens.append(.number(String(text[i..<j])))
        i = j
      } else if c == "'" {
        var value = ""
        i += 1
        while i < text.count {
          if text[i] == "'" {
            if i + 1 < text.count, text[i + 1] == "'" {
              i += 1
            } else {
              break
            }
          }
          value.append(text[i])
          i += 1
        }
        i += 1
        tokens.append(.string(value))
      } else if c.isLetter || c == "_" {
        var j = i
        while j < text.count, text[j].isLetter || text[j].isNumber || text[j] == "_" { j += 1 }
        tokens.append(.word(String(text[i..<j])))
        i = j
      } else {
        let pairs = ["::", "<=", ">=", "<>", "!=", "||", "//", "**", "<<", ">>"]
        if i + 1 < text.count, pairs.contains(String(text[i...(i + 1)])) {
          tokens.append(.symbol(String(text[i...(i + 1)])))
          i += 2
        } else {
          tokens.append(.symbol(String(c)))
          i += 1
        }
      }
    }
    return tokens + [.end]
  }

  private var peek: Token { tokens[position] }

  private mutating func next() -> Token {
    defer { if position + 1 < tokens.count { position += 1 } }
    return tokens[position]
  }

  private mutating func take(_ symbol: String) -> Bool {
    if case .symbol(symbol) = peek {
      position += 1
      return true
    }
    if case .word(let word) = peek, word.uppercased() == symbol {
      position += 1
      return true
    }
    return false
  }

  // MARK: Expressions

  private static let binding: [String: Int] = [
    "=": 3, "<>": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "|": 4, "&": 4, "<<": 4, ">>": 4,
    "||": 5, "+": 6, "-": 6, "*": 7, "/": 7, "//": 7, "%": 7, "**": 8, "^": 8,
  ]

  private mutating func expression(_ minimum: Int) throws -> Typed {
    var left = try prefix()
    while true {
      if take("::") {
        left = Typed(column: try Cast.column(left.column, to: try typeName()))
      } else if case .word(let word) = peek, word.uppercased() == "IS", minimum <= 3 {
        position += 1
        let negated = take("NOT")
        _ = take("DISTINCT")
        _ = take("FROM")
        let right = try expression(4)
        left = try call("IS \(negated ? "NOT " : "")DISTINCT FROM", [left, right])
      } else if take("[") {
        let index = try expression(0)
        _ = take("]")
        left = try call("list_extract", [left, index])
      } else if case .symbol(let symbol) = peek, let power = Self.binding[symbol], power > minimum {
        position += 1
        left = try call(symbol, [left, try expression(power)])
      } else {
        return left
      }
    }
  }

  private mutating func prefix() throws -> Typed {
    switch next() {
    case .number(let text): return try number(text)
    case .string(let text):
      return Typed(
        column: try .constant(.varchar(text), .varchar, count: 1), literal: .string)
    case .symbol("-"):
      if case .number(let text) = peek {
        position += 1
        return try number("-" + text)
      }
      return try call("-", [try expression(8)])
    case .symbol("~"): return try call("~", [try expression(8)])
    case .symbol("@"): return try call("@", [try expression(8)])
    case .symbol("("):
      let inner = try expression(0)
      _ = take(")")
      return inner
    case .symbol("["):
      return try call("list_value", try list(closing: "]"))
    case .word(let word):
      switch word.uppercased() {
      case "NULL": return Typed(column: .nulls(.null, count: 1))
      case "TRUE": return Typed(column: try .constant(.boolean(true), .boolean, count: 1))
      case "FALSE": return Typed(column: try .constant(.boolean(false), .boolean, count: 1))
      case "DATE", "TIMESTAMP", "TIME", "INTERVAL":
        if case .string(let text) = peek {
          position += 1
          return Typed(column: try cast(text, Self.types[word.uppercased()] ?? .date))
        }
        if case .number(let amount) = peek {
          position += 1
          guard case .word(let unit) = next() else { throw SQLError(.syntax, "unit") }
          return Typed(column: try cast("\(amount) \(unit)", .interval))
        }
      default: break
      }
      if take("(") { return try call(word, try list(closing: ")")) }
      throw SQLError(.syntax, "unexpected word \(word)")
    case let token: throw SQLError(.syntax, "unexpected \(token)")
    }
  }

  private func cast(_ text: String, _ type: LogicalType) throws -> Column {
    try Cast.column(.constant(.varchar(text), .varchar, count: 1), to: type)
  }

  private mutating func list(closing: String) throws -> [Typed] {
    var items: [Typed] = []
    if take(closing) { return items }
    repeat { items.append(try expression(0)) } while take(",")
    guard take(closing) else { throw SQLError(.syntax, "\(closing) expected, not \(peek)") }
    return items
  }

  private func number(_ text: String) throws -> Typed {
    if text.contains("e") { return Typed(column: try cast(text, .double)) }
    if let point = text.firstIndex(of: ".") {
      let digits = text.filter(\.isNumber).count
      let scale = text.distance(from: point, to: text.endIndex) - 1
      let whole = text.drop { $0 == "-" || $0 == "0" }.first == "." ? digits - 1 : digits
      return Typed(
        column: try cast(text, .decimal(precision: max(whole, scale, 1), scale: scale)))
    }
    guard let value = Int128(text) else { return Typed(column: try cast(text, .double)) }
    let type: LogicalType =
      Int32(exactly: value) != nil ? .integer : Int64(exactly: value) != nil ? .bigint : .hugeint
    return Typed(
      column: try .constant(.integer(value), type, count: 1), literal: .integer(value))
  }

  private func call(_ name: String, _ arguments: [Typed]) throws -> Typed {
    let resolved = try ScalarFunctions.resolve(
      name: name, arguments: arguments.map(\.column.type), literals: arguments.map(\.literal))
    var cast: [Column] = []
    for (argument, type) in zip(arguments, resolved.argumentTypes) {
      cast.append(try Cast.column(argument.column, to: type))
    }
    let result = try ScalarEvaluation.call(resolved, cast, count: 1)
    guard result.type == resolved.resultType, result.count == 1 else {
      throw SQLError(
        .internal, "\(name) gave \(result.type) x \(result.count), not \(resolved.resultType)")
    }
    return Typed(column: result)
  }

  // MARK: Types

  private static let types: [String: LogicalType] = [
    "BOOLEAN": .boolean, "BOOL": .boolean, "TINYINT": .tinyint, "SMALLINT": .smallint,
    "INTEGER": .integer, "INT": .integer, "BIGINT": .bigint, "HUGEINT": .hugeint,
    "UTINYINT": .utinyint, "USMALLINT": .usmallint, "UINTEGER": .uinteger, "UBIGINT": .ubigint,
    "UHUGEINT": .uhugeint, "FLOAT": .float, "DOUBLE": .double, "VARCHAR": .varchar, "BLOB": .blob,
    "DATE": .date, "TIME": .time, "TIMESTAMP": .timestamp, "INTERVAL": .interval,
  ]

  private mutating func typeName() throws -> LogicalType {
    guard case .word(let word) = next() else { throw SQLError(.syntax, "a type is expected") }
    var type: LogicalType
    if word.uppercased() == "DECIMAL" {
      var parts: [Int] = []
      if take("(") {
        repeat {
          guard case .number(let digits) = next() else { break }
          parts.append(Int(digits) ?? 0)
        } while take(",")
        _ = take(")")
      }
      type = .decimal(
        precision: parts.first ?? 18, scale: parts.count > 1 ? parts[1] : parts.isEmpty ? 3 : 0)
    } else if let known = Self.types[word.uppercased()] {
      type = known
    } else {
      throw SQLError(.syntax, "there is no type \(word)")
    }
    while take("[") {
      if case .number(let digits) = peek {
        position += 1
        type = .array(type, count: Int(digits) ?? 1)
      } else {
        type = .list(type)
      }
      _ = take("]")
    }
    return type
  }
}

extension Value {
  var text: String {
    if case .varchar(let text) = self { return text }
    return "\(self)"
  }
}
