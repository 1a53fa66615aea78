/// Prints a tree as canonical SQL: keywords in upper case, parentheses only where needed, one line.
/// What is printed parses back to an equal tree, spans aside.
package struct Printer {
  var text = ""

  /// The statement's SQL, without a semicolon.
  package static func sql(_ statement: Statement) -> String {
    var printer = Printer()
    printer.write(statement)
    return printer.text
  }

  /// The query's SQL.
  package static func sql(_ query: Query) -> String {
    var printer = Printer()
    printer.write(query)
    return printer.text
  }

  /// The expression's SQL.
  package static func sql(_ expression: SyntaxExpression) -> String {
    var printer = Printer()
    printer.write(expression)
    return printer.text
  }

  /// The type's SQL.
  package static func sql(_ type: TypeName) -> String {
    var printer = Printer()
    printer.write(type)
    return printer.text
  }

  /// A macro's definitions, as they follow its name.
  package static func sql(_ definitions: [MacroDefinition]) -> String {
    var printer = Printer()
    printer.list(definitions) { $0.write($1) }
    return printer.text
  }

  /// The name, in quotes where it needs them: any name but lower- or mixed-case letters, digits and
  /// underscores, and any keyword that is not free.
  package static func quoted(_ name: String) -> String {
    let bytes = Array(name.utf8)
    let isPlain =
      bytes.first.map { $0.isWordStart && $0 < 0x80 } ?? false
      && bytes.allSatisfy { $0.isWordPart && $0 < 0x80 && $0 != 36 }
    if isPlain, Keyword(rawValue: name.lowercased()).map({ $0.keywordClass == .unreserved }) ?? true
    {
      return name
    }
    return "\""
      + name.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }

  /// The text as a string literal.
  package static func literal(_ value: String) -> String {
    "'"
      + value.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "''") + "'"
  }

  mutating func put(_ piece: String) { text += piece }

  mutating func write(_ identifier: Identifier) {
    // A word that was written in quotes stays so: it may be one that stands for more than a name.
    if identifier.quoted {
      put(
        "\""
          + identifier.name.split(separator: "\"", omittingEmptySubsequences: false)
          .joined(separator: "\"\"") + "\"")
    } else if identifier.name.hasPrefix("#"), identifier.name.dropFirst().allSatisfy(\.isNumber) {
      // `#2` is the second column only without quotes.
      put(identifier.name)
    } else {
      put(Self.quoted(identifier.name))
    }
  }

  mutating func write(_ name: QualifiedName) {
    list(name.parts, ".") { $0.write($1) }
  }

  mutating func list<Items: Sequence>(
    _ items: Items, _ separator: String = ", ", _ item: (inout Printer, Items.Element) -> Void
  ) {
    var isFirst = true
    for element in items {
      if !isFirst { put(separator) }
      isFirst = false
      item(&self, element)
    }
  }

  mutating func names(_ names: [Identifier]) {
    put("(")
    list(names) { $0.write($1) }
    put(")")
  }

  mutating func expressions(_ items: [SyntaxExpression]) { list(items) { $0.write($1) } }

  /// ` WORD expression`, where there is one.
  mutating func clause(_ word: String, _ expression: SyntaxExpression?) {
    guard let expression else { return }
    put(" \(word) ")
    write(expression)
  }

  mutating func write(_ type: TypeName) {
    switch type {
    case .named(let name, let arguments):
      if name.parts.count == 1, !name.last.quoted, name.last.name.contains(" ") {
        // The arguments stand inside TIMESTAMP(3) WITH TIME ZONE.
        let words = name.last.name.split(separator: " ", maxSplits: 1)
        if words.count == 2, words[1] == "WITH TIME ZONE", !arguments.isEmpty {
          put(words[0] + "(")
          expressions(arguments)
          put(") " + words[1])
          return
        }
        put(name.last.name)
      } else if name.parts.count == 1, !name.last.quoted {
        // Type words such as INTERVAL are keywords, and yet are not quoted here.
        put(name.last.name)
      } else {
        write(name)
      }
      if !arguments.isEmpty {
        put("(")
        expressions(arguments)
        put(")")
      }
    case .list(let element, _):
      write(element)
      put("[]")
    case .array(let element, let size, _):
      write(element)
      put("[\(size)]")
    case .structure(let fields, _): typeFields("STRUCT", fields)
    case .union(let fields, _): typeFields("UNION", fields)
    case .map(let key, let value, _):
      put("MAP(")
      write(key)
      put(", ")
      write(value)
      put(")")
    case .enumeration(let values, _):
      put("ENUM(")
      list(values) { $0.put(Self.literal($1)) }
      put(")")
    }
  }

  private mutating func typeFields(_ word: String, _ fields: [TypeField]) {
    put(word + "(")
    list(fields) { printer, field in
      printer.write(field.name)
      printer.put(" ")
      printer.write(field.type)
    }
    put(")")
  }
}

extension SyntaxExpression: CustomStringConvertible {
  package var description: String { Printer.sql(self) }
}

extension Statement: CustomStringConvertible {
  package var description: String { Printer.sql(self) }
}

extension Query: CustomStringConvertible {
  package var description: String { Printer.sql(self) }
}

extension TypeName: CustomStringConvertible {
  package var description: String { Printer.sql(self) }
}
