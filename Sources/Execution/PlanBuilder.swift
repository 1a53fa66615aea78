import Columnar
import Diagnostics
import Functions
import Planner

/// Makes operators from a plan: one copy of each region's tree per worker, and per node one shared
/// object for all copies.
package final class PlanBuilder {
  let query: QueryContext
  /// Per node in preorder, when EXPLAIN ANALYZE counts.
  package let statistics: [NodeStatistics]?
  private let shared: SharedRowsTable
  /// Inside the steps of recursions: what differs from round to round.
  private(set) var rounds: Set<ObjectIdentifier> = []
  /// Sources that must run to their end whoever reads them (TRAIN).
  package private(set) var completions: [CompletingSource] = []

  package init(query: QueryContext, measuring plan: Plan? = nil) {
    self.query = query
    shared = SharedRowsTable()
    statistics = plan.map { (0..<PlanBuilder.size(of: $0)).map { _ in NodeStatistics() } }
  }

  /// Builds a recursion's step while the statement runs.
  private init(inStepOf outer: PlanBuilder, rounds: Set<ObjectIdentifier>) {
    query = outer.query
    statistics = outer.statistics
    shared = outer.shared
    self.rounds = rounds
  }

  /// The batches of a whole plan, for one consumer.
  package func source(_ plan: Plan) throws -> any BatchSource {
    let region = RegionShared()
    return try build(plan, 0, Worker(query: query), region)
  }

  /// A plan whose rows go to a table: the sink runs in the workers, so they store in parallel.
  func load(_ plan: Plan, at index: Int = 0, into collector: RowGroupCollector) throws
    -> any BatchSource
  {
    guard case .exchange(let node) = plan else {
      return TableSinkOperator(
        input: try build(plan, index, Worker(query: query), RegionShared()), collector: collector,
        worker: Worker(query: query))
    }
    let inner = RegionShared()
    return try GatherOperator(
      query: query, workers: node.workers,
      makeSource: {
        TableSinkOperator(
          input: try build(node.input, index + 1, $0, inner), collector: collector, worker: $0)
      },
      waiting: { [inner] in inner.waitingCount },
      barriers: { [inner] error in inner.breakBarriers(error) })
  }

  static func size(of plan: Plan) -> Int { plan.children.reduce(1) { $0 + size(of: $1) } }

  /// `index` is the node's number in preorder over the whole plan: the key of its shared object.
  private func build(
    _ plan: Plan, _ index: Int, _ worker: Worker, _ region: RegionShared,
    filteredBy condition: Expression? = nil
  ) throws -> any BatchSource {
    var made = try make(plan, index, worker, region, filteredBy: condition)
    if case .scan(let scan) = plan, condition == nil, !scan.runtimeFilters.isEmpty {
      made = FilterOperator(
        input: made,
        condition: try RowFilter(nil, layout: [:], runtime: runtimeFilters(of: scan, region)))
    }
    guard let statistics, index < statistics.count else { return made }
    return MeasuredSource(made, statistics[index])
  }

  /// `condition`: what a filter right above keeps.
  private func make(
    _ plan: Plan, _ index: Int, _ worker: Worker, _ region: RegionShared,
    filteredBy condition: Expression?
  ) throws -> any BatchSource {
    switch plan {
    case .scan(let node):
      let shared = try region.shared(index) {
        let scan = try node.source.scan(
          columns: node.columns.map(\.position), filters: node.filters, batchRows: query.batchRows)
        query.progress.add(scan.partitionCount)
        return ScanShared(scan: scan, order: visitingOrder(of: node, scan))
      }
      let runtime = runtimeFilters(of: node, region)
      return ScanOperator(
        shared: shared, worker: worker,
        runtime: runtime.map { ($0.filter, node.columns[$0.column].position) },
        look: try EarlyFilter.look(
          columns: node.columns.map(\.reference), condition: condition, runtime: runtime),
        statistics: statistics.flatMap { index < $0.count ? $0[index] : nil })
    case .values(let node):
      if worker.index > 0 { return BatchListSource([]) }
      return try values(node)
    case .filter(let node):
      let input = try build(
        node.input, index + 1, worker, region, filteredBy: node.condition)
      // A scan's runtime filters and the conditions on its rows are one set of terms.
      var runtime: [(filter: RuntimeFilter, column: Int)] = []
      if case .scan(let scan) = node.input { runtime = runtimeFilters(of: scan, region) }
      return FilterOperator(
        input: input,
        condition: try RowFilter(node.condition, layout: layout(node.input), runtime: runtime))
    case .project(let node):
      let input = try build(node.input, index + 1, worker, region)
      let layout = layout(node.input)
      let items = try node.items.map { try ExpressionEvaluator($0.expression, layout: layout) }
      let plain = items.compactMap(\.plainColumn)
      if plain.count == items.count { return PickColumnsOperator(input: input, positions: plain) }
      return ProjectOperator(input: input, items: items)
    case .aggregate(let node): return try aggregate(node, index, worker, region)
    case .join(let node): return try join(node, index, worker, region)
    case .sort(let node): return try sort(node, index, worker, region)
    case .distinctOn(let node): return try distinctOn(node, index, worker, region)
    case .limit(let node):
      // Serial: only one worker of the region counts, over a region of its own.
      if worker.index > 0 { return BatchListSource([]) }
      let input = try build(node.input, index + 1, Worker(query: query), RegionShared())
      if node.isConstant {
        return LimitOperator(input: input, limit: node.limit, offset: node.offset)
      }
      return ComputedLimitOperator(
        input: input, types: node.input.output.map(\.type), node: node,
        bounds: try node.bounds.map {
          try build(
            $0.plan, index + 1 + PlanBuilder.size(of: node.input), Worker(query: query),
            RegionShared())
        }, query: query)
    case .union(let node):
      var inputs: [any BatchSource] = []
      var next = index + 1
      for input in node.inputs {
        inputs.append(try build(input, next, worker, region))
        next += PlanBuilder.size(of: input)
      }
      return UnionOperator(inputs: inputs)
    case .predict(let node):
      let inputTypes = node.input.output.map(\.type)
      let (input, positions) = try withColumns(
        node.arguments, node.input, index + 1, worker, region)
      guard let model = node.model as? Model else {
        throw SQLError(.internal, "model \(node.model.name) is of an unknown kind")
      }
      let counters = statistics.flatMap { index < $0.count ? $0[index].predictions : nil }
      if let groups = model.groups {
        return try GroupedPredictOperator(
          input: input, passed: inputTypes.count, arguments: positions, model: model,
          groups: groups, outputs: node.outputs.map { ($0.form, $0.reference.type) },
          counters: counters)
      }
      return try PredictOperator(
        input: input, passed: inputTypes.count, arguments: positions, model: model,
        outputs: node.outputs.map { ($0.form, $0.reference.type) },
        counters: counters)
    case .rows(let node):
      if worker.index > 0 { return BatchListSource([]) }
      if let provider = node.provider as? TableWriteProvider, let input = node.input {
        let collector = provider.collector(input)
        let source = TableWriteSource(
          provider, input: try load(input, at: index + 1, into: collector), collector: collector,
          query: query)
        completions.append(source)
        return source
      }
      if let provider = node.provider as? any TrainingRowProvider, let input = node.input {
        let source = provider.source(trainInput(input, index + 1), query: query)
        completions.append(source)
        return source
      }
      guard let provider = node.provider as? any RunnableRowProvider else {
        throw SQLError(.internal, "\(node.provider.title) cannot be run")
      }
      let input = try node.input.map {
        try build($0, index + 1, Worker(query: query), RegionShared())
      }
      let source = try provider.run(input: input, query: query)
      if let completing = source as? any CompletingSource { completions.append(completing) }
      return source
    case .exchange(let node):
      let inner = RegionShared()
      return try GatherOperator(
        query: query, workers: node.workers,
        makeSource: { try build(node.input, index + 1, $0, inner) },
        waiting: { [inner] in inner.waitingCount },
        barriers: { [inner] error in inner.breakBarriers(error) })
    case .window(let node): return try window(node, index, worker, region)
    case .positionalJoin(let node):
      // Serial, as LIMIT: rows are counted.
      if worker.index > 0 { return BatchListSource([]) }
      let rightIndex = index + 1 + PlanBuilder.size(of: node.left)
      return PositionalJoinOperator(
        left: try build(node.left, index + 1, Worker(query: query), RegionShared()),
        right: try build(node.right, rightIndex, Worker(query: query), RegionShared()),
        leftTypes: node.left.output.map(\.type), rightTypes: node.right.output.map(\.type))
    case .with(let node): return try with(node, index, worker, region)
    case .sharedScan(let node):
      let cursor = region.shared(index) { SharedCursor() }
      return SharedScanOperator(
        rows: shared.rows(of: node.shared), columns: node.columns.map(\.position), cursor: cursor,
        query: query)
    case .recursive(let node): return try recursion(node, index, worker)
    case .unnest(let node):
      let layout = layout(node.input)
      return UnnestOperator(
        input: try build(node.input, index + 1, worker, region),
        lists: try node.lists.map { try UnnestList($0.expression, layout: layout) },
        hasOrdinality: node.ordinality != nil, keepsEmpty: node.keepsEmpty, worker: worker)
    case .sample(let node):
      // Serial, as LIMIT: rows are numbered in their order.
      if worker.index > 0 { return BatchListSource([]) }
      return SampleOperator(
        input: try build(node.input, index + 1, Worker(query: query), RegionShared()),
        types: node.input.output.map(\.type), method: node.method, amount: node.amount,
        seed: node.seed, batchRows: query.batchRows)
    case .dependentJoin:
      throw SQLError(.notSupported, "not supported yet: this kind of plan node")
    }
  }

  private func trainInput(_ plan: Plan, _ index: Int) -> TrainInput {
    TrainInput(
      plan: plan,
      open: { [self] features in
        let items = features
        return ProjectOperator(
          input: try build(plan, index, Worker(query: query), RegionShared()),
          items: try items.map { try ExpressionEvaluator($0, layout: layout(plan)) })
      },
      run: { [self] plan in
        // No part of the plan that EXPLAIN ANALYZE counts: numbers beyond its nodes.
        let source = try build(plan, 1 << 40, Worker(query: query), RegionShared())
        var rows: [[Value]] = []
        while let batch = try source.next() {
          try query.checkCancelled()
          for row in 0..<batch.rowCount { rows.append(batch.columns.map { $0.value(row) }) }
        }
        return rows
      })
  }

  private func with(
    _ node: WithNode, _ index: Int, _ worker: Worker, _ region: RegionShared
  ) throws -> any BatchSource {
    let common = region.shared(index) {
      WithShared(workers: worker.count, types: node.definition.output.map(\.type))
    }
    region.add(common.barrier)
    return WithOperator(
      definition: try build(node.definition, index + 1, worker, region),
      body: try build(
        node.body, index + 1 + PlanBuilder.size(of: node.definition), worker, region),
      rows: shared.rows(of: node.shared), shared: common, worker: worker)
  }

  /// Serial: rounds follow each other. The step's operators are made when its first round begins,
  /// and again when they cannot be rewound.
  private func recursion(_ node: RecursiveNode, _ index: Int, _ worker: Worker) throws
    -> any BatchSource
  {
    if worker.index > 0 { return BatchListSource([]) }
    let stepIndex = index + 1 + PlanBuilder.size(of: node.anchor)
    let plan = RecursionPlan(
      types: node.columns.map(\.type), isDistinct: node.isDistinct, key: node.key,
      working: shared.rows(of: node.working),
      accumulated: node.accumulated.map { shared.rows(of: $0) })
    var rounds = rounds
    rounds.insert(ObjectIdentifier(node.working))
    if let accumulated = node.accumulated { rounds.insert(ObjectIdentifier(accumulated)) }
    let stepBuilder = PlanBuilder(inStepOf: self, rounds: rounds)
    return RecursiveOperator(
      plan: plan,
      anchor: try build(node.anchor, index + 1, Worker(query: query), RegionShared()),
      makeStep: { [query] in
        try stepBuilder.build(node.step, stepIndex, Worker(query: query), RegionShared())
      }, query: query)
  }

  /// The partitions as a Top-N above wants them, best first; nil for the source's own order.
  private func visitingOrder(of node: ScanNode, _ scan: any PartitionedScan) -> [Int]? {
    for filter in node.runtimeFilters {
      guard case .boundary(let descending, let nullsFirst) = filter.kind,
        let column = node.columns.first(where: { $0.reference.id == filter.column.id })
      else { continue }
      return ScanShared.order(
        scan, column: column.position, descending: descending, nullsFirst: nullsFirst)
    }
    return nil
  }

  /// What operators above tell a scan, by the positions of its columns.
  private func runtimeFilters(of scan: ScanNode, _ region: RegionShared) -> [(
    filter: RuntimeFilter, column: Int
  )] {
    scan.runtimeFilters.compactMap { entry in
      scan.columns.firstIndex { $0.reference.id == entry.column.id }.map {
        (region.runtimeFilter(entry.number), $0)
      }
    }
  }

  private func layout(_ plan: Plan) -> [Int: Int] {
    var positions: [Int: Int] = [:]
    for (position, reference) in plan.output.enumerated() { positions[reference.id] = position }
    return positions
  }

  private func values(_ node: ValuesNode) throws -> any BatchSource {
    let one = Batch(columns: [], rowCount: 1)
    if node.columns.isEmpty {
      return BatchListSource([Batch(columns: [], rowCount: node.rows.count)])
    }
    var builders = node.columns.map { ColumnBuilder($0.type, capacity: node.rows.count) }
    for row in node.rows {
      for (column, expression) in row.enumerated() {
        if case .constant(let value, let type) = expression, type == node.columns[column].type {
          try builders[column].append(value)
        } else {
          builders[column].append(try ExpressionEvaluator(expression, layout: [:]).evaluate(one))
        }
      }
    }
    let all = Batch(
      columns: builders.indices.map { builders[$0].finish() }, rowCount: node.rows.count)
    return BatchListSource(all.pieces(of: query.batchRows))
  }

  /// The input with columns for the expressions: their own when they are plain columns, else
  /// computed ones behind the input's.
  func withColumns(
    _ expressions: [Expression], _ plan: Plan, _ index: Int, _ worker: Worker,
    _ region: RegionShared
  ) throws -> (source: any BatchSource, positions: [Int]) {
    let input = try build(plan, index, worker, region)
    let output = plan.output
    let layout = layout(plan)
    var items = try output.map { try ExpressionEvaluator(.column($0), layout: layout) }
    var computed: [(expression: Expression, position: Int)] = []
    var positions: [Int] = []
    for expression in expressions {
      if case .column(let reference) = expression, let position = layout[reference.id] {
        positions.append(position)
      } else if let known = computed.first(where: { $0.expression == expression }) {
        positions.append(known.position)
      } else {
        computed.append((expression, items.count))
        positions.append(items.count)
        items.append(try ExpressionEvaluator(expression, layout: layout))
      }
    }
    if computed.isEmpty { return (input, positions) }
    return (ProjectOperator(input: input, items: items), positions)
  }

  // MARK: Breakers

  private func aggregate(
    _ node: AggregateNode, _ index: Int, _ worker: Worker, _ region: RegionShared
  ) throws -> any BatchSource {
    // Only keys and arguments go in: nothing else is read above.
    var expressions: [Expression] = []
    func position(_ expression: Expression) -> Int {
      if let known = expressions.firstIndex(of: expression) { return known }
      expressions.append(expression)
      return expressions.count - 1
    }
    let keys = node.keys.map { position($0.expression) }
    let calls = node.calls.map { entry in
      AggregateCall(
        resolved: entry.call.resolved, arguments: entry.call.arguments.map(position),
        isDistinct: entry.call.isDistinct, filter: entry.call.filter.map(position),
        order: entry.call.order.map {
          SortKey(
            column: position($0.expression), descending: $0.descending, nullsFirst: $0.nullsFirst)
        })
    }
    let input = try build(node.input, index + 1, worker, region)
    let layout = layout(node.input)
    let items = try expressions.map { try ExpressionEvaluator($0, layout: layout) }
    let shared = region.shared(index) { HashAggregateShared(workers: worker.count) }
    region.add(shared.barrier)
    return HashAggregateOperator(
      input: ProjectOperator(input: input, items: items), inputTypes: expressions.map(\.type),
      keys: keys, calls: calls, sets: node.sets, groupings: node.groupings.map(\.keys),
      shared: shared, worker: worker)
  }

  private func sort(_ node: SortNode, _ index: Int, _ worker: Worker, _ region: RegionShared) throws
    -> any BatchSource
  {
    let (input, positions) = try withColumns(
      node.items.map(\.expression), node.input, index + 1, worker, region)
    let output = node.input.output
    let types = types(node.input, node.items.map(\.expression), positions)
    let keys = zip(positions, node.items).map {
      SortKey(column: $0, descending: $1.descending, nullsFirst: $1.nullsFirst)
    }
    let shared = region.shared(index) { SortShared(workers: worker.count) }
    region.add(shared.barrier)
    if let number = node.boundaryFilter {
      region.runtimeFilter(number).follow(shared.boundary(of: keys[0]))
    }
    let sorted = SortOperator(
      input: input, inputTypes: types, keys: keys, limit: node.limit, offset: node.offset,
      shared: shared, worker: worker)
    if types.count == output.count { return sorted }
    return PickColumnsOperator(input: sorted, positions: Array(0..<output.count))
  }

  private func distinctOn(
    _ node: DistinctOnNode, _ index: Int, _ worker: Worker, _ region: RegionShared
  ) throws -> any BatchSource {
    let (input, positions) = try withColumns(
      node.keys + node.order.map(\.expression), node.input, index + 1, worker, region)
    let output = node.input.output
    let types = types(node.input, node.keys + node.order.map(\.expression), positions)
    let keys = zip(positions.dropFirst(node.keys.count), node.order).map {
      SortKey(column: $0, descending: $1.descending, nullsFirst: $1.nullsFirst)
    }
    let shared = region.shared(index) { SortShared(workers: worker.count) }
    region.add(shared.barrier)
    let sorted = SortOperator(
      input: input, inputTypes: types, keys: keys, shared: shared, worker: worker)
    let first = FirstOfEachOperator(
      input: sorted, keys: Array(positions.prefix(node.keys.count)), types: types, query: query)
    if types.count == output.count { return first }
    return PickColumnsOperator(input: first, positions: Array(0..<output.count))
  }

  /// The types after `withColumns`.
  func types(_ plan: Plan, _ expressions: [Expression], _ positions: [Int]) -> [LogicalType] {
    var types = plan.output.map(\.type)
    for (expression, position) in zip(expressions, positions) where position == types.count {
      types.append(expression.type)
    }
    return types
  }
}

