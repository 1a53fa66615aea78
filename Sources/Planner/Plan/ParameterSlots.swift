import Columnar
import Diagnostics
import Functions

/// Where a plan that is kept between executions reads the values of its parameters. In its
/// expressions each is a call without arguments that gives what was set last, so that rules and
/// operators need to know nothing of parameters.
package final class ParameterSlots: @unchecked Sendable {
  /// The category of the functions that stand for parameters.
  static let category = "parameter"

  private let keys: [String]
  private let positions: [String: Int]
  package let types: [LogicalType]
  /// One row each.
  private var columns: [Column]

  /// SAFETY: set and read by the thread that runs the connection's statements: plans that are kept
  /// have no workers.
  package init(keys: [String], types: [LogicalType]) {
    self.keys = keys
    positions = Dictionary(firstOf: keys.enumerated().map { ($1, $0) })
    self.types = types
    columns = types.map { Column.nulls($0, count: 1) }
  }

  /// Values in the order of the keys, cast where they are not of the slots' types.
  package func set(_ values: [ParameterValue]) throws {
    for (position, given) in values.enumerated() {
      let column = try Column.constant(given.value, given.type, count: 1)
      columns[position] =
        given.type == types[position]
        ? column : try Cast.column(column, to: types[position], tryCast: false)
    }
  }

  /// Slots for the values as the plan casts them, and the plan that reads these, where it does
  /// nothing with some of its DECIMALs but to cast them to floating-point numbers. How many digits a
  /// literal has then counts for nothing: 0.25 is served by the plan of 0.5.
  package func castingDecimals(_ plan: Plan) -> (slots: ParameterSlots, plan: Plan)? {
    var uses = ParameterUses()
    plan.forEachExpression { uses.add($0) }
    let cast = keys.indices.map { index -> LogicalType? in
      guard types[index].isShortDecimals, !uses.others.contains(keys[index]),
        let targets = uses.casts[keys[index]], targets.count == 1, let target = targets.first
      else { return nil }
      return target.isFloats ? target : nil
    }
    if cast.allSatisfy({ $0 == nil }) { return nil }
    let made = ParameterSlots(keys: keys, types: zip(types, cast).map { $1 ?? $0 })
    return (
      made,
      plan.mappingExpressions { expression in
        expression.rewritten { part in
          if case .cast(let operand, let type, false) = part, let key = operand.parameterKey,
            let slot = made.expression(key), slot.type == type
          {
            return slot
          }
          return part.parameterKey.flatMap { made.expression($0) } ?? part
        }
      }
    )
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

  /// The `Parameter.key` of a parameter whose value comes from slots.
  var parameterKey: String? {
    guard isParameter, case .call(let call) = self else { return nil }
    return String(call.resolved.function.name.dropFirst())
  }

  /// With these values, by `Parameter.key`, in place of parameters that read slots, and folded: as
  /// it would have been bound for them.
  package func replacingParameters(_ values: [String: ParameterValue]) -> Expression {
    rewritten { part in
      if let key = part.parameterKey, let given = values[key] {
        return .constant(given.value, given.type)
      }
      return ConstantFolding.fold(part)
    }
  }
}

/// What a plan does with its parameters, by their keys.
private struct ParameterUses {
  var casts: [String: Set<LogicalType>] = [:]
  /// Those read in another way too.
  var others: Set<String> = []

  mutating func add(_ expression: Expression) {
    if case .cast(let operand, let type, false) = expression, let key = operand.parameterKey {
      casts[key, default: []].insert(type)
    } else if let key = expression.parameterKey {
      others.insert(key)
    } else {
      for child in expression.children { add(child) }
    }
  }
}

extension LogicalType {
  /// A DECIMAL of up to 18 digits, or a list of them: what a literal such as 0.5 is.
  package var isShortDecimals: Bool {
    switch self {
    case .decimal(let precision, _): precision <= 18
    case .list(let element): element.isShortDecimals
    default: false
    }
  }

  /// FLOAT, DOUBLE, and lists and arrays of them.
  fileprivate var isFloats: Bool {
    switch self {
    case .list(let element), .array(let element, _): element.isFloats
    default: isFloatingPoint
    }
  }
}

extension Plan {
  /// The optimized plan for these values in place of parameters that read slots: scans below filters
  /// skip by them as by constants.
  package func replacingParameters(_ values: [String: ParameterValue]) -> Plan {
    let plan = mapChildren { $0.replacingParameters(values) }
      .mapExpressions { $0.replacingParameters(values) }
    guard case .filter(var node) = plan, case .scan(var scan) = node.input else { return plan }
    scan.filters = node.condition.conjuncts.compactMap { FilterPushdown.scanFilter($0, scan) }
    node.input = .scan(scan)
    return .filter(node)
  }

  /// Whether a constant is left in it that cannot be cast.
  package var hasFailingCasts: Bool {
    var found = false
    forEachExpression {
      found =
        found
        || $0.contains {
          if case .cast(.constant(let value, _), _, false) = $0 { !value.isNull } else { false }
        }
    }
    return found
  }

  /// Every expression written in its nodes, from the top.
  package func forEachExpression(_ body: (Expression) -> Void) {
    _ = mapExpressions {
      body($0)
      return $0
    }
    for child in children { child.forEachExpression(body) }
  }

  /// The plan with each of them replaced.
  func mappingExpressions(_ transform: (Expression) -> Expression) -> Plan {
    mapChildren { $0.mappingExpressions(transform) }.mapExpressions(transform)
  }
}
