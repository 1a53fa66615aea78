import Columnar

/// A Top-N over many columns of a large stored table finds its rows by the columns that decide, and
/// then reads the others of these rows only:
///
///     TopN (10): price
///     └─ Project: id, price, a, b, c, d
///        └─ Scan items: id, price, a, b, c, d
///
///     TopN (10): price
///     └─ Project: id, price, a, b, c, d
///        └─ Join (semi): rowid = rowid
///           ├─ Scan items: id, price, a, b, c, d, rowid
///           └─ TopN (10): price
///              └─ Scan items: price, rowid
///
/// Row groups without such a row are then decoded in few columns. A filter below goes with the rows
/// that are looked for. Rows that tie keep their order, for the rows come in the table's both times.
enum LateColumns {
  /// Beyond so many rows they are likely to come from all row groups.
  private static let mostRows = 256
  /// Columns that are spared, below which the second scan does not pay.
  private static let leastColumns = 4
  private static let leastRows = 4 * EngineLimits.rowGroupRows

  static func apply(_ plan: Plan) -> Plan {
    // Beyond the references of the binder and of other rules.
    var nextReferenceID = 1 << 45
    return apply(plan, &nextReferenceID)
  }

  private static func apply(_ plan: Plan, _ nextReferenceID: inout Int) -> Plan {
    let below = plan.mapChildren { apply($0, &nextReferenceID) }
    guard case .sort(var node) = below, let limit = node.limit, limit > 0, node.offset >= 0,
      limit <= mostRows, node.offset <= mostRows, case .project = node.input,
      let input = lowered(node, node.input, keys: node.items, &nextReferenceID)
    else { return below }
    node.input = input
    return .sort(node)
  }

  /// The sort's input with the scan at its foot replaced; nil where there is none to replace. `keys`
  /// are the sort's items in terms of `plan`.
  private static func lowered(
    _ sort: SortNode, _ plan: Plan, keys: [SortItem], _ nextReferenceID: inout Int
  ) -> Plan? {
    switch plan {
    case .project(var node):
      var replaced: [Int: Expression] = [:]
      for item in node.items {
        guard case .column = item.expression else { return nil }
        replaced[item.reference.id] = item.expression
      }
      let own = keys.map { key in
        var key = key
        key.expression = key.expression.substituting(replaced)
        return key
      }
      guard let input = lowered(sort, node.input, keys: own, &nextReferenceID) else { return nil }
      node.input = input
      return .project(node)
    case .filter(let node):
      guard case .scan(let scan) = node.input, !node.condition.isVolatile,
        !node.condition.containsPredict
      else { return nil }
      return late(sort, scan, node.condition, keys, &nextReferenceID)
    case .scan(let scan): return late(sort, scan, nil, keys, &nextReferenceID)
    default: return nil
    }
  }

  private static func late(
    _ sort: SortNode, _ scan: ScanNode, _ condition: Expression?, _ keys: [SortItem],
    _ nextReferenceID: inout Int
  ) -> Plan? {
    guard let table = scan.source as? any StoredTable,
      (scan.source.estimatedRowCount ?? 0) >= leastRows,
      !keys.contains(where: { $0.expression.isVolatile || $0.expression.containsPredict })
    else { return nil }
    var read = condition?.columnIDs ?? []
    for key in keys { key.expression.collectColumns(&read) }
    let deciding = scan.columns.filter { read.contains($0.reference.id) }
    guard scan.columns.count - deciding.count >= leastColumns else { return nil }
    func reference(like other: ColumnReference) -> ColumnReference {
      nextReferenceID += 1
      return ColumnReference(id: nextReferenceID, name: other.name, type: other.type)
    }
    let number = ColumnReference(id: 0, name: "rowid", type: .bigint)
    let (wanted, found) = (reference(like: number), reference(like: number))
    var early = scan
    early.columns = deciding.map { ($0.position, reference(like: $0.reference)) }
    var renamed: [Int: Expression] = [:]
    for (old, new) in zip(deciding, early.columns) {
      renamed[old.reference.id] = .column(new.reference)
    }
    early.columns.append((table.rowNumberPosition, found))
    var all = scan
    all.columns.append((table.rowNumberPosition, wanted))
    var first: Plan = .scan(early)
    if let condition {
      first = .filter(FilterNode(input: first, condition: condition.substituting(renamed)))
    }
    var top = sort
    top.input = first
    top.limit = (sort.limit ?? 0) + sort.offset
    top.offset = 0
    top.items = keys.map { key in
      var key = key
      key.expression = key.expression.substituting(renamed)
      return key
    }
    return .join(
      JoinNode(
        kind: .semi, left: .scan(all), right: .sort(top),
        keys: [(.column(wanted), .column(found), false)]))
  }
}
