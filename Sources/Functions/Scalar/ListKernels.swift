import Columnar
import Diagnostics

/// Kernels over lists; lists of one column may share and reorder their child column freely.
enum ListKernels {
  /// The elements that a batch of lists may have in all: an error is better than the end of memory.
  static let elementLimit = 1 << 27

  /// Refuses `more` elements beside those `held` when they are too many, or when they, `width`
  /// bytes each, and the places that they are picked from are more than the statement may use.
  static func checkRoom(_ held: Int, _ more: Int, width: Int = 8) throws {
    if more > elementLimit - held {
      throw SQLError(
        .outOfRange, "the resulting lists would have more than \(elementLimit) elements")
    }
    if held + more > 1 << 17 { try MemoryAllowance.check((held + more) * (width + 12)) }
  }

  /// The same of strings collected so far: asked once for every 2^18 of them.
  @inline(__always)
  static func checkParts(_ parts: ColumnBuilder) throws {
    if parts.count & 0x3FFFF == 0 { try checkRoom(parts.count, 1 << 18, width: 36) }
  }

  /// Each row's list so many times.
  static func repeated(
    _ list: Column, _ times: Column, _ count: Int, _ type: LogicalType
  ) throws -> Column {
    let x = ColumnReader<ListEntry>(list)
    let n = ColumnReader<Int64>(times)
    var picks: [Int] = []
    let result = try Kernels.rows([list, times], count, type, ListEntry.self) { row in
      let start = picks.count
      if n[row] > 0, x[row].length > 0 {
        let (total, overflows) = Int(n[row]).multipliedReportingOverflow(by: x[row].length)
        try checkRoom(start, overflows ? .max : total)
        for _ in 0..<n[row] {
          picks.append(contentsOf: x[row].offset..<(x[row].offset + x[row].length))
        }
      }
      return ListEntry(offset: start, length: picks.count - start)
    }
    let elements =
      list.children[0].type == .null
      ? Column.nulls(.null, count: picks.count)
      : Column.dictionary(list.children[0], Selection(picks)).flattened()
    result.replaceChildren([elements])
    return result
  }

  /// Each row's two lists, one after the other; NULL when one is NULL.
  static func concatenated(
    _ a: Column, _ b: Column, _ count: Int, _ type: LogicalType
  ) -> Column {
    let element = type.elementType ?? .null
    var builder = ColumnBuilder(element, capacity: a.children[0].count + b.children[0].count)
    builder.append(a.children[0])
    builder.append(b.children[0])
    let both = builder.finish()
    let shift = a.children[0].count
    let x = ColumnReader<ListEntry>(a)
    let y = ColumnReader<ListEntry>(b)
    var total = 0
    for row in 0..<count where !x.isNull(row) && !y.isNull(row) {
      total += x[row].length + y[row].length
    }
    let picks = Selection(capacity: total)
    var position = 0
    let entries = Kernels.rows([a, b], count, type, ListEntry.self) { row in
      let start = position
      for item in 0..<x[row].length {
        picks.indices[position] = UInt32(truncatingIfNeeded: x[row].offset + item)
        position += 1
      }
      for item in 0..<y[row].length {
        picks.indices[position] = UInt32(truncatingIfNeeded: shift + y[row].offset + item)
        position += 1
      }
      return ListEntry(offset: start, length: position - start)
    }
    entries.replaceChildren([Column.dictionary(both, picks).flattened()])
    return entries
  }
}

extension ListKernels {
  /// The index from 0 of a position from 1 or, negative, from the end; nil beyond the ends.
  static func index(_ position: Int64, _ length: Int) -> Int? {
    if position > 0 { return position <= Int64(length) ? Int(position) - 1 : nil }
    if position < 0 { return position >= 0 - Int64(length) ? length + Int(position) : nil }
    return nil
  }

  /// Positions `from ... to` as a range of indices, cut at the ends.
  static func range(_ from: Int64, _ to: Int64, _ length: Int) -> Range<Int> {
    let total = Int64(length)
    let reach = total + 1
    var low = max(-reach, min(reach, from))
    var high = max(-reach, min(reach, to))
    if low < 0 { low = max(1, total + low + 1) }
    if high < 0 { high = total + high + 1 }
    low = max(1, low)
    high = min(total, high)
    return low > high ? 0..<0 : Int(low - 1)..<Int(high)
  }

