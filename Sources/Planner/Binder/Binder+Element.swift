import Columnar
import Diagnostics
import Functions
import Syntax

/// Parts of values by brackets, and names that are no plain columns.
extension Binder {
  /// `operand[index]`: an element of a list, a character, a field of a struct.
  func element(
    _ operand: Expression, _ index: SyntaxExpression, _ context: ExpressionContext,
    span: SourceSpan
  ) throws -> Expression {
    let position = try bind(index, context)
    if case .structure = operand.type {
      if case .constant(.varchar(let name), _) = position {
        return try field(operand, Identifier(name: name, span: index.span))
      }
      return try call("struct_extract", [operand, position], span: span)
    }
    if case .map = operand.type {
      return ConstantFolding.fold(
        try call("map_extract_value", [operand, position], span: span))
    }
    if operand.type == .json {
      if case .constant(.varchar(let name), _) = position, Int64(name) == nil {
        return try field(operand, Identifier(name: name, span: index.span))
      }
      let position = try foldedCast(position, to: .bigint, isTry: false, span: index.span)
      return ConstantFolding.fold(try call("json_extract", [operand, position], span: span))
    }
    return try call("list_extract", [operand, position], span: span)
  }

  /// `MAP {key: value, …}`: the map of the list of keys and the list of values.
  func bind(
    map entries: [MapEntry], _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    if entries.isEmpty { return try call("map", [], span: span) }
    let keys = try call("list_value", entries.map { try bind($0.key, context) }, span: span)
    let values = try call("list_value", entries.map { try bind($0.value, context) }, span: span)
    return try call("map", [keys, values], span: span)
  }

  /// `operand[lower:upper:step]`; missing bounds are the ends.
  func bind(_ slice: Slice, _ context: ExpressionContext, span: SourceSpan) throws -> Expression {
    let operand = try bind(slice.operand, context)
    if operand.type == .null { return operand }
    let step = try slice.step.map { try bind($0, context) }
    var goesDown = false
    if case .constant(.integer(let value), _)? = step { goesDown = value < 0 }
    let first = Expression.constant(.integer(1), .bigint)
    let last = Expression.constant(.integer(-1), .bigint)
    let lower = try slice.lower.map { try bind($0, context) } ?? (goesDown ? last : first)
    let upper = try slice.upper.map { try bind($0, context) } ?? (goesDown ? first : last)
    return try call(
      "list_slice", [operand, lower, upper] + (step.map { [$0] } ?? []), span: span)
  }

  /// `#2`: the second column of FROM.
  func positional(_ name: QualifiedName, _ context: ExpressionContext) throws -> Expression? {
    let text = name.last.name
    guard !name.last.quoted, text.hasPrefix("#"), let position = Int(text.dropFirst()) else {
      return nil
    }
    let entries = context.scope.entries.filter { !$0.isShadowed }
    guard entries.indices.contains(position - 1) else {
      throw SQLError(
        .binder, "column \(text) does not exist: FROM has \(entries.count) columns", at: name.span)
    }
    return .column(entries[position - 1].reference)
  }

  /// What a column chosen by `#2` is called.
  func positionalName(_ name: QualifiedName, _ scope: Scope) -> String? {
    guard name.parts.count == 1, !name.last.quoted, name.last.name.hasPrefix("#"),
      let position = Int(name.last.name.dropFirst())
    else { return nil }
    let entries = scope.entries.filter { !$0.isShadowed }
    return entries.indices.contains(position - 1) ? entries[position - 1].name : nil
  }

  /// A table's name alone: its row as a struct.
  func wholeRow(_ name: QualifiedName, _ context: ExpressionContext) throws -> Expression? {
    let key = name.last.name.lowercased()
    let entries = context.scope.entries.filter {
      $0.table?.lowercased() == key && !$0.isHidden
    }
    if entries.isEmpty { return nil }
    return .call(
      CallExpression(
        resolved: StructFields.pack(
          names: entries.map(\.name), types: entries.map(\.reference.type)),
        arguments: entries.map { .column($0.reference) }, span: name.span))
  }
}
