import Columnar
import Diagnostics

/// Aggregates that look at all of a group's values at the end: the values are kept, rows apart by
/// group, and a closure makes the result of each group. For what is asked seldom; whatever has a
/// state of constant size has its own class.
final class CollectedState: AggregateState {
  /// The kept columns of one group, in the order the rows came, and the constants behind them.
  typealias Finish = (_ values: [Column], _ count: Int, _ constants: [Value]) throws -> Value

  private let result: LogicalType
  private let vectors: [ValueVector]
  /// Which kept columns must not be NULL for a row to count.
  private let required: [Int]
  private let chains = GroupChains()
  private var constants: [Value]?
  private let finishGroup: Finish
  /// Of a group without rows.
  private let empty: Value
  private let scratch = StateMemory(stride: 4)

  init(
    keeping types: [LogicalType], required: [Int], result: LogicalType, empty: Value = .null,
    finish: @escaping Finish
  ) {
    vectors = types.map { ValueVector($0) }
    self.required = required
    self.result = result
    self.empty = empty
    finishGroup = finish
  }

  var byteCount: Int { chains.byteCount + vectors.reduce(0) { $0 + $1.byteCount } }

  func resize(groups count: Int) { chains.resize(groups: count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    if count == 0 { return }
    if constants == nil { constants = arguments.dropFirst(vectors.count).map { $0.value(0) } }
    scratch.resize(count)
    let picked = scratch.values(UInt32.self)
    var rows = Selection(capacity: count)
    var kept = 0
    for row in 0..<count where !required.contains(where: { arguments[$0].isNull(row) }) {
      rows.indices[kept] = UInt32(truncatingIfNeeded: row)
      picked[kept] = groups[row]
      kept += 1
    }
    if kept == 0 { return }
    rows.count = kept
    chains.append(picked, count: kept)
    for (vector, column) in zip(vectors, arguments) {
      vector.append(Column.dictionary(column, rows), count: kept)
    }
  }

  func update(_ arguments: [Column], count: Int) {
    withGroupZero(count) { update(arguments, groups: $0, count: count) }
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let other = sameState(other, as: CollectedState.self)
    if constants == nil { constants = other.constants }
    let (rows, targets) = other.chains.rows(of: source, count: count, goingTo: target)
    chains.append(targets, count: targets.count)
    for (mine, theirs) in zip(vectors, other.vectors) {
      mine.append(theirs.column(rows, count: rows.count), count: rows.count)
    }
  }

  func finish(first: Int, count: Int) throws -> Column {
    var builder = ColumnBuilder(result, capacity: max(count, 1))
    for group in 0..<count {
      var rows: [UInt32] = []
      chains.forEachRow(of: first + group) { rows.append(UInt32($0)) }
      if rows.isEmpty {
        try builder.append(empty)
        continue
      }
      let columns = vectors.map { $0.column(rows, count: rows.count) }
      try builder.append(try finishGroup(columns, rows.count, constants ?? []))
    }
    return builder.finish()
  }
}
