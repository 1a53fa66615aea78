import Columnar
import Diagnostics

/// The aggregate functions: lookup by name or alias, and the choice of an overload.
package enum Aggregates {
  /// All rows of the tables, in the order of their names.
  package static let all: [AggregateFunction] =
    (basicAggregates + statisticalAggregates + orderedAggregates + collectedAggregates
    + downsamplingAggregates + histogramAggregates + jsonAggregates).sorted { $0.name < $1.name }

  private static let byName: [String: AggregateFunction] = {
    var table: [String: AggregateFunction] = [:]
    for function in all {
      for name in [function.name] + function.aliases { table[name] = function }
    }
    return table
  }()

  /// The function of this name or alias, case ignored.
  package static func named(_ name: String) -> AggregateFunction? {
    byName[name] ?? byName[name.lowercased()]
  }

  /// Names and aliases, sorted.
  package static let allNames: [String] = byName.keys.sorted()

  /// The overload for actual argument types: count(*) has none. The arguments are to be cast to
  /// its `argumentTypes`. `.catalog` for an unknown name, `.binder` when no overload fits.
  package static func resolve(name: String, arguments: [LogicalType]) throws -> ResolvedAggregate {
    guard let function = named(name) else { throw unknownAggregate(name) }
    return try resolve(function, arguments: arguments)
  }

  /// The same for a function at hand.
  package static func resolve(
    _ function: AggregateFunction, arguments: [LogicalType]
  ) throws -> ResolvedAggregate {
    for overload in function.overloads where overload.accepts(arguments.count) {
      guard let types = try? overload.coerce?(arguments) ?? arguments else { continue }
      return ResolvedAggregate(
        function: function, overload: overload, argumentTypes: types,
        resultType: try overload.result(types))
    }
    throw noOverload(function, arguments)
  }
}

extension AggregateOverload {
  fileprivate func accepts(_ count: Int) -> Bool {
    variadic == nil ? count == parameters.count : count >= parameters.count
  }
}

extension ResolvedAggregate {
  /// Empty states of this aggregate. Arguments and results of nested types pass through bytes.
  package func makeState() throws -> any AggregateState {
    try overload.makeState(argumentTypes, resultType)
  }
}

private func unknownAggregate(_ name: String) -> SQLError {
  SQLError(
    .catalog, "aggregate function \"\(name)\" does not exist",
    hint: didYouMean(name, among: Aggregates.allNames))
}

private func noOverload(_ function: AggregateFunction, _ types: [LogicalType]) -> SQLError {
  SQLError(
    .binder,
    "no form of \(function.name) takes (\(types.map(\.description).joined(separator: ", ")))",
    hint: "an explicit cast of the arguments may help")
}
