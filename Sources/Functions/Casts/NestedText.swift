import Columnar

/// Parses `[1, 2, NULL]` and `{'a': 1, 'b': x}` to values of a nested type; nil when the text is
/// not of that form. Elements may be in single or double quotes.
enum NestedText {
  /// With `tryCast` a part that cannot be cast is NULL, but for a map's key.
  static func value(
    _ text: UnsafeBufferPointer<UInt8>, _ type: LogicalType, tryCast: Bool = false
  ) -> Value? {
    var parser = Parser(text: text, tryCast: tryCast)
    guard let value = parser.value(type, depth: 0), parser.isAtEnd else { return nil }
    return value
  }

  private struct Parser {
    let text: UnsafeBufferPointer<UInt8>
    let tryCast: Bool
    /// A text of megabytes that is cancelled is as one of another form.
    private let cancellation = Cancellation.current
    var position = 0

    init(text: UnsafeBufferPointer<UInt8>, tryCast: Bool) {
      self.text = text
      self.tryCast = tryCast
    }

    var isAtEnd: Bool {
      mutating get {
        skipSpace()
        return position == text.count
      }
    }

    mutating func skipSpace() {
      while position < text.count, text[position] == 32 || (9...13).contains(text[position]) {
        position += 1
      }
    }

    mutating func take(_ byte: UInt8) -> Bool {
      skipSpace()
      guard position < text.count, text[position] == byte else { return false }
      position += 1
      return true
    }

    mutating func value(_ type: LogicalType, depth: Int) -> Value? {
      skipSpace()
      switch type {
      case .list(let element): return list(element, nil, depth)
      case .array(let element, let count): return list(element, count, depth)
      case .structure(let fields): return structure(fields, depth)
      case .map(let key, let value): return map(key, value, depth)
      default: return scalar(type)
      }
    }

    mutating func isNullWord() -> Bool {
      skipSpace()
      guard position + 4 <= text.count else { return false }
      for (offset, letter) in "null".utf8.enumerated()
      where text[position + offset] | 32 != letter { return false }
      if position + 4 < text.count {
        let next = text[position + 4]
        guard
          next == 32 || next == 0x2C || next == 0x5D || next == 0x7D || next == 0x29 || next == 0x3D
        else { return false }
      }
      position += 4
      return true
    }

    mutating func list(_ element: LogicalType, _ count: Int?, _ depth: Int) -> Value? {
      if isNullWord() { return .null }
      guard depth < 100, take(0x5B) else { return nil }
      var values: [Value] = []
      if !take(0x5D) {
        repeat {
          guard !cancellation.isRequested, let one = value(element, depth: depth + 1) else {
            return nil
          }
          values.append(one)
        } while take(0x2C)
        guard take(0x5D) else { return nil }
      }
      if let count, count != values.count { return nil }
      return .list(values)
    }

    /// `{a=1, b=NULL}`; nil for a key that is NULL or there twice.
    mutating func map(_ key: LogicalType, _ item: LogicalType, _ depth: Int) -> Value? {
      if isNullWord() { return .null }
      guard depth < 100, take(0x7B) else { return nil }
      var entries: [Value] = []
      var seen: Set<Value> = []
      if take(0x7D) { return .list([]) }
      repeat {
        guard let name = value(key, depth: depth + 1), !name.isNull, seen.insert(name).inserted,
          take(0x3D), let one = value(item, depth: depth + 1)
        else { return nil }
        entries.append(.structure([name, one]))
      } while take(0x2C)
      return take(0x7D) ? .list(entries) : nil
    }

    mutating func structure(_ fields: [Field], _ depth: Int) -> Value? {
      if isNullWord() { return .null }
      if depth < 100, take(0x28) { return row(fields, depth) }
      guard depth < 100, take(0x7B) else { return nil }
      var values = [Value](repeating: .null, count: fields.count)
      if take(0x7D) { return .structure(values) }
      repeat {
        guard let name = word(stops: [0x3A]), take(0x3A) else { return nil }
        guard let field = fields.firstIndex(where: { $0.name.lowercased() == name.lowercased() }),
          let one = value(fields[field].type, depth: depth + 1)
        else { return nil }
        values[field] = one
      } while take(0x2C)
      return take(0x7D) ? .structure(values) : nil
    }

    /// `(1, 2)`, whose parenthesis is taken: values by position.
    mutating func row(_ fields: [Field], _ depth: Int) -> Value? {
      var values: [Value] = []
      if take(0x29) { return fields.isEmpty ? .structure([]) : nil }
      repeat {
        guard values.count < fields.count,
          let one = value(fields[values.count].type, depth: depth + 1)
        else { return nil }
        values.append(one)
      } while take(0x2C)
      return take(0x29) && values.count == fields.count ? .structure(values) : nil
    }

    mutating func scalar(_ type: LogicalType) -> Value? {
      if isNullWord() { return .null }
      guard let text = word(stops: [0x2C, 0x5D, 0x7D, 0x29, 0x3D]) else { return nil }
      guard let source = try? Column.constant(.varchar(text), .varchar, count: 1),
        let cast = try? Cast.column(source, to: type, tryCast: tryCast)
      else { return nil }
      return cast.value(0)
    }

    /// Text in quotes, or up to a stop, without space around it.
    mutating func word(stops: [UInt8]) -> String? {
      skipSpace()
      guard position < text.count else { return nil }
      var bytes: [UInt8] = []
      let quote = text[position]
      if quote == 0x27 || quote == 0x22 {
        position += 1
        while position < text.count {
          let byte = text[position]
          position += 1
          if byte == quote {
            if position < text.count, text[position] == quote {
              position += 1
            } else {
              return String(decoding: bytes, as: UTF8.self)
            }
          } else if byte == 0x5C, position < text.count {
            bytes.append(text[position])
            position += 1
            continue
          }
          bytes.append(byte)
        }
        return nil
      }
      while position < text.count, !stops.contains(text[position]) {
        bytes.append(text[position])
        position += 1
      }
      while let last = bytes.last, last == 32 || (9...13).contains(last) { bytes.removeLast() }
      return String(decoding: bytes, as: UTF8.self)
    }
  }
}
