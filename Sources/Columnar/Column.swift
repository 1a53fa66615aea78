import Diagnostics

/// The rows of one column in one batch: raw typed memory, how to read it, which rows are NULL, and
/// who keeps the bytes alive. One retain per column per batch, nothing per row.
///
/// - flat: `values(i)` is row i.
/// - constant: every row is value 0.
/// - dictionary: row i is value `indices[i]` of `base`, a flat column. A filter's selection is the
///   same thing with the unfiltered column as base.
///
/// A column is written by the one who makes it and read-only from then on.
@usableFromInline package final class Column: @unchecked Sendable {
  @usableFromInline package enum Encoding: Sendable { case flat, constant, dictionary }

  @usableFromInline package let type: LogicalType
  @usableFromInline package let count: Int
  @usableFromInline package let encoding: Encoding
  /// The values: of the column itself, or of its base for a dictionary. Nothing to read for types
  /// whose physical width is 0.
  @usableFromInline package let data: UnsafeMutableRawPointer
  /// Of the values (not of the rows) of a dictionary; nil when no value is NULL.
  @usableFromInline package internal(set) var validity: UnsafeMutablePointer<UInt64>?
  /// Of a dictionary: which value each row is.
  @usableFromInline package let indices: UnsafeMutablePointer<UInt32>?
  @usableFromInline package let base: Column?
  /// Elements of a LIST or array, fields of a STRUCT; of a dictionary, those of its base.
  @usableFromInline package internal(set) var children: [Column]
  /// Who keeps the bytes alive: nearly always one, and an array would be one more allocation.
  let owner: AnyObject?
  let moreOwners: [AnyObject]
  /// Room for the validity of a flat or constant column, unused until a NULL appears.
  let spareValidity: UnsafeMutablePointer<UInt64>?

  /// SAFETY: `data`, `validity` and `indices` point into memory that the owners (or `base`) hold.
  package init(
    type: LogicalType, count: Int, encoding: Encoding = .flat, data: UnsafeMutableRawPointer,
    validity: UnsafeMutablePointer<UInt64>? = nil, indices: UnsafeMutablePointer<UInt32>? = nil,
    base: Column? = nil, children: [Column] = [], owner: AnyObject?,
    moreOwners: [AnyObject] = [], spareValidity: UnsafeMutablePointer<UInt64>? = nil
  ) {
    self.type = type
    self.count = count
    self.encoding = encoding
    self.data = data
    self.validity = validity
    self.indices = indices
    self.base = base
    self.children = children
    self.owner = owner
    self.moreOwners = moreOwners
    self.spareValidity = spareValidity
  }

  /// The same with any number of owners.
  package convenience init(
    type: LogicalType, count: Int, encoding: Encoding = .flat, data: UnsafeMutableRawPointer,
    validity: UnsafeMutablePointer<UInt64>? = nil, indices: UnsafeMutablePointer<UInt32>? = nil,
    base: Column? = nil, children: [Column] = [], owners: [AnyObject]
  ) {
    self.init(
      type: type, count: count, encoding: encoding, data: data, validity: validity,
      indices: indices, base: base, children: children, owner: owners.first,
      moreOwners: owners.count > 1 ? Array(owners.dropFirst()) : [])
  }

  /// A flat column with room for `count` values, to be filled by the caller; no row is NULL until
  /// `setNull`. `heaps` hold the bytes of its long strings.
  package convenience init(
    flat type: LogicalType, count: Int, children: [Column] = [], heaps: [AnyObject] = []
  ) {
    let dataBytes = (type.physical.width * count + 63) & ~63
    let words = Validity.wordCount(max(count, 1))
    let buffer = Buffer(byteCount: dataBytes + words * 8)
    let spare = (buffer.pointer + dataBytes).assumingMemoryBound(to: UInt64.self)
    self.init(
      type: type, count: count, data: buffer.pointer, children: children,
      owner: buffer, moreOwners: heaps, spareValidity: spare)
  }

  /// One value for `count` rows, taken from row `row` of a column.
  package convenience init(repeating column: Column, row: Int = 0, count: Int) {
    let one = column.flatValue(row)
    self.init(
      type: one.type, count: count, encoding: .constant, data: one.data, validity: one.validity,
      children: one.children, owner: one.owner, moreOwners: one.moreOwners + [one])
  }

  /// The same constant for another number of rows.
  package convenience init(constant: Column, count: Int) {
    precondition(constant.encoding == .constant, "a constant has one value")
    self.init(
      type: constant.type, count: count, encoding: .constant, data: constant.data,
      validity: constant.validity, children: constant.children, owner: constant)
  }

  /// `count` rows of NULL.
  package static func nulls(_ type: LogicalType, count: Int) -> Column {
    var children: [Column] = []
    switch type {
    case .list, .map: children = [nulls(type.listElement ?? .null, count: 0).flattened()]
    case .array(let element, let n): children = [nulls(element, count: n).flattened()]
    case .structure(let fields): children = fields.map { nulls($0.type, count: 1).flattened() }
    default: break
    }
    let one = Column(flat: type, count: 1, children: children)
    if type.physical.width > 0 {
      one.data.initializeMemory(as: UInt8.self, repeating: 0, count: type.physical.width)
    }
    one.setNull(0)
    return Column(repeating: one, count: count)
  }

  /// Rows `indices[i]` of `base`, which may itself be encoded.
  package static func dictionary(_ base: Column, _ rows: Selection) -> Column {
    var composed: [(from: UnsafePointer<UInt32>, to: Selection)] = []
    return base.selecting(rows, composed: &composed)
  }

  // MARK: Reading

  /// The values as `T`; for a dictionary those of the base, to be read through `indices`.
  @inlinable
  package func values<T: BitwiseCopyable>(as type: T.Type) -> UnsafeMutablePointer<T> {
    data.assumingMemoryBound(to: type)
  }

  /// Which value a row is.
  @inlinable
  package func valueIndex(_ row: Int) -> Int {
    switch encoding {
    case .flat: row
    case .constant: 0
    case .dictionary: Int(indices.unsafelyUnwrapped[row])
    }
  }

  @inlinable
  package func isNull(_ row: Int) -> Bool {
    guard let validity else { return false }
    return !Validity.isValid(validity, valueIndex(row))
  }

  /// Whether any value may be NULL (a dictionary's base may hold NULLs that no row refers to).
  @inlinable package var mayHaveNulls: Bool { validity != nil }

  @inlinable package var isConstant: Bool { encoding == .constant }
  @inlinable package var isConstantNull: Bool { encoding == .constant && isNull(0) }

  /// The bytes that the column holds for itself, children included; shared bases count too.
  package var byteCount: Int {
    var total = 0
    func add(_ owner: AnyObject) {
      if let buffer = owner as? Buffer { total += buffer.byteCount }
      if let heap = owner as? StringHeap { total += heap.byteCount }
    }
    if let owner { add(owner) }
    for owner in moreOwners { add(owner) }
    for child in children { total += child.byteCount }
    return total
  }

  /// The owners that hold the bytes of long strings of a column that a builder has made.
  package var stringHeaps: [StringHeap] {
    (moreOwners + [owner]).compactMap { $0 as? StringHeap }
  }

  // MARK: Writing (by the maker only)

  /// Validity words, all valid at first, for a flat or constant column under construction.
  package func makeValidity() -> UnsafeMutablePointer<UInt64> {
    if let validity { return validity }
    guard let spare = spareValidity else {
      preconditionFailure("only a column made by init(flat:) takes NULLs after the fact")
    }
    spare.update(repeating: .max, count: Validity.wordCount(max(count, 1)))
    validity = spare
    return spare
  }

  package func setNull(_ row: Int) { Validity.setNull(makeValidity(), row) }

  /// Marks as NULL every row that is NULL in `source`, a column of as many rows.
  package func addNulls(of source: Column) {
    guard let words = source.validity else { return }
    switch source.encoding {
    case .flat:
      let mine = makeValidity()
      for word in 0..<Validity.wordCount(count) { mine[word] &= words[word] }
    case .constant:
      if !Validity.isValid(words, 0) {
        makeValidity().update(repeating: 0, count: Validity.wordCount(count))
      }
    case .dictionary:
      guard let indices = source.indices else { return }
      let mine = makeValidity()
      for row in 0..<count where !Validity.isValid(words, Int(indices[row])) {
        Validity.setNull(mine, row)
      }
    }
  }

  package func replaceChildren(_ columns: [Column]) { children = columns }

  // MARK: Encodings

  /// The same rows as another type of the same physical layout (DATE as INTEGER, say).
  package func reinterpreted(as type: LogicalType) -> Column {
    precondition(
      type.physical == self.type.physical, "\(self.type) and \(type) differ in memory layout")
    return Column(
      type: type, count: count, encoding: encoding, data: data, validity: validity,
      indices: indices, base: base?.reinterpreted(as: type), children: children, owner: self)
  }

  /// The same rows in an object of one's own: where threads make batch after batch over a column that
  /// they share, they would all change its count of references.
  package func view() -> Column {
    Column(
      type: type, count: count, encoding: encoding, data: data, validity: validity,
      indices: indices, base: base?.view(), children: children, owner: self)
  }

  /// Rows `offset ..< offset + count`, sharing memory.
  package func slice(_ offset: Int, _ rows: Int) -> Column {
    if offset == 0 && rows == count { return self }
    switch encoding {
    case .constant:
      return Column(
        type: type, count: rows, encoding: .constant, data: data, validity: validity,
        children: children, owner: self)
    case .dictionary:
      return Column(
        type: type, count: rows, encoding: .dictionary, data: data, validity: validity,
        indices: indices.map { $0 + offset }, base: base, children: children, owner: self)
    case .flat:
      var copied: Buffer?
      var words: UnsafeMutablePointer<UInt64>?
      if let validity {
        if offset & 63 == 0 {
          words = validity + (offset >> 6)
        } else {
          let copy = Buffer(byteCount: Validity.wordCount(rows) * 8)
          words = copy.pointer.assumingMemoryBound(to: UInt64.self)
          Validity.copy(
            validity, from: offset, count: rows,
            to: copy.pointer.assumingMemoryBound(to: UInt64.self))
          copied = copy
        }
      }
      var parts = children
      if case .array(_, let n) = type { parts = children.map { $0.slice(offset * n, rows * n) } }
      if case .structure = type { parts = children.map { $0.slice(offset, rows) } }
      return Column(
        type: type, count: rows, data: data + offset * type.physical.width, validity: words,
        children: parts, owner: self, moreOwners: copied.map { [$0] } ?? [])
    }
  }

  /// Rows `rows`; `composed` remembers index vectors already composed for sibling columns.
  func selecting(
    _ rows: Selection, composed: inout [(from: UnsafePointer<UInt32>, to: Selection)]
  ) -> Column {
    switch encoding {
    case .constant:
      return Column(
        type: type, count: rows.count, encoding: .constant, data: data, validity: validity,
        children: children, owner: self)
    case .flat:
      return Column(
        type: type, count: rows.count, encoding: .dictionary, data: data, validity: validity,
        indices: rows.indices, base: self, children: children, owner: rows.owner)
    case .dictionary:
      guard let indices, let base else { preconditionFailure("a dictionary has a base") }
      if let known = composed.first(where: { $0.from == UnsafePointer(indices) }) {
        return Column(
          type: type, count: rows.count, encoding: .dictionary, data: data, validity: validity,
          indices: known.to.indices, base: base, children: children, owner: known.to.owner)
      }
      let joined = Selection(capacity: rows.count)
      let picks = rows.indices
      let target = joined.indices
      for row in 0..<rows.count { target[row] = indices[Int(picks[row])] }
      composed.append((UnsafePointer(indices), joined))
      return Column(
        type: type, count: rows.count, encoding: .dictionary, data: data, validity: validity,
        indices: target, base: base, children: children, owner: joined.owner)
    }
  }

  /// Row `row` alone, as a flat column of one row.
  package func flatValue(_ row: Int) -> Column {
    let index = valueIndex(row)
    let source = encoding == .dictionary ? (base ?? self) : self
    let flat = Column(
      type: source.type, count: encoding == .constant ? 1 : source.count, data: source.data,
      validity: source.validity, children: source.children, owner: source.owner,
      moreOwners: source.moreOwners + [self])
    return flat.slice(index, 1)
  }

  /// The same rows without encoding; itself when flat already.
  package func flattened() -> Column {
    switch encoding {
    case .flat: return self
    case .constant: return gather { _ in 0 }
    case .dictionary:
      guard let indices else { preconditionFailure("a dictionary has indices") }
      return gather { Int(indices[$0]) }
    }
  }

  @inline(__always)
  private func gather(_ index: (Int) -> Int) -> Column {
    let result: Column
    switch type.physical {
    case .bool, .int8, .uint8: result = gatherValues(UInt8.self, index)
    case .int16, .uint16: result = gatherValues(UInt16.self, index)
    case .int32, .uint32, .float: result = gatherValues(UInt32.self, index)
    case .int64, .uint64, .double: result = gatherValues(UInt64.self, index)
    case .int128, .uint128: result = gatherValues(UInt128.self, index)
    case .string: result = gatherValues(StringView.self, index)
    case .interval: result = gatherValues(Interval.self, index)
    case .list: result = gatherValues(ListEntry.self, index)
    case .array, .structure:
      var width = 1
      if case .array(_, let n) = type { width = n }
      let rows = Selection(capacity: count * width)
      for row in 0..<count {
        let start = index(row) * width
        for element in 0..<width { rows.indices[row * width + element] = UInt32(start + element) }
      }
      let parts = children.map { Column.dictionary($0, rows).flattened() }
      result = Column(flat: type, count: count, children: parts)
    }
    if let validity {
      let mine = result.makeValidity()
      for row in 0..<count where !Validity.isValid(validity, index(row)) {
        Validity.setNull(mine, row)
      }
    }
    return result
  }

  @inline(__always)
  private func gatherValues<T: BitwiseCopyable>(_ type: T.Type, _ index: (Int) -> Int) -> Column {
    let keep: [AnyObject] = T.self == StringView.self || T.self == ListEntry.self ? [self] : []
    let result = Column(flat: self.type, count: count, children: children, heaps: keep)
    let target = result.values(as: T.self)
    let source = values(as: T.self)
    for row in 0..<count { target[row] = source[index(row)] }
    return result
  }
}

extension Column {
  /// This flat column with the rows that are NULL in `other` NULL as well; shares the values.
  package func withNulls(of other: Column) -> Column {
    guard other.mayHaveNulls else { return self }
    let flat = flattened()
    let words = Buffer(byteCount: Validity.wordCount(max(count, 1)) * 8)
    let mine = words.pointer.assumingMemoryBound(to: UInt64.self)
    if let validity = flat.validity {
      mine.update(from: validity, count: Validity.wordCount(count))
    } else {
      mine.update(repeating: .max, count: Validity.wordCount(max(count, 1)))
    }
    for row in 0..<count where other.isNull(row) { Validity.setNull(mine, row) }
    return Column(
      type: type, count: count, data: flat.data, validity: mine, children: flat.children,
      owners: [flat, words])
  }
}
