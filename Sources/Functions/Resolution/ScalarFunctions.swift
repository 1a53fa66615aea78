import Columnar
import Diagnostics

/// The scalar functions by name, and the choice of an overload for argument types.
package enum ScalarFunctions {
  /// Every row of every table, sorted by name; aliases are not rows of their own.
  package static let all: [ScalarFunction] = Builtins.scalarFunctions.sorted { $0.name < $1.name }

  private static let byName: [String: ScalarFunction] = {
    var index: [String: ScalarFunction] = [:]
    for function in Builtins.scalarFunctions {
      for name in [function.name] + function.aliases where index[name] == nil {
        index[name] = function
      }
    }
    return index
  }()

  /// Names and aliases of all functions that are words (not operators), sorted.
  package static let allNames: [String] = byName.keys.filter { name in
    name.utf8.first.map { ($0 | 32) >= 97 && ($0 | 32) <= 122 } ?? false
  }.sorted()

  /// The function of that name or alias, whatever its case.
  package static func named(_ name: String) -> ScalarFunction? {
    byName[name] ?? byName[name.lowercased()]
  }

  /// As below, with only string literals marked.
  package static func resolve(
    name: String, arguments: [LogicalType], literalStrings: [Bool]
  ) throws -> ResolvedScalar {
    try resolve(
      name: name, arguments: arguments, literals: literalStrings.map { $0 ? .string : .none })
  }

  /// The overload with the cheapest implicit casts; among equals the first of the table.
  /// `.catalog` error for an unknown name, `.binder` when no overload takes the arguments.
  package static func resolve(
    name: String, arguments: [LogicalType], literals: [ArgumentLiteral] = [],
    call: [CallArgument]? = nil
  ) throws -> ResolvedScalar {
    guard let function = named(name) else { throw unknownFunction(name) }
    return try resolve(
      function, arguments: arguments, literals: literals, calledAs: name, call: call)
  }

  /// The overload of one function.
  package static func resolve(
    _ function: ScalarFunction, arguments: [LogicalType], literals: [ArgumentLiteral],
    calledAs name: String, call: [CallArgument]? = nil
  ) throws -> ResolvedScalar {
    if let rule = function.signature,
      let (overload, types) = try rule(call ?? arguments.map { CallArgument($0) })
    {
      // Names among the arguments are part of what is called: two calls are equal only with them.
      let names = (call ?? []).compactMap(\.name)
      let called =
        names.isEmpty
        ? function
        : ScalarFunction(
          "\(function.name)(\(names.joined(separator: ",")))", category: function.category,
          summary: function.summary, examples: [])
      return ResolvedScalar(
        function: called, overload: overload, argumentTypes: types,
        resultType: try overload.result(types))
    }
    var best: (cost: Int, overload: ScalarOverload, types: [LogicalType])?
    var refusal: SQLError?
    for overload in function.overloads {
      do {
        guard
          let match = try OverloadMatching.match(
            parameters: overload.parameters, variadic: overload.variadic, coerce: overload.coerce,
            arguments: arguments, literals: literals)
        else { continue }
        if best.map({ match.cost < $0.cost }) ?? true {
          best = (match.cost, overload, match.types)
        }
      } catch let error as SQLError {
        refusal = refusal ?? error
      }
    }
    guard let best else {
      if let refusal, function.overloads.count == 1 { throw refusal }
      throw noOverload(function, name, arguments)
    }
    let result =
      try best.overload.resultFromLiterals?(best.types, literals)
      ?? best.overload.result(best.types)
    return ResolvedScalar(
      function: function, overload: best.overload, argumentTypes: best.types, resultType: result)
  }
}

private func unknownFunction(_ name: String) -> SQLError {
  SQLError(
    .catalog, "there is no function \(quotedIdentifier(name.lowercased()))",
    hint: didYouMean(name, among: ScalarFunctions.allNames))
}

private func noOverload(
  _ function: ScalarFunction, _ name: String, _ arguments: [LogicalType]
) -> SQLError {
  let given = arguments.map(\.description).joined(separator: ", ")
  let candidates = function.overloads.map { $0.signature(function.name) }
  return SQLError(
    .binder,
    "no function matches \(name)(\(given)); candidates: "
      + candidates.joined(separator: ", "))
}

extension ScalarOverload {
  /// `round(DOUBLE, INTEGER)`, for messages and the reference pages.
  package func signature(_ name: String) -> String {
    var parts = parameters.map(\.description)
    if let variadic { parts.append("\(variadic)...") }
    return "\(name)(\(parts.joined(separator: ", ")))"
  }
}

extension TypePattern: CustomStringConvertible {
  package var description: String {
    switch self {
    case .exactly(let type): type.description
    case .any: "ANY"
    case .anyInteger: "INTEGER TYPE"
    case .anyNumeric: "NUMERIC TYPE"
    case .anyDecimal: "DECIMAL"
    case .anyList: "LIST"
    case .anyMap: "MAP"
    case .common: "T"
    }
  }
}
