import Columnar

/// The first records of a file as texts, for guesses about types and the header.
struct CSVSample {
  private let tokenizer: CSVTokenizer
  private let nullText: [UInt8]
  /// Record numbers, blank lines left out.
  private var records: [Int] = []

  init(_ tokenizer: CSVTokenizer, _ options: CSVOptions) {
    self.tokenizer = tokenizer
    nullText = options.nullText
    let available =
      options.sampleSize == .max
      ? tokenizer.recordCount : min(tokenizer.recordCount, options.sampleSize + 1)
    for record in 0..<available where !isBlank(record) { records.append(record) }
  }

  var count: Int { records.count }
  var isEmpty: Bool { records.isEmpty }

  /// The offset after a record of the sample.
  func end(of record: Int) -> Int {
    guard record < records.count else { return 0 }
    let last = Int(tokenizer.recordEnds[records[record]]) - 1
    return min(Int(tokenizer.positions[last]) + 1, tokenizer.limit)
  }

  func texts(of record: Int) -> [String] {
    range(records[record]).map { index in
      let cell = cell(index, isLast: index == range(records[record]).upperBound - 1)
      guard cell.isQuoted, let quote = tokenizer.dialect.quote else {
        return String(
          decoding: cell.isQuoted ? cell.text : TextParsing.trimmed(cell.text), as: UTF8.self)
      }
      var plain = TextBuffer()
      CSVUnescaping.append(cell.text, quote: quote, escape: tokenizer.dialect.escape, to: &plain)
      return plain.string
    }
  }

  /// The narrowest type of each column that takes all its cells from record `first` on.
  func types(from first: Int, width: Int) -> [LogicalType] {
    var guesses = Array(repeating: CSVTypeGuess(), count: width)
    for record in records.dropFirst(first) {
      let fields = range(record)
      for column in 0..<min(width, fields.count) {
        let index = fields.lowerBound + column
        let cell = cell(index, isLast: index == fields.upperBound - 1)
        if !isNull(cell) { guesses[column].narrow(cell.text) }
      }
    }
    return guesses.map(\.type)
  }

  /// Whether the first record names columns of these types: some cell is not of its column's type,
  /// or all is text and every cell has some.
  func looksLikeHeader(under types: [LogicalType]) -> Bool {
    guard let first = records.first else { return false }
    let fields = range(first)
    if fields.count != types.count { return false }
    var allText = true
    for (column, index) in fields.enumerated() {
      let cell = cell(index, isLast: index == fields.upperBound - 1)
      var guess = CSVTypeGuess()
      if !isNull(cell) { guess.narrow(cell.text) }
      if records.count == 1 {
        if isNull(cell) || guess.type != .varchar { return false }
        continue
      }
      if types[column] != .varchar {
        allText = false
        if isNull(cell) { continue }
        var both = CSVTypeGuess(types[column])
        both.narrow(cell.text)
        if both.type != types[column] { return true }
      } else if isNull(cell) || guess.type != .varchar {
        allText = false
      }
    }
    return allText
  }

  private func range(_ record: Int) -> Range<Int> {
    let start = record == 0 ? 0 : Int(tokenizer.recordEnds[record - 1])
    return start..<Int(tokenizer.recordEnds[record])
  }

  private func isBlank(_ record: Int) -> Bool {
    let fields = range(record)
    return fields.count == 1 && cell(fields.lowerBound, isLast: true).isEmptyUnquoted
  }

  private func isNull(_ cell: Cell) -> Bool {
    cell.text.isEmpty || (!nullText.isEmpty && cell.text.elementsEqual(nullText))
  }

  struct Cell {
    var text: UnsafeBufferPointer<UInt8>
    var isQuoted: Bool
    var isEmptyUnquoted: Bool { text.isEmpty && !isQuoted }
  }

  private func cell(_ index: Int, isLast: Bool) -> Cell {
    let start = Int(tokenizer.positions[index - 1] &+ 1)
    var end = Int(tokenizer.positions[index])
    let bytes = tokenizer.bytes
    if isLast && end > start && bytes[end - 1] == 13 { end -= 1 }
    if let quote = tokenizer.dialect.quote, end - start >= 2, bytes[start] == quote,
      bytes[end - 1] == quote
    {
      return Cell(
        text: UnsafeBufferPointer(start: bytes + start + 1, count: end - start - 2), isQuoted: true)
    }
    return Cell(
      text: UnsafeBufferPointer(start: bytes + start, count: end - start), isQuoted: false)
  }
}

