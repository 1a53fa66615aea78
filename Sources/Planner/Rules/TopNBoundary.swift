import Columnar

/// Tells scans below a Top-N where its rows end at present: once as many rows as are wanted have
/// been seen, a row whose first key comes behind all of theirs is in no result.
///
///     TopN (10): o_orderdate DESC, o_orderkey
///     └─ Scan orders: o_orderkey, o_orderdate; bounded by o_orderdate
///
/// Ties are kept, since the other keys decide them, or the order of the input. Row groups are
/// visited best first by their bounds, so that most are behind the boundary when their turn comes.
enum TopNBoundary {
  /// Of more rows a worker has to see too many before it knows a boundary.
  private static let mostRows = 1 << 20

  static func apply(_ plan: Plan) -> Plan {
    var next = 0
    plan.forEachNode { node in
      guard case .scan(let scan) = node else { return }
      for filter in scan.runtimeFilters { next = max(next, filter.number + 1) }
    }
    return visit(plan, &next)
  }

  private static func visit(_ plan: Plan, _ next: inout Int) -> Plan {
    var count = next
    let below = plan.mapChildren { visit($0, &count) }
    next = count
    guard case .sort(var node) = below, let limit = node.limit, let first = node.items.first,
      limit > 0, limit <= mostRows, node.offset <= mostRows,
      case .column(let key) = first.expression, hasBoundary(key.type)
    else { return below }
    let filter = RuntimeFilterPlacement(
      number: next,
      kind: .boundary(descending: first.descending, nullsFirst: first.nullsFirst), type: key.type)
    guard let input = filter.place(key.id, in: node.input) else { return below }
    node.input = input
    node.boundaryFilter = next
    next += 1
    return .sort(node)
  }

  /// Types whose comparison is cheap beside what is done with a row.
  private static func hasBoundary(_ type: LogicalType) -> Bool {
    switch type.physical {
    case .int8, .int16, .int32, .int64, .int128, .uint8, .uint16, .uint32, .uint64, .uint128,
      .float, .double, .string:
      true
    case .bool, .interval, .list, .array, .structure: false
    }
  }
}
