import Columnar
import Functions

/// `left operator right`, the sides of a join on either side of a comparison.
package struct JoinInequality: Sendable {
  package enum Operator: String, Sendable {
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    /// With the sides exchanged.
    package var flipped: Operator {
      switch self {
      case .less: .greater
      case .lessOrEqual: .greaterOrEqual
      case .greater: .less
      case .greaterOrEqual: .lessOrEqual
      }
    }
  }
  package var left: Expression
  package var right: Expression
  package var `operator`: Operator

  package init(left: Expression, right: Expression, operator: Operator) {
    self.left = left
    self.right = right
    self.operator = `operator`
  }

  /// A condition as an inequality between the two sides of a join; nil if it is none.
  init?(_ condition: Expression, left: Set<Int>, right: Set<Int>) {
    guard case .call(let call) = condition, call.arguments.count == 2,
      let found = Operator(rawValue: call.resolved.function.name)
    else { return nil }
    let (a, b) = (call.arguments[0], call.arguments[1])
    if a.isVolatile || b.isVolatile || a.type != b.type { return nil }
    let (x, y) = (a.columnIDs, b.columnIDs)
    if x.isEmpty || y.isEmpty { return nil }
    if x.isSubset(of: left) && y.isSubset(of: right) {
      self.init(left: a, right: b, operator: found)
    } else if x.isSubset(of: right) && y.isSubset(of: left) {
      self.init(left: b, right: a, operator: found.flipped)
    } else {
      return nil
    }
  }
}

extension Expression {
  /// `a = b`, or IS NOT DISTINCT FROM. nil only for sides that cannot be compared.
  static func equality(_ a: Expression, _ b: Expression, nullSafe: Bool = false) -> Expression? {
    comparison(nullSafe ? "IS NOT DISTINCT FROM" : "=", a, b)
  }

  /// The sides of `a = b`, or of IS NOT DISTINCT FROM (`nullSafe`); nil for anything else.
  var asEquality: (left: Expression, right: Expression, nullSafe: Bool)? {
    guard case .call(let call) = self, call.arguments.count == 2 else { return nil }
    let name = call.resolved.function.name
    let nullSafe = name == "IS NOT DISTINCT FROM"
    guard name == "=" || nullSafe else { return nil }
    return (call.arguments[0], call.arguments[1], nullSafe)
  }

  /// A comparison of two expressions of one type.
  static func comparison(_ name: String, _ a: Expression, _ b: Expression) -> Expression? {
    guard let resolved = try? ScalarFunctions.resolve(name: name, arguments: [a.type, b.type]),
      resolved.argumentTypes == [a.type, b.type]
    else { return nil }
    return .call(CallExpression(resolved: resolved, arguments: [a, b], span: nil))
  }
}

extension JoinNode {
  /// A condition as a key: an equality of expressions of the two sides; nil if it is none.
  static func equality(_ condition: Expression, _ left: Set<Int>, _ right: Set<Int>) -> (
    left: Expression, right: Expression, nullSafe: Bool
  )? {
    guard let (a, b, nullSafe) = condition.asEquality else { return nil }
    let (x, y) = (a.columnIDs, b.columnIDs)
    if a.isVolatile || b.isVolatile || x.isEmpty || y.isEmpty { return nil }
    if x.isSubset(of: left) && y.isSubset(of: right) { return (a, b, nullSafe) }
    if x.isSubset(of: right) && y.isSubset(of: left) { return (b, a, nullSafe) }
    return nil
  }
}