/// Which types the cells seen so far may have, narrowest first: BOOLEAN, BIGINT, HUGEINT, DOUBLE,
/// TIME, DATE, TIMESTAMP, TIMESTAMPTZ, VARCHAR.
struct CSVTypeGuess {
  private static let order: [LogicalType] = [
    .boolean, .bigint, .hugeint, .double, .time, .date, .timestamp, .timestampTZ,
  ]
  private var possible: UInt8 = 0xFF
  private var isEmpty = true

  init() {}

  /// As if cells had settled on a type.
  init(_ type: LogicalType) {
    isEmpty = false
    possible = 0
    for (position, candidate) in CSVTypeGuess.order.enumerated() where candidate == type {
      possible = 1 << UInt8(position)
    }
  }

  var type: LogicalType {
    if isEmpty || possible == 0 { return .varchar }
    return CSVTypeGuess.order[possible.trailingZeroBitCount]
  }

  mutating func narrow(_ text: UnsafeBufferPointer<UInt8>) {
    isEmpty = false
    if possible == 0 { return }
    for position in 0..<8 where possible >> UInt8(position) & 1 != 0 {
      if !CSVTypeGuess.fits(text, position) { possible &= ~(1 << UInt8(position)) }
    }
  }

  private static func fits(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> Bool {
    switch position {
    // Only t, true, f and false: a column of y and n may be anything.
    case 0: [0x74, 0x66].contains(text[0] | 0x20) && TextParsing.boolean(text) != nil
    case 1: isPlainNumber(text, isInteger: true) && TextParsing.integer(text, as: Int64.self) != nil
    case 2:
      isPlainNumber(text, isInteger: true) && TextParsing.integer(text, as: Int128.self) != nil
    case 3: isPlainNumber(text, isInteger: false) && TextParsing.double(text) != nil
    case 4:
      TextParsing.plainTime(text) != nil
        && text.allSatisfy { $0 <= 0x3A && $0 != 0x2B && $0 != 0x2D }
    case 5: hasDateShape(text) && TextParsing.plainDate(text) != nil
    case 6: hasDateShape(text) && !hasZone(text) && TextParsing.timestamp(text) != nil
    default: hasDateShape(text) && isInstant(text)
    }
  }

  /// Digits, signs, exponent; no leading zeros (007 is a code, not a number) and no words like inf.
  private static func isPlainNumber(_ text: UnsafeBufferPointer<UInt8>, isInteger: Bool) -> Bool {
    let trimmed = TextParsing.trimmed(text)
    var digits = trimmed[...]
    if let sign = digits.first, sign == 0x2D || sign == 0x2B { digits = digits.dropFirst() }
    guard let first = digits.first else { return false }
    if first == 0x30, digits.count > 1, let second = digits.dropFirst().first,
      second >= 0x30 && second <= 0x39
    {
      return false
    }
    for byte in digits where !(byte >= 0x30 && byte <= 0x39) {
      if isInteger { return false }
      if byte != 0x2E && byte | 0x20 != 0x65 && byte != 0x2D && byte != 0x2B { return false }
    }
    return true
  }

  /// Whether something stands behind the clock's digits: then it is not without a zone.
  private static func hasZone(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let trimmed = TextParsing.trimmed(text)
    guard let last = trimmed.last else { return false }
    if last &- 0x30 > 9 { return last != 0x29 }
    // An offset has its sign behind the time, the time behind the date.
    return trimmed.dropFirst(11).contains { $0 == 0x2B || $0 == 0x2D || ($0 | 0x20) &- 0x61 < 26 }
  }

  private static func isInstant(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    var cursor = SessionTime.cursor
    return TextParsing.timestampTZ(text, &cursor) != nil
  }

  /// Years with four digits first: `1 2 3` is not meant as a date.
  private static func hasDateShape(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let trimmed = TextParsing.trimmed(text)
    guard trimmed.count >= 8, trimmed[4] == 0x2D || trimmed[4] == 0x2F else { return false }
    return true
  }
}

/// Takes the escapes out of the inside of a quoted field.
enum CSVUnescaping {
  static func append(
    _ text: UnsafeBufferPointer<UInt8>, quote: UInt8, escape: UInt8, to buffer: inout TextBuffer
  ) {
    var position = 0
    while position < text.count {
      let byte = text[position]
      if byte == escape, position + 1 < text.count,
        text[position + 1] == quote || text[position + 1] == escape
      {
        position += 1
      }
      buffer.append(text[position])
      position += 1
    }
  }
}
