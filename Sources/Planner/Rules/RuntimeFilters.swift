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
      guard let placed = place(column.id, next, probe) else { continue }
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

  /// The plan with the filter at the scans that the column comes from; nil when there is none.
  private static func place(_ column: Int, _ filter: Int, _ plan: Plan) -> Plan? {
    switch plan {
    case .scan(var node):
      guard let found = node.columns.first(where: { $0.reference.id == column }) else { return nil }
      node.runtimeFilters.append((found.reference, filter))
      return .scan(node)
    case .filter(var node):
      guard let input = place(column, filter, node.input) else { return nil }
      node.input = input
      return .filter(node)
    case .project(var node):
      guard let item = node.items.first(where: { $0.reference.id == column }),
        case .column(let source) = item.expression,
        let input = place(source.id, filter, node.input)
      else { return nil }
      node.input = input
      return .project(node)
    case .aggregate(var node):
      // A group is dropped as a whole, which its other rows do not see.
      guard node.sets.isEmpty, let key = node.keys.first(where: { $0.reference.id == column }),
        case .column(let source) = key.expression,
        let input = place(source.id, filter, node.input)
      else { return nil }
      node.input = input
      return .aggregate(node)
    case .join(let node): return place(column, filter, join: node)
    case .values, .sort, .distinctOn, .limit, .union, .predict, .rows, .exchange, .window, .unnest,
      .sample, .positionalJoin, .with, .sharedScan, .recursive, .dependentJoin:
      return nil
    }
  }

  private static func place(_ column: Int, _ filter: Int, join: JoinNode) -> Plan? {
    var node = join
    let canLeft: Bool
    let canRight: Bool
    switch node.kind {
    case .inner: (canLeft, canRight) = (true, !node.isAsof)
    case .left, .semi, .anti, .mark, .single: (canLeft, canRight) = (true, false)
    case .right: (canLeft, canRight) = (false, true)
    case .full: return nil
    }
    // What is equal to the column by a key of the join is filtered by it as well.
    var lefts = [column]
    var rights = [column]
    if node.kind == .inner && !node.isAsof {
      for key in node.keys where !key.nullSafe {
        guard case .column(let left) = key.left, case .column(let right) = key.right,
          left.type.physical == right.type.physical
        else { continue }
        if left.id == column { rights.append(right.id) }
        if right.id == column { lefts.append(left.id) }
      }
    }
    var isPlaced = false
    if canLeft {
      for id in lefts {
        guard let placed = place(id, filter, node.left) else { continue }
        node.left = placed
        isPlaced = true
        break
      }
    }
    if canRight {
      for id in rights {
        guard let placed = place(id, filter, node.right) else { continue }
        node.right = placed
        isPlaced = true
        break
      }
    }
    return isPlaced ? .join(node) : nil
  }
}