  /// Rows of `child` by index, nil for NULL.
  static func picked(_ child: Column, _ count: Int, _ pick: (Int) -> Int?) -> Column {
    if child.type == .null || child.count == 0 { return Column.nulls(child.type, count: count) }
    let rows = Selection(capacity: count)
    var missing: [Int] = []
    for row in 0..<count {
      if let place = pick(row) {
        rows.indices[row] = UInt32(truncatingIfNeeded: place)
      } else {
        rows.indices[row] = 0
        missing.append(row)
      }
    }
    if missing.isEmpty { return Column.dictionary(child, rows).flattened() }
    if !child.type.isNested {
      let result = Column.dictionary(child, rows).flattened()
      for row in missing { result.setNull(row) }
      return result
    }
    // A NULL struct or array has NULL in its children too: one at the end of a copy is what these
    // rows refer to.
    for row in missing { rows.indices[row] = UInt32(truncatingIfNeeded: child.count) }
    return Column.dictionary(child.followedByNull(), rows).flattened()
  }

  /// list[position] of each row.
  static func element(_ list: Column, _ position: Column, _ count: Int) -> Column {
    let x = ColumnReader<ListEntry>(list)
    let places = ColumnReader<Int64>(position)
    return picked(list.children[0], count) { row in
      if list.isNull(row) || position.isNull(row) { return nil }
      return index(places[row], x[row].length).map { x[row].offset + $0 }
    }
  }

  /// Parts of lists: entries only, the elements stay where they are.
  static func slice(_ a: [Column], _ count: Int, _ type: LogicalType) -> Column {
    let x = ColumnReader<ListEntry>(a[0])
    let (from, to) = (ColumnReader<Int64>(a[1]), ColumnReader<Int64>(a[2]))
    let result = Kernels.rows(a, count, type, ListEntry.self) { row in
      let entry = x[row]
      let part = range(from[row], to[row], entry.length)
      return ListEntry(offset: entry.offset + part.lowerBound, length: part.count)
    }
    result.replaceChildren(a[0].children)
    return result
  }

  /// Every `step`-th element of a part, from its end where the step is negative.
  static func steppedSlice(_ a: [Column], _ count: Int, _ type: LogicalType) throws -> Column {
    let x = ColumnReader<ListEntry>(a[0])
    let (from, to) = (ColumnReader<Int64>(a[1]), ColumnReader<Int64>(a[2]))
    let steps = ColumnReader<Int64>(a[3])
    var picks: [Int] = []
    let result = try Kernels.rows(a, count, type, ListEntry.self) { row in
      let entry = x[row]
      let step = steps[row]
      if step == 0 { throw SQLError(.invalidInput, "the step of a slice cannot be 0") }
      let start = picks.count
      let part =
        step > 0 ? range(from[row], to[row], entry.length) : range(to[row], from[row], entry.length)
      let width = min(Int(clamping: step.magnitude), part.count + 1)
      if step > 0 {
        picks += stride(from: part.lowerBound, to: part.upperBound, by: width).map {
          entry.offset + $0
        }
      } else {
        picks += stride(from: part.upperBound - 1, through: part.lowerBound, by: 0 - width).map {
          entry.offset + $0
        }
      }
      return ListEntry(offset: start, length: picks.count - start)
    }
    result.replaceChildren([Column.dictionary(a[0].children[0], Selection(picks)).flattened()])
    return result
  }

  /// A list of each row's values of all columns.
  static func lists(of columns: [Column], _ count: Int, _ type: LogicalType) -> Column {
    let width = columns.count
    let element = type.elementType ?? .null
    var builder = ColumnBuilder(element, capacity: max(1, width * count))
    for column in columns { builder.append(column) }
    let laid = builder.finish()
    // Laid column by column, wanted row by row.
    let rows = Selection(capacity: width * count)
    for row in 0..<count {
      for position in 0..<width {
        rows.indices[row * width + position] = UInt32(truncatingIfNeeded: position * count + row)
      }
    }
    let result = Column(
      flat: type, count: count, children: [Column.dictionary(laid, rows).flattened()])
    let entries = result.values(as: ListEntry.self)
    for row in 0..<count { entries[row] = ListEntry(offset: row * width, length: width) }
    return result
  }

  /// Lists made of chosen elements of each row's own list.
  static func rebuilt(
    _ list: Column, _ count: Int, _ type: LogicalType,
    _ pick: (ListEntry, Column, inout [Int]) throws -> Void
  ) rethrows -> Column {
    let x = ColumnReader<ListEntry>(list)
    let child = list.children[0]
    var all: [Int] = []
    var own: [Int] = []
    let result = try Kernels.rows([list], count, type, ListEntry.self) { row in
      own.removeAll(keepingCapacity: true)
      try pick(x[row], child, &own)
      let start = all.count
      all.append(contentsOf: own)
      return ListEntry(offset: start, length: own.count)
    }
    result.replaceChildren([Column.dictionary(child, Selection(all)).flattened()])
    return result
  }
}
