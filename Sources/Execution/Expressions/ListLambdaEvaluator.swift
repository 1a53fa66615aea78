import Columnar
import Diagnostics
import Functions
import Planner

/// Runs a lambda over list elements: the lists of a batch are laid end to end and the body is
/// evaluated over many elements at once.
final class ListLambdaEvaluator {
  private let list: ExpressionEvaluator
  private let captures: [ExpressionEvaluator]
  private let initial: ExpressionEvaluator?
  private let condition: ExpressionEvaluator?
  private let body: ExpressionEvaluator
  private let isReduce: Bool
  private let hasIndex: Bool
  private let span: SourceSpan?
  private let type: LogicalType
  /// Elements that are evaluated at once.
  private let chunk = 8192

  init(_ lambda: ListLambda, layout: [Int: Int]) throws {
    list = try ExpressionEvaluator(lambda.list, layout: layout)
    captures = try lambda.captures.map { try ExpressionEvaluator($0.expression, layout: layout) }
    // Inside: the accumulator, the element, its index, the captures.
    var own: [Int: Int] = [:]
    switch lambda.form {
    case .transform: isReduce = false
    case .reduce(let accumulator, _):
      isReduce = true
      own[accumulator.id] = own.count
    }
    own[lambda.element.id] = own.count
    hasIndex = lambda.index != nil
    if let index = lambda.index { own[index.id] = own.count }
    for capture in lambda.captures { own[capture.reference.id] = own.count }
    body = try ExpressionEvaluator(lambda.body, layout: own)
    switch lambda.form {
    case .transform(let test):
      condition = try test.map { try ExpressionEvaluator($0, layout: own) }
      initial = nil
    case .reduce(_, let start):
      condition = nil
      initial = try start.map { try ExpressionEvaluator($0, layout: layout) }
    }
    type = lambda.type
    span = lambda.span
  }

  func evaluate(_ batch: Batch) throws -> Column {
    let lists = try list.evaluate(batch)
    let outside = try captures.map { try $0.evaluate(batch) }
    do {
      if isReduce {
        return try reduce(lists, outside, start: try initial?.evaluate(batch), batch.rowCount)
      }
      return try transform(lists, outside, batch.rowCount)
    } catch let error as SQLError {
      throw error.placed(at: span)
    }
  }

  /// Some elements of the lists: where they are in the child column, whose they are, and their
  /// numbers from 1. Columns read these rows, so each part that is evaluated has its own.
  private struct Elements {
    var places: Selection
    var rows: Selection
    let indexes: Column?
    private(set) var count = 0

    init(capacity: Int, hasIndex: Bool) {
      places = Selection(capacity: capacity)
      rows = Selection(capacity: capacity)
      indexes = hasIndex ? Column(flat: .bigint, count: capacity) : nil
    }

    /// Adds elements `first ..< first + more` of a row's list; there must be room.
    @inline(__always)
    mutating func add(_ entry: ListEntry, row: Int, first: Int, more: Int) {
      let place = places.indices + count
      let owner = rows.indices + count
      let start = UInt32(truncatingIfNeeded: entry.offset + first)
      let number = UInt32(truncatingIfNeeded: row)
      for item in 0..<more {
        place[item] = start &+ UInt32(truncatingIfNeeded: item)
        owner[item] = number
      }
      if let indexes {
        let numbers = indexes.values(as: Int64.self) + count
        for item in 0..<more { numbers[item] = Int64(first + item + 1) }
      }
      count += more
    }

    /// No more come.
    mutating func end() {
      places.count = count
      rows.count = count
    }
  }

  private func entry(_ lists: Column, _ row: Int) -> ListEntry? {
    lists.isNull(row) ? nil : lists.values(as: ListEntry.self)[lists.valueIndex(row)]
  }

  private func batch(_ elements: Elements, of lists: Column, _ outside: [Column]) -> Batch {
    var columns = [Column.dictionary(lists.children[0], elements.places)]
    if let indexes = elements.indexes { columns.append(indexes.slice(0, elements.count)) }
    for column in outside { columns.append(Column.dictionary(column, elements.rows)) }
    return Batch(columns: columns, rowCount: elements.count)
  }

