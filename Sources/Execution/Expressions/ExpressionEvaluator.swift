import Columnar
import Diagnostics
import Functions
import Planner

/// A bound expression compiled for batches of one layout. One object per worker: it keeps caches.
///
/// AND, OR and CASE evaluate their parts only over the rows that reach them, so an error in a
/// guarded branch (1/0, a bad cast) never escapes.
package final class ExpressionEvaluator {
  indirect enum Node {
    case column(Int)
    /// One row.
    case constant(Column)
    case call(ResolvedScalar, [ExpressionEvaluator], SourceSpan?)
    case cast(ExpressionEvaluator, to: LogicalType, isTry: Bool)
    case and([ExpressionEvaluator])
    case or([ExpressionEvaluator])
    case not(ExpressionEvaluator)
    case isNull(ExpressionEvaluator, isNegated: Bool)
    case caseWhen(
      [(condition: ExpressionEvaluator, result: ExpressionEvaluator)], ExpressionEvaluator?)
    case inList(ExpressionEvaluator, InListSet)
    case listLambda(ListLambdaEvaluator)
  }

  let node: Node
  package let type: LogicalType
  /// Positions of the columns that it reads.
  let columnsRead: [Int]
  /// Of a constant: the column that the last batch got.
  private var lastConstant: Column?
  /// See `selectByValue`.
  var decidedValues: DecidedValues?
  /// The only column that it reads, when it gives the same for the same value.
  let onlyColumn: Int?

  /// `layout` gives each column id's position in the batches to come. `.internal` when the
  /// expression reads a column that is not there.
  package init(_ expression: Expression, layout: [Int: Int]) throws {
    type = expression.type
    let references = Set(expression.columnIDs.compactMap { layout[$0] })
    columnsRead = references.sorted()
    onlyColumn = references.count == 1 && !expression.isVolatile ? references.first : nil
    func compile(_ part: Expression) throws -> ExpressionEvaluator {
      try ExpressionEvaluator(part, layout: layout)
    }
    switch expression {
    case .column(let reference):
      guard let position = layout[reference.id] else {
        throw SQLError(.internal, "column \(reference.name) is not in the operator's input")
      }
      node = .column(position)
    case .constant(let value, let type):
      node = .constant(try Column.constant(value, type, count: 1))
    case .call(let call):
      node = .call(call.resolved, try call.arguments.map(compile), call.span)
    case .cast(let operand, let type, let isTry):
      node = .cast(try compile(operand), to: type, isTry: isTry)
    case .and(let terms): node = .and(try terms.map(compile))
    case .or(let terms): node = .or(try terms.map(compile))
    case .not(let operand): node = .not(try compile(operand))
    case .isNull(let operand, let isNegated):
      node = .isNull(try compile(operand), isNegated: isNegated)
    case .caseWhen(let branches):
      node = .caseWhen(
        try branches.branches.map { (try compile($0.condition), try compile($0.result)) },
        try branches.otherwise.map(compile))
    case .inList(let list):
      node = .inList(try compile(list.operand), try InListSet(list))
    case .listLambda(let lambda):
      node = .listLambda(try ListLambdaEvaluator(lambda, layout: layout))
    case .predict(let predict):
      throw SQLError(
        .notSupported,
        "PREDICT of model \"\(predict.model.name)\" cannot stand in a lambda or an argument of a "
          + "table function",
        hint: "predict in a query of its own: SELECT … FROM (SELECT PREDICT(…))")
    }
  }

  /// The position of the column that the expression is, when it is nothing more.
  package var plainColumn: Int? {
    if case .column(let position) = node { position } else { nil }
  }

  /// The expression's value for every row of the batch.
  package func evaluate(_ batch: Batch) throws -> Column {
    let count = batch.rowCount
    switch node {
    case .column(let position): return batch.columns[position]
    case .constant: return constant(count: count)
    case .call(let resolved, let arguments, _) where resolved.function.name == "coalesce":
      return try coalesce(arguments, batch)
    case .call(let resolved, let arguments, let span):
      let values = try arguments.map { try $0.evaluate(batch) }
      do {
        let result = try ScalarEvaluation.call(resolved, values, count: count)
        // Numbers of a batch are few bytes; asking costs more than adding them.
        if result.type.physical == .string || !result.children.isEmpty {
          try MemoryAllowance.check(0)
        }
        return result
      } catch let error as SQLError {
        throw error.placed(at: span)
      }
    case .cast(let operand, let type, let isTry):
      if isTry && operand.type == type { return try attempt(operand, batch) }
      let values = try operand.evaluate(batch)
      if !values.children.isEmpty { try MemoryAllowance.check(values.elementBytes) }
      return try Cast.column(values, to: type, tryCast: isTry)
    case .not(let operand): return negate(try operand.evaluate(batch))
    case .isNull(let operand, let isNegated):
      return nullTest(try operand.evaluate(batch), isNegated: isNegated)
    case .and(let terms): return try combine(terms, batch, decisive: 0)
    case .or(let terms): return try combine(terms, batch, decisive: 1)
    case .caseWhen(let branches, let otherwise):
      return try evaluateCase(branches, otherwise, batch)
    case .inList(let operand, let set): return try set.test(try operand.evaluate(batch))
    case .listLambda(let lambda): return try lambda.evaluate(batch)
    }
  }

  /// The first argument that is not NULL: each is evaluated only over the rows that reach it.
  private func coalesce(_ arguments: [ExpressionEvaluator], _ batch: Batch) throws -> Column {
    let count = batch.rowCount
    guard let first = arguments.first else { return Column.nulls(type, count: count) }
    let known = try first.evaluate(batch)
    if arguments.count == 1 || !known.mayHaveNulls || count == 0 { return known }
    // Rows that have no value yet: those of `known` that are NULL, in ascending order.
    var missing = Selection(capacity: count)
    missing.count = 0
    let places = Selection(capacity: count)
    for row in 0..<count {
      places.indices[row] = UInt32(truncatingIfNeeded: row)
      missing.indices[missing.count] = UInt32(truncatingIfNeeded: row)
      missing.count += known.isNull(row) ? 1 : 0
    }
    if missing.count == 0 { return known }
    var builder = ColumnBuilder(type, capacity: count)
    builder.append(known)
    for argument in arguments.dropFirst() where missing.count > 0 {
      let values = try argument.evaluate(batch.selecting(missing))
      let start = builder.count
      builder.append(values)
      // The selection just used may be held by columns of `values`.
      var left = Selection(capacity: missing.count)
      left.count = 0
      for position in 0..<missing.count {
        let row = missing.indices[position]
        places.indices[Int(row)] = UInt32(truncatingIfNeeded: start + position)
        left.indices[left.count] = row
        left.count += values.isNull(position) ? 1 : 0
      }
      missing = left
    }
    return Column.dictionary(builder.finish(), places)
  }

  /// TRY: NULL where the operand fails over a row's data. Rows are tried one by one only in a batch
  /// that fails as a whole.
  private func attempt(_ operand: ExpressionEvaluator, _ batch: Batch) throws -> Column {
    do {
      return try operand.evaluate(batch)
    } catch let error as SQLError where error.isOfData {
      if batch.rowCount <= 1 { return Column.nulls(type, count: batch.rowCount) }
      var builder = ColumnBuilder(type, capacity: batch.rowCount)
      for row in 0..<batch.rowCount {
        builder.append(try attempt(operand, batch.selecting(Selection([row]))))
      }
      return builder.finish()
    }
  }

  /// The constant that this node is, for as many rows.
  func constant(count: Int) -> Column {
    guard case .constant(let one) = node else {
      preconditionFailure("only constants have a value without rows")
    }
    if let last = lastConstant, last.count == count { return last }
    let made =
      lastConstant.map { Column(constant: $0, count: count) }
      ?? Column(repeating: one, count: count)
    if lastConstant == nil { lastConstant = made }
    return made
  }

  // MARK: Logic

  private func combine(_ terms: [ExpressionEvaluator], _ batch: Batch, decisive: UInt8) throws
    -> Column
  {
    let count = batch.rowCount
    let result = Column(flat: .boolean, count: count)
    let values = result.values(as: UInt8.self)
    values.update(repeating: 1 - decisive, count: count)
    var active: Selection?
    var unknown: [UInt32] = []
    for term in terms {
      let current = active.map { batch.selecting($0) } ?? batch
      if current.rowCount == 0 { break }
      let column = try term.evaluate(current)
      let reader = ColumnReader<UInt8>(column)
      let remaining = Selection(capacity: current.rowCount)
      var left = 0
      // The reader does not keep the column's bytes alive.
      withExtendedLifetime(column) {
        for row in 0..<current.rowCount {
          let original = active.map { $0.indices[row] } ?? UInt32(row)
          if reader.isNull(row) {
            unknown.append(original)
            remaining.indices[left] = original
            left += 1
          } else if (reader[row] != 0) == (decisive != 0) {
            values[Int(original)] = decisive
          } else {
            remaining.indices[left] = original
            left += 1
          }
        }
      }
      if left < current.rowCount {
        var rest = remaining
        rest.count = left
        active = rest
      }
    }
    for row in unknown where values[Int(row)] != decisive { result.setNull(Int(row)) }
    return result
  }

  private func negate(_ column: Column) -> Column {
    let reader = ColumnReader<UInt8>(column)
    let result = Column(flat: .boolean, count: column.count)
    let values = result.values(as: UInt8.self)
    for row in 0..<column.count { values[row] = reader[row] ^ 1 }
    result.addNulls(of: column)
    return result
  }

  private func nullTest(_ column: Column, isNegated: Bool) -> Column {
    let result = Column(flat: .boolean, count: column.count)
    let values = result.values(as: UInt8.self)
    if !column.mayHaveNulls {
      values.update(repeating: isNegated ? 1 : 0, count: column.count)
      return result
    }
    for row in 0..<column.count { values[row] = column.isNull(row) != isNegated ? 1 : 0 }
    return result
  }

  private func evaluateCase(
    _ branches: [(condition: ExpressionEvaluator, result: ExpressionEvaluator)],
    _ otherwise: ExpressionEvaluator?, _ batch: Batch
  ) throws -> Column {
    let count = batch.rowCount
    // Results are laid end to end; each row then points at its own.
    var builder = ColumnBuilder(type, capacity: count)
    let places = Selection(capacity: count)
    var remaining: Selection?
    func take(_ rows: Selection?, _ evaluator: ExpressionEvaluator?) throws {
      let part = rows.map { batch.selecting($0) } ?? batch
      if part.rowCount == 0 { return }
      let first = builder.count
      if let evaluator {
        let values = try evaluator.evaluate(part)
        try MemoryAllowance.check(values.copiedBytes)
        builder.append(values)
      } else {
        builder.append(Column.nulls(type, count: part.rowCount))
      }
      for row in 0..<part.rowCount {
        places.indices[Int(rows.map { $0.indices[row] } ?? UInt32(row))] = UInt32(first + row)
      }
    }
    for (condition, result) in branches {
      let current = remaining.map { batch.selecting($0) } ?? batch
      if current.rowCount == 0 { break }
      let picked = try condition.select(current)
      if picked.count == 0 { continue }
      try take(remaining.map { compose($0, picked) } ?? picked, result)
      remaining = complement(picked, of: current.rowCount, within: remaining)
    }
    try take(remaining, otherwise)
    return Column.dictionary(builder.finish(), places)
  }

  // MARK: Selections

  func identity(_ count: Int) -> Selection {
    var all = Selection(capacity: count)
    for row in 0..<count { all.indices[row] = UInt32(row) }
    all.isIdentity = true
    return all
  }

  func trueRows(_ column: Column) -> Selection {
    let count = column.count
    if column.isConstant {
      if !column.isNull(0), column.values(as: UInt8.self)[0] != 0 { return identity(count) }
      return Selection(capacity: 0)
    }
    var rows = Selection(capacity: count)
    let target = rows.indices
    var kept = 0
    if column.encoding == .flat, column.validity == nil {
      let values = column.values(as: UInt8.self)
      // No branch: every row is written, only passing rows move the end.
      for row in 0..<count {
        target[kept] = UInt32(truncatingIfNeeded: row)
        kept &+= Int(values[row])
      }
    } else {
      let reader = ColumnReader<UInt8>(column)
      for row in 0..<count where !reader.isNull(row) && reader[row] != 0 {
        target[kept] = UInt32(truncatingIfNeeded: row)
        kept += 1
      }
    }
    rows.count = kept
    rows.isIdentity = kept == count
    return rows
  }

  func compose(_ outer: Selection, _ inner: Selection) -> Selection {
    let result = Selection(capacity: inner.count)
    for row in 0..<inner.count { result.indices[row] = outer.indices[Int(inner.indices[row])] }
    return result
  }

  /// The rows of `0 ..< count` not in `picked` (ascending), mapped through `within`.
  private func complement(_ picked: Selection, of count: Int, within: Selection?) -> Selection {
    let result = Selection(capacity: count - picked.count)
    var next = 0
    var position = 0
    for row in 0..<count {
      if next < picked.count, picked.indices[next] == UInt32(row) {
        next += 1
        continue
      }
      result.indices[position] = within.map { $0.indices[row] } ?? UInt32(row)
      position += 1
    }
    return result
  }
}
