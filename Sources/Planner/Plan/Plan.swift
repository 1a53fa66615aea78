import Columnar
import Diagnostics
import Functions

/// The plan: one tree from the binder to the operators. Rules write what they decide into the
/// nodes, so EXPLAIN prints what runs.
package indirect enum Plan: Sendable {
  case scan(ScanNode)
  /// Rows of constants.
  case values(ValuesNode)
  case filter(FilterNode)
  case project(ProjectNode)
  case aggregate(AggregateNode)
  case join(JoinNode)
  case sort(SortNode)
  case distinctOn(DistinctOnNode)
  case limit(LimitNode)
  case union(UnionNode)
  case predict(PredictNode)
  case rows(RowSourceNode)
  case exchange(ExchangeNode)
  case window(WindowNode)
  case unnest(UnnestNode)
  case sample(SampleNode)
  case positionalJoin(PositionalJoinNode)
  case with(WithNode)
  case sharedScan(SharedScanNode)
  case recursive(RecursiveNode)
  case dependentJoin(DependentJoinNode)
}

/// A scan of some columns of a source.
package struct ScanNode: Sendable {
  package var source: any TableSource
  /// As EXPLAIN names it.
  package var name: String
  /// What is read: positions in the source's schema and the references given to them.
  package var columns: [(position: Int, reference: ColumnReference)]
  /// Filters that partitions may be skipped by; the filter node above still decides.
  package var filters: [ScanFilter] = []
  /// What joins and Top-Ns above tell of columns.
  package var runtimeFilters: [ScanRuntimeFilter] = []
}

package struct ValuesNode: Sendable {
  package var columns: [ColumnReference]
  package var rows: [[Expression]]
}

package struct FilterNode: Sendable {
  package var input: Plan
  package var condition: Expression

  package init(input: Plan, condition: Expression) {
    self.input = input
    self.condition = condition
  }
}

package struct ProjectNode: Sendable {
  package var input: Plan
  package var items: [(expression: Expression, reference: ColumnReference)]

  package init(input: Plan, items: [(expression: Expression, reference: ColumnReference)]) {
    self.input = input
    self.items = items
  }
}

package struct AggregateNode: Sendable {
  package var input: Plan
  package var keys: [(expression: Expression, reference: ColumnReference)]
  package var calls: [(call: BoundAggregate, reference: ColumnReference)]
  /// GROUPING SETS: of each set which keys group it, by position; the other keys are NULL in its
  /// rows. Empty: one set of all keys.
  package var sets: [[Int]] = []
  /// GROUPING(…): a BIGINT with a bit for each of these keys, the last lowest; 1 where the row's set
  /// has it not.
  package var groupings: [(keys: [Int], reference: ColumnReference)] = []
}

/// An aggregate with bound arguments.
package struct BoundAggregate: Sendable, Equatable {
  package var resolved: ResolvedAggregate
  package var arguments: [Expression]
  package var isDistinct: Bool
  package var filter: Expression?
  package var order: [SortItem]

  package static func == (a: BoundAggregate, b: BoundAggregate) -> Bool {
    a.resolved.function.name == b.resolved.function.name && a.arguments == b.arguments
      && a.resolved.argumentTypes == b.resolved.argumentTypes
      && a.isDistinct == b.isDistinct && a.filter == b.filter && a.order == b.order
  }
}

package struct SortItem: Sendable, Equatable {
  package var expression: Expression
  package var descending: Bool
  package var nullsFirst: Bool
}

package struct JoinNode: Sendable {
  package enum Kind: Hashable, Sendable {
    case inner, left, right, full, semi, anti
    /// Left rows and `mark`: whether (and if unknown, NULL) the right side has a match.
    case mark(ColumnReference)
    /// As left, but a second match is an error.
    case single
  }
  package enum Strategy: String, Sendable {
    case hash
    case nestedLoop = "nested loop"
    /// Sorted sides, by one or two inequalities.
    case range
    case asof
  }
  package enum Side: String, Sendable { case left, right }

  package var kind: Kind
  package var left: Plan
  package var right: Plan
  /// Equalities `left = right`; `nullSafe` for IS NOT DISTINCT FROM.
  package var keys: [(left: Expression, right: Expression, nullSafe: Bool)]
  /// What else a pair must satisfy.
  package var residual: Expression?
  package var strategy: Strategy = .hash
  package var buildSide: Side = .right
  /// What a range join finds its pairs by, taken out of the residual; of an ASOF join the condition
  /// of which only the nearest row counts.
  package var inequalities: [JoinInequality] = []
  /// ASOF: each left row meets one right row at most.
  package var isAsof = false
  /// Which of the build side's keys are told to scans of the probe side, by position in `keys`.
  package var runtimeFilters: [(key: Int, filter: Int)] = []
}

package struct SortNode: Sendable {
  package var input: Plan
  package var items: [SortItem]
  /// Top-N: rows wanted and rows skipped.
  package var limit: Int?
  package var offset: Int = 0
  /// The number of the runtime filter by which scans learn where the rows wanted end.
  package var boundaryFilter: Int?
}

