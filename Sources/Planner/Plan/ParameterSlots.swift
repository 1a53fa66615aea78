import Columnar
import Diagnostics
import Functions

/// Where a plan that is kept between executions reads the values of its parameters. In its
/// expressions each is a call without arguments that gives what was set last, so that rules and
/// operators need to know nothing of parameters.
package final class ParameterSlots: @unchecked Sendable {
  /// The category of the functions that stand for parameters.
  static let category = "parameter"

  private let positions: [String: Int]
  private let types: [LogicalType]
  /// One row each.
  private var columns: [Column]

  /// SAFETY: set and read by the thread that runs the connection's statements: plans that are kept
  /// have no workers.
  package init(keys: [String], types: [LogicalType]) {
    positions = Dictionary(firstOf: keys.enumerated().map { ($1, $0) })
    self.types = types
    columns = types.map { Column.nulls($0, count: 1) }
  }

  /// Values of the types given at the start, in their order.
  package func set(_ values: [Value]) throws {
    for (position, value) in values.enumerated() {
      columns[position] = try Column.constant(value, types[position], count: 1)
    }
  }

  /// The parameter as an expression; nil when there is none of that key.
  func expression(_ key: String) -> Expression? {
    guard let position = positions[key] else { return nil }
    let overload = ScalarOverload([], returns: types[position], nulls: .custom) {
      [self] _, count, _ in
      count == 1 ? columns[position] : Column(repeating: columns[position], count: count)
    }
    let function = ScalarFunction(
      "$\(key)", category: Self.category, summary: "", examples: [], overloads: [overload])
    return .call(
      CallExpression(
        resolved: ResolvedScalar(
          function: function, overload: overload, argumentTypes: [], resultType: types[position]),
        arguments: []))
  }
}

extension Expression {
  /// Whether it is a parameter whose value comes from slots.
  var isParameter: Bool {
    if case .call(let call) = self, call.arguments.isEmpty {
      return call.resolved.function.category == ParameterSlots.category
    }
    return false
  }

  /// With these values, by `Parameter.key`, in place of parameters that read slots, and folded: as
  /// it would have been bound for them.
  package func replacingParameters(_ values: [String: ParameterValue]) -> Expression {
    rewritten { part in
      if part.isParameter, case .call(let call) = part,
        let given = values[String(call.resolved.function.name.dropFirst())]
      {
        return .constant(given.value, given.type)
      }
      return ConstantFolding.fold(part)
    }
  }
}
