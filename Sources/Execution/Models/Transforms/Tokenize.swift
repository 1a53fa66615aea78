import Columnar
import Functions

extension TransformDefinition {
  static let tokenize = TransformDefinition(
    "tokenize",
    parameters: [
      TransformParameter("vocab_size", .number(10_000)),
      TransformParameter("max_length", .number(128)),
      TransformParameter("kind", .text("word")),
    ],
    summary:
      "the text's first words as ids: 0 fills up, 1 is <other>, then the most frequent words",
    example: "tokenize(text, vocab_size => 5000, max_length => 64)",
    prepared: "regexp_extract_all(lower(x), '[\\p{L}\\p{N}]+')",
    fit: .query { arguments in
      let limit = try arguments.integer("vocab_size", 3...10_000_000) - 2
      return """
        SELECT word FROM (SELECT unnest(x) AS word FROM fitted) GROUP BY word
          ORDER BY count(*) DESC, word LIMIT \(limit)
        """
    }
  ) { arguments, state in
    guard arguments["kind"].text == "word" else {
      throw arguments.error("kind", "'word'; other kinds are not supported yet")
    }
    let length = try arguments.integer("max_length", 1...100_000)
    let limit = try arguments.integer("vocab_size", 3...10_000_000)
    let vocabulary = Vocabulary(try FittedTransform.words(state) ?? [], first: 2)
    return FittedTransform(
      overloads: [
        ScalarOverload([.anyList], returns: .array(.integer, count: length)) {
          columns, count, type in
          try tokens(columns[0].flattened(), count, type, length, vocabulary)
        }
      ], cardinality: limit)
  }

  private static func tokens(
    _ lists: Column, _ count: Int, _ type: LogicalType, _ length: Int, _ vocabulary: Vocabulary
  ) throws -> Column {
    let words = lists.children[0]
    let texts = try DistinctTexts(words, words.count)
    let ids = texts.texts.map { text in text.flatMap { vocabulary.id($0) } ?? 1 }
    let elements = Column(flat: .integer, count: count * length)
    let target = elements.values(as: Int32.self)
    target.update(repeating: 0, count: count * length)
    let entries = lists.values(as: ListEntry.self)
    for row in 0..<count where !lists.isNull(row) {
      let entry = entries[row]
      for position in 0..<min(length, Int(entry.length)) {
        target[row * length + position] = ids[Int(texts.groups[Int(entry.offset) + position])]
      }
    }
    return Column(flat: type, count: count, children: [elements]).withNulls(of: lists)
  }
}
