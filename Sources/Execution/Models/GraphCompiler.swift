import Diagnostics
import NeuralNet
import Syntax

/// `GRAPH (…)` from syntax to a description: names become tensors, calls layers, `+` and `*` the
/// layers add and mul. Which names and layers there are, and whether shapes fit, `Network.graph`
/// checks.
enum GraphCompiler {
  /// Errors, each at its expression: what is neither a tensor nor a literal argument of a layer.
  static func description(_ items: [SelectItem]) throws -> GraphDescription {
    GraphDescription(
      try items.map { item in
        GraphNode(
          item.alias?.name ?? "", try tensor(item.expression), at: item.alias?.span ?? item.span)
      })
  }

  private static func tensor(_ expression: SyntaxExpression) throws -> GraphExpression {
    switch expression.kind {
    case .column(let name) where name.parts.count == 1:
      return .reference(name.last.name, span: expression.span)
    case .function(let call): return .layer(try layer(call, expression.span))
    case .binary(.plus, let a, let b):
      return .layer(
        GraphLayer(LayerCall("add"), on: [try tensor(a), try tensor(b)], at: expression.span))
    case .binary(.multiply, let a, let b):
      return .layer(
        GraphLayer(LayerCall("mul"), on: [try tensor(a), try tensor(b)], at: expression.span))
    default: throw noTensor(expression.span)
    }
  }

  private static func layer(_ call: FunctionCall, _ span: SourceSpan) throws -> GraphLayer {
    let name = call.name.last.name
    guard call.name.parts.count == 1, call.filter == nil, call.over == nil, !call.isDistinct,
      call.orderBy.isEmpty, call.withinGroup.isEmpty
    else { throw noLayer(name, span) }
    var tensors: [GraphExpression] = []
    if let receiver = call.receiver { tensors.append(try tensor(receiver)) }
    var positional: [LayerArgument] = []
    var named: [LayerCall.NamedArgument] = []
    for argument in call.arguments {
      guard let expression = argument.expression else { throw noTensor(argument.span) }
      let literal = LayerArgument(expression)
      if let name = argument.name {
        guard let literal else { throw noLiteral(name.name, argument.span) }
        named.append(LayerCall.NamedArgument(name.name, literal))
      } else if let literal {
        positional.append(literal)
      } else if positional.isEmpty {
        tensors.append(try tensor(expression))
      } else {
        throw tensorAfterLiteral(name, argument.span)
      }
    }
    return GraphLayer(LayerCall(name, positional, named: named), on: tensors, at: span)
  }

  private static func noTensor(_ span: SourceSpan) -> SQLError {
    SQLError(
      .model, "a node of a graph is made of layers and names of tensors", at: span,
      hint: "relu(linear(concat(a, b), 64)) AS h")
  }
  private static func noLayer(_ name: String, _ span: SourceSpan) -> SQLError {
    SQLError(.model, "\(name) is no layer: a layer takes tensors and literals only", at: span)
  }
  private static func noLiteral(_ name: String, _ span: SourceSpan) -> SQLError {
    SQLError(.model, "the argument \"\(name)\" of a layer must be a literal", at: span)
  }
  private static func tensorAfterLiteral(_ name: String, _ span: SourceSpan) -> SQLError {
    SQLError(
      .model, "the tensors of \(name) come before its other arguments", at: span,
      hint: "linear(h, 64)")
  }
}