  // MARK: Transform

  private func transform(_ lists: Column, _ outside: [Column], _ count: Int) throws -> Column {
    var lengths = [Int](repeating: 0, count: count)
    var results = ColumnBuilder(body.type)
    var pending = Elements(capacity: chunk, hasIndex: hasIndex)
    let cancellation = Cancellation.current
    func flush() throws {
      if pending.count == 0 { return }
      try cancellation.check()
      pending.end()
      var part = batch(pending, of: lists, outside)
      if let condition {
        let picked = try condition.select(part)
        for position in 0..<picked.count {
          lengths[Int(pending.rows.indices[Int(picked.indices[position])])] += 1
        }
        part = part.selecting(picked)
      }
      if part.rowCount > 0 {
        let values = try body.evaluate(part)
        // When the results grow, there are the old beside the new.
        try MemoryAllowance.check(results.byteCount / 2 + values.copiedBytes)
        results.append(values)
      }
      pending = Elements(capacity: chunk, hasIndex: hasIndex)
    }
    for row in 0..<count {
      guard let entry = entry(lists, row) else { continue }
      if condition == nil { lengths[row] = entry.length }
      var first = 0
      while first < entry.length {
        let more = min(chunk - pending.count, entry.length - first)
        pending.add(entry, row: row, first: first, more: more)
        first += more
        if pending.count == chunk { try flush() }
      }
    }
    try flush()
    let result = Column(flat: type, count: count, children: [results.finish()])
    let entries = result.values(as: ListEntry.self)
    var offset = 0
    for row in 0..<count {
      entries[row] = ListEntry(offset: offset, length: lengths[row])
      offset += lengths[row]
      if lists.isNull(row) { result.setNull(row) }
    }
    return result
  }

  // MARK: Reduce

  /// All rows take their first step together, then their second, …
  private func reduce(_ lists: Column, _ outside: [Column], start: Column?, _ count: Int) throws
    -> Column
  {
    var results = ColumnBuilder(type, capacity: count + 1)
    results.appendNull()
    let places = Selection([Int](repeating: 0, count: count))
    var active: [Int] = []
    var firsts: [Int] = []
    var done: [Int] = []
    for row in 0..<count {
      guard let entry = entry(lists, row) else { continue }
      if entry.length == 0 {
        guard start != nil else {
          throw SQLError(
            .invalidInput, "list_reduce of an empty list needs a start value")
        }
        done.append(row)
        continue
      }
      active.append(row)
      firsts.append(entry.offset)
    }
    if let start, !done.isEmpty {
      for (position, row) in done.enumerated() {
        places.indices[row] = UInt32(results.count + position)
      }
      results.append(Column.dictionary(start, Selection(done)))
    }
    if active.isEmpty { return Column.dictionary(results.finish(), places) }
    var accumulated =
      start.map { Column.dictionary($0, Selection(active)) }
      ?? Column.dictionary(lists.children[0], Selection(firsts))
    var step = start == nil ? 1 : 0
    let entries = ColumnReader<ListEntry>(lists)
    let cancellation = Cancellation.current
    while !active.isEmpty {
      try cancellation.check()
      var elements = Elements(capacity: active.count, hasIndex: hasIndex)
      var going = Selection(capacity: active.count)
      var finished: [Int] = []
      for position in active.indices {
        let row = active[position]
        let entry = entries[row]
        if step < entry.length {
          going.indices[elements.count] = UInt32(truncatingIfNeeded: position)
          elements.add(entry, row: row, first: step, more: 1)
        } else {
          places.indices[row] = UInt32(results.count + finished.count)
          finished.append(position)
        }
      }
      elements.end()
      going.count = elements.count
      if !finished.isEmpty {
        results.append(Column.dictionary(accumulated, Selection(finished)))
        accumulated = Column.dictionary(accumulated, going)
        active = (0..<going.count).map { active[Int(going.indices[$0])] }
      }
      if active.isEmpty { break }
      var part = batch(elements, of: lists, outside)
      part.columns.insert(accumulated, at: 0)
      accumulated = try body.evaluate(part).flattened()
      step += 1
    }
    return Column.dictionary(results.finish(), places)
  }
}
