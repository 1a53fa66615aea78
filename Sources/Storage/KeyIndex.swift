import Columnar
import Synchronization

/// A hash index over the key columns of a table, as a list of immutable segments: adding rows adds
/// a segment, and small neighbours are joined, so that copies of an index share almost everything.
/// Segments over rows of a file are made when a key is first looked up.
/// Nothing is ever taken out: an entry counts only when its row is alive and still has the key.
package struct KeyIndex: Sendable {
  /// Positions of the key's columns.
  package var columns: [Int]
  private(set) var segments: [KeySegment] = []

  package init(columns: [Int]) { self.columns = columns }

  /// An index over parts that are there, read when it is needed.
  init(columns: [Int], over parts: [TableData.Part]) {
    self.columns = columns
    if !parts.isEmpty { segments = [KeySegment(columns: columns, parts: parts)] }
  }

  /// The same, but with what another index has read already.
  init(columns: [Int], over parts: [TableData.Part], reusing old: KeyIndex) {
    self.columns = columns
    var done = 0
    for segment in old.segments {
      let covered = segment.covered(of: Array(parts[done...]), columns: columns)
      if covered == 0 { break }
      segments.append(segment)
      done += covered
    }
    if done < parts.count {
      segments.append(KeySegment(columns: columns, parts: Array(parts[done...])))
    }
  }

  package var entryCount: Int { segments.reduce(0) { $0 + $1.rowCount } }

  /// Whether looking a key up reads nothing.
  var isReady: Bool { segments.allSatisfy { $0.known != nil } }

  mutating func add(_ hashes: [UInt64], rows: [Int]) {
    if hashes.isEmpty { return }
    segments.append(KeySegment(KeyTable(hashes: hashes, rows: rows)))
    while segments.count >= 2 {
      guard let last = segments[segments.count - 1].known,
        let previous = segments[segments.count - 2].known,
        last.rows.count * 2 >= previous.rows.count
      else { break }
      segments.removeLast(2)
      segments.append(
        KeySegment(
          KeyTable(hashes: previous.hashes + last.hashes, rows: previous.rows + last.rows)))
    }
  }

  /// What is looked up in. Reads the rows of the file that no segment has read yet.
  func tables() throws -> [KeyTable] { try segments.map { try $0.table() } }

  // MARK: Keys of columns

  /// The hash of each row's key; `isNull` tells the rows with a NULL in it, which are in no index.
  package static func hashes(_ columns: [Column], count: Int) -> (
    hashes: [UInt64], isNull: [Bool]
  ) {
    var hashes = [UInt64](repeating: 0, count: count)
    var isNull = [Bool](repeating: false, count: count)
    hashes.withUnsafeMutableBufferPointer { buffer in
      guard let pointer = buffer.baseAddress, count > 0 else { return }
      for (position, column) in columns.enumerated() {
        Hashing.hash(column, into: pointer, combining: position > 0)
      }
    }
    for column in columns where column.mayHaveNulls {
      for row in 0..<count where column.isNull(row) { isNull[row] = true }
    }
    return (hashes, isNull)
  }
}

/// A part of a `KeyIndex`: its entries, or the rows that they are to be made of.
final class KeySegment: Sendable {
  /// Entries, or rows, that are in it.
  let rowCount: Int
  private let columns: [Int]
  private let parts: [TableData.Part]
  private let made: Mutex<KeyTable?>

  init(_ table: KeyTable) {
    rowCount = table.rows.count
    columns = []
    parts = []
    made = Mutex(table)
  }

  init(columns: [Int], parts: [TableData.Part]) {
    rowCount = parts.reduce(0) { $0 + $1.group.rowCount }
    self.columns = columns
    self.parts = parts
    made = Mutex(nil)
  }

  /// nil when nobody has needed it yet.
  var known: KeyTable? { made.withLock { $0 } }

  func table() throws -> KeyTable {
    try made.withLock { made in
      if let made { return made }
      let table = try KeyTable(columns: columns, parts: parts)
      made = table
      return table
    }
  }

