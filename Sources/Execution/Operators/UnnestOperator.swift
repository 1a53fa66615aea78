import Columnar
import Diagnostics
import Functions
import Planner

/// Each row once per element of its lists; batches are cut at the usual size, however long a list.
final class UnnestOperator: BatchSource {
  private let input: any BatchSource
  private let lists: [UnnestList]
  private let hasOrdinality: Bool
  private let keepsEmpty: Bool
  private let query: QueryContext

  private var current: Batch?
  private var values: [UnnestValues] = []
  /// By row: the elements of its longest list.
  private var lengths: [Int] = []
  private var runs: [Run] = []
  /// Where the next element is.
  private var row = 0
  private var element = 0

  init(
    input: any BatchSource, lists: [UnnestList], hasOrdinality: Bool, keepsEmpty: Bool,
    worker: Worker
  ) {
    self.input = input
    self.lists = lists
    self.hasOrdinality = hasOrdinality
    self.keepsEmpty = keepsEmpty
    query = worker.query
  }

  /// Elements `first ..< first + count` of the lists of one row.
  struct Run {
    var row: Int
    var first: Int
    var count: Int
    /// False for the one row that stands for empty lists.
    var hasElements: Bool
  }

  func next() throws -> Batch? {
    while true {
      try query.checkCancelled()
      guard let batch = current else {
        guard let batch = try input.next() else { return nil }
        values = try lists.map { try $0.evaluate(batch) }
        lengths.removeAll(keepingCapacity: true)
        lengths.append(contentsOf: repeatElement(0, count: batch.rowCount))
        for list in values { list.stretch(&lengths) }
        current = batch
        row = 0
        element = 0
        continue
      }
      takeRuns(batch)
      if row >= batch.rowCount { current = nil }
      if !runs.isEmpty { return output(batch) }
    }
  }

  private func takeRuns(_ batch: Batch) {
    // In locals: a property of a class is checked for exclusive access each time it is changed.
    var runs = runs
    self.runs = []
    runs.removeAll(keepingCapacity: true)
    var (row, element) = (row, element)
    var room = query.batchRows
    while room > 0 && row < batch.rowCount {
      let length = lengths[row]
      if length == 0 && keepsEmpty {
        runs.append(Run(row: row, first: 0, count: 1, hasElements: false))
        room -= 1
      } else if length > element {
        let count = min(room, length - element)
        runs.append(Run(row: row, first: element, count: count, hasElements: true))
        room -= count
        element += count
        if element < length { break }
      }
      row += 1
      element = 0
    }
    (self.row, self.element) = (row, element)
    self.runs = runs
  }

  private func output(_ batch: Batch) -> Batch {
    let count = runs.reduce(0) { $0 + $1.count }
    let rows = Selection(capacity: count)
    var position = 0
    for run in runs {
      let row = UInt32(truncatingIfNeeded: run.row)
      (rows.indices + position).update(repeating: row, count: run.count)
      position += run.count
    }
    var result = batch.selecting(rows)
    for index in values.indices { result.columns.append(values[index].column(runs, count)) }
    if hasOrdinality { result.columns.append(ordinality(count)) }
    return result
  }

  private func ordinality(_ count: Int) -> Column {
    let column = Column(flat: .bigint, count: count)
    let numbers = column.values(as: Int64.self)
    var position = 0
    for run in runs {
      for number in run.first..<(run.first + run.count) {
        numbers[position] = Int64(number + 1)
        if !run.hasElements { column.setNull(position) }
        position += 1
      }
    }
    return column
  }
}

/// A list to be unnested: an expression, or the arguments of `range` and its kin, whose elements are
/// made as they are read.
enum UnnestList {
  case list(ExpressionEvaluator)
  case series([ExpressionEvaluator], isInclusive: Bool)

  init(_ expression: Expression, layout: [Int: Int]) throws {
    if case .call(let call) = expression,
      ["range", "generate_series"].contains(call.resolved.function.name)
    {
      self = .series(
        try call.arguments.map { try ExpressionEvaluator($0, layout: layout) },
        isInclusive: call.resolved.function.name == "generate_series")
    } else {
      self = .list(try ExpressionEvaluator(expression, layout: layout))
    }
  }

  func evaluate(_ batch: Batch) throws -> UnnestValues {
    switch self {
    case .list(let evaluator): return UnnestValues(list: try evaluator.evaluate(batch))
    case .series(let arguments, let isInclusive):
      let columns = try arguments.map { try $0.evaluate(batch) }
      let isTemporal = columns.last?.type == .interval
      return UnnestValues(
        series: try Series.rows(columns, batch.rowCount, isInclusive: isInclusive),
        type: isTemporal ? columns[0].type : .bigint)
    }
  }
}

/// The lists of one batch's rows.
struct UnnestValues {
  private enum Source {
    case list(Column)
    case series([Series?], LogicalType)
  }
  private let source: Source
  /// The elements with a NULL behind them, made when a list is shorter than its neighbour.
  private var elementsAndNull: Column?

  init(list: Column) { source = .list(list) }
  init(series: [Series?], type: LogicalType) { source = .series(series, type) }

  /// Makes each row's length at least that of its list.
  func stretch(_ lengths: inout [Int]) {
    switch source {
    case .list(let column):
      let entries = ColumnReader<ListEntry>(column)
      for row in lengths.indices where !entries.isNull(row) {
        lengths[row] = max(lengths[row], entries[row].length)
      }
      withExtendedLifetime(column) {}
    case .series(let series, _):
      for row in lengths.indices { lengths[row] = max(lengths[row], series[row]?.count ?? 0) }
    }
  }

  /// The elements of the runs; NULL beyond a list's end.
  mutating func column(_ runs: [UnnestOperator.Run], _ count: Int) -> Column {
    switch source {
    case .list(let column): return elements(column, runs, count)
    case .series(let series, let type):
      let result = Column(flat: type, count: count)
      let values = result.values(as: Int64.self)
      var position = 0
      for run in runs {
        let own = series[run.row] ?? .empty
        for number in run.first..<(run.first + run.count) {
          if number < own.count {
            values[position] = own[number]
          } else {
            values[position] = 0
            result.setNull(position)
          }
          position += 1
        }
      }
      return result
    }
  }

  private mutating func elements(
    _ column: Column, _ runs: [UnnestOperator.Run], _ count: Int
  ) -> Column {
    let child = column.children[0]
    if child.type == .null { return Column.nulls(.null, count: count) }
    let picks = Selection(capacity: count)
    let entries = ColumnReader<ListEntry>(column)
    var position = 0
    var isShort = false
    for run in runs {
      let entry = entries.isNull(run.row) ? ListEntry(offset: 0, length: 0) : entries[run.row]
      let target = picks.indices + position
      let there = max(0, min(run.count, entry.length - run.first))
      let start = UInt32(truncatingIfNeeded: entry.offset + run.first)
      for item in 0..<there { target[item] = start &+ UInt32(truncatingIfNeeded: item) }
      if there < run.count {
        isShort = true
        let null = UInt32(truncatingIfNeeded: child.count)
        for item in there..<run.count { target[item] = null }
      }
      position += run.count
    }
    if !isShort { return Column.dictionary(child, picks) }
    let base = elementsAndNull ?? child.followedByNull()
    elementsAndNull = base
    return Column.dictionary(base, picks)
  }
}