/// The first row of each key, as `order` has it (ties: as the input has it); rows come in `order`.
package struct DistinctOnNode: Sendable {
  package var input: Plan
  package var keys: [Expression]
  package var order: [SortItem]
}

package struct LimitNode: Sendable {
  package var input: Plan
  package var limit: Int?
  package var offset: Int
  /// LIMIT n%: of all rows of the input, rounded down.
  package var percent: Double?
  /// Counts that only running tells: they take the place of the others.
  package var bounds: LimitBounds?

  package init(
    input: Plan, limit: Int?, offset: Int, percent: Double? = nil, bounds: LimitBounds? = nil
  ) {
    self.input = input
    self.limit = limit
    self.offset = offset
    self.percent = percent
    self.bounds = bounds
  }

  /// Two numbers that are known, and nothing else.
  package var isConstant: Bool { percent == nil && bounds == nil }
}

/// LIMIT and OFFSET as subqueries or other expressions.
package struct LimitBounds: Sendable {
  /// One row, with one or both of these columns.
  package var plan: Plan
  package var limit: ColumnReference?
  package var offset: ColumnReference?
  package var isPercent: Bool
}

/// UNION ALL: inputs' columns by position.
package struct UnionNode: Sendable {
  package var inputs: [Plan]
  package var columns: [ColumnReference]
}

/// Runs a model over its input's rows and adds result columns.
package struct PredictNode: Sendable {
  package var input: Plan
  package var model: any ModelDescription
  package var arguments: [Expression]
  package var outputs: [(form: PredictExpression.Form, reference: ColumnReference)]
}

/// Rows that come from running something: TRAIN, EVALUATE, a table function with state.
package struct RowSourceNode: Sendable {
  package var provider: any RowProvider
  package var columns: [ColumnReference]
  /// The query that feeds it, if any.
  package var input: Plan?
}

/// What a `RowSourceNode` runs; Execution's operators conform.
package protocol RowProvider: AnyObject, Sendable {
  /// As EXPLAIN names it.
  var title: String { get }
  var details: [String] { get }
  var schema: [Field] { get }
  /// Whether what it reads must be the same to the last bit on any number of workers.
  var needsSameFloats: Bool { get }
}

extension RowProvider {
  package var needsSameFloats: Bool { false }
}

package struct ExchangeNode: Sendable {
  package enum Kind: String, Sendable { case gather }
  package var input: Plan
  package var kind: Kind
  package var workers: Int
}

extension JoinNode {
  fileprivate func appendOutput(to columns: inout [ColumnReference]) {
    left.appendOutput(to: &columns)
    switch kind {
    case .inner, .left, .right, .full, .single: right.appendOutput(to: &columns)
    case .semi, .anti: break
    case .mark(let mark): columns.append(mark)
    }
  }
}

extension Plan {
  /// The columns that batches of this node have, in order.
  package var output: [ColumnReference] {
    var columns: [ColumnReference] = []
    appendOutput(to: &columns)
    return columns
  }

  /// Appends, so that a deep tree of joins costs a step per column and not one per column and level.
  fileprivate func appendOutput(to columns: inout [ColumnReference]) {
    switch self {
    case .scan(let node): for column in node.columns { columns.append(column.reference) }
    case .values(let node): columns += node.columns
    case .filter(let node): node.input.appendOutput(to: &columns)
    case .project(let node): for item in node.items { columns.append(item.reference) }
    case .aggregate(let node):
      for key in node.keys { columns.append(key.reference) }
      for call in node.calls { columns.append(call.reference) }
      for grouping in node.groupings { columns.append(grouping.reference) }
    case .join(let node): node.appendOutput(to: &columns)
    case .sort(let node): node.input.appendOutput(to: &columns)
    case .distinctOn(let node): node.input.appendOutput(to: &columns)
    case .limit(let node): node.input.appendOutput(to: &columns)
    case .union(let node): columns += node.columns
    case .predict(let node):
      node.input.appendOutput(to: &columns)
      for output in node.outputs { columns.append(output.reference) }
    case .rows(let node): columns += node.columns
    case .exchange(let node): node.input.appendOutput(to: &columns)
    case .window(let node):
      node.input.appendOutput(to: &columns)
      for call in node.calls { columns.append(call.reference) }
    case .unnest(let node):
      node.input.appendOutput(to: &columns)
      for list in node.lists { columns.append(list.reference) }
      if let ordinality = node.ordinality { columns.append(ordinality) }
    case .sample(let node): node.input.appendOutput(to: &columns)
    case .positionalJoin(let node):
      node.left.appendOutput(to: &columns)
      node.right.appendOutput(to: &columns)
    case .with(let node): node.body.appendOutput(to: &columns)
    case .sharedScan(let node): for column in node.columns { columns.append(column.reference) }
    case .recursive(let node): columns += node.columns
    case .dependentJoin(let node): node.join.appendOutput(to: &columns)
    }
  }

