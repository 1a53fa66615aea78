import Columnar
import Functions

/// Sums of the same integers with constants added, or taken from constants, are made of one sum and one
/// count:
///
///     Aggregate: sum(x + 1), sum(x + 2), sum(10 - x)
///
///     Project: s + 1 * n, s + 2 * n, 10 * n - s
///     └─ Aggregate: s = sum(x), n = count(x)
///
/// The sums have 128 bits, so that none of it can fail; an addition that would leave the integers' own
/// type is not made. Where one sum alone is shifted it stays what it is.
struct ShiftedSums {
  // Beyond all references of binders, and those of other rules.
  private var nextReferenceID = 1 << 47

  static func apply(_ plan: Plan) -> Plan {
    var rule = ShiftedSums()
    return rule.visit(plan)
  }

  private mutating func visit(_ plan: Plan) -> Plan {
    var rule = self
    let below = plan.mapChildren { rule.visit($0) }
    self = rule
    guard case .aggregate(let node) = below else { return below }
    return rewritten(node) ?? below
  }

  private mutating func rewritten(_ node: AggregateNode) -> Plan? {
    let shifts = node.calls.map { Shift($0.call) }
    var sums: [(shift: Shift, uses: Int)] = []
    for case let shift? in shifts {
      if let known = sums.firstIndex(where: { $0.shift.sharesSum(with: shift) }) {
        sums[known].uses += 1
      } else {
        sums.append((shift, 1))
      }
    }
    sums.removeAll { $0.uses < 2 }
    if sums.isEmpty { return nil }
    var parts: [(sum: ColumnReference, count: ColumnReference)] = []
    var result = node
    result.calls = []
    for sum in sums {
      guard let (total, count) = sum.shift.calls else { return nil }
      parts.append((makeReference(total), makeReference(count)))
      result.calls += [(total, parts[parts.count - 1].sum), (count, parts[parts.count - 1].count)]
    }
    var items = Plan.aggregate(node).output.map {
      (expression: Expression.column($0), reference: $0)
    }
    for (call, shift) in zip(node.calls, shifts) {
      guard let shift, let sum = sums.firstIndex(where: { $0.shift.sharesSum(with: shift) }) else {
        result.calls.append(call)
        continue
      }
      guard let expression = shift.result(parts[sum].sum, parts[sum].count),
        let place = items.firstIndex(where: { $0.reference.id == call.reference.id })
      else { return nil }
      items[place].expression = expression
    }
    return .project(ProjectNode(input: .aggregate(result), items: items))
  }

  private mutating func makeReference(_ call: BoundAggregate) -> ColumnReference {
    nextReferenceID += 1
    return ColumnReference(
      id: nextReferenceID, name: call.resolved.function.name, type: call.resolved.resultType)
  }
}

/// `sum(x + c)`, `sum(c + x)`, `sum(x - c)` or `sum(c - x)` of integers x of at most 64 bits.
private struct Shift {
  private let call: BoundAggregate
  private let operand: Expression
  private let constant: Int128
  private let isNegated: Bool

  init?(_ call: BoundAggregate) {
    guard call.resolved.function.name == "sum", call.resolved.resultType == .hugeint,
      !call.isDistinct, call.order.isEmpty, case .call(let shift)? = call.arguments.first,
      shift.arguments.count == 2, shift.arguments.allSatisfy({ $0.type.isNarrowInteger })
    else { return nil }
    let (left, right) = (shift.arguments[0], shift.arguments[1])
    switch (shift.resolved.function.name, left, right) {
    case ("+", let operand, .constant(.integer(let value), _)),
      ("+", .constant(.integer(let value), _), let operand):
      (self.operand, constant, isNegated) = (operand, value, false)
    case ("-", let operand, .constant(.integer(let value), _)):
      (self.operand, constant, isNegated) = (operand, -value, false)
    case ("-", .constant(.integer(let value), _), let operand):
      (self.operand, constant, isNegated) = (operand, value, true)
    default: return nil
    }
    if operand.isVolatile { return nil }
    self.call = call
  }

  func sharesSum(with other: Shift) -> Bool {
    operand == other.operand && call.filter == other.call.filter
  }

  /// The sum of the operand and the count of its values.
  var calls: (sum: BoundAggregate, count: BoundAggregate)? {
    func made(_ name: String) -> BoundAggregate? {
      guard let resolved = try? Aggregates.resolve(name: name, arguments: [operand.type]),
        resolved.argumentTypes == [operand.type]
      else { return nil }
      var made = call
      made.resolved = resolved
      made.arguments = [operand]
      return made
    }
    guard let sum = made("sum"), sum.resolved.resultType == .hugeint, let count = made("count")
    else { return nil }
    return (sum, count)
  }

  /// NULL where no row has a value, as the sum is.
  func result(_ sum: ColumnReference, _ count: ColumnReference) -> Expression? {
    func apply(_ name: String, _ left: Expression, _ right: Expression) -> Expression? {
      guard
        let resolved = try? ScalarFunctions.resolve(name: name, arguments: [.hugeint, .hugeint]),
        resolved.resultType == .hugeint
      else { return nil }
      return .call(CallExpression(resolved: resolved, arguments: [left, right]))
    }
    guard
      let shift = apply(
        "*", .constant(.integer(constant), .hugeint),
        .cast(.column(count), to: .hugeint, isTry: false))
    else { return nil }
    return isNegated
      ? apply("-", shift, .column(sum)) : apply("+", .column(sum), shift)
  }
}

extension LogicalType {
  /// Whether 128 bits hold any sum of its values.
  fileprivate var isNarrowInteger: Bool { isInteger && self != .hugeint && self != .uhugeint }
}