/// The shared objects of one region's nodes, and its barriers.
final class RegionShared: @unchecked Sendable {
  private var objects: [Int: AnyObject] = [:]
  private var runtimeFilters: [Int: RuntimeFilter] = [:]
  private var barriers: [ObjectIdentifier: TeamBarrier] = [:]
  private let lock = Lock()

  /// SAFETY: `objects` and `runtimeFilters` are used while building, on one thread; `barriers` under `lock`.
  func shared<Object: AnyObject>(_ index: Int, _ make: () throws -> Object) rethrows -> Object {
    if let known = objects[index] as? Object { return known }
    let made = try make()
    objects[index] = made
    return made
  }

  /// The filter of this number of the plan.
  func runtimeFilter(_ number: Int) -> RuntimeFilter {
    if let known = runtimeFilters[number] { return known }
    let made = RuntimeFilter()
    runtimeFilters[number] = made
    return made
  }

  func add(_ barrier: TeamBarrier) {
    lock.withLock { barriers[ObjectIdentifier(barrier)] = barrier }
  }

  /// Workers that wait at one of the barriers.
  var waitingCount: Int {
    lock.withLock { Array(barriers.values) }.map(\.waitingCount).max() ?? 0
  }

  func breakBarriers(_ error: any Error) {
    for barrier in lock.withLock({ Array(barriers.values) }) { barrier.breakBarrier(error) }
  }
}

/// A row provider that this module can run.
package protocol RunnableRowProvider: RowProvider {
  func run(input: (any BatchSource)?, query: QueryContext) throws -> any BatchSource
}

/// A source that runs to its end even when its reader stops early.
package protocol CompletingSource: BatchSource {
  func complete() throws
}