  package var children: [Plan] {
    switch self {
    case .scan, .values, .sharedScan: []
    case .filter(let node): [node.input]
    case .project(let node): [node.input]
    case .aggregate(let node): [node.input]
    case .join(let node): [node.left, node.right]
    case .sort(let node): [node.input]
    case .distinctOn(let node): [node.input]
    case .limit(let node): [node.input] + (node.bounds.map { [$0.plan] } ?? [])
    case .union(let node): node.inputs
    case .predict(let node): [node.input]
    case .rows(let node): node.input.map { [$0] } ?? []
    case .exchange(let node): [node.input]
    case .window(let node): [node.input]
    case .unnest(let node): [node.input]
    case .sample(let node): [node.input]
    case .positionalJoin(let node): [node.left, node.right]
    case .with(let node): [node.definition, node.body]
    case .recursive(let node): [node.anchor, node.step]
    case .dependentJoin(let node): [node.left, node.right]
    }
  }

  package func mapChildren(_ transform: (Plan) throws -> Plan) rethrows -> Plan {
    switch self {
    case .scan, .values, .sharedScan: return self
    case .filter(var node):
      node.input = try transform(node.input)
      return .filter(node)
    case .project(var node):
      node.input = try transform(node.input)
      return .project(node)
    case .aggregate(var node):
      node.input = try transform(node.input)
      return .aggregate(node)
    case .join(var node):
      node.left = try transform(node.left)
      node.right = try transform(node.right)
      return .join(node)
    case .sort(var node):
      node.input = try transform(node.input)
      return .sort(node)
    case .distinctOn(var node):
      node.input = try transform(node.input)
      return .distinctOn(node)
    case .limit(var node):
      node.input = try transform(node.input)
      if let bounds = node.bounds { node.bounds?.plan = try transform(bounds.plan) }
      return .limit(node)
    case .union(var node):
      node.inputs = try node.inputs.map(transform)
      return .union(node)
    case .predict(var node):
      node.input = try transform(node.input)
      return .predict(node)
    case .rows(var node):
      node.input = try node.input.map(transform)
      return .rows(node)
    case .exchange(var node):
      node.input = try transform(node.input)
      return .exchange(node)
    case .window(var node):
      node.input = try transform(node.input)
      return .window(node)
    case .unnest(var node):
      node.input = try transform(node.input)
      return .unnest(node)
    case .sample(var node):
      node.input = try transform(node.input)
      return .sample(node)
    case .positionalJoin(var node):
      node.left = try transform(node.left)
      node.right = try transform(node.right)
      return .positionalJoin(node)
    case .with(var node):
      node.definition = try transform(node.definition)
      node.body = try transform(node.body)
      return .with(node)
    case .recursive(var node):
      node.anchor = try transform(node.anchor)
      node.step = try transform(node.step)
      return .recursive(node)
    case .dependentJoin(var node):
      node.left = try transform(node.left)
      node.right = try transform(node.right)
      return .dependentJoin(node)
    }
  }

  /// The expressions written in this node itself.
  package func mapExpressions(_ transform: (Expression) throws -> Expression) rethrows -> Plan {
    switch self {
    case .scan, .limit, .union, .rows, .exchange, .sample, .positionalJoin, .with, .sharedScan,
      .recursive:
      return self
    case .values(var node):
      node.rows = try node.rows.map { try $0.map(transform) }
      return .values(node)
    case .filter(var node):
      node.condition = try transform(node.condition)
      return .filter(node)
    case .project(var node):
      node.items = try node.items.map { (try transform($0.expression), $0.reference) }
      return .project(node)
    case .aggregate(var node):
      node.keys = try node.keys.map { (try transform($0.expression), $0.reference) }
      node.calls = try node.calls.map { entry in
        var call = entry.call
        call.arguments = try call.arguments.map(transform)
        call.filter = try call.filter.map(transform)
        call.order = try call.order.map { try $0.map(transform) }
        return (call, entry.reference)
      }
      return .aggregate(node)
    case .join(var node):
      node.keys = try node.keys.map {
        (try transform($0.left), try transform($0.right), $0.nullSafe)
      }
      node.residual = try node.residual.map(transform)
      node.inequalities = try node.inequalities.map {
        JoinInequality(
          left: try transform($0.left), right: try transform($0.right), operator: $0.operator)
      }
      return .join(node)
    case .sort(var node):
      node.items = try node.items.map { try $0.map(transform) }
      return .sort(node)
    case .distinctOn(var node):
      node.keys = try node.keys.map(transform)
      node.order = try node.order.map { try $0.map(transform) }
      return .distinctOn(node)
    case .predict(var node):
      node.arguments = try node.arguments.map(transform)
      return .predict(node)
    case .window(var node):
      node.partition = try node.partition.map(transform)
      node.order = try node.order.map { try $0.map(transform) }
      node.calls = try node.calls.map { (try $0.call.mapExpressions(transform), $0.reference) }
      return .window(node)
    case .unnest(var node):
      node.lists = try node.lists.map { (try transform($0.expression), $0.reference) }
      return .unnest(node)
    case .dependentJoin(var node):
      node.keys = try node.keys.map {
        (try transform($0.left), try transform($0.right), $0.nullSafe)
      }
      node.condition = try node.condition.map(transform)
      return .dependentJoin(node)
    }
  }
}
