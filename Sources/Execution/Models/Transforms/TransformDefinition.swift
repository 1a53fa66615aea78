import Columnar
import Diagnostics
import Functions

/// A function of TRANSFORM that TRAIN fits: one row of the table in `TransformBuiltins.swift`, one
/// file of its own. Its first arguments are columns, the others constants.
struct TransformDefinition: Sendable {
  let name: String
  let aliases: [String]
  /// How many arguments are columns.
  let columnCount: Int
  /// The constants, in their order.
  let parameters: [TransformParameter]
  let summary: String
  let example: String
  /// An expression of `x` that takes the argument's place.
  let prepared: String?
  let fit: TransformFit
  /// From what the fit gave; before it, with nothing, something of the same type.
  let make: @Sendable (TransformArguments, ModelJSON?) throws -> FittedTransform

  init(
    _ name: String, aliases: [String] = [], columns: Int = 1,
    parameters: [TransformParameter] = [], summary: String, example: String,
    prepared: String? = nil, fit: TransformFit = .nothing,
    make: @escaping @Sendable (TransformArguments, ModelJSON?) throws -> FittedTransform
  ) {
    self.name = name
    self.aliases = aliases
    self.columnCount = columns
    self.parameters = parameters
    self.summary = summary
    self.example = example
    self.prepared = prepared
    self.fit = fit
    self.make = make
  }

  /// The row of that name or alias, in lower case.
  static func named(_ name: String) -> TransformDefinition? {
    let key = name.lowercased()
    return transformTable.first { $0.name == key || $0.aliases.contains(key) }
  }
}

/// How a transform learns from the training rows.
enum TransformFit: Sendable {
  case nothing
  /// Aggregates of the column of that name; several transforms share one pass. Their values become
  /// a JSON array.
  case aggregates(@Sendable (TransformArguments, String) throws -> [String])
  /// A query over `fitted (x, label)`. Its columns become JSON arrays.
  case query(@Sendable (TransformArguments) throws -> String)
}

/// A transform that knows what it needs of the training rows.
struct FittedTransform: Sendable {
  let overloads: [ScalarOverload]
  /// Its values are ids from 0 to below this.
  var cardinality: Int?
  /// Whether the width of its result is known only after the fit.
  var isOpen = false

  /// A function of DOUBLEs.
  static func numeric(
    returns type: LogicalType, cardinality: Int? = nil,
    _ kernel: @escaping @Sendable (ColumnReader<Double>, Int) -> Column
  ) -> FittedTransform {
    FittedTransform(
      overloads: [
        ScalarOverload([.exactly(.double)], returns: type) { arguments, count, _ in
          kernel(ColumnReader<Double>(arguments[0]), count).withNulls(of: arguments[0])
        }
      ], cardinality: cardinality)
  }

  /// `(x - offset) · factor` as FLOAT.
  static func affine(offset: Double, factor: Double) -> FittedTransform {
    numeric(returns: .float) { values, count in
      let result = Column(flat: .float, count: count)
      let target = result.values(as: Float.self)
      for row in 0..<count { target[row] = Float((values[row] - offset) * factor) }
      return result
    }
  }

  /// The number of bounds that are not above a value.
  static func buckets(_ bounds: [Double]) -> FittedTransform {
    numeric(returns: .integer, cardinality: bounds.count + 1) { values, count in
      let result = Column(flat: .integer, count: count)
      let target = result.values(as: Int32.self)
      for row in 0..<count {
        var low = 0
        var high = bounds.count
        while low < high {
          let middle = (low + high) / 2
          if bounds[middle] <= values[row] { low = middle + 1 } else { high = middle }
        }
        target[row] = Int32(truncatingIfNeeded: low)
      }
      return result
    }
  }
}
