extension TransformDefinition {
  static let hashBucket = TransformDefinition(
    "hash_bucket", parameters: [TransformParameter("n")],
    summary: "an id from 0 to n - 1 by a hash of the value: nothing to learn, nothing unseen",
    example: "hash_bucket(user_id, 1000)"
  ) { arguments, _ in
    let count = try arguments.integer("n", 1...100_000_000)
    return .ids(cardinality: count) { text in
      Int32(truncatingIfNeeded: stableHash([text]) % UInt64(count))
    }
  }
}
