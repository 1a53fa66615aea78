import Columnar
import Diagnostics
import Functions
import Syntax

/// Aggregates that read their argument from WITHIN GROUP (ORDER BY x).
extension Binder {
  /// The same as a plain aggregate: `percentile_cont(0.2) WITHIN GROUP (ORDER BY x DESC)` is
  /// `quantile_cont(x, -0.2)`, where a negative fraction counts from the greatest value.
  func orderedSet(
    _ function: FunctionCall, _ arguments: [Argument], _ context: ExpressionContext,
    span: SourceSpan
  ) throws -> (function: FunctionCall, arguments: [Argument]) {
    let name = function.name.last.name
    var call = function
    call.receiver = nil
    call.withinGroup = []
    let isPercentile: Bool
    switch name.lowercased() {
    case "percentile_cont", "percentile_disc": isPercentile = true
    case "mode": isPercentile = false
    case "string_agg", "group_concat", "listagg":
      call.orderBy += function.withinGroup
      return (call, arguments)
    default:
      throw SQLError(
        .syntax, "unknown ordered aggregate \"\(name)\"", at: span,
        hint: "WITHIN GROUP goes with percentile_cont, percentile_disc, mode and string_agg")
    }
    guard function.withinGroup.count == 1, let item = function.withinGroup.first,
      let ordered = item.expression
    else {
      throw SQLError(.syntax, "WITHIN GROUP of \(name) takes one ORDER BY expression", at: span)
    }
    if !isPercentile {
      if !arguments.isEmpty {
        throw SQLError(.syntax, "mode takes no arguments beside WITHIN GROUP", at: span)
      }
      call.orderBy = [item]
      call.arguments = [Argument(ordered)]
      return (call, call.arguments)
    }
    guard arguments.count == 1, let fraction = arguments[0].expression else {
      throw SQLError(.syntax, "\(name) takes one fraction, or a list of them", at: span)
    }
    call.name = QualifiedName(
      Identifier(
        name: name.lowercased() == "percentile_cont" ? "quantile_cont" : "quantile_disc",
        span: function.name.span))
    call.arguments = [
      Argument(ordered),
      Argument(
        try fractions(
          fraction, isDescending: item.direction == .descending, name: name, context)),
    ]
    return (call, call.arguments)
  }

  private func fractions(
    _ expression: SyntaxExpression, isDescending: Bool, name: String, _ context: ExpressionContext
  ) throws -> SyntaxExpression {
    let span = expression.span
    func fail() -> SQLError {
      SQLError(
        .binder, "\(name) takes constant fractions from 0 to 1, or a list of them", at: span)
    }
    let bound = ConstantFolding.foldAll(try bind(expression, context))
    var isList = false
    if case .list = bound.type { isList = true }
    let type: LogicalType = isList ? .list(.double) : .double
    // A list literal is a call over constants, which is not folded into one.
    var values: [Expression] = [bound]
    if isList, case .call(let call) = bound { values = call.arguments }
    var numbers: [Double] = []
    for value in values {
      let target: LogicalType
      if case .list = value.type { target = type } else { target = .double }
      guard
        case .constant(let constant, _) = ConstantFolding.fold(
          try foldedCast(value, to: target, isTry: false, span: span))
      else { throw fail() }
      switch constant {
      case .double(let number): numbers.append(number)
      case .list(let items):
        for case .double(let number) in items { numbers.append(number) }
      default: throw fail()
      }
    }
    let literals = try numbers.map { number -> SyntaxExpression in
      guard number >= 0, number <= 1 else { throw fail() }
      let counted = !isDescending ? number : number == 0 ? 1 : -number
      return SyntaxExpression(.literal(.double("\(counted)")), span: span)
    }
    if isList { return SyntaxExpression(.list(literals), span: span) }
    guard let only = literals.first else { throw fail() }
    return only
  }
}
