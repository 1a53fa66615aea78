import Columnar
import Diagnostics

/// Kernels over maps: a map's rows are runs of one child column of entries, so that keys, values
/// and entries of a map are the same runs over other children.
enum MapKernels {
  /// Keys and values of all entries, flat.
  static func parts(_ map: Column) -> (keys: Column, values: Column) {
    let entries = map.children[0].flattened()
    return (entries.children[0].flattened(), entries.children[1].flattened())
  }

  /// The map's runs as a column of another type over another child.
  static func rewrapped(_ map: Column, as type: LogicalType, over child: Column) -> Column {
    let flat = map.flattened()
    return Column(
      type: type, count: flat.count, data: flat.data, validity: flat.validity, children: [child],
      owners: [flat])
  }

  /// The entries of a map type from its keys and values.
  static func entries(_ type: LogicalType, _ keys: Column, _ values: Column) -> Column {
    Column(
      flat: type.listElement ?? .null, count: keys.count,
      children: [keys.flattened(), values.flattened()])
  }

  /// Each row's entry with the wanted key, by its place among all entries; -1 without one. Rows
  /// where either is NULL have none.
  static func places(_ map: Column, _ wanted: Column, _ count: Int) -> [Int] {
    let keys = rewrapped(map, as: .list(wanted.type), over: parts(map).keys)
    let runs = keys.values(as: ListEntry.self)
    return withExtendedLifetime(keys) {
      ElementSearch.places(of: wanted, in: keys, count).enumerated().map { row, place in
        place < 0 ? -1 : runs[row].offset + Int(place)
      }
    }
  }

  /// Refuses maps with a NULL key or two equal keys. Of `isDuplicate` rows it tells instead when
  /// `report` is given.
  static func check(_ map: Column, wrong report: ((Int) -> Void)? = nil) throws {
    let runs = ColumnReader<ListEntry>(map)
    let entries = map.children[0].flattened()
    let keys = entries.children[0].flattened()
    let mayHaveNulls = entries.mayHaveNulls || keys.mayHaveNulls
    var isLong = false
    for row in 0..<map.count where !runs.isNull(row) {
      let run = runs[row]
      if run.length > 1 { isLong = true }
      if !mayHaveNulls { continue }
      for place in run.offset..<(run.offset + run.length)
      where keys.isNull(place) || entries.isNull(place) {
        guard let report else { throw nullKey() }
        report(row)
        break
      }
    }
    if !isLong { return }
    var seen = ElementSet(keys)
    for row in 0..<map.count where !runs.isNull(row) && runs[row].length > 1 {
      let run = runs[row]
      seen.reset(capacity: run.length)
      for place in run.offset..<(run.offset + run.length) where !seen.insert(place) {
        guard let report else { throw equalKeys(keys, place) }
        report(row)
        break
      }
    }
  }

  /// Each row's map of a list of keys and the list of their values.
  static func paired(_ a: [Column], _ count: Int, _ type: LogicalType) throws -> Column {
    let (x, y) = (ColumnReader<ListEntry>(a[0]), ColumnReader<ListEntry>(a[1]))
    var total = 0
    for row in 0..<count where !x.isNull(row) && !y.isNull(row) {
      guard x[row].length == y[row].length else {
        throw unequal(keys: x[row].length, values: y[row].length)
      }
      total += x[row].length
    }
    let (keyPicks, valuePicks) = (Selection(capacity: total), Selection(capacity: total))
    var next = 0
    let result = Kernels.rows(a, count, type, ListEntry.self) { row in
      let start = next
      for item in 0..<x[row].length {
        keyPicks.indices[next] = UInt32(truncatingIfNeeded: x[row].offset + item)
        valuePicks.indices[next] = UInt32(truncatingIfNeeded: y[row].offset + item)
        next += 1
      }
      return ListEntry(offset: start, length: next - start)
    }
    let made = entries(
      type, Column.dictionary(a[0].children[0], keyPicks),
      Column.dictionary(a[1].children[0], valuePicks))
    result.replaceChildren([made])
    try check(result)
    return result
  }

  /// All entries of each row's maps, a later map's value in the place of an earlier one's.
  static func concatenated(_ a: [Column], _ count: Int, _ type: LogicalType) -> Column {
    var builder = ColumnBuilder(type.listElement ?? .null, capacity: 64)
    var starts: [Int] = []
    for column in a {
      starts.append(builder.count)
      builder.append(column.children[0])
    }
    let all = builder.finish()
    let keys = all.children[0].flattened()
    let hashes = ElementSet.hashes(of: keys)
    let readers = a.map { ColumnReader<ListEntry>($0) }
    var picks: [Int] = []
    let result = Kernels.nullableRows([], count, type, ListEntry.self) { row -> ListEntry? in
      let start = picks.count
      var isNull = true
      // Where in `picks` the keys of a hash are.
      var known: [UInt64: [Int]] = [:]
      for (position, reader) in readers.enumerated() where !reader.isNull(row) {
        isNull = false
        let run = reader[row]
        for place in (starts[position] + run.offset)..<(starts[position] + run.offset + run.length)
        {
          let same = known[hashes[place]]?.first {
            NestedComparison.compare(keys, picks[$0], keys, place) == 0
          }
          if let same {
            picks[same] = place
          } else {
            known[hashes[place], default: []].append(picks.count)
            picks.append(place)
          }
        }
      }
      return isNull ? nil : ListEntry(offset: start, length: picks.count - start)
    }
    result.replaceChildren([Column.dictionary(all, Selection(picks)).flattened()])
    return result
  }

  // MARK: Messages

  private static func unequal(keys: Int, values: Int) -> SQLError {
    SQLError(.invalidInput, "a map needs as many values as keys, not \(values) for \(keys) keys")
  }

  static func nullKey() -> SQLError { SQLError(.invalidInput, "a map's keys cannot be NULL") }

  private static func equalKeys(_ keys: Column, _ place: Int) -> SQLError {
    var shown = ""
    if case .varchar(let text) = ValueText.text(of: keys.flatValue(place)).value(0) {
      shown = text
    }
    return SQLError(.invalidInput, "a map's keys must be unique: \(shown) is there twice")
  }
}
