import Columnar

/// Takes a filter of one column down to the scans that the column comes from, as long as it is the
/// same plain column and a row that is rejected could not have led to another one. Where a boundary
/// passes, nothing may count the rows that it sees: neither random() nor a sequence.
struct RuntimeFilterPlacement {
  let number: Int
  let kind: ScanRuntimeFilter.Kind
  let type: LogicalType

  /// The plan with the filter at its scans; nil when there is none that it reaches.
  func place(_ column: Int, in plan: Plan) -> Plan? {
    switch plan {
    case .scan(var node):
      guard let found = node.columns.first(where: { $0.reference.id == column }),
        kind == .keys || found.reference.type == type
      else { return nil }
      node.runtimeFilters.append(
        ScanRuntimeFilter(column: found.reference, number: number, kind: kind))
      return .scan(node)
    case .filter(var node):
      guard mayPass([node.condition]), let input = place(column, in: node.input) else { return nil }
      node.input = input
      return .filter(node)
    case .project(var node):
      guard mayPass(node.items.map(\.expression)),
        let item = node.items.first(where: { $0.reference.id == column }),
        case .column(let source) = item.expression,
        let input = place(source.id, in: node.input)
      else { return nil }
      node.input = input
      return .project(node)
    case .aggregate(var node):
      // A group is dropped as a whole, which its other rows do not see. A boundary comes too late:
      // groups are complete before the first one is told.
      guard kind == .keys, node.sets.isEmpty,
        let key = node.keys.first(where: { $0.reference.id == column }),
        case .column(let source) = key.expression,
        let input = place(source.id, in: node.input)
      else { return nil }
      node.input = input
      return .aggregate(node)
    case .predict(var node):
      guard kind != .keys, mayPass(node.arguments), let input = place(column, in: node.input)
      else { return nil }
      node.input = input
      return .predict(node)
    case .unnest(var node):
      guard kind != .keys, mayPass(node.lists.map(\.expression)),
        let input = place(column, in: node.input)
      else { return nil }
      node.input = input
      return .unnest(node)
    case .union(let node): return place(column, union: node)
    case .join(let node): return place(column, join: node)
    case .values, .sort, .distinctOn, .limit, .rows, .exchange, .window, .sample, .positionalJoin,
      .with, .sharedScan, .recursive, .dependentJoin:
      return nil
    }
  }

  /// Whether these may see fewer rows.
  private func mayPass(_ expressions: [Expression]) -> Bool {
    kind == .keys || !expressions.contains(where: \.isVolatile)
  }

  private func place(_ column: Int, union: UnionNode) -> Plan? {
    guard kind != .keys, let position = union.columns.firstIndex(where: { $0.id == column }) else {
      return nil
    }
    var node = union
    var isPlaced = false
    for (number, input) in node.inputs.enumerated() {
      let output = input.output
      guard position < output.count, let placed = place(output[position].id, in: input) else {
        continue
      }
      node.inputs[number] = placed
      isPlaced = true
    }
    return isPlaced ? .union(node) : nil
  }

  private func place(_ column: Int, join: JoinNode) -> Plan? {
    var node = join
    var canLeft: Bool
    var canRight: Bool
    switch node.kind {
    case .inner: (canLeft, canRight) = (true, !node.isAsof)
    case .left, .semi, .anti, .mark, .single: (canLeft, canRight) = (true, false)
    case .right: (canLeft, canRight) = (false, true)
    case .full: return nil
    }
    if kind != .keys {
      // What is built is complete before a boundary is told.
      if !mayPass(node.residual.map { [$0] } ?? []) { return nil }
      canLeft = canLeft && node.buildSide == .right
      canRight = canRight && node.buildSide == .left
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
    if canLeft, let placed = firstPlaced(lefts, in: node.left) {
      node.left = placed
      isPlaced = true
    }
    if canRight, let placed = firstPlaced(rights, in: node.right) {
      node.right = placed
      isPlaced = true
    }
    return isPlaced ? .join(node) : nil
  }

  private func firstPlaced(_ columns: [Int], in plan: Plan) -> Plan? {
    for column in columns {
      if let placed = place(column, in: plan) { return placed }
    }
    return nil
  }
}
