import Diagnostics

/// Collects rows of one type into a flat column that owns all its bytes: strings are copied, so
/// sources (a file page, a batch) may go.
package struct ColumnBuilder {
  package let type: LogicalType
  package private(set) var count = 0
  private var capacity: Int
  private var data: Buffer
  private var validity: Buffer?
  private var heap: StringHeap
  private var children: [ColumnBuilder]
  private let width: Int

  package init(_ type: LogicalType, capacity: Int = 64) {
    self.type = type
    self.capacity = max(capacity, 1)
    width = type.physical.width
    data = Buffer(byteCount: width * self.capacity)
    heap = StringHeap()
    switch type {
    case .list(let element): children = [ColumnBuilder(element, capacity: self.capacity)]
    case .map(let key, let value):
      children = [ColumnBuilder(.mapEntry(key, value), capacity: self.capacity)]
    case .array(let element, let n):
      children = [ColumnBuilder(element, capacity: self.capacity * n)]
    case .structure(let fields):
      children = fields.map { [capacity = self.capacity] in
        ColumnBuilder($0.type, capacity: capacity)
      }
    default: children = []
    }
  }

  /// Bytes held so far, strings included.
  package var byteCount: Int {
    data.byteCount + (validity?.byteCount ?? 0) + heap.byteCount
      + children.reduce(0) { $0 + $1.byteCount }
  }

  package mutating func reserve(_ more: Int) {
    let needed = count + more
    if needed <= capacity { return }
    let grown = max(needed, capacity * 2)
    let larger = Buffer(byteCount: width * grown)
    larger.pointer.copyMemory(from: data.pointer, byteCount: width * count)
    data = larger
    if let old = validity {
      let words = Buffer(byteCount: Validity.wordCount(grown) * 8)
      words.pointer.initializeMemory(
        as: UInt64.self, repeating: .max, count: Validity.wordCount(grown))
      words.pointer.copyMemory(from: old.pointer, byteCount: Validity.wordCount(capacity) * 8)
      validity = words
    }
    capacity = grown
  }

  private mutating func validityWords() -> UnsafeMutablePointer<UInt64> {
    if let validity { return validity.pointer.assumingMemoryBound(to: UInt64.self) }
    let words = Buffer(byteCount: Validity.wordCount(capacity) * 8)
    words.pointer.initializeMemory(
      as: UInt64.self, repeating: .max, count: Validity.wordCount(capacity))
    validity = words
    return words.pointer.assumingMemoryBound(to: UInt64.self)
  }

  package mutating func appendNull() {
    reserve(1)
    if width > 0 {
      (data.pointer + count * width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
    }
    if case .array(_, let n) = type { for _ in 0..<n { children[0].appendNull() } }
    if case .structure = type { for child in children.indices { children[child].appendNull() } }
    Validity.setNull(validityWords(), count)
    count += 1
  }

  /// Appends a fixed-width value of the type's physical layout. Not for strings.
  @inline(__always)
  package mutating func append<T: BitwiseCopyable>(fixed value: T) {
    if count == capacity { reserve(1) }
    data.pointer.assumingMemoryBound(to: T.self)[count] = value
    count += 1
  }

  package mutating func append(bytes: UnsafeBufferPointer<UInt8>) {
    var empty: UInt8 = 0
    let view = withUnsafePointer(to: &empty) { heap.store(bytes.baseAddress ?? $0, bytes.count) }
    append(fixed: view)
  }

  /// One value; `.internal` error when it is not of the column's type.
  package mutating func append(_ value: Value) throws {
    switch (type, value) {
    case (_, .null): appendNull()
    case (.boolean, .boolean(let v)): append(fixed: UInt8(v ? 1 : 0))
    case (.tinyint, .integer(let v)): try append(fixed: exact(Int8(exactly: v), value))
    case (.smallint, .integer(let v)): try append(fixed: exact(Int16(exactly: v), value))
    case (.integer, .integer(let v)): try append(fixed: exact(Int32(exactly: v), value))
    case (.bigint, .integer(let v)): try append(fixed: exact(Int64(exactly: v), value))
    case (.hugeint, .integer(let v)): append(fixed: v)
    case (.utinyint, .integer(let v)): try append(fixed: exact(UInt8(exactly: v), value))
    case (.usmallint, .integer(let v)): try append(fixed: exact(UInt16(exactly: v), value))
    case (.uinteger, .integer(let v)): try append(fixed: exact(UInt32(exactly: v), value))
    case (.ubigint, .integer(let v)): try append(fixed: exact(UInt64(exactly: v), value))
    case (.uhugeint, .integer(let v)): try append(fixed: exact(UInt128(exactly: v), value))
    case (.uhugeint, .unsigned(let v)): append(fixed: v)
    case (.float, .float(let v)): append(fixed: v)
    case (.double, .double(let v)): append(fixed: v)
    case (.decimal, .decimal(let v)):
      switch type.physical {
      case .int16: try append(fixed: exact(Int16(exactly: v), value))
      case .int32: try append(fixed: exact(Int32(exactly: v), value))
      case .int64: try append(fixed: exact(Int64(exactly: v), value))
      default: append(fixed: v)
      }
    case (.varchar, .varchar(let v)), (.json, .varchar(let v)): append(fixed: heap.store(v))
    case (.enumeration(let labels), .varchar(let v)): try append(label: v, of: labels)
    case (.blob, .blob(let v)): v.withUnsafeBufferPointer { append(bytes: $0) }
    case (.date, .date(let v)): append(fixed: v)
    case (.time, .time(let v)): append(fixed: v)
    case (.timeTZ, .timeTZ(let v)): append(fixed: v)
    case (_, .timestamp(let v)) where type.isTimestamp: append(fixed: v)
    case (.interval, .interval(let v)): append(fixed: v)
    case (.uuid, .uuid(let v)): append(fixed: v)
    case (.list, .list(let elements)), (.map, .list(let elements)):
      let offset = children[0].count
      for element in elements { try children[0].append(element) }
      append(fixed: ListEntry(offset: offset, length: elements.count))
    case (.array(_, let n), .list(let elements)) where elements.count == n:
      reserve(1)
      for element in elements { try children[0].append(element) }
      count += 1
    case (.structure, .structure(let fields)) where fields.count == children.count:
      reserve(1)
      for (child, field) in fields.enumerated() { try children[child].append(field) }
      count += 1
    default:
      throw SQLError(.internal, "a value of another type came to a column of type \(type)")
    }
  }

  private mutating func append(label: String, of labels: EnumLabels) throws {
    guard let position = labels.position(of: label) else {
      throw SQLError(.internal, "'\(label)' is no value of \(type)")
    }
    switch type.physical {
    case .uint8: append(fixed: UInt8(position))
    case .uint16: append(fixed: UInt16(position))
    default: append(fixed: UInt32(position))
    }
  }

  private func exact<T>(_ converted: T?, _ value: Value) throws -> T {
    guard let converted else {
      throw SQLError(.outOfRange, "a value is out of range for type \(type)")
    }
    return converted
  }

  /// Appends all rows of a column of the same type, whatever its encoding.
  package mutating func append(_ column: Column) {
    precondition(
      column.type.physical == type.physical, "\(column.type) cannot be appended to \(type)")
    let rows = column.count
    if rows == 0 { return }
    reserve(rows)
    switch type.physical {
    case .bool, .int8, .uint8: appendValues(column, UInt8.self)
    case .int16, .uint16: appendValues(column, UInt16.self)
    case .int32, .uint32, .float: appendValues(column, UInt32.self)
    case .int64, .uint64, .double: appendValues(column, UInt64.self)
    case .int128, .uint128: appendValues(column, UInt128.self)
    case .interval: appendValues(column, Interval.self)
    case .string:
      let reader = ColumnReader<StringView>(column)
      let target = data.pointer.assumingMemoryBound(to: StringView.self) + count
      for row in 0..<rows {
        target[row] = reader.isNull(row) ? StringView() : heap.store(reader[row])
      }
    case .list:
      let reader = ColumnReader<ListEntry>(column)
      let target = data.pointer.assumingMemoryBound(to: ListEntry.self) + count
      var total = 0
      for row in 0..<rows where !reader.isNull(row) { total += reader[row].length }
      let picks = Selection(capacity: total)
      var offset = children[0].count
      var position = 0
      for row in 0..<rows {
        let entry = reader.isNull(row) ? ListEntry(offset: 0, length: 0) : reader[row]
        target[row] = ListEntry(offset: offset, length: entry.length)
        for element in 0..<entry.length {
          picks.indices[position] = UInt32(truncatingIfNeeded: entry.offset + element)
          position += 1
        }
        offset += entry.length
      }
      children[0].append(Column.dictionary(column.children[0], picks))
    case .array, .structure:
      let flat = column.flattened()
      for (child, part) in flat.children.enumerated() { children[child].append(part) }
    }
    if column.mayHaveNulls {
      let words = validityWords()
      for row in 0..<rows where column.isNull(row) { Validity.setNull(words, count + row) }
    }
    count += rows
  }

  private func appendValues<T: BitwiseCopyable>(_ column: Column, _ type: T.Type) {
    let target = data.pointer.assumingMemoryBound(to: T.self) + count
    let source = column.values(as: T.self)
    switch column.encoding {
    case .flat: target.update(from: source, count: column.count)
    case .constant: target.update(repeating: source[0], count: column.count)
    case .dictionary:
      guard let indices = column.indices else { return }
      for row in 0..<column.count { target[row] = source[Int(indices[row])] }
    }
  }

  /// The rows so far as a column; the builder starts empty again.
  package mutating func finish() -> Column {
    let words = validity.map { $0.pointer.assumingMemoryBound(to: UInt64.self) }
    var owners: [AnyObject] = [data, heap]
    if let validity { owners.append(validity) }
    var parts: [Column] = []
    for child in children.indices { parts.append(children[child].finish()) }
    let column = Column(
      type: type, count: count, data: data.pointer, validity: words, children: parts, owners: owners
    )
    self = ColumnBuilder(type, capacity: 64)
    return column
  }
}

extension Column {
  /// A copy with one row more, NULL: what picks without a value refer to.
  package func followedByNull() -> Column {
    var builder = ColumnBuilder(type, capacity: count + 1)
    builder.append(self)
    builder.appendNull()
    return builder.finish()
  }
}
