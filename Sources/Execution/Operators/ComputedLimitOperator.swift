import Columnar
import Diagnostics
import Planner

/// LIMIT n%, and LIMIT or OFFSET by what a subquery gives. Runs on one worker. A share needs the
/// number of all rows, so those are kept until the last has come.
final class ComputedLimitOperator: BatchSource {
  private var input: (any BatchSource)?
  private let types: [LogicalType]
  private let node: LimitNode
  private let bounds: (any BatchSource)?
  private let query: QueryContext
  private let memory: MemoryHolder
  private var limited: LimitOperator?

  init(
    input: any BatchSource, types: [LogicalType], node: LimitNode, bounds: (any BatchSource)?,
    query: QueryContext
  ) {
    self.input = input
    self.types = types
    self.node = node
    self.bounds = bounds
    self.query = query
    memory = MemoryHolder(query.memory, "limit")
  }

  func next() throws -> Batch? {
    if let limited { return try limited.next() }
    guard let input else { return nil }
    self.input = nil
    var (limit, offset, percent) = (node.limit, node.offset, node.percent)
    if let computed = node.bounds { (limit, offset, percent) = try counts(computed) }
    var source = input
    if let percent {
      guard percent >= 0, percent <= 100 else { throw ComputedLimitOperator.badShare() }
      var collector = RowCollector(types)
      while let batch = try input.next() {
        try query.checkCancelled()
        collector.append(batch.columns, rowCount: batch.rowCount)
        try memory.hold(collector.byteCount)
      }
      let total = collector.rowCount
      let all = Batch(columns: collector.finish(), rowCount: total)
      source = BatchListSource(all.pieces(of: query.batchRows))
      limit = Int(Double(total) * percent / 100)
    }
    let made = LimitOperator(input: source, limit: limit, offset: offset)
    limited = made
    return try made.next()
  }

  private func counts(_ computed: LimitBounds) throws -> (Int?, Int, Double?) {
    guard let bounds, let row = try bounds.next() else {
      return (node.limit, node.offset, node.percent)
    }
    func value(_ reference: ColumnReference?) -> Value? {
      guard let reference, let position = computed.plan.output.firstIndex(of: reference) else {
        return nil
      }
      let value = row.columns[position].value(0)
      return value.isNull ? nil : value
    }
    func count(_ reference: ColumnReference?, _ clause: String) throws -> Int? {
      guard case .integer(let rows) = value(reference) else { return nil }
      if rows < 0 { throw ComputedLimitOperator.negative(clause) }
      return Int(clamping: rows)
    }
    let offset = computed.offset == nil ? node.offset : try count(computed.offset, "OFFSET") ?? 0
    if computed.limit == nil { return (node.limit, offset, node.percent) }
    if computed.isPercent {
      guard case .double(let share) = value(computed.limit) else { return (nil, offset, nil) }
      return (nil, offset, share)
    }
    return (try count(computed.limit, "LIMIT"), offset, nil)
  }

  private static func badShare() -> SQLError {
    SQLError(.outOfRange, "LIMIT in percent must be from 0 to 100")
  }

  private static func negative(_ clause: String) -> SQLError {
    SQLError(.invalidInput, "\(clause) must not be negative")
  }
}
