import Columnar
import Diagnostics
import Planner

extension PlanBuilder {
  func window(
    _ node: WindowNode, _ index: Int, _ worker: Worker, _ region: RegionShared
  ) throws -> any BatchSource {
    var expressions = node.partition + node.order.map(\.expression)
    for (call, _) in node.calls {
      expressions += call.expressions.filter { !$0.isConstant }
      expressions += call.order.map(\.expression) + (call.filter.map { [$0] } ?? [])
    }
    let (input, positions) = try withColumns(expressions, node.input, index + 1, worker, region)
    let types = types(node.input, expressions, positions)
    func position(_ expression: Expression) throws -> Int {
      if let found = expressions.firstIndex(of: expression) { return positions[found] }
      throw SQLError(.internal, "a window reads what its input does not compute")
    }
    func source(_ expression: Expression) throws -> WindowSource {
      if case .constant(let value, let type) = expression {
        return .constant(try Column.constant(value, type, count: 1).flattened())
      }
      return .column(try position(expression))
    }
    func keys(_ items: [SortItem]) throws -> [SortKey] {
      try items.map {
        SortKey(
          column: try position($0.expression), descending: $0.descending, nullsFirst: $0.nullsFirst)
      }
    }
    func bound(_ bound: BoundFrame.Bound) throws -> WindowFrameBounds.Bound {
      switch bound {
      case .unboundedPreceding: .unboundedPreceding
      case .preceding(let expression): .preceding(try source(expression))
      case .currentRow: .currentRow
      case .following(let expression): .following(try source(expression))
      case .unboundedFollowing: .unboundedFollowing
      }
    }
    let calls = try node.calls.map { call, _ in
      var frame = WindowFrameBounds(
        unit: call.frame.unit, start: try bound(call.frame.start), end: try bound(call.frame.end),
        exclusion: call.frame.exclusion, key: try call.frame.key.map(source),
        isDescending: node.order.first?.descending ?? false)
      if call.function == .builtin(.fill), let key = node.order.first {
        frame.key = try source(key.expression)
      }
      return WindowCall(
        function: call.function, type: call.type, arguments: try call.arguments.map(source),
        isDistinct: call.isDistinct, filter: try call.filter.map(position),
        ignoresNulls: call.ignoresNulls, order: try keys(call.order), orderCount: call.orderCount,
        frame: frame)
    }
    let shared = region.shared(index) { WindowShared(workers: worker.count) }
    region.add(shared.barrier)
    var rows = input
    if let keep = node.keep, let first = try keys(node.order).first {
      rows = PartitionTopRows(
        input: input, types: types, partition: try node.partition.map(position), key: first,
        keep: keep, worker: worker)
    }
    return WindowOperator(
      input: rows, inputTypes: types, outputCount: node.input.output.count,
      partition: try node.partition.map(position), order: try keys(node.order), calls: calls,
      shared: shared, worker: worker)
  }
}

extension Expression {
  fileprivate var isConstant: Bool { if case .constant = self { true } else { false } }
}
