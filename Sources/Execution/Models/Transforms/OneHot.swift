extension TransformDefinition {
  static let oneHot = TransformDefinition(
    "one_hot", parameters: [TransformParameter("max", .number(32))],
    summary:
      "a vector with a 1 for the value: first <other>, then the most frequent values by name",
    example: "one_hot(city, max => 32)",
    fit: .query { arguments in
      let limit = try arguments.integer("max", 1...100_000)
      return """
        SELECT word FROM (SELECT x::VARCHAR AS word, count(*) AS times FROM fitted
          WHERE x IS NOT NULL GROUP BY ALL ORDER BY times DESC, word LIMIT \(limit)) ORDER BY word
        """
    }
  ) { arguments, state in
    let limit = try arguments.integer("max", 1...100_000)
    guard let words = try FittedTransform.words(state) else {
      return .oneHot(width: limit + 1, isOpen: true) { _ in 0 }
    }
    let vocabulary = Vocabulary(words)
    return .oneHot(
      width: vocabulary.cardinality, isOpen: true,
      FittedTransform.lookUp(vocabulary, arguments))
  }
}
