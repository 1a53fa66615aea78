extension TransformDefinition {
  static let ordinal = TransformDefinition(
    "ordinal", parameters: [TransformParameter("values")],
    summary: "the place of the value in a list, from 1; 0 for any other",
    example: "ordinal(grade, ['low', 'mid', 'high'])"
  ) { arguments, _ in
    let vocabulary = Vocabulary(try arguments.texts("values"))
    return .ids(
      cardinality: vocabulary.cardinality, FittedTransform.lookUp(vocabulary, arguments))
  }
}
