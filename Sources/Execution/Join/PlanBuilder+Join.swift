import Columnar
import Planner

extension PlanBuilder {
  func join(_ node: JoinNode, _ index: Int, _ worker: Worker, _ region: RegionShared) throws
    -> any BatchSource
  {
    let leftIndex = index + 1
    let rightIndex = leftIndex + PlanBuilder.size(of: node.left)
    let leftCompared = node.keys.map(\.left) + node.inequalities.map(\.left)
    let rightCompared = node.keys.map(\.right) + node.inequalities.map(\.right)
    let left = try withColumns(leftCompared, node.left, leftIndex, worker, region)
    let right = try withColumns(rightCompared, node.right, rightIndex, worker, region)
    let leftTypes = types(node.left, leftCompared, left.positions)
    let rightTypes = types(node.right, rightCompared, right.positions)
    let swapped = node.buildSide == .left
    let probe = swapped ? right : left
    let build = swapped ? left : right
    // The operator gives the probe columns first.
    let leftStart = swapped ? rightTypes.count : 0
    let rightStart = swapped ? 0 : leftTypes.count
    let kind = kind(of: node, swapped: swapped)
    let shared = region.shared(index) { HashJoinShared(workers: worker.count) }
    region.add(shared.barrier)
    let keyCount = node.keys.count
    let ranges = node.inequalities.enumerated().map { number, inequality in
      RangeKey(
        probe: probe.positions[keyCount + number], build: build.positions[keyCount + number],
        operator: swapped ? inequality.operator.flipped : inequality.operator)
    }
    let joined = HashJoinOperator(
      probe: probe.source, build: build.source, probeTypes: swapped ? rightTypes : leftTypes,
      buildTypes: swapped ? leftTypes : rightTypes,
      probeKeys: Array(probe.positions.prefix(keyCount)),
      buildKeys: Array(build.positions.prefix(keyCount)), nullSafe: node.keys.map(\.nullSafe),
      kind: kind, residual: try residual(node, leftStart: leftStart, rightStart: rightStart),
      ranges: ranges, isAsof: node.isAsof, shared: shared, worker: worker)
    joined.runtimeFilters = node.runtimeFilters.map { ($0.key, region.runtimeFilter($0.filter)) }
    joined.keepsBuild = !rounds.isEmpty && !(swapped ? node.left : node.right).reads(rounds)

    // A semi join that builds its left side gives only that.
    let emitsLeftOnly = kind == .buildSemi || kind == .buildAnti
    var picked = node.left.output.indices.map { (emitsLeftOnly ? 0 : leftStart) + $0 }
    let width: Int
    switch node.kind {
    case .inner, .left, .right, .full, .single:
      picked += node.right.output.indices.map { rightStart + $0 }
      width = leftTypes.count + rightTypes.count
    case .semi, .anti: width = leftTypes.count
    case .mark:
      picked.append(leftTypes.count)
      width = leftTypes.count + 1
    }
    if picked == Array(0..<width) { return joined }
    return PickColumnsOperator(input: joined, positions: picked)
  }

  private func kind(of node: JoinNode, swapped: Bool) -> JoinKind {
    switch node.kind {
    case .inner: .inner
    case .left: swapped ? .right : .left
    case .right: swapped ? .left : .right
    case .full: .full
    case .semi: swapped ? .buildSemi : .semi
    case .anti: swapped ? .buildAnti : .anti
    case .mark: .mark
    case .single: .single
    }
  }

  /// The residual over candidate pairs, where each side's columns begin at its start.
  private func residual(_ node: JoinNode, leftStart: Int, rightStart: Int) throws
    -> BatchPredicate?
  {
    guard let condition = node.residual else { return nil }
    var layout: [Int: Int] = [:]
    for (position, reference) in node.left.output.enumerated() {
      layout[reference.id] = leftStart + position
    }
    for (position, reference) in node.right.output.enumerated() {
      layout[reference.id] = rightStart + position
    }
    let evaluator = try ExpressionEvaluator(condition, layout: layout)
    return { try evaluator.select($0) }
  }
}
