import Columnar

/// Tells scans below a hash join which keys the build side has: the rows of a fact table that no
/// chosen dimension wants need not be joined, grouped or even selected.
///
///     Join (inner, hash, build right): l_partkey = p_partkey
///     ├─ Scan lineitem: …; filtered by l_partkey
///     └─ Filter: p_brand = 'Brand#23'
///
/// A key goes down as long as it is the same plain column and a row that it rejects could not have
/// led to another one: through filters, projections, the keys of an aggregation, and joins.
enum RuntimeFilters {
  static func apply(_ plan: Plan) -> Plan {
    var next = 0
    return visit(plan, &next)
  }

  private static func visit(_ plan: Plan, _ next: inout Int) -> Plan {
    var count = next
    let below = plan.mapChildren { visit($0, &count) }
    next = count
    guard case .join(var node) = below, dropsUnmatchedProbe(node) else { return below }
    for (position, key) in node.keys.enumerated() where !key.nullSafe {
      let probed = node.buildSide == .right ? key.left : key.right
      guard case .column(let column) = probed, hasKeySet(column.type) else { continue }
      let probe = node.buildSide == .right ? node.left : node.right
      let filter = RuntimeFilterPlacement(number: next, kind: .keys, type: column.type)
      guard let placed = filter.place(column.id, in: probe) else { continue }
      if node.buildSide == .right { node.left = placed } else { node.right = placed }
      node.runtimeFilters.append((position, next))
      next += 1
    }
    return .join(node)
  }

  /// Whether a probe row without a match leaves no trace.
  private static func dropsUnmatchedProbe(_ node: JoinNode) -> Bool {
    if node.strategy != .hash || node.isAsof { return false }
    switch node.kind {
    case .inner, .semi: return true
    case .left, .anti: return node.buildSide == .left
    case .right: return node.buildSide == .right
    case .full, .mark, .single: return false
    }
  }

  private static func hasKeySet(_ type: LogicalType) -> Bool {
    switch type.physical {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: true
    case .bool, .int128, .uint128, .float, .double, .string, .interval, .list, .array, .structure:
      false
    }
  }
}
