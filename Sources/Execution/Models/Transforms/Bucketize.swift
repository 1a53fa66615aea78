extension TransformDefinition {
  static let bucketize = TransformDefinition(
    "bucketize", parameters: [TransformParameter("bounds")],
    summary: "an id: how many of the bounds are not above x", example: "bucketize(age, [18, 65])"
  ) { arguments, _ in
    let bounds = try arguments.numbers("bounds")
    guard zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw arguments.error("bounds", "a list of growing numbers")
    }
    return .buckets(bounds)
  }
}
