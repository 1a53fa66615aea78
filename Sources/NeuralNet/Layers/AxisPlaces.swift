/// The vectors along one axis of a tensor: `extent` features, `pitch` features apart.
struct AxisPlaces: Sendable {
  let extent: Int
  let pitch: Int
  private let blocks: Int

  /// Of the argument "axis"; negative ones count from the end. Errors: there is no such axis.
  init(_ arguments: LayerArguments, _ input: Shape) throws {
    let extents = input.dimensions
    let given = try arguments.integer("axis", atLeast: -extents.count) ?? -1
    let axis = given < 0 ? given + extents.count : given
    guard extents.indices.contains(axis) else {
      throw arguments.error("has no axis \(given) in \(input)")
    }
    extent = extents[axis]
    pitch = extents[(axis + 1)...].reduce(1, *)
    blocks = extents[..<axis].reduce(1, *)
  }

  /// Calls the body with the number of each vector's first feature.
  func forEach(_ body: (Int) -> Void) {
    for block in 0..<blocks {
      for place in 0..<pitch { body(block * extent * pitch + place) }
    }
  }
}
