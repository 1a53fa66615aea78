import Columnar

/// Lifts PREDICT out of expressions into nodes of its own, below the node that reads the result:
/// one node per model and arguments, however many outputs are read. Conjuncts that need no
/// prediction are decided first, so the network sees only rows that passed them.
struct PredictExtraction {
  var nextID: Int

  static func apply(_ plan: Plan) -> Plan {
    var rule = PredictExtraction(nextID: 1 << 40)
    return rule.extract(plan)
  }

  private mutating func extract(_ plan: Plan) -> Plan {
    var pending: [PredictNode] = []
    switch plan {
    case .filter(let node):
      let terms = node.condition.conjuncts
      let plain = terms.filter { !$0.containsPredict }
      let predicting = terms.filter(\.containsPredict)
      if predicting.isEmpty {
        return .filter(FilterNode(input: extract(node.input), condition: node.condition))
      }
      var input = extract(node.input)
      if let condition = Expression.conjunction(plain) {
        input = .filter(FilterNode(input: input, condition: condition))
      }
      let kept = input.output
      let lifted = predicting.map { lift($0, &pending) }
      var result = stack(pending, on: input)
      if let condition = Expression.conjunction(lifted) {
        result = .filter(FilterNode(input: result, condition: condition))
      }
      return .project(ProjectNode(input: result, items: kept.map { (.column($0), $0) }))
    case .project(var node):
      node.items = node.items.map { (lift($0.expression, &pending), $0.reference) }
      let input = extract(node.input)
      // What the filter below predicted already is read from there, not predicted again.
      if case .project(let trimmed) = input, case .filter(let filter) = trimmed.input {
        var known: [Int: Expression] = [:]
        var plan = filter.input
        while case .predict(let below) = plan {
          pending.removeAll { above in
            guard above.model === below.model, above.arguments == below.arguments else {
              return false
            }
            let shared = above.outputs.compactMap { output in
              below.outputs.first { $0.form == output.form }.map { (output, $0) }
            }
            guard shared.count == above.outputs.count else { return false }
            for (output, same) in shared { known[output.reference.id] = .column(same.reference) }
            return true
          }
          plan = below.input
        }
        if !known.isEmpty {
          node.items = node.items.map { ($0.expression.substituting(known), $0.reference) }
          node.input = stack(pending, on: .filter(filter))
          return .project(node)
        }
      }
      node.input = stack(pending, on: input)
      return .project(node)
    case .aggregate(var node):
      let lifted = Plan.aggregate(node).mapExpressions { lift($0, &pending) }
      if case .aggregate(let changed) = lifted { node = changed }
      node.input = stack(pending, on: extract(node.input))
      return .aggregate(node)
    case .sort(var node):
      let kept = node.input.output
      node.items = node.items.map {
        SortItem(
          expression: lift($0.expression, &pending), descending: $0.descending,
          nullsFirst: $0.nullsFirst)
      }
      node.input = stack(pending, on: extract(node.input))
      if pending.isEmpty { return .sort(node) }
      return .project(ProjectNode(input: .sort(node), items: kept.map { (.column($0), $0) }))
    case .distinctOn(var node):
      let kept = node.input.output
      if case .distinctOn(let lifted) = Plan.distinctOn(node).mapExpressions({ lift($0, &pending) })
      {
        node = lifted
      }
      node.input = stack(pending, on: extract(node.input))
      if pending.isEmpty { return .distinctOn(node) }
      return .project(ProjectNode(input: .distinctOn(node), items: kept.map { (.column($0), $0) }))
    case .join(var node):
      // A prediction in a join key or condition is computed on its own side; a condition that
      // mixes both sides is decided above an inner join.
      node.left = extract(node.left)
      node.right = extract(node.right)
      let kept = Plan.join(node).output
      var left: [PredictNode] = []
      var right: [PredictNode] = []
      node.keys = node.keys.map { (lift($0.left, &left), lift($0.right, &right), $0.nullSafe) }
      node.left = stack(left, on: node.left)
      node.right = stack(right, on: node.right)
      if let residual = node.residual, residual.containsPredict, node.kind == .inner {
        node.residual = nil
        return extract(.filter(FilterNode(input: .join(node), condition: residual)))
      }
      if left.isEmpty && right.isEmpty { return .join(node) }
      return .project(ProjectNode(input: .join(node), items: kept.map { (.column($0), $0) }))
    case .window(var node):
      let kept = plan.output
      let lifted = plan.mapExpressions { lift($0, &pending) }
      if case .window(let changed) = lifted { node = changed }
      node.input = stack(pending, on: extract(node.input))
      if pending.isEmpty { return .window(node) }
      return .project(ProjectNode(input: .window(node), items: kept.map { (.column($0), $0) }))
    case .values(let node) where node.rows.contains { $0.contains(where: \.containsPredict) }:
      return union(of: node)
    case .scan, .values, .limit, .union, .predict, .rows, .exchange, .unnest, .sample,
      .positionalJoin, .with, .sharedScan, .recursive, .dependentJoin:
      return plan.mapChildren { extract($0) }
    }
  }

  /// Rows that predict, each as a SELECT of its own.
  private mutating func union(of node: ValuesNode) -> Plan {
    let inputs = node.rows.map { row -> Plan in
      let items = zip(row, node.columns).map { expression, column in
        nextID += 1
        return (
          expression, ColumnReference(id: nextID, name: column.name, type: column.type)
        )
      }
      return extract(
        .project(ProjectNode(input: .values(ValuesNode(columns: [], rows: [[]])), items: items)))
    }
    return .union(UnionNode(inputs: inputs, columns: node.columns))
  }

  private func stack(_ pending: [PredictNode], on input: Plan) -> Plan {
    pending.reduce(input) { plan, node in
      var node = node
      node.input = plan
      return .predict(node)
    }
  }

  /// The expression with its predictions replaced by columns that `pending` nodes give.
  private mutating func lift(_ expression: Expression, _ pending: inout [PredictNode]) -> Expression
  {
    let inner = expression.mapChildren { lift($0, &pending) }
    guard case .predict(let predict) = inner else { return inner }
    let known = pending.firstIndex {
      $0.model === predict.model && $0.arguments == predict.arguments
    }
    if let known, let output = pending[known].outputs.first(where: { $0.form == predict.form }) {
      return .column(output.reference)
    }
    nextID += 1
    let reference = ColumnReference(id: nextID, name: "prediction", type: predict.type)
    if let known {
      pending[known].outputs.append((predict.form, reference))
    } else {
      pending.append(
        PredictNode(
          input: .values(ValuesNode(columns: [], rows: [])), model: predict.model,
          arguments: predict.arguments, outputs: [(predict.form, reference)]))
    }
    return .column(reference)
  }
}
