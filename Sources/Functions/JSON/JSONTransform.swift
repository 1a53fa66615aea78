import Columnar
import Diagnostics
import Glibc
import JSONReading

/// What is an error and what becomes NULL when JSON is read as other types.
package struct JSONTransformRules: Sendable {
  /// A value that does not fit the type is an error.
  package var isStrict = false
  /// Strings as numbers have neither fractions nor exponents where the number has none, nor
  /// underscores; `TRY_CAST` takes no others either, though it is not strict.
  package var readsPlainText = false
  package var refusesDuplicateKeys = false
  package var refusesMissingKeys = false
  package var refusesUnknownKeys = false
  /// What errors are of.
  package var code = SQLError.Code.conversion

  package init() {}

  /// TRY_CAST: what does not fit is NULL.
  package static let tryCast: JSONTransformRules = {
    var rules = JSONTransformRules()
    rules.readsPlainText = true
    return rules
  }()

  /// A cast that was written: all must fit.
  package static let cast: JSONTransformRules = {
    var rules = JSONTransformRules()
    rules.isStrict = true
    rules.readsPlainText = true
    rules.refusesDuplicateKeys = true
    rules.refusesMissingKeys = true
    rules.refusesUnknownKeys = true
    return rules
  }()
}

/// Values of a tape as a column of any type, all values of a place at once.
package struct JSONTransform {
  private let rules: JSONTransformRules
  /// Holds the documents' bytes: JSON in the result may be views of them.
  private let owner: AnyObject

  package init(_ rules: JSONTransformRules, owner: AnyObject) {
    self.rules = rules
    self.owner = owner
  }

  /// A value's node; negative where there is none.
  package typealias Place = Int32

  package func column(
    _ tape: borrowing JSONTape, _ places: [Place], _ type: LogicalType
  ) throws -> Column {
    switch type {
    case .null: return Column.nulls(.null, count: places.count).flattened()
    case .boolean: return try values(tape, places, type, UInt8.self) { boolean(tape, $0) }
    case .tinyint: return try integers(tape, places, type, Int8.self)
    case .smallint: return try integers(tape, places, type, Int16.self)
    case .integer: return try integers(tape, places, type, Int32.self)
    case .bigint: return try integers(tape, places, type, Int64.self)
    case .hugeint: return try integers(tape, places, type, Int128.self)
    case .utinyint: return try integers(tape, places, type, UInt8.self)
    case .usmallint: return try integers(tape, places, type, UInt16.self)
    case .uinteger: return try integers(tape, places, type, UInt32.self)
    case .ubigint: return try integers(tape, places, type, UInt64.self)
    case .uhugeint: return try integers(tape, places, type, UInt128.self)
    case .float:
      return try values(tape, places, type, Float.self) { place in
        number(tape, place) { TextParsing.float($0) }
      }
    case .double:
      return try values(tape, places, type, Double.self) { place in
        number(tape, place) { TextParsing.double($0) }
      }
    case .decimal(let precision, let scale):
      switch type.physical {
      case .int16: return try decimals(tape, places, type, precision, scale, Int16.self)
      case .int32: return try decimals(tape, places, type, precision, scale, Int32.self)
      case .int64: return try decimals(tape, places, type, precision, scale, Int64.self)
      default: return try decimals(tape, places, type, precision, scale, Int128.self)
      }
    case .varchar: return texts(tape, places)
    case .json:
      var sink = JSONTextSink<JSONForm>(.json)
      for place in places {
        if isNull(tape, place) { sink.appendNull() } else { sink.append(tape, Int(place)) }
      }
      return sink.finish(owner)
    case .blob: return blobs(tape, places)
    case .date, .time, .timeTZ, .timestamp, .timestampSeconds, .timestampMilliseconds,
      .timestampNanoseconds, .timestampTZ, .interval, .uuid, .enumeration:
      return try fromText(tape, places, type)
    case .list(let element): return try lists(tape, places, type, element)
    case .array(let element, let width): return try arrays(tape, places, type, element, width)
    case .structure(let fields): return try structures(tape, places, type, fields)
    case .map(let key, let value): return try maps(tape, places, type, key, value)
    }
  }

  private func isNull(_ tape: borrowing JSONTape, _ place: Place) -> Bool {
    place < 0 || tape[Int(place)].kind == .null
  }

  /// The text of a string or a number.
  private func text<T>(
    _ tape: borrowing JSONTape, _ place: Place, _ body: (UnsafeBufferPointer<UInt8>) -> T
  ) -> T {
    let node = tape[Int(place)]
    if node.kind != .string { return body(node.bytes) }
    if node.isPlain { return body(node.content) }
    var buffer = TextBuffer(capacity: Int(node.length))
    JSONText.append(text: tape, Int(place), to: &buffer)
    return body(buffer.bytes)
  }

  // MARK: Values of a fixed width

  private func values<T: BitwiseCopyable>(
    _ tape: borrowing JSONTape, _ places: [Place], _ type: LogicalType, _ t: T.Type,
    what: StaticString = "numerical", _ value: (Place) -> T?
  ) throws -> Column {
    let result = Column(flat: type, count: places.count)
    let target = result.values(as: T.self)
    for (row, place) in places.enumerated() {
      if !isNull(tape, place) {
        if let value = value(place) {
          target[row] = value
          continue
        }
        if rules.isStrict {
          throw mistake("Failed to cast value to \(what): \(shown(tape, place))")
        }
      }
      Kernels.clear(target + row)
      result.setNull(row)
    }
    return result
  }

  private func boolean(_ tape: borrowing JSONTape, _ place: Place) -> UInt8? {
    switch tape[Int(place)].kind {
    case .true: return 1
    case .false: return 0
    case .string, .wide:
      return text(tape, place) { text in
        if rules.readsPlainText, text.count == 1, text[0] &- 0x30 <= 9 { return nil }
        return TextParsing.boolean(text).map { $0 ? 1 : 0 }
      }
    case .unsigned, .signed, .double:
      return text(tape, place) { TextParsing.double($0).map { $0 != 0 ? 1 : 0 } }
    case .null, .array, .object: return nil
    }
  }

  private func number<T: BinaryFloatingPoint>(
    _ tape: borrowing JSONTape, _ place: Place, _ parse: (UnsafeBufferPointer<UInt8>) -> T?
  ) -> T? {
    switch tape[Int(place)].kind {
    case .true: return 1
    case .false: return 0
    case .unsigned, .signed, .double:
      guard let value = parse(tape[Int(place)].bytes) else { return nil }
      if tape[Int(place)].kind == .signed, value == 0 { return 0 }
      // The number itself is finite.
      return value.isInfinite ? nil : value
    case .string, .wide:
      return text(tape, place) { text in
        if rules.readsPlainText,
          text.contains(where: { $0 == 0x5F || $0 == 0x20 || ($0 >= 9 && $0 <= 13) })
        {
          return nil
        }
        return parse(text)
      }
    case .null, .array, .object: return nil
    }
  }

  private func integers<T: FixedWidthInteger & BitwiseCopyable>(
    _ tape: borrowing JSONTape, _ places: [Place], _ type: LogicalType, _ t: T.Type
  ) throws -> Column {
    // Powers of two are exact: the first value above the range, and the range's lowest.
    let above = scalbn(1.0, T.isSigned ? T.bitWidth - 1 : T.bitWidth)
    let lowest = T.isSigned ? -above : 0
    return try values(tape, places, type, t) { place in
      switch tape[Int(place)].kind {
      case .true: return 1
      case .false: return 0
      case .unsigned, .signed:
        return TextParsing.integer(tape[Int(place)].bytes, as: T.self)
      case .string, .wide:
        return text(tape, place) { text in
          if rules.readsPlainText, !isPlainInteger(text) { return nil }
          return TextParsing.integer(text, as: T.self)
        }
      case .double:
        guard let value = TextParsing.double(tape[Int(place)].bytes) else { return nil }
        let rounded = nearbyint(value)
        return rounded < above && rounded >= lowest ? T(rounded) : nil
      case .null, .array, .object: return nil
      }
    }
  }

  /// Without a point, an exponent, underscores and zeros before; hexadecimal digits may be any.
  private func isPlainInteger(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    if let zero = text.firstIndex(where: { $0 >= 0x30 && $0 <= 0x39 }), text[zero] == 0x30,
      zero + 1 < text.count, text[zero + 1] &- 0x30 <= 9
    {
      return false
    }
    if text.contains(where: { $0 | 32 == UInt8(ascii: "x") }) { return !text.contains(0x5F) }
    return !text.contains { $0 == 0x2E || $0 == 0x5F || $0 | 32 == UInt8(ascii: "e") }
  }

  private func decimals<T: FixedWidthInteger & BitwiseCopyable>(
    _ tape: borrowing JSONTape, _ places: [Place], _ type: LogicalType, _ precision: Int,
    _ scale: Int, _ t: T.Type
  ) throws -> Column {
    return try values(tape, places, type, t, what: "decimal") { place in
      func parsed(_ text: UnsafeBufferPointer<UInt8>) -> T? {
        TextParsing.decimal(text, precision: precision, scale: scale).flatMap { T(exactly: $0) }
      }
      switch tape[Int(place)].kind {
      case .true, .false:
        let one: StaticString = tape[Int(place)].kind == .true ? "1" : "0"
        return one.withUTF8Buffer { parsed($0) }
      // From its digits: a DOUBLE between would lose some.
      case .unsigned, .signed, .double, .string, .wide: return text(tape, place, parsed)
      case .null, .array, .object: return nil
      }
    }
  }

  // MARK: Text

  private func texts(_ tape: borrowing JSONTape, _ places: [Place]) -> Column {
    let heap = StringHeap()
    let result = Column(flat: .varchar, count: places.count, heaps: [heap])
    let target = result.values(as: StringView.self)
    for (row, place) in places.enumerated() {
      if isNull(tape, place) {
        target[row] = StringView()
        result.setNull(row)
        continue
      }
      let node = tape[Int(place)]
      switch node.kind {
      case .string: target[row] = text(tape, place) { stored($0, heap) }
      case .double:
        var buffer = TextBuffer()
        ValueText.append(double: TextParsing.double(node.bytes) ?? 0, to: &buffer)
        target[row] = stored(buffer.bytes, heap)
      case .signed, .array, .object:
        var buffer = TextBuffer(capacity: Int(node.length))
        JSONText.append(tape, Int(place), to: &buffer)
        target[row] = stored(buffer.bytes, heap)
      case .null, .false, .true, .unsigned, .wide:
        target[row] = stored(node.bytes, heap)
      }
    }
    return result
  }

  private func stored(_ bytes: UnsafeBufferPointer<UInt8>, _ heap: StringHeap) -> StringView {
    guard let start = bytes.baseAddress else { return StringView() }
    return heap.store(start, bytes.count)
  }

  private func blobs(_ tape: borrowing JSONTape, _ places: [Place]) -> Column {
    texts(tape, places).reinterpreted(as: .blob)
  }

  /// Types whose values are strings in JSON.
  private func fromText(
    _ tape: borrowing JSONTape, _ places: [Place], _ type: LogicalType
  ) throws -> Column {
    var strings = JSONTextSink<JSONStringForm>(.varchar)
    for place in places {
      if isNull(tape, place) {
        strings.appendNull()
      } else if tape[Int(place)].kind == .string {
        strings.append(tape, Int(place))
      } else if rules.isStrict {
        throw mistake("Unable to cast '\(shown(tape, place))' to \(type)")
      } else {
        strings.appendNull()
      }
    }
    return try Cast.column(strings.finish(owner), to: type, tryCast: !rules.isStrict)
      .flattened()
  }

  // MARK: Nested

  private func lists(
    _ tape: borrowing JSONTape, _ places: [Place], _ type: LogicalType, _ element: LogicalType
  ) throws -> Column {
    let (entries, items) = try self.items(tape, places, of: .array, "ARRAY")
    return entries.column(type, children: [try column(tape, items, element)])
  }

  /// The elements of arrays, or keys and values of objects by turns.
  private func items(
    _ tape: borrowing JSONTape, _ places: [Place], of kind: JSONKind, _ name: String
  ) throws -> (JSONValues<ListEntry>, [Place]) {
    var entries = JSONValues<ListEntry>()
    var items: [Place] = []
    for place in places {
      let start = kind == .object ? items.count / 2 : items.count
      guard try isContainer(tape, place, kind, name) else {
        entries.appendNull(ListEntry(offset: start, length: 0))
        continue
      }
      let count = Int(tape[Int(place)].count)
      var item = Int(place) + 1
      for _ in 0..<count {
        items.append(Place(item))
        if kind == .object {
          item += 1
          items.append(Place(item))
        }
        item = Int(tape[item].next)
      }
      entries.append(ListEntry(offset: start, length: count))
    }
    return (entries, items)
  }

  private func isContainer(
    _ tape: borrowing JSONTape, _ place: Place, _ kind: JSONKind, _ name: String
  ) throws -> Bool {
    if isNull(tape, place) { return false }
    if tape[Int(place)].kind == kind { return true }
    if rules.isStrict {
      throw mistake(
        "Expected \(name), but got \(tape[Int(place)].kind.typeName): \(shown(tape, place))")
    }
    return false
  }

  private func arrays(
    _ tape: borrowing JSONTape, _ places: [Place], _ type: LogicalType, _ element: LogicalType,
    _ width: Int
  ) throws -> Column {
    var items: [Place] = []
    var nulls: [Int] = []
    for (row, place) in places.enumerated() {
      if try isContainer(tape, place, .array, "ARRAY") {
        let count = Int(tape[Int(place)].count)
        if count == width {
          var item = Int(place) + 1
          for _ in 0..<count {
            items.append(Place(item))
            item = Int(tape[item].next)
          }
          continue
        }
        if rules.isStrict {
          throw mistake(
            "Expected array of size \(width), but got '\(shown(tape, place))' with size \(count)")
        }
      }
      nulls.append(row)
      items += [Place](repeating: -1, count: width)
    }
    let result = Column(
      flat: type, count: places.count, children: [try column(tape, items, element)])
    for row in nulls { result.setNull(row) }
    return result
  }

  private func structures(
    _ tape: borrowing JSONTape, _ places: [Place], _ type: LogicalType, _ fields: [Field]
  ) throws -> Column {
    let result = Column(
      flat: type, count: places.count,
      children: try members(
        tape, places, fields, refusesUnknownKeys: rules.refusesUnknownKeys))
    for (row, place) in places.enumerated() where isNull(tape, place) { result.setNull(row) }
    return result
  }

  /// The members of objects, a column a field; NULL where a value is no object.
  package func members(
    _ tape: borrowing JSONTape, _ places: [Place], _ fields: [Field], refusesUnknownKeys: Bool
  ) throws -> [Column] {
    let keys = JSONKeyTable(fields.map(\.name))
    var found = [[Place]](
      repeating: [Place](repeating: -1, count: places.count), count: fields.count)
    for (row, place) in places.enumerated() {
      if isNull(tape, place) { continue }
      guard tape[Int(place)].kind == .object else {
        if rules.isStrict {
          throw mistake(
            "Expected OBJECT, but got \(tape[Int(place)].kind.typeName): \(shown(tape, place))")
        }
        continue
      }
      var key = Int(place) + 1
      for number in 0..<Int(tape[Int(place)].count) {
        if let field = keys.position(tape, key, guess: number) {
          if found[field][row] < 0 {
            found[field][row] = Place(key + 1)
          } else if rules.refusesDuplicateKeys {
            throw mistake(
              "Object \(shown(tape, place)) has duplicate key \"\(tape.string(key))\"")
          }
        } else if refusesUnknownKeys {
          throw mistake("Object \(shown(tape, place)) has unknown key \"\(tape.string(key))\"")
        }
        key = Int(tape[key + 1].next)
      }
      if rules.refusesMissingKeys, let field = fields.indices.first(where: { found[$0][row] < 0 }) {
        throw mistake(
          "Object \(shown(tape, place)) does not have key \"\(fields[field].name)\"")
      }
    }
    var columns: [Column] = []
    for (field, places) in zip(fields, found) {
      columns.append(try column(tape, places, field.type))
    }
    return columns
  }

  private func maps(
    _ tape: borrowing JSONTape, _ places: [Place], _ type: LogicalType, _ key: LogicalType,
    _ value: LogicalType
  ) throws -> Column {
    var (entries, items) = try self.items(tape, places, of: .object, "OBJECT")
    var names: [Place] = []
    var values: [Place] = []
    for position in stride(from: 0, to: items.count, by: 2) {
      names.append(items[position])
      values.append(items[position + 1])
    }
    let keys = try column(tape, names, key)
    for (row, entry) in entries.values.enumerated() where entry.length > 0 {
      var seen: Set<Value> = []
      let items = entry.offset..<(entry.offset + entry.length)
      let isNull = keys.mayHaveNulls && items.contains { keys.isNull($0) }
      if !isNull, entry.length == 1 || items.allSatisfy({ seen.insert(keys.value($0)).inserted }) {
        continue
      }
      if rules.isStrict {
        throw mistake(
          isNull
            ? "a key does not fit \(key), and the keys of a MAP cannot be NULL"
            : "Map keys must be unique")
      }
      entries.setNull(row, ListEntry(offset: entry.offset, length: 0))
    }
    let child = Column(
      flat: .mapEntry(key, value), count: names.count,
      children: [keys, try column(tape, values, value)])
    return entries.column(type, children: [child])
  }

  // MARK: Messages

  private func shown(_ tape: borrowing JSONTape, _ place: Place) -> String {
    var buffer = TextBuffer()
    JSONText.append(tape, Int(place), to: &buffer)
    let text = buffer.string
    return text.utf8.count > 50 ? text.prefix(50) + "..." : text
  }

  private func mistake(_ message: String) -> SQLError { SQLError(rules.code, message) }
}

/// Finds a key's field. Objects mostly have their keys in one order, so the field behind the last is
/// tried first.
struct JSONKeyTable {
  private let names: [[UInt8]]
  private let positions: [String: Int]

  init(_ names: [String]) {
    self.names = names.map { Array($0.utf8) }
    positions = Dictionary(
      names.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
  }

  @inline(__always)
  func position(_ tape: borrowing JSONTape, _ key: Int, guess: Int) -> Int? {
    if guess < names.count,
      names[guess].withUnsafeBufferPointer({ tape.isString(key, $0) })
    {
      return guess
    }
    if names.count <= 8 {
      for (position, name) in names.enumerated()
      where name.withUnsafeBufferPointer({ tape.isString(key, $0) }) { return position }
      return nil
    }
    return positions[tape.string(key)]
  }
}
