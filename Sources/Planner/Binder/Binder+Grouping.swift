import Columnar
import Diagnostics
import Functions
import Syntax

/// GROUP BY as it is bound: its keys, and which of them make each grouping set.
struct BoundGroups {
  var keys: [Expression] = []
  /// Positions in `keys`. Empty: one set of all keys.
  var sets: [[Int]] = []
  var isGrouped = false

  mutating func position(of key: Expression) -> Int {
    if let known = keys.firstIndex(of: key) { return known }
    keys.append(key)
    return keys.count - 1
  }
}

/// GROUP BY, GROUPING SETS, ROLLUP, CUBE, GROUPING() and DISTINCT ON.
extension Binder {
  /// More sets than this are refused, as DuckDB does.
  private static var maximumSets: Int { 65_535 }

  /// `context`: that of GROUP BY's expressions.
  func bindGroups(
    _ groupBy: GroupBy?, selected: [(expression: Expression, name: String)],
    aggregates: AggregateCollector, _ context: ExpressionContext
  ) throws -> BoundGroups {
    let groups = try collectGroups(groupBy, selected, aggregates, context)
    // Keys that are selected subqueries are computed below the aggregation.
    aggregates.subqueries?.move(groups.keys, to: context.subqueries)
    return groups
  }

  private func collectGroups(
    _ groupBy: GroupBy?, _ selected: [(expression: Expression, name: String)],
    _ aggregates: AggregateCollector, _ context: ExpressionContext
  ) throws -> BoundGroups {
    var groups = BoundGroups()
    guard let groupBy else { return groups }
    groups.isGrouped = true
    switch groupBy {
    case .all:
      for (expression, _) in selected where expression.columnIDs.isDisjoint(with: aggregates.ids) {
        if case .constant = expression { continue }
        _ = groups.position(of: expression)
      }
    case .elements(let elements):
      // What stands side by side is combined: each set of one with each of the other.
      var sets: [[Int]] = [[]]
      for element in elements {
        let more = try bindSets(element, &groups, selected, aggregates, context)
        if sets.count * more.count > Binder.maximumSets {
          throw Binder.tooManySets(elements.lazy.compactMap(\.span).first)
        }
        sets = sets.flatMap { set in more.map { set + $0.filter { !set.contains($0) } } }
      }
      if sets.count != 1 || sets[0].count != groups.keys.count { groups.sets = sets }
    }
    return groups
  }