  /// How many of these parts, from the first on, the segment was made of, whatever has been deleted
  /// of them since; 0 unless it was made of nothing else.
  func covered(of others: [TableData.Part], columns: [Int]) -> Int {
    guard !parts.isEmpty, parts.count <= others.count, self.columns == columns else { return 0 }
    for (own, other) in zip(parts, others) {
      guard own.firstRow == other.firstRow, own.group.rowCount == other.group.rowCount,
        columns.allSatisfy({ own.group.slots[$0] === other.group.slots[$0] })
      else { return 0 }
    }
    return parts.count
  }
}

/// Entries of a `KeyIndex`: hash and row, chained by the low bits of the hash.
final class KeyTable: Sendable {
  let hashes: [UInt64]
  let rows: [Int]
  private let heads: [Int32]
  private let next: [Int32]
  private let mask: Int

  init(hashes: [UInt64], rows: [Int]) {
    self.hashes = hashes
    self.rows = rows
    var size = 1
    while size < hashes.count { size *= 2 }
    mask = size - 1
    var heads = [Int32](repeating: -1, count: size)
    var next = [Int32](repeating: -1, count: hashes.count)
    for entry in hashes.indices {
      let slot = Int(truncatingIfNeeded: hashes[entry]) & (size - 1)
      next[entry] = heads[slot]
      heads[slot] = Int32(truncatingIfNeeded: entry)
    }
    self.heads = heads
    self.next = next
  }

  /// The live rows of parts; rows with a NULL in the key are left out.
  convenience init(columns: [Int], parts: [TableData.Part]) throws {
    var hashes: [UInt64] = []
    var rows: [Int] = []
    let total = parts.reduce(0) { $0 + $1.liveCount }
    hashes.reserveCapacity(total)
    rows.reserveCapacity(total)
    for part in parts {
      let keys = try columns.map { try part.group.column($0) }
      let (found, isNull) = KeyIndex.hashes(keys, count: part.group.rowCount)
      for offset in found.indices
      where !isNull[offset] && !(part.deleted?.contains(offset) ?? false) {
        hashes.append(found[offset])
        rows.append(part.firstRow + offset)
      }
    }
    self.init(hashes: hashes, rows: rows)
  }

  /// Calls `body` with the rows that may have a key of this hash until it gives true.
  @inline(__always)
  func first(_ hash: UInt64, where body: (Int) throws -> Bool) rethrows -> Int? {
    var entry = heads[Int(truncatingIfNeeded: hash) & mask]
    while entry >= 0 {
      let position = Int(entry)
      if hashes[position] == hash, try body(rows[position]) { return rows[position] }
      entry = next[position]
    }
    return nil
  }
}

/// Looks keys of a batch up in a table: an index gives candidates, the table's own columns decide.
package final class KeyFinder {
  private let data: TableData
  private let index: KeyIndex
  private let tables: [KeyTable]
  private let keys: [Column]
  private var comparators: [Int: [ColumnComparator]] = [:]

  /// `keys` are columns of the index's key, of the same types as the table's. Reads what the index
  /// has not read yet.
  package init(_ data: TableData, _ index: KeyIndex, keys: [Column]) throws {
    self.data = data
    self.index = index
    self.keys = keys
    tables = try index.tables()
  }

  /// A live row other than `excluded` with the key of `row`, whose hash is given.
  package func find(_ row: Int, hash: UInt64, excluding excluded: Int = -1) throws -> Int? {
    try first(hash) { candidate in
      try candidate != excluded && matches(row, candidate)
    }
  }

  /// All live rows with the key of `row`.
  func findAll(_ row: Int, hash: UInt64) throws -> [Int] {
    var found: [Int] = []
    _ = try first(hash) { candidate in
      if try matches(row, candidate) { found.append(candidate) }
      return false
    }
    return found
  }

  private func first(_ hash: UInt64, where body: (Int) throws -> Bool) rethrows -> Int? {
    for table in tables {
      if let row = try table.first(hash, where: body) { return row }
    }
    return nil
  }

  /// Whether a row with a smaller number has the key.
  package func findEarlier(_ row: Int, hash: UInt64, than number: Int) throws -> Bool {
    try first(hash) { try $0 < number && matches(row, $0) } != nil
  }

  private func matches(_ row: Int, _ candidate: Int) throws -> Bool {
    guard let part = data.partIndex(of: candidate) else { return false }
    let offset = candidate - data.parts[part].firstRow
    if let deleted = data.parts[part].deleted, deleted.contains(offset) { return false }
    let known: [ColumnComparator]
    if let made = comparators[part] {
      known = made
    } else {
      let group = data.parts[part].group
      known = try zip(keys, index.columns).map { ColumnComparator($0, try group.column($1)) }
      comparators[part] = known
    }
    for comparator in known {
      if comparator.left.isNull(row) || comparator.right.isNull(offset) { return false }
      if comparator.compare(row, offset) != 0 { return false }
    }
    return true
  }
}

