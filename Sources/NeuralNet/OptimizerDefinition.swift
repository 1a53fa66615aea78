import CVectorMath
import Diagnostics

/// An optimizer: one row of the table in `Optimizers/OptimizerBuiltins.swift`.
package struct OptimizerDefinition: Sendable {
  package let name: String
  package let aliases: [String]
  /// Names and defaults; `OptimizerStep.values` has the values in this order.
  package let options: [(name: String, defaultValue: Double)]
  package let summary: String
  package let example: String
  /// Vectors of the size of the weights that it keeps between steps, zero at first; by the options.
  let stateCount: @Sendable ([Double]) -> Int
  let step: @Sendable (OptimizerStep) -> Void

  /// The optimizer of that name or alias, case ignored. Errors: unknown, with the nearest names.
  package static func named(_ name: String) throws -> OptimizerDefinition {
    let wanted = name.lowercased()
    for row in optimizerTable where row.name == wanted || row.aliases.contains(wanted) {
      return row
    }
    throw SQLError(
      .model, "there is no optimizer named \"\(name)\"",
      hint: didYouMean(name, among: optimizerTable.flatMap { [$0.name] + $0.aliases }))
  }

  /// The options' values in the definition's order. Errors: an option it does not have.
  func values(_ given: [String: Double]) throws -> [Double] {
    for name in given.keys.sorted() where !options.contains(where: { $0.name == name }) {
      throw SQLError(
        .model, "the optimizer \"\(self.name)\" has no option \"\(name)\"",
        hint: "its options are " + options.map(\.name).joined(separator: ", "))
    }
    return options.map { given[$0.name] ?? $0.defaultValue }
  }
}

/// One step over a range of the flat weight vector (a multiple of 16 floats).
/// SAFETY: all pointers belong to the trainer and outlive the call.
struct OptimizerStep {
  var weights: UnsafeMutablePointer<Float>
  var gradient: apus_gradient
  var state: [UnsafeMutablePointer<Float>]
  var count: Int
  var learningRate: Double
  /// From 1.
  var number: Int
  var values: [Double]
}