  /// The sets of one element of GROUP BY or GROUPING SETS.
  private func bindSets(
    _ element: GroupingElement, _ groups: inout BoundGroups,
    _ selected: [(expression: Expression, name: String)], _ aggregates: AggregateCollector,
    _ context: ExpressionContext
  ) throws -> [[Int]] {
    func set(_ expression: SyntaxExpression) throws -> [Int] {
      let parts: [SyntaxExpression]
      if case .row(let items) = expression.kind { parts = items } else { parts = [expression] }
      return try parts.map { part in
        let key: Expression
        if let ordinal = try ordinal(part, count: selected.count, clause: "GROUP BY")
          ?? selectedAlias(part, selected, context)
        {
          key = selected[ordinal].expression
          if !key.columnIDs.isDisjoint(with: aggregates.ids) {
            throw SQLError(.binder, "GROUP BY cannot name an aggregate", at: part.span)
          }
        } else {
          key = try bind(part, context)
        }
        return groups.position(of: key)
      }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
    func union(_ parts: [[Int]]) -> [Int] {
      parts.reduce(into: []) { all, part in all += part.filter { !all.contains($0) } }
    }
    switch element {
    case .expression(let expression): return [try set(expression)]
    case .empty: return [[]]
    case .rollup(let items):
      let parts = try items.map(set)
      return (0...parts.count).reversed().map { union(Array(parts.prefix($0))) }
    case .cube(let items):
      if items.count > 16 { throw Binder.tooManySets(items[0].span) }
      let parts = try items.map(set)
      if 1 << parts.count > Binder.maximumSets { throw Binder.tooManySets(items[0].span) }
      return (0..<1 << parts.count).reversed().map { chosen in
        union(parts.indices.filter { chosen >> (parts.count - 1 - $0) & 1 == 1 }.map { parts[$0] })
      }
    case .sets(let elements):
      var sets: [[Int]] = []
      for element in elements {
        sets += try bindSets(element, &groups, selected, aggregates, context)
        if sets.count > Binder.maximumSets { throw Binder.tooManySets(element.span) }
      }
      return sets
    }
  }

  /// The selected item that a bare name means, where it is no column.
  private func selectedAlias(
    _ part: SyntaxExpression, _ selected: [(expression: Expression, name: String)],
    _ context: ExpressionContext
  ) -> Int? {
    guard case .column(let name) = part.kind, name.parts.count == 1 else { return nil }
    let key = name.last.name.lowercased()
    guard context.aliases[key] != nil, context.scope.merged[key] == nil,
      context.scope.matches(table: nil, name: key).isEmpty
    else { return nil }
    return selected.firstIndex { $0.name.lowercased() == key }
  }

  /// The selected item that a bare name is the alias of.
  func alias(
    _ expression: SyntaxExpression, among selected: [(expression: Expression, name: String)],
    _ aliases: [String: SyntaxExpression]
  ) -> Int? {
    guard case .column(let name) = expression.kind, name.parts.count == 1 else { return nil }
    let key = name.last.name.lowercased()
    return aliases[key] == nil ? nil : selected.firstIndex { $0.name.lowercased() == key }
  }

  // MARK: GROUPING()

  /// `GROUPING(a, b)`: a column of the aggregation, whose keys are known later.
  func bindGrouping(
    _ arguments: [Argument], _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    guard let collector = context.aggregates else {
      throw SQLError(.binder, "GROUPING is not allowed in \(context.clause)", at: span)
    }
    if arguments.count > 63 {
      throw SQLError(.binder, "GROUPING takes at most 63 columns", at: span)
    }
    var inner = context
    inner.aggregates = nil
    inner.clause = "GROUPING"
    // None stands for all keys.
    let bound = try arguments.map { argument -> (expression: Expression, span: SourceSpan) in
      guard let expression = argument.expression else {
        throw SQLError(.binder, "GROUPING takes columns of GROUP BY", at: argument.span)
      }
      return (try bind(expression, inner), argument.span)
    }
    let known = collector.groupings.first {
      $0.arguments.map(\.expression) == bound.map(\.expression)
    }
    if let known { return .column(known.reference) }
    let reference = makeReference("grouping", .bigint)
    collector.groupings.append((bound, reference, span))
    return .column(reference)
  }

  /// The keys that each GROUPING() names.
  func groupingKeys(_ collector: AggregateCollector, _ groups: BoundGroups) throws -> [(
    keys: [Int], reference: ColumnReference
  )] {
    try collector.groupings.map { grouping in
      if !groups.isGrouped {
        throw SQLError(.binder, "GROUPING needs a GROUP BY", at: grouping.span)
      }
      if grouping.arguments.isEmpty {
        if groups.keys.count > 63 {
          throw SQLError(.binder, "GROUPING takes at most 63 columns", at: grouping.span)
        }
        return (Array(groups.keys.indices), grouping.reference)
      }
      let keys = try grouping.arguments.map { argument in
        guard let key = groups.keys.firstIndex(of: argument.expression) else {
          throw SQLError(
            .binder, "GROUPING takes columns of GROUP BY, and this is none", at: argument.span)
        }
        return key
      }
      return (keys, grouping.reference)
    }
  }

  private static func tooManySets(_ span: SourceSpan?) -> SQLError {
    SQLError(.binder, "GROUP BY makes more than \(maximumSets) grouping sets", at: span)
  }
}

extension AggregateCollector {
  /// What is known only above the aggregation.
  var ids: Set<Int> { Set(calls.map(\.reference.id) + groupings.map(\.reference.id)) }

  var isEmpty: Bool { calls.isEmpty && groupings.isEmpty }
}

extension GroupingElement {
  fileprivate var span: SourceSpan? {
    switch self {
    case .expression(let expression): expression.span
    case .empty: nil
    case .rollup(let items), .cube(let items): items.first?.span
    case .sets(let elements): elements.lazy.compactMap(\.span).first
    }
  }
}
