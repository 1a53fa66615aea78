extension TransformDefinition {
  static let category = TransformDefinition(
    "category",
    parameters: [
      TransformParameter("min_count", .number(1)), TransformParameter("max", .number(1_000_000)),
    ],
    summary: "an id for embedding(…): 0 for <other>, then the values by name",
    example: "category(city, min_count => 5)",
    fit: .query { arguments in
      let least = try arguments.integer("min_count", 1...1_000_000_000)
      let limit = try arguments.integer("max", 1...10_000_000)
      return """
        SELECT word FROM (SELECT x::VARCHAR AS word, count(*) AS times FROM fitted
          WHERE x IS NOT NULL GROUP BY ALL HAVING count(*) >= \(least)
          ORDER BY times DESC, word LIMIT \(limit)) ORDER BY word
        """
    }
  ) { arguments, state in
    guard let words = try FittedTransform.words(state) else {
      return .ids(cardinality: 2, isOpen: true) { _ in 0 }
    }
    let vocabulary = Vocabulary(words)
    return .ids(
      cardinality: vocabulary.cardinality, isOpen: true,
      FittedTransform.lookUp(vocabulary, arguments))
  }
}
