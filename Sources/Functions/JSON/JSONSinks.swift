import Columnar
import JSONReading

/// Where a function of documents puts what it makes of each value that its path found.
protocol JSONSink: SendableMetatype {
  init(_ type: LogicalType)
  var count: Int { get }
  mutating func append(_ tape: borrowing JSONTape, _ index: Int)
  /// Nothing is at the path.
  mutating func appendMissing()
  mutating func appendNull()
  /// The rows so far; `owner` holds the documents' bytes.
  mutating func finish(_ owner: AnyObject) -> Column
}

/// Values of a fixed width with their NULLs.
struct JSONValues<T: BitwiseCopyable> {
  private(set) var values: ContiguousArray<T> = []
  private var nulls: ContiguousArray<Int> = []

  mutating func append(_ value: T) { values.append(value) }

  mutating func appendNull(_ zero: T) {
    nulls.append(values.count)
    values.append(zero)
  }

  /// Makes a row NULL that had a value.
  mutating func setNull(_ row: Int, _ zero: T) {
    nulls.append(row)
    values[row] = zero
  }

  func column(_ type: LogicalType, children: [Column] = [], owners: [AnyObject] = []) -> Column {
    let column = Column(flat: type, count: values.count, children: children, heaps: owners)
    values.withUnsafeBufferPointer { source in
      if let start = source.baseAddress {
        column.values(as: T.self).update(from: start, count: source.count)
      }
    }
    for row in nulls { column.setNull(row) }
    return column
  }
}

/// What is text: the bytes of the documents themselves where these are as they are written, else
/// copies on a heap.
struct JSONTextSink<Form: JSONTextForm>: JSONSink {
  private let type: LogicalType
  private var values = JSONValues<StringView>()
  private let heap = StringHeap()

  init(_ type: LogicalType) { self.type = type }

  var count: Int { values.values.count }

  @inline(__always)
  mutating func append(_ tape: borrowing JSONTape, _ index: Int) {
    if let view = Form.view(tape, index, heap) {
      values.append(view)
    } else {
      values.appendNull(StringView())
    }
  }

  mutating func appendMissing() { values.appendNull(StringView()) }
  mutating func appendNull() { values.appendNull(StringView()) }

  mutating func finish(_ owner: AnyObject) -> Column {
    values.column(type, owners: [heap, owner])
  }
}

protocol JSONTextForm: SendableMetatype {
  /// nil for NULL.
  static func view(_ tape: borrowing JSONTape, _ index: Int, _ heap: StringHeap) -> StringView?
}

/// The value as JSON.
enum JSONForm: JSONTextForm {
  @inline(__always)
  static func view(_ tape: borrowing JSONTape, _ index: Int, _ heap: StringHeap) -> StringView? {
    let node = tape[index]
    if node.isPlain { return StringView(referring: node.text, Int(node.length)) }
    var buffer = TextBuffer(capacity: Int(node.length))
    JSONText.append(tape, index, to: &buffer)
    return heap.store(UnsafePointer(buffer.start), buffer.count)
  }
}

/// A string's own text, NULL for null, everything else as JSON.
enum JSONStringForm: JSONTextForm {
  @inline(__always)
  static func view(_ tape: borrowing JSONTape, _ index: Int, _ heap: StringHeap) -> StringView? {
    let node = tape[index]
    if node.kind == .null { return nil }
    guard node.kind == .string else { return JSONForm.view(tape, index, heap) }
    if node.isPlain { return StringView(referring: node.text + 1, Int(node.length) - 2) }
    var buffer = TextBuffer(capacity: Int(node.length))
    JSONText.append(text: tape, index, to: &buffer)
    return heap.store(UnsafePointer(buffer.start), buffer.count)
  }
}

/// The value as JSON, NULL for arrays and objects.
enum JSONScalarForm: JSONTextForm {
  static func view(_ tape: borrowing JSONTape, _ index: Int, _ heap: StringHeap) -> StringView? {
    let kind = tape[index].kind
    return kind.isContainer || kind == .null ? nil : JSONForm.view(tape, index, heap)
  }
}

/// What `json_type` calls the value.
enum JSONTypeForm: JSONTextForm {
  static func view(_ tape: borrowing JSONTape, _ index: Int, _ heap: StringHeap) -> StringView? {
    heap.store(tape[index].kind.typeName)
  }
}

extension JSONKind {
  package var typeName: String {
    switch self {
    case .null: "NULL"
    case .false, .true: "BOOLEAN"
    case .unsigned: "UBIGINT"
    case .signed: "BIGINT"
    case .double, .wide: "DOUBLE"
    case .string: "VARCHAR"
    case .array: "ARRAY"
    case .object: "OBJECT"
    }
  }
}

/// Whether there is a value.
struct JSONExistsSink: JSONSink {
  private let type: LogicalType
  private var values = JSONValues<UInt8>()

  init(_ type: LogicalType) { self.type = type }

  var count: Int { values.values.count }
  mutating func append(_ tape: borrowing JSONTape, _ index: Int) { values.append(1) }
  mutating func appendMissing() { values.append(0) }
  mutating func appendNull() { values.appendNull(0) }
  mutating func finish(_ owner: AnyObject) -> Column { values.column(type) }
}

/// The number of an array's elements, 0 for what is no array.
struct JSONLengthSink: JSONSink {
  private let type: LogicalType
  private var values = JSONValues<UInt64>()

  init(_ type: LogicalType) { self.type = type }

  var count: Int { values.values.count }

  mutating func append(_ tape: borrowing JSONTape, _ index: Int) {
    values.append(tape[index].kind == .array ? UInt64(tape[index].count) : 0)
  }

  mutating func appendMissing() { values.appendNull(0) }
  mutating func appendNull() { values.appendNull(0) }
  mutating func finish(_ owner: AnyObject) -> Column { values.column(type) }
}

/// An object's keys, none for what is no object.
struct JSONKeysSink: JSONSink {
  private let type: LogicalType
  private var entries = JSONValues<ListEntry>()
  private var keys = JSONTextSink<JSONStringForm>(.varchar)

  init(_ type: LogicalType) { self.type = type }

  var count: Int { entries.values.count }

  mutating func append(_ tape: borrowing JSONTape, _ index: Int) {
    let start = keys.count
    if tape[index].kind == .object {
      var key = index + 1
      for _ in 0..<tape[index].count {
        keys.append(tape, key)
        key = Int(tape[key + 1].next)
      }
    }
    entries.append(ListEntry(offset: start, length: keys.count - start))
  }

  mutating func appendMissing() { appendNull() }
  mutating func appendNull() { entries.appendNull(ListEntry(offset: keys.count, length: 0)) }

  mutating func finish(_ owner: AnyObject) -> Column {
    entries.column(type, children: [keys.finish(owner)])
  }
}
