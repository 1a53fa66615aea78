import Columnar
import Functions

// Conditions as selections: which rows are left. Comparisons of columns and constants go straight
// from the values to the row numbers; a condition on a column of few values behind many rows is
// decided once per value.

extension ExpressionEvaluator {
  /// The rows of a batch for which the condition is true.
  package func select(_ batch: Batch) throws -> Selection { try select(batch, from: nil) }

  /// The rows among `rows` (all, when nil) for which the condition is true.
  func select(_ batch: Batch, from rows: Selection?) throws -> Selection {
    switch node {
    case .and(let terms):
      var current = rows
      for term in terms {
        current = try term.select(batch, from: current)
        if current?.count == 0 { break }
      }
      return current ?? identity(batch.rowCount)
    case .or(let terms): return try selectAny(terms, batch, rows)
    case .call(let call, let arguments, _):
      if let picked = try selectByValue(batch, rows) { return picked }
      if let comparison = Comparison(rawValue: call.function.name), arguments.count == 2,
        let left = arguments[0].operand(batch), let right = arguments[1].operand(batch),
        !(left.isConstant && right.isConstant)
      {
        let count = rows?.count ?? batch.rowCount
        var picked = Selection(capacity: count)
        picked.count = try Comparison.select(
          comparison, left, right, count: count, into: picked.indices,
          from: rows.map { UnsafePointer($0.indices) })
        picked.isIdentity = rows == nil && picked.count == count
        return picked
      }
    case .inList, .isNull:
      if let picked = try selectByValue(batch, rows) { return picked }
    case .column, .constant, .cast, .not, .caseWhen, .listLambda: break
    }
    guard let rows else { return trueRows(try evaluate(batch)) }
    if rows.count == 0 { return rows }
    let picked = trueRows(try evaluate(part(of: batch, rows)))
    return picked.isIdentity ? rows : compose(rows, picked)
  }

  /// The column that a side of a comparison is, without computing anything; nil for the rest.
  private func operand(_ batch: Batch) -> Column? {
    switch node {
    case .column(let position): batch.columns[position]
    case .constant: constant(count: batch.rowCount)
    case .call, .cast, .and, .or, .not, .isNull, .caseWhen, .inList, .listLambda: nil
    }
  }

  /// Rows of any of the terms, each asked only about rows that the ones before it left out.
  private func selectAny(_ terms: [ExpressionEvaluator], _ batch: Batch, _ rows: Selection?) throws
    -> Selection
  {
    let count = rows?.count ?? batch.rowCount
    if count == 0 { return rows ?? identity(0) }
    let flags = Buffer(byteCount: batch.rowCount)
    let isPicked = flags.pointer.assumingMemoryBound(to: UInt8.self)
    isPicked.update(repeating: 0, count: batch.rowCount)
    var left = rows
    for term in terms {
      let picked = try term.select(batch, from: left)
      for position in 0..<picked.count { isPicked[Int(picked.indices[position])] = 1 }
      let before = left?.count ?? batch.rowCount
      if picked.count == before { left = Selection(capacity: 0) }
      if picked.count == before { break }
      if picked.count == 0 { continue }
      var rest = Selection(capacity: before)
      var kept = 0
      for position in 0..<before {
        let row = left.map { $0.indices[position] } ?? UInt32(truncatingIfNeeded: position)
        rest.indices[kept] = row
        kept &+= Int(1 - isPicked[Int(row)])
      }
      rest.count = kept
      left = rest
    }
    var result = Selection(capacity: count)
    var found = 0
    for position in 0..<count {
      let row = rows.map { $0.indices[position] } ?? UInt32(truncatingIfNeeded: position)
      result.indices[found] = row
      found &+= Int(isPicked[Int(row)])
    }
    result.count = found
    result.isIdentity = rows == nil && found == count
    return withExtendedLifetime(flags) { result }
  }

  // MARK: Deciding values instead of rows

  /// Of a condition on one column of few values behind many rows: the rows whose value passes. The
  /// values of a chunk's dictionary are decided once, and remembered for its next batches. nil when
  /// the condition or the column is not like that, or a value that may belong to no row fails.
  private func selectByValue(_ batch: Batch, _ rows: Selection?) throws -> Selection? {
    guard let position = onlyColumn else { return nil }
    let column = batch.columns[position]
    guard column.encoding == .dictionary, let base = column.base, let indices = column.indices,
      base.count <= max(batch.rowCount, 64)
    else { return nil }
    let decided: DecidedValues
    if let known = decidedValues, known.base === base {
      decided = known
    } else {
      var columns = batch.columns
      columns[position] = base
      let values = Batch(columns: columns, rowCount: base.count)
      guard let flags = try? evaluate(values) else { return nil }
      decided = DecidedValues(base, flags)
      decidedValues = decided
    }
    let flags = decided.flags
    let count = rows?.count ?? batch.rowCount
    var picked = Selection(capacity: count)
    let target = picked.indices
    var found = 0
    if let rows {
      for place in 0..<count {
        let row = rows.indices[place]
        target[found] = row
        found &+= Int(flags[Int(indices[Int(row)])])
      }
    } else {
      for row in 0..<count {
        target[found] = UInt32(truncatingIfNeeded: row)
        found &+= Int(flags[Int(indices[row])])
      }
    }
    picked.count = found
    picked.isIdentity = rows == nil && found == count
    return withExtendedLifetime(decided) { picked }
  }

  // MARK: Parts of batches

  /// The rows of the columns that this expression reads; the others are not what they say.
  private func part(of batch: Batch, _ rows: Selection) -> Batch {
    var columns = batch.columns
    let read = Batch(columns: columnsRead.map { columns[$0] }, rowCount: batch.rowCount)
    for (position, column) in zip(columnsRead, read.selecting(rows).columns) {
      columns[position] = column
    }
    return Batch(columns: columns, rowCount: rows.count, sequence: batch.sequence)
  }
}

/// Which values of a dictionary's base pass a condition: 1 for those.
final class DecidedValues {
  let base: Column
  private let memory: Buffer
  let flags: UnsafePointer<UInt8>

  init(_ base: Column, _ outcome: Column) {
    self.base = base
    memory = Buffer(byteCount: max(base.count, 1))
    let target = memory.pointer.assumingMemoryBound(to: UInt8.self)
    let reader = ColumnReader<UInt8>(outcome)
    withExtendedLifetime(outcome) {
      for value in 0..<base.count {
        target[value] = !reader.isNull(value) && reader[value] != 0 ? 1 : 0
      }
    }
    flags = UnsafePointer(target)
  }
}
