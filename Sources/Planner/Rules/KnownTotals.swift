import Columnar

/// Counts, least and greatest values of all rows of a table, where the table knows them:
///
///     Aggregate: count_star(), max(day)
///     └─ Scan sales
///
///     Values: (5000000, DATE '2024-12-31')
///
/// All calls or none: one that is not known reads the rows anyway.
enum KnownTotals {
  static func apply(_ plan: Plan) -> Plan {
    let below = plan.mapChildren(apply)
    guard case .aggregate(let node) = below, node.keys.isEmpty, node.sets.isEmpty,
      node.groupings.isEmpty, !node.calls.isEmpty, let scan = ScannedColumns(node.input)
    else { return below }
    var row: [Expression] = []
    for (call, reference) in node.calls {
      guard let value = scan.result(of: call) else { return below }
      row.append(.constant(value, reference.type))
    }
    return .values(ValuesNode(columns: node.calls.map(\.reference), rows: [row]))
  }
}

/// The rows of a scan that nothing is left out of.
private struct ScannedColumns {
  private let source: any TableSource
  /// By reference: the position in the source.
  private var positions: [Int: Int] = [:]

  init?(_ plan: Plan) {
    switch plan {
    case .scan(let node):
      guard node.filters.isEmpty, node.runtimeFilters.isEmpty, node.source.exactRowCount != nil
      else { return nil }
      source = node.source
      for column in node.columns { positions[column.reference.id] = column.position }
    case .project(let node):
      guard let below = ScannedColumns(node.input) else { return nil }
      source = below.source
      for case (.column(let column), let reference) in node.items {
        positions[reference.id] = below.positions[column.id]
      }
      // What it computes could fail, and nobody would see it.
      if node.items.contains(where: { $0.expression.canFail }) { return nil }
    default: return nil
    }
  }

  func result(of call: BoundAggregate) -> Value? {
    guard call.filter == nil, let rows = source.exactRowCount else { return nil }
    let name = call.resolved.function.name
    if call.arguments.isEmpty {
      return name == "count" || name == "count_star" ? .integer(Int128(rows)) : nil
    }
    if name == "count", !call.isDistinct, case .constant(let value, _)? = call.arguments.first {
      return .integer(value == .null ? 0 : Int128(rows))
    }
    guard call.arguments.count == 1, case .column(let column) = call.arguments[0],
      let position = positions[column.id], let range = source.exactRange(of: position)
    else { return nil }
    switch name {
    case "count" where !call.isDistinct: return .integer(Int128(rows - range.nullCount))
    case "min": return range.least
    case "max": return range.greatest
    default: return nil
    }
  }
}