/// A key that two rows would have.
package struct DuplicateKey: Error {
  /// Which of the table's indexes.
  package var index: Int
  /// The key's values, as text.
  package var values: [String]
}

extension TableData {
  /// Adds rows that are in the table already to every index that `touched` says; throws
  /// `DuplicateKey` when one of their keys is another row's as well.
  package mutating func index(
    rows: [Int], _ batchColumns: (Int) throws -> Column, touched: (KeyIndex) -> Bool
  ) throws {
    for position in indexes.indices where touched(indexes[position]) {
      let keys = try indexes[position].columns.map(batchColumns)
      let (hashes, isNull) = KeyIndex.hashes(keys, count: rows.count)
      var kept: [UInt64] = []
      var keptRows: [Int] = []
      kept.reserveCapacity(rows.count)
      keptRows.reserveCapacity(rows.count)
      for entry in rows.indices where !isNull[entry] {
        kept.append(hashes[entry])
        keptRows.append(rows[entry])
      }
      indexes[position].add(kept, rows: keptRows)
      // Entries of rows that are gone or have another key now.
      if indexes[position].entryCount > 3 * rowCount + 4096 { try rebuildIndex(position) }
      let finder = try KeyFinder(self, indexes[position], keys: keys)
      for entry in rows.indices where !isNull[entry] {
        if try finder.find(entry, hash: hashes[entry], excluding: rows[entry]) != nil {
          throw DuplicateKey(index: position, values: keys.map { TableData.text($0, entry) })
        }
      }
    }
  }

  /// Fills one index from all rows, without a check.
  package mutating func rebuildIndex(_ position: Int) throws {
    let columns = indexes[position].columns
    let table = try KeyTable(columns: columns, parts: parts)
    indexes[position] = KeyIndex(columns: columns)
    indexes[position].add(table.hashes, rows: table.rows)
  }

  /// Adds an index over rows that are there; throws `DuplicateKey` when two share a key.
  package mutating func addIndex(columns: [Int]) throws {
    indexes.append(KeyIndex(columns: columns))
    let position = indexes.count - 1
    try rebuildIndex(position)
    for part in parts {
      let keys = try columns.map { try part.group.column($0) }
      let (hashes, isNull) = KeyIndex.hashes(keys, count: part.group.rowCount)
      let finder = try KeyFinder(self, indexes[position], keys: keys)
      for offset in hashes.indices
      where !isNull[offset] && !(part.deleted?.contains(offset) ?? false) {
        if try finder.find(offset, hash: hashes[offset], excluding: part.firstRow + offset) != nil {
          throw DuplicateKey(index: position, values: keys.map { TableData.text($0, offset) })
        }
      }
    }
  }

  package static func text(_ column: Column, _ row: Int) -> String {
    if column.isNull(row) { return "NULL" }
    var buffer = TextBuffer()
    ValueText.append(column, row: row, to: &buffer)
    return buffer.string
  }
}

extension TableData {
  /// Adds entries to an index without a check.
  package mutating func add(_ hashes: [UInt64], rows: [Int], toIndex index: Int) {
    indexes[index].add(hashes, rows: rows)
  }

  /// The values that rows have in some columns. Rows must be there.
  package func gather(_ rows: [Int], _ positions: [Int]) throws -> [Column] {
    var runs: [(part: Int, offsets: [Int])] = []
    for row in rows {
      if let last = runs.last, row >= parts[last.part].firstRow, row < parts[last.part].endRow {
        runs[runs.count - 1].offsets.append(row - parts[last.part].firstRow)
      } else if let part = partIndex(of: row) {
        runs.append((part, [row - parts[part].firstRow]))
      }
    }
    return try positions.map { position in
      var builder = ColumnBuilder(types[position], capacity: max(rows.count, 1))
      for run in runs {
        builder.append(
          Column.dictionary(try parts[run.part].group.column(position), Selection(run.offsets)))
      }
      return builder.finish()
    }
  }
}
