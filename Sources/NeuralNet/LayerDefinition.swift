import Diagnostics

/// A layer kind: one row of the table in `Layers/LayerBuiltins.swift`, one file of its own.
package struct LayerDefinition: Sendable {
  package let name: String
  package let aliases: [String]
  package let parameters: [LayerParameter]
  /// The names that positional arguments take when there are exactly so many: `linear(64)` is `out`.
  package let shortForm: [String]
  /// How many tensors it takes.
  package let tensorCount: ClosedRange<Int>
  /// Whether a single number is more to it than a vector of one: `embedding` makes it a vector.
  let takesScalars: Bool
  package let summary: String
  package let example: String
  /// Checks the arguments against the inputs' shapes and gives the layer.
  let make: @Sendable (LayerArguments, [Shape]) throws -> MadeLayer

  init(
    _ name: String, aliases: [String] = [], parameters: [LayerParameter] = [],
    shortForm: [String] = [], takesScalars: Bool = false, summary: String, example: String,
    make: @escaping @Sendable (LayerArguments, Shape) throws -> MadeLayer
  ) {
    self.init(
      name, aliases: aliases, parameters: parameters, shortForm: shortForm,
      takesScalars: takesScalars, tensors: 1...1, summary: summary, example: example
    ) { arguments, shapes in
      try make(arguments, shapes[0])
    }
  }

  /// A layer on several tensors.
  init(
    _ name: String, aliases: [String] = [], parameters: [LayerParameter] = [],
    shortForm: [String] = [], takesScalars: Bool = false, tensors: ClosedRange<Int>,
    summary: String, example: String,
    makeOfSeveral: @escaping @Sendable (LayerArguments, [Shape]) throws -> MadeLayer
  ) {
    self.name = name
    self.aliases = aliases
    self.parameters = parameters
    self.shortForm = shortForm
    self.takesScalars = takesScalars
    self.tensorCount = tensors
    self.summary = summary
    self.example = example
    self.make = makeOfSeveral
  }

  /// An activation: same shape out as in, no weights.
  static func elementwise(
    _ name: String, aliases: [String] = [], parameters: [LayerParameter] = [], summary: String,
    example: String, operation: @escaping @Sendable (LayerArguments) throws -> any LayerOperator
  ) -> LayerDefinition {
    LayerDefinition(
      name, aliases: aliases, parameters: parameters, summary: summary, example: example
    ) { arguments, input in
      MadeLayer(output: input, operation: try operation(arguments))
    }
  }

  /// The definition of that name or alias, case ignored; `place` is what an error calls the layer.
  /// Errors: unknown, with the nearest names.
  package static func named(_ name: String, place: String) throws -> LayerDefinition {
    let wanted = name.lowercased()
    for row in layerTable where row.name == wanted || row.aliases.contains(wanted) { return row }
    let names = layerTable.flatMap { [$0.name] + $0.aliases }
    throw SQLError(
      .model, "\(place): there is no layer named \"\(name)\"",
      hint: didYouMean(name, among: names))
  }
}

/// A named argument of a layer; nil default: it must be given, unless `isOptional`.
package struct LayerParameter: Sendable {
  package let name: String
  package let defaultValue: LayerArgument?
  package let isOptional: Bool

  init(_ name: String, _ defaultValue: LayerArgument? = nil, isOptional: Bool = false) {
    self.name = name
    self.defaultValue = defaultValue
    self.isOptional = isOptional
  }
}

/// What a definition makes of its arguments and input shape.
struct MadeLayer {
  var output: Shape
  var parameters: [ParameterSpec] = []
  /// Values that are kept with the weights but not trained: running statistics.
  var buffers: [ParameterSpec] = []
  /// Floating-point operations for one row; nil: two for each weight.
  var flopsPerRow: Int?
  var operation: any LayerOperator
}

/// A weight tensor that a layer asks for; `name` as PyTorch's module calls it.
struct ParameterSpec {
  var name: String
  var shape: [Int]
  var role: ParameterRole
}
